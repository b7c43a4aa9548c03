"""Small published worlds for lookups, with customers whose ids are as odd as ids may be."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import h3.api.basic_int as h3
import numpy as np
import shapely

from gridsvc.principal import SYSTEM
from gridsvc.services import rosters
from gridsvc.store import Database
from gridsvc.store.records import CustomerRows
from gridsvc.store.staging import staging
from gridsvc.teams.model import Named
from tests.ownership.worlds import ROSTER, World, disk, hexes, put
from tests.ownership.worlds import patches as polygons
from tests.services.board import ANNA

HEXES = disk(116.4, 39.9, 9, 6)
CELLS = ["a/1", "a/", "区.2", "b c", "x%2Fy", "..", "c?d", 'q"r', "a\\b", "\U0001f600", "plain"]
CUSTOMERS = [
    "7",
    "007",
    "a/7",
    "客户.7",
    "k 7",
    "k+7",
    "k%7",
    "k?7",
    "7/",
    ".",
    "..",
    "named",
    "lost",
    "x" * 300,
]


def plain() -> World:
    """Hexagons without overlays, so that customers are found by their cell alone."""
    return hexes("city", HEXES, [shapely.box(116.30, 39.85, 116.50, 39.95)])


def overlaid() -> World:
    over = shapely.Point(116.4, 39.9).buffer(0.004)
    return hexes("estates", HEXES, [shapely.box(116.30, 39.85, 116.50, 39.95)], [over])


def parcels() -> World:
    """Polygons whose ids are as odd as ids from a file may be."""
    squares = np.array([shapely.box(i, 0, i + 1, 1) for i in range(len(CELLS))], object)
    made = polygons("parcels", squares)
    ids = np.array(CELLS, object)
    order = np.argsort(ids)
    return replace(made, publication=replace(made.publication, ids=ids[order]), geometry=squares[order])


def put_customers(database: Database, world: World) -> None:
    """`CUSTOMERS` on the first cells; `lost` has no place, `named` is on the name list."""
    with database.read(SYSTEM) as reader:
        tiling = reader.publications.newest(world.name, "base").tiling  # type: ignore[union-attr]
    n = len(CUSTOMERS)
    centres = shapely.centroid(world.tiling.geometry[: n % len(world.tiling)])
    lon, lat = (np.resize(axis(centres), n) for axis in (shapely.get_x, shapely.get_y))
    cell = np.resize(np.arange(len(centres)), n).astype(np.int32)
    cell[CUSTOMERS.index("lost")] = -1
    ids, none = np.array(CUSTOMERS, object), np.full(n, None, object)
    kept = np.ones(n, bool)
    rows = CustomerRows(np.arange(n) + 1, ids, np.zeros(n, np.int8), cell, lon, lat, kept, ~kept, none, {})
    with staging(database, ANNA, world.name, tiling, source="c.csv", params={}) as stage:
        stage.add(rows)
        with database.write(ANNA, "customers.import") as work:
            work.customers.flip(stage.import_id, {"read": n})
    roster = replace(ROSTER, named=(Named("named", "t1", "bank"),))
    rosters.put(
        database,
        ANNA,
        world.name,
        roster,
        valid_from=datetime.now(UTC) - timedelta(hours=1),
        reason="from the start",
    )


COARSE = h3.latlng_to_cell(30.0, 100.0, 4)


def many() -> World:
    """More cells in one coarse cell than an answer names."""
    lat, lon = h3.cell_to_latlng(COARSE)
    return hexes("many", disk(lon, lat, 9, 62), [shapely.box(lon - 1, lat - 1, lon + 1, lat + 1)])


def put_all(url: str, *published: World) -> None:
    """Publish worlds, each with the customers."""
    database = Database.open(url)
    for world in published:
        put(database, world)
        put_customers(database, world)
    database.close()
