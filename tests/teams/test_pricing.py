"""The best sets of grids at given prices are found, all good ones are listed, and bounds hold."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gridsvc.teams import patterns, pricing
from gridsvc.teams.ascent import ascended
from gridsvc.teams.dive import dived, part_of
from gridsvc.teams.greedy import by_regret, nearest
from gridsvc.teams.pricing import Pricing
from gridsvc.teams.problem import Problem
from gridsvc.teams.watch import Watch
from tests.teams.test_assign import cheapest_by_trying_all, random_problem

CASES = {
    "seed": st.integers(0, 10_000),
    "n_grids": st.integers(1, 8),
    "m": st.integers(1, 3),
    "tight": st.floats(0.3, 2.5),
    "barred": st.sampled_from([0.0, 0.3]),
    "rate": st.sampled_from([1.0, 30.0, 30_000.0]),
    "unlimited": st.booleans(),
}


def case(seed, n_grids, m, tight, barred, rate, unlimited):
    """A problem of two teams, and prices at which some grids are wanted and some are not."""
    found = random_problem(seed, n_grids, 2, m, tight, barred)
    limit = found.limit.copy()
    if unlimited:
        limit[0, 0] = np.inf
    rng = np.random.default_rng(seed)
    return Problem(found.cost, found.loads, limit, rate), rng.uniform(0, rng.choice([1.0, rate]), n_grids)


def worths(problem, u, team):
    """What each set is worth to a team, by trying all."""
    found = {}
    for size in range(len(u) + 1):
        for own in combinations(range(len(u)), size):
            over = np.maximum(problem.loads[list(own)].sum(axis=0) - problem.limit[team], 0).sum()
            found[own] = (u - problem.cost[:, team])[list(own)].sum() - problem.rate * over
    return {own: worth for own, worth in found.items() if np.isfinite(worth)}


@settings(deadline=None, max_examples=150)
@given(**CASES)
def test_no_set_is_worth_more_than_the_one_found(**drawn):
    problem, u = case(**drawn)
    found = Pricing(problem, u)
    for _ in range(2):  # from nothing, and from prices of capacities that were good before
        look = found.look(u)
        best = [max(worths(problem, u, t).values()) for t in range(2)]
        assert look.bound == pytest.approx(u.sum() - sum(best), abs=1e-6 * max(1.0, u.sum()))
        for t, own in look.sets:
            assert worths(problem, u, t)[own] == pytest.approx(best[t], abs=1e-6 * max(1.0, u.sum()))
        assert look.held.tolist() == [sum(g in own for _, own in look.sets) for g in range(len(u))]


@settings(deadline=None, max_examples=100)
@given(**CASES, spare=st.floats(0.01, 3.0))
def test_all_sets_within_a_spare_are_listed_those_with_unwanted_grids_too(spare, **drawn):
    problem, u = case(**drawn)
    found = Pricing(problem, u)
    found.look(u)
    every = found.every(spare)
    assert every is not None
    for t in range(2):
        all_worths = worths(problem, u, t)
        least = max(all_worths.values()) - spare
        for own, worth in all_worths.items():
            if own and worth > least + 1e-6:
                assert (t, own) in every
            if worth < least - 1e-6 * max(1.0, u.sum()):
                assert (t, own) not in every


@settings(deadline=None, max_examples=30)
@given(**CASES)
def test_with_few_looks_the_bound_still_holds(**drawn):
    problem, u = case(**drawn)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(pricing, "_LOOKED", (3, 3))
        look = Pricing(problem, u).look(u)
    best = [max(worths(problem, u, t).values()) for t in range(2)]
    assert look.bound <= u.sum() - sum(best) + 1e-6 * max(1.0, u.sum())


def test_more_grids_than_a_set_may_have_are_bounded():
    problem = Problem(np.zeros((90, 2)), np.ones((90, 1)), np.array([[80.0], [10.0]]))
    look = Pricing(problem, np.ones(90)).look(np.ones(90))
    assert look.bound <= 90 - 80 - 10 + 1e-6


def test_prices_come_near_the_optimum_and_an_answer_near_the_prices():
    problem = random_problem(7, 40, 8, tightness=1.1)
    quick = by_regret(problem)
    found = Pricing(problem, np.zeros(40))
    shares = ascended(found, problem.price(quick.team), 400, 1.0, Watch())
    told = shares.falling()
    assert sum(weight for weight, _ in told) == pytest.approx(8, abs=0.5)
    assert [weight for weight, _ in told] == sorted((weight for weight, _ in told), reverse=True)
    team = dived(found, shares, problem.price(quick.team), Watch())
    assert found.bound <= problem.price(team) <= problem.price(nearest(problem).team)
    assert problem.price(team) - found.bound < 0.2 * problem.price(team)


@settings(deadline=None, max_examples=25)
@given(seed=st.integers(0, 10_000), tight=st.floats(0.4, 2), barred=st.sampled_from([0.0, 0.6]))
def test_a_dive_gives_each_grid_to_a_team_which_may_own_it_whatever_is_barred(seed, tight, barred):
    problem = random_problem(seed, 14, 4, tightness=tight, barred=barred)
    found = Pricing(problem, np.zeros(14))
    shares = ascended(found, 1e9, 20, 1.0, Watch())
    team = dived(found, shares, 1e9, Watch())
    assert np.isfinite(problem.cost[np.arange(14), team]).all()


def test_where_nobody_wants_anything_the_grids_go_to_the_cheapest_with_room():
    problem = random_problem(1, 6, 2, tightness=3.0)
    found = Pricing(problem, np.zeros(6))
    shares = ascended(found, 0.0, 0, 1.0, Watch())
    assert dived(found, shares, 0.0, Watch()).tolist() == problem.cost.argmin(axis=1).tolist()


def test_a_part_of_a_problem_costs_what_it_costs_in_the_whole():
    problem = random_problem(5, 6, 3)
    part = part_of(problem, np.array([1, 4]), np.array([0, 2]))
    team = np.array([1, 1, 1, 1, 1, 1])
    team[[1, 4]] = [0, 2]
    rest = part_of(problem, np.array([0, 2, 3, 5]), np.array([1]))
    assert part.price(np.array([0, 1])) + rest.price(np.zeros(4, int)) == pytest.approx(problem.price(team))


@settings(deadline=None, max_examples=25)
@given(seed=st.integers(0, 10_000), tight=st.floats(0.5, 1.3), rate=st.sampled_from([1.0, 30_000.0]))
def test_what_is_proven_is_true(seed, tight, rate):
    """Each step alone, from prices and an answer which are both bad."""
    found = random_problem(seed, 7, 3, tightness=tight)
    problem = Problem(found.cost, found.loads, found.limit, rate)
    best = cheapest_by_trying_all(problem)
    search = patterns._Search(Pricing(problem, np.full(7, 0.3)))
    search.pricing.look(search.pricing.prices)
    search.keep(np.zeros(7, int))
    search.near = 0.0
    for step in (search.prove, search.masters, search.prove, search.deal_again, search.dive_again):
        step(Watch())
        assert search.bound <= best + 1e-6 * max(1.0, best) <= search.price + 2e-6 * max(1.0, best)


def test_where_not_all_can_be_carried_the_overload_is_nearly_proven_to_be_the_least():
    rng = np.random.default_rng(3)
    loads, share = rng.uniform(0.9, 1.1, (30, 2)) / 5, rng.uniform(0.85, 1.15, (6, 1))
    problem = Problem(rng.uniform(0.5, 3, (30, 6)), loads, 1.02 * share / share.mean() * loads.sum(0) / 6)
    quick = by_regret(problem)
    answer = patterns.by_patterns(problem, quick)
    assert answer.bound > problem.cost.max(axis=1).sum()  # no answer without overload costs as much
    assert problem.price(answer.team) - answer.bound <= 0.05 * problem.price(answer.team)
