"""Which team owns which grid: near its base, within what it can carry, and mostly who owns it today."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gridsvc.errors import InvalidInput
from gridsvc.progress import Progress, silent
from gridsvc.teams.annealing import annealed
from gridsvc.teams.exact import by_program, evenly
from gridsvc.teams.explain import Facts, explained
from gridsvc.teams.greedy import by_regret, improved, nearest
from gridsvc.teams.patterns import by_patterns
from gridsvc.teams.problem import Answer, Problem, problem_of
from gridsvc.teams.watch import Watch

__all__ = ["FEW_PAIRS", "Assignment", "GridLoads", "TeamBases", "Ties", "assign_grids", "problem_and_facts"]

FEW_PAIRS = 250
"""Pairs of grid and team up to which one integer program is done in well under a second."""
_MANY = 300  # grids from which prices of sets find better answers than chance, and sooner
_SETS = 9.0  # grids a team up to which whole sets of grids are looked through


@dataclass(frozen=True, slots=True)
class GridLoads:
    """What is to be owned.

    Attributes
    ----------
    x, y : float64 array, shape (n_grids,), metres
        Centre of each grid's demand.
    totals : float64 array, shape (n_grids, n_measures)
    measures : tuple of str, n_measures
    names : tuple of str, n_grids
        Codes for the report; numbers unless given.
    """

    x: NDArray[np.float64]
    y: NDArray[np.float64]
    totals: NDArray[np.float64]
    measures: tuple[str, ...]
    names: tuple[str, ...] = ()


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
class Ties:
    """What else decides.

    Attributes
    ----------
    today : int64 array, shape (n_grids,), or None
        Team which owns each grid today; -1 where none of these does.
    size : float64 array, shape (n_grids,), or None
        Customers of each grid; all alike unless given.
    weight : float
        What handing over a grid of average customers counts, in usual distances (the mean over the grids of
        the way to the nearest base). 0 looks at distance only.
    pins : dict of grid to team
    bans : set of (grid, team)
    unfit : bool array, shape (n_grids, n_teams), or None
        Where a team lacks what a grid needs.
    """

    today: NDArray[np.int64] | None = None
    size: NDArray[np.float64] | None = None
    weight: float = 1.0
    pins: dict[int, int] = field(default_factory=dict)
    bans: frozenset[tuple[int, int]] = frozenset()
    unfit: NDArray[np.bool_] | None = None


@dataclass(frozen=True, slots=True)
class Assignment:
    """Team of each grid (int32 array, shape (n_grids,)) and a JSON-ready report."""

    team: NDArray[np.int32]
    report: dict[str, Any] = field(default_factory=dict)


def assign_grids(
    grids: GridLoads,
    teams: TeamBases,
    ties: Ties | None = None,
    *,
    progress: Progress = silent,
    time_limit: float | None = None,
) -> Assignment:
    """Give each grid to one team at little distance and with few customers handed over.

    No team carries more than its capacity unless that cannot be avoided; the report then says which team is
    short of how much. Where no capacity, pin, ban or need is given, each team gets as many grids as any other
    (or one more). A team without base is as far from every grid as the others are on average.

    Parameters
    ----------
    time_limit : float, optional, seconds
        After which the best assignment so far is taken; the report's ``truncated`` says so, and the answer
        then depends on the machine.

    Returns
    -------
    Assignment
        The report is that of `gridsvc.teams.explain.explained`, and ``truncated``.

    Raises
    ------
    InvalidInput
        There is no team, a weight is no number of at least 0, or a time limit none above 0.
    """
    if time_limit is not None and not time_limit > 0:
        raise InvalidInput(
            f"{time_limit:g} is no time limit", field="time_limit", cure="give seconds above 0"
        )
    watch = Watch.starting(progress, time_limit)
    problem, facts = problem_and_facts(grids, teams, ties or Ties())
    progress(0.0, "assigning teams")
    answer = _answer(problem, facts, watch)
    progress(1.0, "teams assigned")
    team = facts.chosen[answer.team].astype(np.int32)
    by_hand = nearest(problem)
    report = explained(problem, facts, answer, by_hand) | {"truncated": watch.truncated}
    return Assignment(team, report)


def problem_and_facts(grids: GridLoads, teams: TeamBases, ties: Ties) -> tuple[Problem, Facts]:
    """The arrays to be solved, and what is needed to tell of the answer."""
    n_teams = len(teams.names)
    pinned = set(ties.pins.values())
    chosen = np.array(
        [t for t in range(n_teams) if t != teams.fallback or n_teams == 1 or t in pinned], np.int64
    )
    if not len(chosen):
        raise InvalidInput("there is no team", field="teams", cure="add at least one team with a lead")
    if not (np.isfinite(ties.weight) and ties.weight >= 0):
        raise InvalidInput(
            "the weight of handovers is not a number of at least 0",
            field="handover_weight",
            cure="give 0 or more",
        )
    distance = np.hypot(grids.x[:, None] - teams.x, grids.y[:, None] - teams.y)[:, chosen].astype(np.float64)
    way = _ways(distance)
    usual = float(way.min(axis=1).mean()) if len(way) else 1.0
    usual = usual if usual > 0 else 1.0
    today, handover = _handover(ties, chosen, len(way))
    cost = way / usual + ties.weight * handover
    allowed, lacking = _allowed(ties, chosen, teams.fallback, cost.shape)
    problem = problem_of(np.where(allowed, cost, np.inf), grids.totals, teams.capacity[chosen])
    names = grids.names or tuple(str(g) for g in range(len(way)))
    facts = Facts(
        names, teams.names, chosen, grids.measures, grids.totals, teams.capacity, distance, way, usual,
        today, ties.size, ties.weight, {g: int(t) for g, t in ties.pins.items()}, lacking,
    )  # fmt: skip
    return problem, facts


def _ways(distance: NDArray[np.float64]) -> NDArray[np.float64]:
    """Distances; a team without base has each grid's mean, so that it neither draws nor repels grids."""
    known = np.isfinite(distance)
    count = known.sum(axis=1, keepdims=True)
    mean = np.where(known, distance, 0).sum(axis=1, keepdims=True) / np.maximum(count, 1)
    return np.where(known, distance, mean)


def _handover(
    ties: Ties, chosen: NDArray[np.int64], n: int
) -> tuple[NDArray[np.int64] | None, NDArray[np.float64]]:
    """Today's team of each grid, and what handing each to each team counts in average grids."""
    handed = np.zeros((n, len(chosen)))
    if ties.today is None:
        return None, handed
    size = np.ones(n) if ties.size is None or not ties.size.any() else ties.size / ties.size.mean()
    owned = ties.today >= 0  # what nobody owns is handed over by nobody
    handed[owned] = np.where(chosen == ties.today[owned, None], 0.0, size[owned, None])
    return ties.today, handed


def _allowed(
    ties: Ties, chosen: NDArray[np.int64], fallback: int | None, shape: tuple[int, int]
) -> tuple[NDArray[np.bool_], list[int]]:
    """Who may own what, and the grids whose needs nobody meets: these go to anybody who is not barred."""
    allowed = np.ones(shape, np.bool_)
    position = {int(t): i for i, t in enumerate(chosen)}
    for grid, team in ties.bans:
        if team in position:
            allowed[grid, position[team]] = False
    if len(chosen) > 1 and fallback in position:
        allowed[:, position[fallback]] = False
    free = allowed.copy()
    lacking: list[int] = []
    if ties.unfit is not None:
        allowed &= ~ties.unfit[:, chosen]
        lacking = np.flatnonzero(~allowed.any(axis=1) & free.any(axis=1)).tolist()
        allowed[lacking] = free[lacking]
    for grid, team in ties.pins.items():
        allowed[grid] = chosen == team
    barred = np.flatnonzero(~allowed.any(axis=1))
    if len(barred):
        raise InvalidInput(
            "a grid may go to no team",
            field="pins",
            row=None,
            cure="take back one of its bans",
            grid=int(barred[0]),
        )
    return allowed, [g for g in lacking if g not in ties.pins]


def _answer(problem: Problem, facts: Facts, watch: Watch) -> Answer:
    n, n_teams = problem.cost.shape
    if not np.isfinite(problem.limit).any():
        return _unlimited(problem, watch)
    if n_teams == 1:
        return Answer(np.zeros(n, np.int64), "one team", problem.price(np.zeros(n, np.int64)))
    quick = by_regret(problem)
    if facts.today is not None:
        quick = min(quick, _as_today(problem, facts.today, facts), key=lambda a: problem.price(a.team))
    if n * n_teams <= FEW_PAIRS:
        return by_program(problem, quick, watch.part(0.1, 0.95))
    if n > _SETS * n_teams:
        quick = annealed(problem, quick, watch.part(0.1, 0.3))
        return by_program(problem, quick, watch.part(0.3, 0.95))
    if n <= _MANY:
        quick = annealed(problem, quick, watch.part(0.1, 0.3))
    return by_patterns(problem, quick, watch.part(0.3, 0.95))


def _as_today(problem: Problem, today: NDArray[np.int64], facts: Facts) -> Answer:
    """Everything as it is, where that may be; improved."""
    cheapest = problem.cost.argmin(axis=1)
    position = np.full(len(facts.teams) + 1, -1)
    position[facts.chosen] = np.arange(len(facts.chosen))
    stays = position[today]
    may = (stays >= 0) & np.isfinite(problem.cost[np.arange(len(today)), stays])
    return improved(problem, Answer(np.where(may, stays, cheapest), "today's owners and swaps", -np.inf))


def _unlimited(problem: Problem, watch: Watch) -> Answer:
    """Even numbers of grids; with pins, bans or needs at most the mean rounded up, where that can be."""
    if np.isfinite(problem.cost).all():
        return evenly(problem.cost)
    n, n_teams = problem.cost.shape
    most = float(-(-n // n_teams))
    counted = Problem(problem.cost, np.ones((n, 1)) / most, np.ones((n_teams, 1)))
    return by_program(counted, by_regret(counted), watch.part(0.1, 0.95))
