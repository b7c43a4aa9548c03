"""Plans: drafts that are solved, given to teams and looked at."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gridsvc import __version__
from gridsvc.crs import LocalPlane
from gridsvc.errors import Conflict, InvalidInput, NotFound
from gridsvc.plans.gates import Gate, gates
from gridsvc.plans.plan import Grid, Plan
from gridsvc.plans.summary import grid_centres, grid_totals
from gridsvc.principal import Principal
from gridsvc.progress import Progress, silent
from gridsvc.services import jobs
from gridsvc.services.solving import SolveRequest, describe_plan, request_grids, solve_tiling
from gridsvc.store.database import Database, Reader
from gridsvc.store.records import Idempotency, JobRecord, MeasureRecord, PlanRecord
from gridsvc.teams.assign import GridLoads, TeamBases, assign_grids
from gridsvc.teams.model import Roster
from gridsvc.tiling.barriers import Barriers, barriers_from_geojson, cut
from gridsvc.tiling.tiling import Tiling

__all__ = [
    "Draft",
    "assign",
    "assign_plan",
    "cells_of",
    "create",
    "draft",
    "gates_of",
    "get",
    "grids_of",
    "judge",
    "listing",
    "plan_gates",
    "put",
    "run_job",
    "solve",
    "start",
]


@dataclass(frozen=True, slots=True)
class Draft:
    """A plan with what it stands on."""

    record: PlanRecord
    tiling: Tiling
    measures: dict[str, MeasureRecord]

    @property
    def plan(self) -> Plan:
        """The plan as a value.

        Raises
        ------
        Conflict
            It has not been solved yet.
        """
        return solved(self.record)


def solved(record: PlanRecord) -> Plan:
    """The plan of a record as a value.

    Raises
    ------
    Conflict
        It has not been solved yet.
    """
    if record.labels is None:
        raise Conflict("the plan is not solved yet", cure="wait for its job to be done", plan=record.id)
    return Plan(record.labels, record.grids)


def _new_record(
    territory: str, tiling: str, name: str, request: SolveRequest, barriers: str | None = None
) -> PlanRecord:
    params = {
        "grids": request.grids,
        "measures": [[measure, tolerance] for measure, tolerance in request.measures],
        "nest_in": request.nest_in,
        "carve_out": request.carve_out if request.carve_out == "large" else list(request.carve_out),
        "islands": request.islands,
        "barriers": barriers,
    }
    return PlanRecord(
        territory=territory,
        tiling=tiling,
        name=name,
        params=params,
        seed=request.seed,
        engine_version=__version__,
    )


def create(db: Database, who: Principal, tiling: str, request: SolveRequest, *, name: str = "") -> PlanRecord:
    """Add an empty draft, to be solved in this process by `solve`."""
    who.require("plans:write")
    with db.read() as reader:
        territory = reader.tilings.get(tiling).territory
    with db.write(who, "plan.create") as uow:
        plan = uow.plans.create(_new_record(territory, tiling, name, request))
        uow.audit(f"plan/{plan}", None, {"tiling": tiling})
    return get(db, who, plan)


def start(
    db: Database,
    who: Principal,
    tiling: str,
    request: SolveRequest,
    *,
    name: str = "",
    barriers: str | None = None,
    idempotency: Idempotency | None = None,
) -> tuple[PlanRecord, JobRecord]:
    """Add a draft and queue its solve.

    Parameters
    ----------
    barriers : str or None
        GeoJSON text; kept with the plan, so that it can be made again.

    Raises
    ------
    InvalidInput
        A measure is not on the tiling, or there are more grids than cells.
    """
    who.require("plans:write")
    with db.read() as reader:
        stored = None if idempotency is None else reader.replay(who.actor, idempotency)
        if stored is not None:
            return reader.plans.get(stored.body["plan"]), reader.jobs.get(stored.body["job"])
        tiling_record = reader.tilings.get(tiling)
        _check_request(request, reader.tilings.measures(tiling), tiling_record.n_cells)
    with db.write(who, "plan.create", idempotency=idempotency) as uow:
        plan = uow.plans.create(_new_record(tiling_record.territory, tiling, name, request, barriers))
        job = jobs.enqueue(uow, who, "solve", tiling_record.territory, {"plan": plan})
        uow.audit(f"plan/{plan}", None, {"tiling": tiling, "job": job})
        uow.emit("plan.created", {"plan": plan, "job": job})
        uow.respond(202, {"plan": plan, "job": job})
    return get(db, who, plan), jobs.get(db, who, job)


def _check_request(request: SolveRequest, measures: Mapping[str, Any], cells: int) -> None:
    for position, (name, _) in enumerate(request.measures, 1):
        if name not in measures:
            raise InvalidInput(
                f"no measure {name!r} on this tiling",
                field="measures",
                row=position,
                cure=f"there are {', '.join(measures) or 'none: import customers first'}",
            )
    if request.grids is not None and request.grids > cells:
        raise InvalidInput(
            f"{request.grids} grids asked for but there are only {cells} cells",
            field="grids",
            cure="ask for fewer grids or use a finer tiling",
        )


def request_of(record: PlanRecord) -> SolveRequest:
    """The request a plan was made by."""
    params = record.params
    carve_out = params["carve_out"]
    return SolveRequest(
        grids=params["grids"],
        measures=tuple((name, tolerance) for name, tolerance in params["measures"]),
        nest_in=params["nest_in"],
        carve_out="large" if carve_out == "large" else tuple(carve_out),
        islands=params["islands"],
        barriers=_barriers(params["barriers"]),
        seed=record.seed or 0,
    )


def _barriers(text: str | None) -> Barriers | None:
    return None if text is None else barriers_from_geojson(json.loads(text), "wgs84")


def solve(db: Database, who: Principal, plan: str, progress: Progress = silent) -> PlanRecord:
    """Balance a draft's tiling and save the plan as its next revision."""
    who.require("plans:write")
    with db.read() as reader:
        found = draft(reader, plan)
    solution = solve_tiling(
        found.tiling,
        {name: measure.values for name, measure in found.measures.items()},
        request_of(found.record),
        largest={name: measure.largest for name, measure in found.measures.items()},
        progress=progress,
    )
    with db.write(who, "plan.solve") as uow:
        uow.plans.save_solution(plan, solution.plan, solution.report, found.record.revision)
        uow.audit(f"plan/{plan}", {"revision": found.record.revision}, {"grids": len(solution.plan.grids)})
        uow.emit("plan.solved", {"plan": plan})
    return get(db, who, plan)


def run_job(db: Database, who: Principal, params: Mapping[str, Any], progress: Progress) -> dict[str, Any]:
    """Do a queued solve."""
    record = solve(db, who, params["plan"], progress)
    return {"plan": record.id, "revision": record.revision}


def draft(reader: Reader, plan: str) -> Draft:
    """A plan with its tiling and measures, from one read transaction."""
    record = reader.plans.get(plan)
    return Draft(record, reader.tilings.load(record.tiling), reader.tilings.measures(record.tiling))


def get(db: Database, who: Principal, plan: str) -> PlanRecord:
    """A plan."""
    who.require("plans:read")
    with db.read() as reader:
        return reader.plans.get(plan)


def listing(db: Database, who: Principal, territory: str, after: str | None, limit: int) -> list[PlanRecord]:
    """Plans of a territory."""
    who.require("plans:read")
    with db.read() as reader:
        return list(reader.plans.list(territory, after, limit))


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
    named = {name: found.measures[name].values for name, _ in found.record.params["measures"]}
    assigned, summary = assign_plan(found.plan, found.tiling, named, in_force[1], progress)
    report = {**(found.record.report or {}), "assignment": summary}
    with db.write(who, "plan.assign") as uow:
        uow.plans.save_teams(plan, assigned.grids, report, revision)
        uow.audit(f"plan/{plan}", {"revision": revision}, {"teams": summary["method"]})
        uow.emit("plan.assigned", {"plan": plan})
    return get(db, who, plan)


def plan_gates(reader: Reader, plan: str) -> list[Gate]:
    """The rules a plan must keep to be published, each with its offenders."""
    found = draft(reader, plan)
    now = datetime.now(UTC)
    in_force = reader.rosters.in_force(found.record.territory, now, now)
    roster = Roster((), (), (), ()) if in_force is None else in_force[1]
    live = reader.customers.live_import(found.record.territory, found.record.tiling)
    unplaced = 0 if live is None or live.summary is None else live.summary["left_out"]
    return judge(found, roster, unplaced)


def judge(found: Draft, roster: Roster, unplaced: int) -> list[Gate]:
    """The rules, for a plan, the roster in force and the number of customers without a place."""
    barriers = request_of(found.record).barriers
    tiling = found.tiling if barriers is None else cut(found.tiling, barriers)
    report = found.record.report or {}
    entries = {entry["code"]: entry.get("deviation", {}) for entry in report.get("grids", [])}
    tolerance = report.get("parameters", {}).get("tolerance", {})
    return gates(
        found.plan,
        indptr=tiling.adjacency.indptr,
        indices=tiling.adjacency.indices,
        cell_names=tiling.names(),
        has_lead={team.id: roster.lead(team.id) is not None for team in roster.teams},
        fallback=roster.fallback,
        customers_unplaced=unplaced,
        links=[(link["a"], link["b"]) for link in report.get("links", [])],
        deviations={
            name: np.array([entries.get(grid.code, {}).get(name, 0.0) for grid in found.plan.grids])
            for name in tolerance
        },
        tolerance=tolerance,
    )


def gates_of(db: Database, who: Principal, plan: str) -> list[Gate]:
    """The rules a plan must keep to be published, each with its offenders."""
    who.require("plans:read")
    with db.read() as reader:
        return plan_gates(reader, plan)


def cells_of(db: Database, who: Principal, plan: str) -> list[tuple[str, str]]:
    """Cell and grid code of each cell of a solved plan."""
    who.require("plans:read")
    with db.read() as reader:
        found = draft(reader, plan)
    codes = [grid.code for grid in found.plan.grids]
    return [(cell, codes[label]) for cell, label in zip(found.tiling.names(), found.plan.labels, strict=True)]


def put(
    db: Database,
    who: Principal,
    tiling: str,
    plan: Plan,
    balanced: tuple[tuple[str, float], ...],
    *,
    name: str = "",
) -> PlanRecord:
    """Store a plan that was made elsewhere, with a report on how well it balances `balanced`."""
    request = SolveRequest(request_grids(plan), balanced)
    record = create(db, who, tiling, request, name=name)
    with db.read() as reader:
        found = draft(reader, record.id)
    weights = {measure: values.values for measure, values in found.measures.items()}
    report = describe_plan(found.tiling, weights, plan, request)
    with db.write(who, "plan.put") as uow:
        uow.plans.save_solution(record.id, plan, report, record.revision)
        uow.audit(f"plan/{record.id}", None, {"grids": len(plan.grids)})
    return get(db, who, record.id)


def grids_of(record: PlanRecord) -> tuple[Grid, ...]:
    """Grids of a solved plan."""
    return solved(record).grids
