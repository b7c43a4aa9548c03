"""From a problem to the arrays the kernels work on, and a plan's cost in them."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from gridsvc.balance.graph import Pairs
from gridsvc.balance.kernels import State, World, neighbour_masks, recount
from gridsvc.balance.order import hilbert_order
from gridsvc.balance.problem import Problem

__all__ = ["build_state", "build_world"]

_LEAST_TOLERANCE = 0.002  # a smaller one would drown the price of shape
_REACH = 300
_EDGE = 0.93  # of the tolerance: steep prices start a little inside it
_WEIGHTS = {  # of area inertia, outline as a shape, demand inertia, outline as a length
    "balanced": (1.0, 0.2, 1.0, 0.0),
    "inertia": (0.0, 0.0, 1.0, 0.0),
    "cut": (0.0, 0.0, 0.0, 0.1),
}
_BALANCE = (0.5, 40.0)  # of squared deviation and of deviation beyond the edge, at a tolerance of 1


def build_world(problem: Problem, pairs: Pairs, labels: NDArray[np.int32]) -> tuple[World, NDArray[np.int64]]:
    """Arrays in spatial order, lengths in units of a mean grid, and the row of each cell.

    Parameters
    ----------
    pairs : (a, b)
        Cells which may share a grid, links between islands among them.
    labels : int32 array, shape (n,)
        A plan, whose demand inertia becomes the unit of demand inertia.
    """
    order = hilbert_order(problem.x, problem.y)
    number = np.empty(problem.n, np.int64)
    number[order] = np.arange(problem.n)
    length = _lengths(problem, pairs)
    a, b = number[pairs[0]], number[pairs[1]]
    tail, head = np.concatenate([a, b]), np.concatenate([b, a])
    turn = np.lexsort((head, tail))
    indptr = np.zeros(problem.n + 1, np.int64)
    np.cumsum(np.bincount(tail, minlength=problem.n), out=indptr[1:])
    indices = head[turn].astype(np.int32)
    unit = float(np.sqrt(problem.area.sum() / problem.k)) or 1.0
    border = np.concatenate([length, length])[turn] / unit
    perimeter = problem.perimeter[order] / unit
    if problem.objective == "cut":  # the outline becomes the number of neighbours in other grids
        border, perimeter = np.ones(len(indices)), np.diff(indptr).astype(np.float64)
    masks, ringed = neighbour_masks(indptr, indices)
    world = World(
        indptr=indptr,
        indices=indices,
        masks=masks,
        ringed=ringed,
        border=border,
        perimeter=perimeter,
        cells=_cells(problem, labels, unit)[order],
        target=np.ascontiguousarray(problem.targets),
        scale=_scale(problem),
        fixed=(problem.anchors() >= 0)[order],
        weight=_weight(problem),
        reach=_REACH,
        thorough=False,
    )
    return world, order


def _weight(problem: Problem) -> NDArray[np.float64]:
    """`World.weight`: the shape's share grows fourfold with each 25 points of compactness."""
    shape = np.array(_WEIGHTS[problem.objective]) * 4 ** ((problem.compactness - 50) / 25)
    balance = np.array(_BALANCE) * max(float(problem.tolerance.mean()), _LEAST_TOLERANCE)
    return np.concatenate([shape, balance, [_EDGE]])


def build_state(world: World, labels: NDArray[np.int32], seed: int) -> State:
    """Fresh sums for `labels` (in the world's order) and a random state from `seed`."""
    n, width = world.cells.shape
    k = len(world.target)
    state = State(
        labels=labels.copy(),
        tally=np.zeros((k, width)),
        outline=np.zeros(k),
        size=np.zeros(k, np.int64),
        price=np.zeros((k, 2)),
        press=np.ones(k),
        foreign=np.zeros(n, np.int32),
        rng=np.random.SeedSequence(seed).generate_state(1, np.uint64) | np.uint64(1),
        scratch=np.zeros((2, width)),
        seen=np.zeros(n, np.int64),
        queue=np.zeros(n, np.int64),
        clock=np.zeros(1, np.int64),
        moved=np.zeros(4, np.int64),
        came=np.zeros(4, np.int64),
    )
    recount(world, state)
    return state


def _lengths(problem: Problem, pairs: Pairs) -> NDArray[np.float64]:
    """Shared border of each pair, metres; 0 for a link between islands."""
    n = problem.n
    tail = np.repeat(np.arange(n, dtype=np.int64), np.diff(problem.indptr))
    key = tail * n + problem.indices
    turn = np.argsort(key, kind="stable")
    wanted = pairs[0] * n + pairs[1]
    at = np.minimum(np.searchsorted(key, wanted, sorter=turn), max(len(key) - 1, 0))
    if not len(key):
        return np.zeros(len(wanted))
    return np.where(key[turn[at]] == wanted, problem.border[turn[at]], 0.0)


def _cells(problem: Problem, labels: NDArray[np.int32], unit: float) -> NDArray[np.float64]:
    """Contribution of each cell to its grid's tally; the demand inertia of a mean grid is 1."""
    x, y = (problem.x - problem.x.mean()) / unit, (problem.y - problem.y.mean()) / unit
    area = problem.area / unit**2
    total = problem.weights.sum(axis=0)
    demand = np.zeros(problem.n)
    if (total > 0).any():
        demand = (problem.weights[:, total > 0] / total[total > 0]).mean(axis=1)
    columns = [area, area * x, area * y, area * (x**2 + y**2) + area**2 / (2 * np.pi)]
    moments = np.column_stack([demand, demand * x, demand * y, demand * (x**2 + y**2)])
    sums = np.column_stack([np.bincount(labels, column, problem.k) for column in moments.T])
    mass = np.where(sums[:, 0] > 0, sums[:, 0], 1.0)
    inertia = float((sums[:, 3] - (sums[:, 1] ** 2 + sums[:, 2] ** 2) / mass).sum())
    if inertia > 0:
        moments *= problem.k / inertia
    return np.ascontiguousarray(np.column_stack([*columns, moments, problem.weights]))


def _scale(problem: Problem) -> NDArray[np.float64]:
    """What turns a measure's units into tolerances, shape (k, m); 0 for a measure nobody has."""
    base = np.where(problem.targets > 0, problem.targets, problem.targets.mean(axis=0))
    used = (base > 0) & (problem.weights.sum(axis=0) > 0)
    tolerance = np.maximum(problem.tolerance, _LEAST_TOLERANCE)
    return np.where(used, 1 / np.where(used, base * tolerance, 1.0), 0.0)
