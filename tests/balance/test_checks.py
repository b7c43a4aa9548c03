"""What cannot be meant is refused before anything is solved, with its place and its cure."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gridsvc.balance.checks import require
from gridsvc.balance.engine import solve
from gridsvc.balance.problem import Past, Pins
from gridsvc.errors import InvalidInput

INF, NAN = float("inf"), float("nan")


@pytest.fixture
def strip(draw):
    """Six cells in a row for three grids: a total of 6, a target of 2 each."""
    return draw("111111", k=3)


def locks(*grids):
    return np.array(grids, np.int32)


def pins(*cells, radius=INF, pull=0.0):
    return Pins(np.array(cells, np.int64), np.full(len(cells), radius), pull)


def past(**more):
    fields = {"home": locks(0, 0, 1, 1, 2, 2), "load": np.ones(6), "cost": np.ones(6)} | more
    return Past(**fields)


def column(*values):
    return np.array([values], float).T


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"weights": column(1, -1, 1, 1, 1, 1)}, r"row 2, m0: -1.0 is not a quantity; give a number of 0 or"),
        ({"weights": column(1, 1, NAN, 1, 1, 1)}, r"row 3, m0: nan is not a quantity"),
        ({"weights": column(INF, 1, 1, 1, 1, 1)}, r"row 1, m0: inf is not a quantity"),
        ({"weights": np.ones((6, 2))}, r"measures: the measures are not 6 x 1 numbers; give one"),
        ({"x": np.array([0, 1, 2, NAN, 4, 5])}, r"row 4, x, y: the cell has no place; give two numbers"),
        ({"y": np.zeros(5)}, r"y: y is given for 5 of 6 cells; give one number"),
        ({"area": np.array([1, 1, -1, 1, 1, 1.0])}, r"row 3, area: -1.0 is not a number of 0 or more; give"),
        ({"perimeter": np.full(6, NAN)}, r"row 1, perimeter: nan is not a number"),
        ({"compactness": 101.0}, r"compactness: 101.0 is no compactness; give 0"),
        ({"objective": "round"}, r"objective: 'round' is no objective; balanced, inertia or cut"),
        ({"islands": "sink"}, r"islands: 'sink' is no islands; keep or attach"),
        ({"sweeps": 0}, r"sweeps: 0 is no sweeps; give 1 or more"),
        ({"time_limit": NAN}, r"time_limit: nan is no time_limit; give seconds"),
        ({"targets": np.ones((2, 1))}, r"targets: .* not one number for each grid and measure; give 3 x 1"),
        ({"targets": column(2, -2, 2)}, r"row 2, targets: -2.0 is not a number for m0 of grid 2; give 3 x 1"),
        ({"targets": column(2, 2, INF)}, r"row 3, targets: inf is not a number for m0 of grid 3"),
        (
            {"tolerance": np.array([0.1, 0.1])},
            r"tolerance: there is not one tolerance for each measure; write",
        ),
        ({"tolerance": np.array([-0.1])}, r"tolerance: -0.1 is not a number of 0 or more for m0; write 5%"),
        ({"importance": np.array([NAN])}, r"importance: nan is not a number of 0 or more for m0; give 1"),
        ({"importance": np.ones((3, 1))}, r"importance: there is not one importance for each measure"),
        ({"low": column(0, NAN, 0)}, r"row 2, low: nan is not a number for m0 of grid 2"),
        ({"low": np.zeros(3)}, r"low: the low are not one number for each grid and measure"),
        ({"low": column(0, 0, 6.5)}, r"row 3, low: grid 3 .* least 6.5 of m0 .* territory has 6; .* most 6"),
        ({"high": column(1, 1, -1)}, r"row 3, high: -1.0 is not a number for m0 of grid 3"),
        ({"high": column(1, 3, 3)}, r"row 1, high: grid 1 .* target less tolerance, 1.9 and at most 1 of"),
        ({"low": column(0, 3, 0), "high": column(2, 2, 2)}, r"row 2, low: grid 2 .* least 3 and at most 2"),
        ({"parent": locks(0, 0)}, r"parent: parents are given for 2 of 6 cells; give one"),
        ({"anchor": locks(0, -1)}, r"locks: locks are given for 2 of 6 cells"),
        (
            {"anchor": locks(0, -1, 3, -1, -1, -1)},
            r"row 3, locks: .* grid 4 but there are 3 grids; .* 1 to 3",
        ),
        ({"anchor": locks(0, -2, 1, -1, -1, -1)}, r"row 2, locks: .* grid -1 but there are 3 grids"),
        ({"pins": pins(0, 1)}, r"seeds: there is not one seed and one radius for each grid; give 3 cells"),
        ({"pins": pins(0, 6, -1)}, r"row 2, seeds: the seed of grid 2 is in cell 7 of 6; place the seed"),
        ({"pins": pins(0, -1, -1, radius=-5)}, r"row 1, radius: -5 is not a radius .* grid 1; give metres"),
        ({"pins": pins(0, -1, -1, pull=NAN)}, r"pull: nan is not a pull; give"),
        (
            {"pins": pins(4, -1, 4)},
            r"row 3, seeds: the seeds of grids 1 and 3 lie in one cell \(row 5\); keep",
        ),
        (
            {"pins": pins(-1, 2, -1), "anchor": locks(-1, -1, 0, -1, -1, -1)},
            r"row 2, seeds: the seed of grid 2 .* \(row 3\) which is locked to grid 1; take the lock away",
        ),
        (
            {"anchor": locks(1, -1, -1, 1, -1, -1), "parent": locks(7, 7, 7, 8, 8, 8)},
            r"row 4, locks: .* hold grid 2 in 2 parents: parent 7 \(row 1\), parent 8 \(row 4\); a grid",
        ),
        (
            {
                "anchor": locks(1, -1, -1, -1, -1, -1),
                "pins": pins(-1, 5, -1),
                "parent": locks(7, 7, 7, 8, 8, 8),
            },
            r"row 6, locks: locks and seeds hold grid 2 in 2 parents",
        ),
        (
            {"anchor": locks(0, -1, 1, -1, 0, 0)},
            r"row 5, locks: .*grid 1 \(row 1; rows 5 and 6\) cannot be joined: .* grid\(s\) 2 stand between",
        ),
        ({"past": past(home=locks(0, 0, 1, 1, 2, 3))}, r"row 6, home: 3 is not a grid or -1; give a grid"),
        ({"past": past(load=np.ones(5))}, r"load: load is given for 5 of 6 cells"),
        ({"past": past(cost=np.array([1, NAN, 1, 1, 1, 1]))}, r"row 2, cost: nan is not a number of 0 or"),
        ({"past": past(most=-1.0)}, r"max_disruption: the allowance .* write 10%"),
        (
            {"start": locks(0, 0, 1, 1, 0, 2)},
            r"start: the plan to start from is not valid: .*in 2 pieces; give",
        ),
        ({"start": locks(0, 0, 0, 1, 1, 1)}, r"start: .* not valid: grid 3 has no cells"),
        (
            {"start": locks(0, 0, 1, 1, 2, 2), "anchor": locks(-1, 1, -1, -1, -1, -1)},
            r"row 2, start: .* contradicts 1 lock\(s\) or seed\(s\): row 2 is in grid 1, not 2; change",
        ),
        (
            {"start": locks(0, 0, 1, 1, 2, 2), "pins": pins(-1, -1, 0)},
            r"row 1, start: .*: row 1 is in grid 1, not 3",
        ),
    ],
)
def test_each_fault_is_named_with_its_place_and_cure(strip, changed, said):
    problem = replace(strip, **changed)
    with pytest.raises(InvalidInput, match=said) as caught:
        require(problem)
    assert caught.value.field and caught.value.cure
    with pytest.raises(InvalidInput):
        solve(problem)


@pytest.mark.parametrize(
    "changed",
    [
        {
            "low": column(5, 5, 5),
            "high": column(6, 6, 6),
        },  # more than there is, but each alone could be had: the explanation tells
        {"low": column(0, 0, 0), "high": column(1, 1, 1)},
        {"low": column(-INF, 0, 6), "high": column(INF, INF, INF)},
        {"tolerance": np.array([0.0])},
        {"pins": pins(0, -1, 5, radius=0.0, pull=2.0)},
        {"anchor": locks(0, 0, 0, -1, 1, -1)},
        {"anchor": locks(0, -1, 0, 1, -1, 2), "pins": pins(0, 3, -1)},
        {"start": locks(0, 0, 1, 1, 2, 2), "anchor": locks(0, -1, -1, -1, -1, 2)},
        {"past": past(home=locks(-1, 0, 1, 1, 2, 2))},
        {"importance": np.array([0.0])},
    ],
)
def test_what_can_be_meant_passes(strip, changed):
    require(replace(strip, **changed))


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"indptr": np.array([0, 1, 2], np.int64)}, r"adjacency does not tell the neighbours of each cell"),
        ({"border": np.ones(9)}, r"another number of borders than of neighbours"),
        ({"border": np.array([1, 1, 1, -2, 1, 1, 1, 1, 1, 1.0])}, r"row 3, adjacency: .* border of -2.0 m"),
        ({"indices": locks(1, 0, 2, 1, 3, 2, 4, 3, 5, 6)}, r"row 6, adjacency: .* names cell 7 of 6"),
        ({"indices": locks(1, 0, 2, 1, 3, 2, 4, 3, 5, 5)}, r"row 6, adjacency: .* cell beside itself"),
        ({"indices": locks(1, 0, 2, 1, 3, 2, 4, 3, 5, 0)}, r"joins rows \d and \d from one side only"),
    ],
)
def test_an_adjacency_which_is_no_graph_is_refused(strip, changed, said):
    with pytest.raises(InvalidInput, match=said):
        solve(replace(strip, **changed))


def test_locks_in_parts_which_do_not_touch_need_a_link(draw):
    problem = replace(draw("11.11", k=2), anchor=locks(0, -1, -1, 0))
    with pytest.raises(
        InvalidInput, match=r"row 4, locks: .* grid 1 in 2 parts .* row 1 and row 4; .*attach"
    ):
        require(problem)
    require(replace(problem, islands="attach"))


def test_a_start_over_a_link_is_valid_when_islands_are_attached(draw):
    problem = replace(draw("11.11", k=2, islands="attach"), start=locks(0, 1, 1, 1))
    require(problem)
    with pytest.raises(InvalidInput, match="not valid"):
        require(replace(problem, islands="keep"))


def test_a_parent_in_pieces_which_needs_more_grids_is_named(draw):
    problem = draw("1111", k=3, parent=locks(4, 9, 9, 4))
    solve(problem)
    with pytest.raises(
        InvalidInput, match=r"2 parents need 3; parent 4 in 2 parts .*at least 3 grids, or link .* at least 2"
    ):
        solve(replace(problem, k=2, targets=np.full((2, 1), 2.0)))


def joinable_by_hand(problem, grid):
    """Whether a search from one locked cell, through free cells and the grid's own, meets all the others."""
    mine = np.flatnonzero(problem.anchor == grid)
    seen, queue = {int(mine[0])}, [int(mine[0])]
    while queue:
        cell = queue.pop()
        for near in problem.indices[problem.indptr[cell] : problem.indptr[cell + 1]].tolist():
            if near not in seen and problem.anchor[near] in (-1, grid):
                seen.add(near)
                queue.append(near)
    return set(mine.tolist()) <= seen


@settings(deadline=None, max_examples=150)
@given(seed=st.integers(0, 10_000), n=st.integers(5, 60), k=st.integers(2, 5), share=st.floats(0.05, 0.8))
def test_locks_are_refused_exactly_when_a_search_cannot_join_them(make_planar, seed, n, k, share):
    problem = make_planar(seed, n, k, dropped=0.1)
    rng = np.random.default_rng(seed)
    anchor = np.where(rng.random(n) < share, (problem.x * k / 1001).astype(int), -1).astype(np.int32)
    anchor[rng.integers(0, n, 2)] = 0
    problem = replace(problem, anchor=anchor)
    apart = [g for g in np.unique(anchor[anchor >= 0]).tolist() if not joinable_by_hand(problem, g)]
    if not apart:
        require(problem)
        return
    with pytest.raises(InvalidInput) as caught:
        require(problem)
    assert caught.value.details["grid"] - 1 in apart
    ours, theirs = caught.value.details["rows"][:2]
    assert (anchor[np.array(ours + theirs) - 1] == caught.value.details["grid"] - 1).all()


def test_checking_does_not_load_the_compiler():
    code = (
        "import sys, gridsvc.balance.checks, gridsvc.balance.engine, gridsvc.balance.seeds;"
        "sys.exit('numba' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
