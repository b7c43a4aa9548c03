"""Better balance by moving cells over borders, one at a time, never breaking a grid."""

from __future__ import annotations

from collections import deque
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from gridsvc.balance.problem import Problem
from gridsvc.progress import Progress

__all__ = ["improve"]

_SWEEPS = 60
_BORDER_PRICES = (0.03, 0.003)  # of one more cut adjacency; a deviation of the whole tolerance costs 1
_LEAST_TOLERANCE = 0.005  # a smaller one would drown the price of borders
_SEARCH_LIMIT = 300  # cells looked at before a move is taken to break its grid


def improve(
    problem: Problem,
    indptr: NDArray[np.int64],
    indices: NDArray[np.int64],
    labels: NDArray[np.int32],
    progress: Progress,
) -> NDArray[np.int32]:
    """Move border cells while that lowers the squared deviations plus a price for long borders.

    The cost is ``sum over grids and measures of (deviation / tolerance) ** 2 + price * cut adjacencies``.
    Each sweep lists the moves which pay, best first, and makes those which still pay when their turn comes
    and leave both grids connected. The cost falls with every move, so this ends.

    Parameters
    ----------
    indptr, indices : int64 arrays
        Graph of pairs which may share a grid.
    labels : int32 array, shape (n,)
        A valid plan.

    Returns
    -------
    int32 array, shape (n,)
        A valid plan with the same grids.
    """
    state = _State(problem, indptr, indices, labels)
    for phase, price in enumerate(_BORDER_PRICES):
        for sweep in range(_SWEEPS):
            progress((phase + sweep / _SWEEPS) / len(_BORDER_PRICES), "moving borders")
            if not state.sweep(price):
                break
    return np.array(state.grid, np.int32)


class _State:
    """Labels and scaled deviations, as arrays for listing moves and as lists for making them."""

    def __init__(
        self,
        problem: Problem,
        indptr: NDArray[np.int64],
        indices: NDArray[np.int64],
        labels: NDArray[np.int32],
    ) -> None:
        self.k = problem.k
        self.tail = np.repeat(np.arange(problem.n, dtype=np.int64), np.diff(indptr))
        self.head = indices
        neighbours, ends = indices.tolist(), indptr.tolist()
        self.neighbours = [neighbours[s:e] for s, e in pairwise(ends)]
        self.weights = problem.weights
        self.scale = _scale(problem)
        self.grid: list[int] = labels.tolist()
        totals = np.column_stack([np.bincount(labels, w, self.k) for w in problem.weights.T])
        self.over: list[list[float]] = ((totals - problem.targets) * self.scale).tolist()
        self.cell_weights: list[list[float]] = problem.weights.tolist()
        self.scales: list[list[float]] = self.scale.tolist()

    def sweep(self, price: float) -> int:
        """Make the moves that pay; returns how many were made."""
        return sum(self._move(cell, to, price) for cell, to in self._paying(price))

    def _paying(self, price: float) -> list[tuple[int, int]]:
        labels, over = np.array(self.grid, np.int64), np.array(self.over)
        there = labels[self.head]
        differ = labels[self.tail] != there
        inside = np.bincount(self.tail[~differ], minlength=len(labels))
        key, touching = np.unique(self.tail[differ] * self.k + there[differ], return_counts=True)
        cell, to = np.divmod(key, self.k)
        out, into = self.scale[labels[cell]] * self.weights[cell], self.scale[to] * self.weights[cell]
        gain = out * (out - 2 * over[labels[cell]]) + into * (into + 2 * over[to])
        delta = gain.sum(axis=1) + price * (inside[cell] - touching)
        pays = np.flatnonzero(delta < -1e-9)
        pays = pays[np.argsort(delta[pays], kind="stable")]
        return list(zip(cell[pays].tolist(), to[pays].tolist(), strict=True))

    def _move(self, cell: int, to: int, price: float) -> bool:
        grid, here = self.grid, self.grid[cell]
        inside = [c for c in self.neighbours[cell] if grid[c] == here]
        touching = sum(grid[c] == to for c in self.neighbours[cell])
        if here == to or not touching or not inside:
            return False
        out = [w * s for w, s in zip(self.cell_weights[cell], self.scales[here], strict=True)]
        into = [w * s for w, s in zip(self.cell_weights[cell], self.scales[to], strict=True)]
        delta = price * (len(inside) - touching)
        delta += sum(o * (o - 2 * d) for o, d in zip(out, self.over[here], strict=True))
        delta += sum(i * (i + 2 * d) for i, d in zip(into, self.over[to], strict=True))
        if delta >= -1e-9 or not self._whole_without(cell, inside):
            return False
        self.over[here] = [d - o for d, o in zip(self.over[here], out, strict=True)]
        self.over[to] = [d + i for d, i in zip(self.over[to], into, strict=True)]
        grid[cell] = to
        return True

    def _whole_without(self, cell: int, inside: list[int]) -> bool:
        """Whether the neighbours `inside` the cell's grid reach each other without the cell."""
        here = self.grid[cell]
        missing = set(inside[1:])
        seen = {cell, inside[0]}
        queue = deque(inside[:1])
        while queue and missing and len(seen) < _SEARCH_LIMIT:
            for c in self.neighbours[queue.popleft()]:
                if c not in seen and self.grid[c] == here:
                    seen.add(c)
                    missing.discard(c)
                    queue.append(c)
        return not missing


def _scale(problem: Problem) -> NDArray[np.float64]:
    """What turns a measure's units into tolerances, shape (k, m); 0 for a measure nobody has."""
    mean = problem.targets.mean(axis=0)
    base = np.where(problem.targets > 0, problem.targets, mean)
    used = (base > 0) & (problem.weights.sum(axis=0) > 0)
    tolerance = np.maximum(problem.tolerance, _LEAST_TOLERANCE)
    return np.where(used, 1 / np.where(used, base * tolerance, 1.0), 0.0)
