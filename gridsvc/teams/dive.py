"""Whole answers from prices: the surest sets are given out, the rest is priced again, until nothing is left.

The gap of an answer is shared among its teams: each has a set that is so much dearer than its best one at
the best prices. An answer is made better by doing again what a few teams near a dear one hold.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from gridsvc.teams.ascent import Shares, ascended
from gridsvc.teams.greedy import cheapest
from gridsvc.teams.pricing import Key, Pricing
from gridsvc.teams.problem import Problem
from gridsvc.teams.watch import Watch

__all__ = ["dived", "part_of"]

_SURE = 0.7  # sets which count so much are given out
_ATLEAST = 0.06  # and the surest, to so many of the teams
_STEPS = 50
_PACE = 0.1

Ints = NDArray[np.int64]


def part_of(problem: Problem, grids: Ints, teams: Ints) -> Problem:
    """The problem of some grids and teams."""
    return Problem(
        problem.cost[np.ix_(grids, teams)], problem.loads[grids], problem.limit[teams], problem.rate
    )


def dived(pricing: Pricing, shares: Shares, price: float, watch: Watch) -> Ints:
    """An answer near what the prices prove: the team of each grid.

    Where grids are few, the sets met on the way are added to those of `pricing`.

    Parameters
    ----------
    shares : Shares
        Of the sets of `pricing`, where the dive begins.
    price : float
        Of the best answer known.
    """
    whole, problem, prices = pricing, pricing.problem, pricing.prices
    team = np.full(len(problem.cost), -1, np.int64)
    grids, teams = np.arange(len(team)), np.arange(problem.cost.shape[1])
    while True:
        given, done = _give_out(shares, grids, teams, team)
        price -= sum(pricing.pool[key] for key in given)
        left, free = team[grids] < 0, ~np.isin(np.arange(len(teams)), done)
        left &= np.isfinite(problem.cost[np.ix_(grids, teams[free])]).any(axis=1)
        grids, teams, prices = grids[left], teams[free], pricing.prices[left]
        share = 1 - len(teams) / problem.cost.shape[1]
        if not given or not len(grids) or not len(teams) or watch.over(share, "giving out sets of grids"):
            return _placed(problem, team)
        pricing = Pricing(part_of(problem, grids, teams), prices)
        shares = ascended(pricing, price, _STEPS, _PACE, watch.part(share, share))
        if whole.few:
            for t, own in pricing.pool:
                whole.add(int(teams[t]), grids[list(own)])


def _give_out(shares: Shares, grids: Ints, teams: Ints, team: Ints) -> tuple[list[Key], list[int]]:
    """Give out the surest sets which do not meet; gives them, and whose they are."""
    given, done = list[Key](), list[int]()
    for sure, (t, own) in shares.falling():
        if sure < _SURE and len(done) >= max(1, np.ceil(_ATLEAST * len(teams))):
            break
        at = grids[list(own)]
        if t not in done and (team[at] < 0).all():
            team[at] = teams[t]
            given.append((t, own))
            done.append(t)
    return given, done


def _placed(problem: Problem, team: Ints) -> Ints:
    """The grids which are left, each to the cheapest team that has room yet."""
    held = team >= 0
    room = problem.limit.copy()
    np.subtract.at(room, team[held], problem.loads[held])
    for g in np.flatnonzero(~held).tolist():
        team[g] = cheapest(problem.cost[g], problem.loads[g], room)
        room[team[g]] -= problem.loads[g]
    return team
