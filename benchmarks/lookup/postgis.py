"""The same cells in a PostGIS of our own: a GiST index, and one statement a question."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

import h3
import numpy as np
import shapely

from benchmarks.lookup.ground import Ground

__all__ = ["BATCH", "POINT", "filled"]

POINT = """select c.grid, c.cell, g.name, t.id, t.name, t.lead, t.roles, g.publication, g.valid_from
from cells c join grids g on g.code = c.grid join teams t on t.id = g.team
where ST_Intersects(c.geom, ST_SetSRID(ST_MakePoint(%s::float8, %s::float8), 4326)) limit 1"""

BATCH = """select c.grid, c.cell
from unnest(%s::float8[], %s::float8[]) with ordinality u(lat, lon, i)
left join lateral (
    select grid, cell from cells
    where ST_Intersects(geom, ST_SetSRID(ST_MakePoint(u.lon, u.lat), 4326)) limit 1
) c on true
order by i"""

_TABLES = """create table cells (cell text, grid text, geom geometry(Polygon, 4326));
create table grids (code text primary key, name text, team text, publication int, valid_from timestamptz);
create table teams (id text primary key, name text, lead json, roles json)"""

# Neither compiling statements nor further processes, whose CPU time would not be seen, pays here.
_OPTIONS = "-c jit=off -c max_parallel_workers_per_gather=0"


@contextmanager
def filled(ground: Ground) -> Iterator[str | None]:
    """Address of a server which has the cells, while it runs; None where there is no PostGIS."""
    from tests.databases import PostgisServer, postgis_binaries

    found = postgis_binaries()
    if found is None:
        yield None
        return
    server = PostgisServer(found)
    try:
        server.start()
        host = server.url("postgres").partition("host=")[2]
        dsn = f"dbname=postgres user=test host={host} options='{_OPTIONS}'"
        yield dsn if _fill(dsn, ground) else None
    finally:
        server.stop()


def _fill(dsn: str, ground: Ground) -> bool:
    import psycopg

    with psycopg.connect(dsn, autocommit=True) as connection:
        try:
            connection.execute("create extension postgis")
        except psycopg.Error:  # for whatever reason it is not here
            return False
        connection.execute(_TABLES)
        _copy(connection, "cells", _cells(ground))
        _copy(connection, "grids", _grids(ground))
        _copy(connection, "teams", _teams(ground))
        connection.execute("create index on cells using gist (geom)")
        connection.execute("cluster cells using cells_geom_idx")
        connection.execute("vacuum analyze")
    return True


def _copy(connection: Any, table: str, rows: Iterator[tuple[Any, ...]]) -> None:
    with connection.cursor().copy(f"copy {table} from stdin") as copy:
        for row in rows:
            copy.write_row(row)


def _cells(ground: Ground) -> Iterator[tuple[Any, ...]]:
    names = map(h3.int_to_str, ground.tiling.ids.tolist())
    grids = np.array(ground.codes, object)[ground.labels].tolist()
    outlines = shapely.to_wkb(shapely.set_srid(ground.tiling.geometry, 4326), hex=True, include_srid=True)
    yield from zip(names, grids, outlines.tolist(), strict=True)


def _grids(ground: Ground) -> Iterator[tuple[Any, ...]]:
    since = datetime.now(UTC)
    yield from ((code, f"Grid {code}", ground.team(code), 1, since) for code in ground.codes)


def _teams(ground: Ground) -> Iterator[tuple[Any, ...]]:
    """A team with its people ready to be sent, which spares the database a join and a grouping."""
    for team in sorted({ground.team(code) for code in ground.codes}):
        lead = {"id": f"{team}l", "name": f"Lead of {team}", "acting": False}
        others = [
            {"id": f"{team}{i}", "name": f"Staff {i}", "role": "vip", "backup": False} for i in range(2)
        ]
        yield team, f"Team {team}", json.dumps(lead), json.dumps(others)
