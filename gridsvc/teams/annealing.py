"""Moves and swaps of grids taken by chance, ever less often for the worse: for where capacities are tight.

An overload costs little at first and ever more, so that grids can pass through teams that are full. The
budget is in steps and the numbers come from a seed, so that the same problem has the same answer everywhere.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from gridsvc.balance.cache import prepare_cache
from gridsvc.teams.problem import Answer, Problem
from gridsvc.teams.watch import Watch

__all__ = ["annealed"]

_STEPS = 60_000  # for each grid
_MOST = 80_000_000
_RUNS = (3, 1)  # for few and for many grids
_MANY = 300
_NEAR = 20  # teams which may be tried for a grid
_HEAT = (1.0, 0.05)  # at first and at last, in usual distances
_PRICE = (100.0, 1e6)  # of an average team's load carried too much, likewise
_PARTS = 100  # after which progress is told, and heat and price change


def annealed(problem: Problem, answer: Answer, watch: Watch | None = None) -> Answer:
    """The best assignment met from `answer` on; never a dearer one."""
    watch, best, runs = watch or Watch(), answer, _RUNS[0 if len(answer.team) <= _MANY else 1]
    for run in range(runs):
        found = _Run(problem, answer.team, run + 1).best(watch.part(run / runs, (run + 1) / runs))
        if problem.price(found) < problem.price(best.team):
            best = Answer(found, "moves and swaps by chance", -np.inf)
    return best


class _Run:
    """Arrays for the kernel."""

    def __init__(self, problem: Problem, team: NDArray[np.int64], seed: int) -> None:
        n, n_teams = problem.cost.shape
        self.problem = problem
        self.near = _near(problem.cost)
        self.team, self.found = team.astype(np.int64), team.astype(np.int64)
        self.carried = problem.carried(team)
        self.members = np.zeros((n_teams, n), np.int64)
        self.place, self.count = np.zeros(n, np.int64), np.zeros(n_teams, np.int64)
        for g, t in enumerate(self.team.tolist()):
            self.members[t, self.count[t]], self.place[g] = g, self.count[t]
            self.count[t] += 1
        self.least = np.array([problem.price(team)])
        self.rng = np.array([seed], np.uint64)

    def best(self, watch: Watch) -> NDArray[np.int64]:
        """Cool down once, or until the time is over."""
        prepare_cache()  # before numba is loaded
        from gridsvc.teams.swaps import shuffle

        p, steps = self.problem, min(_STEPS * len(self.team), _MOST) // _PARTS
        for part in range(_PARTS):
            done = part / (_PARTS - 1)
            if watch.over(done, "swapping grids"):
                break
            heat = _HEAT[0] * (_HEAT[1] / _HEAT[0]) ** done
            price = _PRICE[0] * (_PRICE[1] / _PRICE[0]) ** done
            shuffle(
                p.cost, p.loads, p.limit, self.near, self.team, self.found, self.carried, self.members,
                self.place, self.count, self.rng, self.least, steps, heat, price, p.rate,
            )  # fmt: skip
        return self.found


def _near(cost: NDArray[np.float64]) -> NDArray[np.int64]:
    """The cheapest teams of each grid, shape (n_grids, n_near); the best again where fewer may own it."""
    order = np.argsort(cost, axis=1, kind="stable")[:, : min(_NEAR, cost.shape[1])]
    may = np.isfinite(np.take_along_axis(cost, order, 1))
    return np.where(may, order, order[:, :1]).astype(np.int64)
