"""What is in force now, read from the database in one piece and kept as files."""

from __future__ import annotations

from datetime import UTC, datetime

from gridsvc.ownership.head import Head, LineHead
from gridsvc.principal import SYSTEM
from gridsvc.services.keeping import Keeper
from gridsvc.store.database import Database, Reader
from gridsvc.store.records import PublicationRecord
from gridsvc.teams.model import Roster

__all__ = ["make_accounts", "make_files", "read_head"]


def read_head(db: Database, keeper: Keeper, now: datetime | None = None) -> Head:
    """The state of all lines, with its files made.

    Customers whose file is missing have none named: `make_accounts` makes it, which may take long.
    """
    at = datetime.now(UTC) if now is None else now
    with db.read(SYSTEM) as reader:
        read = [_line(reader, keeper, *line, at) for line in reader.publications.lines()]
        first = [_first(reader, *line, at) for line in reader.publications.lines()]
        ends = [end for _, end in read] + first
        lines = tuple(line for line, _ in read if line is not None)
        until = min((end.timestamp() for end in ends if end is not None), default=None)
        return Head(reader.seq(), at.timestamp(), until, lines)


def make_files(db: Database, keeper: Keeper) -> None:
    """Make what lookups of the present state need, so that a server which starts finds it."""
    read_head(db, keeper)
    make_accounts(db, keeper)


def make_accounts(db: Database, keeper: Keeper) -> bool:
    """Make the files of customers which are missing or in too many layers; gives whether there were any."""
    made = False
    if keeper.customers is None:
        return made
    with db.read(SYSTEM) as reader:
        for territory, line in reader.publications.lines():
            now = datetime.now(UTC)
            record = _in_force(reader, territory, line, now)
            if record is not None:
                places = keeper.places(reader, record.tiling)[1]
                made |= keeper.customers.make(reader, territory, record.tiling, places, now)
    return made


def _in_force(reader: Reader, territory: str, line: str, at: datetime) -> PublicationRecord | None:
    return reader.publications.in_force(territory, line, at, at)


def _first(reader: Reader, territory: str, line: str, at: datetime) -> datetime | None:
    """When the line's next publication comes into force."""
    return reader.publications.next_effective(territory, line, 0, at, at)


def _line(
    reader: Reader, keeper: Keeper, territory: str, line: str, at: datetime
) -> tuple[LineHead | None, datetime | None]:
    """A line's state, and when it ends; None before the first publication."""
    record = _in_force(reader, territory, line, at)
    if record is None:
        return None, None
    r, roster_file, roster_end = _roster(reader, keeper, territory, at)
    until, former = _former(reader, keeper, record, at)
    places, located = keeper.places(reader, record.tiling)
    customers, change = None, None
    if keeper.customers is not None:
        customers, change = keeper.customers.names(reader, territory, record.tiling, located, at)
    ends = [roster_end, until if former is not None else None, change]
    head = LineHead(
        territory=territory,
        line=line,
        n=record.n,
        tiling=record.tiling,
        r=r,
        valid_from=record.effective_at,
        valid_to=reader.publications.next_effective(territory, line, record.n, at, at),
        transition_until=until if former is not None else None,
        places=places,
        holdings=keeper.holdings(reader, record)[0],
        roster=roster_file,
        former=former,
        customers=customers,
    )
    return head, min((end for end in ends if end is not None), default=None)


def _roster(
    reader: Reader, keeper: Keeper, territory: str, at: datetime
) -> tuple[int | None, str | None, datetime | None]:
    following = reader.rosters.next_valid(territory, at, at)
    r = reader.rosters.number_in_force(territory, at, at)
    if r is None:
        return None, None, following
    name, roster = keeper.roster(reader, territory, r)
    return r, name, _earliest(following, _next_end(roster, at))


def _next_end(roster: Roster, at: datetime) -> datetime | None:
    """When the next membership begins or ends, or the next named account ends."""
    return next((moment for moment in roster.boundaries if moment > at), None)


def _earliest(*times: datetime | None) -> datetime | None:
    return min((time for time in times if time is not None), default=None)


def _former(
    reader: Reader, keeper: Keeper, record: PublicationRecord, at: datetime
) -> tuple[datetime | None, str | None]:
    until, before = record.transition_until, record.meta.get("follows")
    if until is None or at >= until or before is None:
        return None, None
    former = reader.publications.get(record.territory, record.line, before)
    if former.tiling != record.tiling:
        return None, None
    return until, keeper.holdings(reader, former)[0]
