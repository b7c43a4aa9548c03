"""Which neighbour could relieve a grid, and how much of the measure that presses it could still pass."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from gridsvc.balance.explanation.proof import ROUNDING, units
from gridsvc.balance.graph import open_pairs
from gridsvc.balance.metrics import totals
from gridsvc.balance.problem import Problem

__all__ = ["beyond_limits", "binding"]

Floats = NDArray[np.float64]

_AT_EASE = 0.9  # of the way from target to limit


def beyond_limits(problem: Problem, sums: Floats) -> Floats:
    """How far each total is outside its limits, relative to the target: 0 inside; float64, shape (k, m).

    Where every target of a measure is 0 the measure's unit is 1.
    """
    low, high = problem.band()
    unit = units(problem.targets)
    unit = np.where(unit > 0, unit, 1.0)
    over = np.maximum(low - sums, sums - high) / unit
    return np.asarray(np.where(over > ROUNDING, over, 0.0), np.float64)


def binding(problem: Problem, labels: NDArray[np.int32]) -> list[dict[str, Any] | None]:
    """For each grid the neighbour whose exchange would relieve it most.

    Parameters
    ----------
    labels : int32 array, shape (n,)

    Returns
    -------
    list of k entries
        None where a grid is well inside (up to nine tenths of the way to each limit) or has no neighbour;
        else ``grid`` (the neighbour), ``measure`` (which presses most), ``direction`` ("give" or "take",
        as this grid should), ``slack`` (how much of the measure the neighbour could still take or give
        inside its own limits, in the measure's units; negative where it is outside itself) and ``why``.
    """
    if not problem.measures:
        return [None] * problem.k
    sums = totals(labels, problem.weights, problem.k)
    pressed, measure, giving = _pressure(problem, sums)
    low, high = problem.band()
    a, b = open_pairs(problem)
    edges = np.column_stack([labels[a], labels[b]]).astype(np.int64)
    edges = edges[edges[:, 0] != edges[:, 1]]
    both = np.concatenate([edges, edges[:, ::-1]])
    own, other = np.divmod(np.unique(both[:, 0] * problem.k + both[:, 1]), problem.k)
    own, other = own[pressed[own]], other[pressed[own]]
    j = measure[own]
    slack = np.where(giving[own], (high - sums)[other, j], (sums - low)[other, j])
    order = np.lexsort((other, -slack, own))
    first = order[np.unique(own[order], return_index=True)[1]]
    found: list[dict[str, Any] | None] = [None] * problem.k
    for i in first.tolist():
        g = int(own[i])
        found[g] = _entry(problem, int(measure[g]), int(other[i]), float(slack[i]), giving=bool(giving[g]))
    return found


def _pressure(
    problem: Problem, sums: Floats
) -> tuple[NDArray[np.bool_], NDArray[np.int64], NDArray[np.bool_]]:
    # How far from the target towards the limit each total is, in shares of that way.
    low, high = problem.band()
    target = np.clip(problem.targets, low, high)
    above = sums > target
    way = np.where(above, high - target, target - low)
    off = np.abs(sums - target)
    unit = units(problem.targets)
    tiny = ROUNDING * np.where(unit > 0, unit, 1.0)
    part = np.where(off > tiny, off / np.maximum(way, tiny), 0.0)  # 0 of an endless way
    measure = part.argmax(axis=1)
    g = np.arange(problem.k)
    return part[g, measure] > _AT_EASE, measure, above[g, measure]


def _entry(problem: Problem, measure: int, other: int, slack: float, *, giving: bool) -> dict[str, Any]:
    name = problem.measures[measure]
    verb = "take" if giving else "give"
    if slack > 0:
        why = f"of its neighbours it can {verb} most {name} inside its own limits"
    else:
        why = (
            f"every neighbour is at its own limit of {name}; this one is nearest to being able to {verb} some"
        )
    told = slack if np.isfinite(slack) else None
    return {
        "grid": other,
        "measure": name,
        "direction": "give" if giving else "take",
        "slack": told,
        "why": why,
    }
