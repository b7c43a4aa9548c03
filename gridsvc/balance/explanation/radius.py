"""Cells beyond the radius of their grid's seed: those of a plan, and those of every plan."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from gridsvc.balance.explanation.fences import of_grids
from gridsvc.balance.explanation.proof import ROUNDING, Band, Measure, Proof
from gridsvc.balance.problem import Pins, Problem

__all__ = ["beyond_radius", "by_radius"]

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


def beyond_radius(problem: Problem, labels: NDArray[np.int32]) -> Floats:
    """How far each cell lies from the seed of its grid, where that is beyond the radius.

    Parameters
    ----------
    labels : int32 array, shape (n,)

    Returns
    -------
    float64 array, shape (n,), metres
        0 for cells within the radius, and of grids without one.
    """
    pins = problem.pins
    if pins is None or not (np.isfinite(pins.radius) & (pins.cell >= 0)).any():
        return np.zeros(problem.n)
    seed = pins.cell[labels]
    metres = np.hypot(problem.x - problem.x[seed], problem.y - problem.y[seed])
    far = (seed >= 0) & (metres > pins.radius[labels] * (1 + ROUNDING))
    return np.asarray(np.where(far, metres, 0.0), np.float64)


def by_radius(problem: Problem, measures: list[Measure]) -> Iterator[Proof]:
    """Cells out of every seed's reach, and grids which find too little within their radius."""
    pins = problem.pins
    if pins is None or not (np.isfinite(pins.radius) & (pins.cell >= 0)).any():
        return
    near = _within(problem, pins)
    if len(near) == problem.k:
        covered = np.zeros(problem.n, bool)
        covered[np.concatenate(list(near.values()))] = True
        far = np.flatnonzero(~covered)
        if len(far):
            metres = _needed_radius(problem, pins, far)
            yield Proof("uncovered", "radius", (), None, True, far, facts={"metres": metres})
    for measure in measures:
        mass = np.full(problem.k, np.inf)
        for g, cells in near.items():
            mass[g] = measure.cells[cells].sum()
        slack = measure.slack

        def small(band: Band, mass: Floats = mass, slack: float = slack) -> NDArray[np.bool_]:
            return np.asarray(mass < band.low - slack, np.bool_)

        proof = of_grids("small", "radius", measure, mass, small, np.full(problem.n, -1, np.int64))
        if len(proof.grids):
            proof.facts["metres"] = _enough(problem, pins, measure, int(proof.grids[0]))
        yield proof


def _within(problem: Problem, pins: Pins) -> dict[int, Ints]:
    tree = cKDTree(np.column_stack([problem.x, problem.y]))
    grids = np.flatnonzero((pins.cell >= 0) & np.isfinite(pins.radius))
    centres = tree.data[pins.cell[grids]]
    found = tree.query_ball_point(centres, pins.radius[grids] * (1 + ROUNDING), return_sorted=True)
    return {int(g): np.array(rows, np.int64) for g, rows in zip(grids, found, strict=True)}


def _enough(problem: Problem, pins: Pins, measure: Measure, grid: int) -> float:
    seed = pins.cell[grid]
    metres = np.hypot(problem.x - problem.x[seed], problem.y - problem.y[seed])
    order = np.argsort(metres, kind="stable")
    held = np.cumsum(measure.cells[order])
    first = int(np.searchsorted(held, measure.limits.low[grid] - measure.slack))
    return float(metres[order][min(first, problem.n - 1)])


def _needed_radius(problem: Problem, pins: Pins, far: Ints) -> float:
    seeds = cKDTree(np.column_stack([problem.x, problem.y])[pins.cell])
    metres, _ = seeds.query(np.column_stack([problem.x, problem.y])[far])
    return float(metres.max())
