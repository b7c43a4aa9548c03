"""The assignment of grids to teams as arrays, and what an answer to it costs."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["Answer", "Problem", "problem_of"]

_RATE = 30_000.0
"""What carrying an average team's load too much costs, in usual distances: far more than any way saves."""
_NOISE = 1e-9


@dataclass(frozen=True, slots=True)
class Problem:
    """Grids to be given to teams, each to one.

    Attributes
    ----------
    cost : float64 array, shape (n_grids, n_teams), usual distances
        What it costs that a team owns a grid; inf where it may not. Each grid has a team which may.
    loads : float64 array, shape (n_grids, n_measures), average team's loads
    limit : float64 array, shape (n_teams, n_measures), average team's loads
        What each team can carry; inf is unlimited.
    rate : float
        Cost of an average team's load above a limit.
    """

    cost: NDArray[np.float64]
    loads: NDArray[np.float64]
    limit: NDArray[np.float64]
    rate: float = _RATE

    def carried(self, team: NDArray[np.int64]) -> NDArray[np.float64]:
        """Load of each team, shape (n_teams, n_measures)."""
        load = np.zeros_like(self.limit)
        np.add.at(load, team, self.loads)
        return load

    def overload(self, team: NDArray[np.int64]) -> float:
        """What is carried above the limits, of all teams and measures together."""
        over = self.carried(team) - self.limit
        return float(over[over > _NOISE].sum())

    def price(self, team: NDArray[np.int64]) -> float:
        """Cost of an assignment, overload included."""
        return float(self.cost[np.arange(len(team)), team].sum()) + self.rate * self.overload(team)


@dataclass(frozen=True, slots=True)
class Answer:
    """Team of each grid (int64 array, shape (n_grids,)), how it was found and how far from the best.

    Attributes
    ----------
    bound : float
        No assignment costs less, in the unit of the problem's costs; -inf where nothing is known.
    notes : dict
        What the search came to, JSON-ready.
    """

    team: NDArray[np.int64]
    method: str
    bound: float
    notes: dict[str, Any] = field(default_factory=dict)


def problem_of(
    cost: NDArray[np.float64], totals: NDArray[np.float64], capacity: NDArray[np.float64]
) -> Problem:
    """The problem in units in which usual numbers are about one.

    Parameters
    ----------
    cost : float64 array, shape (n_grids, n_teams)
        In usual distances already.
    totals : float64 array, shape (n_grids, n_measures)
    capacity : float64 array, shape (n_teams, n_measures), inf is unlimited
    """
    whole = totals.sum(axis=0) / cost.shape[1]
    unit = np.where(whole > 0, whole, 1.0)
    return Problem(cost, totals / unit, capacity / unit * (1 + _NOISE))
