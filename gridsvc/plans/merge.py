"""Merging two plans of one origin, cell by cell: what one changed goes into the other."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from gridsvc.plans.plan import Plan

__all__ = ["Merge", "merge"]

Rows = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Merge:
    """What a merge would do.

    Attributes
    ----------
    rows : int64 array, shape (n,)
        Cells which only the other plan changed.
    conflicts : int64 array, shape (n_conflicts,)
        Cells which both changed, to different grids.
    """

    rows: Rows
    conflicts: Rows


def merge(base: Plan, mine: Plan, theirs: Plan) -> Merge:
    """Find the cells `theirs` changed since `base`, and which of them `mine` changed otherwise.

    Grids are matched by code. A cell which both handed to the same grid needs nothing.
    """
    codes = sorted({grid.code for plan in (base, mine, theirs) for grid in plan.grids})
    number = {code: n for n, code in enumerate(codes)}
    was, here, there = (_numbered(plan, number) for plan in (base, mine, theirs))
    wanted = (there != was) & (there != here)
    both = wanted & (here != was)
    return Merge(np.flatnonzero(wanted & ~both), np.flatnonzero(both))


def _numbered(plan: Plan, number: dict[str, int]) -> NDArray[np.int64]:
    of_grid = np.array([*(number[grid.code] for grid in plan.grids), -1], np.int64)
    return of_grid[plan.labels]
