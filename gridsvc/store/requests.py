"""Requests of districts with their comments and decisions."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Row, func, insert, select, update

from gridsvc.errors import Conflict, NotFound
from gridsvc.plans.requests import Comment, DistrictRequest, State, Wish
from gridsvc.store.faults import unique
from gridsvc.store.handle import Handle
from gridsvc.store.ids import new_id
from gridsvc.store.tables import request_comments, requests

__all__ = ["Filter", "RequestReader", "RequestWriter"]


@dataclass(frozen=True, slots=True)
class Filter:
    """Which requests are wanted; None is no matter.

    Attributes
    ----------
    territories : collection of str or None
    due_before : datetime or None
    """

    state: State | None = None
    territories: Collection[str] | None = None
    due_before: datetime | None = None


def _request(row: Row[*tuple[Any, ...]]) -> DistrictRequest:
    named = dict(row._mapping)
    wish = named.pop("wish")
    wish["cells"] = tuple(wish["cells"])
    return DistrictRequest(plan=named.pop("plan_id"), wish=Wish(named.pop("kind"), **wish), **named)


class RequestReader:
    """Reads requests."""

    def __init__(self, handle: Handle) -> None:
        self._handle = handle

    def now(self) -> datetime:
        """The present instant, by which requests are due."""
        return self._handle.clock()

    def get(self, request: str) -> DistrictRequest:
        """Return the request.

        Raises
        ------
        NotFound
            None has this id.
        """
        found = self._handle.connection.execute(select(requests).where(requests.c.id == request)).first()
        if found is None:
            raise no_such_request(request)
        return _request(found)

    def open_in(self, territory: str) -> list[DistrictRequest]:
        """All open requests of a territory, oldest first."""
        c = requests.c
        rows = select(requests).where(c.territory == territory, c.state == "open").order_by(c.id)
        return [_request(row) for row in self._handle.connection.execute(rows)]

    def comments(self, request: str) -> list[Comment]:
        """What was said to a request, in order."""
        c = request_comments.c
        rows = select(c.number, c.actor, c.text, c.recorded_at).where(c.request_id == request)
        return [Comment(*row) for row in self._handle.connection.execute(rows.order_by(c.number))]

    def list(self, wanted: Filter, after: str | None = None, limit: int = 100) -> list[DistrictRequest]:
        """Requests, oldest first, at most `limit`, behind the id `after`."""
        c, rows = requests.c, select(requests)
        if wanted.state is not None:
            rows = rows.where(c.state == wanted.state)
        if wanted.territories is not None:
            rows = rows.where(c.territory.in_(list(wanted.territories)))
        if wanted.due_before is not None:
            rows = rows.where(c.due_at < wanted.due_before)
        if after is not None:
            rows = rows.where(c.id > after)
        return [_request(row) for row in self._handle.connection.execute(rows.order_by(c.id).limit(limit))]


def no_such_request(request: str) -> NotFound:
    """The error about an id under which nothing is known, or nothing the caller may see."""
    return NotFound(
        f"there is no request {request[:40]!r}", field="request", cure="list the requests there are"
    )


class RequestWriter(RequestReader):
    """Writes requests."""

    def add(
        self, territory: str, line: str | None, wish: Wish, plan: str | None, reason: str, due_at: datetime
    ) -> str:
        """Write an open request, and return its id."""
        made, values = new_id("req"), asdict(wish)
        row = {
            "id": made,
            "territory": territory,
            "line": line,
            "kind": values.pop("kind"),
            "wish": {**values, "cells": list(wish.cells)},
            "plan_id": plan,
            "reason": reason,
            "asked_by": self._handle.actor,
            "recorded_at": self._handle.clock(),
            "due_at": due_at,
            "state": "open",
        }
        self._handle.connection.execute(insert(requests).values(row))
        return made

    def decide(self, request: str, state: State, reason: str | None, result: dict[str, Any] | None) -> None:
        """Write the decision on an open request.

        Raises
        ------
        Conflict
            Somebody else decided it meanwhile.
        """
        c = requests.c
        row = {
            "state": state,
            "decided_by": self._handle.actor,
            "decided_at": self._handle.clock(),
            "decision": reason,
            "result": result,
        }
        decided = update(requests).where(c.id == request, c.state == "open").values(row)
        if self._handle.connection.execute(decided).rowcount == 0:
            raise Conflict(
                "somebody else decided the request meanwhile", field="state", cure="look at it again"
            )

    def comment(self, request: str, text: str) -> int:
        """Write what somebody says to a request, and return its number."""
        c = request_comments.c
        last = select(func.coalesce(func.max(c.number), 0)).where(c.request_id == request)
        number: int = self._handle.connection.execute(last).scalar_one() + 1
        row = {
            "request_id": request,
            "number": number,
            "actor": self._handle.actor,
            "text": text,
            "recorded_at": self._handle.clock(),
        }
        with unique("somebody else commented at the same time", cure="send it again"):
            self._handle.connection.execute(insert(request_comments).values(row))
        return number
