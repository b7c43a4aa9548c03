"""Which candidate seeds a plan is built round: the p-median of required and candidate seeds."""

from __future__ import annotations

import heapq

import numpy as np
from numpy.typing import NDArray

from gridsvc.balance.order import hilbert_order
from gridsvc.errors import InvalidInput

__all__ = ["choose"]

_POINTS = 4000  # places the demand is summed at
_LEAST_GAIN = 1e-9  # of the cost; smaller gains are rounding

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


def choose(x: Floats, y: Floats, demand: Floats, required: Ints, candidates: Ints, k: int) -> Ints:
    """Cells to build k grids round: all required ones and the best candidates.

    The best are those which make the sum over cells of demand times the distance to the nearest seed
    smallest: the p-median problem (Hakimi 1964), by adding the best one at a time and then exchanging one
    for another while that helps (Teitz and Bart 1968), the exchanges priced as by Whitaker (1983). Above
    4,000 cells, neighbouring cells' demand is put together.

    Parameters
    ----------
    x, y : float64 arrays, shape (n,), metres
    demand : float64 array, shape (n,), not negative
        Where it is 0 everywhere each cell counts the same.
    required, candidates : int64 arrays
        Cells (rows from 0), one for each seed. A candidate in a cell which has a seed already is left out.
    k : int

    Returns
    -------
    int64 array, shape (at most k,)
        The required cells in the order given, then the chosen candidates' in that of `candidates`. Shorter
        than k where there are too few.

    Raises
    ------
    InvalidInput
        More than k seeds are required, two of them lie in one cell, or a cell is out of range.
    """
    _require(len(x), required, candidates, k)
    offered = np.unique(candidates, return_index=True)[1]
    offered = candidates[np.sort(offered)]
    offered = offered[~np.isin(offered, required)]
    wanted = k - len(required)
    if len(offered) <= wanted:
        return np.concatenate([required, offered]).astype(np.int64)
    if wanted == 0:
        return required.astype(np.int64)
    px, py, weight = _places(x, y, demand)
    sites = np.concatenate([required, offered])
    cost = np.hypot(px[:, None] - x[sites], py[:, None] - y[sites]) * weight[:, None]
    return sites[np.sort(_best(cost, len(required), k))].astype(np.int64)


def _require(n: int, required: Ints, candidates: Ints, k: int) -> None:
    for kind, cells in (("required", required), ("candidate", candidates)):
        bad = np.flatnonzero((cells < 0) | (cells >= n))
        if len(bad):
            raise InvalidInput(
                f"{kind} seed {bad[0] + 1} is in cell {cells[bad[0]] + 1} of {n}",
                row=int(bad[0]) + 1,
                field="seeds",
                cure="place the seed in a cell of the territory",
            )
    if len(required) > k:
        raise InvalidInput(
            f"{len(required)} seeds are required but only {k} grids asked for",
            field="seeds",
            cure=f"ask for at least {len(required)} grids or make some seeds candidates",
        )
    cells, times = np.unique(required, return_counts=True)
    if (times > 1).any():
        cell = cells[np.argmax(times > 1)]
        one, two = np.flatnonzero(required == cell)[:2] + 1
        raise InvalidInput(
            f"required seeds {one} and {two} lie in one cell (row {cell + 1})",
            row=int(two),
            field="seeds",
            cure="keep one of them, make one a candidate, or use a finer tiling",
            seeds=[int(one), int(two)],
            cell_row=int(cell) + 1,
        )


def _places(x: Floats, y: Floats, demand: Floats) -> tuple[Floats, Floats, Floats]:
    """Places and their demand: the cells with any, or the centres of stretches of a Hilbert curve."""
    if not demand.any():
        demand = np.ones(len(x))
    used = np.flatnonzero(demand > 0)
    x, y, demand = x[used], y[used], demand[used]
    if len(x) <= _POINTS:
        return x, y, demand
    block = np.empty(len(x), np.int64)
    block[hilbert_order(x, y)] = np.arange(len(x)) * _POINTS // len(x)
    total = np.bincount(block, demand)
    cx, cy = np.bincount(block, demand * x) / total, np.bincount(block, demand * y) / total
    return cx, cy, total.astype(np.float64)


def _best(cost: Floats, fixed: int, k: int) -> Ints:
    """The better of two tries: the first site added is often one too central, so the second does without."""
    first = _added(cost, fixed, k, -1)
    tries = [first, _added(cost, fixed, k, int(first[fixed]))] if k < cost.shape[1] else [first]
    found = [_exchanged(cost, chosen, fixed) for chosen in tries]
    return min(found, key=lambda chosen: float(cost[:, chosen].min(axis=1).sum()))


def _added(cost: Floats, fixed: int, k: int, without: int) -> Ints:
    """Add the site that lowers the cost most, one at a time, to the first `fixed` ones; never `without`.

    Gains only shrink as sites are added, so a site is priced again only when it comes to the top (Minoux
    1978).
    """
    chosen = list(range(fixed))
    # Before the first site, each place costs what its dearest site would.
    best = cost[:, chosen].min(axis=1) if chosen else cost.max(axis=1)
    offered = [site for site in range(fixed, cost.shape[1]) if site != without]
    gains = [(-float(np.maximum(best - cost[:, site], 0).sum()), site, fixed) for site in offered]
    heapq.heapify(gains)
    while len(chosen) < k:
        _, site, when = heapq.heappop(gains)
        if when < len(chosen):
            gain = -float(np.maximum(best - cost[:, site], 0).sum())
            heapq.heappush(gains, (gain, site, len(chosen)))
            continue
        chosen.append(site)
        best = np.minimum(best, cost[:, site])
    return np.array(chosen, np.int64)


def _exchanged(cost: Floats, chosen: Ints, fixed: int) -> Ints:
    """Exchange chosen sites but the first `fixed` for others until no exchange helps."""
    chosen = chosen.copy()
    one, two, first, second = _two_best(cost, chosen)
    idle, site = 0, 0
    while idle < cost.shape[1]:
        site = (site + 1) % cost.shape[1]
        idle += 1
        if site in chosen:
            continue
        new = cost[:, site]
        gain = np.maximum(first - new, 0).sum()
        loss = np.bincount(one, np.minimum(new, second) - np.minimum(new, first), len(chosen))
        out = fixed + int(np.argmin(loss[fixed:]))
        if gain - loss[out] > _LEAST_GAIN * first.sum():
            chosen[out] = site
            moved = np.flatnonzero((one == out) | (two == out) | (new < second))
            one[moved], two[moved], first[moved], second[moved] = _two_best(cost[moved], chosen)
            idle = 0
    return chosen


def _two_best(cost: Floats, chosen: Ints) -> tuple[Ints, Ints, Floats, Floats]:
    """Positions in `chosen` of each place's nearest and second nearest site, and their costs."""
    mine = cost[:, chosen]
    rows = np.arange(len(mine))
    one = np.argmin(mine, axis=1)
    first = mine[rows, one]
    mine[rows, one] = np.inf
    two = np.argmin(mine, axis=1)
    return one, two, first, mine[rows, two]
