"""Compiled loop: grids moved to other teams, and swapped, by chance."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from gridsvc.balance.compiled import Int, inner, jit
from gridsvc.balance.kernels import below, random

__all__ = ["shuffle"]

_EPS = 1e-9


@inner
def _excess(carried: NDArray[np.float64], limit: NDArray[np.float64]) -> float:
    """What all teams carry too much."""
    over = 0.0
    for t in range(carried.shape[0]):
        for i in range(carried.shape[1]):
            part = carried[t, i] - limit[t, i]
            over += part if part > _EPS else 0.0
    return over


@inner
def _heavier(g: Int, back: Int, here: Int, there: Int, load: Any, limit: Any, carried: Any) -> Any:
    """How much more the teams carry too much if grid `g` goes and `back` comes, where it is one."""
    more = 0.0
    for i in range(load.shape[1]):
        w = load[g, i] - (load[back, i] if back >= 0 else 0.0)
        one, two = carried[here, i] - limit[here, i], carried[there, i] - limit[there, i]
        more += max(0.0, one - w) - max(0.0, one) + max(0.0, two + w) - max(0.0, two)
    return more


@inner
def _change(
    g: Int,
    back: Int,
    here: Int,
    there: Int,
    load: Any,
    team: Any,
    carried: Any,
    members: Any,
    place: Any,
    count: Any,
) -> None:
    """Give grid `g` away, and take `back` for it where it is one."""
    for i in range(load.shape[1]):
        w = load[g, i] - (load[back, i] if back >= 0 else 0.0)
        carried[here, i] -= w
        carried[there, i] += w
    if back >= 0:
        members[here, place[g]], members[there, place[back]] = back, g
        place[g], place[back] = place[back], place[g]
        team[back] = here
    else:
        last = members[here, count[here] - 1]
        members[here, place[g]], place[last] = last, place[g]
        count[here] -= 1
        members[there, count[there]], place[g] = g, count[there]
        count[there] += 1
    team[g] = there


@jit
def shuffle(
    cost: NDArray[np.float64],
    load: NDArray[np.float64],
    limit: NDArray[np.float64],
    near: NDArray[np.int64],
    team: NDArray[np.int64],
    best: NDArray[np.int64],
    carried: NDArray[np.float64],
    members: NDArray[np.int64],
    place: NDArray[np.int64],
    count: NDArray[np.int64],
    rng: NDArray[np.uint64],
    least: NDArray[np.float64],
    steps: int,
    heat: float,
    price: float,
    rate: float,
) -> None:
    """Try `steps` changes at one heat, keeping the best assignment met.

    Parameters
    ----------
    cost : float64 array, shape (n_grids, n_teams); inf where a grid may not go
    load, limit : float64 arrays, shapes (n_grids, n_measures), (n_teams, n_measures)
    near : int64 array, shape (n_grids, n_near)
        Teams to try for each grid.
    team, best : int64 arrays, shape (n_grids,), changed
        Where the search stands, and the cheapest it has met.
    carried : float64 array, shape (n_teams, n_measures), changed
    members, place, count : int64 arrays, shapes (n_teams, n_grids), (n_grids,), (n_teams,), changed
        Each team's grids, where each grid stands among them, and how many they are.
    rng : uint64 array, shape (1,), changed
    least : float64 array, shape (1,), changed
        Price of `best`.
    heat : float
        A change which costs so much more is taken once in e times.
    price, rate : float
        What an overload costs now, and in earnest.
    """
    n, m = load.shape
    for t in range(limit.shape[0]):  # sums anew, so that rounding does not grow
        for i in range(m):
            carried[t, i] = 0.0
    value = 0.0
    for k in range(n):
        value += cost[k, team[k]]
        for i in range(m):
            carried[team[k], i] += load[k, i]
    over = _excess(carried, limit)
    for _ in range(steps):
        g = below(rng, n)
        here, there = team[g], near[g, below(rng, near.shape[1])]
        back: Int = np.int64(-1)
        if count[there] > 0 and below(rng, 4) > 0:
            back = members[there, below(rng, count[there])]
        if there == here or (back >= 0 and not cost[back, here] < np.inf):
            continue
        dearer = cost[g, there] - cost[g, here]
        dearer += cost[back, here] - cost[back, there] if back >= 0 else 0.0
        heavier = _heavier(g, back, here, there, load, limit, carried)
        worse = dearer + price * heavier
        if worse > 0.0 and random(rng) >= np.exp(-worse / heat):
            continue
        _change(g, back, here, there, load, team, carried, members, place, count)
        value, over = value + dearer, over + heavier
        if value + rate * max(0.0, over - _EPS) < least[0] - _EPS:
            exact = value + rate * _excess(carried, limit)
            if exact < least[0] - _EPS:
                least[0] = exact
                for k in range(n):
                    best[k] = team[k]
