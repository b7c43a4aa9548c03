"""Annealing: from a first plan to a balanced and compact one."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from gridsvc.balance.graph import Pairs
from gridsvc.balance.kernels import State, World, recount, probe, relax, sweep
from gridsvc.balance.problem import Problem
from gridsvc.balance.world import build_state, build_world
from gridsvc.progress import Progress

__all__ = ["anneal"]

_PROPOSALS = 1.2e7  # border cells looked at, about 3 s
_SWEEPS = (300, 20000)
_CHUNKS = 60


def anneal(
    problem: Problem, pairs: Pairs, labels: NDArray[np.int32], progress: Progress
) -> NDArray[np.int32]:
    """Better labels."""
    import os
    E = lambda n, d: float(os.environ.get(n, d))
    weight = np.array([E("WS", 1.0), E("WP", 0.25), E("WD", 0.7), E("WQ", 0.1), E("WH", 1.0), E("EDGE", 0.9)])
    weight[3:5] *= problem.tolerance.mean() / 0.05
    world, order = build_world(problem, pairs, labels, weight)
    state = build_state(world, labels[order], problem.seed)
    import time
    t0=time.perf_counter()
    _settle(world, state, int(E("ROUNDS", 60)))
    if os.environ.get("VERB"): print("settle", time.perf_counter()-t0)
    border = np.count_nonzero(state.foreign)
    sweeps = int(np.clip(_PROPOSALS * E("BUDGET", 1) / max(1, border), *_SWEEPS))
    per = problem.k / problem.n
    steps = np.abs(probe(world, state))
    q = np.quantile(steps[steps > 0], [0.1, 0.25, 0.5, 0.75, 0.9]) if (steps > 0).any() else np.full(5, per)
    if os.environ.get("VERB"):
        z = np.abs(state.tally[:, 8:] - world.target) * world.scale
        print("per", per, "steps", q / per, "after settle z", np.round(np.sort(z.max(axis=1)), 1)[-20:], "sweeps", sweeps, state.price.sum(axis=0)/problem.k)
    hot, cold = E("HOT", 0.7) * q[3], E("COLD", 0.01) * q[1]
    best, best_key = state.labels.copy(), _key(world, state)
    each = max(1, sweeps // _CHUNKS)
    heats = np.geomspace(hot, cold, _CHUNKS + 1)
    for chunk in range(_CHUNKS):
        sweep(world, state, heats[chunk], heats[chunk + 1], each, E("CHAINS", 1.0))
        out = _outside(world, state)
        if chunk > _CHUNKS * 0.6:
            state.press[out] *= 1.2
        recount(world, state)
        if os.environ.get("VERB") == "2" and chunk % 5 == 4:
            print(chunk, heats[chunk], out.sum(), state.price.sum(axis=0) / problem.k)
        key = _key(world, state)
        if chunk > _CHUNKS * 0.5 and key < best_key:
            best, best_key = state.labels.copy(), key
        progress(chunk / _CHUNKS, "moving borders")
    result = np.empty_like(best)
    result[order] = best
    return result


def _settle(world: World, state: State, rounds: int) -> None:
    """Make the grids round and about equal: a balanced centroidal power diagram."""
    import os
    E = lambda n, d: float(os.environ.get(n, d))
    used = world.scale > 0
    wanted = np.where(used, world.target, 1.0)
    power = np.zeros(len(wanted))
    for round_ in range(rounds):
        t = state.tally
        mass = np.where(t[:, 4] > 0, t[:, 4], 1.0)
        area = np.where(t[:, 0] > 0, t[:, 0], 1.0)
        mix = np.where(t[:, 4] > 0, E("MIX", 0.5), 0.0)
        centre = np.column_stack([mix * t[:, 4 + c] / mass + (1 - mix) * t[:, c] / area for c in (1, 2)])
        load = np.where(used, t[:, 8:] / wanted, 1.0).mean(axis=1)
        power += E("ETA", 0.2) * np.clip(1 - load, -1, 1) * area / np.pi
        relax(world, state, np.ascontiguousarray(centre), power, 2)
        recount(world, state)


def _over(world: World, state: State) -> NDArray[np.float64]:
    z = np.abs(state.tally[:, 8:] - world.target) * world.scale
    return np.asarray(np.maximum(z - 1, 0).sum(axis=1), np.float64)


def _outside(world: World, state: State) -> NDArray[np.bool_]:
    return np.asarray(_over(world, state) > 0, np.bool_)


def _key(world: World, state: State) -> tuple[int, float, float]:
    over = _over(world, state)
    return int((over > 0).sum()), float(over.sum()), float(state.price[:, 0].sum())
