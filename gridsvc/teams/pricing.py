"""Sets of grids, one a team: which are best at given prices of grids, and what these prices prove."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gridsvc.balance.cache import prepare_cache
from gridsvc.teams.problem import Problem

__all__ = ["Key", "Look", "Pricing"]

_MANY = 300  # grids
_LOOKED = (2_000_000, 50_000)  # sets looked at for a team, of few and of many grids
_LISTED = 3_000  # sets listed for a proof
_NOISE = 1e-9

Key = tuple[int, tuple[int, ...]]
"""A team and the grids of a set, rising."""


@dataclass(frozen=True, slots=True)
class Look:
    """The teams' best sets at some prices.

    Attributes
    ----------
    bound : float
        No assignment costs less.
    sets : list of Key
        One for each team that wants any grid.
    held : float64 array, shape (n_grids,)
        In how many of them each grid is.
    new : int
        Sets which had not been met.
    """

    bound: float
    sets: list[Key]
    held: NDArray[np.float64]
    new: int


class Pricing:
    """The sets of a problem met so far, and the prices which prove most.

    Attributes
    ----------
    bound : float
        The best bound yet, and `prices` the prices of the grids it was found at, shape (n_grids,).
    pool : dict of Key to float
        Cost of each set met, overload included.
    looked : int
        Sets looked at.
    """

    def __init__(self, problem: Problem, prices: NDArray[np.float64], bound: float = -np.inf) -> None:
        prepare_cache()  # before numba is loaded
        self.problem, self.bound, self.prices = problem, bound, np.maximum(prices, 0.0)
        self.pool: dict[Key, float] = {}
        self.looked = 0
        self._work = _work(problem)
        self._worth: NDArray[np.float64] | None = None

    @property
    def few(self) -> bool:
        """Whether solvers for whole sets end within their budget."""
        return len(self.problem.cost) <= _MANY

    def add(self, team: int, grids: NDArray[Any]) -> tuple[Key, bool]:
        """The key of a set, and whether it had not been met."""
        key = (team, tuple(sorted(grids.tolist())))
        if key in self.pool:
            return key, False
        over = np.maximum(self.problem.loads[grids].sum(axis=0) - self.problem.limit[team], 0).sum()
        self.pool[key] = float(self.problem.cost[grids, team].sum() + self.problem.rate * over)
        return key, True

    def look(self, u: NDArray[np.float64]) -> Look:
        """Find each team's best set at the prices `u`, shape (n_grids,)."""
        from gridsvc.teams import kernels

        p, w = self.problem, self._work
        limit = _LOOKED[0 if self.few else 1]
        self.looked += kernels.price(
            w.cost, u, p.loads, p.limit, p.rate, limit, w.mu, w.step, w.keys, w.most,
            w.real, w.whole, w.sums, w.best, w.bound, w.chosen, w.size,
        )  # fmt: skip
        found = [self.add(t, w.chosen[t, : w.size[t]]) for t in np.flatnonzero(w.size).tolist()]
        held = np.zeros(len(u))
        for (_, grids), _new in found:
            held[list(grids)] += 1
        bound = float(u.sum() - w.bound.sum())
        if bound > self.bound:
            self.bound, self.prices, self._worth = bound, u.copy(), None
        return Look(bound, [key for key, _ in found], held, sum(new for _, new in found))

    def worth(self) -> NDArray[np.float64]:
        """The most that any set of each team is worth at the best prices, shape (n_teams,)."""
        if self._worth is None:
            self.look(self.prices)
            self._worth = self._work.bound.copy()
        return self._worth

    def dearness(self, keys: list[Key], worth: NDArray[np.float64]) -> NDArray[np.float64]:
        """By how much an assignment with each of these sets costs more than the bound, at least."""
        own = np.array([self.pool[key] - self.prices[list(key[1])].sum() for key in keys])
        return np.asarray(own + worth[[t for t, _ in keys]], np.float64)

    def every(self, spare: float) -> list[Key] | None:
        """All sets not dearer than the best of their team by more than `spare`, or None if too many."""
        from gridsvc.teams import kernels

        worth, p, w, keys = self.worth(), self.problem, self._work, list[Key]()
        found, worths = np.empty((_LISTED, kernels.LONGEST), np.int32), np.empty(_LISTED)
        for t in range(p.cost.shape[1]):
            room = found[len(keys) :]
            number = kernels.gather(
                w.cost[t], self.prices, p.loads, p.limit[t], p.rate, worth[t] - spare - _NOISE,
                -spare - _NOISE, 5 * _LOOKED[0], w.mu[t], w.step[t], w.keys, w.most, w.real, w.whole,
                w.sums, room, worths,
            )  # fmt: skip
            if number < 0:
                return None
            keys += [self.add(t, row[row >= 0])[0] for row in room[:number]]
        return keys


@dataclass(slots=True)
class _Work:
    """Arrays for the kernels."""

    cost: NDArray[np.float64]
    mu: NDArray[np.float64]
    step: NDArray[np.float64]
    keys: NDArray[np.float64]
    most: NDArray[np.float64]
    real: NDArray[np.float64]
    whole: NDArray[np.int64]
    sums: NDArray[np.float64]
    best: NDArray[np.float64]
    bound: NDArray[np.float64]
    chosen: NDArray[np.int32]
    size: NDArray[np.int64]


def _work(problem: Problem) -> _Work:
    from gridsvc.teams.kernels import LONGEST

    (n, n_teams), m = problem.cost.shape, problem.loads.shape[1]
    return _Work(
        np.ascontiguousarray(problem.cost.T),
        np.zeros((n_teams, LONGEST + 1, 3, m)),
        np.zeros((n_teams, LONGEST + 1, m)),
        np.empty(n),
        np.empty(LONGEST + 1),
        np.empty((4 + 2 * m, n + 1)),
        np.empty((4, n + 3), np.int64),
        np.empty((LONGEST + 2, 2 + m)),
        np.empty(n_teams),
        np.empty(n_teams),
        np.empty((n_teams, n), np.int32),
        np.empty(n_teams, np.int64),
    )
