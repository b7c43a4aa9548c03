"""A quick assignment for many grids and teams: most regretted grid first, then moves and swaps."""

from __future__ import annotations

import heapq
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from gridsvc.teams.problem import Answer, Problem

__all__ = ["by_regret", "cheapest", "improved", "nearest"]

_PASSES = 20
_MANY = 500  # grids from which few passes must do
_LEAST_GAIN = 1e-9


def by_regret(problem: Problem) -> Answer:
    """Give out grids in the order of what it would cost to miss the best team, then improve."""
    team = _first(problem.cost, problem.loads, problem.limit)
    return improved(problem, Answer(team, "regret and swaps", -np.inf))


def nearest(problem: Problem) -> Answer:
    """What people do by hand: each grid, in the order given, to the cheapest team which has room yet."""
    room, team = problem.limit.copy(), np.zeros(len(problem.cost), np.int64)
    for g, cost in enumerate(problem.cost):
        team[g] = cheapest(cost, problem.loads[g], room)
        room[team[g]] -= problem.loads[g]
    return Answer(team, "nearest with room", -np.inf)


def improved(problem: Problem, answer: Answer) -> Answer:
    """Move single grids and swap pairs as long as that helps."""
    team, carried = answer.team.copy(), problem.carried(answer.team)
    arrays = (problem.cost, problem.loads, problem.limit)
    for _ in range(_PASSES if len(team) < _MANY else 3):
        if not sum(_better(g, team, carried, arrays) for g in range(len(team))):
            break
    return replace(answer, team=team)


def _first(
    cost: NDArray[np.float64], loads: NDArray[np.float64], limit: NDArray[np.float64]
) -> NDArray[np.int64]:
    carried = np.zeros_like(limit)
    team = np.full(len(cost), -1, np.int64)
    heap = [(-_regret(cost[g], loads[g], limit), g) for g in range(len(cost))]
    heapq.heapify(heap)
    while heap:
        g = heapq.heappop(heap)[1]
        regret = _regret(cost[g], loads[g], limit - carried)
        if heap and -regret > heap[0][0]:  # its best team has filled up since; wait for its turn
            heapq.heappush(heap, (-regret, g))
            continue
        team[g] = cheapest(cost[g], loads[g], limit - carried)
        carried[team[g]] += loads[g]
    return team


def _regret(cost: NDArray[np.float64], load: NDArray[np.float64], room: NDArray[np.float64]) -> float:
    fits = np.all(load <= room + _LEAST_GAIN, axis=1) & np.isfinite(cost)
    if np.count_nonzero(fits) < 2:
        return float("inf") if fits.any() else float("-inf")
    best, second = np.partition(cost[fits], 1)[:2]
    return float(second - best)


def cheapest(cost: NDArray[np.float64], load: NDArray[np.float64], room: NDArray[np.float64]) -> int:
    """The team for a grid: one with room for it, else the least overloaded; of these the cheapest."""
    over = np.maximum(load - np.maximum(room, 0), 0).sum(axis=1)
    over[np.isinf(cost)] = np.inf
    least = over <= over.min() + _LEAST_GAIN
    return int(np.argmin(np.where(least, cost, np.inf)))


def _better(
    g: int,
    team: NDArray[np.int64],
    carried: NDArray[np.float64],
    problem: tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]],
) -> bool:
    """Move grid `g` to another team, or swap it with another grid, if that helps; overload counts first."""
    cost, loads, limit = problem
    n_teams, here = cost.shape[1], int(team[g])
    # Candidates: every team (a move, nothing comes back), then every grid (a swap).
    there = np.concatenate([np.arange(n_teams), team])
    back = np.concatenate([np.zeros((n_teams, loads.shape[1])), loads])
    over = _excess(carried[here] - loads[g] + back, limit[here]) - _excess(carried[here], limit[here])
    over += _excess(carried[there] + loads[g] - back, limit[there]) - _excess(carried[there], limit[there])
    over[there == here] = np.inf
    far = cost[g, there] - cost[g, here]
    far[n_teams:] += cost[:, here] - cost[np.arange(len(team)), team]
    over[~np.isfinite(far)] = np.inf  # somebody may not own what they would get
    best = int(np.lexsort((far, np.round(over, 9)))[0])
    if not (over[best] < -_LEAST_GAIN or (over[best] <= _LEAST_GAIN and far[best] < -_LEAST_GAIN)):
        return False
    if best >= n_teams:
        _give(best - n_teams, here, team, carried, loads)
    _give(g, int(there[best]), team, carried, loads)
    return True


def _excess(carried: NDArray[np.float64], limit: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.asarray(np.maximum(carried - limit, 0).sum(axis=-1), np.float64)


def _give(
    g: int, to: int, team: NDArray[np.int64], carried: NDArray[np.float64], loads: NDArray[np.float64]
) -> None:
    carried[team[g]] -= loads[g]
    carried[to] += loads[g]
    team[g] = to
