"""Decisions on requests: accepted, which makes what is asked for, rejected or withdrawn."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from gridsvc.errors import Forbidden, InvalidInput, PreconditionMissing
from gridsvc.plans.requests import Decision, DistrictRequest, decided
from gridsvc.principal import Principal
from gridsvc.services import district_requests
from gridsvc.services.desk import Desk
from gridsvc.services.district_requests import Shown
from gridsvc.services.effects import changed_roster, ground_of
from gridsvc.services.handing import Part, rows_of
from gridsvc.services.live import current, kept_of
from gridsvc.services.moves import hand_over
from gridsvc.services.opening import Opened
from gridsvc.services.roster_changes import amend
from gridsvc.store.database import Database, UnitOfWork
from gridsvc.store.records import Idempotency
from gridsvc.teams.model import Roster

__all__ = ["Target", "accept", "close"]


@dataclass(frozen=True, slots=True)
class Target:
    """The draft on which an accepted move is made, and its revision as the decider saw it.

    Attributes
    ----------
    plan : str or None
        The request's, if not given.
    """

    plan: str | None = None
    base_revision: int | None = None


def accept(
    desk: Desk,
    who: Principal,
    request: str,
    reason: str,
    target: Target,
    *,
    idempotency: Idempotency | None = None,
) -> Shown:
    """Accept a request: move the cells on a draft, or append a roster with the customer or the lead.

    Raises
    ------
    Forbidden
        The caller may not decide, or not make the change itself.
    Conflict
        It is decided already; or the cells were changed after the revision the decider saw.
    PreconditionMissing
        A move without that revision.
    InvalidInput
        There is no reason, no draft is named, or what is asked for is no longer possible.
    """
    who.require("requests:decide")
    db = desk.database
    said = _reason(reason)
    with db.read(who) as reader:
        stored = None if idempotency is None else reader.replay(who.actor, idempotency)
        if stored is not None:
            return district_requests.view(desk, who, request)
        found = reader.requests.get(request)
    decided("accept", found)
    who.require("plans:write" if found.wish.kind == "move" else "roster:write")
    opened: Opened | None = None
    with db.write(who, "request.accept", idempotency=idempotency) as uow:
        if found.wish.kind == "move":
            opened, result = _move(db, uow, found, target)
        else:
            result = {"roster": _append(uow, found)}
        _close(uow, found, "accept", said, result)
    if opened is not None:
        kept_of(db).keep(opened)
    return district_requests.view(desk, who, request)


def close(
    desk: Desk,
    who: Principal,
    request: str,
    decision: Decision,
    reason: str | None = None,
    *,
    idempotency: Idempotency | None = None,
) -> Shown:
    """Reject a request, with a reason, or withdraw one's own.

    Raises
    ------
    Forbidden
        The caller may not decide, or withdraws what somebody else asked for.
    Conflict
        It is decided already.
    InvalidInput
        A rejection without reason.
    """
    who.require("requests:write" if decision == "withdraw" else "requests:decide")
    said = _reason(reason) if decision == "reject" else (reason or "").strip() or None
    db = desk.database
    with db.read(who) as reader:
        stored = None if idempotency is None else reader.replay(who.actor, idempotency)
        if stored is not None:
            return district_requests.view(desk, who, request)
        found = reader.requests.get(request)
    if decision == "withdraw" and found.asked_by != who.actor:
        raise Forbidden("only who asked withdraws a request", field="state", cure="reject it, with a reason")
    decided(decision, found)
    with db.write(who, f"request.{decision}", idempotency=idempotency) as uow:
        _close(uow, found, decision, said, None)
    return district_requests.view(desk, who, request)


def _reason(text: str | None) -> str:
    if not (text or "").strip():
        raise InvalidInput("a decision needs a reason", field="reason", cure="say why")
    return str(text).strip()


def _close(
    uow: UnitOfWork,
    found: DistrictRequest,
    decision: Decision,
    reason: str | None,
    result: dict[str, Any] | None,
) -> None:
    uow.requests.decide(found.id, decided(decision, found), reason, result)
    district_requests.tell(uow, uow.requests.get(found.id), found.state, **(result or {}))
    uow.respond(200, {"request": found.id})


def _move(
    db: Database, uow: UnitOfWork, found: DistrictRequest, target: Target
) -> tuple[Opened, dict[str, Any]]:
    """The move on the draft; its reason names the request, whose own words stay with it."""
    plan = target.plan or found.plan
    if plan is None:
        raise InvalidInput("no draft is named", field="plan", cure="name the draft to make the move on")
    if target.base_revision is None:
        raise PreconditionMissing(
            "this changes cells which others may have changed",
            field="base_revision",
            cure="send the revision of the plan you have seen as base_revision",
        )
    plan, kept = ground_of(uow, found.territory, found.line or "base", plan), kept_of(db)
    parts = [Part(found.wish.cells, found.wish.to)]
    uow.moves.lock(plan)
    rows = rows_of(current(kept, uow, plan), parts)
    opened, body = hand_over(uow, kept, plan, target.base_revision, parts, rows, reason=f"request {found.id}")
    return opened, {"plan": plan, "revision": body["revision"]}


def _append(uow: UnitOfWork, found: DistrictRequest) -> int:
    uow.publications.alone()  # nobody else appends a roster to those which are read here

    def changed(roster: Roster, at: datetime) -> Roster:
        return changed_roster(roster, found.wish, found.reason, at)

    return amend(uow, found.territory, changed, datetime.now(UTC), f"request {found.id}")[0]
