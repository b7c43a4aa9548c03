"""Plans made with files, brought into the database and published."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from gridsvc.errors import InvalidInput
from gridsvc.plans.plan import Grid, Plan

__all__ = ["plan_from_labels", "with_owners"]


def plan_from_labels(codes: NDArray[np.object_]) -> Plan:
    """A plan from the grid code of each cell: object array of str, shape (n_cells,)."""
    names, labels = np.unique(codes.astype(str), return_inverse=True)
    grids = tuple(Grid(str(code), f"Grid {code}") for code in names)
    return Plan(labels.astype(np.int32), grids)


def with_owners(plan: Plan, owners: Mapping[str, str], source: str) -> Plan:
    """The plan with a team for each grid, by code.

    Raises
    ------
    InvalidInput
        A grid has no owner.
    """
    for grid in plan.grids:
        if grid.code not in owners:
            raise InvalidInput(f"grid {grid.code!r} has no owner", source=source, cure="give each grid a row")
    return replace(plan, grids=tuple(replace(grid, team=owners[grid.code]) for grid in plan.grids))
