"""Assignments: which team owns which grid of a plan."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gridsvc.crs import LocalPlane
from gridsvc.errors import StaleRevision
from gridsvc.plans.plan import Plan
from gridsvc.plans.review import not_a_draft
from gridsvc.plans.summary import grid_centres, grid_totals
from gridsvc.principal import Principal
from gridsvc.progress import Progress, silent
from gridsvc.services import jobs
from gridsvc.services.asking import roster_at
from gridsvc.services.drafts import Draft, solved
from gridsvc.services.plans import draft, get
from gridsvc.store.database import Database, Reader
from gridsvc.store.records import Idempotency, JobRecord, PlanRecord
from gridsvc.teams.assign import FEW_PAIRS, GridLoads, TeamBases, assign_grids
from gridsvc.teams.model import Roster
from gridsvc.teams.wishes import Wishes, derived, ties_of, wishes_from_dict
from gridsvc.tiling.tiling import Tiling

__all__ = ["asked", "assign", "assign_plan", "is_small", "require_draft", "run_job", "start"]

_CUSTOMERS = "customers"
"""The measure which says how many customers a handover hands over; else the first."""
_SMALL_CELLS = 20_000
"""Cells up to which a request adds up a plan's grids itself."""


def grid_loads(plan: Plan, tiling: Tiling, measures: Mapping[str, NDArray[np.float64]]) -> GridLoads:
    """Each grid's totals, and the centre of its demand (all measures alike) in the tiling's plane."""
    sums = grid_totals(plan, measures)
    totals = np.array(list(sums.values())).reshape(len(measures), len(plan.grids)).T
    demand = np.zeros(len(tiling))
    for values in measures.values():
        demand += values / max(float(values.sum()), 1e-300)
    names = tuple(grid.code for grid in plan.grids)
    return GridLoads(*grid_centres(plan, tiling.x, tiling.y, demand), totals, tuple(measures), names)


def _bases(roster: Roster, tiling: Tiling, measures: tuple[str, ...], bases: str) -> TeamBases:
    teams = roster.teams
    places = [_place_of_people(roster, team.id) if bases == "people" else None for team in teams]
    own = [(team.lon, team.lat) for team in teams]
    both = [place or at for place, at in zip(places, own, strict=True)]
    lonlat = np.array([(np.nan, np.nan) if None in at else at for at in both], np.float64).reshape(-1, 2)
    known = np.isfinite(lonlat).all(axis=1)
    x, y = np.full(len(teams), np.nan), np.full(len(teams), np.nan)
    x[known], y[known] = LocalPlane(*tiling.origin).project(lonlat[known, 0], lonlat[known, 1])
    capacity = np.array([[team.capacity.get(name, np.inf) for name in measures] for team in teams])
    ids = [team.id for team in teams]
    fallback = ids.index(roster.fallback) if roster.fallback in ids else None
    return TeamBases(
        x, y, capacity.reshape(len(teams), len(measures)), tuple(team.name for team in teams), fallback
    )


def _place_of_people(roster: Roster, team: str) -> tuple[float, float] | None:
    """Mean base of a team's people, weighed by their shares of time; None where none has one."""
    found = [
        (person.lon, person.lat, member.time_share)
        for member in roster.members_by_team[team]
        if (person := roster.person_by_id[member.person]).lon is not None and person.lat is not None
    ]
    whole = sum(share for *_, share in found)
    if not whole:
        return None
    lon = sum(share * float(lon or 0.0) for lon, _, share in found) / whole
    return lon, sum(share * float(lat or 0.0) for _, lat, share in found) / whole


def assign_plan(
    plan: Plan,
    tiling: Tiling,
    measures: Mapping[str, NDArray[np.float64]],
    roster: Roster,
    progress: Progress = silent,
    *,
    wishes: Wishes | None = None,
    others: Mapping[str, NDArray[np.float64]] | None = None,
    sources: Mapping[str, str] | None = None,
) -> tuple[Plan, dict[str, Any]]:
    """Give each grid of a plan to one of the roster's teams by capacity, distance and the company's wishes.

    Parameters
    ----------
    measures : mapping of name to float64 array, shape (n_cells,)
        What capacities may be of; where the teams' capacities name a measure of the rates, that counts.
    others : mapping of name to float64 array, shape (n_cells,)
        Further columns for needs and rates.
    sources : mapping of list to the name of its file
    """
    wanted = wishes or Wishes()
    loads = grid_loads(plan, tiling, measures)
    base = {**{n: np.asarray(v, np.float64) for n, v in (others or {}).items()}, **measures}
    amounts = derived(grid_totals(plan, base), wanted.rates)
    extra = tuple(name for name in wanted.rates if any(name in team.capacity for team in roster.teams))
    names = (*loads.measures, *(name for name in extra if name not in loads.measures))
    totals = np.array([amounts[name] for name in names]).reshape(len(names), len(plan.grids)).T
    loads = replace(loads, totals=totals, measures=names)
    size = amounts.get(_CUSTOMERS, next(iter(amounts.values()), None))
    ties = ties_of(wanted, loads.names, roster, amounts, size, sources)
    bases = _bases(roster, tiling, names, wanted.bases)
    assignment = assign_grids(loads, bases, ties, progress=progress, time_limit=wanted.time_limit)
    grids = tuple(
        replace(grid, team=roster.teams[team].id)
        for grid, team in zip(plan.grids, assignment.team, strict=True)
    )
    return replace(plan, grids=grids), assignment.report


def start(
    db: Database,
    who: Principal,
    plan: str,
    revision: int,
    body: Mapping[str, Any] | None = None,
    *,
    idempotency: Idempotency | None = None,
) -> JobRecord:
    """Queue the assignment of a draft's grids to the teams of the roster in force.

    Raises
    ------
    StaleRevision
        The draft has moved on from `revision`.
    Conflict
        It is published, or not solved yet.
    """
    who.require("plans:write")
    with db.read(who) as reader:
        stored = None if idempotency is None else reader.replay(who.actor, idempotency)
        if stored is not None and "job" in stored.body:
            return reader.jobs.get(stored.body["job"])
        record = reader.plans.get(plan)
        require_draft(record, revision)
        solved(record)
    params = {"plan": plan, "revision": revision, "wishes": dict(body or {})}
    return jobs.submit(db, who, "assign", record.territory, params, idempotency=idempotency)


def is_small(db: Database, who: Principal, plan: str) -> bool:
    """Whether assigning a draft takes so short that a request may do it itself."""
    who.require("plans:write")
    now = datetime.now(UTC)
    with db.read(who) as reader:
        record = reader.plans.get(plan)
        in_force = reader.rosters.in_force(record.territory, now, now)
    cells = 0 if record.labels is None else len(record.labels)
    n_teams = 0 if in_force is None else len(in_force[1].teams)
    return cells <= _SMALL_CELLS and len(record.grids) * n_teams <= FEW_PAIRS


def require_draft(record: PlanRecord, revision: int) -> None:
    """Make sure that a plan is a draft and has not moved on.

    Raises
    ------
    Conflict
        It is no draft.
    StaleRevision
        It has moved on from `revision`.
    """
    if record.status != "draft":
        raise not_a_draft(record.id, record.status)
    if record.revision != revision:
        raise StaleRevision(
            f"the plan is at revision {record.revision}, not {revision}",
            field="If-Match",
            cure="read it again and repeat the change",
            revision=record.revision,
        )


def asked(body: Mapping[str, Any]) -> dict[str, Any]:
    """What `assign` is to be called with for wishes as the API takes them."""
    return {"wishes": wishes_from_dict(body), "today": body.get("today", "none")}


def run_job(
    db: Database, who: Principal, params: Mapping[str, Any], once: Idempotency, progress: Progress
) -> dict[str, Any]:
    """Do a queued assignment."""
    record = assign(
        db, who, params["plan"], params["revision"], progress,
        **asked(params["wishes"]), idempotency=once,
    )  # fmt: skip
    return {"plan": record.id, "revision": record.revision}


def assign(
    db: Database,
    who: Principal,
    plan: str,
    revision: int,
    progress: Progress = silent,
    *,
    wishes: Wishes | None = None,
    today: str = "none",
    idempotency: Idempotency | None = None,
) -> PlanRecord:
    """Give the grids of a draft to the teams of the roster in force.

    Parameters
    ----------
    today : "publication" or "none"
        Whether the owners of the publication in force should stay where they can.

    Raises
    ------
    StaleRevision
        The draft has moved on from `revision`.
    NotFound
        The territory has no roster.
    """
    who.require("plans:write")
    now, wanted = datetime.now(UTC), wishes or Wishes()
    with db.read(who) as reader:
        if idempotency is not None and reader.replay(who.actor, idempotency) is not None:
            return reader.plans.get(plan)
        found = draft(reader, plan)
        require_draft(found.record, revision)
        roster = roster_at(reader, found.record.territory, now)[1]
        if wanted.today is None and today == "publication":
            wanted = replace(wanted, today=_owners(reader, found, now))
    assigned, summary = assign_plan(
        found.plan, found.tiling, found.balanced, roster, progress,
        wishes=wanted, others=found.columns,
    )  # fmt: skip
    report = {**(found.record.report or {}), "assignment": summary}
    with db.write(who, "plan.assign", idempotency=idempotency) as uow:
        number = uow.plans.save_teams(plan, assigned.grids, report, revision)
        uow.audit(f"plan/{plan}", {"revision": revision}, {"teams": summary["method"]})
        uow.emit("plan.assigned", {"plan": plan})
        uow.respond(200, {"plan": plan, "revision": number})
    return get(db, who, plan)


def _owners(reader: Reader, found: Draft, now: datetime) -> dict[str, str]:
    """Today's team of each grid: who has most of its customers, or on another tiling its code."""
    record = reader.publications.in_force(found.record.territory, found.record.line, now, now)
    if record is None:
        return {}
    old = draft(reader, record.plan)
    if old.record.tiling != found.record.tiling:
        return {grid.code: grid.team for grid in old.plan.grids if grid.team is not None}
    measures = found.balanced
    weight = measures.get(_CUSTOMERS, next(iter(measures.values()), np.ones(len(found.tiling))))
    teams = sorted({grid.team for grid in old.plan.grids if grid.team is not None})
    place = {team: i for i, team in enumerate(teams)}
    owner = np.array([place.get(grid.team or "", -1) for grid in old.plan.grids])[old.plan.labels]
    share = np.zeros((len(found.plan.grids), len(teams) + 1))
    np.add.at(share, (found.plan.labels, owner), weight + 1e-9)
    most = share[:, : len(teams)]
    return {
        grid.code: teams[int(most[g].argmax())] for g, grid in enumerate(found.plan.grids) if most[g].any()
    }
