"""Two plans side by side: nothing is lost between them, and the way back is the mirror of the way there."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gridsvc.balance import metrics
from gridsvc.balance.problem import Problem
from gridsvc.plans.compare import Comparison, Ground, Sides, compare
from gridsvc.plans.plan import Grid, Plan
from gridsvc.plans.summary import grid_shapes, grid_totals

CODES = ["A", "B", "C", "D"]


def ground(n: int) -> Ground:
    return Ground(np.arange(n, dtype=float), np.arange(n) % 3.0, np.full(n, 2.0))


@st.composite
def plans(draw: st.DrawFn, n: int) -> Plan:
    codes = draw(st.lists(st.sampled_from(CODES), min_size=1, unique=True))
    teams = draw(st.lists(st.sampled_from([None, "t1", "t2"]), min_size=len(codes), max_size=len(codes)))
    labels = draw(st.lists(st.integers(-1, len(codes) - 1), min_size=n, max_size=n))
    grids = tuple(Grid(code, f"grid {code}", team) for code, team in zip(codes, teams, strict=True))
    return Plan(np.array(labels, np.int32), grids)


@st.composite
def pairs(draw: st.DrawFn) -> tuple[Plan, Plan, dict[str, np.ndarray]]:
    n = draw(st.integers(1, 12))
    load = st.lists(st.integers(0, 1000), min_size=n, max_size=n).map(lambda v: np.array(v, float))
    return draw(plans(n)), draw(plans(n)), {"customers": draw(load), "kwh": draw(load)}


def seen(a: Plan, b: Plan, amounts: dict[str, np.ndarray]) -> Comparison:
    return compare(a, b, amounts, ground(len(a.labels)))


@given(pairs())
def test_what_a_grid_has_is_what_it_had_and_got_less_what_it_gave(pair) -> None:
    before, after, amounts = pair
    found = seen(before, after, amounts)
    for change in found.grids:
        for name, sides in change.values.items():
            came = sum(f.amounts.values[name] for f in found.grid_flows if f.target == change.code)
            went = sum(f.amounts.values[name] for f in found.grid_flows if f.source == change.code)
            assert sides.after == sides.before + came - went
        came = sum(f.amounts.cells for f in found.grid_flows if f.target == change.code)
        went = sum(f.amounts.cells for f in found.grid_flows if f.source == change.code)
        assert (change.cells.after or 0) == (change.cells.before or 0) + came - went


@given(pairs())
def test_totals_are_those_of_the_plans(pair) -> None:
    before, after, amounts = pair
    found = seen(before, after, amounts)
    for plan, side in ((before, "before"), (after, "after")):
        totals = grid_totals(plan, amounts)
        for at, grid in enumerate(plan.grids):
            change = next(c for c in found.grids if c.code == grid.code)
            assert getattr(change, side) == grid
            assert all(getattr(change.values[name], side) == totals[name][at] for name in amounts)


@given(pairs())
def test_flows_add_up_to_what_moved(pair) -> None:
    found = seen(*pair)
    for flows, whole in ((found.grid_flows, found.moved), (found.team_flows, found.handed_over)):
        assert sum(flow.amounts.cells for flow in flows) == whole.cells
        for name, value in whole.values.items():
            assert sum(flow.amounts.values[name] for flow in flows) == value
        assert all(flow.source != flow.target for flow in flows)
        ends = [(flow.source, flow.target) for flow in flows]
        assert len(set(ends)) == len(ends)
    assert len(found.rows) == found.moved.cells


@given(pairs())
def test_each_moved_cell_is_listed_and_no_other(pair) -> None:
    before, after, amounts = pair
    old = [before.grids[label].code if label >= 0 else None for label in before.labels]
    new = [after.grids[label].code if label >= 0 else None for label in after.labels]
    moved = [row for row in range(len(old)) if old[row] != new[row]]
    assert seen(before, after, amounts).rows.tolist() == moved


@given(pairs())
def test_the_way_back_is_the_mirror_of_the_way_there(pair) -> None:
    before, after, amounts = pair
    there, back = seen(before, after, amounts), seen(after, before, amounts)
    for a, b in ((there.grid_flows, back.grid_flows), (there.team_flows, back.team_flows)):
        assert {(f.source, f.target): f.amounts for f in a} == {(f.target, f.source): f.amounts for f in b}
    assert there.moved == back.moved
    for a, b in zip(there.grids, back.grids, strict=True):
        assert (a.code, a.before, a.after, a.cells) == (b.code, b.after, b.before, mirrored(b.cells))
        assert a.values == {name: mirrored(sides) for name, sides in b.values.items()}
        assert a.shape == mirrored(b.shape)


def mirrored(sides: Sides) -> Sides:
    return Sides(sides.after, sides.before)


@given(st.integers(1, 12).flatmap(plans))
def test_a_plan_beside_itself_shows_nothing(plan: Plan) -> None:
    found = seen(plan, plan, {"customers": np.ones(len(plan.labels))})
    assert found.moved.cells == found.handed_over.cells == 0
    assert found.grid_flows == found.team_flows == ()
    assert all(change.cells.before == change.cells.after for change in found.grids)


def test_grids_are_the_same_by_code_and_not_by_place() -> None:
    a = Plan(np.array([0, 1], np.int32), (Grid("A", ""), Grid("B", "")))
    b = Plan(np.array([1, 0], np.int32), (Grid("B", "renamed"), Grid("A", "")))
    assert seen(a, b, {}).moved.cells == 0


def test_a_grid_may_change_its_team_as_a_whole() -> None:
    a = Plan(np.zeros(3, np.int32), (Grid("A", "", "t1"),))
    b = Plan(np.zeros(3, np.int32), (Grid("A", "", "t2"),))
    found = seen(a, b, {"customers": np.array([1.0, 2.0, 3.0])})
    assert found.moved.cells == 0
    (flow,) = found.team_flows
    assert (flow.source, flow.target, flow.amounts.values) == ("t1", "t2", {"customers": 6.0})


def test_the_largest_flow_comes_first() -> None:
    grids = tuple(Grid(code, "") for code in CODES)
    a = Plan(np.array([0, 0, 0], np.int32), grids)
    b = Plan(np.array([1, 2, 3], np.int32), grids)
    found = seen(a, b, {"customers": np.array([5.0, 9.0, 1.0])})
    assert [flow.target for flow in found.grid_flows] == ["C", "B", "D"]


def test_a_grid_deviates_from_the_target_of_its_side() -> None:
    a = Plan(np.array([0, 0], np.int32), (Grid("A", ""),))
    b = Plan(np.array([0, 1], np.int32), (Grid("A", ""), Grid("B", "")))
    targets = ({"A": {"kwh": 8.0}}, {"A": {"kwh": 4.0}, "B": {"kwh": 0.0}})
    found = compare(a, b, {"kwh": np.array([5.0, 5.0])}, ground(2), targets)
    assert found.grids[0].deviation["kwh"] == Sides(0.25, 0.25)
    assert found.grids[1].deviation["kwh"] == Sides(None, None)


@given(st.integers(2, 12).flatmap(plans))
def test_shapes_are_those_of_the_engine(plan: Plan) -> None:
    n, k = len(plan.labels), len(plan.grids)
    found = ground(n)
    plan = Plan(np.where(plan.labels < 0, 0, plan.labels).astype(np.int32), plan.grids)
    shapes = grid_shapes(plan, found.x, found.y, found.area)
    nothing = np.zeros(0)
    problem = Problem(
        *(np.zeros(n + 1, np.int64), np.zeros(0, np.int32), nothing, found.x, found.y, found.area),
        *(np.ones(n), np.ones((n, 1)), ("m",), 1, np.ones((1, 1)), np.ones(1)),
    )
    there = np.bincount(plan.labels, minlength=k) > 0
    assert shapes[there] == pytest.approx(metrics.shapes(problem, plan.labels, k)[there])
    assert np.isnan(shapes[~there]).all()
