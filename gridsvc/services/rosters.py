"""Rosters: the people behind the teams, one append-only version after another."""

from __future__ import annotations

from datetime import UTC, datetime

from gridsvc.errors import InvalidInput
from gridsvc.principal import Principal
from gridsvc.services import lead_turns, roster_trail
from gridsvc.services.asking import whole_roster_at
from gridsvc.store.database import Database, UnitOfWork
from gridsvc.store.records import Idempotency, RosterRecord
from gridsvc.teams.masking import masked_roster, refuse_masked
from gridsvc.teams.model import Roster
from gridsvc.teams.periods import check_leads
from gridsvc.teams.rules import check_roster

__all__ = ["append", "get", "listing", "newest", "put", "settled_start"]


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
    """Append a version of the roster and give its number.

    Parameters
    ----------
    valid_from : datetime or None
        Now, if None.
    reason : str or None
        Needed for what counts from a time which has passed.

    Raises
    ------
    InvalidInput
        A roster of the past without reason, or a team which has no lead at some moment from then on.
    """
    who.require("roster:write")
    with db.read(who) as reader:
        stored = None if idempotency is None else reader.replay(who.actor, idempotency)
        if stored is not None:
            return int(stored.body["roster"])
    start = settled_start(valid_from, reason)
    with db.write(who, "roster.append", idempotency=idempotency, reason=reason) as uow:
        number = append(uow, territory, roster, start, reason)
        uow.respond(200, {"roster": number})
    return number


def settled_start(valid_from: datetime | None, reason: str | None) -> datetime:
    """From when a change counts: now unless it is said; what has passed needs a reason.

    Raises
    ------
    InvalidInput
        There is none.
    """
    now = datetime.now(UTC)
    if valid_from is not None and valid_from < now and not (reason or "").strip():
        raise InvalidInput(
            "a change which counts from a time in the past needs a reason",
            field="reason",
            cure="say why it is told so late, or leave out valid_from",
        )
    return valid_from or now


def append(uow: UnitOfWork, territory: str, roster: Roster, valid_from: datetime, reason: str | None) -> int:
    """Write the next version of the roster within a transaction, and give its number.

    Raises
    ------
    InvalidInput
        The lists do not hold together, a team has no lead at some moment from `valid_from` on, or one which
        owns published grids is missing.
    """
    refuse_masked(roster)
    check_roster(roster)
    check_leads(roster, valid_from)
    _keep_owners(uow, territory, roster, valid_from)
    lead_turns.tell(uow, territory, datetime.now(UTC))
    standing = uow.rosters.standing(territory, valid_from)
    before = uow.rosters.get(territory, standing[0][1]) if standing else None
    number = uow.rosters.append(territory, roster, valid_from=valid_from, reason=reason or "")
    lead_turns.look_again(uow, territory)
    roster_trail.note(uow, territory, number, before, roster)
    uow.emit("roster.appended", {"territory": territory, "roster": number})
    return number


def _keep_owners(uow: UnitOfWork, territory: str, roster: Roster, since: datetime) -> None:
    """Refuse a roster without a team which owns grids of a publication that counts then or later."""
    for _, line in [named for named in uow.publications.lines() if named[0] == territory]:
        now = uow.publications.in_force(territory, line, since, datetime.now(UTC))
        for record in [now, *uow.publications.upcoming(territory, line, since)]:
            owners = set() if record is None else uow.publications.teams(territory, line, record.n)
            missing = sorted(owners - roster.team_by_id.keys())
            if missing and record is not None:
                raise InvalidInput(
                    f"team {missing[0]!r} owns grids of publication {record.n} and is not in the list",
                    source="teams",
                    field="id",
                    cure="keep the team until its grids are published with another",
                    teams=missing,
                )


def get(db: Database, who: Principal, territory: str, at: datetime | None = None) -> tuple[int, Roster]:
    """The roster in force at a time, now if None: whole, with those whose time is over or to come.

    What the caller may not see of people and customers is masked.

    Raises
    ------
    NotFound
        The territory has none, or had none yet.
    """
    who.require("roster:read")
    with db.read(who) as reader:
        number, found = whole_roster_at(reader, territory, at or datetime.now(UTC))
    return number, masked_roster(found, who.scopes)


def newest(db: Database, who: Principal, territory: str) -> int:
    """The largest number there is, in force or not; 0 before the first."""
    who.require("roster:read")
    with db.read(who) as reader:
        return reader.rosters.newest(territory) or 0


def listing(db: Database, who: Principal, territory: str, after: int, limit: int) -> list[RosterRecord]:
    """Versions of the roster by number, behind `after`.

    Raises
    ------
    NotFound
        There is no such territory.
    """
    who.require("roster:read")
    with db.read(who) as reader:
        reader.territories.get(territory)
        return reader.rosters.list(territory, after, limit)
