"""Each option of a problem pulls the way it says, in whole solves."""

from __future__ import annotations

from dataclasses import replace
from time import perf_counter

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gridsvc.balance.engine import solve
from gridsvc.balance.metrics import check, deviations, totals
from gridsvc.balance.problem import Pins
from gridsvc.balance.seeds import choose

TOWN = {"area": np.full(500, 2000.0), "perimeter": np.full(500, 180.0)}


@pytest.fixture(scope="module")
def town(make_planar):
    return make_planar(5, 500, 8, dropped=0.0, empty=0.1, sweeps=200, **TOWN)


def seeded(problem, cells, radius=np.inf, pull=0.0):
    cell = np.full(problem.k, -1, np.int64)
    cell[: len(cells)] = cells
    return replace(problem, pins=Pins(cell, np.full(problem.k, radius), pull))


def from_seed(problem, labels):
    """Metres from each cell to the seed of its grid; 0 in grids without one."""
    cell = problem.pins.cell[labels]
    far = np.hypot(problem.x - problem.x[cell], problem.y - problem.y[cell])
    return np.where(cell >= 0, far, 0.0)


@settings(deadline=None, max_examples=15)
@given(seed=st.integers(0, 1000), n_seeds=st.integers(1, 8))
def test_each_seed_lies_in_the_grid_of_its_number(make_planar, seed, n_seeds):
    problem = make_planar(seed, 200, 8, dropped=0.0, sweeps=20)
    cells = np.random.default_rng(seed).choice(200, n_seeds, replace=False)
    solution = solve(seeded(problem, cells))
    assert (solution.labels[cells] == np.arange(n_seeds)).all() and check(problem, solution) == []


def test_chosen_candidates_become_seeds_and_a_pull_draws_grids_to_them(town):
    candidates = np.random.default_rng(1).choice(500, 40, replace=False)
    cells = choose(town.x, town.y, town.weights.sum(axis=1), candidates[:2], candidates[2:], town.k)
    assert set(candidates[:2]) <= set(cells) and len(cells) == town.k
    problem = seeded(town, cells)
    free, drawn = (solve(seeded(town, cells, pull=pull)).labels for pull in (0.0, 5.0))
    assert from_seed(problem, drawn).mean() < from_seed(problem, free).mean()


def test_cells_keep_within_the_radius_where_they_can(town):
    spread = choose(town.x, town.y, np.ones(500), np.zeros(0, np.int64), np.arange(500), town.k)
    wide = replace(town, tolerance=np.full(2, 0.5))
    problem = seeded(wide, spread)
    radius = 1.15 * from_seed(problem, np.argmin(distances(town, spread), axis=1)).max()
    tight = solve(seeded(wide, spread, radius=radius)).labels
    assert (from_seed(problem, tight) <= radius).all()


def distances(problem, cells):
    return np.hypot(problem.x[:, None] - problem.x[cells], problem.y[:, None] - problem.y[cells])


def test_what_matters_more_deviates_less(town):
    tight = replace(town, tolerance=np.full(2, 0.0002), sweeps=400)  # which no plan keeps
    worst = {
        first: solve(replace(tight, importance=np.array([first, 1 / first]))).report["overall"]
        for first in (25.0, 1 / 25)
    }
    by_first, by_second = (entry["mean_deviation"] for entry in worst.values())
    assert by_first["m0"] < by_second["m0"] and by_second["m1"] < by_first["m1"]


def test_one_sided_limits_hold_and_leave_the_other_side_free(town):
    high = np.full((8, 2), np.inf)
    high[:, 0] = 1.02 * town.targets[:, 0]
    low = np.full((8, 2), -np.inf)
    low[0, 1] = 1.2 * town.targets[0, 1]  # grid 1 needs more of the second measure than its share
    problem = replace(town, low=low, high=high)
    solution = solve(problem)
    sums = totals(solution.labels, town.weights, 8)
    assert (sums <= high + 1e-9).all() and (sums >= low - 1e-9).all()
    assert solution.report["overall"]["inside_share"] == 1.0
    assert np.abs(deviations(sums, town.targets))[:, 1].max() > 0.05


def test_locked_groups_end_in_one_grid_and_apart_from_others(town):
    anchor = np.full(500, -1, np.int32)
    south = np.argsort(town.y)[:10]
    anchor[south[:5]], anchor[south[5:]] = 3, 6
    solution = solve(replace(town, anchor=anchor))
    assert (solution.labels[south[:5]] == 3).all() and (solution.labels[south[5:]] == 6).all()
    assert check(town, solution) == []


def test_a_time_limit_gives_the_best_so_far_and_says_so(town):
    long = replace(town, sweeps=1_000_000)
    solution = solve(replace(long, time_limit=0.3))
    assert solution.report["truncated"] and check(town, solution) == []
    assert not solve(town).report["truncated"]


@pytest.mark.parametrize("share", [0.0, 0.1, 0.3, 0.5, 0.7, 0.9, 1.0])
def test_a_time_limit_may_run_out_at_any_point(make_planar, share):
    """Five grids get several starts, another compactness one annealing more: the clock stops in any."""
    problem = make_planar(7, 300, 5, tolerance=np.full(2, 0.001), compactness=80.0, sweeps=60)
    began = perf_counter()
    solve(problem)
    limited = solve(replace(problem, time_limit=share * (perf_counter() - began) + 1e-6))
    assert check(problem, limited) == []
