"""Requests of districts (调整申请): asked, shown with their effect, commented on, decided."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated, Any

from fastapi import APIRouter, Query, Response

from api.deps import Caller, Db, Key, PageLimit, Questions
from api.schemas.common import Page, Slug
from api.schemas.requests import (
    Accept,
    CommentIn,
    CommentOut,
    Decide,
    NewRequest,
    RequestLine,
    RequestOut,
    State,
)
from gridsvc.plans.requests import Wish
from gridsvc.services import deciding, district_requests
from gridsvc.services.deciding import Target
from gridsvc.services.desk import settle
from gridsvc.services.district_requests import Shown, Wanted

__all__ = ["router"]

router = APIRouter(prefix="/v1", tags=["requests"])


def _line(shown: Shown) -> dict[str, Any]:
    told = {name: getattr(shown.request, name) for name in RequestLine.model_fields if name in _OWN}
    wish = shown.request.wish
    named = {name: getattr(wish, name) for name in ("kind", "to", "customer", "team", "person")}
    return {**told, **named, "cell_count": len(wish.cells), "overdue": shown.overdue}


_OWN = frozenset(RequestLine.model_fields) - {
    "kind",
    "to",
    "customer",
    "team",
    "person",
    "cell_count",
    "overdue",
}


def _out(shown: Shown) -> RequestOut:
    return RequestOut(
        **_line(shown),
        cells=list(shown.request.wish.cells),
        comments=[CommentOut(**asdict(comment)) for comment in shown.comments],
        effect=shown.effect,
    )


@router.post("/requests", status_code=201)
def ask(body: NewRequest, response: Response, desk: Questions, who: Caller, key: Key) -> RequestOut:
    """Ask for a move of cells to a grid, a customer by name, or another lead."""
    wish = Wish(body.kind, tuple(body.cells), body.to, body.customer, body.team, body.person)
    made = district_requests.create(
        desk, who, body.territory, wish, body.reason, line=body.line, plan=body.plan, idempotency=key
    )
    response.headers["Location"] = f"/v1/requests/{made.request.id}"
    return _out(made)


@router.get("/requests")
def list_requests(
    db: Db,
    who: Caller,
    territory: Slug | None = None,
    state: State | None = None,
    due_before: Annotated[
        str | None, Query(max_length=40, description="A time with its offset, or a date in the territory.")
    ] = None,
    after: Annotated[str | None, Query(description="Go on behind this request.")] = None,
    limit: PageLimit = 100,
) -> Page[RequestLine]:
    """Requests of the caller's branches, oldest first."""
    wanted = Wanted(state, territory, due_before)
    found = district_requests.listing(db, who, wanted, after, limit)
    return Page(
        items=[RequestLine(**_line(shown)) for shown in found],
        next=found[-1].request.id if len(found) == limit else None,
    )


@router.get("/requests/{request}")
def get_request(
    request: str,
    desk: Questions,
    who: Caller,
    plan: Annotated[str | None, Query(description="Draft on which a move is tried.")] = None,
) -> RequestOut:
    """A request with its comments and, while it is open, what accepting it would come to."""
    return _out(district_requests.get(desk, who, request, plan))


@router.post("/requests/{request}/comments", status_code=201)
def comment(request: str, body: CommentIn, db: Db, who: Caller, key: Key) -> CommentOut:
    """Say something to a request."""
    return CommentOut(**asdict(district_requests.comment(db, who, request, body.text, idempotency=key)))


@router.post("/requests/{request}/accept")
def accept(request: str, body: Accept, desk: Questions, who: Caller, key: Key) -> RequestOut:
    """Accept a request: the move is made on the draft, or a roster appended with customer or lead."""
    target = Target(body.plan, body.base_revision)
    shown = deciding.accept(desk, who, request, body.reason, target, idempotency=key)
    settle(desk)
    return _out(shown)


@router.post("/requests/{request}/reject")
def reject(request: str, body: Decide, desk: Questions, who: Caller, key: Key) -> RequestOut:
    """Reject a request, with a reason."""
    return _out(deciding.close(desk, who, request, "reject", body.reason, idempotency=key))


@router.post("/requests/{request}/withdraw")
def withdraw(request: str, desk: Questions, who: Caller, key: Key, body: Decide | None = None) -> RequestOut:
    """Withdraw your own request."""
    reason = None if body is None else body.reason
    return _out(deciding.close(desk, who, request, "withdraw", reason, idempotency=key))
