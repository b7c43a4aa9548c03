"""Crosswalks: what goes in comes out, whatever the two tilings are."""

from __future__ import annotations

from collections import Counter
from itertools import pairwise
from typing import Any

import numpy as np
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from gridsvc.plans.crosswalk import Crosswalk, carry, crosswalk
from gridsvc.plans.plan import Grid, Plan
from tests.services.board import SIDE, blocks, board


def squares(cuts: list[float], height: float = 1.0) -> np.ndarray[Any, Any]:
    """Upright strips between neighbouring cuts."""
    edges = sorted(set(cuts))
    return np.array([shapely.box(a, 0, b, height) for a, b in pairwise(edges)], object)


edges = st.lists(st.integers(0, 12), min_size=2, max_size=8, unique=True)


@settings(deadline=None)
@given(edges, edges, st.lists(st.tuples(st.integers(0, 11), st.floats(0.05, 0.95)), max_size=30))
def test_sums_are_kept_and_shares_add_to_one(
    old: list[int], new: list[int], people: list[tuple[int, float]]
) -> None:
    shapes = squares([float(c) for c in old]), squares([float(c) for c in new])
    x = np.array([whole + part for whole, part in people], np.float64)
    rows = [_rows(sorted(cuts), x) for cuts in (old, new)]
    walk = crosswalk(shapes, *rows)
    pairs = {
        (a, b): (heads, area)
        for a, b, heads, area in zip(walk.old, walk.new, walk.customers, walk.area, strict=True)
    }
    assert len(pairs) == len(walk.old)
    counted = Counter(zip(rows[0].tolist(), rows[1].tolist(), strict=True))
    counted.pop((-1, -1), None)
    assert {pair: n for pair, (n, _) in pairs.items() if n} == counted
    for pair, (_, area) in pairs.items():
        shared = 0.0 if -1 in pair else shapely.intersection(shapes[0][pair[0]], shapes[1][pair[1]]).area
        assert abs(area - shared) < 1e-9
    for cell in set(walk.old[walk.old >= 0].tolist()):
        assert abs(walk.share[walk.old == cell].sum() - 1) < 1e-12


def _rows(cuts: list[int], x: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    at = np.searchsorted(cuts, x, side="right") - 1
    return np.where((at >= 0) & (at < len(cuts) - 1), at, -1)


def test_cells_go_with_their_customers_then_their_ground_then_their_neighbours() -> None:
    """Old strips a b | new cells 0..3 of a row, of which b's people make 1 theirs and nobody touches 3."""
    tiling = board(4, 1)
    plan = Plan(np.array([0, 1, 2], np.int32), (Grid("a", "A", "t"), Grid("b", "B"), Grid("c", "C")))
    old, new = np.array([0, 0, 1, 1, 2]), np.array([0, 1, 1, 1, 0])
    walk = Crosswalk(
        *(np.append(old, 1), np.append(new, 2)),
        *(np.array([5.0, 1, 2, 3, 1, 0]), np.array([1.0, 9, 1, 1, 0, 4])),
        np.zeros(6),
    )
    carried, by, empty = carry(plan, walk, tiling)
    assert [carried.grids[label].code for label in carried.labels] == ["a", "b", "b", "b"]
    assert by.by.tolist() == [1, 1, 2, 3]
    assert list(empty) == ["c"]
    assert carried.grids[0].team == "t"


def test_what_no_grid_has_counts_against_a_grids_share() -> None:
    plan = Plan(np.array([0, -1], np.int32), (Grid("a", "A"),))
    walk = Crosswalk(
        np.array([0, 1]), np.array([0, 0]), np.array([3.0, 1.0]), np.array([1.0, 1.0]), np.zeros(2)
    )
    _, by, _ = carry(plan, walk, board(1, 1))
    assert by.share.tolist() == [0.75]


def test_a_plan_on_the_same_cells_is_the_same_plan() -> None:
    tiling = board(6, 4)
    plan = blocks(6, 4, 3, 1)
    cells = shapely.transform(tiling.geometry, lambda c: c * (111_320 * SIDE / 100))
    walk = crosswalk((cells, cells.copy()), np.arange(24), np.arange(24))
    carried, _, empty = carry(plan, walk, tiling)
    assert (carried.labels.tolist(), carried.grids, list(empty)) == (plan.labels.tolist(), plan.grids, [])
