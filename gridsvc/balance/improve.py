"""From a start to a plan: annealed, and pressed or molten where grids stay outside their tolerance."""

from __future__ import annotations

import numpy as np

from gridsvc.balance.anneal import Standing, anneal, rescue, settle, sweeps_for
from gridsvc.balance.arrays import State, World
from gridsvc.balance.cycles import refine
from gridsvc.balance.kernels import recount
from gridsvc.balance.problem import Problem
from gridsvc.progress import Progress, span

__all__ = ["FEW", "SMALL", "STRAINED", "improve"]

FEW = 10
"""Grids below which a plan is one of several tries, each of which is cooled less slowly."""
SMALL = 5000
"""Cells up to which a mixed start is tried for a single grid outside."""
STRAINED = 0.04
"""Share of grids outside from which a plan is cooled again, and more slowly."""

_RESCUES = 4
_PATIENT, _PATIENCE = 50_000, 2  # cells up to which a plan that is not inside at once is cooled more slowly
_ADRIFT = 0.15  # share of grids outside from which no round plan will do
_HOPELESS = 0.3  # mean excess, in tolerances, at which round grids are far off
# What balance else counts for (twice that for a mixed start), how much longer it is then cooled, and from
# which share of the usual heat.
_PRESSED, _LONG, _COOLER = 4.0, 2.2, 0.5
_TREES = 0.3  # cells in grids cut anew in a rescue, for each cell looked at before
_MIXED_TREES = 5  # times as many where a mixed start is annealed: its strips must go
# Where round grids are far off, the right mix is found by steps of balance, much larger than those of shape:
# so much hotter does cooling begin, and so many times as many pairs are cut anew (half, in large problems).
_MOLTEN, _MOLTEN_TREES = 50.0, 16


def improve(problem: Problem, world: World, state: State, *, mixed: bool, progress: Progress) -> None:
    """Settle, anneal and rescue; `state` holds the best labels whenever this ends.

    Parameters
    ----------
    mixed : bool
        Whether the start gives each side its share of every measure instead of being cut for shape.
    """
    if not mixed and problem.start is None:
        settle(world, state)
    if problem.objective != "balanced" and problem.past is None:
        refine(problem, world, state, span(progress, 0.2, 1.0))
        return
    border = int(np.count_nonzero(state.foreign))
    sweeps = problem.sweeps or sweeps_for(border)
    if problem.k < FEW and problem.sweeps is None:
        sweeps //= 2  # and more tries for it
    if mixed:
        _mix(problem, world, state, sweeps, progress)
        return
    best = anneal(world, state, sweeps, span(progress, 0.2, 0.3))
    adrift = best.outside > _ADRIFT * problem.k
    if adrift and best.excess < _HOPELESS * problem.k and problem.sweeps is None:
        _under_pressure(world, state, _PRESSED, int(_LONG * sweeps), sweeps, progress)
    if adrift:
        return
    if best.outside > STRAINED * problem.k and problem.n <= _PATIENT and problem.sweeps is None:
        anneal(world, state, _PATIENCE * sweeps, span(progress, 0.3, 0.7))
    rescue(world, state, sweeps, _RESCUES, span(progress, 0.7, 1.0))


def _mix(problem: Problem, world: World, state: State, sweeps: int, progress: Progress) -> None:
    """Anneal a start with the right mix; melt it where that alone leaves grids far off."""
    best = anneal(world, state, sweeps, span(progress, 0.2, 0.3))
    if best.excess >= _HOPELESS * problem.k:
        best = _melt(world, state, sweeps, span(progress, 0.3, 0.4))
        if best.excess >= _HOPELESS * problem.k:
            return
    else:
        best = rescue(world, state, sweeps, _RESCUES, span(progress, 0.3, 0.4))
    if best.outside:
        _under_pressure(world, state, 2 * _PRESSED, sweeps, sweeps, progress, _MIXED_TREES)


def _melt(world: World, state: State, sweeps: int, progress: Progress) -> Standing:
    """Find the right mix for each grid first, and shapes only as it cools."""
    state.price[:, 2] = 1.0
    recount(world, state)
    times = _MOLTEN_TREES if len(state.labels) <= SMALL else _MOLTEN_TREES // 2
    anew = _anew(state, sweeps, int(np.count_nonzero(state.foreign)))
    return anneal(world, state, sweeps, progress, heat=_MOLTEN, trees=times * anew)


def _under_pressure(
    world: World, state: State, press: float, long: int, sweeps: int, progress: Progress, times: int = 0
) -> None:
    """Anneal `long` where balance counts `press` times; then rescue, and cut pairs of grids anew there.

    Pairs are cut `times` as often while annealing.
    """
    state.price[:, 2] = press
    recount(world, state)
    anew = _anew(state, sweeps, int(np.count_nonzero(state.foreign)))
    anneal(world, state, long, span(progress, 0.4, 0.6), heat=_COOLER, trees=times * anew)
    rescue(world, state, sweeps // 3, 2 * _RESCUES, span(progress, 0.6, 0.8), trees=anew // 3)
    rescue(world, state, sweeps, _RESCUES, span(progress, 0.8, 1.0), trees=anew)


def _anew(state: State, sweeps: int, border: int) -> int:
    """How many pairs of grids are cut anew beside so many sweeps of `border` cells."""
    return int(_TREES * sweeps * border * len(state.size) / len(state.labels))
