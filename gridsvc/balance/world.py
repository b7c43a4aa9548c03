"""From a problem to the arrays the kernels work on, and a plan's cost in them."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from gridsvc.balance.arrays import FIXED, HIGH, LOW, MEASURES, PULL, STEEP, TARGET, State, World
from gridsvc.balance.graph import Pairs
from gridsvc.balance.kernels import recount, ring_masks
from gridsvc.balance.order import hilbert_order
from gridsvc.balance.problem import Problem

__all__ = ["build_state", "build_world", "tiny", "weights"]

_LEAST_TOLERANCE = 0.002  # a smaller one would drown the price of shape
_REACH = 300
_ROUNDING = 1e-9
_SLACK = 0.05  # of the tolerance, by which limits are wider than they must be where no plan can keep them
_RIM = 0.07  # of the tolerance: steep prices start a little inside it
_WEIGHTS = {  # of area inertia, outline as a shape, demand inertia, outline as a length
    "balanced": (1.0, 0.1, 0.95, 0.0),
    "inertia": (0.0, 0.0, 1.0, 0.0),
    "cut": (0.0, 0.0, 0.0, 0.1),
}
_BALANCE = (0.5, 40.0)  # of squared deviation and of excess, at a tolerance of 1


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
    masks, flags = np.zeros(len(indices), np.int64), np.zeros(problem.n, np.uint8)
    ring_masks(indptr, indices, masks, flags, np.full(problem.n, -1, np.int64))
    flags[problem.anchors()[order] >= 0] |= np.uint8(FIXED)
    xy = np.column_stack([problem.x - problem.x.mean(), problem.y - problem.y.mean()]) / unit
    cells = _cells(problem, labels, xy, unit)[order]
    cells[:, MEASURES - 1] = perimeter
    home, own = _past(problem, xy)
    world = World(
        indptr=indptr,
        indices=indices,
        masks=masks,
        flags=flags,
        border=border,
        cells=cells,
        band=_band(problem),
        weight=weights(problem),
        special=problem.past is not None or problem.pins is not None,
        home=home[order],
        own=own[order],
        pins=_pins(problem, xy, unit),
        reach=_REACH,
        thorough=False,
    )
    return world, order


def build_state(world: World, labels: NDArray[np.int32], seed: int) -> State:
    """Fresh sums for `labels` (in the world's order) and a random state from `seed`."""
    n, width = world.cells.shape
    k = len(world.band)
    price = np.zeros((k, 3))
    price[:, 2] = 1.0
    state = State(
        labels=labels.copy(),
        tally=np.zeros((k, width)),
        size=np.zeros(k, np.int64),
        price=price,
        foreign=np.zeros(n, np.int32),
        gone=np.zeros(2),
        rng=np.random.SeedSequence(seed).generate_state(1, np.uint64) | np.uint64(1),
        scratch=np.zeros((2, width)),
        search=np.zeros((2, n), np.int64),
        notes=np.zeros(9, np.int64),
    )
    recount(world, state)
    return state


def tiny() -> tuple[World, State]:
    """Two cells and two grids, of the types every world and state have."""
    one, pair = np.ones(2), (np.zeros(1, np.int64), np.ones(1, np.int64))
    problem = Problem(
        indptr=np.array([0, 1, 2], np.int64), indices=np.array([1, 0], np.int32), border=one,
        x=np.arange(2.0), y=one, area=one, perimeter=one, weights=np.ones((2, 1)), measures=("m",), k=2,
        targets=np.ones((2, 1)), tolerance=np.ones(1),
    )  # fmt: skip
    labels = np.arange(2, dtype=np.int32)
    world, _ = build_world(problem, pair, labels)
    return world, build_state(world, labels, 1)


def weights(problem: Problem, *, walled: bool = False) -> NDArray[np.float64]:
    """`World.weight` for the objective and the compactness asked for.

    The shape's share grows fourfold with each 25 points of compactness above 50. Below, it falls sixteenfold,
    so that at 0 hardly anything but balance counts. Where the tolerance is `walled` the price of leaving it
    grows with the shape's.
    """
    base = 4.0 if problem.compactness >= 50 else 16.0
    share = base ** ((problem.compactness - 50) / 25)
    balance = np.array(_BALANCE) * max(float(problem.tolerance.mean()), _LEAST_TOLERANCE)
    if walled:
        balance[1] *= max(1.0, share)
    return np.concatenate([share * np.array(_WEIGHTS[problem.objective]), balance, [_RIM]])


def _band(problem: Problem) -> NDArray[np.float64]:
    """`World.band`; a measure nobody has is wanted nowhere and never in excess."""
    base = np.where(problem.targets > 0, problem.targets, problem.targets.mean(axis=0))
    used = (base > 0) & (problem.weights.sum(axis=0) > 0)
    tolerance = np.maximum(problem.tolerance, _LEAST_TOLERANCE)
    scale = np.where(used, 1 / np.where(used, base * tolerance, 1.0), 0.0)
    importance = np.ones(len(tolerance)) if problem.importance is None else problem.importance
    low, high = _attainable(problem)
    band = np.zeros((*problem.targets.shape, 5))
    band[..., TARGET] = problem.targets
    band[..., PULL] = scale * np.sqrt(importance)
    band[..., LOW] = np.where(used, low, -np.inf)
    band[..., HIGH] = np.where(used, high, np.inf)
    band[..., STEEP] = np.where(used, scale * importance, 1.0)
    return band


def _attainable(problem: Problem) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """`Problem.band`, widened where it holds more or less than there is: the lack is then shared out evenly.

    Otherwise each grid would be outside for ever, and no search could tell a little from a lot.
    """
    low, high = problem.band()
    whole, slack = problem.weights.sum(axis=0), _SLACK * problem.tolerance
    most, least = high.sum(axis=0), low.sum(axis=0)
    lack, glut = (most > 0) & (whole > most), np.isfinite(least) & (whole < least)
    up = np.where(lack, whole / np.where(lack, most, 1.0) * (1 + slack), 1.0)
    down = np.where(glut, whole / np.where(glut, least, 1.0) * (1 - slack), 1.0)
    return low * down, high * up


def _past(problem: Problem, xy: NDArray[np.float64]) -> tuple[NDArray[np.int32], NDArray[np.float64]]:
    """`World.home` and `World.own`; the load of a mean grid, moved at a price of 1, costs 1."""
    home, own = np.full(problem.n, -1, np.int32), np.zeros((problem.n, 4))
    own[:, :2] = xy
    if problem.past is not None:
        past = problem.past
        mean = float(past.load.sum()) / problem.k or 1.0
        home = past.home.astype(np.int32)
        own[:, 2] = past.price * past.cost * past.load / mean
        own[:, 3] = past.load
    return home, own


def _pins(problem: Problem, xy: NDArray[np.float64], unit: float) -> NDArray[np.float64]:
    """`World.pins`."""
    pins = np.zeros((problem.k, 5))
    pins[:, 3] = np.inf
    pins[:, 4] = np.inf if problem.past is None else problem.past.most
    if problem.pins is not None:
        seeded = problem.pins.cell >= 0
        pins[seeded, :2] = xy[problem.pins.cell[seeded]]
        pins[seeded, 2] = problem.pins.pull
        pins[seeded, 3] = (problem.pins.radius[seeded] / unit) ** 2
    return pins


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


def _cells(
    problem: Problem, labels: NDArray[np.int32], xy: NDArray[np.float64], unit: float
) -> NDArray[np.float64]:
    """Contribution of each cell to its grid's tally; the demand inertia of a mean grid is 1."""
    x, y = xy.T
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
    # Where each demand lies in a grid of its own, all there is of inertia are rounding errors.
    if inertia > _ROUNDING * sums[:, 3].sum():
        moments *= problem.k / inertia
    return np.ascontiguousarray(np.column_stack([*columns, moments, problem.perimeter, problem.weights]))
