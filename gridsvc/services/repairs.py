"""Repairs: the few moves near an edit which make a plan's grids whole and balanced again, as a proposal."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from gridsvc.errors import InvalidInput
from gridsvc.plans.old import Old
from gridsvc.plans.plan import Plan
from gridsvc.principal import Principal
from gridsvc.progress import Progress
from gridsvc.services import jobs
from gridsvc.services.drafts import Draft, draft, request_of, solved
from gridsvc.services.request import Former, SolveRequest
from gridsvc.store.database import Database, Reader
from gridsvc.store.records import Idempotency, JobRecord
from gridsvc.tiling.barriers import cut

if TYPE_CHECKING:
    from gridsvc.balance.problem import Problem
    from gridsvc.balance.repair import Repair
    from gridsvc.services.wishes import Wish

__all__ = ["run_job", "start"]


def start(
    db: Database, who: Principal, plan: str, revision: int | None, grids: Sequence[str] | None
) -> JobRecord:
    """Queue the search for moves; nothing is changed until somebody makes them.

    Parameters
    ----------
    revision : int or None
        The plan as the caller sees it; as it is now unless given.
    grids : sequence of str or None
        Codes of the grids to look after; all which are broken or outside their limits unless given.

    Raises
    ------
    Conflict
        The plan is not solved yet.
    InvalidInput
        It has no such revision or grid, or cells without a grid.
    """
    who.require("plans:write")
    with db.read(who) as reader:
        seen = reader.plans.bare(plan).revision if revision is None else revision
        record = reader.plans.at(plan, seen)
    found = solved(record)
    codes = {grid.code for grid in found.grids}
    unknown = sorted(set(grids or ()) - codes)
    if unknown:
        raise InvalidInput(
            f"the plan has no grid {unknown[0]!r}", field="grids", cure="name grids by their codes"
        )
    free = int((found.labels < 0).sum())
    if free:
        raise InvalidInput(
            f"{free} cells have no grid", field="plan", cure="hand every cell to a grid first", cells=free
        )
    params = {"plan": plan, "revision": seen, "grids": None if grids is None else list(grids)}
    return jobs.submit(db, who, "repair", record.territory, params)


def run_job(
    db: Database, who: Principal, params: Mapping[str, Any], _once: Idempotency, progress: Progress
) -> dict[str, Any]:
    """Do a queued repair; it writes nothing, so it may be done twice."""
    who.require("plans:read")
    from gridsvc.balance.cache import load_engine

    load_engine()
    progress(0.0, "looking at the grids")
    with db.read(who) as reader:
        found, plan = _seen(reader, params)
    return {"plan": params["plan"], "revision": params["revision"], **_proposal(found, plan, params["grids"])}


def _seen(reader: Reader, params: Mapping[str, Any]) -> tuple[Draft, Plan]:
    return draft(reader, params["plan"]), solved(reader.plans.at(params["plan"], params["revision"]))


def _proposal(found: Draft, plan: Plan, asked: Sequence[str] | None) -> dict[str, Any]:
    from gridsvc.balance.carve import carve_out
    from gridsvc.balance.repair import repair

    wish = _wish(found, plan)
    problem, rows = carve_out(wish.problem, wish.carved)
    codes = [grid.code for grid in wish.known]
    near = None if asked is None else np.array(sorted(codes.index(code) for code in asked if code in codes))
    labels = _engine_labels(plan, codes)[rows]
    result = repair(problem, labels, near)
    names = np.array(found.tiling.names(), object)[rows]
    return {
        "moves": _moves(result, names, codes),
        **{
            name: [codes[g] for g in getattr(result, name)] for name in ("broken", "outside", "still_outside")
        },
        "grids": _after(problem, labels, result, codes),
    }


def _wish(found: Draft, plan: Plan) -> Wish:
    """The plan as a problem whose grids are its own, carve-outs set aside."""
    from gridsvc.services.wishes import wish_of

    asked = request_of(found.record)
    tiling = found.tiling if asked.barriers is None else cut(found.tiling, asked.barriers)
    numbers = {n: c for n, c in tiling.columns.items() if np.issubdtype(c.dtype, np.number)}
    measures = {**numbers, **{name: measure.values for name, measure in found.measures.items()}}
    return wish_of(tiling, measures, _request(asked, plan, tiling.names()))


def _request(asked: SolveRequest, plan: Plan, names: Sequence[str]) -> SolveRequest:
    carved = np.array([grid.carve_out for grid in plan.grids])[plan.labels]
    cells = tuple(name for name, out in zip(names, carved.tolist(), strict=True) if out)
    return replace(asked, grids=None, carve_out=cells, former=Former(Old(plan), 1.0))


def _engine_labels(plan: Plan, codes: Sequence[str]) -> NDArray[np.int32]:
    number = {code: g for g, code in enumerate(codes)}
    return np.array([number.get(grid.code, -1) for grid in plan.grids], np.int32)[plan.labels]


def _moves(result: Repair, names: NDArray[np.object_], codes: Sequence[str]) -> list[dict[str, Any]]:
    """The moves as a planner would make them, one entry a grid which gains cells."""
    return [
        {"to": codes[grid], "cells": names[result.cells[result.grids == grid]].tolist()}
        for grid in np.unique(result.grids).tolist()
    ]


def _after(
    problem: Problem, labels: NDArray[np.int32], result: Repair, codes: Sequence[str]
) -> list[dict[str, Any]]:
    """Totals and deviations of the grids touched, as they would be."""
    from gridsvc.balance.metrics import totals

    sums = totals(result.labels, problem.weights, problem.k)
    touched = np.union1d(labels[result.cells], result.grids).tolist()
    return [
        {
            "code": codes[grid],
            "cells": int((result.labels == grid).sum()),
            "totals": dict(zip(problem.measures, sums[grid].tolist(), strict=True)),
            "deviation": {
                name: total / target - 1 if target else None
                for name, total, target in zip(
                    problem.measures, sums[grid].tolist(), problem.targets[grid].tolist(), strict=True
                )
            },
        }
        for grid in touched
    ]
