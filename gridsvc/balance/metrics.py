"""Numbers that say how good a plan is, and the independent check that it is one."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix
from scipy.sparse.csgraph import connected_components

from gridsvc.balance.problem import Problem, Solution

__all__ = [
    "check",
    "components_of",
    "cut_share",
    "deviations",
    "perimeters",
    "polsby_popper",
    "shapes",
    "totals",
    "weighted_inertia",
]


def totals(labels: NDArray[np.int32], weights: NDArray[np.float64], k: int) -> NDArray[np.float64]:
    """Sum of each measure over each grid: float64 array, shape (k, m), the measures' units."""
    sums = np.zeros((k, weights.shape[1]))
    for column, values in enumerate(weights.T):
        sums[:, column] = np.bincount(labels, values, k)
    return sums


def deviations(totals: NDArray[np.float64], targets: NDArray[np.float64]) -> NDArray[np.float64]:
    """Relative deviation of each total from its target (0.05 is 5 % above), shape (k, m).

    Where a target is 0 the mean target of the measure stands in as the unit; where that is 0 as well,
    a total of 0 deviates by 0 and any other by 1.
    """
    unit = np.where(targets > 0, targets, targets.mean(axis=0))
    known = unit > 0
    relative = (totals - targets) / np.where(known, unit, 1.0)
    return np.asarray(np.where(known, relative, np.where(totals > 0, 1.0, 0.0)), np.float64)


def components_of(
    labels: NDArray[np.int32], indptr: NDArray[np.int64], indices: NDArray[np.int32], k: int
) -> NDArray[np.int64]:
    """Number of connected pieces of each grid (0 where it has no cell): int64 array, shape (k,)."""
    n = len(labels)
    tail = np.repeat(np.arange(n), np.diff(indptr))
    same = labels[tail] == labels[indices]
    matrix = csr_matrix((np.ones(int(same.sum()), np.int8), (tail[same], indices[same])), shape=(n, n))
    _, part = connected_components(matrix, directed=False)
    first = np.unique(part, return_index=True)[1]
    return np.bincount(labels[first], minlength=k).astype(np.int64)


def _inertia(
    x: NDArray[np.float64],
    y: NDArray[np.float64],
    weight: NDArray[np.float64],
    labels: NDArray[np.int32],
    k: int,
) -> NDArray[np.float64]:
    total = np.maximum(np.bincount(labels, weight, k), 1e-300)
    cx, cy = np.bincount(labels, weight * x, k) / total, np.bincount(labels, weight * y, k) / total
    squared = (x - cx[labels]) ** 2 + (y - cy[labels]) ** 2
    return np.bincount(labels, weight * squared, k).astype(np.float64)


def shapes(problem: Problem, labels: NDArray[np.int32], k: int) -> NDArray[np.float64]:
    """Area inertia of each grid over that of a disc of the same area: float64 array, shape (k,).

    1 is a disc; each cell counts as a disc of its own area (inertia A ** 2 / 2 pi). A grid without area
    has 1.
    """
    area = np.bincount(labels, problem.area, k)
    own = np.bincount(labels, problem.area**2, k) / (2 * np.pi)
    inertia = _inertia(problem.x, problem.y, problem.area, labels, k) + own
    disc = np.where(area > 0, area**2 / (2 * np.pi), 1.0)
    return np.asarray(np.where(area > 0, inertia / disc, 1.0), np.float64)


def perimeters(problem: Problem, labels: NDArray[np.int32], k: int) -> NDArray[np.float64]:
    """Outline of each grid: its cells' perimeters less the borders inside it, metres, shape (k,)."""
    tail = np.repeat(np.arange(problem.n), np.diff(problem.indptr))
    same = labels[tail] == labels[problem.indices]
    inner = np.bincount(labels[tail[same]], problem.border[same], k)  # each border stands twice in the graph
    return np.asarray(np.maximum(np.bincount(labels, problem.perimeter, k) - inner, 0.0), np.float64)


def polsby_popper(problem: Problem, labels: NDArray[np.int32], k: int) -> NDArray[np.float64]:
    """4 pi area / perimeter ** 2 of each grid (Polsby and Popper 1991; 1 is a disc), shape (k,).

    0 where a grid has no outline.
    """
    outline = perimeters(problem, labels, k)
    area = np.bincount(labels, problem.area, k)
    return np.where(outline > 0, 4 * np.pi * area / np.where(outline > 0, outline, 1.0) ** 2, 0.0)


def cut_share(problem: Problem, labels: NDArray[np.int32]) -> float:
    """Share of adjacent pairs whose cells are in different grids."""
    tail = np.repeat(np.arange(problem.n), np.diff(problem.indptr))
    return float(np.mean(labels[tail] != labels[problem.indices])) if len(tail) else 0.0


def weighted_inertia(problem: Problem, labels: NDArray[np.int32], k: int) -> float:
    """Inertia of the demand about the grids' demand centres, in mean cell areas ("wmoi").

    Demand is the mean over measures of a cell's share of the total.
    """
    total, area = problem.weights.sum(axis=0), float(problem.area.mean())
    if not (total > 0).any() or area <= 0:
        return 0.0
    demand = (problem.weights[:, total > 0] / total[total > 0]).mean(axis=1)
    return float(_inertia(problem.x, problem.y, demand, labels, k).sum() / area)


def check(problem: Problem, solution: Solution) -> list[str]:
    """Faults of a solution, in words which count grids from 1; empty when it is valid.

    Valid: each cell has one of the grids 0..k-1, each grid has cells, is connected (links of the report
    count, if islands may be attached) and lies in one parent.
    """
    labels, k = solution.labels, problem.k
    if labels.shape != (problem.n,) or labels.dtype != np.int32:
        return [f"labels have shape {labels.shape} and type {labels.dtype}"]
    if labels.min() < 0 or labels.max() >= k:
        return [f"labels run from {labels.min()} to {labels.max()}, not within 0..{k - 1}"]
    indptr, indices = _with_links(problem, solution.report.get("links", []))
    pieces = components_of(labels, indptr, indices, k)
    faults = [f"grid {g + 1} has no cells" for g in np.flatnonzero(pieces == 0)]
    faults += [f"grid {g + 1} is in {pieces[g]} pieces" for g in np.flatnonzero(pieces > 1)]
    if problem.parent is not None:
        pairs = np.unique(np.column_stack([labels, problem.parent]), axis=0)
        parents = np.bincount(pairs[:, 0], minlength=k)
        faults += [f"grid {g + 1} lies in {parents[g]} parents" for g in np.flatnonzero(parents > 1)]
    return faults


def _with_links(problem: Problem, links: list[dict[str, Any]]) -> tuple[NDArray[np.int64], NDArray[np.int32]]:
    if not links or problem.islands != "attach":
        return problem.indptr, problem.indices
    a = np.array([link["a"] for link in links])
    b = np.array([link["b"] for link in links])
    tail = np.repeat(np.arange(problem.n), np.diff(problem.indptr))
    tail, head = np.concatenate([tail, a, b]), np.concatenate([problem.indices, b, a])
    indptr = np.zeros(problem.n + 1, np.int64)
    np.cumsum(np.bincount(tail, minlength=problem.n), out=indptr[1:])
    return indptr, head[np.argsort(tail, kind="stable")].astype(np.int32)
