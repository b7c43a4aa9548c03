"""Plans made from one in force at different prices of moved load: the dearer, the less of it moves."""

from __future__ import annotations

from dataclasses import dataclass, replace
from time import perf_counter
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from gridsvc.balance.graph import Pairs
from gridsvc.balance.problem import Past, Problem
from gridsvc.progress import Progress, span

if TYPE_CHECKING:
    from gridsvc.balance.anneal import Standing

__all__ = ["Plans", "priced_plans"]

_DEAR, _PRICES = 64.0, (0.3, 1.2, 5.0)  # of moved load; the cheaper, the rounder the grids get
_BRIEF, _THOROUGH = (0.3, 0.25), (1.0, 0.5)  # heat, and share of the sweeps a fresh plan would be given
_PATIENT, _CLOSE = (0.3, 0.6), 1.5  # where a brief search uses the allowance up, or needs a bit more
_SCARCE = ((64.0, 1.0), (8.0, 1.0), (64.0, 0.5))  # prices and shares of an allowance that is too small
_RESCUES, _FEW_RESCUES = 4, 2
_USED_UP = 0.9  # share of an allowance
_ALIKE, _MARGIN = 1.1, 1.01
_STEPS = 7
_ROUNDING = 1e-9


@dataclass(frozen=True, slots=True)
class Plans:
    """What several prices led to.

    Attributes
    ----------
    labels : list of int32 array, shape (n,)
        Valid, and none moves more than is allowed.
    enough : float, optional
        Load moved by a plan inside all limits which minded no allowance, the least found; None where there
        was none.
    seconds : dict
    truncated : bool
    """

    labels: list[NDArray[np.int32]]
    enough: float | None
    seconds: dict[str, float]
    truncated: bool


@dataclass(frozen=True, slots=True)
class _Tried:
    labels: NDArray[np.int32]
    standing: Standing
    moved: float

    def as_balanced_as(self, other: _Tried) -> bool:
        return self.standing.badness <= other.standing.badness


class _OutOfTime(Exception):
    """The time limit has been reached."""


def priced_plans(
    problem: Problem, pairs: Pairs, past: Past, labels: NDArray[np.int32], progress: Progress
) -> Plans:
    """Anneal a valid plan at several prices of moved load.

    The dearest comes first and minds no allowance: it shows whether the allowance is enough. If so, cheap
    moves make round grids, from which dearer and dearer ones let cells go home again; starting there finds
    better plans than starting from the plan in force each time. If not, all that may move goes into
    balance, and plans which move less show what the allowance buys.

    Parameters
    ----------
    pairs : (a, b)
        Cells which may share a grid.
    past : Past
        Its allowance is that of the plans, its price multiplies theirs.
    labels : int32 array, shape (n,)
        Connected, and moving no more than is allowed.
    """
    began = perf_counter()
    pricer = _Pricer(problem, pairs, past, labels, progress)
    seconds = {"start": perf_counter() - began}
    dear = pricer.plan(_DEAR, _BRIEF, labels, np.inf)
    if _USED_UP * past.most < dear.moved < _CLOSE * past.most:
        dear = pricer.plan(_DEAR, _PATIENT, labels, np.inf)
    if dear.moved <= past.most * (1 + _ROUNDING):
        tried = [dear, *_enough(pricer, dear, labels, past.most)]
    else:
        tried = _scarce(pricer, labels, past.most)
    seconds["moves"] = perf_counter() - began - seconds["start"]
    fair = [t for t in tried if pricer.over(t, past.most) <= 1 + _ROUNDING]
    if any(all(t.as_balanced_as(other) for other in tried) for t in fair):
        tried = fair
    enough = min((t.moved for t in [dear, *tried] if t.standing.outside == 0), default=None)
    return Plans([t.labels for t in tried], enough, seconds, pricer.late)


def _enough(pricer: _Pricer, dear: _Tried, labels: NDArray[np.int32], allowed: float) -> list[_Tried]:
    """Cheaper plans where the allowance is no hindrance, or from the dear one if cheap moves use it up."""
    way = _BRIEF
    if dear.moved * _CLOSE < allowed:  # much heat needs room to move about
        way = _THOROUGH
        cheap = pricer.plan(_PRICES[0], way, labels, allowed, rescues=0)
        if not cheap.as_balanced_as(dear) and cheap.moved < _USED_UP * allowed:
            cheap = pricer.plan(_PRICES[0], _BRIEF, cheap.labels, allowed)
        if cheap.as_balanced_as(dear):
            return [cheap, *_chain(pricer, cheap, _PRICES[1:], _BRIEF, allowed)]
    found = _chain(pricer, dear, _PRICES[:0:-1], way, allowed)
    return [*found, pricer.plan(_DEAR, _BRIEF, labels, allowed / 2, _FEW_RESCUES)]


def _chain(
    pricer: _Pricer, last: _Tried, prices: tuple[float, ...], way: tuple[float, float], allowed: float
) -> list[_Tried]:
    found = []
    for price in prices:
        last = pricer.plan(price, way, last.labels, allowed)
        found.append(last)
    return found


def _scarce(pricer: _Pricer, labels: NDArray[np.int32], allowed: float) -> list[_Tried]:
    return [pricer.plan(price, _BRIEF, labels, share * allowed, _FEW_RESCUES) for price, share in _SCARCE]


class _Pricer:
    """Makes plans at a price; the arrays which all of them share are built once."""

    def __init__(
        self, problem: Problem, pairs: Pairs, past: Past, labels: NDArray[np.int32], progress: Progress
    ) -> None:
        from gridsvc.balance.anneal import sweeps_for  # loads numba, as below
        from gridsvc.balance.world import build_state, build_world

        self._world, self._order = build_world(replace(problem, past=past), pairs, labels)
        self._past, self._weights, self._seed = past, problem.weights, problem.seed
        self._whole = float(past.load.sum())
        border = build_state(self._world, labels[self._order], problem.seed).foreign
        self._sweeps = problem.sweeps or sweeps_for(int(np.count_nonzero(border)))
        self._until = np.inf if problem.time_limit is None else perf_counter() + problem.time_limit
        self._progress, self._turn, self.late = progress, 0, False
        self._uneven = 1.0

    def plan(
        self,
        price: float,
        way: tuple[float, float],
        labels: NDArray[np.int32],
        allowed: float,
        rescues: int = _RESCUES,
    ) -> _Tried:
        """The best plan found from `labels`; they themselves if time is up already.

        The allowance is of the load alone. But where other measures lie much as it does, nobody minds a
        little less of it being used so that no more than the same share of them moves.
        """
        found = self._plan(price, way, labels, allowed / self._uneven, rescues)
        over = self.over(found, allowed)
        if over > 1 + _ROUNDING:
            self._turn -= 1
            self._uneven *= _MARGIN * over  # the next plan will move much the same mix
            found = self._plan(price, way, labels, allowed / self._uneven, rescues)
        return found

    def over(self, tried: _Tried, allowed: float) -> float:
        """How much more than allowed moves of the measure of which most does; 1 if that lies elsewhere."""
        if allowed <= 0:
            return 1.0
        total = self._weights.sum(axis=0)
        moved = self._weights[self._away(tried.labels)].sum(axis=0)
        over = float((moved / np.where(total > 0, total, 1.0)).max()) * self._whole / allowed
        return over if over < _ALIKE else 1.0

    def _away(self, labels: NDArray[np.int32]) -> NDArray[np.bool_]:
        return np.asarray((self._past.home >= 0) & (labels != self._past.home), np.bool_)

    def _plan(
        self,
        price: float,
        way: tuple[float, float],
        labels: NDArray[np.int32],
        allowed: float,
        rescues: int,
    ) -> _Tried:
        from gridsvc.balance.anneal import anneal, rescue, standing
        from gridsvc.balance.world import build_state

        own, pins = self._world.own.copy(), self._world.pins.copy()
        own[:, 2] *= price
        pins[:, 4] = allowed
        world = self._world._replace(own=own, pins=pins)
        state = build_state(world, labels[self._order], self._seed)
        heat, share = way
        sweeps = max(1, round(share * self._sweeps))
        told = span(self._progress, self._turn / _STEPS, (self._turn + 1) / _STEPS)
        self._turn += 1
        try:
            best = anneal(world, state, sweeps, self._timed(span(told, 0.0, 0.5)), heat=heat)
            if best.outside and rescues:
                rescue(world, state, sweeps, rescues, self._timed(span(told, 0.5, 1.0)))
        except _OutOfTime:
            self.late = True
        found = np.empty_like(labels)
        found[self._order] = state.labels
        return _Tried(found, standing(world, state), float(self._past.load[self._away(found)].sum()))

    def _timed(self, progress: Progress) -> Progress:
        def timed(share: float, message: str) -> None:
            if perf_counter() > self._until:
                raise _OutOfTime
            progress(share, message)

        return timed
