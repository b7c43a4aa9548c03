"""What questions about people and dates have in common: the person, the moment, the roster then."""

from __future__ import annotations

from datetime import UTC, datetime

from gridsvc.errors import InvalidInput, NotFound
from gridsvc.services.series import instant
from gridsvc.store.database import Reader
from gridsvc.teams.model import Roster

__all__ = ["counting_at", "moment_of", "require_person", "roster_at", "whole_roster_at"]

_NAMED = 20


def moment_of(reader: Reader, territory: str, at: str | datetime | None, field: str = "at") -> datetime:
    """The moment asked about: now, an instant with its offset, or a date in the territory's time zone."""
    zone = reader.territories.get(territory).time_zone
    return datetime.now(UTC) if at is None else instant(at, zone, field)


def whole_roster_at(reader: Reader, territory: str, at: datetime) -> tuple[int, Roster]:
    """The roster in force at a moment with its number: whole, with those whose time is over or to come.

    Raises
    ------
    NotFound
        There was none yet.
    """
    found = reader.rosters.in_force(territory, at, datetime.now(UTC))
    if found is not None:
        return found
    first = next(iter(reader.rosters.list(territory, 0, 1)), None)
    if first is None:
        cure = f"PUT one to /v1/territories/{territory}/roster"
        raise NotFound(f"territory {territory} has no roster", cure=cure)
    cure = f"ask for {first.valid_from.isoformat()} or later"
    raise NotFound(f"no roster of {territory} was in force then", field="at", cure=cure)


def roster_at(reader: Reader, territory: str, at: datetime) -> tuple[int, Roster]:
    """As `whole_roster_at`, with only who counts then: never to be stored."""
    number, roster = whole_roster_at(reader, territory, at)
    return number, roster.at(at)


def counting_at(reader: Reader, territory: str, at: datetime) -> tuple[int, Roster] | None:
    """As `roster_at`; None before the first roster."""
    found = reader.rosters.in_force(territory, at, datetime.now(UTC))
    return None if found is None else (found[0], found[1].at(at))


def require_person(roster: Roster, number: int, person: str) -> None:
    """Raise `InvalidInput` where a roster does not know a person."""
    if person not in roster.person_by_id:
        listed = ", ".join(list(roster.person_by_id)[:_NAMED])
        more = ", ..." if len(roster.people) > _NAMED else ""
        raise InvalidInput(
            f"there is no person {person[:40]!r} in roster {number}",
            field="person",
            cure=f"name one of {listed}{more}",
        )
