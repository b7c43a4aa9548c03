"""A first plan: each connected part is cut in two, and again, until every piece is one grid."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from gridsvc.balance.graph import Pairs, parts_of
from gridsvc.balance.problem import Problem
from gridsvc.balance.share import Part, combined_load, combined_targets
from gridsvc.progress import Progress

__all__ = ["first_labels"]

_ANGLES = 4  # directions tried for each cut where only the shape matters
_MIXED_ANGLES = 48
_TRIED = 8  # promising cuts which are made
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
    *,
    mixed: bool,
    seed: int,
    progress: Progress,
) -> NDArray[np.int32]:
    """Cut each part by straight lines into connected pieces of about the wanted loads.

    Recursive bisection; of several directions the one with the shortest border and the smallest error in
    load is taken. If `mixed`, more directions and shares are tried and each measure must be split well,
    else their mean. What a line leaves disconnected goes to the other side, so that both sides are connected
    whatever the graph looks like, and each has at least as many cells as grids.

    Returns
    -------
    int32 array, shape (n,)
        Every grid 0..k-1 occurs and is connected.
    """
    rng = np.random.default_rng(seed)
    loads, wanted = _loads(problem, mixed)
    angles = _MIXED_ANGLES if mixed else _ANGLES
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
        side, n_grids = _best_cut(
            piece, xy[piece.cells], loads[piece.cells], wanted[piece.grids], angles, rng
        )
        stack.append(_within(piece, np.flatnonzero(~side), piece.grids[n_grids:]))
        stack.append(_within(piece, np.flatnonzero(side), piece.grids[:n_grids]))
    return labels


def _loads(problem: Problem, mixed: bool) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Shares of the load and of the wanted load, a column a measure if `mixed`, else one column."""
    if not mixed:
        return combined_load(problem.weights)[:, None], combined_targets(problem.targets)[:, None]
    loads = [combined_load(column[:, None]) for column in problem.weights.T]
    return np.column_stack(loads), np.column_stack([combined_targets(t[:, None]) for t in problem.targets.T])


def _within(piece: _Piece, chosen: NDArray[np.int64], grids: NDArray[np.int64]) -> _Piece:
    number = np.full(len(piece.cells), -1, np.int64)
    number[chosen] = np.arange(len(chosen))
    a, b = number[piece.pairs[0]], number[piece.pairs[1]]
    keep = (a >= 0) & (b >= 0)
    return _Piece(piece.cells[chosen], (a[keep], b[keep]), grids)


def _best_cut(
    piece: _Piece,
    xy: NDArray[np.float64],
    loads: NDArray[np.float64],
    wanted: NDArray[np.float64],
    angles: int,
    rng: np.random.Generator,
) -> tuple[NDArray[np.bool_], int]:
    """The first side of the best cut, and how many grids it gets."""
    a, b = piece.pairs
    load = loads.mean(axis=1)
    turns = rng.uniform(0, np.pi) + np.pi * np.arange(angles) / angles
    sides, counts, errors, borders = [], [], [], []
    for along, share in _promising(xy, loads, wanted, turns):
        side = _cut(along, load, piece.pairs, share)
        count, error = _grids_for(side, loads, wanted)
        sides.append(side)
        counts.append(count)
        errors.append(error)
        borders.append(int(np.count_nonzero(side[a] != side[b])))
    price = _ERROR_PRICE * np.array(errors) + np.array(borders) / max(1, min(borders))
    best = int(np.argmin(price))
    return sides[best], counts[best]


def _promising(
    xy: NDArray[np.float64],
    loads: NDArray[np.float64],
    wanted: NDArray[np.float64],
    turns: NDArray[np.float64],
) -> list[tuple[NDArray[np.float64], float]]:
    """Directions and shares of the cuts which split all measures best, as if nothing were in the way.

    A line which halves two measures at once always exists (the ham sandwich theorem, Stone and Tukey 1942);
    with lumpy cells and uneven halves the best of several directions comes near.
    """
    k = len(wanted)
    whole = np.cumsum(wanted, axis=0) / np.maximum(wanted.sum(axis=0), 1e-300)
    firsts = range(max(1, k // 2 - (len(turns) > _ANGLES) * min(3, k // 6)), k // 2 + 1)
    heavy = loads.sum(axis=1) > 2e-6 / max(1, len(loads)) * loads.sum()
    found: list[tuple[float, int, NDArray[np.float64], float]] = []
    for turn in turns:
        way = np.array([np.cos(turn), np.sin(turn)])
        along = xy @ way
        if len(turns) <= _ANGLES:
            found.append((0.0, len(found), along, float(whole[k // 2 - 1].mean())))
            continue
        picked = np.flatnonzero(heavy) if heavy.sum() > 1 else np.arange(len(loads))
        sums = np.cumsum(loads[picked[np.argsort(along[picked], kind="stable")]], axis=0)
        sums /= np.maximum(sums[-1], 1e-300)
        middle = sums.mean(axis=1)
        for first in firsts:
            for sign in (1, -1):
                share = whole[first - 1]
                part = share if sign > 0 else 1 - share
                at = min(int(np.searchsorted(middle, part.mean())), len(middle) - 1)
                off = np.abs(sums[at] - part).max() / min(share.min(), (1 - share).min())
                found.append((float(off), len(found), sign * along, float(share.mean())))
    found.sort(key=lambda entry: entry[:2])
    return [(along, share) for _, _, along, share in found[:_TRIED]]


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
    side: NDArray[np.bool_], loads: NDArray[np.float64], wanted: NDArray[np.float64]
) -> tuple[int, float]:
    """Number of grids for the first side (each side needs as many cells as grids), and the worst error."""
    k, n, first = len(wanted), len(side), int(np.count_nonzero(side))
    low, high = max(1, k - (n - first)), min(k - 1, first)
    sums = np.cumsum(wanted, axis=0) / np.maximum(wanted.sum(axis=0), 1e-300)
    share = loads[side].sum(axis=0) / np.maximum(loads.sum(axis=0), 1e-300)
    count = low + int(np.argmin(np.abs(sums[low - 1 : high] - share).max(axis=1)))
    target = sums[count - 1]
    return count, float((np.abs(share - target) / np.maximum(np.minimum(target, 1 - target), 1e-12)).max())
