"""Review of plans, the rules for it, and the calendar of working days."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated

from fastapi import APIRouter, Query, Response

from api.deps import Caller, Db, IfMatch, Key, PageLimit, etag
from api.routes.plans import plan_out
from api.schemas.common import Page
from api.schemas.plans import PlanOut
from api.schemas.requests import CalendarIn, CalendarOut, ReviewOut, RulesIn, RulesOut, Said
from gridsvc.calendar import calendar_from_dict
from gridsvc.plans.review import review_rules_from_dict
from gridsvc.services import calendars, review
from gridsvc.store.records import PlanRecord

__all__ = ["router"]

router = APIRouter(prefix="/v1", tags=["review"])


def _reason(body: Said | None) -> str | None:
    return None if body is None else body.reason


def _stepped(record: PlanRecord, response: Response) -> PlanOut:
    response.headers["ETag"] = etag(record.revision)
    return plan_out(record)


@router.post("/plans/{plan}/submit")
def submit_plan(
    plan: str,
    revision: IfMatch,
    response: Response,
    db: Db,
    who: Caller,
    key: Key,
    body: Said | None = None,
) -> PlanOut:
    """Submit a draft for approval; nobody changes it until it is recalled or rejected."""
    record = review.take(db, who, plan, "submit", revision, reason=_reason(body), idempotency=key)
    return _stepped(record, response)


@router.post("/plans/{plan}/approve")
def approve_plan(
    plan: str,
    revision: IfMatch,
    response: Response,
    db: Db,
    who: Caller,
    key: Key,
    body: Said | None = None,
) -> PlanOut:
    """Approve a submitted plan, by another than submitted it unless the rules let them."""
    record = review.take(db, who, plan, "approve", revision, reason=_reason(body), idempotency=key)
    return _stepped(record, response)


@router.post("/plans/{plan}/reject")
def reject_plan(
    plan: str,
    revision: IfMatch,
    response: Response,
    db: Db,
    who: Caller,
    key: Key,
    body: Said | None = None,
) -> PlanOut:
    """Make a submitted or approved plan a draft again, with a reason."""
    record = review.take(db, who, plan, "reject", revision, reason=_reason(body), idempotency=key)
    return _stepped(record, response)


@router.post("/plans/{plan}/recall")
def recall_plan(
    plan: str,
    revision: IfMatch,
    response: Response,
    db: Db,
    who: Caller,
    key: Key,
    body: Said | None = None,
) -> PlanOut:
    """Take a plan back from review at any step before it is published."""
    record = review.take(db, who, plan, "recall", revision, reason=_reason(body), idempotency=key)
    return _stepped(record, response)


@router.get("/plans/{plan}/reviews")
def list_reviews(
    plan: str,
    db: Db,
    who: Caller,
    after: Annotated[int | None, Query(description="Go on behind this revision.", ge=0, lt=2**31)] = None,
    limit: PageLimit = 100,
) -> Page[ReviewOut]:
    """The steps of a plan's review, with who took them and why."""
    found = review.history(db, who, plan, after, limit)
    items = [ReviewOut(**asdict(step)) for step in found]
    return Page(items=items, next=str(found[-1].revision) if len(found) == limit else None)


@router.get("/review-rules")
def get_rules(db: Db, who: Caller) -> RulesOut:
    """Who may take which step of review."""
    revision, found = review.rules(db, who)
    return RulesOut(revision=revision, **found.as_dict())


@router.put("/review-rules")
def put_rules(body: RulesIn, db: Db, who: Caller) -> RulesOut:
    """Replace the rules of review; what is left out is as by default."""
    wanted = review_rules_from_dict(body.model_dump())
    return RulesOut(revision=review.put_rules(db, who, wanted), **wanted.as_dict())


@router.get("/calendar")
def get_calendar(db: Db, who: Caller) -> CalendarOut:
    """Weekend, holidays and extra working days, by which deadlines are counted."""
    revision, found = calendars.get(db, who)
    return CalendarOut(revision=revision, **found.as_dict())


@router.put("/calendar")
def put_calendar(body: CalendarIn, db: Db, who: Caller) -> CalendarOut:
    """Replace the calendar; deadlines which are set already stay as they are."""
    wanted = calendar_from_dict(body.model_dump())
    return CalendarOut(revision=calendars.put(db, who, wanted), **wanted.as_dict())
