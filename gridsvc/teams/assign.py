"""Which team owns which grid: near its base and within what it can carry."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gridsvc.errors import InvalidInput
from gridsvc.progress import Progress, silent
from gridsvc.teams.exact import Answer, evenly, refined
from gridsvc.teams.greedy import by_regret

__all__ = ["Assignment", "GridLoads", "TeamBases", "assign_grids"]

_JUDGED_SIZE = 20_000  # grids x teams beyond which a heuristic answers and nobody says how near it is
_ROUNDING = 1e-6


@dataclass(frozen=True, slots=True)
class GridLoads:
    """What is to be owned.

    Attributes
    ----------
    x, y : float64 array, shape (n_grids,), metres
        Centre of each grid's demand.
    totals : float64 array, shape (n_grids, n_measures)
    measures : tuple of str, n_measures
    """

    x: NDArray[np.float64]
    y: NDArray[np.float64]
    totals: NDArray[np.float64]
    measures: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class TeamBases:
    """Who is to own it.

    Attributes
    ----------
    x, y : float64 array, shape (n_teams,), metres
        Base of each team in the plane of the grids; nan for a team without one.
    capacity : float64 array, shape (n_teams, n_measures)
        What each team can carry; inf is unlimited.
    names : tuple of str, n_teams
    fallback : int or None
        Team which owns what is left over; it gets no grid unless it is the only team.
    """

    x: NDArray[np.float64]
    y: NDArray[np.float64]
    capacity: NDArray[np.float64]
    names: tuple[str, ...]
    fallback: int | None = None


@dataclass(frozen=True, slots=True)
class Assignment:
    """Team of each grid (int32 array, shape (n_grids,)) and a JSON-ready report."""

    team: NDArray[np.int32]
    report: dict[str, Any] = field(default_factory=dict)


def assign_grids(grids: GridLoads, teams: TeamBases, *, progress: Progress = silent) -> Assignment:
    """Give each grid to one team so that the total distance from bases to grids is small.

    No team carries more than its capacity unless that cannot be avoided; the report then says which team is
    short of how much. Where no capacity is given at all, each team gets as many grids as any other (or one
    more). A team without base is as far from every grid as the others are on average.

    Parameters
    ----------
    grids : GridLoads
    teams : TeamBases
    progress : Progress

    Returns
    -------
    Assignment
        The report names ``method``, ``gap`` (0.01 is 1 %, None where unknown), ``total_distance_m``,
        ``mean_distance_m`` (of the grids whose team has a base), ``teams`` and ``shortages`` (sentences).

    Raises
    ------
    InvalidInput
        There is no team.
    """
    n_teams = len(teams.names)
    chosen = np.array([t for t in range(n_teams) if t != teams.fallback or n_teams == 1], np.int64)
    if not len(chosen):
        raise InvalidInput("there is no team", field="teams", cure="add at least one team with a lead")
    progress(0.0, "assigning teams")
    distance = _distances(grids, teams)[:, chosen]
    answer = _answer(_cost(distance), grids.totals, teams.capacity[chosen])
    progress(1.0, "teams assigned")
    team = chosen[answer.team].astype(np.int32)
    travelled = distance[np.arange(len(team)), answer.team]
    return Assignment(team, _report(grids, teams, team, travelled, answer))


def _distances(grids: GridLoads, teams: TeamBases) -> NDArray[np.float64]:
    return np.hypot(grids.x[:, None] - teams.x, grids.y[:, None] - teams.y).astype(np.float64)


def _cost(distance: NDArray[np.float64]) -> NDArray[np.float64]:
    """Distances; a team without base has each grid's mean, so that it neither draws nor repels grids."""
    known = np.isfinite(distance)
    count = known.sum(axis=1, keepdims=True)
    mean = np.where(known, distance, 0).sum(axis=1, keepdims=True) / np.maximum(count, 1)
    return np.where(known, distance, mean)


def _answer(cost: NDArray[np.float64], totals: NDArray[np.float64], capacity: NDArray[np.float64]) -> Answer:
    if not np.isfinite(capacity).any():
        return evenly(cost)
    quick = by_regret(cost, totals, capacity)
    return quick if cost.size > _JUDGED_SIZE else refined(cost, totals, capacity, quick)


def _report(
    grids: GridLoads,
    teams: TeamBases,
    team: NDArray[np.int32],
    travelled: NDArray[np.float64],
    answer: Answer,
) -> dict[str, Any]:
    n = len(teams.names)
    load = np.column_stack([np.bincount(team, w, n) for w in grids.totals.T]) if len(grids.measures) else None
    known = travelled[np.isfinite(travelled)]
    rows = [
        _team_row(grids.measures, teams, t, int(np.count_nonzero(team == t)), [] if load is None else load[t])
        for t in range(n)
    ]
    return {
        "method": answer.method,
        "gap": answer.gap,
        "total_distance_m": float(known.sum()),
        "mean_distance_m": float(known.mean()) if len(known) else None,
        "teams": rows,
        "shortages": [
            f"team {row['team']} carries {over:,.0f} {measure} above its capacity of "
            f"{row['capacity'][measure]:,.0f}"
            for row in rows
            for measure, over in row["overload"].items()
        ],
    }


def _team_row(
    measures: tuple[str, ...], teams: TeamBases, t: int, n_grids: int, load: NDArray[np.float64] | list[float]
) -> dict[str, Any]:
    capacity = {m: float(c) for m, c in zip(measures, teams.capacity[t], strict=True) if np.isfinite(c)}
    loads = {m: float(v) for m, v in zip(measures, load, strict=True)}
    over = {m: loads[m] - c for m, c in capacity.items() if loads[m] > c + _ROUNDING * max(1.0, c)}
    return {
        "team": teams.names[t],
        "grids": n_grids,
        "load": loads,
        "capacity": capacity,
        "overload": over,
    }
