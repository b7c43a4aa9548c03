"""Transition (过渡期): customers who changed owner may stay with their former one for a while."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gridsvc.plans.plan import Grid, Plan

__all__ = ["Former", "moved"]


def moved(before: Plan, after: Plan) -> NDArray[np.int64]:
    """Cells whose owner changes: rows, ascending.

    The owner is the grid's team; a grid without one stands for itself, and no grid for nobody.
    """
    owners = [[*(_owner(grid) for grid in plan.grids), ""] for plan in (before, after)]
    old, new = (np.array(names, dtype=object) for names in owners)
    return np.flatnonzero(old[before.labels] != new[after.labels])


def _owner(grid: Grid) -> str:
    return f"grid {grid.code}" if grid.team is None else f"team {grid.team}"


@dataclass(frozen=True, slots=True, eq=False)
class Former:
    """Who owned the cells before, and until when customers may stay there.

    Attributes
    ----------
    until : datetime
    labels : integer array, shape (n_cells,)
        Position in `grids`, of the same tiling; -1 where a cell had none.
    grids : sequence of Grid
    """

    until: datetime
    labels: NDArray[Any]
    grids: Sequence[Grid]

    def grid(self, label: int, now: Grid | None) -> Grid | None:
        """The grid at a position, if its owner is another than that of the grid `now`."""
        if label < 0:
            return None
        grid = self.grids[label]
        return None if now is not None and _owner(grid) == _owner(now) else grid
