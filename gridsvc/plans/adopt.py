"""Existing grids taken over onto cells: first what is wrong with them, then which cell goes where."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from gridsvc.errors import InvalidInput
from gridsvc.plans.claims import Allotment, allot, fill
from gridsvc.plans.drawn import Drawn, DrawnGrid, Listed
from gridsvc.plans.plan import Grid, Plan
from gridsvc.plans.roll import Roll, survey_list
from gridsvc.plans.survey import People, Sketch, Survey, survey
from gridsvc.tiling.tiling import Tiling

__all__ = ["Adopted", "adopt_drawn", "adopt_listed"]


@dataclass(frozen=True, slots=True, eq=False)
class Adopted:
    """Grids on cells, and how they came there.

    Attributes
    ----------
    plan : Plan
        With the grids which have cells; -1 where a cell has none.
    drawn : tuple of DrawnGrid
        All grids; those of `allotment` and `survey` by their position.
    allotment : Allotment
    survey : Survey
    heads : float64 array, shape (n_cells,), or None
        Number of customers in each cell, if known.
    exact : bool
        Whether customers count where they live, not in the middle of their cells.
    unknown : sequence of int
        Rows of a list, from 1, whose customer nobody knows.
    """

    plan: Plan
    drawn: tuple[DrawnGrid, ...]
    allotment: Allotment
    survey: Survey
    heads: NDArray[np.float64] | None = None
    exact: bool = True
    unknown: Sequence[int] = ()

    @property
    def without_cells(self) -> list[DrawnGrid]:
        """Grids which won no cell."""
        codes = {grid.code for grid in self.plan.grids}
        return [grid for grid in self.drawn if grid.code not in codes]


def adopt_drawn(
    drawn: Drawn, sketch: Sketch, tiling: Tiling, people: People | None = None, *, gaps: str = "fill"
) -> Adopted:
    """Take over polygons.

    Parameters
    ----------
    sketch : Sketch
        The polygons and the tiling's cells in its plane.
    people : People, optional
        Customers; without them cells go by area.
    gaps : {"fill", "keep"}
        Whether cells which no grid touches go to the neighbour with the longest border, or stay without.

    Raises
    ------
    InvalidInput
        No cell is touched by any grid: the file is of another place.
    """
    found = survey(sketch, people)
    if not len(found.claims.cell):
        raise InvalidInput(
            "its grids lie nowhere on these cells",
            source=drawn.source,
            cure="check that it is of this territory, and name its coordinate system with --crs",
        )
    plan, allotment = _dealt(drawn.grids, found, tiling, gaps)
    if people is None:
        return Adopted(plan, drawn.grids, allotment, found)
    heads = np.bincount(people.cell, minlength=len(tiling)).astype(np.float64)
    return Adopted(plan, drawn.grids, allotment, found, heads, people.exact)


def adopt_listed(
    listed: Listed,
    tiling: Tiling,
    roll: Roll | None = None,
    heads: NDArray[np.float64] | None = None,
    *,
    gaps: str = "fill",
) -> Adopted:
    """Take over a list of cells or customers; see `adopt_drawn` and `gridsvc.plans.roll.survey_list`."""
    found, unknown = survey_list(listed, tiling, roll, heads)
    plan, allotment = _dealt(listed.grids, found, tiling, gaps)
    return Adopted(plan, listed.grids, allotment, found, heads, unknown=unknown)


def _dealt(grids: tuple[DrawnGrid, ...], found: Survey, tiling: Tiling, gaps: str) -> tuple[Plan, Allotment]:
    allotment = allot(found.claims)
    if gaps == "fill":
        allotment = fill(allotment, tiling)
    there = np.unique(allotment.labels[allotment.labels >= 0])
    position = np.full(len(grids) + 1, -1, np.int32)  # the last is for -1
    position[there] = np.arange(len(there), dtype=np.int32)
    chosen = (grids[at] for at in there.tolist())
    plan = Plan(position[allotment.labels], tuple(Grid(g.code, g.name or g.code) for g in chosen))
    return plan, allotment
