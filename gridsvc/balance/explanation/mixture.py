"""Cells so rich in one measure that no grid with them gets enough of another."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix
from scipy.sparse.csgraph import dijkstra

from gridsvc.balance.explanation.proof import Kind, Measure, Proof

__all__ = ["by_mixture"]

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

_CANDIDATES, _MISSES = 32, 4  # cells tried for each pair of measures, and how many in vain
_HALVINGS = 20
_RINGS, _SURROUNDINGS = 40, 2000  # as many rings, or cells from which no more are added
_ALONE = 0.5  # share of a target from which a cell, not its surroundings, is to blame
_TINY = 1e-15  # keeps edges of no weight in a sparse matrix


def by_mixture(measures: list[Measure], pairs: tuple[Ints, Ints]) -> Iterator[Proof]:
    """Cells so rich in one measure that their grid cannot get enough of another.

    A grid round a cell stays below its high in the rich measure, so it reaches no further than paths which
    hold no more than that, and takes there at best the cells poorest in it (a fractional knapsack, as
    Dantzig 1957). Where even these hold less than the low of the other measure, no plan exists.
    """
    for rich in measures if len(measures) > 1 else []:
        matrix = _paths(rich, pairs)
        for poor in measures:
            if poor is not rich:
                yield _pair(rich, poor, matrix)


def _paths(rich: Measure, pairs: tuple[Ints, Ints]) -> csr_matrix:
    # Walking into a cell costs what it holds of the rich measure.
    n = len(rich.cells)
    tail, head = np.concatenate(pairs), np.concatenate(pairs[::-1])
    cost = np.maximum(rich.cells[head], _TINY * float(rich.unit.max()))
    return csr_matrix((cost, (tail, head)), shape=(n, n))


def _pair(rich: Measure, poor: Measure, matrix: csr_matrix) -> Proof:
    much = rich.cells / float(rich.unit.mean()) - poor.cells / float(poor.unit.mean())
    found: list[tuple[float, int, float]] = []
    misses = 0
    for i in np.argsort(-much, kind="stable")[:_CANDIDATES].tolist():
        got = _most(i, rich, poor, matrix)
        if got == -np.inf:
            continue
        if got < poor.limits.low.min() - poor.slack:
            found.append((got, i, _bound(i, rich, poor, matrix)))
            misses = 0
            continue
        misses += 1
        if misses == _MISSES:
            break  # those left are less extreme still
    columns = (rich.column, poor.column)
    if not found:
        return Proof("mixture", "cell", columns, None, excludes=False)
    got, cell, bound = max(found, key=lambda entry: (entry[2], -entry[0]))
    rows = np.array([entry[1] for entry in sorted(found, key=lambda e: (-e[2], e[0], e[1]))], np.int64)
    facts = {
        "rich": float(rich.cells[cell] / rich.unit.max()),
        "poor": float(got / poor.unit.min()),
    }
    kind: Kind = "cell" if facts["rich"] >= _ALONE else "drift"
    return Proof("mixture", kind, columns, bound, True, rows, facts=facts)


@dataclass(frozen=True, slots=True)
class _Reach:
    """The cells a grid round one cell can reach, those with most of the poor measure for the rich one first.

    `far` is what the cheapest path holds of the rich measure, `cost` and `gain` what the cells hold of both.
    """

    far: Floats
    cost: Floats
    gain: Floats

    def most(self, left: float) -> float:
        """Most of the poor measure that is to be had for so much of the rich one."""
        near = self.far <= left
        spent, won = np.cumsum(self.cost[near]), np.cumsum(self.gain[near])
        return float(np.interp(left, np.r_[0.0, spent], np.r_[0.0, won]))


def _reach(i: int, rich: Measure, poor: Measure, matrix: csr_matrix, left: float, rows: Ints) -> _Reach:
    # `rows` are the cells of `matrix`, and i is one of them by its place there.
    far = dijkstra(matrix, indices=i, limit=left)
    near = np.flatnonzero(np.isfinite(far))
    near = near[near != i]
    cost, gain = rich.cells[rows[near]], poor.cells[rows[near]]
    ratio = np.divide(cost, gain, out=np.full(len(near), np.inf), where=gain > 0)
    order = np.argsort(ratio, kind="stable")
    return _Reach(far[near[order]], cost[order], gain[order])


def _most(i: int, rich: Measure, poor: Measure, matrix: csr_matrix) -> float:
    """Most of the poor measure which a connected grid with cell i can hold inside its limits.

    Where the surroundings hold enough, only they are looked at, and it may be more.
    """
    left = float(rich.limits.high.max()) - float(rich.cells[i]) + rich.slack
    if left < 0:
        return -np.inf  # no grid holds this cell at all
    own, enough = float(poor.cells[i]), float(poor.limits.low.min())
    rows = _round(i, matrix)
    some = own + _reach(0, rich, poor, matrix[rows][:, rows], left, rows).most(left)
    if some >= enough or len(rows) == len(rich.cells):
        return some
    return own + _reach(i, rich, poor, matrix, left, np.arange(len(rich.cells))).most(left)


def _round(i: int, matrix: csr_matrix) -> Ints:
    """Cell i and, ring by ring, the cells round it."""
    rows = np.array([i], np.int64)
    for _ in range(_RINGS):
        more = np.setdiff1d(matrix[rows].indices, rows)
        if len(more) == 0 or len(rows) > _SURROUNDINGS:
            break
        rows = np.concatenate([rows, more])
    return rows


def _bound(i: int, rich: Measure, poor: Measure, matrix: csr_matrix) -> float:
    own, everything = float(poor.cells[i]), np.arange(len(rich.cells))

    def left(d: float) -> float:
        return float(rich.band(d).high.max()) - float(rich.cells[i]) + rich.slack

    def excluded(d: float, reach: _Reach) -> bool:
        most = own + reach.most(left(d)) if left(d) >= 0 else -np.inf
        return bool(most < poor.band(d).low.min() - poor.slack)

    def widest(d: float) -> _Reach:
        return _reach(i, rich, poor, matrix, max(left(d), 0.0), everything)

    below, above = 0.0, 1.0
    reach = widest(above)  # what is reached with less is among it
    if not excluded(0.0, reach):
        return 0.0
    while excluded(above, reach):
        below, above = above, 2 * above
        reach = widest(above)
    for _ in range(_HALVINGS):
        middle = (below + above) / 2
        below, above = (middle, above) if excluded(middle, reach) else (below, middle)
    return below
