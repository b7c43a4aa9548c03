"""Grids go to near teams, within what each can carry."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gridsvc.errors import InvalidInput
from gridsvc.teams.assign import GridLoads, TeamBases, assign_grids
from gridsvc.teams.exact import evenly, refined
from gridsvc.teams.greedy import by_regret

INF = float("inf")


def loads_of(x, totals, y=None):
    x = np.array(x, float)
    totals = np.array(totals, float).reshape(len(x), -1)
    return GridLoads(
        x, np.zeros(len(x)) if y is None else y, totals, tuple(f"m{j}" for j in range(totals.shape[1]))
    )


def teams_at(x, capacity, fallback=None):
    x = np.array(x, float)
    capacity = np.array(capacity, float).reshape(len(x), -1 if len(x) else 1)
    return TeamBases(
        x, np.where(np.isnan(x), np.nan, 0.0), capacity, tuple(f"T{t}" for t in range(len(x))), fallback
    )


def random_case(seed, n_grids, n_teams, m=2, tightness=1.3):
    rng = np.random.default_rng(seed)
    cost = np.hypot(*(rng.random((2, n_grids, 1)) - rng.random((2, 1, n_teams))))
    totals = rng.random((n_grids, m))
    return cost, totals, np.full((n_teams, m), tightness * totals.sum(axis=0) / n_teams)


def overload(team, totals, capacity):
    carried = np.zeros_like(capacity)
    np.add.at(carried, list(team), totals)
    return (np.maximum(carried - capacity, 0) / totals.sum(axis=0)).sum()


def price(team, cost):
    return cost[np.arange(len(cost)), list(team)].sum()


def cheapest_by_trying_all(cost, allowed):
    every = product(range(cost.shape[1]), repeat=len(cost))
    return min((price(team, cost) for team in every if allowed(team)), default=None)


@settings(deadline=None, max_examples=25)
@given(
    seed=st.integers(0, 10_000), n_grids=st.integers(1, 6), n_teams=st.integers(1, 3), tight=st.floats(1.1, 3)
)
def test_capacities_are_kept_at_the_least_distance(seed, n_grids, n_teams, tight):
    cost, totals, capacity = random_case(seed, n_grids, n_teams, tightness=tight)
    best = cheapest_by_trying_all(cost, lambda team: overload(team, totals, capacity) == 0)
    answer = refined(cost, totals, capacity, by_regret(cost, totals, capacity))
    if best is None:
        every = product(range(n_teams), repeat=n_grids)
        least = min(overload(team, totals, capacity) for team in every)
        assert overload(answer.team, totals, capacity) <= least * 1.02 + 1e-6
        return
    assert overload(answer.team, totals, capacity) < 1e-6
    assert price(answer.team, cost) <= best * 1.0101 + 1e-9
    assert answer.gap <= 0.01


def test_the_search_finds_what_the_quick_way_missed():
    cost, totals, capacity = random_case(3, 16, 6, tightness=1.3)
    quick = by_regret(cost, totals, capacity)
    best = refined(cost, totals, capacity, quick)
    assert (best.method, best.gap <= 0.01) == ("milp", True)
    assert (overload(best.team, totals, capacity), price(best.team, cost)) < (
        overload(quick.team, totals, capacity),
        price(quick.team, cost),
    )


@settings(deadline=None, max_examples=40)
@given(seed=st.integers(0, 10_000), n_grids=st.integers(1, 7), n_teams=st.integers(1, 4))
def test_even_numbers_of_grids_at_the_least_distance(seed, n_grids, n_teams):
    cost, _, _ = random_case(seed, n_grids, n_teams)

    def even(team):
        counts = np.bincount(team, minlength=n_teams)
        return counts.max() - counts.min() <= 1

    answer = evenly(cost)
    assert even(answer.team)
    assert price(answer.team, cost) == pytest.approx(cheapest_by_trying_all(cost, even))


@settings(deadline=None, max_examples=25)
@given(seed=st.integers(0, 10_000), n_grids=st.integers(2, 40), n_teams=st.integers(2, 6))
def test_the_quick_way_is_complete_and_close_to_the_solver(seed, n_grids, n_teams):
    cost, totals, capacity = random_case(seed, n_grids, n_teams, m=1, tightness=2.5)
    quick = by_regret(cost, totals, capacity)
    assert quick.team.shape == (n_grids,) and set(quick.team.tolist()) <= set(range(n_teams))
    exact = refined(cost, totals, capacity, quick)
    if overload(exact.team, totals, capacity) < 1e-9 and n_grids > 3 * n_teams:
        assert overload(quick.team, totals, capacity) < 1e-9
        assert price(quick.team, cost) <= 1.25 * price(exact.team, cost) + 1e-9


def test_many_grids_and_teams_are_assigned_the_quick_way_within_capacity():
    rng = np.random.default_rng(1)
    grids = GridLoads(*rng.random((2, 600)) * 1e4, rng.random((600, 1)) + 0.5, ("customers",))
    teams = TeamBases(*rng.random((2, 40)) * 1e4, np.full((40, 1), 17.0), tuple(f"T{t}" for t in range(40)))
    result = assign_grids(grids, teams)
    assert result.report["method"] == "regret and swaps" and result.report["gap"] is None
    assert result.report["shortages"] == []
    assert max(row["load"]["customers"] for row in result.report["teams"]) <= 17.0
    assert result.team.tobytes() == assign_grids(grids, teams).team.tobytes()


def test_a_near_team_which_is_full_leaves_the_rest_to_the_next():
    result = assign_grids(loads_of([0, 1, 2, 10], [5, 5, 5, 5]), teams_at([0, 10], [10, 99]))
    assert result.team.tolist() == [0, 0, 1, 1]
    assert result.team.dtype == np.int32
    assert result.report["total_distance_m"] == 9.0
    assert result.report["gap"] <= 0.01
    assert [row["grids"] for row in result.report["teams"]] == [2, 2]


def test_overload_is_the_least_possible_and_said_in_words():
    result = assign_grids(loads_of([0, 1, 9], [4, 4, 4]), teams_at([0, 10], [4, 6]))
    assert sorted(result.team.tolist()) == [0, 1, 1]
    assert result.report["shortages"] == ["team T1 carries 2 m0 above its capacity of 6"]
    assert result.report["teams"][1]["overload"] == {"m0": pytest.approx(2)}


def test_without_capacities_grids_are_spread_evenly():
    result = assign_grids(loads_of([0, 0, 0, 0, 9], [1, 1, 1, 1, 1]), teams_at([0, 9], [INF, INF]))
    assert sorted(np.bincount(result.team).tolist()) == [2, 3]
    assert result.report["method"] == "assignment" and result.report["teams"][0]["capacity"] == {}


def test_the_fallback_team_gets_no_grid_unless_it_is_the_only_one():
    grids = loads_of([0, 1], [1, 1])
    assert assign_grids(grids, teams_at([0, 500], [INF, INF], fallback=0)).team.tolist() == [1, 1]
    assert assign_grids(grids, teams_at([0], [INF], fallback=0)).team.tolist() == [0, 0]


def test_a_team_without_base_takes_what_the_others_cannot_carry():
    result = assign_grids(loads_of([0, 0, 0], [1, 1, 1]), teams_at([0, float("nan"), 10], [2, INF, INF]))
    assert sorted(result.team.tolist()) == [0, 0, 1]
    assert result.report["total_distance_m"] == 0.0
    nowhere = assign_grids(loads_of([0, 1], [1, 1]), teams_at([float("nan")] * 2, [INF, INF]))
    assert sorted(nowhere.team.tolist()) == [0, 1] and nowhere.report["mean_distance_m"] is None


def test_no_team_is_refused():
    with pytest.raises(InvalidInput, match="there is no team"):
        assign_grids(loads_of([0], [1]), teams_at([], []))
