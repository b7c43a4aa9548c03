"""The search for a plan: several starts, each settled, annealed and rescued; the best is taken."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from math import inf
from time import perf_counter

import numpy as np
from numpy.typing import NDArray

from gridsvc.balance import trees
from gridsvc.balance.anneal import Standing, anneal, settle, standing, sweeps_for
from gridsvc.balance.arrays import State, World
from gridsvc.balance.graph import Pairs
from gridsvc.balance.improve import FEW, SMALL, STRAINED, improve
from gridsvc.balance.kernels import recount, warm
from gridsvc.balance.problem import Problem
from gridsvc.balance.share import Part
from gridsvc.balance.start import first_labels
from gridsvc.balance.world import build_state, build_world, weights
from gridsvc.progress import Progress, Watch, blind, span

__all__ = ["Found", "search"]

_PHASES = ("compile", "start", "moves")
_USUAL = 50.0  # compactness
_TRIES = 4
_DRAWN = 3  # times as many cells at borders as at the start: more is no picture of a plan


@dataclass(frozen=True, slots=True)
class Found:
    """The best plan of a search.

    Attributes
    ----------
    labels : int32 array, shape (n,)
        Valid, and never worse than the starts.
    seconds : dict
        By phase; `compile` is numba's, next to nothing when its cache is warm.
    truncated : bool
        Whether the time limit ended the search.
    """

    labels: NDArray[np.int32]
    seconds: dict[str, float] = field(default_factory=lambda: dict.fromkeys(_PHASES, 0.0))
    truncated: bool = False


class _OutOfTime(Exception):
    """The time limit has been reached."""


def search(
    problem: Problem, pairs: Pairs, parts: list[Part], progress: Progress, watch: Watch = blind
) -> Found:
    """Find the most compact plan inside the tolerances, or the one nearest to them.

    The first start is cut for shape and made round. Where it cannot be brought inside, usually because
    measures drift apart over the territory so that round grids cannot hold the right mix, a second start
    cuts so that each side has its share of every measure. Whether a plan can be brought inside does not
    depend on the compactness asked for: what is found at the usual one is then made rounder or more even.
    """
    began = perf_counter()
    warm()
    if problem.objective != "balanced":
        trees.warm()
    deadline = inf if problem.time_limit is None else began + problem.time_limit
    hunt = _Hunt(_usual(problem), pairs, parts, deadline, watch)
    hunt.seconds["compile"] = perf_counter() - began
    plans = _plans(problem)
    for turn, (mixed, seed) in enumerate(plans):
        if hunt.truncated or (mixed and not _worth_mixing(problem, hunt.best)):
            break
        hunt.follow(mixed, seed, span(progress, turn / len(plans), (turn + 1) / len(plans)))
    if hunt.problem is not problem and not hunt.truncated:
        hunt.reshape(problem, span(progress, 0.9, 1.0))
    return hunt.ended()


class _Hunt:
    """The plans found so far, in the world's order, and what finding them took."""

    def __init__(
        self, problem: Problem, pairs: Pairs, parts: list[Part], deadline: float, watch: Watch
    ) -> None:
        self.problem, self.pairs, self.parts, self.deadline = problem, pairs, parts, deadline
        self.watch = watch
        self._seen: tuple[int, NDArray[np.int32]] | None = None
        self.found: list[tuple[Standing, NDArray[np.int32]]] = []
        self.seconds = dict.fromkeys(_PHASES, 0.0)
        self.truncated = False
        self._built: tuple[World, NDArray[np.int64]]
        self._given: tuple[Standing, NDArray[np.int32]] | None = None

    @property
    def best(self) -> Standing:
        return min(self.found, key=_rank)[0]

    def follow(self, mixed: bool, seed: int, progress: Progress) -> None:
        """Improve a start, and keep what comes of it."""
        world, state = self._start(mixed, seed, span(progress, 0.0, 0.2))
        if self.problem.start is not None:
            self._given = (standing(world, state), state.labels.copy())
        with self._moving(progress, state) as timed:
            improve(self.problem, world, state, mixed=mixed, progress=timed)
        self.found.append((standing(world, state), state.labels))

    def reshape(self, asked: Problem, progress: Progress) -> None:
        """Anneal for the compactness `asked` for: from the best plan, or anew if shape goes first anyway."""
        shape_first = asked.compactness > self.problem.compactness and self.best.outside > 0
        if shape_first:
            world, state = self._start(False, asked.seed, progress)
            settle(world, state)
        else:
            world, state = self._state(min(self.found, key=_rank)[1], asked.seed)
        world = world._replace(weight=weights(asked, walled=not shape_first))
        recount(world, state)
        with self._moving(progress, state) as timed:
            sweeps = asked.sweeps or sweeps_for(int(np.count_nonzero(state.foreign)))
            anneal(world, state, sweeps, timed, shape_first=shape_first)
        self.found = [(standing(world, state), state.labels)]

    def ended(self) -> Found:
        """The best plan, in the problem's order; the one given to start from, if that is better at all."""
        best, labels = min(self.found, key=_rank)
        if self._given is not None and not best.is_no_worse_than(self._given[0]):
            labels = self._given[1]
        return Found(self._ordered(labels), self.seconds, self.truncated)

    def _ordered(self, labels: NDArray[np.int32]) -> NDArray[np.int32]:
        """Labels in the problem's order."""
        result = np.empty(self.problem.n, np.int32)
        result[self._built[1]] = labels
        return result

    def _start(self, mixed: bool, seed: int, progress: Progress) -> tuple[World, State]:
        began = perf_counter()
        problem, labels = self.problem, self.problem.start
        if labels is None:
            labels = first_labels(problem, self.pairs, self.parts, mixed=mixed, seed=seed, progress=progress)
        if not self.found:
            self._built = build_world(problem, self.pairs, labels)
        started = self._state(labels[self._built[1]], seed)
        self.seconds["start"] += perf_counter() - began
        return started

    def _state(self, labels: NDArray[np.int32], seed: int) -> tuple[World, State]:
        return self._built[0], build_state(self._built[0], labels, seed)

    def _show(self, state: State) -> None:
        """Let the plan be looked at: as it began while borders are everywhere, then as it is."""
        border = int(np.count_nonzero(state.foreign))
        if self._seen is None or border <= _DRAWN * self._seen[0]:
            self._seen = border if self._seen is None else self._seen[0], state.labels.copy()
        seen = self._seen[1]
        self.watch(lambda: self._ordered(seen))

    @contextmanager
    def _moving(self, progress: Progress, state: State) -> Iterator[Progress]:
        """Time for moves, which alone can be cut short: without a start there is no plan at all."""
        began, until = perf_counter(), _until(progress, self.deadline)

        def watched(share: float, message: str) -> None:
            until(share, message)
            self._show(state)

        try:
            yield until if self.watch is blind else watched
        except _OutOfTime:
            self.truncated = True
        self.seconds["moves"] += perf_counter() - began


def _usual(problem: Problem) -> Problem:
    """The problem at the usual compactness, if that has a say at all."""
    if problem.objective != "balanced" or problem.compactness == _USUAL:
        return problem
    return replace(problem, compactness=_USUAL)


def _until(progress: Progress, deadline: float) -> Progress:
    def timed(share: float, message: str) -> None:
        if perf_counter() > deadline:
            raise _OutOfTime
        progress(share, message)

    return timed


def _plans(problem: Problem) -> list[tuple[bool, int]]:
    """Starts to try, each as (mixed, seed).

    Few grids can lie in few ways, and which is best shows only at the end: they are worth several tries.
    """
    if problem.start is not None:
        return [(False, problem.seed)]
    if problem.objective != "balanced":
        return [(False, problem.seed)]
    tries = _TRIES if problem.k < FEW else 1
    return [(False, problem.seed + 7919 * turn) for turn in range(tries)] + [(True, problem.seed)]


def _worth_mixing(problem: Problem, best: Standing) -> bool:
    """Whether the second kind of start may do better, at its price in time and shape."""
    few = best.outside <= STRAINED * problem.k
    return best.outside > 0 and (problem.n <= SMALL or not few)


def _rank(found: tuple[Standing, NDArray[np.int32]]) -> Standing:
    return found[0]
