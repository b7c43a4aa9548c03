"""Teams for the grids of a plan."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Request, Response
from starlette.concurrency import run_in_threadpool

from api.deps import Caller, Db, IfMatch, Key, current_app, etag
from api.routes.plans import plan_out
from api.schemas.assignments import Assign, Give, Staff, StaffingOut
from api.schemas.plans import JobOut, PlanOut
from api.work import Prefer, answer_when_done, at_once
from gridsvc.services import assignments, giving, plans, staffing
from gridsvc.teams.document import roster_to_dict
from gridsvc.teams.staffing import Post

__all__ = ["router"]

router = APIRouter(prefix="/v1/plans", tags=["plans"])


@router.post("/{plan}/teams", response_model=PlanOut, responses={202: {"model": JobOut}})
async def assign_teams(
    plan: str,
    revision: IfMatch,
    request: Request,
    db: Db,
    who: Caller,
    key: Key,
    body: Assign | None = None,
    prefer: Prefer = None,
) -> Response:
    """Give the grids to the teams of the roster in force; 202 with the job if preferred or slow."""
    wishes = {} if body is None else body.model_dump(exclude_none=True)
    if not at_once(prefer) and await run_in_threadpool(assignments.is_small, db, who, plan):
        asked = assignments.asked(wishes)
        record = await run_in_threadpool(
            assignments.assign, db, who, plan, revision, **asked, idempotency=key
        )
        return _answer(plan_out(record))
    job = await run_in_threadpool(assignments.start, db, who, plan, revision, wishes, idempotency=key)

    def render(_result: dict[str, Any]) -> PlanOut:
        return plan_out(plans.get(db, who, plan))

    answer = await answer_when_done(current_app(request), who, job, prefer, render, status=200)
    if answer.status_code == 200:
        done = await run_in_threadpool(plans.get, db, who, plan)
        answer.headers["ETag"] = etag(done.revision)
    return answer


@router.patch("/{plan}/teams", response_model=PlanOut)
def give_grids(plan: str, body: Give, revision: IfMatch, db: Db, who: Caller, key: Key) -> Response:
    """Give single grids to teams by hand; all others stay with the team they have."""
    return _answer(plan_out(giving.give(db, who, plan, revision, body.grids, idempotency=key)))


@router.post("/{plan}/staffing")
def staff_teams(plan: str, body: Staff, db: Db, who: Caller) -> StaffingOut:
    """Propose people for the teams of a plan, with what is short; nothing is stored."""
    posts = [
        Post(p.role, p.team, p.posts, p.measure, p.per_post, tuple(p.departments), tuple(p.skills))
        for p in body.posts
    ]
    pins = [(pin.person, pin.team, pin.role) for pin in body.pins]
    number, roster, report = staffing.staff(db, who, plan, posts, pins)
    return StaffingOut(plan=plan, base_roster=number, roster=roster_to_dict(roster), report=report)


def _answer(plan: PlanOut) -> Response:
    headers = {"ETag": etag(plan.revision)}
    return Response(plan.model_dump_json(), headers=headers, media_type="application/json")
