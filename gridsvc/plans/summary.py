"""Totals of a plan."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from gridsvc.plans.plan import Plan

__all__ = ["grid_centres", "grid_shapes", "grid_totals"]


def grid_totals(plan: Plan, measures: Mapping[str, NDArray[np.float64]]) -> dict[str, NDArray[np.float64]]:
    """Sum of each measure over each grid of the plan; cells without a grid are left out.

    Parameters
    ----------
    measures : mapping of name to float64 array, shape (n_cells,)

    Returns
    -------
    dict of name to float64 array, shape (n_grids,), in the measure's unit
    """
    placed = plan.labels >= 0
    labels, n = plan.labels[placed], len(plan.grids)
    return {
        name: np.bincount(labels, values[placed], n).astype(np.float64) for name, values in measures.items()
    }


def grid_centres(
    plan: Plan, x: NDArray[np.float64], y: NDArray[np.float64], demand: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Centre of demand of each grid; the mean of its cells where it has no demand.

    Parameters
    ----------
    x, y : float64 array, shape (n_cells,), metres
    demand : float64 array, shape (n_cells,), non-negative

    Returns
    -------
    x, y : float64 arrays, shape (n_grids,), metres
        nan for a grid without cells.
    """
    placed, n = plan.labels >= 0, len(plan.grids)
    labels = plan.labels[placed]
    weight = demand[placed]
    weight = np.where(np.bincount(labels, weight, n)[labels] > 0, weight, 1.0)
    total = np.bincount(labels, weight, n)
    with np.errstate(invalid="ignore"):  # 0 / 0 is the nan of a grid without cells
        return np.bincount(labels, weight * x[placed], n) / total, np.bincount(
            labels, weight * y[placed], n
        ) / total


def grid_shapes(
    plan: Plan, x: NDArray[np.float64], y: NDArray[np.float64], area: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Area inertia of each grid over that of a disc, as `gridsvc.balance.metrics.shapes` has it.

    Parameters
    ----------
    x, y : float64 array, shape (n_cells,), metres
    area : float64 array, shape (n_cells,), square metres

    Returns
    -------
    float64 array, shape (n_grids,)
        1 is a disc; nan for a grid without area.
    """
    placed, n = plan.labels >= 0, len(plan.grids)
    labels, area = plan.labels[placed], area[placed]
    total = np.bincount(labels, area, n)
    with np.errstate(invalid="ignore", divide="ignore"):  # 0 / 0 is the nan of a grid without area
        dx = x[placed] - (np.bincount(labels, area * x[placed], n) / total)[labels]
        dy = y[placed] - (np.bincount(labels, area * y[placed], n) / total)[labels]
        own = area**2 / (2 * np.pi)
        inertia = np.bincount(labels, area * (dx**2 + dy**2) + own, n)
        return np.asarray(inertia / (total**2 / (2 * np.pi)), np.float64)
