"""Grids which are not in one piece, and the pieces which lie apart."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from gridsvc.plans.plan import Plan

__all__ = ["strays"]


def strays(
    plan: Plan,
    indptr: NDArray[np.int64],
    indices: NDArray[np.int32],
    links: Sequence[tuple[int, int]] = (),
) -> dict[int, tuple[int, NDArray[np.int64]]]:
    """Number of pieces, and the cells outside the largest one, of each grid in several pieces.

    Parameters
    ----------
    indptr, indices : int64 and int32 arrays
        Adjacency of the cells.
    links : sequence of (row, row)
        Cells which count as adjacent though they are not.

    Returns
    -------
    dict of position in `plan.grids` to (number of pieces, int64 array of rows)
    """
    part = _parts(plan, indptr, indices, links)
    placed = np.flatnonzero(plan.labels >= 0)
    parts, first, size = np.unique(part[placed], return_index=True, return_counts=True)
    grid = plan.labels[placed[first]]
    pieces = np.bincount(grid, minlength=len(plan.grids))
    order = np.lexsort((parts, -size, grid))
    largest = parts[order][np.unique(grid[order], return_index=True)[1]]
    outside = placed[~np.isin(part[placed], largest)]
    return {
        g: (int(pieces[g]), outside[plan.labels[outside] == g]) for g in np.flatnonzero(pieces > 1).tolist()
    }


def _parts(
    plan: Plan, indptr: NDArray[np.int64], indices: NDArray[np.int32], links: Sequence[tuple[int, int]]
) -> NDArray[np.int64]:
    """Number of the connected piece of one grid in which each cell lies."""
    from scipy.sparse import csr_array  # which no server should wait for when it starts
    from scipy.sparse.csgraph import connected_components

    n = len(plan.labels)
    ends = np.array(links, np.int64).reshape(-1, 2)
    tail = np.concatenate([np.repeat(np.arange(n), np.diff(indptr)), ends[:, 0]])
    head = np.concatenate([indices.astype(np.int64), ends[:, 1]])
    same = plan.labels[tail] == plan.labels[head]
    matrix = csr_array((np.ones(int(same.sum()), np.int8), (tail[same], head[same])), shape=(n, n))
    return np.asarray(connected_components(matrix, directed=False)[1], np.int64)
