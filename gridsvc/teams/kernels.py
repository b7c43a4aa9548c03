"""Compiled loops: the best sets of grids for one team, given what each grid is worth.

A set is worth the sum of its grids' profits less what it carries above the team's capacities. All sets of
more worth than a threshold are found by going through them in order, leaving out every branch which two
bounds show to hold none: one fills up the sum of all measures with fractions of grids (the continuous
knapsack), one takes every grid for as light as the lightest.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from gridsvc.balance.compiled import Int, inner, jit

__all__ = ["gather", "price"]

_EPS = 1e-9


@inner
def _sort(keys: NDArray[np.float64], items: NDArray[np.int64], n: Int) -> None:
    """Sort `items` and `keys` by falling key, equal keys by item, in place."""
    gap = n // 2
    while gap > 0:
        for i in range(gap, n):
            key, item, j = keys[i], items[i], i
            while j >= gap and (keys[j - gap] < key or (keys[j - gap] == key and items[j - gap] > item)):
                keys[j], items[j] = keys[j - gap], items[j - gap]
                j -= gap
            keys[j], items[j] = key, item
        gap //= 2


@inner
def _items(cost: Any, u: Any, load: Any, cap: Any, keys: Any, real: Any, whole: Any, room: Any) -> Any:
    """Put the grids worth taking into the work arrays, best for their load first; gives their number."""
    n, m = load.shape
    k = 0
    room[0] = 0.0
    for i in range(m):
        room[0] += cap[i] if cap[i] < np.inf else 0.0
    for g in range(n):
        if u[g] - cost[g] > _EPS:
            weight = 0.0
            for i in range(m):
                weight += load[g, i] if cap[i] < np.inf else 0.0
            keys[k], whole[0, k] = (u[g] - cost[g]) / max(weight, 1e-12), g
            k += 1
    _sort(keys, whole[0], k)
    for j in range(k):
        g = whole[0, j]
        real[0, j], real[1, j] = u[g] - cost[g], 0.0
        for i in range(m):
            real[2 + i, j] = load[g, i] if cap[i] < np.inf else 0.0
            real[1, j] += real[2 + i, j]
        keys[j], whole[1, j] = real[0, j], j
    _sort(keys, whole[1], k)
    for i in range(m):  # the lightest of those to come
        least = np.inf
        for j in range(k - 1, -1, -1):
            least = min(least, real[2 + i, j])
            real[2 + m + i, j] = least
    return k


@inner
def _filling(sums: Any, j: Int, k: Int, rate: float, real: Any, room: Any) -> Any:
    """The most worth if the items from `j` on could be cut, and measures stood in for each other."""
    s, worth = sums[1], sums[0] - rate * max(0.0, sums[1] - room[0])
    for item in range(j, k):
        p, w = real[0, item], real[1, item]
        fits = min(w, max(0.0, room[0] - s))
        part = p * fits / w if w > 0 else p
        gain = part + max(0.0, p - part - rate * (w - fits))
        if gain <= 0.0:
            break
        worth += gain
        s += w
    return worth


@inner
def _counting(sums: Any, j: Int, k: Int, cap: Any, rate: float, real: Any, whole: Any) -> Any:
    """The most worth if the items from `j` on were all as light as the lightest of them."""
    m = cap.shape[0]
    gross, most, q, at = sums[0], -np.inf, 0, 0
    while True:
        pay = 0.0
        for i in range(m):
            if cap[i] < np.inf:
                light = real[2 + m + i, j] if q else 0.0
                pay += max(0.0, sums[2 + i] + q * light - cap[i])
        if gross - rate * pay < most:
            return most
        most = gross - rate * pay
        while at < k and whole[1, at] < j:
            at += 1
        if at >= k:
            return most
        gross += real[0, whole[1, at]]
        q, at = q + 1, at + 1


@inner
def _bound(sums: Any, j: Int, k: Int, cap: Any, rate: float, real: Any, whole: Any, room: Any) -> Any:
    """The most a set can be worth which has these sums and gains some of the items from `j` on."""
    filled = _filling(sums, j, k, rate, real, room)
    return min(filled, _counting(sums, j, k, cap, rate, real, whole))


@inner
def _beats(
    least: float, sums: Any, j: Int, k: Int, cap: Any, rate: float, real: Any, whole: Any, room: Any
) -> Any:
    """Whether a set with these sums and some of the items from `j` on may be worth more than `least`."""
    if _filling(sums, j, k, rate, real, room) <= least:
        return False
    return _counting(sums, j, k, cap, rate, real, whole) > least


@inner
def _push(sums: Any, d: Int, j: Int, m: Int, cap: Any, rate: float, real: Any) -> Any:
    """Add item `j` to the set of depth `d`; gives what the larger set is worth."""
    worth = 0.0
    for i in range(2 + m):
        sums[d + 1, i] = sums[d, i] + real[i, j]
    worth = sums[d + 1, 0]
    for i in range(m):
        worth -= rate * max(0.0, sums[d + 1, 2 + i] - cap[i])
    return worth


@jit
def price(
    cost: NDArray[np.float64],
    u: NDArray[np.float64],
    load: NDArray[np.float64],
    cap: NDArray[np.float64],
    rate: float,
    limit: int,
    keys: NDArray[np.float64],
    real: NDArray[np.float64],
    whole: NDArray[np.int64],
    sums: NDArray[np.float64],
    best: NDArray[np.float64],
    bound: NDArray[np.float64],
    chosen: NDArray[np.int32],
    size: NDArray[np.int64],
) -> int:
    """The set of grids worth most for each team.

    Parameters
    ----------
    cost : float64 array, shape (n_teams, n_grids)
        inf where a grid may not go.
    u : float64 array, shape (n_grids,)
        What each grid is worth to whoever takes it.
    load : float64 array, shape (n_grids, n_measures)
    cap : float64 array, shape (n_teams, n_measures)
    rate : float
        What a unit above a capacity takes away.
    limit : int
        Most sets looked at for a team; where that is not enough `bound` is above `best`.
    keys, real, whole, sums : work arrays
        Shapes (n_grids,), (2 + 2 n_measures, n_grids), (3, n_grids), (n_grids + 1, 2 + n_measures).
    best, bound : float64 array, shape (n_teams,), out
        Worth of the set found, and the most that any set can be worth.
    chosen : int32 array, shape (n_teams, n_grids), out
    size : int64 array, shape (n_teams,), out
        The set is ``chosen[team, :size[team]]``.

    Returns
    -------
    int
        Number of sets looked at.
    """
    m, total = load.shape[1], 0
    room = sums[-1]
    for t in range(cost.shape[0]):
        best[t], bound[t], size[t] = 0.0, 0.0, 0
        k = _items(cost[t], u, load, cap[t], keys, real, whole, room)
        for i in range(2 + m):
            sums[0, i] = 0.0
        d, j, seen = 0, 0, 0
        while True:
            if (
                j < k
                and seen < limit
                and (_beats(best[t] + _EPS, sums[d], j, k, cap[t], rate, real, whole, room))
            ):
                worth = _push(sums, d, j, m, cap[t], rate, real)
                whole[2, d] = j
                d, seen = d + 1, seen + 1
                if worth > best[t] + _EPS:
                    best[t], size[t] = worth, d
                    for i in range(d):
                        chosen[t, i] = whole[0, whole[2, i]]
                j += 1
            else:
                if j < k and seen >= limit:  # what was not looked at
                    left = _bound(sums[d], j, k, cap[t], rate, real, whole, room)
                    bound[t] = max(bound[t], left)
                if d == 0:
                    break
                d -= 1
                j = whole[2, d] + 1
        bound[t] = max(bound[t], best[t])
        total += seen
    return total


@jit
def gather(
    cost: NDArray[np.float64],
    u: NDArray[np.float64],
    load: NDArray[np.float64],
    cap: NDArray[np.float64],
    rate: float,
    least: float,
    limit: int,
    keys: NDArray[np.float64],
    real: NDArray[np.float64],
    whole: NDArray[np.int64],
    sums: NDArray[np.float64],
    found: NDArray[np.int32],
    worths: NDArray[np.float64],
) -> int:
    """All sets of grids which are worth more than `least` to one team.

    Parameters
    ----------
    cost : float64 array, shape (n_grids,)
    cap : float64 array, shape (n_measures,)
    limit : int
        Most sets looked at.
    found : int32 array, shape (most, longest), out
        The sets' grids, -1 behind the last; longer sets cannot be kept.
    worths : float64 array, shape (most,), out

    Returns
    -------
    int
        Number of sets, or -1 where they were too many or too long to keep or to look at.
    """
    m = load.shape[1]
    room = sums[-1]
    k = _items(cost, u, load, cap, keys, real, whole, room)
    for i in range(2 + m):
        sums[0, i] = 0.0
    d, j, seen, kept = 0, 0, 0, 0
    while True:
        if j < k and _beats(least, sums[d], j, k, cap, rate, real, whole, room):
            worth = _push(sums, d, j, m, cap, rate, real)
            whole[2, d] = j
            d, seen, j = d + 1, seen + 1, j + 1
            if seen > limit or d > found.shape[1]:
                return -1
            if worth > least:
                if kept == found.shape[0]:
                    return -1
                worths[kept] = worth
                for i in range(found.shape[1]):
                    found[kept, i] = whole[0, whole[2, i]] if i < d else -1
                kept += 1
        elif d == 0:
            return kept
        else:
            d -= 1
            j = whole[2, d] + 1
