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
    """Cells which hang together, and the grids they are to be cut into."""

    cells: NDArray[np.int64]
    grids: NDArray[np.int64]


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
    problem: Problem, part: NDArray[np.int64], load: NDArray[np.float64], wanted: NDArray[np.float64]
) -> list[Part]:
    """Deal the k grids out to the connected parts by load, at least one each.

    Parameters
    ----------
    part : int64 array, shape (n,)
        Connected part of each cell, 0..p-1.
    load : float64 array, shape (n,)
    wanted : float64 array, shape (k,)
        Combined target of each grid.

    Raises
    ------
    InvalidInput
        Fewer grids than parts.
    """
    sizes = np.bincount(part)
    if problem.k < len(sizes):
        raise _too_few(problem, part, sizes)
    loads = np.asarray(np.bincount(part, load), np.float64)
    counts = _counts(loads, sizes, problem.k)
    cells = np.split(np.argsort(part, kind="stable"), np.cumsum(sizes)[:-1])
    grids = _deal(loads, counts, wanted)
    return [Part(c, g) for c, g in zip(cells, grids, strict=True)]


def _counts(loads: NDArray[np.float64], sizes: NDArray[np.int64], k: int) -> list[int]:
    # Huntington and Hill's rule of apportionment: the next grid goes where load / sqrt(c (c + 1)) is largest,
    # which keeps the relative difference between any two parts' loads per grid smallest.
    counts = [1] * len(loads)
    heap = [(-load / sqrt(2), p) for p, load in enumerate(loads.tolist()) if sizes[p] > 1]
    heapq.heapify(heap)
    for _ in range(k - len(loads)):
        p = heapq.heappop(heap)[1]
        counts[p] += 1
        if counts[p] < sizes[p]:
            heapq.heappush(heap, (-float(loads[p]) / sqrt(counts[p] * (counts[p] + 1)), p))
    return counts


def _deal(
    loads: NDArray[np.float64], counts: list[int], wanted: NDArray[np.float64]
) -> list[NDArray[np.int64]]:
    # Largest target first, to the part with the most load left for each grid it still gets.
    left = [
        (-float(load) / c, p, float(load), c) for p, (load, c) in enumerate(zip(loads, counts, strict=True))
    ]
    heapq.heapify(left)
    dealt: list[list[int]] = [[] for _ in counts]
    for g in np.argsort(-wanted, kind="stable").tolist():
        _, p, load, open_ = heapq.heappop(left)
        dealt[p].append(g)
        load, open_ = load - float(wanted[g]), open_ - 1
        if open_:
            heapq.heappush(left, (-load / open_, p, load, open_))
    return [np.array(sorted(grids), np.int64) for grids in dealt]


def _too_few(problem: Problem, part: NDArray[np.int64], sizes: NDArray[np.int64]) -> InvalidInput:
    first = np.unique(part, return_index=True)[1]
    smallest = np.argsort(sizes, kind="stable")[:_NAMED]
    named = [f"{sizes[p]} cell(s) round row {first[p] + 1}" for p in smallest]
    need = len(sizes)
    told: dict[str, Any] = {
        "parts": need,
        "smallest": [{"row": int(first[p]) + 1, "cells": int(sizes[p])} for p in smallest],
    }
    if problem.parent is None:
        what = f"the cells fall into {need} parts which do not touch"
        return InvalidInput(
            f"{problem.k} grids asked for but {what} (smallest: {', '.join(named)})",
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
        f"{problem.k} grids asked for but {len(parents)} parents need {need}{why} "
        f"(smallest: {', '.join(named)})",
        field="grids",
        cure=cure,
        **told,
        parents=len(parents),
    )
