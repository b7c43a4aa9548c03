"""Which grid each cell goes to, when grids claim parts of it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from gridsvc.tiling.tiling import Tiling

__all__ = ["AREA", "CUSTOMERS", "MAJORITY", "NEIGHBOUR", "NOBODY", "Allotment", "Claims", "allot", "fill"]

Floats = NDArray[np.float64]
Labels = NDArray[np.int32]

MAJORITY = 0.8
"""Share of a cell below which its grid is worth a second look."""

NOBODY, CUSTOMERS, AREA, NEIGHBOUR = range(4)
"""By what a cell came to its grid."""

_ROUNDING = 1e-9


@dataclass(frozen=True, slots=True)
class Claims:
    """What grids claim of cells: one row a cell and grid.

    Attributes
    ----------
    cell : int64 array, shape (n,)
    grid : int32 array, shape (n,)
    customers, area : float64 arrays, shape (n,), number and square metres
    open_customers, open_area : float64 arrays, shape (n_cells,)
        What of each cell nobody claims.
    """

    cell: NDArray[np.int64]
    grid: Labels
    customers: Floats
    area: Floats
    open_customers: Floats
    open_area: Floats


@dataclass(frozen=True, slots=True)
class Allotment:
    """Where each cell goes.

    Attributes
    ----------
    labels : int32 array, shape (n_cells,)
        Grid; -1 for none.
    by : int8 array, shape (n_cells,)
        `CUSTOMERS`, `AREA`, `NEIGHBOUR` or `NOBODY`.
    share : float64 array, shape (n_cells,)
        The grid's share of what is claimed and open in the cell; ground or customers which two grids claim
        count for each of them. 0 without a claim.
    counted : bool array, shape (n_cells,)
        Whether `share` is one of customers (those the cell has in any grid or none), not of area.
    """

    labels: Labels
    by: NDArray[np.int8]
    share: Floats
    counted: NDArray[np.bool_]

    def contested(self, least: float = MAJORITY) -> NDArray[np.int64]:
        """Rows of the cells whose grid has a smaller share than `least`; filled ones where customers live."""
        judged = np.isin(self.by, (CUSTOMERS, AREA)) | ((self.by == NEIGHBOUR) & self.counted)
        return np.flatnonzero(judged & (self.share < least - _ROUNDING))


def allot(claims: Claims) -> Allotment:
    """Each cell to the grid with most of its customers, then area; the first grid where both are equal."""
    n = len(claims.open_area)
    customers = np.bincount(claims.cell, claims.customers, n)
    wholes = customers + claims.open_customers, np.bincount(claims.cell, claims.area, n) + claims.open_area
    order = np.lexsort((claims.grid, -claims.area, -claims.customers, claims.cell))
    cells, first = np.unique(claims.cell[order], return_index=True)
    best = order[first]
    labels, by, share = np.full(n, -1, np.int32), np.full(n, NOBODY, np.int8), np.zeros(n)
    labels[cells] = claims.grid[best]
    by[cells] = np.where(customers[cells] > 0, CUSTOMERS, AREA)
    counted = wholes[0] > 0
    won = np.where(counted[cells], claims.customers[best], claims.area[best])
    whole = np.where(counted, *wholes)[cells]
    share[cells] = np.where(whole > 0, won / np.where(whole > 0, whole, 1.0), 0.0)
    return Allotment(labels, by, share, counted)


def fill(found: Allotment, tiling: Tiling) -> Allotment:
    """Give cells without a grid to the neighbour with the longest shared border, from the edges inwards.

    Cells which no chain of neighbours leads to (islands) go to the grid of the nearest cell. Nothing is done
    where no cell has a grid.
    """
    labels = found.labels.copy()
    placed = labels >= 0
    if placed.any() and not placed.all():
        while len((ring := _ring(labels, tiling))[0]):
            labels[ring[0]] = ring[1]
        _nearest(labels, tiling)
    by = np.where(placed | (labels < 0), found.by, NEIGHBOUR).astype(np.int8)
    return Allotment(labels, by, found.share, found.counted)


def _ring(labels: Labels, tiling: Tiling) -> tuple[NDArray[np.int64], Labels]:
    """Cells without a grid beside cells with one, and the grid each has the longest border with."""
    graph = tiling.adjacency
    tail = np.repeat(np.arange(len(labels)), np.diff(graph.indptr))
    edge = np.flatnonzero((labels[tail] < 0) & (labels[graph.indices] >= 0))
    k = int(labels.max()) + 1
    pair, which = np.unique(tail[edge] * k + labels[graph.indices[edge]], return_inverse=True)
    border = np.bincount(which, graph.length[edge], len(pair))
    order = np.lexsort((pair % k, -border, pair // k))
    cells, first = np.unique(pair[order] // k, return_index=True)
    return cells, (pair[order[first]] % k).astype(np.int32)


def _nearest(labels: Labels, tiling: Tiling) -> None:
    left = np.flatnonzero(labels < 0)
    if len(left):
        there = np.flatnonzero(labels >= 0)
        tree = cKDTree(np.column_stack([tiling.x[there], tiling.y[there]]))
        labels[left] = labels[there[tree.query(np.column_stack([tiling.x[left], tiling.y[left]]))[1]]]
