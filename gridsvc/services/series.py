"""The series of publications of a territory and line: dates, and what stands before and behind one."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from zoneinfo import ZoneInfo

from gridsvc.errors import Conflict, InvalidInput
from gridsvc.ownership.publication import unpack
from gridsvc.plans.plan import Plan
from gridsvc.store.database import Reader
from gridsvc.store.records import PublicationRecord

__all__ = ["AT_ONCE", "Wanted", "former", "instant", "published_plan", "require_place"]

_DATE = re.compile(r"\d{4}-\d\d-\d\d")


@dataclass(frozen=True, slots=True)
class Wanted:
    """How a plan should be published.

    Attributes
    ----------
    effective_at : datetime, str or None
        An instant with its offset; a date means 00:00 in the territory's time zone; None means now.
    supersedes : int or None
        The scheduled publication it takes the place of.
    scope : str or None
        Code of the parent whose grids alone change.
    transition_until : datetime, str or None
        Until then customers who changed owner may stay with their former one; written as `effective_at`.
    """

    effective_at: datetime | str | None = None
    reason: str | None = None
    supersedes: int | None = None
    scope: str | None = None
    transition_until: datetime | str | None = None


AT_ONCE = Wanted()
"""Now, all of it."""


def instant(value: datetime | str, zone: str, field: str) -> datetime:
    """The instant a person means.

    Raises
    ------
    InvalidInput
        It is neither a date nor a time with its offset.
    """
    cure = "write it as 2026-12-01 or 2026-12-01T08:00:00+08:00"
    try:
        if isinstance(value, str) and _DATE.fullmatch(value):
            found = datetime.combine(date.fromisoformat(value), time(), ZoneInfo(zone))
        else:
            found = datetime.fromisoformat(value) if isinstance(value, str) else value
        if found.tzinfo is None:
            raise InvalidInput("a time without offset", field=field, cure=cure)
        return found.astimezone(UTC)
    except OverflowError:
        raise InvalidInput("beyond the calendar", field=field, cure=cure) from None
    except InvalidInput:
        raise
    except ValueError:
        raise InvalidInput(f"{str(value)[:40]!r} is no date", field=field, cure=cure) from None


def former(reader: Reader, territory: str, line: str, start: datetime) -> PublicationRecord | None:
    """The publication which would be in force at `start` if nothing more was published; without payload."""
    return reader.publications.in_force(territory, line, start, datetime.now(UTC))


def published_plan(reader: Reader, territory: str, line: str, n: int) -> Plan:
    """The cells, grids and carve-outs of a publication."""
    return unpack(reader.publications.get(territory, line, n).payload).plan


def require_place(
    reader: Reader, territory: str, line: str, start: datetime, supersedes: int | None, now: datetime
) -> None:
    """Make sure that a publication may take effect at `start`.

    Raises
    ------
    InvalidInput
        Before the publication in force; or `supersedes` names none that is scheduled behind `start`.
    Conflict
        In front of scheduled ones which `supersedes` does not name.
    """
    in_force = reader.publications.in_force(territory, line, now, now)
    if in_force is not None and start < in_force.effective_at:
        raise InvalidInput(
            f"publication {in_force.n} is in force since {in_force.effective_at.isoformat()}",
            field="effective_at",
            cure=f"choose {in_force.effective_at.isoformat()} or later, or leave it out for now",
            publication=in_force.n,
        )
    upcoming = reader.publications.upcoming(territory, line, now)
    ahead = [record.n for record in upcoming if record.effective_at >= start]
    if ahead and supersedes is None:
        raise _in_the_way(upcoming, ahead)
    if supersedes is not None and supersedes not in ahead:
        raise _no_such(reader, territory, line, supersedes, ahead)
    if supersedes is not None and supersedes != ahead[-1]:
        raise _in_the_way(upcoming, ahead)


def _in_the_way(upcoming: list[PublicationRecord], ahead: list[int]) -> Conflict:
    start = {record.n: record.effective_at.isoformat() for record in upcoming}
    listed = ", ".join(map(str, ahead))
    named = f"publication {listed} is" if len(ahead) == 1 else f"publications {listed} are"
    together = "" if len(ahead) == 1 else f", which sets all of them aside ({listed})"
    return Conflict(
        f"{named} scheduled for the same time or later",
        field="supersedes",
        cure=f"say supersedes={ahead[-1]}{together}, or choose a later effective_at",
        scheduled=[{"n": n, "effective_at": start[n]} for n in ahead],
    )


def _no_such(reader: Reader, territory: str, line: str, supersedes: int, ahead: list[int]) -> InvalidInput:
    ends = reader.publications.ends(territory, line)
    if supersedes not in ends:
        said = f"there is no publication {supersedes}"
    else:
        record = reader.publications.get(territory, line, supersedes)
        end = ends[supersedes]
        since = record.effective_at.isoformat()
        if end is not None and end <= record.effective_at:
            said = f"publication {supersedes} is set aside already"
        elif record.effective_at <= datetime.now(UTC):
            said = f"publication {supersedes} took effect at {since} already"
        else:
            said = f"publication {supersedes} takes effect before, at {since}"
    cure = f"name {ahead[-1]}" if ahead else "leave it out: nothing is scheduled for the same time or later"
    return InvalidInput(said, field="supersedes", cure=cure)
