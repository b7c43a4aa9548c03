"""A first plan: each connected part is cut in two, and again, until every piece is one grid."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from gridsvc.balance.graph import Pairs, parts_of
from gridsvc.balance.problem import Problem
from gridsvc.balance.share import Part
from gridsvc.progress import Progress

__all__ = ["first_labels"]

_ANGLES = 6  # directions tried for each cut
_ERROR_PRICE = 20.0  # a load error of 5 % weighs as much as a doubled border


@dataclass(frozen=True, slots=True)
class _Piece:
    """Cells (rows), the pairs among them (local numbers) and the grids they are to become."""

    cells: NDArray[np.int64]
    pairs: Pairs
    grids: NDArray[np.int64]


def first_labels(
    problem: Problem,
    pairs: Pairs,
    parts: list[Part],
    load: NDArray[np.float64],
    wanted: NDArray[np.float64],
    *,
    progress: Progress,
) -> NDArray[np.int32]:
    """Cut each part by straight lines into connected pieces of about the wanted loads.

    Recursive bisection; of several directions the one with the shortest border and the smallest error in
    load is taken. What a line leaves disconnected goes to the other side, so that both sides are connected
    whatever the graph looks like, and each has at least as many cells as grids.

    Returns
    -------
    int32 array, shape (n,)
        Every grid 0..k-1 occurs and is connected.
    """
    rng = np.random.default_rng(problem.seed)
    xy = np.column_stack([problem.x, problem.y])
    labels = np.full(problem.n, -1, np.int32)
    everything = _Piece(np.arange(problem.n), pairs, np.arange(problem.k))
    stack = [_within(everything, part.cells, part.grids) for part in parts]
    done = 0
    while stack:
        piece = stack.pop()
        if len(piece.grids) == 1:
            labels[piece.cells] = piece.grids[0]
            done += 1
            progress(done / problem.k, "cutting the territory")
            continue
        side, n_grids = _best_cut(piece, xy[piece.cells], load[piece.cells], wanted[piece.grids], rng)
        stack.append(_within(piece, np.flatnonzero(~side), piece.grids[n_grids:]))
        stack.append(_within(piece, np.flatnonzero(side), piece.grids[:n_grids]))
    return labels


def _within(piece: _Piece, chosen: NDArray[np.int64], grids: NDArray[np.int64]) -> _Piece:
    number = np.full(len(piece.cells), -1, np.int64)
    number[chosen] = np.arange(len(chosen))
    a, b = number[piece.pairs[0]], number[piece.pairs[1]]
    keep = (a >= 0) & (b >= 0)
    return _Piece(piece.cells[chosen], (a[keep], b[keep]), grids)


def _best_cut(
    piece: _Piece,
    xy: NDArray[np.float64],
    load: NDArray[np.float64],
    wanted: NDArray[np.float64],
    rng: np.random.Generator,
) -> tuple[NDArray[np.bool_], int]:
    """The first side of the best cut, and how many grids it gets."""
    a, b = piece.pairs
    share = float(wanted[: len(wanted) // 2].sum() / wanted.sum())
    first = rng.uniform(0, np.pi)
    sides, counts, errors, borders = [], [], [], []
    for angle in first + np.pi * np.arange(_ANGLES) / _ANGLES:
        side = _cut(xy @ np.array([np.cos(angle), np.sin(angle)]), load, piece.pairs, share)
        count, error = _grids_for(side, load, wanted)
        sides.append(side)
        counts.append(count)
        errors.append(error)
        borders.append(int(np.count_nonzero(side[a] != side[b])))
    price = _ERROR_PRICE * np.array(errors) + np.array(borders) / max(1, min(borders))
    best = int(np.argmin(price))
    return sides[best], counts[best]


def _cut(
    along: NDArray[np.float64], load: NDArray[np.float64], pairs: Pairs, share: float
) -> NDArray[np.bool_]:
    """Two connected sides, the first with about `share` of the load; needs a connected piece."""
    order = np.argsort(along, kind="stable")
    sums = np.cumsum(load[order])
    at = int(np.clip(np.searchsorted(sums, share * sums[-1]), 1, len(load) - 1))
    side = np.zeros(len(load), np.bool_)
    side[order[:at]] = True
    count, part = _sides_parts(side, pairs)
    if count == 2:
        return side
    side = part == _heaviest(part, load, side)
    # Each part of what is left touches the first side, so all but the heaviest can join it.
    count, part = _sides_parts(side, pairs)
    return np.asarray(part != _heaviest(part, load, ~side), np.bool_)


def _sides_parts(side: NDArray[np.bool_], pairs: Pairs) -> tuple[int, NDArray[np.int64]]:
    same = side[pairs[0]] == side[pairs[1]]
    return parts_of(len(side), (pairs[0][same], pairs[1][same]))


def _heaviest(part: NDArray[np.int64], load: NDArray[np.float64], among: NDArray[np.bool_]) -> int:
    return int(np.argmax(np.bincount(part[among], load[among])))


def _grids_for(
    side: NDArray[np.bool_], load: NDArray[np.float64], wanted: NDArray[np.float64]
) -> tuple[int, float]:
    """Number of grids for the first side (each side needs as many cells as grids), and the load error."""
    k, n, first = len(wanted), len(side), int(np.count_nonzero(side))
    low, high = max(1, k - (n - first)), min(k - 1, first)
    sums = np.cumsum(wanted) / wanted.sum()
    share = float(load[side].sum() / load.sum())
    count = low + int(np.argmin(np.abs(sums[low - 1 : high] - share)))
    target = float(sums[count - 1])
    return count, abs(share - target) / max(min(target, 1 - target), 1e-12)
