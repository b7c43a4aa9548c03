"""What a plan came to, as plain values ready for JSON."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gridsvc import __version__
from gridsvc.balance import metrics
from gridsvc.balance.explanation.binding import beyond_limits, binding
from gridsvc.balance.explanation.explain import explain
from gridsvc.balance.explanation.radius import beyond_radius
from gridsvc.balance.graph import Link
from gridsvc.balance.problem import Problem

__all__ = ["describe"]


def describe(
    problem: Problem, labels: NDArray[np.int32], seconds: Mapping[str, float], links: Sequence[Link]
) -> dict[str, Any]:
    """Parameters, overall figures and one entry a grid.

    Parameters
    ----------
    labels : int32 array, shape (n,)
        Grid 0..k-1 of each cell.
    seconds : mapping of phase name to seconds
    links : sequence of Link
        Connections made up between islands.

    Returns
    -------
    dict
        ``parameters``, ``overall``, ``grids`` (list in grid order), ``explanation``, ``links``, ``seconds``.
        Deviations are relative (0.05 is 5 % above target), areas km2, `shape` 1 is a disc, `pp`
        Polsby-Popper, `wmoi` mean cell areas; a grid is `inside` when no total passes its limits and no cell
        its seed's radius, `locked` is what locks and seeds hold in it, and `binding` the neighbour which
        could relieve it. See `gridsvc.balance.explanation.explain` for the last and the explanation.
    """
    k = problem.k
    totals = metrics.totals(labels, problem.weights, k)
    deviation = metrics.deviations(totals, problem.targets)
    far = beyond_radius(problem, labels) > 0
    far_cells = np.bincount(labels[far], minlength=k)
    inside = np.all(beyond_limits(problem, totals) == 0, axis=1) & (far_cells == 0)
    shape = metrics.shapes(problem, labels, k)
    pp = metrics.polsby_popper(problem, labels, k)
    pieces = metrics.components_of(labels, problem.indptr, problem.indices, k)
    cells = np.bincount(labels, minlength=k)
    area = np.bincount(labels, problem.area, k) / 1e6
    neighbours = binding(problem, labels)
    anchor = problem.anchors()
    fixed = anchor >= 0
    locked = metrics.totals(anchor[fixed], problem.weights[fixed], k)
    locked_cells = np.bincount(anchor[fixed], minlength=k)
    grids = [
        {
            "grid": g,
            "cells": int(cells[g]),
            "pieces": int(pieces[g]),
            "area_km2": float(area[g]),
            "shape": float(shape[g]),
            "pp": float(pp[g]),
            "totals": _named(problem.measures, totals[g]),
            "targets": _named(problem.measures, problem.targets[g]),
            "deviation": _named(problem.measures, deviation[g]),
            "inside": bool(inside[g]),
            "cells_beyond_radius": int(far_cells[g]),
            "binding": neighbours[g],
            "locked": _named(problem.measures, locked[g]),
            "locked_cells": int(locked_cells[g]),
        }
        for g in range(k)
    ]
    return {
        "parameters": _parameters(problem),
        "overall": {
            "worst_deviation": _named(problem.measures, np.abs(deviation).max(axis=0)),
            "mean_deviation": _named(problem.measures, np.abs(deviation).mean(axis=0)),
            "inside_share": float(inside.mean()),
            "cut_share": metrics.cut_share(problem, labels),
            "shape": float(shape.mean()),
            "pp": float(pp.mean()),
            "wmoi": metrics.weighted_inertia(problem, labels, k),
        },
        "grids": grids,
        "explanation": explain(problem, labels, links),
        "links": [asdict(link) for link in links],
        "seconds": {phase: float(s) for phase, s in seconds.items()},
    }


def _parameters(problem: Problem) -> dict[str, Any]:
    return {
        "engine": __version__,
        "cells": problem.n,
        "grids": problem.k,
        "seed": problem.seed,
        "islands": problem.islands,
        "nested": problem.parent is not None,
        "tolerance": _named(problem.measures, problem.tolerance),
    }


def _named(measures: Sequence[str], values: NDArray[np.float64]) -> dict[str, float]:
    return {name: float(v) for name, v in zip(measures, values, strict=True)}
