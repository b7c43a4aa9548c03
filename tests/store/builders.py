"""Small things to store."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
import shapely

from gridsvc.plans.plan import Grid
from gridsvc.principal import SCOPES, Principal
from gridsvc.store import Database
from gridsvc.store.records import CustomerRows, PlanRecord, PublicationRecord, Territory
from gridsvc.teams.model import Department, Member, Named, Person, Roster, Team
from gridsvc.tiling.tiling import Adjacency, Tiling

ANNA = Principal("anna", SCOPES)
DAY_1 = datetime(2025, 3, 1, tzinfo=UTC)
DAY = timedelta(days=1)
GRIDS = (Grid("G1", "North", "t1"), Grid("G2", "South 南", None, carve_out=True, parent="A"))


class Clock:
    """A clock the test sets."""

    def __init__(self, now: datetime = DAY_1) -> None:
        self.now = now

    def __call__(self) -> datetime:
        return self.now


def territory(slug: str = "elbe", **changes: Any) -> Territory:
    square = shapely.MultiPolygon([shapely.box(0, 0, 3, 1)])
    return Territory(slug, "Elbe 易北", "Europe/Berlin", square, DAY_1, **changes)


def strip(n: int = 3) -> Tiling:
    """`n` unit squares side by side, the last one a multipolygon::

    +---+---+---+
    | 0 | 1 | 2 |
    +---+---+---+
    """
    geometry = np.array([shapely.box(i, 0, i + 1, 1) for i in range(n)], dtype=object)
    geometry[-1] = shapely.MultiPolygon([geometry[-1]])
    left = np.arange(n - 1)
    return Tiling(
        kind="polygons",
        resolution=None,
        ids=np.array([f"c{i:06d}" for i in range(n)], dtype=object),
        geometry=geometry,
        x=np.arange(n) + 0.5,
        y=np.full(n, 0.1),
        area=np.ones(n),
        perimeter=np.full(n, 4.0),
        adjacency=Adjacency.from_pairs(n, left, left + 1, np.ones(n - 1)),
        origin=(n / 2, 0.5),
        columns={"parent": np.array(["A", None, "乙"] * n, dtype=object)[:n], "kwh": np.arange(n) / 3},
    )


def ground(database: Database, tiling: Tiling | None = None) -> str:
    """A territory with a tiling; gives the tiling's id."""
    with database.write(ANNA, "test") as work:
        work.territories.create(territory())
        return work.tilings.add("elbe", tiling or strip(), params={"id_field": "code"}, coverage={"gaps": 0})


def customers(n: int = 4, first: int = 1, cells: int = 3) -> CustomerRows:
    """Customers `first`..; every fourth has no place, and a person must look at it."""
    number = np.arange(first, first + n)
    lost = number % 4 == 0
    return CustomerRows(
        row_no=number,
        id=np.array([f"k{i}" for i in number], dtype=object),
        verdict=np.where(lost, 7, 0).astype(np.int8),
        cell=np.where(lost, -1, number % cells).astype(np.int32),
        lon=np.where(lost, np.nan, number / 7),
        lat=np.where(lost, np.nan, 0.5),
        kept=np.ones(n, bool),
        todo=lost,
        premise=np.array([None if i % 2 else f"p{i}" for i in number], dtype=object),
        values={
            "kwh": np.where(lost, np.nan, number * 1.5),
            "kind": np.array(["居民" if i % 2 else None for i in number], dtype=object),
        },
    )


def roster() -> Roster:
    return Roster(
        departments=(Department("d2", "Marketing"), Department("d1", "Grid 电网", parent="d2", head="p1")),
        people=(Person("p1", "Li", "d1", ("vip", "en"), 1.5, 0.5, 0.5), Person("p2", "Bo", "d2")),
        teams=(Team("t1", "One", 0.5, 0.5, {"customers": 500.0}), Team("t0", "Rest", level="area")),
        members=(Member("t1", "p2", "lead"), Member("t1", "p1", "vip", 0.2, 0.3, acting=True, backup=True)),
        fallback="t0",
        named=(Named("k9", "t0", "银行 bank", DAY_1), Named("k1", "t1", "hospital")),
    )


def draft(database: Database, tiling: str, **changes: Any) -> str:
    with database.write(ANNA, "test") as work:
        return work.plans.create(PlanRecord("elbe", tiling, "first", **changes))


def publication(plan: str, tiling: str, **changes: Any) -> PublicationRecord:
    given: dict[str, Any] = {"effective_at": DAY_1, "checksum": "ab12", "payload": b"\x00\x01\xff"}
    return PublicationRecord("elbe", plan, tiling, **(given | changes))


def same_tiling(a: Tiling, b: Tiling) -> None:
    assert (a.kind, a.resolution, a.origin) == (b.kind, b.resolution, b.origin)
    assert list(a.columns) == list(b.columns)
    arrays = [(getattr(a, name), getattr(b, name)) for name in ("ids", "x", "y", "area", "perimeter")]
    arrays += [(getattr(a.adjacency, n), getattr(b.adjacency, n)) for n in ("indptr", "indices", "length")]
    arrays += [(a.columns[name], b.columns[name]) for name in a.columns]
    for one, other in arrays:
        assert one.dtype == other.dtype
        np.testing.assert_array_equal(one, other)
    assert shapely.equals_identical(a.geometry, b.geometry).all()
