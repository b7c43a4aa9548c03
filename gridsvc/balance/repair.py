"""Local repair: the few moves near an edit which make a draft valid and balanced again."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from gridsvc.balance.graph import Pairs, usable_pairs
from gridsvc.balance.mend import bridge, main_pieces, mend
from gridsvc.balance.metrics import totals
from gridsvc.balance.part import grids_of
from gridsvc.balance.problem import Past, Problem
from gridsvc.balance.share import combined_load

__all__ = ["Repair", "repair"]

_PRICES = (30.0, 8.0, 2.0, 0.5)  # of moved load, from few moves to many
_SWEEPS = 60
_HEAT = 0.25
_RINGS = 2
_ROUNDING = 1e-9


@dataclass(frozen=True, slots=True)
class Repair:
    """Moves which mend a draft.

    Attributes
    ----------
    cells : int64 array, shape (n_moves,)
        Rows of the cells to move, in rising order.
    grids : int32 array, shape (n_moves,)
        Grid each of them goes to.
    labels : int32 array, shape (n,)
        The draft with the moves made.
    broken, outside : int64 arrays
        Grids in pieces, and outside their limits, in the draft.
    still_outside : int64 array
        Those of them, or of their neighbours, which are outside their limits after the moves.
    """

    cells: NDArray[np.int64]
    grids: NDArray[np.int32]
    labels: NDArray[np.int32]
    broken: NDArray[np.int64]
    outside: NDArray[np.int64]
    still_outside: NDArray[np.int64]


def repair(problem: Problem, labels: NDArray[np.int32], near: NDArray[np.int64] | None = None) -> Repair:
    """Propose the smallest set of moves which makes the grids of a draft whole and balanced.

    A stray piece goes to the grids round it, or is joined to its own by a path, whichever moves fewer cells.
    Then borders of the grids in question and of those next to them are annealed, moves being dear at first
    and cheaper until all are inside their limits; grids further away do not change.

    Parameters
    ----------
    problem : Problem
        Its `start` and `past` play no part.
    labels : int32 array, shape (n,)
        A complete draft, whose grids may be broken or outside their limits.
    near : int64 array, optional
        Grids to look after; all which are broken or outside by default.

    Raises
    ------
    InvalidInput
        A grid has no cells.
    """
    pairs, _ = usable_pairs(problem)
    broken = np.unique(labels[~_main(problem, pairs, labels)]).astype(np.int64)
    outside = _outside(problem, labels)
    wanted = np.union1d(broken, outside) if near is None else np.unique(near)
    mended = _mended(problem, pairs, labels, np.intersect1d(broken, wanted))
    result, region = mended, wanted
    for _ in range(_RINGS):
        if not np.isin(_outside(problem, result), np.union1d(wanted, _changed(labels, result))).any():
            break
        region = _with_neighbours(pairs, mended, region)
        result = _balanced(problem, labels, mended, region)
    cells = np.flatnonzero(result != labels)
    touched = np.union1d(wanted, _changed(labels, result))
    still = np.intersect1d(_outside(problem, result), touched)
    return Repair(cells, result[cells], result, broken, outside, still)


def _main(problem: Problem, pairs: Pairs, labels: NDArray[np.int32]) -> NDArray[np.bool_]:
    return main_pieces(labels, pairs, combined_load(problem.weights), problem.anchors() >= 0)


def _outside(problem: Problem, labels: NDArray[np.int32]) -> NDArray[np.int64]:
    low, high = problem.band()
    sums = totals(labels, problem.weights, problem.k)
    room = _ROUNDING * np.abs(problem.targets)
    return np.flatnonzero(((sums < low - room) | (sums > high + room)).any(axis=1))


def _changed(labels: NDArray[np.int32], result: NDArray[np.int32]) -> NDArray[np.int64]:
    moved = labels != result
    return np.union1d(labels[moved], result[moved]).astype(np.int64)


def _mended(
    problem: Problem, pairs: Pairs, labels: NDArray[np.int32], broken: NDArray[np.int64]
) -> NDArray[np.int32]:
    """The draft with the `broken` grids whole again, by the fewer moves of the two ways there are."""
    if not len(broken):
        return labels
    main = _main(problem, pairs, labels) | ~np.isin(labels, broken)
    given = mend(problem, pairs, np.where(main, labels, -1).astype(np.int32))
    joined = bridge(problem, pairs, labels)
    whole = _main(problem, pairs, joined).all()
    return joined if whole and (joined != labels).sum() < (given != labels).sum() else given


def _with_neighbours(pairs: Pairs, labels: NDArray[np.int32], grids: NDArray[np.int64]) -> NDArray[np.int64]:
    a, b = labels[pairs[0]], labels[pairs[1]]
    return np.unique(np.concatenate([grids, a[np.isin(b, grids)], b[np.isin(a, grids)]])).astype(np.int64)


def _balanced(
    problem: Problem, labels: NDArray[np.int32], mended: NDArray[np.int32], region: NDArray[np.int64]
) -> NDArray[np.int32]:
    """Labels whose grids of the `region` are as near to their limits as few moves bring them."""
    from gridsvc.balance.anneal import anneal, go_home
    from gridsvc.balance.world import build_state, build_world

    part, rows, at = grids_of(problem, mended, region)
    home = np.searchsorted(region, labels[rows]).astype(np.int32)
    home[region[np.minimum(home, len(region) - 1)] != labels[rows]] = -1
    load = 0.5 + 0.5 * part.n * combined_load(part.weights)
    past = Past(home=home, load=load, cost=np.ones(part.n))
    world, order = build_world(replace(part, past=past), usable_pairs(part)[0], at)
    best, chosen = None, at
    for price in _PRICES:
        own = world.own.copy()
        own[:, 2] *= price
        dear = world._replace(own=own)
        state = build_state(dear, at[order], problem.seed)
        anneal(dear, state, _SWEEPS, heat=_HEAT)
        now = go_home(dear, state)
        if best is None or now < best:
            best, chosen = now, np.empty_like(at)
            chosen[order] = state.labels
        if now.outside == 0:
            break
    result = mended.copy()
    result[rows] = region[chosen]
    return result
