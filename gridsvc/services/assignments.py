"""Assignments: which team owns which grid of a plan."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gridsvc.crs import LocalPlane
from gridsvc.errors import NotFound
from gridsvc.plans.plan import Plan
from gridsvc.plans.summary import grid_centres, grid_totals
from gridsvc.principal import Principal
from gridsvc.progress import Progress, silent
from gridsvc.services.plans import draft, get
from gridsvc.store.database import Database
from gridsvc.store.records import PlanRecord
from gridsvc.teams.assign import GridLoads, TeamBases, assign_grids
from gridsvc.teams.model import Roster
from gridsvc.tiling.tiling import Tiling

__all__ = ["assign", "assign_plan"]


def grid_loads(plan: Plan, tiling: Tiling, measures: Mapping[str, NDArray[np.float64]]) -> GridLoads:
    """Each grid's totals, and the centre of its demand (all measures alike) in the tiling's plane."""
    sums = grid_totals(plan, measures)
    totals = np.array(list(sums.values())).reshape(len(measures), len(plan.grids)).T
    demand = np.zeros(len(tiling))
    for values in measures.values():
        demand += values / max(float(values.sum()), 1e-300)
    return GridLoads(*grid_centres(plan, tiling.x, tiling.y, demand), totals, tuple(measures))


def _bases(roster: Roster, tiling: Tiling, measures: tuple[str, ...]) -> TeamBases:
    teams = roster.teams
    lon = np.array([np.nan if team.lon is None else team.lon for team in teams])
    lat = np.array([np.nan if team.lat is None else team.lat for team in teams])
    known = np.isfinite(lon) & np.isfinite(lat)
    x, y = np.full(len(teams), np.nan), np.full(len(teams), np.nan)
    x[known], y[known] = LocalPlane(*tiling.origin).project(lon[known], lat[known])
    capacity = np.array([[team.capacity.get(name, np.inf) for name in measures] for team in teams])
    ids = [team.id for team in teams]
    fallback = ids.index(roster.fallback) if roster.fallback in ids else None
    return TeamBases(
        x, y, capacity.reshape(len(teams), len(measures)), tuple(team.name for team in teams), fallback
    )


def assign_plan(
    plan: Plan,
    tiling: Tiling,
    measures: Mapping[str, NDArray[np.float64]],
    roster: Roster,
    progress: Progress = silent,
) -> tuple[Plan, dict[str, Any]]:
    """Give each grid of a plan to one of the roster's teams by capacity and distance."""
    assignment = assign_grids(
        grid_loads(plan, tiling, measures), _bases(roster, tiling, tuple(measures)), progress=progress
    )
    grids = tuple(
        replace(grid, team=roster.teams[team].id)
        for grid, team in zip(plan.grids, assignment.team, strict=True)
    )
    return replace(plan, grids=grids), assignment.report


def assign(db: Database, who: Principal, plan: str, revision: int, progress: Progress = silent) -> PlanRecord:
    """Give the grids of a draft to the teams of the roster in force.

    Raises
    ------
    StaleRevision
        The draft has moved on from `revision`.
    NotFound
        The territory has no roster.
    """
    who.require("plans:write")
    now = datetime.now(UTC)
    with db.read() as reader:
        found = draft(reader, plan)
        in_force = reader.rosters.in_force(found.record.territory, now, now)
    if in_force is None:
        raise NotFound(
            f"territory {found.record.territory} has no roster", cure="put one, with at least one team"
        )
    assigned, summary = assign_plan(found.plan, found.tiling, found.balanced, in_force[1], progress)
    report = {**(found.record.report or {}), "assignment": summary}
    with db.write(who, "plan.assign") as uow:
        uow.plans.save_teams(plan, assigned.grids, report, revision)
        uow.audit(f"plan/{plan}", {"revision": revision}, {"teams": summary["method"]})
        uow.emit("plan.assigned", {"plan": plan})
    return get(db, who, plan)
