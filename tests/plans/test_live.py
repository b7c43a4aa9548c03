"""Running sums say what a count of all cells says, whatever was moved."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gridsvc.balance import metrics
from gridsvc.balance.carve import describe_carved
from gridsvc.balance.problem import Problem
from gridsvc.plans.draft import Change, Draft
from gridsvc.plans.figures import Figures, Wanted
from gridsvc.plans.live import Ground, Live, Reach
from gridsvc.plans.plan import Grid
from tests.services.board import board

WIDTH, HEIGHT, MEASURES = 5, 4, ("customers", "potential")
N = WIDTH * HEIGHT
TILING = board(WIDTH, HEIGHT)
RNG = np.random.default_rng(5)
WEIGHTS = np.column_stack([RNG.integers(0, 9, N), RNG.gamma(2.0, 50.0, N)]).astype(np.float64)
AREA = RNG.uniform(5_000, 20_000, N)


def _ground(**changes: Any) -> Ground:
    graph = TILING.adjacency
    given_: dict[str, Any] = {
        "x": TILING.x - TILING.x.mean(),
        "y": TILING.y - TILING.y.mean(),
        "area": AREA,
        "perimeter": TILING.perimeter,
        "weights": WEIGHTS,
        "indptr": graph.indptr,
        "indices": graph.indices,
        "border": graph.length,
        "links": np.zeros((0, 2), np.int64),
    }
    return Ground(**(given_ | changes))


def _problem(k: int) -> Problem:
    graph = TILING.adjacency
    return Problem(
        indptr=graph.indptr,
        indices=graph.indices,
        border=graph.length,
        x=TILING.x,
        y=TILING.y,
        area=AREA,
        perimeter=TILING.perimeter,
        weights=WEIGHTS,
        measures=MEASURES,
        k=k,
        targets=np.tile(WEIGHTS.sum(axis=0) / k, (k, 1)),
        tolerance=np.array([0.3, 0.5]),
    )


def _wanted(targets: np.ndarray, **changes: Any) -> Wanted:
    nothing = np.full(targets.shape, np.nan)
    given_: dict[str, Any] = {
        "measures": MEASURES,
        "tolerance": np.array([0.3, 0.5]),
        "targets": targets,
        "low": nothing,
        "high": nothing,
        "limits": (nothing[0], nothing[0]),
    }
    return Wanted(**(given_ | changes))


changes = st.lists(
    st.tuples(st.lists(st.integers(0, N - 1), unique=True, min_size=1), st.integers(-1, 4)), max_size=6
)
starts = st.lists(st.integers(-1, 4), min_size=N, max_size=N).map(lambda v: np.array(v, np.int32))


def _same(one: Live, other: Live) -> None:
    scale = np.abs(other.sums).max(axis=0)
    np.testing.assert_allclose(one.sums / scale, other.sums / scale, atol=1e-12)
    np.testing.assert_allclose(one.inner, other.inner, atol=1e-6)
    assert (one.cut, one.open) == (other.cut, other.open)
    assert one.pieces.tolist() == other.pieces.tolist()
    assert one.far.tolist() == other.far.tolist()
    assert [sorted(m.tolist()) for m in one.members] == [sorted(m.tolist()) for m in other.members]


@given(starts, changes, st.lists(st.booleans(), min_size=5, max_size=5))
def test_following_changes_comes_to_what_a_fresh_count_gives(
    start: np.ndarray, moves: list, balanced: list[bool]
) -> None:
    ground = _ground(links=np.array([[0, N - 1], [1, 7]]))
    reach = {0: Reach(3, 150.0), 2: Reach(N - 1, 250.0)}
    draft, live = Draft.opened(start, 1), Live.opened(ground, start, balanced, reach)
    for revision, (rows, to) in enumerate(moves, 2):
        change = Change.of(draft.labels, np.array(rows, np.int32), np.full(len(rows), to, np.int32))
        after = draft.changed(change, revision)
        live = live.changed(ground, change, draft.labels, after.labels)
        draft = after
    _same(live, Live.opened(ground, draft.labels, balanced, reach))


@given(starts, changes)
def test_grids_which_come_later_count_like_the_others(start: np.ndarray, moves: list) -> None:
    ground, first = _ground(), np.minimum(start, 2)
    draft, live = Draft.opened(first, 1), Live.opened(ground, first, [True] * 3, {}).grown([True, False])
    for revision, (rows, to) in enumerate(moves, 2):
        change = Change.of(draft.labels, np.array(rows, np.int32), np.full(len(rows), to, np.int32))
        after = draft.changed(change, revision)
        draft, live = after, live.changed(ground, change, draft.labels, after.labels)
    _same(live, Live.opened(ground, draft.labels, [True] * 4 + [False], {}))


@settings(deadline=None, max_examples=60)
@given(st.lists(st.integers(0, 4), min_size=N, max_size=N), st.integers(1, 5))
def test_figures_are_those_of_the_engines_report(labels: list[int], k: int) -> None:
    """Grids 0..k-1 are balanced, the others carve-outs; all have cells."""
    given_ = np.array(labels, np.int32)
    given_[:5] = np.arange(5)
    report = describe_carved(_problem(k), given_)
    live = Live.opened(_ground(), given_, [g < k for g in range(5)], {})
    targets = np.full((5, 2), np.nan)
    targets[:k] = [[entry["targets"][name] for name in MEASURES] for entry in report["grids"]]
    figures = Figures(live, _wanted(targets), np.ones(5, bool))
    for g, entry in enumerate([*report["grids"], *report["carve_outs"]]):
        mine = figures.entry(g, Grid(str(g), ""))
        for name in mine.keys() & entry.keys():
            assert mine[name] == pytest.approx(entry[name], rel=1e-9), (g, name)
        assert ("deviation" in mine) == (g < k)
    overall = figures.overall()
    for name, value in report["overall"].items():
        assert overall[name] == pytest.approx(value, rel=1e-9, abs=1e-9), name
    assert (overall["grids"], overall["empty"]) == (5, 0)


def test_an_empty_grid_is_told_and_one_left_out_is_not() -> None:
    labels = np.zeros(N, np.int32)
    live = Live.opened(_ground(), labels, [True, True], {})
    figures = Figures(live, _wanted(np.ones((2, 2))), np.ones(2, bool))
    empty = figures.entry(1, Grid("b", "B"))
    assert (empty["cells"], empty["pieces"], empty["deviation"]["customers"]) == (0, 0, -1.0)
    assert (empty["shape"], empty["pp"], empty["inside"]) == (1.0, 0.0, False)
    assert figures.overall()["empty"] == 1
    without = Figures(live, _wanted(np.ones((2, 2))), np.array([True, False]))
    assert [entry["code"] for entry in without.entries(enumerate([Grid("a", ""), Grid("b", "")]))] == ["a"]
    assert (without.overall()["grids"], without.overall()["empty"]) == (1, 0)


def test_targets_keep_their_sum_when_grids_come_and_go() -> None:
    wanted = _wanted(np.array([[6.0, 60.0], [3.0, 30.0], [np.nan, np.nan]])).grown(1)
    assert wanted.shared(np.array([True, True, False, False])).tolist() == [[6.0, 60.0], [3.0, 30.0]]
    split = wanted.shared(np.array([True, True, False, True]))
    assert split[:, 0].tolist() == pytest.approx([4.0, 2.0, 3.0])
    assert wanted.shared(np.array([True, False, False, False])).tolist() == [[9.0, 90.0]]


def test_limits_and_reach_decide_what_is_inside() -> None:
    labels = (np.arange(N) >= N // 2).astype(np.int32)
    totals = metrics.totals(labels, WEIGHTS, 2)
    low, high = np.full((2, 2), -np.inf), np.full((2, 2), np.inf)
    high[1, 0] = totals[1, 0] - 0.5

    def inside(reach: dict[int, Reach], **limits: Any) -> list[bool]:
        live = Live.opened(_ground(), labels, [True, True], reach)
        figures = Figures(live, _wanted(totals, **limits), np.ones(2, bool))
        return [figures.entry(g, Grid("", ""))["inside"] for g in (0, 1)]

    assert inside({}) == [True, True]
    assert inside({}, low=low, high=high) == [True, False]
    assert inside({0: Reach(0, 50.0)}) == [False, True]
