"""What an assignment comes to: its parts, the loads, why each grid is where it is, and what is short."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gridsvc.teams.problem import Answer, Problem

__all__ = ["Facts", "explained"]

_ROUNDING = 1e-6
_PROVEN = 1e-4


@dataclass(frozen=True, slots=True)
class Facts:
    """What the arrays of a problem were made of.

    Attributes
    ----------
    grids, teams, measures : tuple of str
    chosen : int64 array
        Teams which take part: the problem's columns.
    totals : float64 array, shape (n_grids, n_measures)
    capacity : float64 array, shape (n_teams, n_measures)
    distance, way : float64 array, shape (n_grids, n_chosen), metres
        To each base; nan where there is none, and `way` what that counts as.
    usual : float, metres
        Mean way to the nearest base.
    today : int64 array, shape (n_grids,), or None
    size : float64 array, shape (n_grids,), or None
    weight : float
    pins : dict of grid to team
    lacking : list of int
        Grids whose needs no team meets.
    """

    grids: tuple[str, ...]
    teams: tuple[str, ...]
    chosen: NDArray[np.int64]
    measures: tuple[str, ...]
    totals: NDArray[np.float64]
    capacity: NDArray[np.float64]
    distance: NDArray[np.float64]
    way: NDArray[np.float64]
    usual: float
    today: NDArray[np.int64] | None
    size: NDArray[np.float64] | None
    weight: float
    pins: dict[int, int]
    lacking: list[int]


def explained(problem: Problem, facts: Facts, answer: Answer, by_hand: Answer) -> dict[str, Any]:
    """The report on an answer.

    Returns
    -------
    dict
        ``method``, ``gap`` (0.01 is 1 %), ``proven``, ``capacities`` (``kept``,
        ``cannot be kept`` where that is proven, ``not kept``), ``bound`` and ``objective`` (in usual
        distances),
        ``total_distance_m``, ``mean_distance_m`` (of grids whose team has a base), ``worst_load``,
        ``handovers``, ``nearest_with_room`` (the same parts of what people do by hand), ``weights``,
        ``teams``, ``grids`` (why each is where it is) and ``shortages`` (sentences; ``shortages_zh``).
    """
    price = problem.price(answer.team)
    gap = max(0.0, (price - answer.bound) / max(abs(price), 1e-12)) if np.isfinite(answer.bound) else None
    rows = _team_rows(facts, facts.chosen[answer.team])
    short, short_zh = _shortages(facts, rows)
    return {
        "method": answer.method,
        "gap": gap,
        "proven": gap is not None and gap <= _PROVEN,
        "capacities": _kept(problem, answer),
        "bound": float(answer.bound) if np.isfinite(answer.bound) else None,
        "objective": price,
        **_parts(problem, facts, answer.team),
        "nearest_with_room": _parts(problem, facts, by_hand.team),
        "weights": {
            "usual_distance_m": facts.usual,
            "handover": facts.weight if facts.today is not None else 0.0,
            "metres_a_customer": _metres(facts),
        },
        "search": answer.notes,
        "teams": rows,
        "grids": _reasons(problem, facts, answer.team),
        "shortages": short,
        "shortages_zh": short_zh,
    }


def _kept(problem: Problem, answer: Answer) -> str:
    """``kept``; ``cannot be kept``, which is proven; ``not kept``, where an answer which does may exist."""
    if problem.overload(answer.team) <= 0:
        return "kept"
    dearest = np.where(np.isfinite(problem.cost), problem.cost, 0.0).max(axis=1).sum()
    return "cannot be kept" if answer.bound > dearest else "not kept"


def _metres(facts: Facts) -> float | None:
    """How much farther a base may be to save one customer from being handed over."""
    if facts.today is None or facts.size is None or not facts.size.any():
        return None
    return facts.weight * facts.usual / float(facts.size.mean())


def _parts(problem: Problem, facts: Facts, team: NDArray[np.int64]) -> dict[str, Any]:
    travelled = facts.distance[np.arange(len(team)), team]
    known = travelled[np.isfinite(travelled)]
    limit = np.where(problem.limit > 0, problem.limit, np.inf)
    loads = problem.carried(team) / limit
    return {
        "total_distance_m": float(known.sum()),
        "mean_distance_m": float(known.mean()) if len(known) else None,
        "worst_load": float(loads.max()) if np.isfinite(problem.limit).any() else None,
        "handovers": _handovers(facts, facts.chosen[team]),
    }


def _handovers(facts: Facts, team: NDArray[np.int64]) -> dict[str, Any] | None:
    if facts.today is None:
        return None
    moved = (facts.today >= 0) & (facts.today != team)
    customers = None if facts.size is None else float(facts.size[moved].sum())
    return {"grids": int(moved.sum()), "customers": customers}


def _team_rows(facts: Facts, team: NDArray[np.int64]) -> list[dict[str, Any]]:
    n, rows = len(facts.teams), []
    load = np.zeros((n, len(facts.measures)))
    np.add.at(load, team, facts.totals)
    for t in range(n):
        capacity = {
            m: float(c) for m, c in zip(facts.measures, facts.capacity[t], strict=True) if np.isfinite(c)
        }
        loads = {m: float(v) for m, v in zip(facts.measures, load[t], strict=True)}
        over = {m: loads[m] - c for m, c in capacity.items() if loads[m] > c + _ROUNDING * max(1.0, c)}
        rows.append(
            {
                "team": facts.teams[t],
                "grids": int(np.count_nonzero(team == t)),
                "load": loads,
                "capacity": capacity,
                "overload": over,
            }
        )
    return rows


def _shortages(facts: Facts, rows: list[dict[str, Any]]) -> tuple[list[str], list[str]]:
    over = [(row, m, amount) for row in rows for m, amount in row["overload"].items()]
    english = [
        f"team {row['team']} carries {amount:,.0f} {m} above its capacity of {row['capacity'][m]:,.0f}"
        for row, m, amount in over
    ]
    chinese = [
        f"{row['team']}承担的{m}超出能力{amount:,.0f}（能力{row['capacity'][m]:,.0f}）"
        for row, m, amount in over
    ]
    english += [f"no team has what grid {facts.grids[g]} needs" for g in facts.lacking]
    chinese += [f"没有团队具备网格{facts.grids[g]}所需的技能或语言" for g in facts.lacking]
    return english, chinese


def _reasons(problem: Problem, facts: Facts, team: NDArray[np.int64]) -> list[dict[str, Any]]:
    carried = problem.carried(team)
    return [_reason(problem, facts, g, int(t), carried) for g, t in enumerate(team)]


def _reason(
    problem: Problem, facts: Facts, g: int, here: int, carried: NDArray[np.float64]
) -> dict[str, Any]:
    """Why a grid is where it is, and what the next best team would cost, in metres."""
    cost, owner = problem.cost[g], int(facts.chosen[here])
    fits = np.all(carried + problem.loads[g] <= problem.limit, axis=1)
    others = np.where(np.arange(len(cost)) == here, np.inf, cost)
    next_ = int(others.argmin())
    way = facts.distance[g, here]
    told: dict[str, Any] = {
        "grid": facts.grids[g],
        "team": facts.teams[owner],
        "distance_m": float(way) if np.isfinite(way) else None,
        "why": _why(facts, g, owner, here, cost, fits),
    }
    if np.isfinite(others[next_]):
        more = float(others[next_] - cost[here]) * facts.usual
        told["next"] = {
            "team": facts.teams[facts.chosen[next_]], "costs_m": more, "has_room": bool(fits[next_]),
        }  # fmt: skip
    return told


def _why(
    facts: Facts, g: int, owner: int, here: int, cost: NDArray[np.float64], fits: NDArray[np.bool_]
) -> str:
    if g in facts.pins:
        return "pin"
    way = facts.way[g]
    eligible = np.isfinite(cost)
    if way[here] <= way[eligible].min() + _ROUNDING:
        return "nearest"
    if facts.today is not None and facts.today[g] == owner and cost[here] <= cost.min() + _ROUNDING:
        return "stays with today's owner"
    if not (fits & eligible & (cost < cost[here] - _ROUNDING)).any():
        return "nearest with room"
    return "best for all together"
