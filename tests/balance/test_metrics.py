"""Figures of a plan, worked out by hand on maps one can see."""

from __future__ import annotations

import numpy as np
import pytest

from gridsvc.balance import metrics
from gridsvc.balance.engine import solve
from gridsvc.balance.problem import Solution
from gridsvc.balance.report import describe

MAP = """
    1234
    1234
"""


@pytest.fixture
def halves(draw):
    problem = draw(MAP, k=2)
    return problem, (problem.x >= 2).astype(np.int32)


def test_totals_and_deviations(halves):
    problem, labels = halves
    totals = metrics.totals(labels, problem.weights, 2)
    assert totals.tolist() == [[6.0], [14.0]]
    assert metrics.deviations(totals, problem.targets).ravel().tolist() == pytest.approx([-0.4, 0.4])


def test_a_target_of_zero_is_measured_in_mean_targets():
    deviation = metrics.deviations(np.array([[2.0, 0], [8, 3]]), np.array([[0.0, 0], [10, 0]]))
    assert deviation.tolist() == [[0.4, 0.0], [pytest.approx(-0.2), 1.0]]


def test_shape_of_a_square_of_four_cells(halves):
    problem, labels = halves
    # Four unit discs at distance sqrt(1/2) from the centre: (4 * 1/2 + 4 / 2 pi) / (16 / 2 pi).
    expected = (2 + 4 / (2 * np.pi)) / (16 / (2 * np.pi))
    assert metrics.shapes(problem, labels, 2).tolist() == pytest.approx([expected] * 2)


def test_perimeter_and_polsby_popper_of_a_square(halves):
    problem, labels = halves
    assert metrics.perimeters(problem, labels, 2).tolist() == [8.0, 8.0]
    assert metrics.polsby_popper(problem, labels, 2).tolist() == pytest.approx([np.pi / 4] * 2)


def test_cut_share_and_pieces(halves):
    problem, labels = halves
    assert metrics.cut_share(problem, labels) == pytest.approx(2 / 10)
    stripes = (problem.x % 2).astype(np.int32)
    assert metrics.components_of(stripes, problem.indptr, problem.indices, 3).tolist() == [2, 2, 0]


def test_demand_weighted_inertia(halves):
    problem, labels = halves
    # Left: demand 1 and 2 in columns 0 and 1, so 2 * (1 * (2/3)^2 + 2 * (1/3)^2) + 3 * 2 * (1/2)^2, over 20.
    left = 2 * (4 / 9 + 2 / 9) + 6 / 4
    right = 2 * (3 * (4 / 7) ** 2 + 4 * (3 / 7) ** 2) + 14 / 4
    assert metrics.weighted_inertia(problem, labels, 2) == pytest.approx((left + right) / 20)


def test_the_report_counts_grids_inside_their_tolerance(halves):
    problem, labels = halves
    report = describe(problem, labels, {"start": 0.5}, [])
    assert report["overall"]["inside_share"] == 0.0
    assert report["overall"]["worst_deviation"] == {"m0": pytest.approx(0.4)}
    assert [grid["area_km2"] for grid in report["grids"]] == [4e-6, 4e-6]
    assert report["seconds"] == {"start": 0.5}


@pytest.mark.parametrize(
    ("labels", "fault"),
    [
        ([0, 0, 1, 1, 0, 0, 1, 2], "from 0 to 2"),
        ([0] * 8, "grid 2 has no cells"),
        ([0, 1, 0, 1, 0, 1, 0, 1], "grid 1 is in 2 pieces"),
    ],
)
def test_the_check_finds_what_is_wrong(halves, labels, fault):
    assert any(fault in text for text in metrics.check(halves[0], Solution(np.array(labels, np.int32))))


def test_the_check_sees_labels_of_the_wrong_length_and_crossed_parents(draw):
    nested = draw(MAP, k=2, parent=np.array([0, 0, 0, 1, 0, 0, 0, 1], np.int32))
    assert metrics.check(nested, Solution(np.zeros(3, np.int32)))
    halves = Solution((nested.x >= 2).astype(np.int32))
    assert metrics.check(nested, halves) == ["grid 2 lies in 2 parents"]


def test_links_count_only_where_islands_may_be_attached(draw):
    labels, links = np.zeros(2, np.int32), [{"a": 0, "b": 1, "metres": 2.0}]
    assert metrics.check(draw("1.1", k=1, islands="attach"), Solution(labels, {"links": links})) == []
    assert metrics.check(draw("1.1", k=1), Solution(labels, {"links": links})) == ["grid 1 is in 2 pieces"]


def test_an_invalid_plan_is_never_returned(draw, monkeypatch):
    stripes = (np.arange(8) % 2).astype(np.int32)
    monkeypatch.setattr("gridsvc.balance.exact.best_plan", lambda *args: stripes)
    with pytest.raises(RuntimeError, match="invalid plan"):
        solve(draw(MAP, k=2))
