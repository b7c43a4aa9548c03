"""What compactness may change and what it may not; what is done where most grids must be outside."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from gridsvc.balance.engine import solve
from gridsvc.balance.metrics import deviations, totals
from gridsvc.balance.targets import even_targets


def _worst(problem, labels) -> np.ndarray:
    return np.abs(deviations(totals(labels, problem.weights, problem.k), problem.targets)).max(axis=1)


@pytest.fixture(scope="module")
def town(make_planar):
    """Where the usual compactness brings all grids inside a narrow tolerance."""
    n, k = 600, 12
    weights = np.random.default_rng(5).lognormal(0, 0.3, (n, 2))
    side = 1000 / n**0.5
    problem = make_planar(5, n, k, dropped=0.1, empty=0.0, area=np.full(n, side**2))
    problem = replace(problem, border=0.6 * side * problem.border, perimeter=side * problem.perimeter)
    return replace(problem, weights=weights, targets=even_targets(weights, k), tolerance=np.full(2, 0.02))


@pytest.fixture(scope="module")
def usual(town):
    found = solve(town)
    assert found.report["overall"]["inside_share"] == 1
    return found


@pytest.mark.parametrize("compactness", [0, 10, 25, 75, 100])
def test_no_compactness_costs_a_grid_its_tolerance(town, usual, compactness):
    found = solve(replace(town, compactness=float(compactness)))
    assert found.report["overall"]["inside_share"] == 1


def test_less_compactness_is_more_even_and_more_is_rounder(town, usual):
    even = solve(replace(town, compactness=0.0))
    rounder = solve(replace(town, compactness=100.0))
    assert _worst(town, even.labels).mean() < 0.5 * _worst(town, usual.labels).mean()
    assert rounder.report["overall"]["shape"] < usual.report["overall"]["shape"]


def test_where_measures_drift_apart_full_compactness_gives_up_balance_for_shape(make_planar):
    apart = make_planar(3, 400, 10, dropped=0.1, empty=0.0)
    east = apart.x / apart.x.max()
    weights = np.column_stack([0.05 + east**3, 0.05 + (1 - east) ** 3])
    apart = replace(apart, weights=weights, targets=even_targets(weights, 10), sweeps=300)
    usual, rounder = solve(apart), solve(replace(apart, compactness=100.0))
    assert usual.report["overall"]["inside_share"] > rounder.report["overall"]["inside_share"]
    assert rounder.report["overall"]["shape"] < usual.report["overall"]["shape"]


@pytest.mark.parametrize("share", [0.97, 1.03])
def test_what_limits_cannot_hold_is_shared_out_evenly(make_planar, share):
    """Each grid may have at most 97 % of what there is for it, or must have at least 103 %."""
    problem = make_planar(4, 400, 8, dropped=0.1, empty=0.0, m=1)
    problem = replace(problem, area=np.full(400, 2500.0))
    limit = {"high": problem.targets * share} if share < 1 else {"low": problem.targets * share}
    found = solve(replace(problem, **limit))
    assert found.report["overall"]["inside_share"] == 0
    assert _worst(problem, found.labels).max() < 0.015


def test_one_grid_far_off_is_worse_than_several_a_little():
    """A star of a heavy cell and light ones round it: the heavy one goes alone, the others share alike."""
    from tests.balance.conftest import problem_of

    n = 25
    row, column = np.divmod(np.arange(n), 5)
    xy = np.column_stack([column, row]).astype(float)
    pairs = [(i, j) for i in range(n) for j in range(i + 1, n) if np.abs(xy[i] - xy[j]).sum() == 1]
    a, b = np.array(pairs).T
    weights = np.ones((n, 1))
    weights[12] = 24.0  # as much as all the others together
    problem = problem_of(xy, a, b, weights, 4)
    totals_found = np.sort(totals(solve(problem).labels, weights, 4)[:, 0])
    assert totals_found[-1] <= 26 and np.ptp(totals_found[:-1]) <= 2
