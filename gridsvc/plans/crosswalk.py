"""From the cells of one tiling to those of another: by customers' points, and by area where nobody lives."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import shapely
from numpy.typing import NDArray

from gridsvc.plans.claims import Allotment, Claims, allot, fill
from gridsvc.plans.plan import Plan
from gridsvc.tiling.tiling import Tiling

__all__ = ["Crosswalk", "carry", "crosswalk"]

Floats = NDArray[np.float64]
Rows = NDArray[np.int64]

_NOISE = 1e-3
"""Square metres which two cells may share by rounding alone."""


@dataclass(frozen=True, slots=True)
class Crosswalk:
    """What cells share: one row a pair of an old and a new cell.

    Attributes
    ----------
    old, new : int64 arrays, shape (n,)
        Rows of the tilings; -1 for customers whom the other tiling has in no cell.
    customers, area : float64 arrays, shape (n,), number and square metres
    share : float64 array, shape (n,)
        Of the old cell's customers, or of its area where it has none; the shares of a cell add to 1. Where
        nothing of an old cell is in any new one it has no row, and 0 stands at rows without an old cell.
    """

    old: Rows
    new: Rows
    customers: Floats
    area: Floats
    share: Floats


def crosswalk(
    cells: tuple[NDArray[np.object_], NDArray[np.object_]], old: NDArray[np.integer], new: NDArray[np.integer]
) -> Crosswalk:
    """Compare two tilings.

    Parameters
    ----------
    cells : pair of object arrays of polygons
        Outlines of the old and the new cells on one plane, metres.
    old, new : integer arrays, shape (n_customers,)
        Rows of each customer's cells, -1 for none.
    """
    a, b, area = _shared(*cells)
    width = len(cells[1]) + 1  # the last column is for customers in no new cell
    pair = (
        (np.concatenate([a, old.astype(np.int64)]) + 1) * width
        + np.concatenate([b, new.astype(np.int64)])
        + 1
    )
    keys, which = np.unique(pair, return_inverse=True)
    ground = np.bincount(which[: len(a)], area, len(keys)).astype(np.float64)
    heads = np.bincount(which[len(a) :], minlength=len(keys)).astype(np.float64)
    left, right = keys // width - 1, keys % width - 1
    kept = (left >= 0) | (right >= 0)
    left, right, heads, ground = left[kept], right[kept], heads[kept], ground[kept]
    return Crosswalk(left, right, heads, ground, _share(left, heads, ground, len(cells[0])))


def _share(old: Rows, heads: Floats, area: Floats, n: int) -> Floats:
    inside = old >= 0
    at = np.where(inside, old, n)
    by_heads, by_area = (np.bincount(at, values, n + 1)[at] for values in (heads, area))
    lived = by_heads > 0
    whole = np.where(lived, by_heads, by_area)
    share = np.where(lived, heads, area) / np.where(whole > 0, whole, 1.0)
    return np.where(inside, share, 0.0)


def _shared(old: NDArray[np.object_], new: NDArray[np.object_]) -> tuple[Rows, Rows, Floats]:
    """Pairs of cells and the ground they share, square metres."""
    shapely.prepare(new)
    a, b = shapely.STRtree(new).query(old, predicate="intersects")
    area = np.zeros(len(a))
    whole = shapely.contains_properly(new[b], old[a])
    area[whole] = shapely.area(old[a[whole]])
    area[~whole] = shapely.area(shapely.intersection(old[a[~whole]], new[b[~whole]]))
    kept = area > _NOISE
    return a[kept].astype(np.int64), b[kept].astype(np.int64), area[kept]


def carry(plan: Plan, walk: Crosswalk, tiling: Tiling) -> tuple[Plan, Allotment, Sequence[str]]:
    """A plan on the cells of another tiling.

    Each new cell goes to the grid which has most of its customers, then most of its area, the first of equal
    ones; cells which no grid touches to a neighbour. Grids which come away empty are named.
    """
    n, k = len(tiling), len(plan.grids)
    grid = np.where(walk.old >= 0, np.append(plan.labels, -1)[walk.old], -1)
    on = walk.new >= 0
    held, open_ = on & (grid >= 0), on & (grid < 0)
    keys, which = np.unique(walk.new[held] * k + grid[held], return_inverse=True)
    customers, area = (np.bincount(which, v[held], len(keys)) for v in (walk.customers, walk.area))
    left = [np.bincount(walk.new[open_], v[open_], n).astype(np.float64) for v in (walk.customers, walk.area)]
    claims = Claims(
        keys // k, (keys % k).astype(np.int32), customers.astype(np.float64), area.astype(np.float64), *left
    )
    found = fill(allot(claims), tiling)
    there = np.unique(found.labels[found.labels >= 0])
    position = np.full(k + 1, -1, np.int32)  # the last is for -1
    position[there] = np.arange(len(there), dtype=np.int32)
    kept = set(there.tolist())
    empty = [g.code for at, g in enumerate(plan.grids) if at not in kept]
    grids = tuple(plan.grids[at] for at in there.tolist())
    return replace(plan, labels=position[found.labels], grids=grids), found, empty
