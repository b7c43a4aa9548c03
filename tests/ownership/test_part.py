"""Who sees a part of a territory is told of it what all are told, and of the rest that it is not there."""

from __future__ import annotations

from datetime import UTC, datetime
from itertools import pairwise

import h3
import numpy as np
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from gridsvc.ownership.cells import owner_of_cell
from gridsvc.ownership.holdings import Holdings
from gridsvc.ownership.nearest import nearest_grid
from gridsvc.ownership.part import Part, grids_within, part_of, within
from gridsvc.ownership.publication import Overlay
from gridsvc.ownership.residents import residents_of_grid
from gridsvc.ownership.snapshot import Moment, Snapshot
from gridsvc.plans.levels import parents_of
from gridsvc.plans.plan import Grid, Plan
from gridsvc.teams.model import Department, Member, Named, Person, Roster, Team
from gridsvc.tiling.h3tiles import tile_h3
from gridsvc.tiling.places import Places

BOX = shapely.MultiPolygon([shapely.box(112.9, 28.6, 113.0, 28.7)])
TILING = tile_h3(BOX, 8)
N = len(TILING)
TEAMS = tuple(Team(f"t{i}", f"Team {i}") for i in range(4))
ROSTER = Roster(
    (Department("m", "M"),),
    tuple(Person(f"p{i}", f"Person {i}", "m") for i in range(4)),
    TEAMS,
    tuple(Member(f"t{i}", f"p{i}", "lead") for i in range(4)),
    fallback="t0",
    named=(Named("vip", "t3", "a bank"),),
)


def held(labels: NDArray[np.int32], codes: list[str], overlays: tuple[Overlay, ...] = ()) -> Holdings:
    grids = tuple(Grid(code, f"Grid {code}", f"t{i % 4}") for i, code in enumerate(codes))
    return Holdings("t", "base", labels.astype(np.int16), grids, overlays)


def plan(found: Holdings) -> Plan:
    return Plan(found.labels.astype(np.int32), found.grids)


# Areas A and B west and east; grids a, b in A and c, d in B; some cells of B are in no grid.
ORDER = np.argsort(np.argsort(TILING.x, kind="stable"), kind="stable")
AREAS = held(ORDER * 2 // N, ["A", "B"])
GRIDS = held(np.where(ORDER * 4 // N == 3, -1, ORDER * 4 // N), ["a", "b", "c"])
PLACES = Places.of("h3", 8, TILING.ids, None, BOX)


def whole(overlays: tuple[Overlay, ...] = ()) -> Snapshot:
    moment = Moment(3, 2, 9, datetime(2026, 11, 1, tzinfo=UTC))
    return Snapshot(held(GRIDS.labels, ["a", "b", "c"], overlays), PLACES, "til", ROSTER, moment)


def part(code: str = "A", overlays: tuple[Overlay, ...] = ()) -> Part:
    return part_of(whole(overlays), [("area", AREAS)], {code})


# --- which grids


def nested(seed: int) -> tuple[list[Holdings], set[str]]:
    """Up to four levels, each dividing the one above, on up to 60 cells; and codes of some upper grids."""
    rng = np.random.default_rng(seed)
    n, lowest = rng.integers(1, 61), int(rng.integers(1, 13))
    chain = [held(rng.integers(-1, lowest, n), [f"0-{i}" for i in range(lowest)])]
    for level in range(1, rng.integers(2, 5)):
        # Each grid lies in one of the level above, and cells without grid are in none of them.
        above = rng.integers(0, 4, len(chain[0].grids))
        up = np.where(chain[0].labels >= 0, above[chain[0].labels], -1)
        chain.insert(0, held(up, [f"{level}-{i}" for i in range(4)]))
    codes = [grid.code for upper in chain[:-1] for grid in upper.grids]
    return chain, set(rng.choice(codes, rng.integers(0, 5)).tolist())


@given(st.integers(0, 2**63))
@settings(max_examples=300, deadline=None)
def test_a_grid_is_seen_where_a_walk_up_its_parents_meets_a_branch(seed: int) -> None:
    chain, codes = nested(seed)
    lowest = chain[-1]
    parents: dict[str, str | None] = {}
    for upper, lower in pairwise(chain):
        above = parents_of(plan(lower), plan(upper))
        parents |= {grid.code: up for grid, up in zip(lower.grids, above, strict=True)}

    def walk(code: str | None) -> bool:
        while code is not None:
            code = parents.get(code)
            if code in codes:
                return True
        return False

    uppers = [(f"level{i}", upper) for i, upper in enumerate(chain[:-1])]
    seen = grids_within(lowest, within(uppers, codes, len(lowest.labels)))
    assert seen.tolist() == [walk(grid.code) for grid in lowest.grids]


def test_a_code_of_several_levels_names_no_grid_until_its_level_is_said() -> None:
    labels = np.array([0, 0, 1, 1])
    uppers = [("area", held(labels, ["01", "02"])), ("main", held(np.arange(4), ["01", "02", "03", "04"]))]
    seen = [within(uppers, {code}, 4).tolist() for code in ("01", "area:01", "main:01", "03")]
    assert seen == [
        [False] * 4,
        [True, True, False, False],
        [True, False, False, False],
        [False, False, True, False],
    ]


def test_a_grid_which_lies_across_is_not_seen() -> None:
    lower, upper = held(np.array([0, 0, 1, 1]), ["x", "y"]), held(np.array([0, 1, 1, 1]), ["A", "B"])
    assert grids_within(lower, within([("area", upper)], {"B"}, 4)).tolist() == [False, True]
    assert grids_within(lower, within([("area", upper)], {"A"}, 4)).tolist() == [False, False]


# --- what is told


def test_each_cell_is_answered_as_ever_or_lies_outside() -> None:
    full, mine = whole(), part()
    nobody = owner_of_cell(mine, h3.latlng_to_cell(0, 0, 8)).as_dict()
    for row, name in enumerate(PLACES.table()):
        told = owner_of_cell(mine, name).as_dict()
        assert told == (owner_of_cell(full, name).as_dict() if GRIDS.labels[row] in (0, 1) else nobody)


@given(st.floats(112.8, 113.1), st.floats(28.5, 28.8))
@settings(deadline=None)
def test_each_point_is_answered_as_ever_or_lies_outside(lon: float, lat: float) -> None:
    full, mine, batch = (
        whole().point(lon, lat),
        part().point(lon, lat),
        part().batch(*np.array([[lon], [lat]])),
    )
    seen = full.grid is not None and full.grid["code"] in ("a", "b")
    if seen:
        assert mine == full
    else:
        assert mine.as_dict() == part().point(0.0, 0.0).as_dict()
    assert (batch.status[0], batch.grid[0]) == (mine.status, (mine.grid or {"code": None})["code"])
    assert batch.cell[0] == mine.cell


def test_a_coarser_cell_names_the_cells_of_the_part_only() -> None:
    coarse = h3.latlng_to_cell(28.65, 112.95, 6)
    told = owner_of_cell(part(), coarse).cells or ()
    rows = [PLACES.find(cell["cell"]) for cell in told]
    assert rows
    assert set(GRIDS.labels[rows].tolist()) <= {0, 1}
    assert len(rows) < len(owner_of_cell(whole(), coarse).cells or ())


def test_customers_elsewhere_are_unknown_also_by_name() -> None:
    mine, here, there = part(), int(np.argmax(GRIDS.labels == 0)), int(np.argmax(GRIDS.labels == 2))
    unknown = mine.customer("nobody", -1, known=False)
    assert mine.customer("k", here) == whole().customer("k", here)
    assert mine.customer("vip", here) == whole().customer("vip", here)
    for customer, row in (("k", there), ("vip", there), ("k", -1), ("vip", -1), ("k", None)):
        assert mine.customer(customer, row) == unknown


def test_grids_elsewhere_have_no_codes_names_or_teams() -> None:
    mine = part("B")
    assert [grid.code for grid in mine.holdings.grids] == ["c"]
    assert residents_of_grid(mine, "a") is residents_of_grid(mine, "none") is None
    found = residents_of_grid(mine, "c")
    assert found is not None
    assert (GRIDS.labels[found.rows] == 2).all()
    near = nearest_grid(mine, 112.8, 28.65)
    assert near is None or near[0] == "c"


def test_a_carve_out_is_seen_where_it_lies_on_ground_of_the_part() -> None:
    west = Overlay("W", "Works", "t1", shapely.box(112.905, 28.64, 112.91, 28.65))
    east = Overlay("E", "East works", "t2", shapely.box(112.99, 28.64, 112.995, 28.65))
    mine = part("A", (west, east))
    assert [over.code for over in mine.holdings.overlays] == ["W"]
    assert mine.point(112.907, 28.645) == whole((west, east)).point(112.907, 28.645)
    assert mine.point(112.992, 28.645).status == "outside"


def test_what_is_worked_out_for_a_publication_is_kept() -> None:
    full = whole()
    first, again = (part_of(full, [("area", AREAS)], {"A"}) for _ in range(2))
    assert first.holdings is again.holdings
    assert first.places is again.places
    assert part_of(full, [("area", AREAS)], {"B"}).holdings is not first.holdings
