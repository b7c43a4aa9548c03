"""Candidate seeds are chosen so that demand is near a seed."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gridsvc.balance.seeds import choose
from gridsvc.errors import InvalidInput


def cost(x, y, demand, seeds):
    return float((demand * np.hypot(x[:, None] - x[seeds], y[:, None] - y[seeds]).min(axis=1)).sum())


def ints(*values):
    return np.array(values, np.int64)


@settings(deadline=None, max_examples=100)
@given(
    world=st.integers(0, 10_000),
    n=st.integers(12, 40),
    offered=st.integers(2, 9),
    required=st.integers(0, 2),
    wanted=st.integers(1, 8),
)
def test_the_choice_is_within_five_per_cent_of_the_best_there_is(world, n, offered, required, wanted):
    rng = np.random.default_rng(world)
    x, y = rng.random((2, n)) * 1000
    demand = rng.lognormal(0, 1.5, n) * (rng.random(n) < 0.8)
    cells = rng.permutation(n)
    fixed, candidates = cells[:required], cells[required : required + offered]
    chosen = choose(x, y, demand, fixed, candidates, required + wanted)
    count = min(wanted, offered)
    assert chosen[:required].tolist() == fixed.tolist()
    assert len(chosen) == len(set(chosen.tolist())) == required + count
    assert set(chosen[required:].tolist()) <= set(candidates.tolist())
    weight = demand if demand.any() else np.ones(n)
    best = min(
        cost(x, y, weight, np.concatenate([fixed, ints(*some)])) for some in combinations(candidates, count)
    )
    assert cost(x, y, weight, chosen) <= 1.05 * best + 1e-9


@settings(deadline=None, max_examples=20)
@given(world=st.integers(0, 10_000), required=st.integers(0, 4), wanted=st.integers(1, 15))
def test_no_exchange_of_one_seed_for_another_would_help(world, required, wanted):
    rng = np.random.default_rng(world)
    x, y = rng.random((2, 300)) * 1000
    demand = rng.lognormal(0, 1, 300)
    cells = rng.permutation(300)
    candidates = cells[required : required + 40]
    chosen = choose(x, y, demand, cells[:required], candidates, required + wanted)
    now = cost(x, y, demand, chosen)
    for position in range(required, len(chosen)):
        for other in np.setdiff1d(candidates, chosen):
            changed = chosen.copy()
            changed[position] = other
            assert cost(x, y, demand, changed) >= now * (1 - 1e-6)


def test_many_cells_are_summed_without_losing_the_towns():
    rng = np.random.default_rng(1)
    towns = rng.random((6, 2)) * 1e5
    xy = np.vstack([town + rng.normal(0, 500, (5000, 2)) for town in towns])
    middle = [
        5000 * t + int(np.argmin(np.hypot(*(xy[5000 * t : 5000 * (t + 1)] - towns[t]).T))) for t in range(6)
    ]
    others = rng.choice(30_000, 60, replace=False)
    candidates = np.concatenate([np.setdiff1d(others, middle), middle])
    chosen = choose(xy[:, 0], xy[:, 1], np.ones(30_000), ints(), candidates, 6)
    assert {int(c) // 5000 for c in chosen} == set(range(6))
    assert cost(xy[:, 0], xy[:, 1], np.ones(30_000), chosen) <= 1.01 * cost(
        xy[:, 0], xy[:, 1], np.ones(30_000), ints(*middle)
    )


def test_a_required_seed_covers_its_town_so_the_candidate_goes_to_the_other():
    x = np.array([0.0, 1, 2, 100, 101, 102])
    assert choose(x, np.zeros(6), np.ones(6), ints(1), ints(0, 2, 4), 2).tolist() == [1, 4]


def test_a_candidate_in_the_cell_of_a_seed_is_left_out():
    x = np.arange(5.0)
    assert choose(x, x, np.ones(5), ints(3), ints(3, 1, 1), 3).tolist() == [3, 1]


def test_too_few_candidates_are_all_taken_and_none_is_needed_when_required_ones_do():
    x = np.arange(5.0)
    assert choose(x, x, np.ones(5), ints(), ints(4, 0), 4).tolist() == [4, 0]
    assert choose(x, x, np.ones(5), ints(2, 1), ints(4, 0), 2).tolist() == [2, 1]


def test_without_any_demand_cells_count_the_same():
    x = np.arange(7.0)
    assert choose(x, np.zeros(7), np.zeros(7), ints(), np.arange(7), 1).tolist() == [3]


@pytest.mark.parametrize(
    ("required", "candidates", "k", "said"),
    [
        ([4, 2, 4], [], 5, r"row 3, seeds: required seeds 1 and 3 lie in one cell \(row 5\); keep one"),
        ([0, 1, 2], [], 2, r"seeds: 3 seeds are required but only 2 grids .*at least 3"),
        ([0, 9], [], 4, r"row 2, seeds: required seed 2 is in cell 10 of 6"),
        ([], [1, -1], 4, r"row 2, seeds: candidate seed 2 is in cell 0 of 6"),
    ],
)
def test_seeds_which_cannot_be_meant_are_named(required, candidates, k, said):
    x = np.arange(6.0)
    with pytest.raises(InvalidInput, match=said):
        choose(x, x, np.ones(6), ints(*required), ints(*candidates), k)
