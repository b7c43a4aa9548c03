"""Handovers of leavers: shown first, proved, and written as one roster with the note of who and why."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any, Literal

from gridsvc.errors import Conflict, InvalidInput
from gridsvc.principal import Principal
from gridsvc.services import rosters
from gridsvc.services.asking import whole_roster_at
from gridsvc.services.handover_effects import effect_of
from gridsvc.services.series import instant
from gridsvc.services.standing import passed_of, publications_from, rosters_from
from gridsvc.store.database import Database, Reader, UnitOfWork
from gridsvc.store.handovers import HandoverRecord
from gridsvc.store.records import Idempotency
from gridsvc.teams.handover import SOURCE, Leave, Passed, Successor, handed_over, require_no_loop
from gridsvc.teams.model import Role, Roster
from gridsvc.teams.orphans import InForce
from gridsvc.teams.rules import check_roster

__all__ = ["Heir", "Leaver", "State", "get", "leave", "listing", "require_reason", "state_of"]

State = Literal["shown", "draft", "scheduled", "acting", "done", "undone"]


@dataclass(frozen=True, slots=True)
class Heir:
    """A successor as the caller names them; `start` may be a date in the territory's time zone."""

    person: str
    team: str | None = None
    role: Role | None = None
    start: str | datetime | None = None
    acting: str | None = None
    time_share: float | None = None
    kpi_share: float | None = None


@dataclass(frozen=True, slots=True)
class Leaver:
    """A person leaves.

    Attributes
    ----------
    effective_at : str, datetime or None
        An instant with its offset; a date means 00:00 in the territory's time zone; None means now.
    base_roster : int or None
        The roster the caller saw.
    heads : tuple of (str, str)
        Departments which the leaver heads, and who stands in there from then on.
    """

    person: str
    successors: tuple[Heir, ...]
    reason: str
    effective_at: str | datetime | None = None
    base_roster: int | None = None
    heads: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True)
class _Made:
    """A handover made ready, not written yet.

    Attributes
    ----------
    appended : sequence of (Roster, datetime)
        The roster to append and from when it counts; behind it those which are scheduled, changed alike.
    """

    leave: Leave
    base: int
    appended: Sequence[tuple[Roster, datetime]]
    told: dict[str, Any]


def leave(
    db: Database,
    who: Principal,
    territory: str,
    wanted: Leaver,
    *,
    dry_run: bool = False,
    idempotency: Idempotency | None = None,
) -> HandoverRecord:
    """End a leaver's places and give them to successors, in one roster.

    Rosters which are scheduled for later get the same change, for the largest number counts.

    Parameters
    ----------
    dry_run : bool
        Show the effect and write nothing; the record has no id then.

    Raises
    ------
    InvalidInput
        What `gridsvc.teams.handover` refuses; no reason; a date before the roster in force; or something
        would be nobody's at some moment.
    Conflict
        Others appended a roster since the caller looked.
    """
    who.require("roster:write")
    require_reason(wanted.reason)
    if dry_run:
        with db.read(who) as reader:
            return _record(territory, wanted, _make(reader, territory, wanted, datetime.now(UTC)))
    with db.read(who) as reader:
        stored = None if idempotency is None else reader.replay(who.actor, idempotency)
        if stored is not None:
            return reader.handovers.get(territory, stored.body["handover"])
    with db.write(who, "handover.leaver", idempotency=idempotency, reason=wanted.reason) as uow:
        made = _write(uow, territory, wanted)
    with db.read(who) as reader:
        return reader.handovers.get(territory, made)


def get(db: Database, who: Principal, territory: str, handover: str) -> tuple[HandoverRecord, State]:
    """A handover and how far it is."""
    who.require("roster:read")
    with db.read(who) as reader:
        found = reader.handovers.get(territory, handover)
        return found, state_of(reader, found)


def listing(
    db: Database, who: Principal, territory: str, after: str | None = None, limit: int = 100
) -> list[tuple[HandoverRecord, State]]:
    """Handovers of a territory, oldest first."""
    who.require("roster:read")
    with db.read(who) as reader:
        reader.territories.get(territory)
        found = reader.handovers.list(territory, after, limit)
        return [(record, state_of(reader, record)) for record in found]


def state_of(reader: Reader, record: HandoverRecord) -> State:
    """How far a handover is, by the clock, by what counts at its date and by its published plan."""
    now = datetime.now(UTC)
    if not record.id:
        return "shown"
    if record.plan is not None and record.line is not None:
        n = reader.publications.made_of(record.plan, record.territory, record.line)
        if n is None:
            return "draft"
        record = replace(
            record, effective_at=reader.publications.get(record.territory, record.line, n).effective_at
        )
    if record.kind == "leaver" and _stays(reader, record, now):
        return "undone"
    if now < record.effective_at:
        return "scheduled"
    starts = [given["start"] for given in record.told.get("passed", ()) if given["acting"]]
    return "acting" if any(now < datetime.fromisoformat(start) for start in starts) else "done"


def _stays(reader: Reader, record: HandoverRecord, now: datetime) -> bool:
    """Whether another roster, told since, has the leaver in a place at the date all the same."""
    found = reader.rosters.in_force(record.territory, record.effective_at, now)
    return found is not None and any(
        member.person == record.person for member in found[1].at(record.effective_at).members
    )


def require_reason(reason: str) -> None:
    """Raise `InvalidInput` where nobody says why."""
    if not reason.strip():
        raise InvalidInput(
            "a handover needs a reason", field="reason", cure="say why, for those who ask later"
        )


# --- making


def _write(uow: UnitOfWork, territory: str, wanted: Leaver) -> str:
    uow.publications.alone()  # nobody else appends a roster to the one which is read here
    made = _make(uow, territory, wanted, datetime.now(UTC))
    numbers = [rosters.append(uow, territory, r, start, wanted.reason) for r, start in made.appended]
    record = replace(_record(territory, wanted, made), roster=numbers[0])
    handover = uow.handovers.add(record)
    ids = {"territory": territory, "handover": handover, "roster": numbers[0]}
    teams = sorted({given["team"] for given in made.told["passed"]})
    leaver = uow.trail.digest("person", territory, wanted.person)
    noted = {"kind": "leaver", "roster": numbers[0], "teams": teams, "person": leaver}
    uow.audit(f"handover/{territory}/{handover}", None, noted)
    told = {"kind": "leaver", "effective_at": made.leave.at.isoformat(), "actor": uow.actor}
    uow.emit("handover.made", {**ids, **told})
    uow.respond(201, {"handover": handover})
    return handover


def _record(territory: str, wanted: Leaver, made: _Made) -> HandoverRecord:
    return HandoverRecord(
        territory, "leaver", made.leave.at, wanted.reason.strip(), made.told, person=wanted.person
    )


def _make(reader: Reader, territory: str, wanted: Leaver, now: datetime) -> _Made:
    zone = reader.territories.get(territory).time_zone
    number, _ = whole_roster_at(reader, territory, now)
    if wanted.base_roster is not None and wanted.base_roster != number:
        raise Conflict(
            f"roster {number} is in force, not {wanted.base_roster}",
            field="base_roster",
            cure="look at the roster again and repeat the handover",
            roster=number,
        )
    leaving = _leave(wanted, zone, now)
    known = rosters_from(reader, territory, now)
    _require_later(known[0], leaving.at)
    start, earlier = min(now, leaving.at), passed_of(reader.handovers.leavers(territory))
    first, appended = list[Passed](), list[tuple[Roster, datetime]]()
    for found in known:
        roster, passed = handed_over(found.roster, leaving)
        require_no_loop([*earlier, *passed])
        first = first or list(passed)
        appended.append((roster, start if found is known[0] else found.start))
    told = effect_of(known, appended, leaving, first, publications_from(reader, territory, start, now), start)
    for roster, _ in appended:
        check_roster(roster)
    return _Made(leaving, number, appended, told)


def _leave(wanted: Leaver, zone: str, now: datetime) -> Leave:
    at = now if wanted.effective_at is None else instant(wanted.effective_at, zone, "effective_at")
    heirs = tuple(_heir(h, zone, row) for row, h in enumerate(wanted.successors, 1))
    return Leave(wanted.person, at, heirs, wanted.heads)


def _heir(heir: Heir, zone: str, row: int) -> Successor:
    start = None
    if heir.start is not None:
        try:
            start = instant(heir.start, zone, "from")
        except InvalidInput as error:
            raise InvalidInput(error.message, source=SOURCE, row=row, field="from", cure=error.cure) from None
    for field in ("time_share", "kpi_share"):
        share = getattr(heir, field)
        if share is not None and not 0 <= share <= 1:
            raise InvalidInput(
                f"{share:g} is not a share",
                source=SOURCE,
                row=row,
                field=field,
                cure="give a number from 0 to 1, 0.5 is half",
            )
    return Successor(heir.person, heir.team, heir.role, start, heir.acting, heir.time_share, heir.kpi_share)


def _require_later(found: InForce, at: datetime) -> None:
    if at < found.start:
        raise InvalidInput(
            f"roster {found.r} counts since {found.start.isoformat()} only",
            field="effective_at",
            cure=f"choose {found.start.isoformat()} or later",
            roster=found.r,
        )
