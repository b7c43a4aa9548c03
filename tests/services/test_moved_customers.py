"""Owners of customers by random pairs of publications, against one question at a time."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from itertools import pairwise
from types import SimpleNamespace
from typing import Any

import numpy as np
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from gridsvc.ownership.holdings import Holdings
from gridsvc.ownership.publication import Overlay
from gridsvc.ownership.snapshot import Moment, Snapshot
from gridsvc.plans.plan import Grid
from gridsvc.services.moved_customers import customer_changes
from gridsvc.store.changes import Standing
from gridsvc.teams.model import Named, Roster, Team
from gridsvc.tiling.places import Places

WIDTH = 5
NOW = datetime(2026, 1, 1, tzinfo=UTC)
TEAMS = ("t1", "t2", "t3")
PORT = shapely.box(0.5, 0.0, 2.5, 0.5)


@cache
def places(cells: int) -> Places:
    """So many cells of one width side by side, over the same ground."""
    edges = np.linspace(0.0, WIDTH, cells + 1)
    geometry = np.array([shapely.box(w, 0, e, 1) for w, e in pairwise(edges)], object)
    ids = np.array([f"{cells}-{i}" for i in range(cells)], object)
    return Places.of("polygons", None, ids, geometry, shapely.MultiPolygon([shapely.box(0, 0, WIDTH, 1)]))


@dataclass(frozen=True)
class Customer:
    """Known by an import or a message on a tiling of so many cells, or only told to have left."""

    id: str
    cells: int
    x: float | None
    y: float
    there: bool = True

    @property
    def row(self) -> int:
        return -1 if self.x is None else places(self.cells).row(self.x, self.y)


customers = st.builds(
    Customer,
    st.sampled_from("abcdef"),
    st.sampled_from([WIDTH, 3]),
    st.one_of(st.none(), st.floats(-0.5, WIDTH + 0.5)),
    st.floats(0.0, 1.0),
    st.booleans(),
)


def reader(imports: list[list[Customer]], told: list[Customer]) -> Any:
    """The two repositories as the use case sees them; the newest import first."""

    def columns(number: int, _size: int) -> Any:
        kept = [c for c in imports[number] if c.cells == tilings[number]]
        for c in kept:  # a chunk each
            lon = np.array([np.nan if c.x is None else c.x])
            yield [c.id], np.array([c.row], np.int32), lon, np.array([np.nan if c.x is None else c.y])

    tilings = [WIDTH, 3]
    live = [SimpleNamespace(id=i, tiling=str(tilings[i]), behind=0) for i in range(len(imports))]
    states = [
        Standing(c.id, c.there, str(c.cells), c.row, c.x, c.y if c.x is not None else None, {}) for c in told
    ]
    return SimpleNamespace(
        customers=SimpleNamespace(live_imports=lambda _: live, in_chunks=columns),
        changes=SimpleNamespace(standing=lambda *_: states),
    )


def known(imports: list[list[Customer]], told: list[Customer]) -> dict[str, Customer]:
    """What was told goes before imports, a newer import before an older one; none who has left."""
    first: dict[str, Customer] = {}
    for c in [*told, *(c for n, rows in enumerate(imports) for c in rows if c.cells == (WIDTH, 3)[n])]:
        first.setdefault(c.id, c)
    gone = {c.id for c in told if not c.there}
    return {name: c for name, c in first.items() if name not in gone}


@st.composite
def snapshots(draw: st.DrawFn, roster: Roster) -> Snapshot:
    cells = draw(st.sampled_from([WIDTH, 3]))
    grids = tuple(
        Grid(c, f"Grid {c}", draw(st.sampled_from([None, *TEAMS])), draw(st.booleans())) for c in "ABC"
    )
    labels = np.array(draw(st.lists(st.integers(-1, 2), min_size=cells, max_size=cells)), np.int16)
    overlays = draw(
        st.sampled_from([(), (Overlay("P", "Port", "t3", PORT),), (Overlay("P", "Port", None, PORT),)])
    )
    held = Holdings("x", "base", labels, grids, overlays)
    return Snapshot(held, places(cells), str(cells), roster, Moment(1, 1, 1, NOW, None, NOW))


@st.composite
def cases(draw: st.DrawFn) -> Any:
    once = st.lists(customers, max_size=6, unique_by=lambda c: c.id)
    named = tuple(Named(c, "t2", "bank") for c in draw(st.sets(st.sampled_from("abcdef"), max_size=2)))
    fallback = draw(st.sampled_from([None, "t1"]))
    roster = Roster((), (), tuple(Team(t, t) for t in TEAMS), (), fallback, named)
    pair = draw(snapshots(roster)), draw(snapshots(roster))
    return [draw(once), draw(once)][: draw(st.integers(0, 2))], draw(once), *pair


def owners(snapshot: Snapshot, found: dict[str, Customer]) -> dict[str, tuple[Any, ...]]:
    """By the answer which every program gets, one at a time."""

    def owner(c: Customer) -> tuple[Any, ...]:
        row = c.row if str(c.cells) == snapshot.tiling else None
        answer = snapshot.customer(c.id, row, c.x, None if c.x is None else c.y)
        grid = None if answer.rule == "name_list" else (answer.grid or {}).get("code")
        return answer.rule, grid, (answer.team or {}).get("id")

    return {name: owner(c) for name, c in found.items()}


@settings(max_examples=200, deadline=None)
@given(cases())
def test_changes_make_the_owners_by_one_publication_those_by_another(case: Any) -> None:
    imports, told, before, after = case
    copy, later = (owners(side, known(imports, told)) for side in (before, after))
    rows = customer_changes(reader(imports, told), before, after)
    assert [row[0] for row in rows] == sorted(name for name in copy if copy[name] != later[name])
    for name, *both in rows:
        assert copy[str(name)] == tuple(both[:3])
        copy[str(name)] = tuple(both[3:])
    assert copy == later
