"""Compiled loops: the best sets of grids for each team, given what each grid is worth; and all good ones."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from gridsvc.balance.compiled import jit
from gridsvc.teams.knapsack import (
    AT,
    EPS,
    LONGEST,
    ORDER,
    PICK,
    advance,
    begin,
    bound_of_any,
    bounded,
    credit,
    lay_out,
    profitable,
)

__all__ = ["LONGEST", "gather", "price"]


@jit
def price(
    cost: NDArray[np.float64],
    u: NDArray[np.float64],
    load: NDArray[np.float64],
    cap: NDArray[np.float64],
    rate: float,
    limit: int,
    mu: NDArray[np.float64],
    step: NDArray[np.float64],
    keys: NDArray[np.float64],
    most: NDArray[np.float64],
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
    mu, step : float64 arrays
        Shapes (n_teams, LONGEST + 1, 3, n_measures), (n_teams, LONGEST + 1, n_measures). Prices of
        capacities, kept from one call to the next; zero at first.
    keys, most, real, whole, sums : work arrays
        Shapes (n_grids,), (LONGEST + 1,), (4 + 2 n_measures, n_grids + 1), (4, n_grids + 3) and
        (LONGEST + 2, 2 + n_measures).
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
    total = 0
    for t in range(cost.shape[0]):
        best[t], size[t], sums[-1, 0], whole[AT, 2] = 0.0, 0, 0.0, 0
        k = profitable(cost[t], u, EPS, whole)
        longest = bounded(k, cost[t], u, load, cap[t], rate, mu[t], step[t], keys, whole, most, 0.0)
        while True:
            n = 0
            for i in range(1, longest + 1):
                if most[i] > best[t] + EPS and (n == 0 or most[i] > most[n]):
                    n = i
            if n == 0:
                break
            lay_out(k, cost[t], u, load, cap[t], mu[t, n, 1], keys, real, whole)
            paid = credit(mu[t, n, 1], cap[t])
            begin(sums, whole)
            while True:
                worth = advance(n, k, cap[t], rate, paid, real, whole, sums, best[t], limit)
                if worth <= best[t]:
                    break
                best[t], size[t] = worth, n
                for i in range(n):
                    chosen[t, i] = whole[ORDER, whole[PICK, i]]
            most[n] = 0.0
        bound[t] = max(best[t], sums[-1, 0])
        if longest == LONGEST and k > LONGEST:
            bound[t] = max(bound[t], bound_of_any(k, cost[t], u, load, cap[t], mu[t, LONGEST, 1], whole))
        total += whole[AT, 2]
    return total


@jit
def gather(
    cost: NDArray[np.float64],
    u: NDArray[np.float64],
    load: NDArray[np.float64],
    cap: NDArray[np.float64],
    rate: float,
    least: float,
    worst: float,
    limit: int,
    mu: NDArray[np.float64],
    step: NDArray[np.float64],
    keys: NDArray[np.float64],
    most: NDArray[np.float64],
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
    worst : float
        Grids whose profit is not above this are in none of them.
    limit : int
        Most sets looked at.
    mu, step : float64 arrays
        The team's part of those of `price`.
    found : int32 array, shape (most, LONGEST), out
        The sets' grids, -1 behind the last.
    worths : float64 array, shape (most,), out

    Returns
    -------
    int
        Number of sets, or -1 where they were too many or too long to keep or to look at.
    """
    kept = 0
    sums[-1, 0], whole[AT, 2] = -np.inf, 0
    k = profitable(cost, u, worst, whole)
    longest = bounded(k, cost, u, load, cap, rate, mu, step, keys, whole, most, least)
    if longest == LONGEST and k > LONGEST:
        return -1
    for n in range(1, longest + 1):
        if most[n] <= least:
            continue
        lay_out(k, cost, u, load, cap, mu[n, 1], keys, real, whole)
        paid = credit(mu[n, 1], cap)
        begin(sums, whole)
        while True:
            worth = advance(n, k, cap, rate, paid, real, whole, sums, least, limit)
            if worth <= least:
                break
            if kept == found.shape[0]:
                return -1
            worths[kept] = worth
            for i in range(found.shape[1]):
                found[kept, i] = whole[ORDER, whole[PICK, i]] if i < n else -1
            kept += 1
        if whole[AT, 2] >= limit:
            return -1
    return kept
