"""Work on a whole plan which is done as a job: realignment, proposals of moves."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Request, Response
from starlette.concurrency import run_in_threadpool

from api.deps import Caller, Db, IfMatch, Key, current_app
from api.schemas.jobs import Realign, Repair, RepairOut
from api.schemas.plans import JobOut, Started
from api.wanted import locks_of, measures_of, targets_of
from api.work import Prefer, answer_when_done, job_out
from gridsvc.balance.targets import parse_share
from gridsvc.services import realigning, repairs

__all__ = ["router"]

router = APIRouter(prefix="/v1/plans", tags=["plans"])


_PATIENCE = 1.0
"""Seconds somebody who waits for a proposal has; after that it is a job."""


@router.post("/{plan}/realign", status_code=202)
def realign_plan(
    plan: str,
    revision: IfMatch,
    request: Request,
    response: Response,
    db: Db,
    who: Caller,
    key: Key,
    body: Realign | None = None,
) -> Started:
    """Start a realignment: a new draft, and the job that fills it; the plan itself stays as it is."""
    record, job = realigning.start(db, who, plan, revision, _wish(body or Realign()), idempotency=key)
    current_app(request).supervisor.wake()
    response.headers["Location"] = f"/v1/jobs/{job.id}"
    return Started(plan=record.id, job=job_out(job))


def _wish(body: Realign) -> realigning.Realign:
    names = ("compactness", "sweeps", "time_limit", "seed")
    plain = {name: getattr(body, name) for name in names if getattr(body, name) is not None}
    changes: dict[str, Any] = {
        **plain,
        **({} if body.measures is None else measures_of(body.measures)),
        **({} if body.targets is None else {"targets": targets_of(body.targets)}),
        **({} if body.locks is None else {"locks": locks_of(body.locks)}),
    }
    most = min(parse_share(str(body.max_disruption), "max_disruption"), 1.0)
    return realigning.Realign(most, body.move_cost, changes, body.choices, body.name)


@router.post("/{plan}/repair", response_model=RepairOut, responses={202: {"model": JobOut}})
async def propose_repair(
    plan: str, request: Request, db: Db, who: Caller, body: Repair | None = None, prefer: Prefer = None
) -> Response:
    """Propose the few moves which make grids whole and balanced again; 202 with the job after a second."""
    wish = body or Repair()
    job = await run_in_threadpool(repairs.start, db, who, plan, wish.base_revision, wish.grids)
    return await answer_when_done(
        current_app(request), who, job, prefer, RepairOut.model_validate, patience=_PATIENCE, status=200
    )
