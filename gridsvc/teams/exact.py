"""Assignments found or judged by solvers: even numbers of grids, or one variable for each grid and team."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gridsvc.teams.problem import Answer, Problem
from gridsvc.teams.watch import Watch

__all__ = ["Duals", "by_program", "evenly", "relaxed"]

_NEAR = 12  # teams a grid is first tried with
_ROUNDS = 30
_GAP = 0.002
_NODES = 400  # a budget in work, not in time, so that the answer does not depend on the machine
_PAIRS = 40_000  # beyond this many pairs the solver gets fewer nodes
_NOISE = 1e-7


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
    team = owner[places[rows < n_grids]]
    return Answer(team, "assignment", float(cost[np.arange(n_grids), team].sum()))


@dataclass(frozen=True, slots=True)
class Duals:
    """Prices of the linear relaxation.

    Attributes
    ----------
    grid : float64 array, shape (n_grids,)
        What it costs to place one more such grid.
    reduced : float64 array, shape (n_grids, n_teams)
        By how much each pair raises the bound, if it is taken; inf where it may not be.
    wanting : bool array, shape (n_grids, n_teams)
        Pairs which would lower the relaxation's cost.
    bound : float
        No assignment costs less, all pairs counted.
    """

    grid: NDArray[np.float64]
    reduced: NDArray[np.float64]
    wanting: NDArray[np.bool_]
    bound: float


def relaxed(problem: Problem, watch: Watch | None = None) -> Duals:
    """Solve the linear relaxation with few pairs, adding those which would help until none does."""
    chosen, watch = _nearest(problem.cost), watch or Watch()
    for turn in range(_ROUNDS):
        program = _Program(problem, chosen)
        duals = watch.solved(program.duals, turn / _ROUNDS, "relaxing the problem")
        missing = duals.wanting & ~chosen
        if not missing.any():
            break
        chosen |= missing
    return duals


def _nearest(cost: NDArray[np.float64]) -> NDArray[np.bool_]:
    n_near = min(_NEAR, cost.shape[1])
    kth = np.partition(cost, n_near - 1, axis=1)[:, n_near - 1 : n_near]
    return np.isfinite(cost) & (cost <= kth)


def by_program(problem: Problem, quick: Answer, watch: Watch | None = None) -> Answer:
    """Search by branch and bound among the pairs which a better answer than `quick` may hold.

    The linear relaxation gives a bound; a pair so dear that taking it costs more than `quick` is left out,
    which takes nothing from the proof.
    """
    watch = watch or Watch()
    duals = relaxed(problem, watch.part(0.0, 0.3))
    price = problem.price(quick.team)
    spare = price - duals.bound
    if watch.over(0.3, "bound known") or spare <= _GAP * max(price, _NOISE):
        return Answer(quick.team, "moves and swaps with a bound", duals.bound)
    open_ = (duals.reduced <= spare + _NOISE) & np.isfinite(problem.cost)
    open_[np.arange(len(quick.team)), quick.team] = True
    program = _Program(problem, open_)
    nodes = _NODES if open_.sum() <= _PAIRS else _NODES // 20
    found = watch.solved(partial(program.whole, nodes), 0.4, f"choosing among {open_.sum()} pairs")
    bound = max(duals.bound, min(found.bound, problem.price(quick.team)))
    better = found.team is not None and problem.price(found.team) < problem.price(quick.team)
    team = found.team if better and found.team is not None else quick.team
    return Answer(team, "branch and bound", bound, {"pairs": int(open_.sum()), "nodes": found.nodes})


@dataclass(frozen=True, slots=True)
class _Found:
    team: NDArray[np.int64] | None
    bound: float
    nodes: int


class _Program:
    """Binary x[pair] and overloads s[i] >= 0, one for each team and measure with a limit."""

    def __init__(self, problem: Problem, chosen: NDArray[np.bool_]) -> None:
        from scipy.sparse import coo_matrix, csr_matrix, hstack, identity

        self.problem = problem
        self.grid, self.team = np.nonzero(chosen)
        n_pairs, pair = len(self.grid), np.arange(len(self.grid))
        self.at = np.nonzero(np.isfinite(problem.limit))
        row = np.full(problem.limit.shape, -1)
        row[self.at] = np.arange(len(self.at[0]))
        rows, n_rows = row[self.team], len(self.at[0])  # shape (n_pairs, n_measures)
        used, measure = np.nonzero(rows >= 0)
        loads = problem.loads[self.grid[used], measure]
        carry = coo_matrix((loads, (rows[used, measure], used)), (n_rows, n_pairs))
        once = coo_matrix((np.ones(n_pairs), (self.grid, pair)), (len(problem.cost), n_pairs))
        self.once = hstack([once, csr_matrix((len(problem.cost), n_rows))]).tocsr()
        self.carry = hstack([carry, -identity(n_rows)]).tocsr()
        self.cost = np.concatenate([problem.cost[chosen], np.full(n_rows, problem.rate)])

    def duals(self, seconds: float | None = None) -> Duals:
        """Prices at the optimum; where the time is over before, those of unlimited teams."""
        from scipy.optimize import linprog

        problem, limit = self.problem, self.problem.limit[self.at]
        result = linprog(
            self.cost,
            A_ub=self.carry if len(limit) else None,
            b_ub=limit if len(limit) else None,
            A_eq=self.once,
            b_eq=np.ones(len(problem.cost)),
            method="highs",
            options={"time_limit": seconds},
        )
        done = result.status == 0
        price = np.zeros_like(problem.limit)
        if done and len(limit):
            price[self.at] = np.clip(-result.ineqlin.marginals, 0.0, problem.rate)
        full = problem.cost + problem.loads @ price.T
        grid = full.min(axis=1)
        bound = float(grid.sum() - (price[self.at] * limit).sum())
        marginal: NDArray[np.float64] = result.eqlin.marginals if done else grid
        wanting = full < marginal[:, None] - _NOISE
        return Duals(marginal, full - grid[:, None], wanting, bound)

    def whole(self, nodes: int, seconds: float | None = None) -> _Found:
        from scipy.optimize import Bounds, LinearConstraint, milp

        n, n_rows = len(self.grid), len(self.at[0])
        constraints = [LinearConstraint(self.once, 1, 1)]
        if n_rows:
            constraints.append(LinearConstraint(self.carry, -np.inf, self.problem.limit[self.at]))
        result: Any = milp(
            self.cost,
            integrality=np.concatenate([np.ones(n), np.zeros(n_rows)]),
            bounds=Bounds(0, np.concatenate([np.ones(n), np.full(n_rows, np.inf)])),
            constraints=constraints,
            options={"mip_rel_gap": _GAP, "node_limit": nodes, "time_limit": seconds},
        )
        bound = result.mip_dual_bound if result.mip_dual_bound is not None else -np.inf
        if result.x is None:
            return _Found(None, float(bound), int(result.mip_node_count or 0))
        team = np.zeros(len(self.problem.cost), np.int64)
        taken = result.x[:n] > 0.5
        team[self.grid[taken]] = self.team[taken]
        return _Found(team, float(bound), int(result.mip_node_count or 0))
