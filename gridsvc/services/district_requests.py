"""Requests of districts: made, listed, shown with their effect, commented on; `deciding` ends them."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from gridsvc.errors import GridsvcError, InvalidInput, UnknownCustomer
from gridsvc.plans.requests import DAYS, Comment, DistrictRequest, State, Wish, check_wish
from gridsvc.principal import Principal
from gridsvc.services.calendars import calendar_of
from gridsvc.services.desk import Desk
from gridsvc.services.effects import effect_of, require_effect
from gridsvc.services.series import instant
from gridsvc.store.database import Database, Reader, UnitOfWork
from gridsvc.store.records import NEVER, Idempotency
from gridsvc.store.requests import Filter

__all__ = ["Shown", "Wanted", "comment", "create", "get", "listing", "tell", "view"]


@dataclass(frozen=True, slots=True)
class Shown:
    """A request as it is shown.

    Attributes
    ----------
    request : DistrictRequest
        Its customer is left out for those who may not read customers, unless they asked themselves.
    comments : tuple of Comment
        Empty in lists.
    effect : dict or None
        What accepting it would come to, or ``problem``: why that is no longer possible. None in lists, and of
        a decided request.
    """

    request: DistrictRequest
    overdue: bool
    comments: tuple[Comment, ...] = ()
    effect: dict[str, Any] | None = None


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which requests are listed; None is no matter.

    Attributes
    ----------
    due_before : str or None
        A time with its offset, or a date: 00:00 in the territory's time zone, UTC where none is named.
    """

    state: State | None = None
    territory: str | None = None
    due_before: str | None = None


def create(
    desk: Desk,
    who: Principal,
    territory: str,
    wish: Wish,
    reason: str,
    *,
    line: str = "base",
    plan: str | None = None,
    idempotency: Idempotency | None = None,
) -> Shown:
    """Ask for a move of cells, a customer or another lead.

    Raises
    ------
    InvalidInput
        The wish is not whole, names what is not there, or changes nothing; or there is no reason.
    NotFound
        There is no such territory.
    """
    who.require("requests:write")
    db = desk.database
    with db.read(who) as reader:
        stored = None if idempotency is None else reader.replay(who.actor, idempotency)
        if stored is not None:
            return _shown(who, reader, reader.requests.get(stored.body["request"]))
        zone = reader.territories.get(territory).time_zone
        check_wish(wish)
        said = _words(reason, "reason", "say why")
        series = line if wish.kind == "move" else None
        made = DistrictRequest("", territory, series, wish, plan, said, who.actor, NEVER, NEVER)
        require_effect(_tried(desk, reader, who, made), wish)
    with db.write(who, "request.open", idempotency=idempotency) as uow:
        due = calendar_of(uow).due(uow.requests.now(), DAYS, zone)
        number = uow.requests.add(territory, series, wish, plan, said, due)
        tell(uow, uow.requests.get(number), None)
        uow.respond(201, {"request": number})
    with db.read(who) as reader:
        return _shown(who, reader, reader.requests.get(number))


def _tried(desk: Desk, reader: Reader, who: Principal, request: DistrictRequest) -> dict[str, Any]:
    """The effect of a wish; asking for customers who are unknown is guessing here, too."""
    customer = request.wish.customer
    if customer is None:
        return effect_of(desk, reader, request)
    desk.guesses.require_rest(who)
    try:
        return effect_of(desk, reader, request)
    except UnknownCustomer:
        desk.guesses.note(who, customer)
        raise


def _words(text: str, field: str, cure: str) -> str:
    if not text.strip():
        raise InvalidInput("there is nothing in it", field=field, cure=cure)
    return text.strip()


def tell(uow: UnitOfWork, request: DistrictRequest, before: str | None, **more: Any) -> None:
    """Write down and tell others where a request stands: neither what it says nor of whom it speaks."""
    was = None if before is None else {"state": before}
    told = {"state": request.state, "kind": request.wish.kind, **more}
    customer = request.wish.customer
    whom = {} if customer is None else {"customer": uow.trail.digest("customer", request.territory, customer)}
    if customer is not None:
        uow.mask({customer: whom["customer"]})
    uow.audit(f"request/{request.id}", was, told | whom)
    place = {"request": request.id, "territory": request.territory, "line": request.line}
    what = "opened" if before is None else request.state
    due = {"due_at": request.due_at.isoformat(), "actor": uow.actor}
    uow.emit(f"request.{what}", {**place, **told, **due})


def _shown(who: Principal, reader: Reader, request: DistrictRequest, **more: Any) -> Shown:
    private = "customers:read" not in who.scopes and who.actor != request.asked_by
    if private and request.wish.customer is not None:
        request = replace(request, wish=replace(request.wish, customer=None))
    return Shown(request, request.overdue(reader.requests.now()), **more)


def get(desk: Desk, who: Principal, request: str, plan: str | None = None) -> Shown:
    """A request with its comments and its effect.

    Parameters
    ----------
    plan : str or None
        The draft on which a move is tried, if not the request's.
    """
    who.require("requests:read")
    return view(desk, who, request, plan)


def view(desk: Desk, who: Principal, request: str, plan: str | None = None) -> Shown:
    """A request as `get` gives it, for whoever has just decided it."""
    with desk.database.read(who) as reader:
        found = reader.requests.get(request)
        comments = tuple(reader.requests.comments(request))
        effect = _effect(desk, reader, found, plan) if found.state == "open" else None
        return _shown(who, reader, found, comments=comments, effect=effect)


def _effect(desk: Desk, reader: Reader, request: DistrictRequest, plan: str | None) -> dict[str, Any]:
    """The effect as things are now; a grid or team may have gone since the request was made."""
    try:
        return effect_of(desk, reader, request, plan)
    except GridsvcError as error:
        return {"problem": {"code": error.code, "detail": error.message, "cure": error.cure}}


def listing(db: Database, who: Principal, wanted: Wanted, after: str | None, limit: int) -> list[Shown]:
    """Requests of the caller's branches, oldest first."""
    who.require("requests:read")
    with db.read(who) as reader:
        zone = "UTC" if wanted.territory is None else reader.territories.get(wanted.territory).time_zone
        due = None if wanted.due_before is None else instant(wanted.due_before, zone, "due_before")
        places = None if wanted.territory is None else frozenset({wanted.territory})
        found = reader.requests.list(Filter(wanted.state, places, due), after, limit)
        return [_shown(who, reader, request) for request in found]


def comment(
    db: Database, who: Principal, request: str, text: str, *, idempotency: Idempotency | None = None
) -> Comment:
    """Say something to a request, decided or not; gives the comment."""
    who.require("requests:write")
    with db.read(who) as reader:
        stored = None if idempotency is None else reader.replay(who.actor, idempotency)
        if stored is not None:
            number = int(stored.body["comment"])
            return reader.requests.comments(request)[number - 1]
        reader.requests.get(request)
    said = _words(text, "text", "write a comment")
    with db.write(who, "request.comment", idempotency=idempotency) as uow:
        number = uow.requests.comment(request, said)
        uow.audit(f"request/{request}/comments/{number}", None, {})
        found = uow.requests.get(request)
        uow.emit(
            "request.commented",
            {"request": request, "territory": found.territory, "comment": number, "actor": who.actor},
        )
        uow.respond(201, {"comment": number})
    with db.read(who) as reader:
        return reader.requests.comments(request)[number - 1]
