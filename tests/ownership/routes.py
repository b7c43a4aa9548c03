"""Every way to ask who owns a point, each giving rows of `oracle.FIELDS`.

By nothing but what is published: HTTP, the library, the command line.
"""

from __future__ import annotations

import csv
import io
import math
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from tests.journey.client import Client, Refused
from tests.ownership.oracle import FIELDS, Floats

__all__ = ["MANY", "ONE_BY_ONE", "Service"]

_MOST = 100_000  # points in one batch
_ARROW = "application/vnd.apache.arrow.stream"
_INVALID = ("invalid", None, None, None, None)

Rows = list[tuple[Any, ...]]
Way = Callable[["Service", str, Floats, Floats], Rows]


@dataclass(frozen=True, slots=True)
class Service:
    """A running service, its database, and a folder for files."""

    client: Client
    database_url: str
    folder: Path


# --- one point at a time


def get(service: Service, territory: str, lon: Floats, lat: Floats) -> Rows:
    def ask(x: float, y: float) -> Any:
        return service.client.get("/v1/owner", lat=y, lon=x, territory=territory, on_miss="status")

    return _each(ask, lon, lat)


def query(service: Service, territory: str, lon: Floats, lat: Floats) -> Rows:
    def ask(x: float, y: float) -> Any:
        document = {"lat": _json(y), "lon": _json(x), "territory": territory, "on_miss": "status"}
        return service.client.post("/v1/owner/query", document)

    return _each(ask, lon, lat)


def _each(ask: Callable[[float, float], Any], lon: Floats, lat: Floats) -> Rows:
    return [_one(ask, x, y) for x, y in zip(lon.tolist(), lat.tolist(), strict=True)]


def _one(ask: Callable[[float, float], Any], lon: float, lat: float) -> tuple[Any, ...]:
    try:
        found = ask(lon, lat)
    except Refused as refused:
        assert refused.status == 422, refused
        return _INVALID
    grid, team = found["grid"] or {}, found["team"] or {}
    return found["status"], found["cell"], grid.get("code"), team.get("id"), found["rule"]


# --- many at once


def columns(service: Service, territory: str, lon: Floats, lat: Floats) -> Rows:
    found = service.client.post(
        "/v1/owner/batch", {"territory": territory, "lat": _column(lat), "lon": _column(lon)}
    )
    return list(zip(*(found[name] for name in FIELDS), strict=True))


def objects(service: Service, territory: str, lon: Floats, lat: Floats) -> Rows:
    found, _ = service.client.call(
        "POST", "/v1/owner/batch", _objects(lon, lat), query={"territory": territory}
    )
    return [tuple(row[name] for name in FIELDS) for row in found]


def listed(service: Service, territory: str, lon: Floats, lat: Floats) -> Rows:
    """Objects as a member of a document."""
    document = {"territory": territory, "points": _objects(lon, lat)}
    found = service.client.post("/v1/owner/batch", document)
    return [tuple(row[name] for name in FIELDS) for row in found["points"]]


def arrow(service: Service, territory: str, lon: Floats, lat: Floats) -> Rows:
    table = pa.table({"lat": lat, "lon": lon})
    body = pa.BufferOutputStream()
    with pa.ipc.new_stream(body, table.schema) as writer:
        writer.write_table(table)
    path = f"/v1/owner/batch?territory={territory}"
    status, _, answer = service.client.raw(
        "POST", path, body.getvalue().to_pybytes(), {"Content-Type": _ARROW}
    )
    assert status == 200, answer[:500]
    found = pa.ipc.open_stream(answer).read_all()
    return list(zip(*(found[name].to_pylist() for name in FIELDS), strict=True))


def library(service: Service, territory: str, lon: Floats, lat: Floats) -> Rows:
    return _by_library(service, territory, lon, lat, compiled=False)


def compiled(service: Service, territory: str, lon: Floats, lat: Floats) -> Rows:
    return _by_library(service, territory, lon, lat, compiled=True)


def _by_library(service: Service, territory: str, lon: Floats, lat: Floats, *, compiled: bool) -> Rows:
    """The snapshot file as anybody may fetch it, and no service after that."""
    from gridsvc import ownership

    path = service.folder / f"{territory}.snapshot"
    if not path.exists():
        status, _, body = service.client.raw("GET", f"/v1/publications/1/snapshot?territory={territory}")
        assert status == 200, body[:500]
        path.write_bytes(body)
    found = ownership.open(path).lookup(lat, lon, compiled=compiled)
    return list(zip(*(getattr(found, name).tolist() for name in FIELDS), strict=True))


def command(service: Service, territory: str, lon: Floats, lat: Floats) -> Rows:
    """`gridsvc lookup --batch`."""
    file = service.folder / f"{territory}.parquet"
    pq.write_table(pa.table({"id": np.arange(len(lon)), "lat": lat, "lon": lon}), file)
    options = ["--batch", str(file), "--territory", territory, "--database", service.database_url]
    done = subprocess.run(
        [sys.executable, "-c", "from gridsvc.cli import main; main()", "lookup", *options],
        check=False,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    rows = csv.DictReader(io.StringIO(done.stdout))
    return [tuple(row[name] or None for name in FIELDS) for row in rows]


def _column(values: Floats) -> list[float | None]:
    return [_json(value) for value in values.tolist()]


def _objects(lon: Floats, lat: Floats) -> list[dict[str, float | None]]:
    return [{"lat": y, "lon": x} for x, y in zip(_column(lon), _column(lat), strict=True)]


def _json(value: float) -> float | None:
    """JSON has neither NaN nor infinity."""
    return value if math.isfinite(value) else None


def in_batches(way: Way) -> Way:
    """The same for any number of points."""

    def asked(service: Service, territory: str, lon: Floats, lat: Floats) -> Rows:
        return [row for part in _parts(len(lon)) for row in way(service, territory, lon[part], lat[part])]

    return asked


def _parts(n: int) -> Iterator[slice]:
    yield from (slice(start, start + _MOST) for start in range(0, n, _MOST))


ONE_BY_ONE: dict[str, Way] = {"GET": get, "query": query}
MANY: dict[str, Way] = {
    "JSON columns": in_batches(columns),
    "JSON objects": in_batches(objects),
    "JSON list of points": in_batches(listed),
    "Arrow": in_batches(arrow),
    "library": library,
    "library, compiled": compiled,
    "gridsvc lookup --batch": command,
}
