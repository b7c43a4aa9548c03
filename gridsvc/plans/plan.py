"""A plan as a value: which grid each cell belongs to, which team each grid, and what is owned apart."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from gridsvc.plans.carveouts import CarveOut

__all__ = ["Grid", "Plan"]


@dataclass(frozen=True, slots=True)
class Grid:
    """One grid of a plan.

    Attributes
    ----------
    code : str
        Unique within the plan; stays with the grid for life.
    team : str or None
        Id of the owning team.
    carve_out : bool
        Whole cells taken out of the balance and owned apart; polygons are in `Plan.carve_outs`.
    parent : str or None
        Code of the parent this grid is nested in.
    """

    code: str
    name: str
    team: str | None = None
    carve_out: bool = False
    parent: str | None = None


@dataclass(frozen=True, slots=True)
class Plan:
    """Cells of one tiling dealt out to grids.

    Attributes
    ----------
    labels : int32 array, shape (n_cells,)
        Position in `grids` of each cell's grid; -1 where a cell has none.
    grids : tuple of Grid
    carve_outs : tuple of CarveOut
        Polygons owned apart, which go before the cells under them.
    """

    labels: NDArray[np.int32]
    grids: tuple[Grid, ...]
    carve_outs: tuple[CarveOut, ...] = ()
