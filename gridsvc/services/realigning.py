"""Realignments: a new draft made from a plan, with a bounded share of customers changing grids."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

from gridsvc import __version__
from gridsvc.errors import StaleRevision
from gridsvc.plans.old import Old
from gridsvc.principal import Principal
from gridsvc.progress import Progress
from gridsvc.services import jobs
from gridsvc.services.checking import check_request
from gridsvc.services.codes import numbering_of
from gridsvc.services.drafts import Draft, base_of, draft, request_of, solved, stamped
from gridsvc.services.nesting import inside, nest_of
from gridsvc.services.request import Former, SolveRequest, params_of
from gridsvc.store.database import Database, Reader, UnitOfWork
from gridsvc.store.records import Idempotency, JobRecord, PlanRecord

if TYPE_CHECKING:
    from gridsvc.services.solving import Solved

__all__ = ["Realign", "run_job", "start"]


@dataclass(frozen=True, slots=True)
class Realign:
    """How a plan is to be realigned.

    Attributes
    ----------
    most : float
        Share of the first measure that may move to another grid.
    cost : str or None
        Measure or column which says how much dearer each cell's move is.
    changes : mapping
        Members of the request the plan was made by which are to be others now.
    choices : bool
        Whether each option on offer becomes a draft of its own, and not only the best.
    """

    most: float = 0.10
    cost: str | None = None
    changes: Mapping[str, Any] = field(default_factory=dict)
    choices: bool = False
    name: str = ""


def start(
    db: Database,
    who: Principal,
    plan: str,
    revision: int,
    wish: Realign,
    *,
    idempotency: Idempotency | None = None,
) -> tuple[PlanRecord, JobRecord]:
    """Add a draft and queue the realignment which fills it; the plan itself stays as it is.

    Parameters
    ----------
    revision : int
        The plan as the caller saw it; it is realigned from there, whatever is moved meanwhile.

    Raises
    ------
    StaleRevision
        The plan has been changed since.
    Conflict
        It is not solved yet.
    InvalidInput
        A measure is not on the tiling.
    """
    who.require("plans:write")
    with db.read(who) as reader:
        stored = None if idempotency is None else reader.replay(who.actor, idempotency)
        if stored is not None:
            return reader.plans.get(stored.body["plan"]), reader.jobs.get(stored.body["job"])
        source = reader.plans.get(plan)
        old = Old(solved(source))
        _require(source, revision)
        request = _request(source, wish, old)
        tiling = reader.tilings.get(source.tiling)
        check_request(request, reader.tilings.measures(source.tiling), tiling.n_cells)
        record = _new_record(source, request, wish, base_of(reader, source.territory, source.line, plan))
    with db.write(who, "plan.realign", idempotency=idempotency) as uow:
        made = uow.plans.create(record)
        params = {"plan": made, "source": plan, "revision": revision, "choices": wish.choices}
        job = jobs.enqueue(uow, who, "realign", source.territory, params)
        uow.audit(f"plan/{made}", None, {"realigned_from": plan, "revision": revision, "job": job})
        uow.emit("plan.created", {"plan": made, "job": job})
        uow.respond(202, {"plan": made, "job": job})
    with db.read(who) as reader:
        return reader.plans.get(made), reader.jobs.get(job)


def _require(source: PlanRecord, revision: int) -> None:
    if source.revision != revision:
        raise StaleRevision(
            f"the plan is at revision {source.revision}, not {revision}",
            field="If-Match",
            cure="read it again and repeat the change",
            revision=source.revision,
        )


def _request(source: PlanRecord, wish: Realign, old: Old) -> SolveRequest:
    """What the plan was made by, as many grids as it has now, and what is to be another."""
    former = Former(old, wish.most, wish.cost)
    return replace(request_of(source), **{"grids": None, **wish.changes}, former=former)


def _new_record(source: PlanRecord, request: SolveRequest, wish: Realign, base: int | None) -> PlanRecord:
    return PlanRecord(
        territory=source.territory,
        tiling=source.tiling,
        name=wish.name or f"{source.name} realigned".strip(),
        line=source.line,
        level=source.level,
        carve_outs=source.carve_outs,
        base_publication=base,
        params=params_of(request, source.params.get("barriers"), source.id),
        seed=request.seed,
        engine_version=__version__,
    )


def run_job(
    db: Database, who: Principal, params: Mapping[str, Any], once: Idempotency, progress: Progress
) -> dict[str, Any]:
    """Do a queued realignment."""
    who.require("plans:write")
    with db.read(who) as reader:
        record, work = _work(reader, params)
    found = work(progress)
    with db.write(who, "plan.solve", idempotency=once) as uow:
        revision = uow.plans.save_solution(record.id, found.plan, found.report, record.revision)
        uow.audit(f"plan/{record.id}", {"revision": record.revision}, {"grids": len(found.plan.grids)})
        uow.emit("plan.solved", {"plan": record.id})
        result = {"plan": record.id, "revision": revision, "choices": _keep(uow, record, found)}
        uow.respond(200, result)
    return result


def _work(reader: Reader, params: Mapping[str, Any]) -> tuple[PlanRecord, Callable[[Progress], Solved]]:
    """What is to be filled, and what fills it."""
    from gridsvc.services.solving import solve_tiling  # loads the engine

    made = draft(reader, params["plan"])
    old = Old(solved(reader.plans.at(params["source"], params["revision"])))
    numbers = {n: c for n, c in made.tiling.columns.items() if np.issubdtype(c.dtype, np.number)}
    tiling, request = inside(nest_of(reader, made.record), made.tiling, request_of(made.record, old))
    work = partial(
        solve_tiling,
        tiling,
        {**numbers, **{name: measure.values for name, measure in made.measures.items()}},
        request,
        largest={name: measure.largest for name, measure in made.measures.items()},
        numbering=numbering_of(reader, made.record.territory, made.record.line, made.record.tiling),
        choices=params["choices"],
    )
    return made.record, lambda progress: _stamped(work(progress=progress), made)


def _stamped(found: Solved, made: Draft) -> Solved:
    """What was solved and each option, with reports that say of what time the measures were."""
    choices = tuple(replace(c, report=stamped(c.report, made.measures)) for c in found.choices)
    return replace(found, report=stamped(found.report, made.measures), choices=choices)


def _keep(uow: UnitOfWork, record: PlanRecord, found: Solved) -> list[dict[str, Any]]:
    """Make a draft of each option but the one taken; gives all with their figures."""
    told = []
    for choice, figures in zip(found.choices, found.report["frontier"], strict=found.choices != ()):
        plan, name = record.id, record.name
        if not figures["chosen"]:
            name = f"{record.name} ({_words(figures)})"
            option = replace(record, name=name, report=choice.report)
            plan = uow.plans.create(replace(option, labels=choice.plan.labels, grids=choice.plan.grids))
            uow.audit(f"plan/{plan}", None, {"option_of": record.id})
            uow.emit("plan.created", {"plan": plan})
        told.append({"plan": plan, "name": name, **figures})
    return told


def _words(figures: Mapping[str, Any]) -> str:
    worst = max(figures["worst_deviation"].values())
    return f"{figures['moved_share']:.1%} moved, worst {worst:.1%}, shape {figures['shape']:.2f}"
