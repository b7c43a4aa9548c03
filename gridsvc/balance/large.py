"""Cells and accounts too large for any balanced plan, found before solving."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from gridsvc.balance.problem import Problem

__all__ = ["oversize"]


def oversize(
    problem: Problem, largest: NDArray[np.float64] | None = None, share: float = 0.5
) -> list[dict[str, Any]]:
    """List what takes more than `share` of a grid's mean target by itself; a carve-out is offered for it.

    Parameters
    ----------
    problem : Problem
    largest : float64 array, shape (n, m), optional
        The largest single account of each cell and measure, in the measure's unit.
    share : float
        Of the target, 0.5 is half.

    Returns
    -------
    list of dict
        ``cell_row`` (0 is the first cell), ``measure``, ``value``, ``target``, ``share``, ``kind``
        ("cell" or "account") and ``offer``, largest share first.
    """
    found = _above(problem, problem.weights, share, "cell")
    if largest is not None:
        found += _above(problem, largest, share, "account")
    return sorted(found, key=lambda entry: (-entry["share"], entry["cell_row"], entry["kind"]))


def _above(problem: Problem, values: NDArray[np.float64], share: float, kind: str) -> list[dict[str, Any]]:
    target = problem.targets.mean(axis=0)
    rows, columns = np.nonzero((values > share * target) & (target > 0))
    return [
        {
            "cell_row": int(i),
            "measure": problem.measures[j],
            "value": float(values[i, j]),
            "target": float(target[j]),
            "share": float(values[i, j] / target[j]),
            "kind": kind,
            "offer": "carve-out",
        }
        for i, j in zip(rows.tolist(), columns.tolist(), strict=True)
    ]
