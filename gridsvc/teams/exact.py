"""Assignments found or judged by solvers: even numbers of grids, or capacities."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from scipy.optimize import OptimizeResult

__all__ = ["Answer", "evenly", "refined"]

_GAP = 0.01
_EXACT_SIZE = 4_000  # grids x teams beyond which branching takes minutes
_OVERLOADED_SIZE = 1_000  # the same where capacities cannot be kept, which is harder
_NOTHING = 1e-9  # float noise
_NODES = 30  # a budget in work, not in time, so that the answer does not depend on the machine


@dataclass(frozen=True, slots=True)
class Answer:
    """Team of each grid (int64 array, shape (n_grids,)), how it was found and how far from the best.

    `gap` is relative (0.01 is 1 %), None where it is not known.
    """

    team: NDArray[np.int64]
    method: str
    gap: float | None


def evenly(cost: NDArray[np.float64]) -> Answer:
    """The cheapest assignment in which the teams' numbers of grids differ by at most one; exact.

    Each team offers floor(g / t) places which must be filled and one which may stay empty; dummy grids,
    barred from the first kind, fill what is left.

    Parameters
    ----------
    cost : float64 array, shape (n_grids, n_teams)
    """
    from scipy.optimize import linear_sum_assignment

    n_grids, n_teams = cost.shape
    must = n_grids // n_teams
    owner = np.concatenate([np.repeat(np.arange(n_teams), must), np.arange(n_teams)])
    dummies = np.zeros((len(owner) - n_grids, len(owner)))
    dummies[:, : must * n_teams] = 1 + cost.max(initial=0.0) * n_grids
    rows, places = linear_sum_assignment(np.vstack([cost[:, owner], dummies]))
    return Answer(owner[places[rows < n_grids]], "assignment", 0.0)


def refined(
    cost: NDArray[np.float64], totals: NDArray[np.float64], capacity: NDArray[np.float64], quick: Answer
) -> Answer:
    """Say how far a quick answer is from the best, and search for a better one where that is above 1 %.

    The linear relaxation gives the bound and HiGHS searches; first for an answer within capacities, and
    where there is none for the least overload (in shares of a measure's total), then the least distance.
    What would take minutes is not searched for.

    Parameters
    ----------
    cost : float64 array, shape (n_grids, n_teams)
    totals : float64 array, shape (n_grids, n_measures)
    capacity : float64 array, shape (n_teams, n_measures), inf is unlimited
    quick : Answer
    """
    program = _Program(cost, totals, capacity)
    over = program.overload(quick.team)
    if over == 0:
        quick = replace(quick, gap=program.gap(quick.team))
    if (quick.gap is not None and quick.gap <= _GAP) or cost.size > _EXACT_SIZE:
        return quick
    exact = program.solve(overload=0.0)
    if exact is None and over > 0 and cost.size <= _OVERLOADED_SIZE:
        least = program.least_overload(over)
        exact = None if least is None else program.solve(overload=least)
    if exact is None or _rank(program, quick) < _rank(program, exact):
        return quick
    return exact


def _rank(program: _Program, answer: Answer) -> tuple[float, float]:
    return round(program.overload(answer.team), 6), round(program.price(answer.team), 9)


class _Program:
    """Binary x[g, t] and overloads s[i] >= 0, one for each team and measure with a capacity."""

    def __init__(
        self, cost: NDArray[np.float64], totals: NDArray[np.float64], capacity: NDArray[np.float64]
    ) -> None:
        from scipy.optimize import LinearConstraint
        from scipy.sparse import coo_matrix, csr_matrix, hstack

        self.shape = cost.shape
        n_grids, n_teams = cost.shape
        unit = np.where(totals.sum(axis=0) > 0, totals.sum(axis=0), 1.0)
        self.loads, self.limit = totals / unit, capacity / unit
        team, measure = np.nonzero(np.isfinite(capacity))
        self.n_slack = len(team)
        self.distance = cost.ravel() / max(cost.mean(), 1e-12)
        grid = np.arange(n_grids)
        one_team = coo_matrix(
            (np.ones(cost.size), (np.repeat(grid, n_teams), np.arange(cost.size))), (n_grids, cost.size)
        )
        rows = np.repeat(np.arange(self.n_slack), n_grids)
        columns = (grid * n_teams + team[:, None]).ravel()
        load = coo_matrix((self.loads[:, measure].T.ravel(), (rows, columns)), (self.n_slack, cost.size))
        self.one_team = LinearConstraint(hstack([one_team, csr_matrix((n_grids, self.n_slack))]), 1, 1)
        slack = csr_matrix(-np.eye(self.n_slack))
        limit = self.limit[team, measure] * (1 + _NOTHING)
        self.load = LinearConstraint(hstack([load, slack]), -np.inf, limit)

    def overload(self, team: NDArray[np.int64]) -> float:
        """Total overload of an assignment, in shares of the measures' totals."""
        carried = np.zeros_like(self.limit)
        np.add.at(carried, team, self.loads)
        return float(np.round(np.maximum(carried - self.limit, 0).sum(), 9))

    def price(self, team: NDArray[np.int64]) -> float:
        """Total distance of an assignment, in mean distances."""
        return float(self.distance.reshape(self.shape)[np.arange(len(team)), team].sum())

    def gap(self, team: NDArray[np.int64]) -> float | None:
        """How far an assignment within capacities may be above the best, by the linear relaxation."""
        result = self._run(self._objective, 0.0, whole=False)
        if result.x is None:
            return None
        return max(0.0, 1 - float(result.fun) / max(self.price(team), _NOTHING))

    def least_overload(self, known: float) -> float | None:
        """The smallest total overload (to the gap), `known` being one that can be had; or None."""
        objective = np.concatenate([np.zeros_like(self.distance), np.ones(self.n_slack)])
        result = self._run(objective, known + _NOTHING)
        return None if result.x is None else float(result.x[self.distance.size :].sum())

    def solve(self, overload: float) -> Answer | None:
        """The cheapest assignment with at most this total overload, or None."""
        result = self._run(self._objective, overload * (1 + _GAP))
        if result.x is None:
            return None
        chosen = result.x[: self.distance.size].reshape(self.shape).argmax(axis=1)
        return Answer(chosen.astype(np.int64), "milp", float(result.mip_gap))

    @property
    def _objective(self) -> NDArray[np.float64]:
        return np.concatenate([self.distance, np.zeros(self.n_slack)])

    def _run(self, objective: NDArray[np.float64], overload: float, *, whole: bool = True) -> OptimizeResult:
        from scipy.optimize import Bounds, LinearConstraint, milp
        from scipy.sparse import csr_matrix

        n = self.distance.size
        total = csr_matrix(np.concatenate([np.zeros(n), np.ones(self.n_slack)]))
        return milp(
            objective,
            integrality=np.concatenate([np.full(n, whole), np.zeros(self.n_slack)]),
            bounds=Bounds(0, np.concatenate([np.ones(n), np.full(self.n_slack, np.inf)])),
            constraints=[self.one_team, self.load, LinearConstraint(total, 0, overload)],
            options={"mip_rel_gap": _GAP, "node_limit": _NODES},
        )
