"""Local repair: the few moves near an edit which make a draft valid and balanced again."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from gridsvc.balance.graph import Pairs, usable_pairs
from gridsvc.balance.mend import main_pieces, require_cells
from gridsvc.balance.metrics import totals
from gridsvc.balance.nearby import Nearby
from gridsvc.balance.problem import Problem
from gridsvc.balance.share import combined_load

__all__ = ["Repair", "repair"]

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
        Grids to look after; all which are broken or outside by default. Others which are outside do not get
        worse.

    Raises
    ------
    InvalidInput
        A grid has no cells.
    """
    require_cells(problem, labels)
    pairs, _ = usable_pairs(problem)
    anchors = problem.anchors()
    draft = np.where(anchors >= 0, anchors, labels).astype(np.int32)
    main = main_pieces(draft, pairs, combined_load(problem.weights), anchors >= 0)
    broken, outside = np.unique(draft[~main]).astype(np.int64), _outside(problem, draft)
    asked = np.union1d(broken, outside) if near is None else np.unique(near)
    wanted = np.union1d(asked, _changed(labels, draft))
    main |= ~np.isin(draft, wanted)
    excused = np.setdiff1d(outside, wanted)
    result, region = draft, wanted
    for ring in range(_RINGS):
        if (ring or main.all()) and not len(np.setdiff1d(_outside(problem, result), excused)):
            break
        region = _with_neighbours(pairs, draft, region)
        result = Nearby(problem, pairs, labels, draft, region, wanted).repaired(main)
    cells = np.flatnonzero(result != labels)
    still = np.intersect1d(_outside(problem, result), np.union1d(wanted, _changed(labels, result)))
    return Repair(cells, result[cells], result, broken, outside, still)


def _outside(problem: Problem, labels: NDArray[np.int32]) -> NDArray[np.int64]:
    low, high = problem.band()
    sums = totals(labels, problem.weights, problem.k)
    room = _ROUNDING * np.abs(problem.targets)
    return np.flatnonzero(((sums < low - room) | (sums > high + room)).any(axis=1))


def _changed(labels: NDArray[np.int32], result: NDArray[np.int32]) -> NDArray[np.int64]:
    moved = labels != result
    return np.union1d(labels[moved], result[moved]).astype(np.int64)


def _with_neighbours(pairs: Pairs, labels: NDArray[np.int32], grids: NDArray[np.int64]) -> NDArray[np.int64]:
    a, b = labels[pairs[0]], labels[pairs[1]]
    return np.unique(np.concatenate([grids, a[np.isin(b, grids)], b[np.isin(a, grids)]])).astype(np.int64)
