"""``python -m benchmarks.tiles``: tiles of up to 3,000 cells over HTTP, cold and kept, beside ST_AsMVT."""

from __future__ import annotations

import argparse
import http.client
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.report import circumstances, put_section

__all__ = ["main"]

_ROOT = Path(__file__).resolve().parents[1]
_ZOOM, _LEAST, _MOST = 11, 2000, 3000  # of H3 cells of resolution 9 at this latitude
_BARS = {"kept": 10.0, "PostGIS": 60.0, "embedded": 150.0}

_PEER = """select ST_AsMVT(t, 'cells', 4096, 'geom') from (
    select cell, grid, grid_name, team, team_name, area_km2, customers, potential,
        ST_AsMVTGeom(geom, ST_TileEnvelope(%(z)s, %(x)s, %(y)s), 4096, 64, true) as geom
    from drawn where geom && ST_TileEnvelope(%(z)s, %(x)s, %(y)s, margin => 0.015625)) t"""


_FLAT = """create table drawn as select c.cell, g.code as grid, g.name as grid_name, g.team,
    'Team ' || g.team as team_name, 0.105::float8 as area_km2, c.row::float8 / 7 as customers,
    c.row::float8 / 3 as potential, ST_Transform(c.geometry, 3857) as geom
from cells c join published_grids g on g.code = lpad((c.row % 12)::text, 2, '0')"""


@dataclass(frozen=True)
class Ran:
    """Milliseconds of each tile, and milliseconds of CPU a tile."""

    wall: list[float]
    cpu: float
    bodies: list[bytes]

    @property
    def p50(self) -> float:
        return statistics.median(self.wall)


def _publish(db: Any, cells: int) -> Any:
    """A publication of so many hexagons in twelve strips; gives the tiling."""
    import h3.api.basic_int as h3
    import shapely

    from gridsvc.plans.plan import Grid, Plan
    from gridsvc.principal import LOCAL
    from gridsvc.services import plans, publishing, rosters
    from gridsvc.services.publishing import Wanted
    from gridsvc.services.request import SolveRequest
    from gridsvc.store.records import MeasureRecord, Territory
    from gridsvc.teams.model import Department, Member, Person, Roster, Team
    from gridsvc.tiling.h3tiles import tile_cells

    around = h3.grid_disk(h3.latlng_to_cell(28.2, 113.0, 9), int((cells / 3) ** 0.5))
    tiling = tile_cells(np.array(sorted(around), np.uint64))
    rng, now = np.random.default_rng(1), datetime.now(UTC) - timedelta(days=2)
    values = {name: np.round(rng.gamma(2.0, 50.0, len(tiling)), 2) for name in ("customers", "potential")}
    square = shapely.MultiPolygon([shapely.box(*shapely.total_bounds(tiling.geometry))])
    labels = np.digitize(tiling.x, np.quantile(tiling.x, np.linspace(0, 1, 13)[1:-1]))
    grids = tuple(Grid(f"{g:02d}", f"网格 {g:02d}", f"{g:02d}") for g in range(12))
    codes = [grid.code for grid in grids]
    people = Roster(
        departments=(Department("m", "市场部"),),
        people=tuple(Person(code, f"Lead {code}", "m") for code in codes),
        teams=tuple(Team(code, f"Team {code}") for code in codes),
        members=tuple(Member(code, code, "lead") for code in codes),
        fallback=codes[0],
    )
    with db.write(LOCAL, "bench") as uow:
        uow.territories.create(Territory("bench", "Bench", "Asia/Shanghai", square, now))
        made = uow.tilings.add("bench", tiling, params={}, coverage={})
        records = [MeasureRecord(n, f"{n}=sum:{n}", "", v, now) for n, v in values.items()]
        uow.tilings.put_measures(made, None, records)
    rosters.put(db, LOCAL, "bench", people, valid_from=now, reason="bench")
    plan = plans.create(db, LOCAL, made, SolveRequest(12, ())).id
    with db.write(LOCAL, "bench") as uow:
        uow.plans.save_solution(plan, Plan(labels.astype(np.int32), grids), None, 1)
    publishing.publish(db, LOCAL, plan, 2, Wanted(effective_at=now))
    return tiling


def _tiles(tiling: Any, most: int) -> list[tuple[int, int, int]]:
    """Tiles with thousands of cells: zoom, row, column."""
    import shapely

    from gridsvc.exchange.tiles.mercator import Tile, tiles_at, to_mercator
    from gridsvc.exchange.tiles.rings import Rings

    rings = Rings.of(to_mercator(tiling.geometry))
    row0, col0, row1, col1 = tiles_at(_ZOOM, shapely.total_bounds(tiling.geometry))
    found = [Tile(_ZOOM, r, c) for r in range(row0, row1 + 1) for c in range(col0, col1 + 1)]
    held = [(tile, len(rings.near(tile.bounds))) for tile in found]
    return [(t.zoom, t.row, t.col) for t, n in held if _LEAST <= n <= _MOST - 100][:most]


def _drawn(dsn: str) -> None:
    """The same rows as one table in metres of the map, which is the best its own tiles can hope for."""
    import psycopg

    with psycopg.connect(dsn, autocommit=True) as connection:
        connection.execute(_FLAT)
        connection.execute("create index on drawn using gist (geom)")
        connection.execute("vacuum analyze drawn")


def _over_http(port: int, wanted: list[tuple[int, int, int]], cpu: Callable[[], float]) -> Ran:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    return _timed([partial(_got, connection, tile) for tile in wanted], cpu)


def _got(connection: http.client.HTTPConnection, tile: tuple[int, int, int]) -> bytes:
    path = "/ogc/collections/bench.base.cells/tiles/WebMercatorQuad/{}/{}/{}".format(*tile)
    connection.request("GET", path)
    answer = connection.getresponse()
    body = answer.read()
    if answer.status != 200:
        raise OSError(f"{path}: {answer.status}")
    return body


def _by_postgis(dsn: str, wanted: list[tuple[int, int, int]], cpu: Callable[[], float]) -> Ran:
    import psycopg

    with psycopg.connect(dsn, autocommit=True) as connection:

        def ask(z: int, y: int, x: int) -> bytes:
            found = connection.execute(_PEER, {"z": z, "y": y, "x": x}, binary=True).fetchone()
            return bytes(found[0]) if found else b""

        ask(*wanted[0])
        return _timed([partial(ask, *tile) for tile in wanted], cpu)


def _timed(asks: list[Callable[[], bytes]], cpu: Callable[[], float]) -> Ran:
    wall, bodies, before = [], [], cpu()
    for ask in asks:
        began = time.perf_counter()
        bodies.append(ask())
        wall.append(1000 * (time.perf_counter() - began))
    return Ran(wall, 1000 * (cpu() - before) / len(asks), bodies)


def _spent(*parents: int) -> Callable[[], float]:
    """CPU seconds of processes and all under them."""
    import psutil

    def spent() -> float:
        roots = [psutil.Process(pid) for pid in parents]
        every = [p for root in roots for p in (root, *root.children(recursive=True))]
        return sum(sum(p.cpu_times()[:2]) for p in every)

    return spent


def _features(body: bytes) -> tuple[int, float]:
    """How many features a tile has, and their area in units of the tile, as GDAL sees it."""
    import pyogrio

    with tempfile.NamedTemporaryFile(suffix=".mvt") as file:
        file.write(body)
        file.flush()
        found = pyogrio.read_dataframe(file.name, CLIP="NO")
    return len(found), float(found.geometry.area.sum())


def _alike(ours: Ran, theirs: Ran) -> bool:
    pairs = [(_features(a), _features(b)) for a, b in zip(ours.bodies, theirs.bodies, strict=True)]
    return all(abs(a[0] - b[0]) <= 2 + a[0] // 100 and abs(a[1] / b[1] - 1) < 0.01 for a, b in pairs)


@contextmanager
def _postgis() -> Iterator[tuple[str, int] | None]:
    from tests.databases import PostgisServer, postgis_binaries

    binaries = postgis_binaries()
    if binaries is None:
        yield None
        return
    server = PostgisServer(binaries)
    try:
        server.start()
        url = server.url("postgres")
        host = url.partition("host=")[2]
        import psycopg

        with psycopg.connect(f"host={host} user=test dbname=postgres", autocommit=True) as connection:
            connection.execute("create extension postgis")
        yield url, int((Path(host) / "d" / "postmaster.pid").read_text().splitlines()[0])
    finally:
        server.stop()


def _measure(url: str, folder: Path, cells: int, most: int, server: int | None) -> dict[str, Ran]:
    from gridsvc.store.database import Database
    from tests.journey.served import served

    db = Database.open(url)
    try:
        db.upgrade()
        tiling = _publish(db, cells)
    finally:
        db.close()
    wanted = _tiles(tiling, most)
    found: dict[str, Ran] = {}
    with served(url, folder) as (address, process):
        port, under = int(address.rpartition(":")[2]), [process.pid, *([] if server is None else [server])]
        cpu = _spent(*under)
        found["first"] = _over_http(port, wanted[:1], cpu)
        found["cold"] = _over_http(port, wanted[1:], cpu)
        found["kept"] = _over_http(port, wanted[1:], cpu)
    if server is not None:
        dsn = url.replace("+psycopg", "")
        _drawn(dsn)
        found["peer"] = _by_postgis(dsn, wanted[1:], _spent(server))
    return found


def _lines(name: str, found: dict[str, Ran]) -> list[str]:
    held = statistics.mean(_features(body)[0] for body in found["cold"].bodies)
    rows = []
    for what, ran in found.items():
        bar = _BARS[name] if what == "cold" else _BARS["kept"] if what == "kept" else None
        told = {"first": "first of all", "cold": "cold", "kept": "kept", "peer": "`ST_AsMVT`, no service"}
        met = "" if bar is None else f"{bar:g}{'' if ran.p50 <= bar else ' **not met**'}"
        rows.append(f"| {name} | {told[what]} | {held:,.0f} | {ran.p50:.1f} | {ran.cpu:.1f} | {met} |")
    return rows


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--cells", type=int, default=100_000)
    parser.add_argument("--tiles", type=int, default=24)
    parser.add_argument("--out", type=Path, default=_ROOT / "docs")
    asked = parser.parse_args(arguments)
    rows, ratio = [], ""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="gridsvc-bench-")))
        embedded = _measure(f"sqlite:///{folder / 'bench.db'}", folder, asked.cells, asked.tiles, None)
        rows += _lines("embedded", embedded)
        server = stack.enter_context(_postgis())
        if server is not None:
            (folder / "pg").mkdir()
            stored = _measure(server[0], folder / "pg", asked.cells, asked.tiles, server[1])
            rows += _lines("PostGIS", stored)
            share = stored["cold"].cpu / stored["peer"].cpu
            same = "same features" if _alike(stored["cold"], stored["peer"]) else "**other features**"
            ratio = (
                f"A cold tile from PostGIS takes {share:.2f} of the CPU of `ST_AsMVT` on the same rows "
                f"kept ready in one table, HTTP and checks of what is in force included ({same})."
            )
    head = "| database | tile | cells | p50 ms | CPU ms | asked, p50 ms |\n|---|---|--:|--:|--:|--:|"
    text = "\n".join([head, *rows])
    about = (
        f"{asked.cells:,} H3 cells with eight columns, a publication of twelve grids, one worker, one "
        "connection; CPU is that of the service and of the database together. The first tile of all also "
        "makes the version's table and reads all outlines."
    )
    print(f"{text}\n\n{ratio}")
    section = f"## Tiles\n\n{circumstances(f'{asked.tiles} tiles')}\n\n{about}\n\n{text}\n\n{ratio}"
    put_section(asked.out / "benchmarks.md", "tiles", section)


if __name__ == "__main__":
    main()
