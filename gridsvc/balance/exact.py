"""The best of all plans, where there are few enough cells to look at every one."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from gridsvc.balance.arrays import HIGH, LOW, MEASURES, STEEP
from gridsvc.balance.graph import Pairs
from gridsvc.balance.problem import Problem

__all__ = ["MOST_CELLS", "best_plan"]

MOST_CELLS = 12  # the work grows threefold with each

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class _Price:
    """What sets of cells cost as grids; rows are bit masks of cells.

    Attributes
    ----------
    excess : float64 array, shape (k, 2 ** n)
        Excess over the limits, and a large number for being outside at all; infinite where the set may not
        be that grid.
    worst : float64 array, shape (k, 2 ** n)
        The largest excess of a measure, in tolerances.
    compact : float64 array, shape (2 ** n,)
    """

    excess: Floats
    worst: Floats
    compact: Floats


_OUTSIDE = 1e6  # more than any excess in tolerances: fewer grids outside come first
_ROUND = 1e-9  # of a target: excesses closer than this are equal, and the shape decides


def best_plan(problem: Problem, pairs: Pairs) -> NDArray[np.int32] | None:
    """The plan with the least worst excess over a limit, then the fewest grids outside, then the best shapes.

    Sets of cells are bit masks. The best way to make grids 0..g of a set is the best split into a connected
    set for grid g and a best way for the rest, so each pair of a set and a subset is looked at once a grid:
    3 ** n of them (a partition problem solved over subsets, as Held and Karp 1962 solve tours).

    Parameters
    ----------
    pairs : (a, b)
        Cells which may share a grid, links between islands among them.

    Returns
    -------
    int32 array, shape (n,), or None
        None above 12 cells, with seeds or an old plan (which price cells by their grid), or where no plan
        exists.
    """
    if problem.n > MOST_CELLS or problem.pins is not None or problem.past is not None:
        return None
    usual = np.zeros(problem.n, np.int32)
    if problem.objective == "balanced":  # demand inertia counts in that of a good plan
        found = best_plan(replace(problem, objective="inertia"), pairs)
        usual = usual if found is None else found
    return _best(problem, _priced(problem, pairs, usual))


def _best(problem: Problem, price: _Price) -> NDArray[np.int32] | None:
    usable = np.asarray(np.isfinite(price.excess).any(axis=0), np.bool_)
    subsets, whole = _subsets(problem.n, usable), (1 << problem.n) - 1
    least = price.worst[0]
    for worst in price.worst[1:]:
        least = _least(np.maximum(least[subsets[0] ^ subsets[1]], worst[subsets[1]]), subsets, len(worst))
    if not np.isfinite(least[whole]):
        return None
    excess = np.where(price.worst <= least[whole] + _ROUND, price.excess, np.inf)
    ways = [(excess[0], price.compact)]
    for g in range(1, problem.k):
        ways.append(_with_one_more(ways[-1], excess[g], price.compact, subsets))
    return _traced(problem, ways, replace(price, excess=excess), subsets[:2])


def _least(values: Floats, subsets: tuple[Ints, Ints, Ints], count: int) -> Floats:
    """The least value of each set's subsets; infinite where it has none."""
    found = np.full(count, np.inf)
    found[subsets[0][subsets[2]]] = np.minimum.reduceat(values, subsets[2])
    return found


def _with_one_more(
    before: tuple[Floats, Floats], excess: Floats, compact: Floats, subsets: tuple[Ints, Ints, Ints]
) -> tuple[Floats, Floats]:
    """Cost of making each set into the grids so far and one more."""
    sets, parts, _ = subsets
    first = before[0][sets ^ parts] + excess[parts]
    least = _least(first, subsets, len(excess))
    good = np.isfinite(first) & (first <= least[sets] + _ROUND)
    second = np.where(good, before[1][sets ^ parts] + compact[parts], np.inf)
    return least, _least(second, subsets, len(excess))


def _traced(
    problem: Problem, ways: list[tuple[Floats, Floats]], price: _Price, subsets: tuple[Ints, Ints]
) -> NDArray[np.int32]:
    labels = np.zeros(problem.n, np.int32)
    left = (1 << problem.n) - 1
    for g in range(problem.k - 1, 0, -1):
        parts = subsets[1][subsets[0] == left]
        first = ways[g - 1][0][left ^ parts] + price.excess[g][parts]
        second = ways[g - 1][1][left ^ parts] + price.compact[parts]
        good = first <= first.min() + _ROUND
        chosen = int(parts[np.argmin(np.where(good, second, np.inf))])
        labels[(chosen >> np.arange(problem.n)) & 1 == 1] = g
        left ^= chosen
    return labels


def _subsets(n: int, usable: NDArray[np.bool_]) -> tuple[Ints, Ints, Ints]:
    """Each set with each of its usable subsets, by set, and where each set's first one stands."""
    sets, parts = np.zeros(1, np.int64), np.zeros(1, np.int64)
    for i in range(n):
        bit = np.int64(1) << i
        sets, parts = (
            np.concatenate([sets, sets | bit, sets | bit]),
            np.concatenate([parts, parts, parts | bit]),
        )
    keep = usable[parts]
    order = np.argsort(sets[keep], kind="stable")
    sets, parts = sets[keep][order], parts[keep][order]
    return sets, parts, np.flatnonzero(np.diff(sets, prepend=-1))


def _priced(problem: Problem, pairs: Pairs, usual: NDArray[np.int32]) -> _Price:
    from gridsvc.balance.kernels import recount
    from gridsvc.balance.world import build_state, build_world

    n, count = problem.n, 1 << problem.n
    world, order = build_world(problem, pairs, usual)
    state = build_state(world, usual[order], problem.seed)
    inside = (np.arange(count)[:, None] >> np.arange(n)) & 1 == 1  # in the problem's order
    usable = _connected(n, pairs)
    totals, compact = np.zeros((count, len(problem.measures))), np.full(count, np.inf)
    if problem.k > 1:
        usable[-1] = False  # which leaves the others nothing
    for mask in np.flatnonzero(usable).tolist():
        state.labels[:] = np.where(inside[mask][order], 0, problem.k - 1)
        recount(world, state)
        totals[mask], compact[mask] = state.tally[0, MEASURES:], state.price[0, 0]
    band = world.band[:, None]
    over = np.maximum(band[..., LOW] - totals, totals - band[..., HIGH]) * band[..., STEEP]
    over = np.where(over > _ROUND / problem.tolerance.clip(_ROUND).min(), over, 0.0)
    excess, worst = over.sum(axis=2), over.max(axis=2, initial=0.0)
    excess = np.where(excess > 0, _OUTSIDE + excess, 0.0)
    anchor = problem.anchors()
    for g in range(problem.k):
        mine, others = (
            inside[:, anchor == g].all(axis=1),
            inside[:, (anchor >= 0) & (anchor != g)].any(axis=1),
        )
        excess[g, ~(usable & mine & ~others)] = worst[g, ~(usable & mine & ~others)] = np.inf
    return _Price(excess, worst, compact)


def _connected(n: int, pairs: Pairs) -> NDArray[np.bool_]:
    """Whether each set hangs together: bool array, shape (2 ** n,)."""
    masks = np.arange(1 << n)
    near = np.zeros(n, np.int64)
    np.bitwise_or.at(near, pairs[0], np.int64(1) << pairs[1])
    np.bitwise_or.at(near, pairs[1], np.int64(1) << pairs[0])
    reached = masks & -masks
    for _ in range(n):
        for i in range(n):
            reached |= np.where((reached >> i) & 1 == 1, near[i] & masks, 0)
    return np.asarray((reached == masks) & (masks > 0), np.bool_)
