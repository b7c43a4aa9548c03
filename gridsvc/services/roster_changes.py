"""Changes of what a roster says from a time on, and of all versions which count after it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any

from gridsvc.errors import Conflict, InvalidInput, NotFound, PreconditionMissing
from gridsvc.principal import Principal
from gridsvc.services.rosters import append, settled_start
from gridsvc.store.database import Database, UnitOfWork
from gridsvc.store.records import Idempotency
from gridsvc.teams.model import Roster
from gridsvc.teams.operations import apply_operations

__all__ = ["amend", "change", "require_base"]

MOST_OPERATIONS = 1000


def change(
    db: Database,
    who: Principal,
    territory: str,
    operations: Sequence[Mapping[str, Any]],
    *,
    base_roster: int | None,
    valid_from: datetime | None = None,
    reason: str | None = None,
    idempotency: Idempotency | None = None,
) -> list[int]:
    """Do all operations, or none, and give the numbers of the rosters appended, the newest last.

    Parameters
    ----------
    base_roster : int or None
        The newest roster which the caller has seen.
    valid_from : datetime or None
        From when the change counts; now if None. What has passed needs a reason.

    Raises
    ------
    PreconditionMissing
        `base_roster` is None.
    Conflict
        Others have appended rosters since.
    InvalidInput
        An operation is wrong, or what comes of all of them; nothing is stored.
    """
    who.require("roster:write")
    with db.read(who) as reader:
        stored = None if idempotency is None else reader.replay(who.actor, idempotency)
        if stored is not None:
            return [int(r) for r in stored.body["rosters"]]
    if not 0 < len(operations) <= MOST_OPERATIONS:
        raise InvalidInput(
            f"{len(operations)} operations", field="operations", cure=f"send 1 to {MOST_OPERATIONS}"
        )
    start = settled_start(valid_from, reason)
    with db.write(who, "roster.change", idempotency=idempotency, reason=reason) as uow:
        require_base(uow, territory, base_roster)
        made = amend(uow, territory, lambda r, at: apply_operations(r, operations, at), start, reason)
        uow.respond(200, {"rosters": made})
    return made


def require_base(uow: UnitOfWork, territory: str, base_roster: int | None) -> None:
    """Make sure that nobody has appended a roster since `base_roster`, nor does until the end.

    Raises
    ------
    PreconditionMissing, Conflict
        As `change`.
    """
    if base_roster is None:
        raise PreconditionMissing(
            "a change must say on which roster it was made",
            field="base_roster",
            cure=f"send the `newest` of GET /v1/territories/{territory}/roster",
        )
    uow.publications.alone()
    newest = uow.rosters.newest(territory) or 0
    if newest != base_roster:
        raise Conflict(
            f"the newest roster is {newest}, and the change was made on {base_roster}",
            field="base_roster",
            cure="look at what changed by GET /v1/changes?kind=roster, and send the change again",
            newest=newest,
        )


def amend(
    uow: UnitOfWork,
    territory: str,
    changed: Callable[[Roster, datetime], Roster],
    at: datetime,
    reason: str | None,
) -> list[int]:
    """Append the roster in force at a time with a change, and each which follows it with the same change.

    The largest number counts, so a change of the past would hide what was told since, and one of now what is
    scheduled, were they not changed too.

    Raises
    ------
    NotFound
        No roster is in force at that time.
    """
    standing = uow.rosters.standing(territory, at)
    if not standing or standing[0][0] > at:
        raise NotFound(
            f"territory {territory} has no roster then",
            field="valid_from",
            cure=f"PUT one to /v1/territories/{territory}/roster, or give a later time",
        )
    found = [(max(at, since), uow.rosters.get(territory, r)) for since, r in standing]
    return [append(uow, territory, changed(roster, since), since, reason) for since, roster in found]
