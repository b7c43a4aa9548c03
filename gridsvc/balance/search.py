"""The search for a plan: several starts, each settled, annealed and rescued; the best is taken."""

from __future__ import annotations

from time import perf_counter

import numpy as np
from numpy.typing import NDArray

from gridsvc.balance.anneal import Standing, anneal, rescue, settle, standing, sweeps_for
from gridsvc.balance.graph import Pairs
from gridsvc.balance.kernels import State, World, warm
from gridsvc.balance.problem import Problem
from gridsvc.balance.share import Part
from gridsvc.balance.start import first_labels
from gridsvc.balance.world import build_state, build_world
from gridsvc.progress import Progress, span

__all__ = ["search"]

_RESCUES = 4


def search(
    problem: Problem, pairs: Pairs, parts: list[Part], progress: Progress
) -> tuple[NDArray[np.int32], dict[str, float]]:
    """Find the most compact plan inside the tolerances, or the one nearest to them.

    The first start is cut for shape and made round. Where it cannot be brought inside, usually because
    measures drift apart over the territory so that round grids cannot hold the right mix, a second start
    cuts so that each side has its share of every measure.

    Returns
    -------
    labels : int32 array, shape (n,)
        Valid, and never worse than the starts.
    seconds : dict
        By phase; `compile` is numba's, next to nothing when its cache is warm.
    """
    began = perf_counter()
    warm()
    seconds = {"compile": perf_counter() - began, "start": 0.0, "moves": 0.0}
    found: list[tuple[Standing, NDArray[np.int32]]] = []
    for mixed in (False, True):
        part = span(progress, 0.5 * mixed, 0.5 + 0.5 * mixed)
        began = perf_counter()
        labels = _start(problem, pairs, parts, mixed, span(part, 0.0, 0.2))
        seconds["start"] += perf_counter() - began
        began = perf_counter()
        found.append(_improved(problem, pairs, labels, mixed, span(part, 0.2, 1.0)))
        seconds["moves"] += perf_counter() - began
        if found[-1][0].outside == 0:
            break
    return min(found, key=lambda entry: entry[0])[1], seconds


def _start(
    problem: Problem, pairs: Pairs, parts: list[Part], mixed: bool, progress: Progress
) -> NDArray[np.int32]:
    if problem.start is not None:
        return problem.start
    return first_labels(problem, pairs, parts, mixed=mixed, progress=progress)


def _improved(
    problem: Problem, pairs: Pairs, labels: NDArray[np.int32], mixed: bool, progress: Progress
) -> tuple[Standing, NDArray[np.int32]]:
    world, order = build_world(problem, pairs, labels)
    state = build_state(world, labels[order], problem.seed)
    if not mixed and problem.start is None:
        settle(world, state)
    sweeps = problem.sweeps or sweeps_for(int(np.count_nonzero(state.foreign)))
    anneal(world, state, sweeps, span(progress, 0.0, 0.7))
    best = rescue(world, state, sweeps, _RESCUES, span(progress, 0.7, 1.0))
    result = np.empty_like(state.labels)
    result[order] = state.labels
    return best, result
