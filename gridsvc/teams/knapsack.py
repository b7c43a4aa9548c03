"""Compiled loops: sets of grids for one team, bounded and gone through by their number of grids.

A set is worth the sum of its grids' profits less what it carries above the team's capacities. The number of
grids is what tells a full team from one that is short of a grid: for each number the capacities get prices
such that the profits less the prices of the loads bound all sets of so many grids (the Lagrangean bound of a
knapsack with a given number of items). In the order of these reduced profits the next grids are the best that
can follow, so that sums of neighbours bound each branch at the cost of a subtraction.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from gridsvc.balance.compiled import Int, inner

__all__ = [
    "AT",
    "EPS",
    "LONGEST",
    "ORDER",
    "PICK",
    "advance",
    "begin",
    "bound_of_any",
    "bounded",
    "credit",
    "lay_out",
    "profitable",
]

LONGEST = 64
"""Most grids of a set."""
EPS = 1e-9
_COLD, _WARM = 40, 6  # times capacities are priced, from nothing and from prices that were good before

# Rows of the work arrays `real`, for items in the order of what is left of their profits:
_Q, _P, _TOP, _SUM, _W = 0, 1, 2, 3, 4  # reduced profit, profit, best profit from here on, sum of _Q, loads
# of `whole`: grids, order, picks of a search, and where it stands (its depth, its next item, sets seen).
GRID, ORDER, PICK, AT = 0, 1, 2, 3


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
def profitable(cost: Any, u: Any, worst: float, whole: Any) -> Any:
    """Put the grids with a profit above `worst` into `whole[GRID]`; gives their number."""
    k = 0
    for g in range(u.shape[0]):
        if u[g] - cost[g] > worst:
            whole[GRID, k] = g
            k += 1
    return k


@inner
def credit(mu: Any, cap: Any) -> Any:
    """What a team's capacities are worth at some prices."""
    value = 0.0
    for i in range(cap.shape[0]):
        value += mu[i] * cap[i] if cap[i] < np.inf else 0.0
    return value


@inner
def _best_of(
    size: Int, k: Int, cost: Any, u: Any, load: Any, cap: Any, mu: Any, keys: Any, whole: Any
) -> Any:
    """Bound of sets of `size` grids at some prices of capacities; the best items into `whole[ORDER]`."""
    value = credit(mu, cap)
    n: Int = np.int64(0)
    for j in range(k):
        g = whole[GRID, j]
        q = u[g] - cost[g]
        for i in range(cap.shape[0]):
            q -= mu[i] * load[g, i]
        if n == size and q <= keys[n - 1]:
            continue
        at = n if n < size else n - 1
        while at > 0 and keys[at - 1] < q:
            keys[at], whole[ORDER, at] = keys[at - 1], whole[ORDER, at - 1]
            at -= 1
        keys[at], whole[ORDER, at] = q, g
        n = min(n + 1, size)
    for j in range(n):
        value += keys[j]
    return value


@inner
def _priced(
    size: Int,
    k: Int,
    cost: Any,
    u: Any,
    load: Any,
    cap: Any,
    rate: float,
    mu: Any,
    step: Any,
    keys: Any,
    whole: Any,
) -> Any:
    """Find prices of capacities at which sets of `size` grids are bounded well; gives the bound.

    Each price follows whether the best set is too heavy or too light, in steps which grow while that stays so
    and shrink when it turns. `mu` and `step`, shapes (3, n_measures) and (n_measures,), remember them: the
    prices now, those which were best, and which way each went.
    """
    m = cap.shape[0]
    turns = _WARM
    if step[0] <= 0.0:
        turns = _COLD
        for i in range(m):
            mu[0, i], mu[1, i], mu[2, i], step[i] = 0.0, 0.0, 0.0, rate / 1000
    for i in range(m):
        mu[0, i] = mu[1, i]
    least = np.inf
    for _ in range(turns):
        value = _best_of(size, k, cost, u, load, cap, mu[0], keys, whole)
        if value < least:
            least = value
            for i in range(m):
                mu[1, i] = mu[0, i]
        for i in range(m):
            if not cap[i] < np.inf:
                continue
            over = -cap[i]
            for j in range(size):
                over += load[whole[ORDER, j], i]
            way = 1.0 if over > 0 else -1.0
            step[i] = min(step[i] * (1.5 if way * mu[2, i] >= 0 else 0.4), rate)
            mu[2, i] = way
            mu[0, i] = min(max(mu[0, i] + way * step[i], 0.0), rate)
    for i in range(m):
        step[i] = max(step[i], 1e-3 * (1 + mu[1, i]))
    return least


@inner
def lay_out(
    k: Int, cost: Any, u: Any, load: Any, cap: Any, mu: Any, keys: Any, real: Any, whole: Any
) -> None:
    """Put the items into the work arrays, in the order of their reduced profits."""
    m = cap.shape[0]
    for j in range(k):
        g = whole[GRID, j]
        keys[j], whole[ORDER, j] = u[g] - cost[g], g
        for i in range(m):
            keys[j] -= mu[i] * load[g, i]
    _sort(keys, whole[ORDER], k)
    real[_SUM, 0] = 0.0
    for j in range(k):
        g = whole[ORDER, j]
        real[_Q, j], real[_P, j] = keys[j], u[g] - cost[g]
        real[_SUM, j + 1] = real[_SUM, j] + keys[j]
        for i in range(m):
            real[_W + i, j] = load[g, i]
    for j in range(k - 1, -1, -1):
        real[_TOP, j] = max(real[_P, j], real[_TOP, j + 1] if j + 1 < k else 0.0)
        for i in range(m):
            least = real[_W + m + i, j + 1] if j + 1 < k else np.inf
            real[_W + m + i, j] = min(real[_W + i, j], least)


@inner
def _worth(sums: Any, j: Int, times: Int, profit: Any, row: Int, cap: Any, rate: float, real: Any) -> Any:
    """Worth of a set with so many more profits and loads of item `j` (in `real` from `row` on)."""
    worth = sums[1] + times * profit
    for i in range(cap.shape[0]):
        worth -= rate * max(0.0, sums[2 + i] + times * real[row + i, j] - cap[i])
    return worth


@inner
def advance(
    size: Int,
    k: Int,
    cap: Any,
    rate: float,
    paid: Any,
    real: Any,
    whole: Any,
    sums: Any,
    least: Any,
    limit: Int,
) -> Any:
    """Go on to the next set of `size` items worth more than `least`; gives its worth, or -inf at the end.

    `paid` is what the capacities are worth. What a set may be worth that was not looked at, because of
    `limit`, is kept in `sums[-1, 0]`.
    """
    m = cap.shape[0]
    d, j, seen = whole[AT, 0], whole[AT, 1], whole[AT, 2]
    while True:
        need = size - d
        most = -np.inf
        if j + need <= k:
            most = paid + sums[d, 0] + real[_SUM, j + need] - real[_SUM, j]
        if (
            most > least + EPS
            and seen < limit
            and _worth(sums[d], j, need, real[_TOP, j], _W + m, cap, rate, real) > least + EPS
        ):
            whole[PICK, d] = j
            seen += 1
            if need == 1:
                worth = _worth(sums[d], j, 1, real[_P, j], _W, cap, rate, real)
                j += 1
                if worth > least + EPS:
                    whole[AT, 0], whole[AT, 1], whole[AT, 2] = d, j, seen
                    return worth
            else:
                sums[d + 1, 0] = sums[d, 0] + real[_Q, j]
                sums[d + 1, 1] = sums[d, 1] + real[_P, j]
                for i in range(m):
                    sums[d + 1, 2 + i] = sums[d, 2 + i] + real[_W + i, j]
                d, j = d + 1, j + 1
        else:
            if seen >= limit:
                sums[-1, 0] = max(sums[-1, 0], most)
            if d == 0:
                whole[AT, 2] = seen
                return -np.inf
            d -= 1
            j = whole[PICK, d] + 1


@inner
def begin(sums: Any, whole: Any) -> None:
    """Begin a search; what has been seen and left before stays."""
    whole[AT, 0], whole[AT, 1] = 0, 0
    for i in range(sums.shape[1]):
        sums[0, i] = 0.0


@inner
def bounded(
    k: Int,
    cost: Any,
    u: Any,
    load: Any,
    cap: Any,
    rate: float,
    mu: Any,
    step: Any,
    keys: Any,
    whole: Any,
    most: Any,
    least: float,
) -> Any:
    """Bound the sets of each number of grids in `most`; gives the largest number that may be worth `least`.

    The bounds of the relaxed problems are concave in the number of grids, and none at all are worth nothing.
    """
    for size in range(1, min(k, LONGEST) + 1):
        most[size] = _priced(size, k, cost, u, load, cap, rate, mu[size], step[size], keys, whole)
        if most[size] <= min(least, 0.0):
            return size - 1
    return min(k, LONGEST)


@inner
def bound_of_any(k: Int, cost: Any, u: Any, load: Any, cap: Any, mu: Any, whole: Any) -> Any:
    """Bound of sets of any number of grids at some prices of capacities."""
    value = credit(mu, cap)
    for j in range(k):
        g = whole[GRID, j]
        q = u[g] - cost[g]
        for i in range(cap.shape[0]):
            q -= mu[i] * load[g, i]
        value += max(q, 0.0)
    return value
