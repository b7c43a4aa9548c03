"""Grids go to near teams, within what each can carry, and stay with whom they are where that is worth it."""

from __future__ import annotations

from dataclasses import replace
from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gridsvc.errors import Cancelled, InvalidInput
from gridsvc.teams.assign import GridLoads, TeamBases, Ties, assign_grids
from gridsvc.teams.exact import by_program, evenly, relaxed
from gridsvc.teams.greedy import by_regret, nearest
from gridsvc.teams.patterns import by_patterns
from gridsvc.teams.problem import problem_of

INF = float("inf")
CLOSE = 0.0021  # what the searches stop at, and a little


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


def random_problem(seed, n_grids, n_teams, m=2, tightness=1.3, barred=0.0):
    rng = np.random.default_rng(seed)
    cost = np.hypot(*(rng.random((2, n_grids, 1)) - rng.random((2, 1, n_teams))))
    totals = rng.random((n_grids, m))
    out = rng.random(cost.shape) < barred
    out[np.arange(n_grids), rng.integers(n_teams, size=n_grids)] = False
    capacity = np.full((n_teams, m), tightness * totals.sum(axis=0) / n_teams)
    return problem_of(np.where(out, INF, cost), totals, capacity)


def cheapest_by_trying_all(problem):
    n, n_teams = problem.cost.shape
    return min(problem.price(np.array(team)) for team in product(range(n_teams), repeat=n))


@pytest.mark.parametrize("search", [by_patterns, by_program])
@settings(deadline=None, max_examples=15)
@given(
    seed=st.integers(0, 10_000),
    n_grids=st.integers(1, 6),
    n_teams=st.integers(1, 3),
    tight=st.floats(0.4, 3),
    barred=st.sampled_from([0.0, 0.3]),
)
def test_the_answer_is_the_cheapest_of_all_and_its_bound_below(search, seed, n_grids, n_teams, tight, barred):
    problem = random_problem(seed, n_grids, n_teams, tightness=tight, barred=barred)
    best = cheapest_by_trying_all(problem)
    answer = search(problem, by_regret(problem))
    assert problem.price(answer.team) <= best * (1 + CLOSE) + 1e-6
    assert answer.bound <= best + 1e-6 * max(1.0, best)
    assert (problem.price(answer.team) - answer.bound) <= CLOSE * problem.price(answer.team) + 1e-6


@settings(deadline=None, max_examples=15)
@given(seed=st.integers(0, 10_000), tight=st.floats(0.5, 2))
def test_the_relaxation_bounds_every_assignment_over_all_pairs(seed, tight):
    problem = random_problem(seed, 5, 3, tightness=tight)
    duals = relaxed(problem)
    for team in product(range(3), repeat=5):
        price = problem.price(np.array(team))
        assert duals.bound <= price + 1e-6 * max(1.0, price)
        dearest = max(duals.reduced[g, t] for g, t in enumerate(team))
        assert duals.bound + dearest <= price + 1e-6 * max(1.0, price)


def test_thirty_grids_of_six_teams_are_proven_and_cheaper_than_by_hand():
    problem = random_problem(3, 30, 6, tightness=1.15)
    answer = by_patterns(problem, by_regret(problem))
    assert problem.overload(answer.team) < 1e-9
    assert problem.price(answer.team) - answer.bound <= CLOSE * problem.price(answer.team)
    assert problem.price(answer.team) < problem.price(nearest(problem).team)
    again = by_patterns(problem, by_regret(problem))
    assert answer.team.tobytes() == again.team.tobytes() and answer.bound == again.bound


@settings(deadline=None, max_examples=40)
@given(seed=st.integers(0, 10_000), n_grids=st.integers(1, 7), n_teams=st.integers(1, 4))
def test_even_numbers_of_grids_at_the_least_distance(seed, n_grids, n_teams):
    cost = random_problem(seed, n_grids, n_teams).cost

    def even(team):
        counts = np.bincount(team, minlength=n_teams)
        return counts.max() - counts.min() <= 1

    answer = evenly(cost)
    every = (np.array(team) for team in product(range(n_teams), repeat=n_grids) if even(team))
    assert even(answer.team)
    price = cost[np.arange(n_grids), answer.team].sum()
    assert price == pytest.approx(min(cost[np.arange(n_grids), team].sum() for team in every))


def test_a_near_team_which_is_full_leaves_the_rest_to_the_next():
    result = assign_grids(loads_of([0, 1, 2, 10], [5, 5, 5, 5]), teams_at([0, 10], [10, 99]))
    assert result.team.tolist() == [0, 0, 1, 1]
    assert result.team.dtype == np.int32
    assert result.report["total_distance_m"] == 9.0
    assert result.report["proven"] and result.report["gap"] <= 0.001
    assert result.report["capacities"] == "kept"
    assert [row["grids"] for row in result.report["teams"]] == [2, 2]
    why = [entry["why"] for entry in result.report["grids"]]
    assert why == ["nearest", "nearest", "nearest with room", "nearest"]
    assert result.report["grids"][0]["next"] == {"team": "T1", "costs_m": pytest.approx(10), "has_room": True}


def test_overload_is_the_least_possible_and_said_in_words():
    result = assign_grids(loads_of([0, 1, 9], [4, 4, 4]), teams_at([0, 10], [4, 6]))
    assert sorted(result.team.tolist()) == [0, 1, 1]
    assert result.report["shortages"] == ["team T1 carries 2 m0 above its capacity of 6"]
    assert result.report["shortages_zh"] == ["T1承担的m0超出能力2（能力6）"]
    assert result.report["teams"][1]["overload"] == {"m0": pytest.approx(2)}
    assert result.report["capacities"] == "cannot be kept"


def test_without_capacities_grids_are_spread_evenly():
    result = assign_grids(loads_of([0, 0, 0, 0, 9], [1, 1, 1, 1, 1]), teams_at([0, 9], [INF, INF]))
    assert sorted(np.bincount(result.team).tolist()) == [2, 3]
    assert result.report["method"] == "assignment" and result.report["teams"][0]["capacity"] == {}


def test_the_fallback_team_gets_no_grid_unless_it_is_the_only_one_or_pinned():
    grids = loads_of([0, 1], [1, 1])
    assert assign_grids(grids, teams_at([0, 500], [INF, INF], fallback=0)).team.tolist() == [1, 1]
    assert assign_grids(grids, teams_at([0], [INF], fallback=0)).team.tolist() == [0, 0]
    pinned = assign_grids(grids, teams_at([0, 500], [9, 9], fallback=0), Ties(pins={1: 0}))
    assert pinned.team.tolist() == [1, 0]


def test_a_team_without_base_takes_what_the_others_cannot_carry():
    result = assign_grids(loads_of([0, 0, 0], [1, 1, 1]), teams_at([0, float("nan"), 10], [2, INF, INF]))
    assert sorted(result.team.tolist()) == [0, 0, 1]
    assert result.report["total_distance_m"] == 0.0
    nowhere = assign_grids(loads_of([0, 1], [1, 1]), teams_at([float("nan")] * 2, [INF, INF]))
    assert sorted(nowhere.team.tolist()) == [0, 1] and nowhere.report["mean_distance_m"] is None


@pytest.mark.parametrize(("n_grids", "n_teams"), [(3, 1), (2, 7), (1, 1)])
@pytest.mark.parametrize("amount", [0.0, 1.0])
def test_one_team_more_teams_than_grids_and_nothing_to_carry(n_grids, n_teams, amount):
    grids = loads_of(range(n_grids), [amount] * n_grids)
    result = assign_grids(grids, teams_at(range(n_teams), [5.0] * n_teams))
    assert result.team.shape == (n_grids,) and result.report["shortages"] == []


def test_owners_of_today_stay_as_far_as_the_weight_says():
    grids = loads_of([0, 4, 6, 10], [1, 1, 1, 1])
    teams = teams_at([0, 10], [9, 9])
    today = np.array([0, 1, 1, -1])  # the second lies a little nearer to the other team
    free = assign_grids(grids, teams, Ties(today, weight=0.0))
    held = assign_grids(grids, teams, Ties(today, weight=2.0))
    assert free.team.tolist() == [0, 0, 1, 1] and free.report["handovers"]["grids"] == 1
    assert held.team.tolist() == [0, 1, 1, 1] and held.report["handovers"]["grids"] == 0
    assert held.report["grids"][1]["why"] == "stays with today's owner"


def test_a_handover_counts_by_the_customers_handed_over():
    grids, teams = loads_of([4, 4], [1, 1]), teams_at([0, 10], [9, 9])
    ties = Ties(np.array([1, 1]), np.array([1.0, 199.0]), 0.9)
    result = assign_grids(grids, teams, ties)
    assert result.team.tolist() == [0, 1]
    assert result.report["handovers"] == {"grids": 1, "customers": 1.0}


def test_pins_and_bans_are_kept_whatever_they_cost():
    grids, teams = loads_of([0, 1, 9], [4, 4, 4]), teams_at([0, 10], [4, 99])
    ties = Ties(pins={2: 0, 1: 0}, bans=frozenset({(0, 0)}))
    result = assign_grids(grids, teams, ties)
    assert result.team.tolist() == [1, 0, 0]
    assert [entry["why"] for entry in result.report["grids"]][1:] == ["pin", "pin"]
    assert result.report["shortages"] == ["team T0 carries 4 m0 above its capacity of 4"]


def test_a_grid_goes_where_its_needs_are_met_and_a_need_nobody_meets_is_told():
    unfit = np.array([[True, False], [True, True], [False, False]])
    grids, teams = loads_of([0, 0, 0], [1, 1, 1]), teams_at([0, 10], [9, 9])
    result = assign_grids(grids, teams, Ties(unfit=unfit))
    assert result.team.tolist() == [1, 0, 0]
    assert result.report["shortages"] == ["no team has what grid 1 needs"]


def test_what_cannot_be_asked_is_refused():
    with pytest.raises(InvalidInput, match="there is no team"):
        assign_grids(loads_of([0], [1]), teams_at([], []))
    for weight in (-1.0, float("nan")):
        with pytest.raises(InvalidInput, match="weight of handovers"):
            assign_grids(loads_of([0], [1]), teams_at([0], [1]), Ties(weight=weight))
    with pytest.raises(InvalidInput, match="may go to no team"):
        assign_grids(loads_of([0], [1]), teams_at([0], [1]), Ties(bans=frozenset({(0, 0)})))


@pytest.mark.parametrize("n_teams", [6, 2])  # few grids a team, and many
def test_when_the_time_is_over_the_best_so_far_is_told_with_a_bound(n_teams):
    problem = random_problem(3, 60, n_teams, tightness=1.05)
    grids = loads_of(range(60), problem.loads)
    teams = teams_at(range(0, 60, 60 // n_teams), problem.limit)
    soon = assign_grids(grids, teams, time_limit=1e-6)
    assert soon.report["truncated"] and soon.report["bound"] is not None
    whole = assign_grids(grids, teams)
    assert not whole.report["truncated"]
    assert soon.report["bound"] <= whole.report["objective"] <= soon.report["objective"] + 1e-9


def test_progress_goes_from_nothing_to_all_and_never_back():
    told = []
    problem = random_problem(3, 60, 6, tightness=1.05)
    assign_grids(
        loads_of(range(60), problem.loads),
        teams_at(range(0, 60, 10), problem.limit),
        progress=lambda share, message: told.append((share, message)),
    )
    shares = [share for share, _ in told]
    assert (shares[0], shares[-1]) == (0.0, 1.0) and shares == sorted(shares)
    assert len({message for _, message in told}) > 3 and all(message for _, message in told)


def test_a_search_is_left_as_soon_as_progress_says_so():
    def stop(share, message):
        if share > 0.2:
            raise Cancelled("the job was cancelled")

    problem = random_problem(3, 60, 6, tightness=1.05)
    with pytest.raises(Cancelled):
        assign_grids(loads_of(range(60), problem.loads), teams_at([0] * 6, problem.limit), progress=stop)


@pytest.mark.parametrize("seconds", [0.0, -1.0, float("nan")])
def test_a_time_limit_is_above_nothing(seconds):
    with pytest.raises(InvalidInput, match="no time limit") as error:
        assign_grids(loads_of([0], [1]), teams_at([0], [1]), time_limit=seconds)
    assert error.value.cure == "give seconds above 0"


def test_the_report_names_both_ways_by_the_same_parts():
    grids = replace(loads_of([0, 1, 2, 10], [5, 5, 5, 5]), names=("a", "b", "c", "d"))
    report = assign_grids(grids, teams_at([0, 10], [10, 99])).report
    assert {"total_distance_m", "worst_load", "handovers"} <= report["nearest_with_room"].keys()
    assert report["worst_load"] == pytest.approx(1.0)
    assert [entry["grid"] for entry in report["grids"]] == list("abcd")
