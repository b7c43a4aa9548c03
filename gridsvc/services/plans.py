"""Plans: drafts that are solved, given to teams and looked at."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from gridsvc import __version__
from gridsvc.errors import InvalidInput
from gridsvc.plans.plan import Plan
from gridsvc.principal import Principal
from gridsvc.progress import Progress, Watch, blind, silent
from gridsvc.services import jobs
from gridsvc.services.checking import check_request
from gridsvc.services.codes import numbering_of
from gridsvc.services.drafts import (
    Draft,
    base_of,
    draft,
    old_plan,
    request_of,
    solved,
    stamped,
    with_freshness,
)
from gridsvc.services.levels import Placed, placed
from gridsvc.services.live import current, kept_of
from gridsvc.services.nesting import nest_of, solve_nested
from gridsvc.services.opening import Opened
from gridsvc.services.own_ground import OwnGround, own_ground
from gridsvc.services.previews import FILE, Leaving
from gridsvc.services.request import Former, SolveRequest, params_of
from gridsvc.services.review import shown
from gridsvc.store.database import Database
from gridsvc.store.records import Idempotency, JobRecord, PlanRecord

__all__ = [
    "Draft",
    "FromPlan",
    "cells_of",
    "create",
    "draft",
    "figures",
    "get",
    "listing",
    "put",
    "report",
    "request_of",
    "run_job",
    "seen",
    "solve",
    "solved",
    "start",
]


@dataclass(frozen=True, slots=True)
class FromPlan:
    """A plan to realign: its id, how much of the first measure may move, and the column of moving costs."""

    plan: str
    max_disruption: float = 0.10
    move_cost: str | None = None


def _new_record(
    territory: str,
    tiling: str,
    name: str,
    request: SolveRequest,
    line: str | Placed,
    base: int | None,
    barriers: str | None = None,
    source: PlanRecord | None = None,
) -> PlanRecord:
    where = line if isinstance(line, Placed) else Placed(line, "grid", None)
    return PlanRecord(
        territory=territory,
        tiling=tiling,
        name=name,
        line=where.line,
        level=where.level,
        parent=where.parent,
        base_publication=base,
        carve_outs=() if source is None else source.carve_outs,
        params=params_of(request, barriers, None if source is None else source.id),
        seed=request.seed,
        engine_version=__version__,
    )


def create(
    db: Database,
    who: Principal,
    tiling: str,
    request: SolveRequest,
    *,
    name: str = "",
    line: str = "base",
) -> PlanRecord:
    """Add an empty draft, to be solved in this process by `solve`."""
    who.require("plans:write")
    with db.read(who) as reader:
        territory = reader.tilings.get(tiling).territory
        base = base_of(reader, territory, line)
    with db.write(who, "plan.create") as uow:
        plan = uow.plans.create(_new_record(territory, tiling, name, request, line, base))
        uow.audit(f"plan/{plan}", None, {"tiling": tiling})
    return get(db, who, plan)


def start(
    db: Database,
    who: Principal,
    tiling: str,
    request: SolveRequest,
    *,
    name: str = "",
    line: str = "base",
    level: str | None = None,
    parent: str | None = None,
    barriers: str | None = None,
    from_plan: FromPlan | None = None,
    preview: Callable[[], Path] | None = None,
    idempotency: Idempotency | None = None,
) -> tuple[PlanRecord, JobRecord]:
    """Add a draft and queue its solve.

    Parameters
    ----------
    level : str or None
        The level it divides the territory at; the lowest if None.
    parent : str or None
        Code of the only grid of the level above whose cells are dealt out anew.
    barriers : str or None
        GeoJSON text; kept with the plan, so that it can be made again.
    from_plan : FromPlan or None
        The plan to realign.
    preview : callable or None
        Makes room for a file in which the plan can be looked at while it is being made; the job owns it.

    Raises
    ------
    InvalidInput
        A measure is not on the tiling, there are more grids than cells, or the plan to realign is none of
        this tiling; there is no such level or parent.
    """
    who.require("plans:write")
    with db.read(who) as reader:
        stored = None if idempotency is None else reader.replay(who.actor, idempotency)
        if stored is not None:
            return reader.plans.get(stored.body["plan"]), reader.jobs.get(stored.body["job"])
        tiling_record = reader.tilings.get(tiling)
        if from_plan is not None:
            old = old_plan(reader, from_plan.plan, tiling)
            request = replace(request, former=Former(old, from_plan.max_disruption, from_plan.move_cost))
        check_request(request, reader.tilings.measures(tiling), tiling_record.n_cells)
        source = None if from_plan is None else reader.plans.get(from_plan.plan)
        where = placed(reader, tiling_record.territory, tiling, line, level, parent)
        if parent is not None and source is not None:
            raise InvalidInput(
                "a plan inside one parent is made anew",
                field="from_plan",
                cure="leave parent or from_plan out",
            )
        base = base_of(reader, tiling_record.territory, where.line, None if source is None else source.id)
    with db.write(who, "plan.create", idempotency=idempotency) as uow:
        record = _new_record(tiling_record.territory, tiling, name, request, where, base, barriers, source)
        plan = uow.plans.create(record)
        files = {} if preview is None else {"files": {FILE: str(preview())}}
        job = jobs.enqueue(uow, who, "solve", tiling_record.territory, {"plan": plan, **files})
        uow.audit(f"plan/{plan}", None, {"tiling": tiling, "job": job})
        uow.emit("plan.created", {"plan": plan, "job": job})
        uow.respond(202, {"plan": plan, "job": job})
    return get(db, who, plan), jobs.get(db, who, job)


def solve(
    db: Database,
    who: Principal,
    plan: str,
    progress: Progress = silent,
    *,
    idempotency: Idempotency | None = None,
    watch: Watch = blind,
) -> PlanRecord:
    """Balance a draft's tiling and save the plan as its next revision."""
    who.require("plans:write")
    with db.read(who) as reader:
        found = draft(reader, plan)
        source = found.record.params.get("from_plan")
        old = None if source is None else old_plan(reader, source, found.record.tiling)
        record = found.record
        numbering = numbering_of(reader, record.territory, record.line, record.tiling)
        nest = nest_of(reader, record)
    numbers = {n: c for n, c in found.tiling.columns.items() if np.issubdtype(c.dtype, np.number)}
    solution = solve_nested(
        nest,
        found.tiling,
        {**numbers, **{name: measure.values for name, measure in found.measures.items()}},
        request_of(found.record, old),
        largest={name: measure.largest for name, measure in found.measures.items()},
        numbering=numbering,
        progress=progress,
        watch=watch,
    )
    report = stamped(solution.report, found.measures)
    with db.write(who, "plan.solve", idempotency=idempotency) as uow:
        revision = uow.plans.save_solution(plan, solution.plan, report, found.record.revision)
        uow.audit(f"plan/{plan}", {"revision": found.record.revision}, {"grids": len(solution.plan.grids)})
        uow.emit("plan.solved", {"plan": plan})
        uow.respond(200, {"plan": plan, "revision": revision})
    return get(db, who, plan)


def run_job(
    db: Database, who: Principal, params: Mapping[str, Any], once: Idempotency, progress: Progress
) -> dict[str, Any]:
    """Do a queued solve."""
    left = params.get("files", {}).get(FILE)
    watch = blind if left is None else Leaving(Path(left))
    record = solve(db, who, params["plan"], progress, idempotency=once, watch=watch)
    return {"plan": record.id, "revision": record.revision}


def get(db: Database, who: Principal, plan: str) -> PlanRecord:
    """A plan; of the status ``retired`` where it was published, and is neither in force nor scheduled."""
    who.require("plans:read")
    with db.read(who) as reader:
        return shown(reader, [reader.plans.get(plan)])[0]


def listing(db: Database, who: Principal, territory: str, after: str | None, limit: int) -> list[PlanRecord]:
    """Plans of a territory."""
    who.require("plans:read")
    with db.read(who) as reader:
        found = [reader.plans.get(record.id) for record in reader.plans.list(territory, after, limit)]
        return shown(reader, found)


def figures(db: Database, who: Principal, plan: str) -> Opened:
    """A solved plan's cells, and its grids with their figures as they are now."""
    return seen(db, who, plan)[0]


def seen(db: Database, who: Principal, plan: str) -> tuple[Opened, list[bool]]:
    """As `figures`, and which of the grids the caller sees."""
    who.require("plans:read")
    with db.read(who, parts=True) as reader:
        opened = current(kept_of(db), reader, plan)
        own = own_ground(reader, who, opened)
    return opened, [True] * len(opened.grids) if own is None else own.grids(opened).tolist()


def report(db: Database, who: Principal, plan: str) -> tuple[dict[str, Any], int]:
    """The report of a solved plan as it is now, and the plan's revision.

    Its ``freshness`` says of each measure of what time it was when the plan was made, and of what it is now.
    """
    who.require("plans:read")
    with db.read(who) as reader:
        opened = current(kept_of(db), reader, plan)
        stored = reader.plans.bare(plan).report
        moved = reader.moves.any(plan)
        now = reader.tilings.as_of(opened.head.tiling)
    told = opened.report(stored) if moved or stored is None else stored
    return with_freshness(told, now), opened.head.revision


def cells_of(
    db: Database, who: Principal, plan: str, at: int | None = None
) -> tuple[list[tuple[str, str]], int]:
    """Cell and grid code (empty for none) of each cell of a solved plan, and the plan's revision.

    Parameters
    ----------
    at : int or None
        An earlier revision to look back to.

    Raises
    ------
    InvalidInput
        The plan has not come to that revision yet.
    Conflict
        It is not solved yet, or was solved anew since.
    Forbidden
        An earlier revision, for a caller who sees a part of the territory: what was theirs then is not kept.
    """
    who.require("plans:read")
    with db.read(who if at is None else who.of_whole_territories(), parts=True) as reader:
        opened = current(kept_of(db), reader, plan)
        past = None if at is None else reader.plans.at(plan, at)
        own = own_ground(reader, who, opened)
    if own is not None:
        return _own_cells(opened, own), opened.head.revision
    labels, grids = (opened.draft.labels, opened.grids) if past is None else (solved(past).labels, past.grids)
    codes = [*(grid.code for grid in grids), ""]
    names = opened.cells.names
    return [(cell, codes[label]) for cell, label in zip(names, labels.tolist(), strict=True)], (
        opened.head.revision if past is None else past.revision
    )


def _own_cells(opened: Opened, own: OwnGround) -> list[tuple[str, str]]:
    """The caller's cells; a grid which reaches beyond them is not named."""
    codes = [grid.code if mine else "" for grid, mine in zip(opened.grids, own.grids(opened), strict=True)]
    rows = np.flatnonzero(own.cells)
    labels = opened.draft.labels[rows].tolist()
    names = opened.cells.names
    return [
        (names[row], codes[label] if label >= 0 else "")
        for row, label in zip(rows.tolist(), labels, strict=True)
    ]


def put(
    db: Database,
    who: Principal,
    tiling: str,
    plan: Plan,
    balanced: tuple[tuple[str, float], ...],
    *,
    name: str = "",
    line: str = "base",
    targets: Mapping[str, Mapping[str, float]] | None = None,
    told: Mapping[str, Any] | None = None,
    idempotency: Idempotency | None = None,
) -> PlanRecord:
    """Store a plan that was made elsewhere, with a report on how well it balances `balanced`.

    Parameters
    ----------
    targets : mapping of grid code to mapping of measure to float, optional
        Where the grids' targets differ.
    told : mapping, optional
        What is answered beside the plan's id and revision to a request which is repeated.
    """
    from gridsvc.services.solving import describe_plan, request_grids

    who.require("plans:write")
    request = SolveRequest(request_grids(plan), balanced)
    with db.read(who) as reader:
        territory = reader.tilings.get(tiling).territory
        base = base_of(reader, territory, line)
        ground, measures = reader.tilings.load(tiling), reader.tilings.measures(tiling)
    weights = {measure: values.values for measure, values in measures.items()}
    report = stamped(describe_plan(ground, weights, plan, request, targets), measures)
    with db.write(who, "plan.put", idempotency=idempotency) as uow:
        made = uow.plans.create(_new_record(territory, tiling, name, request, line, base))
        revision = uow.plans.save_solution(made, plan, report, 1)
        uow.audit(f"plan/{made}", None, {"tiling": tiling, "grids": len(plan.grids)})
        uow.respond(201, {"plan": made, "revision": revision, **(told or {})})
    return get(db, who, made)
