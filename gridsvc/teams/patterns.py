"""Assignments made of whole sets of grids, one a team: exact where teams own few grids each.

The Dantzig-Wolfe way: prices of grids are raised and lowered until the teams' best sets at those prices
nearly cover every grid once. What the prices come to is a bound over all sets; the sets met are put together
by an integer program. Where all sets that a better answer could hold can be listed, the answer is proven.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gridsvc.balance.cache import prepare_cache
from gridsvc.teams.exact import relaxed
from gridsvc.teams.problem import Answer, Problem
from gridsvc.teams.watch import Watch

__all__ = ["by_patterns"]

_CLOSE = (1e-3, 5e-3)  # gap which is close enough, for few and for many grids
_STEPS = (1_500, 400)  # changes of prices by what is covered too often or too rarely
_MASTERS = 300  # linear programs, likewise, where grids are few
_PATIENCE = 25  # such changes without a better bound
_LITTLE = 1e-6
_MANY = 300
_LOOK = (200_000, 4_000)  # sets looked at for a team
_BUDGET = 100_000_000  # sets looked at in all before the linear programs end
_LISTED = 5_000  # sets listed for a proof
_TAKEN = 10_000  # sets an integer program takes
_LONGEST = 64
_NODES = 300
_SHARES = (1.0, 0.5, 0.25, 1.0, 0.5)  # of the gap, within which all sets are listed
_NOISE = 1e-9

Key = tuple[int, tuple[int, ...]]


def by_patterns(problem: Problem, quick: Answer, watch: Watch | None = None) -> Answer:
    """Search for a better answer than `quick`, with a bound over all assignments."""
    watch = watch or Watch()
    duals = relaxed(problem, watch.part(0.0, 0.1))
    search = _Search(problem, duals.bound, duals.grid)
    search.keep(quick)
    if not search.ended(watch):
        search.subgradient(watch.part(0.1, 0.4 if search.few else 1.0))
    if not search.ended(watch) and search.few:
        search.masters(watch.part(0.4, 0.7))
    if not search.ended(watch) and search.few:
        search.assemble(search.near(), watch.part(0.7, 0.8))
    if not search.ended(watch) and search.few:
        search.prove(watch.part(0.8, 1.0))
    return Answer(search.team, "sets of grids", search.bound, {"sets": len(search.pool)})


@dataclass(slots=True)
class _Work:
    """Arrays for the kernels."""

    cost: NDArray[np.float64]
    keys: NDArray[np.float64]
    real: NDArray[np.float64]
    whole: NDArray[np.int64]
    sums: NDArray[np.float64]
    best: NDArray[np.float64]
    bound: NDArray[np.float64]
    chosen: NDArray[np.int32]
    size: NDArray[np.int64]


def _work(problem: Problem) -> _Work:
    (n, n_teams), m = problem.cost.shape, problem.loads.shape[1]
    return _Work(
        np.ascontiguousarray(problem.cost.T),
        np.empty(n),
        np.empty((2 + 2 * m, n)),
        np.empty((3, n + 1), np.int64),
        np.empty((n + 2, 2 + m)),
        np.empty(n_teams),
        np.empty(n_teams),
        np.empty((n_teams, n), np.int32),
        np.empty(n_teams, np.int64),
    )


@dataclass(slots=True)
class _Search:
    problem: Problem
    bound: float
    prices: NDArray[np.float64]
    pool: dict[Key, float] = field(default_factory=dict)
    looked: int = 0
    price: float = np.inf
    team: NDArray[np.int64] = field(default_factory=lambda: np.empty(0, np.int64))
    work: _Work = field(init=False)

    def __post_init__(self) -> None:
        prepare_cache()  # before numba is loaded
        self.work = _work(self.problem)
        self.prices = np.maximum(self.prices, 0.0)

    @property
    def few(self) -> bool:
        """Whether solvers for whole sets end within their budget."""
        return len(self.problem.cost) <= _MANY

    @property
    def _near_enough(self) -> float:
        return _CLOSE[0 if self.few else 1]

    def close(self) -> bool:
        """Whether the answer is near enough to its bound."""
        return self.price - self.bound <= self._near_enough * max(abs(self.price), _NOISE)

    def ended(self, watch: Watch) -> bool:
        """Whether the answer is near enough, or the time over."""
        return self.close() or watch.truncated

    def keep(self, answer: Answer) -> None:
        """Take an answer, if it is the best so far, and its sets."""
        price = self.problem.price(answer.team)
        for t in np.unique(answer.team).tolist():
            self._add(t, np.flatnonzero(answer.team == t))
        if price < self.price:
            self.price, self.team = price, answer.team

    def _add(self, team: int, grids: NDArray[Any]) -> bool:
        key = (team, tuple(sorted(grids.tolist())))
        if key in self.pool:
            return False
        over = np.maximum(self.problem.loads[grids].sum(axis=0) - self.problem.limit[team], 0).sum()
        self.pool[key] = float(self.problem.cost[grids, team].sum() + self.problem.rate * over)
        return True

    def look(self, u: NDArray[np.float64], *, close: bool = False) -> tuple[float, int]:
        """Find each team's best set at these prices; gives their bound and how many sets are new."""
        from gridsvc.teams import kernels

        p, w = self.problem, self.work
        limit = _LOOK[0] if self.few else _LOOK[1] * (3 if close else 1)
        self.looked += kernels.price(
            w.cost, u, p.loads, p.limit, p.rate, limit, w.keys, w.real, w.whole, w.sums,
            w.best, w.bound, w.chosen, w.size,
        )  # fmt: skip
        new = sum(self._add(t, w.chosen[t, : w.size[t]]) for t in np.flatnonzero(w.size).tolist())
        bound = float(u.sum() - w.bound.sum())
        if bound > self.bound:
            self.bound, self.prices = bound, u.copy()
        return bound, new

    def subgradient(self, watch: Watch) -> None:
        """Raise prices of grids which no set holds and lower those which several do."""
        u, step, stalled = self.prices.copy(), 1.0, 0
        way = np.zeros_like(u)
        steps = _STEPS[0 if self.few else 1]
        for turn in range(steps):
            before = self.bound
            bound, _new = self.look(u)
            stalled = 0 if self.bound > before + _LITTLE * abs(before) else stalled + 1
            held = np.zeros_like(u)
            for t in np.flatnonzero(self.work.size).tolist():
                held[self.work.chosen[t, : self.work.size[t]]] += 1
            way = 0.3 * (1 - held) + 0.7 * way
            goal = max(self.price, self.bound * 1.005)
            u = np.maximum(u + step * max(goal - bound, 0.0) / max(float(way @ way), _NOISE) * way, 0.0)
            if stalled >= _PATIENCE:
                step, stalled, u = step * 0.7, 0, self.prices.copy()
            over = watch.over(turn / steps, "pricing sets of grids")
            if step < 1e-3 or over or self.close():
                break

    def masters(self, watch: Watch) -> None:
        """Let linear programs over the sets met find better prices, until no set is missing."""
        for turn in range(_MASTERS):
            program = partial(self._master, list(self.pool))
            cost, u = watch.solved(program, turn / _MASTERS, f"{len(self.pool)} sets of grids")
            if watch.truncated:
                break
            middle = 0.5 * u + 0.5 * self.prices
            new = (self.look(middle, close=True)[1] if turn % 4 else 0) + self.look(u, close=True)[1]
            near = cost - self.bound <= 0.2 * self._near_enough * abs(cost)
            if new == 0 or near or self.looked > _BUDGET:
                break

    def _program(self, keys: list[Key]) -> tuple[NDArray[np.float64], Any, Any]:
        from scipy.sparse import coo_matrix

        n, n_teams = self.problem.cost.shape
        columns = np.repeat(np.arange(len(keys)), [len(grids) for _, grids in keys])
        rows = np.fromiter((g for _, grids in keys for g in grids), np.int64, len(columns))
        cover = coo_matrix((np.ones(len(rows)), (rows, columns)), (n, len(keys))).tocsr()
        own = np.fromiter((t for t, _ in keys), np.int64, len(keys))
        once = coo_matrix((np.ones(len(keys)), (own, np.arange(len(keys)))), (n_teams, len(keys))).tocsr()
        return np.array([self.pool[key] for key in keys]), cover, once

    def _master(self, keys: list[Key], seconds: float | None) -> tuple[float, NDArray[np.float64]]:
        from scipy.optimize import linprog
        from scipy.sparse import vstack

        cost, cover, once = self._program(keys)
        right = np.concatenate([-np.ones(cover.shape[0]), np.ones(once.shape[0])])
        rows, options = vstack([-cover, once]), {"time_limit": seconds}
        result = linprog(cost, A_ub=rows, b_ub=right, method="highs", options=options)
        if result.status != 0:  # out of time
            return np.inf, self.prices
        return float(result.fun), np.maximum(-result.ineqlin.marginals[: cover.shape[0]], 0.0)

    def near(self) -> list[Key]:
        """The sets met which a better answer could hold at the best prices, the likeliest first."""
        spare = self.price - self.bound
        keys = list(self.pool)
        dear = np.array([self.pool[key] - self.prices[list(key[1])].sum() for key in keys])
        order = np.argsort(dear + self._worth()[[t for t, _ in keys]], kind="stable")[:_TAKEN]
        held = {(t, tuple(np.flatnonzero(self.team == t).tolist())) for t in np.unique(self.team).tolist()}
        worth = self._worth()
        chosen = [keys[i] for i in order.tolist() if dear[i] + worth[keys[i][0]] <= spare + _NOISE]
        return chosen + [key for key in self.pool if key in held - set(chosen)]

    def _worth(self) -> NDArray[np.float64]:
        self.look(self.prices, close=True)
        return self.work.bound.copy()

    def assemble(self, keys: list[Key], watch: Watch) -> float:
        """The cheapest assignment made of these sets; gives a bound on all that are."""
        program = partial(self._whole, *self._program(keys))
        result = watch.solved(program, 0.0, f"putting {len(keys)} sets together")
        if result.x is not None:
            self.keep(Answer(self._team([keys[i] for i in np.flatnonzero(result.x > 0.5)]), "", -np.inf))
        return float(result.mip_dual_bound) if result.mip_dual_bound is not None else -np.inf

    def _whole(self, cost: NDArray[np.float64], cover: Any, once: Any, seconds: float | None) -> Any:
        from scipy.optimize import LinearConstraint, milp

        constraints = [LinearConstraint(cover, 1, np.inf), LinearConstraint(once, -np.inf, 1)]
        options = {"mip_rel_gap": 0.2 * self._near_enough, "node_limit": _NODES, "time_limit": seconds}
        return milp(cost, integrality=np.ones(len(cost)), constraints=constraints, options=options)

    def _team(self, keys: list[Key]) -> NDArray[np.int64]:
        """Each grid to the cheapest of the teams whose sets hold it."""
        team = np.full(len(self.problem.cost), -1, np.int64)
        for t, grids in keys:
            for g in grids:
                if team[g] < 0 or self.problem.cost[g, t] < self.problem.cost[g, team[g]]:
                    team[g] = t
        return team

    def prove(self, watch: Watch) -> None:
        """Put together every set which a better answer could hold, or where these are too many the best."""
        for turn, share in enumerate(_SHARES):
            step = watch.part(turn / len(_SHARES), (turn + 1) / len(_SHARES))
            floor, spare = self.bound, self.price - self.bound
            keys = self._every(share * spare)
            if keys is not None:  # what holds another set costs more than the bound and its share
                all_of_these = self.assemble(keys, step)
                self.bound = max(floor, min(all_of_these, floor + share * spare, self.price))
            if self.ended(watch) or (share == 1.0 and keys is not None):
                return

    def _every(self, spare: float) -> list[Key] | None:
        """All sets not dearer than the best of their team by more than `spare`, or None if too many."""
        from gridsvc.teams import kernels

        worth, p, w, keys = self._worth(), self.problem, self.work, list[Key]()
        found, worths = np.empty((_LISTED, _LONGEST), np.int32), np.empty(_LISTED)
        for t in range(p.cost.shape[1]):
            room = found[len(keys) :]
            number = kernels.gather(
                w.cost[t], self.prices, p.loads, p.limit[t], p.rate, worth[t] - spare - _NOISE, 5 * _LOOK[0],
                w.keys, w.real, w.whole, w.sums, room, worths,
            )  # fmt: skip
            if number < 0:
                return None
            for row in room[:number]:
                self._add(t, grids := row[row >= 0])
                keys.append((t, tuple(sorted(grids.tolist()))))
        return keys
