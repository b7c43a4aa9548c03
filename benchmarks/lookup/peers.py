"""Services to set ours beside: one which does nothing, and one as it is usually written, over PostGIS.

Served by uvicorn as ours is: ``uvicorn benchmarks.lookup.peers:nothing`` and ``...:usual``.
"""

from __future__ import annotations

import os
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Annotated, Any

from fastapi import FastAPI, HTTPException, Query
from psycopg.rows import TupleRow
from psycopg_pool import AsyncConnectionPool

from api.schemas.owner import OwnerAnswer
from benchmarks.lookup.postgis import POINT

__all__ = ["nothing", "usual"]

_BODY = b'{"status":"owned"}'
_HEAD = {
    "type": "http.response.start",
    "status": 200,
    "headers": [(b"content-type", b"application/json"), (b"content-length", str(len(_BODY)).encode())],
}

Send = Callable[[dict[str, Any]], Awaitable[None]]


async def nothing(scope: dict[str, Any], _receive: Any, send: Send) -> None:
    """What a server and one write cost, and nothing else."""
    if scope["type"] == "http":
        await send(_HEAD)
        await send({"type": "http.response.body", "body": _BODY})


_pool: AsyncConnectionPool[Any] | None = None


@asynccontextmanager
async def _pooled(_: FastAPI) -> AsyncIterator[None]:
    global _pool
    dsn = os.environ["BENCHMARK_DSN"]
    async with AsyncConnectionPool(dsn, min_size=4, max_size=8, kwargs={"autocommit": True}) as _pool:
        yield


usual = FastAPI(lifespan=_pooled)


@usual.get("/v1/owner", response_model=OwnerAnswer)
async def owner(
    lat: Annotated[float, Query(ge=-90, le=90)], lon: Annotated[float, Query(ge=-180, le=180)]
) -> Any:
    """Owner of a point, as much as our answer says: one prepared statement on a connection of the pool."""
    assert _pool is not None
    async with _pool.connection() as connection, connection.cursor(binary=True) as cursor:
        await cursor.execute(POINT, (lon, lat), prepare=True)
        found: TupleRow | None = await cursor.fetchone()
    if found is None:
        raise HTTPException(404)
    grid, cell, grid_name, team, team_name, lead, roles, publication, valid_from = found
    return {
        "status": "owned",
        "cell": cell,
        "grid": {"code": grid, "name": grid_name, "line": "base"},
        "team": {"id": team, "name": team_name},
        "lead": lead,
        "roles": roles,
        "rule": "cell",
        "why": f"Cell {cell} belongs to {grid_name} of {team_name} since publication {publication}.",
        "territory": "london",
        "publication": publication,
        "roster": 1,
        "seq": 1,
        "valid_from": valid_from,
        "valid_to": None,
        "inside_territory": True,
        "crs": "wgs84",
        "via": None,
    }
