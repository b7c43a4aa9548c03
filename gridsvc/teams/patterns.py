"""Assignments made of whole sets of grids, one a team: near the best where teams own few grids each.

The Dantzig-Wolfe way: prices of grids are raised and lowered until the teams' best sets at those prices
nearly cover every grid once. What the prices come to is a bound over all sets. The surest sets are given out
and the rest is priced again, which makes an answer; it is made better a few teams at a time. Where grids are
few, linear programs find the best prices, an integer program puts the sets together, and where all sets that
a better answer could hold can be listed, the answer is proven.
"""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gridsvc.teams.ascent import Shares, ascended
from gridsvc.teams.dive import dived, part_of
from gridsvc.teams.exact import relaxed
from gridsvc.teams.pricing import Key, Pricing
from gridsvc.teams.problem import Answer, Problem
from gridsvc.teams.watch import Watch

__all__ = ["by_patterns"]

_CLOSE = (1e-3, 5e-3)  # gap which is close enough, for few and for many grids
_STEPS = (200, 400)  # changes of prices, likewise
_MORE = 300  # of many grids, where the gap is still wide
_WIDE = 0.01
_PACE = (1.0, 0.02)
_PACES = (0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 1.5, 2.0)
_MASTERS = 100  # linear programs, where grids are few
_BUDGET = 100_000_000  # sets looked at in all before these end
_TOGETHER = 12  # teams whose grids are dealt out again together
_AGAIN = (24, 150)  # times that is done
_AGAIN_STEPS = 60
_TAKEN = 10_000  # sets an integer program takes
_NODES = (300, 100)  # of an integer program with at most so many sets, and with more
_SMALL = 1_500
_NONE = 2  # the solver's word for: there is none
_SHARES = (0.1, 0.2, 0.4, 0.7, 1.0)  # of the gap, within which all sets are listed
_NOISE = 1e-9


def by_patterns(problem: Problem, quick: Answer, watch: Watch | None = None) -> Answer:
    """Search for a better answer than `quick`, with a bound over all assignments."""
    watch = watch or Watch()
    duals = relaxed(problem, watch.part(0.0, 0.05))
    search = _Search(Pricing(problem, duals.grid, duals.bound))
    search.keep(quick.team)
    for step, start, end in search.steps():
        if search.ended(watch):
            break
        step(watch.part(start, end))
    return Answer(search.team, "sets of grids", search.bound, {"sets": len(search.pricing.pool)})


class _Search:
    """The best answer so far, and what is known of its sets."""

    def __init__(self, pricing: Pricing) -> None:
        self.pricing, self.problem, self.few = pricing, pricing.problem, pricing.few
        self.near = _CLOSE[0 if self.few else 1]
        self.price, self.team, self.proven = np.inf, np.empty(0, np.int64), -np.inf
        self.shares = Shares()

    def steps(self) -> list[tuple[Any, float, float]]:
        """What is done one after the other, from which share of the whole to which."""
        first = [(self.ascend, 0.05, 0.3), (self.dive, 0.3, 0.4)]
        if not self.few:
            return [*first, (self.deal_again, 0.4, 0.8), (self.ascend_more, 0.8, 1.0)]
        return [
            *first,
            (self.masters, 0.4, 0.6),
            (self.dive_again, 0.6, 0.65),
            (self.deal_again, 0.65, 0.7),
            (self.prove, 0.7, 1.0),
        ]

    @property
    def gap(self) -> float:
        """Share of the price which may be too much."""
        return (self.price - self.bound) / max(abs(self.price), _NOISE)

    @property
    def bound(self) -> float:
        """What no answer costs less than: by the prices, or by all sets that may be better."""
        return max(self.pricing.bound, self.proven)

    def ended(self, watch: Watch) -> bool:
        """Whether the answer is near enough, or the time over."""
        return self.gap <= self.near or watch.truncated

    def keep(self, team: NDArray[np.int64]) -> bool:
        """Take an answer, if it is the best so far, and its sets; gives whether it is."""
        price = self.problem.price(team)
        for t in np.unique(team).tolist():
            self.pricing.add(t, np.flatnonzero(team == t))
        if price < self.price - _NOISE:
            self.price, self.team = price, team
            return True
        return False

    def ascend(self, watch: Watch) -> None:
        """Find good prices, and the sets which matter."""
        steps = _STEPS[0 if self.few else 1]
        self.shares = ascended(self.pricing, self.price, steps, _PACE[0], watch, self.near)

    def ascend_more(self, watch: Watch) -> None:
        """Find better prices still."""
        ascended(self.pricing, self.price, _MORE, _PACE[1], watch, self.near)

    def dive(self, watch: Watch) -> None:
        """Make an answer from the prices."""
        self.keep(dived(self.pricing, self.shares, self.price, watch))

    def dive_again(self, watch: Watch) -> None:
        """Make answers from the best prices, each time from another average of the sets near them."""
        for turn, pace in enumerate(_PACES):
            if watch.over(turn / len(_PACES), "giving out sets of grids") or self.gap <= self.near:
                break
            shares = ascended(self.pricing, self.price, _AGAIN_STEPS, pace, Watch())
            self.keep(dived(self.pricing, shares, self.price, Watch()))

    def deal_again(self, watch: Watch) -> None:
        """Deal out again what the teams near a dear one hold, the dearest first."""
        tried, most = set[tuple[int, ...]](), _AGAIN[0 if self.few else 1]
        for turn in range(most):
            if watch.over(turn / most, "dealing out again what a few teams hold") or self.gap <= self.near:
                break
            teams = next((near for near in self._dear() if tuple(near) not in tried), None)
            if teams is None:
                break
            tried = {near for near in tried if not set(near) & set(teams)} if self._dealt(teams) else tried
            tried.add(tuple(teams))

    def _dear(self) -> Any:
        """Groups of teams round each team, the one with the dearest set first."""
        n_teams = self.problem.cost.shape[1]
        held = [np.flatnonzero(self.team == t) for t in range(n_teams)]
        keys = [self.pricing.add(t, own)[0] for t, own in enumerate(held)]
        dear = self.pricing.dearness(keys, self.pricing.worth())
        for t in np.argsort(-dear, kind="stable").tolist():
            if dear[t] > _NOISE:
                yield self._round(t, held[t])

    def _round(self, t: int, own: NDArray[np.int64]) -> list[int]:
        """The teams which could best own what team `t` owns, or else what it could best own."""
        grids = own if len(own) else np.argsort(self.problem.cost[:, t], kind="stable")[:5]
        far = np.minimum(self.problem.cost[grids], 1e6).mean(axis=0)
        far[t] = -1.0
        return sorted(np.argsort(far, kind="stable")[:_TOGETHER].tolist())

    def _dealt(self, teams: list[int]) -> bool:
        """Deal out again what these teams hold; gives whether that was better."""
        grids = np.flatnonzero(np.isin(self.team, teams))
        part = part_of(self.problem, grids, np.array(teams))
        at = np.searchsorted(teams, self.team[grids])
        pricing, price = Pricing(part, self.pricing.prices[grids]), part.price(at)
        shares = ascended(pricing, price, _AGAIN_STEPS, _PACE[0], Watch(), self.near / 5)
        if price - pricing.bound <= self.near / 5 * price:
            return False
        found = dived(pricing, shares, price, Watch())
        if part.price(found) >= price - _NOISE:
            return False
        team = self.team.copy()
        team[grids] = np.array(teams)[found]
        return self.keep(team)

    def masters(self, watch: Watch) -> None:
        """Let linear programs over the sets met find better prices, until no set is missing."""
        pricing = self.pricing
        for turn in range(_MASTERS):
            program = partial(self._master, list(pricing.pool))
            cost, u = watch.solved(program, turn / _MASTERS, f"{len(pricing.pool)} sets of grids")
            if watch.truncated:
                break
            new = pricing.look(0.5 * u + 0.5 * pricing.prices).new if turn % 4 else 0
            new += pricing.look(u).new
            near = cost - pricing.bound <= 0.1 * self.near * abs(cost)
            if new == 0 or near or pricing.looked > _BUDGET:
                break

    def _program(self, keys: list[Key]) -> tuple[NDArray[np.float64], Any, Any]:
        from scipy.sparse import coo_matrix

        n, n_teams = self.problem.cost.shape
        columns = np.repeat(np.arange(len(keys)), [len(grids) for _, grids in keys])
        rows = np.fromiter((g for _, grids in keys for g in grids), np.int64, len(columns))
        cover = coo_matrix((np.ones(len(rows)), (rows, columns)), (n, len(keys))).tocsr()
        own = np.fromiter((t for t, _ in keys), np.int64, len(keys))
        once = coo_matrix((np.ones(len(keys)), (own, np.arange(len(keys)))), (n_teams, len(keys))).tocsr()
        return np.array([self.pricing.pool[key] for key in keys]), cover, once

    def _master(self, keys: list[Key], seconds: float | None) -> tuple[float, NDArray[np.float64]]:
        from scipy.optimize import linprog
        from scipy.sparse import vstack

        cost, cover, once = self._program(keys)
        right = np.concatenate([-np.ones(cover.shape[0]), np.ones(once.shape[0])])
        rows, options = vstack([-cover, once]), {"time_limit": seconds}
        result = linprog(cost, A_ub=rows, b_ub=right, method="highs", options=options)
        if result.status != 0:  # out of time
            return np.inf, self.pricing.prices
        return float(result.fun), np.maximum(-result.ineqlin.marginals[: cover.shape[0]], 0.0)

    def assemble(self, watch: Watch) -> None:
        """Put together the sets met which a better answer could hold at the best prices, the likeliest."""
        keys = list(self.pricing.pool)
        dear = self.pricing.dearness(keys, self.pricing.worth())
        order = np.argsort(dear, kind="stable")[:_TAKEN]
        chosen = [keys[i] for i in order.tolist() if dear[i] <= self.price - self.pricing.bound + _NOISE]
        own = {(t, tuple(np.flatnonzero(self.team == t).tolist())) for t in np.unique(self.team).tolist()}
        self._put_together(chosen + sorted(own - set(chosen)), watch)

    def _put_together(self, keys: list[Key], watch: Watch) -> float:
        """The cheapest assignment made of these sets; gives a bound on all that are."""
        if not keys:
            return np.inf
        program = partial(self._whole, *self._program(keys))
        result = watch.solved(program, 0.0, f"putting {len(keys)} sets together")
        if result.x is not None:
            self.keep(self._team([keys[i] for i in np.flatnonzero(result.x > 0.5)]))
        if result.status == _NONE:
            return np.inf
        return float(result.mip_dual_bound) if result.mip_dual_bound is not None else -np.inf

    def _whole(self, cost: NDArray[np.float64], cover: Any, once: Any, seconds: float | None) -> Any:
        from scipy.optimize import LinearConstraint, milp

        constraints = [LinearConstraint(cover, 1, np.inf), LinearConstraint(once, -np.inf, 1)]
        nodes = _NODES[0 if len(cost) <= _SMALL else 1]
        options = {"mip_rel_gap": 0.2 * self.near, "node_limit": nodes, "time_limit": seconds}
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
        """Put together every set which a better answer could hold: first those which a far better one could.

        An answer with any other set costs more than the bound of the prices and what the set is dearer.
        """
        floor = self.pricing.bound
        for turn, share in enumerate(_SHARES):
            step, spare = watch.part(turn / len(_SHARES), 1.0), share * (self.price - floor)
            keys = self.pricing.every(spare)
            if keys is None:
                break
            all_of_these = self._put_together(keys, step)
            self.proven = max(self.proven, min(all_of_these, floor + spare, self.price))
            if self.ended(watch):
                return
        if not self.ended(watch):
            self.assemble(watch.part(0.9, 1.0))
