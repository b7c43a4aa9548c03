"""Rosters: the people behind the teams, one append-only version after another."""

from __future__ import annotations

from datetime import UTC, datetime

from gridsvc.errors import NotFound
from gridsvc.principal import Principal
from gridsvc.store.database import Database, UnitOfWork
from gridsvc.store.records import Idempotency
from gridsvc.teams.model import Roster

__all__ = ["append", "get", "put"]


def put(
    db: Database,
    who: Principal,
    territory: str,
    roster: Roster,
    *,
    valid_from: datetime | None = None,
    reason: str | None = None,
    idempotency: Idempotency | None = None,
) -> int:
    """Append a version of the roster and give its number."""
    who.require("roster:write")
    with db.read() as reader:
        stored = None if idempotency is None else reader.replay(who.actor, idempotency)
        if stored is not None:
            return int(stored.body["roster"])
    start = valid_from or datetime.now(UTC)
    with db.write(who, "roster.append", idempotency=idempotency, reason=reason) as uow:
        number = append(uow, territory, roster, start, reason)
        uow.respond(200, {"roster": number})
    return number


def append(uow: UnitOfWork, territory: str, roster: Roster, valid_from: datetime, reason: str | None) -> int:
    """Write the next version of the roster within a transaction, and give its number."""
    number = uow.rosters.append(territory, roster, valid_from=valid_from, reason=reason or "")
    # Names of people and customers stay out of the audit; the version itself holds them.
    parts = ("teams", "people", "members", "named")
    counts = {name: len(getattr(roster, name)) for name in parts}
    uow.audit(f"roster/{territory}/{number}", None, counts)
    uow.emit("roster.appended", {"territory": territory, "roster": number})
    return number


def get(db: Database, who: Principal, territory: str) -> tuple[int, Roster]:
    """The roster in force now.

    Raises
    ------
    NotFound
        The territory has none.
    """
    who.require("roster:read")
    now = datetime.now(UTC)
    with db.read() as reader:
        found = reader.rosters.in_force(territory, now, now)
    if found is None:
        raise NotFound(
            f"territory {territory} has no roster", cure=f"PUT one to /v1/territories/{territory}/roster"
        )
    return found
