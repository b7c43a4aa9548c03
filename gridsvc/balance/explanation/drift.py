"""Measures which drift apart over the territory: how much of one a compact grid gets with the other."""

from __future__ import annotations

from itertools import combinations
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from gridsvc.balance.problem import Problem

__all__ = ["compact_shares", "drifts"]

Floats = NDArray[np.float64]

_LEAST, _MOST = 50, 400  # neighbourhoods looked at
_RING = 7  # a grid and its neighbours: what differs from grid to grid only evens out among them
_DRIFTING = 0.4  # standard deviation over rings, in windows, from which exchanges cannot make it up
_NEXT_TO_NOTHING = 1e-6


def compact_shares(problem: Problem, first: int, grids: int = 1) -> Floats:
    """What round neighbourhoods with the right amount of one measure hold of all of them.

    Cells are gathered round each of at most 400 cells, nearest first, until they hold the mean target of
    measure `first`, or that of several grids. The middles stand where that measure is: as many in each
    region as it has grids.

    Parameters
    ----------
    first : int
        Column of the measure which is gathered to the target; its sum is not 0.
    grids : int
        How many targets are gathered.

    Returns
    -------
    float64 array, shape (s, m)
        Shares of what is wanted; column `first` is 1. Neighbourhoods which need more than the whole
        territory are left out.
    """
    target = grids * problem.targets.mean(axis=0)
    share = problem.weights / np.where(target > 0, target, 1.0)
    reached = np.cumsum(problem.weights[:, first])
    count = min(_MOST, max(_LEAST, problem.k))
    middles = np.searchsorted(reached, (np.arange(count) + 0.5) / count * reached[-1])
    centres = np.column_stack([problem.x, problem.y])[np.minimum(middles, problem.n - 1)]
    tree = cKDTree(np.column_stack([problem.x, problem.y]))
    found: list[Floats] = []
    size = min(problem.n, 2 * grids * -(-problem.n // problem.k) + 8)
    while len(centres):
        _, rows = tree.query(centres, k=[*range(1, size + 1)])
        held = np.cumsum(share[rows], axis=1)
        enough = held[:, -1, first] >= 1
        found.append(_cut(held[enough], first))
        centres = centres[~enough]
        if size == problem.n:
            break
        size = min(problem.n, 4 * size)
    return np.concatenate(found) if found else np.zeros((0, len(target)))


def _cut(held: Floats, first: int) -> Floats:
    # Between the last cell short of the target and the first beyond it, in proportion.
    s = np.arange(len(held))
    last = np.argmax(held[:, :, first] >= 1, axis=1)
    after = held[s, last]
    before = np.where((last > 0)[:, None], held[s, last - 1], 0.0)
    step = after[:, first] - before[:, first]
    part = np.divide(1 - before[:, first], step, out=np.ones(len(held)), where=step > 0)
    return np.asarray(before + part[:, None] * (after - before), np.float64)


def drifts(problem: Problem) -> list[dict[str, Any]]:
    """How far each pair of measures drifts apart, from grid to grid and over wider surroundings.

    Returns
    -------
    list of dict
        ``measures``: the first is held at its target by compact grids, and of the second they hold ``low``
        to ``high`` (5 % and 95 % quantile, shares of its target). ``spread``: standard deviation of the
        logarithm. ``around``: the same over a grid with its neighbours, which exchanges between them cannot
        even out; None for few grids. ``explains``: it is too much for the tolerances.
    """
    found = []
    used = [
        j for j in range(len(problem.measures)) if problem.weights[:, j].any() and problem.targets[:, j].any()
    ]
    for a, b in combinations(used, 2):
        share = np.maximum(compact_shares(problem, a)[:, b], _NEXT_TO_NOTHING)
        if len(share) < 2:
            continue
        low, high = np.quantile(share, [0.05, 0.95]).tolist()
        wide = np.zeros(0)
        if problem.k >= 2 * _RING:
            wide = np.maximum(compact_shares(problem, a, _RING)[:, b], _NEXT_TO_NOTHING)
        around = float(np.log(wide).std()) if len(wide) > 1 else None
        # A grid may give way by its tolerance in both measures.
        window = float(problem.tolerance[a] + problem.tolerance[b])
        spread = float(np.log(share).std())
        found.append(
            {
                "measures": [problem.measures[a], problem.measures[b]],
                "spread": spread,
                "around": around,
                "low": low,
                "high": high,
                "explains": spread > window if around is None else around > _DRIFTING * window,
            }
        )
    return found
