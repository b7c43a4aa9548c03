"""How many grids, and which, each part of the graph gets."""

from __future__ import annotations

import heapq
from dataclasses import dataclass
from math import sqrt
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gridsvc.balance.problem import Problem
from gridsvc.errors import InvalidInput

__all__ = ["Part", "combined_load", "combined_targets", "share_out"]

_NAMED = 5  # parts named in a message


@dataclass(frozen=True, slots=True)
class Part:
    """Cells which hang together, and the grids they are to be cut into.

    Attributes
    ----------
    cells : int64 array, shape (c,)
        Rows.
    grids : int64 array, shape (g,)
        Ascending.
    held : int32 array, shape (c,)
        Grid which has the cell from the start, -1 where the cell is free.
    """

    cells: NDArray[np.int64]
    grids: NDArray[np.int64]
    held: NDArray[np.int32]


def combined_load(weights: NDArray[np.float64]) -> NDArray[np.float64]:
    """One positive number a cell, summing to 1: the mean over measures of its share of the total.

    A millionth is spread evenly over all cells, so that cells without demand have a load too.

    Parameters
    ----------
    weights : float64 array, shape (n, m)

    Returns
    -------
    float64 array, shape (n,)
    """
    n = len(weights)
    total = weights.sum(axis=0)
    used = total > 0
    if not used.any():
        return np.full(n, 1 / n)
    share: NDArray[np.float64] = (weights[:, used] / total[used]).mean(axis=1)
    return (1 - 1e-6) * share + 1e-6 / n


def combined_targets(targets: NDArray[np.float64]) -> NDArray[np.float64]:
    """Share of the combined load each grid should carry: float64 array, shape (k,), summing to 1."""
    share = combined_load(targets)
    return np.asarray(share / share.sum(), np.float64)


def share_out(
    problem: Problem,
    part: NDArray[np.int64],
    load: NDArray[np.float64],
    wanted: NDArray[np.float64],
    held: NDArray[np.int32] | None = None,
) -> list[Part]:
    """Deal the k grids out to the connected parts by load, at least one each.

    A grid which holds cells goes where they are, and a part gets no more other grids than it has cells
    which no grid holds.

    Parameters
    ----------
    part : int64 array, shape (n,)
        Connected part of each cell, 0..p-1.
    load : float64 array, shape (n,)
    wanted : float64 array, shape (k,)
        Combined target of each grid.
    held : int32 array, shape (n,), optional
        What each grid holds, as `gridsvc.balance.grow.join_anchors` gives it: connected, so within one part.
        None: the problem's anchors.

    Raises
    ------
    InvalidInput
        Fewer grids than the parts need, or more than there is room for.
    """
    held = problem.anchors() if held is None else held
    sizes = np.bincount(part)
    home = np.full(problem.k, -1, np.int64)
    home[held[held >= 0]] = part[held >= 0]
    forced = np.bincount(home[home >= 0], minlength=len(sizes))
    free = np.bincount(part[held < 0], minlength=len(sizes))
    if problem.k < np.maximum(forced, 1).sum():
        raise _too_few(problem, part, sizes, forced)
    if problem.k > (forced + free).sum():
        raise _no_room(problem, int(free.sum()), int(forced.sum()))
    loads = np.asarray(np.bincount(part, load), np.float64)
    counts = _counts(loads, forced, forced + free, problem.k)
    cells = np.split(np.argsort(part, kind="stable"), np.cumsum(sizes)[:-1])
    grids = _deal(loads, counts, wanted, home)
    return [Part(c, g, held[c]) for c, g in zip(cells, grids, strict=True)]


def _counts(
    loads: NDArray[np.float64], forced: NDArray[np.int64], most: NDArray[np.int64], k: int
) -> list[int]:
    # Huntington and Hill's rule of apportionment: the next grid goes where load / sqrt(c (c + 1)) is largest,
    # which keeps the relative difference between any two parts' loads per grid smallest.
    counts: list[int] = np.maximum(forced, 1).tolist()
    heap = [
        (-load / sqrt(c * (c + 1)), p)
        for p, (load, c) in enumerate(zip(loads.tolist(), counts, strict=True))
        if c < most[p]
    ]
    heapq.heapify(heap)
    for _ in range(k - sum(counts)):
        p = heapq.heappop(heap)[1]
        counts[p] += 1
        if counts[p] < most[p]:
            heapq.heappush(heap, (-float(loads[p]) / sqrt(counts[p] * (counts[p] + 1)), p))
    return counts


def _deal(
    loads: NDArray[np.float64], counts: list[int], wanted: NDArray[np.float64], home: NDArray[np.int64]
) -> list[NDArray[np.int64]]:
    # Largest target first, to the part with the most load left for each grid it still gets.
    parts, at_home = range(len(counts)), np.flatnonzero(home >= 0)
    dealt = [at_home[home[at_home] == p].tolist() for p in parts] if len(at_home) else [[] for _ in parts]
    loads = loads - np.bincount(home[at_home], wanted[at_home], len(counts))
    left = []
    for p, (load, count) in enumerate(zip(loads.tolist(), counts, strict=True)):
        open_ = count - len(dealt[p])
        if open_:
            left.append((-load / open_, p, load, open_))
    heapq.heapify(left)
    for g in np.argsort(-wanted, kind="stable").tolist():
        if home[g] >= 0:
            continue
        _, p, load, open_ = heapq.heappop(left)
        dealt[p].append(g)
        load, open_ = load - float(wanted[g]), open_ - 1
        if open_:
            heapq.heappush(left, (-load / open_, p, load, open_))
    return [np.array(sorted(grids), np.int64) for grids in dealt]


def _no_room(problem: Problem, free: int, forced: int) -> InvalidInput:
    return InvalidInput(
        f"{problem.k} grids asked for but locks and seeds of {forced} grids leave only {free} cells for the "
        f"other {problem.k - forced}",
        field="grids",
        cure=f"ask for at most {forced + free} grids or lock fewer cells",
        most=forced + free,
    )


def _too_few(
    problem: Problem, part: NDArray[np.int64], sizes: NDArray[np.int64], forced: NDArray[np.int64]
) -> InvalidInput:
    first = np.unique(part, return_index=True)[1]
    without = np.flatnonzero(forced == 0)
    smallest = without[np.argsort(sizes[without], kind="stable")][:_NAMED]
    named = [f"{sizes[p]} cell(s) round row {first[p] + 1}" for p in smallest]
    need = int(np.maximum(forced, 1).sum())
    told: dict[str, Any] = {
        "parts": len(sizes),
        "smallest": [{"row": int(first[p]) + 1, "cells": int(sizes[p])} for p in smallest],
    }
    taken = ""
    if forced.any():
        taken = (
            f"; {forced.sum()} of them are kept by locks and seeds to {np.count_nonzero(forced)} part(s) "
            f"and {len(without)} more need a grid"
        )
    if problem.parent is None:
        what = f"the cells fall into {len(sizes)} parts which do not touch"
        return InvalidInput(
            f"{problem.k} grids asked for but {what}{taken} (smallest: {', '.join(named)})",
            field="grids",
            cure=f"link the parts with --islands attach or ask for at least {need} grids",
            **told,
        )
    parents, pieces = np.unique(problem.parent[first], return_counts=True)
    split = [f"parent {p} in {c} parts" for p, c in zip(parents, pieces, strict=True) if c > 1]
    why = f"; {', '.join(split[:_NAMED])}" if split else ""
    cure = f"ask for at least {need} grids"
    if split:
        cure += f", or link the parts with --islands attach and ask for at least {len(parents)}"
    return InvalidInput(
        f"{problem.k} grids asked for but {len(parents)} parents need {need}{taken}{why} "
        f"(smallest: {', '.join(named)})",
        field="grids",
        cure=cure,
        **told,
        parents=len(parents),
    )
