"""Plans of few grids as good as they can be had: cooled again and again, from loose limits to tight ones.

With the objective of least inertia or fewest cuts a plan is judged by one number, and with grids of few or
coarse cells the best plans lie far apart, behind others which are out of balance. So each cycle starts hot
and lets balance count for little, joins and cuts pairs of grids, and ends cold with balance counting as much
as it has to: more after a cycle which ended out of balance, less after one which did not.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from gridsvc.balance.anneal import standing, sweep_borders, temperatures
from gridsvc.balance.arrays import DEMAND, State, World
from gridsvc.balance.kernels import recount
from gridsvc.balance.problem import Problem
from gridsvc.balance.trees import recombine
from gridsvc.progress import Progress

__all__ = ["refine"]

_STEPS = 120  # of a cycle
_TREES = 1000  # pairs cut anew in a cycle, for each grid
_CELLS = 36000  # cells times cycles: 5 to 15 s
_MOST = 800
_SWEEPS = 8  # in each step where grids have many cells
# Cycles come in threes; the last of them starts from the best plan.
_LOOSE = (0.03, 0.2, 0.2)  # what balance counts for at the start of a cycle, over what it does at the end
_HEAT = (1.0, 1.0, 0.25)  # at the start of a cycle, over the usual
_PRESSURE = (0.05, 100.0)
_HARDER, _SOFTER = 1.7, 0.75
_HOT, _COLD = 3.0, 0.2  # of one cut


@dataclass(slots=True)
class _Best:
    """The best plan so far inside the limits, or else the one nearest to them."""

    value: tuple[float, ...]
    labels: NDArray[np.int32]


@dataclass(frozen=True, slots=True)
class _Budget:
    """Cycles, their steps, and what is done in each step."""

    cycles: int
    steps: int
    trees: int
    sweeps: int


def _budget(problem: Problem) -> _Budget:
    """What suits the number of cells, or as many sweeps in all as the problem asks for."""
    sweeps = int(np.clip(problem.n / problem.k / _SWEEPS, 1, _SWEEPS))
    trees = -(-_TREES * problem.k // _STEPS)
    if problem.sweeps is None:
        return _Budget(int(np.clip(_CELLS / problem.n, 1, _MOST)), _STEPS, trees, sweeps)
    steps = min(_STEPS, -(-problem.sweeps // sweeps))
    return _Budget(max(1, problem.sweeps // (steps * sweeps)), steps, trees, sweeps)


def refine(problem: Problem, world: World, state: State, progress: Progress) -> None:
    """Cool again and again; `state` ends with the best labels found, those at the start among them.

    Parameters
    ----------
    problem : Problem
        Of the objective ``inertia`` or ``cut``.
    """
    centred, budget = problem.objective == "inertia", _budget(problem)
    hot, cold = temperatures(world, state) if centred else _of_a_cut(world)
    heats = np.geomspace(hot * np.array(_HEAT), cold, budget.steps).T
    best, level = _Best(_value(world, state, centred), state.labels.copy()), 1.0
    try:
        for cycle in range(budget.cycles):
            kind, inside = cycle % len(_LOOSE), False
            if kind == len(_LOOSE) - 1:
                state.labels[:] = best.labels
            for step, press in enumerate(np.geomspace(_LOOSE[kind] * level, level, budget.steps)):
                progress((cycle + step / budget.steps) / budget.cycles, "cutting pairs of grids anew")
                _step(world, state, float(heats[kind, step]), float(press), budget, centred)
                now = _value(world, state, centred)
                inside |= now[0] == 0
                if now < best.value:
                    best = _Best(now, state.labels.copy())
            level = float(np.clip(level * (_SOFTER if inside else _HARDER), *_PRESSURE))
    finally:  # also when time is up
        state.labels[:] = best.labels
        state.price[:, 2] = 1.0
        recount(world, state)


def _step(world: World, state: State, heat: float, press: float, budget: _Budget, centred: bool) -> None:
    state.price[:, 2] = press
    recount(world, state)
    recombine(world, state, heat, heat, budget.trees, centred, centred)
    sweep_borders(world, state, heat, budget.sweeps)


def _of_a_cut(world: World) -> tuple[float, float]:
    """Temperatures for the objective ``cut``, whose steps are all alike: each cut counts in two outlines."""
    unit = 2 * float(world.weight[3])
    return _HOT * unit, _COLD * unit


def _value(world: World, state: State, centred: bool) -> tuple[float, ...]:
    """How good labels are; the smaller the better."""
    now = standing(world, state)
    away = _off_centre(world, state) if centred else 0.0
    return now.badness, float(state.price[:, 0].sum()) + away


def _off_centre(world: World, state: State) -> float:
    """Demand inertia the grids have more about their most central cells than about their centres."""
    k = len(state.size)
    demand = state.tally[:, DEMAND]
    centre = state.tally[:, DEMAND + 1 : DEMAND + 3] / np.where(demand > 0, demand, 1.0)[:, None]
    squared = ((world.own[:, :2] - centre[state.labels]) ** 2).sum(axis=1)
    least = np.full(k, np.inf)
    np.minimum.at(least, state.labels, squared)
    return float(world.weight[2] * (demand * least).sum())
