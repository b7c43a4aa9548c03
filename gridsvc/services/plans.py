"""Plans: drafts that are solved, given to teams and looked at."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from gridsvc import __version__
from gridsvc.errors import Conflict, InvalidInput
from gridsvc.plans.plan import Grid, Plan
from gridsvc.principal import Principal
from gridsvc.progress import Progress, silent
from gridsvc.services import jobs
from gridsvc.services.solving import SolveRequest, describe_plan, request_grids, solve_tiling
from gridsvc.store.database import Database, Reader
from gridsvc.store.records import Idempotency, JobRecord, MeasureRecord, PlanRecord
from gridsvc.tiling.barriers import Barriers, barriers_from_geojson
from gridsvc.tiling.tiling import Tiling

__all__ = [
    "Draft",
    "cells_of",
    "create",
    "draft",
    "get",
    "grids_of",
    "listing",
    "put",
    "request_of",
    "run_job",
    "solve",
    "solved",
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
