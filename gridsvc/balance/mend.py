"""A valid plan from one that no longer is: stray pieces and cells without a grid join what lies nearest."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix
from scipy.sparse.csgraph import dijkstra

from gridsvc.balance.graph import Pairs, parts_of
from gridsvc.balance.problem import Problem
from gridsvc.balance.share import combined_load
from gridsvc.errors import InvalidInput

__all__ = ["bridge", "give_away", "main_pieces", "mend", "require_cells"]

_NAMED = 5


def main_pieces(
    labels: NDArray[np.int32], pairs: Pairs, load: NDArray[np.float64], kept: NDArray[np.bool_]
) -> NDArray[np.bool_]:
    """Which cells lie in the main piece of their grid: that with `kept` cells, else the heaviest.

    Parameters
    ----------
    labels : int32 array, shape (n,), -1 for a cell without a grid
    pairs : (a, b)
        Cells which may share a grid.
    load : float64 array, shape (n,)
    kept : bool array, shape (n,)
        Cells which must stay where they are.

    Returns
    -------
    bool array, shape (n,)
        False for cells without a grid.
    """
    a, b = pairs
    same = (labels[a] == labels[b]) & (labels[a] >= 0)
    n_parts, part = parts_of(len(labels), (a[same], b[same]))
    weight = np.bincount(part, load, n_parts) + 2 * load.sum() * np.bincount(part, kept, n_parts)
    first = np.unique(part, return_index=True)[1]
    grid = labels[first]
    best = np.lexsort((np.arange(n_parts), -weight, grid))  # the first of each grid is its main piece
    lead = best[np.flatnonzero(np.diff(grid[best], prepend=-2) > 0)]
    main = np.zeros(n_parts, np.bool_)
    main[lead] = True
    return np.asarray(main[part] & (labels >= 0), np.bool_)


def mend(problem: Problem, pairs: Pairs, labels: NDArray[np.int32]) -> NDArray[np.int32]:
    """Connect the grids of `labels`: whatever is not in a grid's main piece goes to the nearest grid.

    Locked cells are given to their grids first.

    Parameters
    ----------
    pairs : (a, b)
        Cells which may share a grid.
    labels : int32 array, shape (n,), -1 for a cell without a grid

    Returns
    -------
    int32 array, shape (n,)
        Each grid which had cells is connected; those of `labels` which need not move have not.

    Raises
    ------
    InvalidInput
        A grid has no cells, or cells have no way to any grid.
    """
    anchors = problem.anchors()
    labels = np.where(anchors >= 0, anchors, labels).astype(np.int32)
    require_cells(problem, labels)
    main = main_pieces(labels, pairs, combined_load(problem.weights), anchors >= 0)
    return labels if main.all() else give_away(problem, pairs, labels, main)


def require_cells(problem: Problem, labels: NDArray[np.int32]) -> None:
    """Refuse a plan in force in which a grid has no cells.

    Raises
    ------
    InvalidInput
        Naming the grids.
    """
    empty = np.flatnonzero(np.bincount(labels[labels >= 0], minlength=problem.k) == 0)
    if len(empty):
        raise InvalidInput(
            f"{len(empty)} grid(s) of the plan in force have no cell any more "
            f"({', '.join(str(g + 1) for g in empty[:_NAMED])})",
            field="from",
            cure="take them out of the old plan and ask for fewer grids",
        )


def give_away(
    problem: Problem, pairs: Pairs, labels: NDArray[np.int32], main: NDArray[np.bool_]
) -> NDArray[np.int32]:
    """Give each cell outside the `main` pieces to the grid of the nearest cell in one.

    Raises
    ------
    InvalidInput
        Cells have no way to any grid.
    """
    source = _nearest(problem, pairs, np.flatnonzero(main))
    lost = np.flatnonzero(source < 0)
    if len(lost):
        rows = ", ".join(str(row + 1) for row in lost[:_NAMED])
        raise InvalidInput(
            f"{len(lost)} cell(s) have no way to a grid of the plan in force (rows {rows})",
            field="from",
            cure="give each separate part of the territory a grid, or link the parts with --islands attach",
        )
    return np.asarray(labels[source], np.int32)


def bridge(
    problem: Problem, pairs: Pairs, labels: NDArray[np.int32], main: NDArray[np.bool_]
) -> NDArray[np.int32]:
    """Join the nearest stray piece of each grid to the rest of it by the lightest path of free cells.

    Parameters
    ----------
    pairs : (a, b)
        Cells which may share a grid.
    labels : int32 array, shape (n,)
        A complete plan.
    main : bool array, shape (n,)
        False for the cells of stray pieces.

    Returns
    -------
    int32 array, shape (n,)
        One piece more of each broken grid is joined. Grids which the paths cross may have come apart; pieces
        without a way lighter than they are stay.
    """
    anchors = problem.anchors()
    load = combined_load(problem.weights) + 1 / problem.n
    result = labels.copy()
    for g in np.unique(labels[~main]):
        mine = labels == g
        a, b = pairs
        held = ((anchors >= 0) & (anchors != g))[np.stack([a, b])].any(axis=0)
        cost = np.where(mine, 0.0, load)
        weight = np.maximum((cost[a] + cost[b]) / 2, 1e-12)
        graph = csr_matrix((weight[~held], (a[~held], b[~held])), shape=(problem.n, problem.n))
        far, before, _ = dijkstra(
            graph,
            directed=False,
            indices=np.flatnonzero(main & mine),
            min_only=True,
            return_predecessors=True,
            limit=float(load[mine & ~main].sum()),  # a longer way moves more than giving the piece away
        )
        strays = np.flatnonzero(mine & ~main & np.isfinite(far))
        if len(strays):
            step = int(strays[np.argmin(far[strays])])
            while step >= 0:
                result[step] = g
                step = int(before[step])
    return result


def _nearest(problem: Problem, pairs: Pairs, sources: NDArray[np.int64]) -> NDArray[np.int64]:
    """The source nearest to each cell along the graph, -1 where there is none: int64 array, shape (n,)."""
    a, b = pairs
    metres = np.hypot(problem.x[a] - problem.x[b], problem.y[a] - problem.y[b])
    graph = csr_matrix((np.maximum(metres, 1e-9), (a, b)), shape=(problem.n, problem.n))
    _, _, found = dijkstra(graph, directed=False, indices=sources, min_only=True, return_predecessors=True)
    return np.where(found >= 0, found, -1).astype(np.int64)
