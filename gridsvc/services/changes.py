"""What changed between two publications or rosters: computed when somebody asks, and never stored."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import partial
from itertools import islice
from typing import Any, Literal

from gridsvc.errors import Gone, InvalidInput, NotFound, NotYetInForce
from gridsvc.exchange.streams import Kind
from gridsvc.ownership.changes import COLUMNS, Side, changed
from gridsvc.ownership.live import EMPTY
from gridsvc.ownership.snapshot import Moment, Snapshot
from gridsvc.principal import Principal
from gridsvc.services.asking import moment_of
from gridsvc.services.desk import Desk
from gridsvc.services.moved_customers import CUSTOMER_COLUMNS, customer_changes
from gridsvc.services.roster_rows import ROSTER_COLUMNS, roster_row
from gridsvc.store.database import Reader
from gridsvc.store.records import PublicationRecord
from gridsvc.teams.difference import roster_changes

__all__ = ["ChangeKind", "ChangePage", "Found", "Wanted", "find", "page"]

ChangeKind = Literal["cell", "customer", "roster"]

_CHUNK = 5000
"""Rows made at once."""

_DIGITS = 10
"""Of numbers in a cursor: larger ones are given out by nobody."""

_SCOPES: Mapping[ChangeKind, str] = {
    "cell": "owner:read",
    "customer": "customers:read",
    "roster": "roster:read",
}

Row = Sequence[Any]


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is asked about.

    Attributes
    ----------
    before, after : int or None
        Numbers of publications, or of rosters where `kind` is roster; `before` may be left out with a cursor,
        `after` too: it is then what is in force now.
    before_at, after_at : str, datetime or None
        Of rosters: the moments whose leads are compared; a date is its start in the territory's time zone.
        `after_at` is now if None, or the start of a roster which is to come; `before_at` is `after_at`, so
        that the clock alone changes nothing. A cursor has its own.
    """

    territory: str
    kind: ChangeKind = "cell"
    line: str = "base"
    before: int | None = None
    after: int | None = None
    before_at: str | datetime | None = None
    after_at: str | datetime | None = None


@dataclass(frozen=True, slots=True)
class Found:
    """What changed.

    Attributes
    ----------
    before, after : int
        The numbers compared.
    columns : mapping
        Name and kind of the values of a row.
    size : int
    rows : callable
        ``rows(start, stop)`` makes some of the rows, in an order that stays.
    before_at, after_at : datetime or None
        Of rosters: as of when the leads are told.
    """

    before: int
    after: int
    columns: Mapping[str, Kind]
    size: int
    rows: Callable[[int, int], Iterator[Row]]
    before_at: datetime | None = None
    after_at: datetime | None = None

    def chunks(self) -> Iterator[list[Row]]:
        """All rows, some thousand at a time."""
        for at in range(0, self.size, _CHUNK):
            yield list(self.rows(at, at + _CHUNK))


@dataclass(frozen=True, slots=True)
class ChangePage:
    """Some of the rows, and the cursor of those behind them."""

    found: Found
    rows: list[Row]
    next: str | None


def page(desk: Desk, who: Principal, wanted: Wanted, cursor: str | None, limit: int) -> ChangePage:
    """At most `limit` rows, behind those of the cursor.

    The cursor holds on to its pair and moments, also when another publication has come into force since.

    Raises
    ------
    Gone
        The cursor is of another pair, or one of the pair is not kept any more.
    """
    if cursor is None:
        found, at = find(desk, who, wanted), 0
    else:
        pair, at = _pinned(wanted, cursor)
        found = find(desk, who, pair)
    rows = list(found.rows(at, at + limit))
    end = at + len(rows)
    more = end < found.size and bool(rows)
    return ChangePage(found, rows, _cursor(wanted.kind, found, end) if more else None)


def find(desk: Desk, who: Principal, wanted: Wanted) -> Found:
    """What changed.

    Raises
    ------
    InvalidInput
        It is not said since when, or a moment is given with what has no leads.
    NotFound
        There is no such territory, publication or roster.
    Gone
        One of the two was there, and is not kept any more.
    NotYetInForce
        `after` is left out and nothing is in force.
    """
    who.require(_SCOPES[wanted.kind])
    with desk.database.read(who) as reader:
        reader.territories.get(wanted.territory)
        if wanted.before is None:
            raise InvalidInput(
                "it is not said since when", field="from", cure="give the number you know, such as from=1"
            )
        if wanted.kind == "roster":
            return _rosters(reader, wanted, wanted.before, _moments(reader, wanted), who.scopes)
        if wanted.before_at or wanted.after_at:
            field = "from_at" if wanted.before_at else "to_at"
            cure = "leave it out, or ask for kind=roster"
            raise InvalidInput("only rosters are compared at moments", field=field, cure=cure)
        return _publications(desk, reader, wanted, wanted.before)


# --- publications


def _publications(desk: Desk, reader: Reader, wanted: Wanted, before: int) -> Found:
    now = datetime.now(UTC)
    after = wanted.after
    if after is None:
        in_force = reader.publications.in_force(wanted.territory, wanted.line, now, now)
        if in_force is None:
            raise NotYetInForce("no publication is in force yet", cure="give to=, or ask for a later time")
        after = in_force.n
    records = [_publication(reader, wanted, n, name) for n, name in ((before, "from"), (after, "to"))]
    if wanted.kind == "customer":
        return _customers(reader, records, [_snapshot(desk, reader, record, now) for record in records])
    changes = changed(*(_side(desk, reader, record) for record in records))
    columns: dict[str, Kind] = dict.fromkeys(COLUMNS, "text")
    return Found(before, after, columns, len(changes), changes.rows)


def _publication(reader: Reader, wanted: Wanted, n: int, field: str) -> PublicationRecord:
    try:
        return reader.publications.get(wanted.territory, wanted.line, n)
    except NotFound as error:
        newest = reader.publications.newest(wanted.territory, wanted.line)
        if newest is None or not 0 < n < newest.n:
            raise NotFound(error.message, field=field, cure=error.cure) from None
        raise _gone(f"publication {n} is not kept any more", field, newest.n) from None


def _gone(message: str, field: str, newest: int) -> Gone:
    cure = f"take it afresh from GET /v1/publications/{newest}/snapshot, and go on from {newest}"
    return Gone(message, field=field, cure=cure, newest=newest)


def _side(desk: Desk, reader: Reader, record: PublicationRecord) -> Side:
    places = desk.keeper.places(reader, record.tiling)[1]
    return Side(desk.keeper.holdings(reader, record)[1], places, record.tiling, places.resolution)


def _snapshot(desk: Desk, reader: Reader, record: PublicationRecord, now: datetime) -> Snapshot:
    """A publication with the people of now: what differs between two is then the publications' doing."""
    r = reader.rosters.number_in_force(record.territory, now, now)
    roster = EMPTY if r is None else desk.keeper.roster(reader, record.territory, r)[1]
    side = _side(desk, reader, record)
    moment = Moment(record.n, r, reader.seq(), record.effective_at, None, now)
    return Snapshot(
        side.holdings, desk.keeper.places(reader, record.tiling)[1], record.tiling, roster, moment
    )


def _customers(reader: Reader, records: list[PublicationRecord], snapshots: list[Snapshot]) -> Found:
    rows = customer_changes(reader, *snapshots)
    columns: dict[str, Kind] = dict.fromkeys(CUSTOMER_COLUMNS, "text")
    return Found(records[0].n, records[1].n, columns, len(rows), lambda start, stop: iter(rows[start:stop]))


# --- rosters


def _moments(reader: Reader, wanted: Wanted) -> tuple[datetime | None, datetime | None]:
    """The moments whose leads are to be compared, as far as they are given."""

    def moment(text: str | datetime | None, field: str) -> datetime | None:
        return None if text is None else moment_of(reader, wanted.territory, text, field)

    before_at, after_at = moment(wanted.before_at, "from_at"), moment(wanted.after_at, "to_at")
    if before_at is not None and after_at is not None and after_at < before_at:
        raise InvalidInput("it ends before it begins", field="to_at", cure="give a later time, or none")
    return before_at, after_at


def _rosters(
    reader: Reader,
    wanted: Wanted,
    before: int,
    moments: tuple[datetime | None, datetime | None],
    scopes: frozenset[str],
) -> Found:
    now, (before_at, after_at) = datetime.now(UTC), moments
    after = wanted.after or reader.rosters.number_in_force(wanted.territory, after_at or now, now)
    if after is None:
        raise NotYetInForce("no roster is in force yet", cure="give to=, or ask for a later time")
    sides = []
    for r, field in ((before, "from"), (after, "to")):
        try:
            sides.append(reader.rosters.get(wanted.territory, r))
        except NotFound as error:
            if reader.rosters.list(wanted.territory, after=r, limit=1):
                cure = f"take that in force from GET /v1/territories/{wanted.territory}/roster"
                raise Gone(f"roster {r} is not kept any more", field=field, cure=cure) from None
            raise NotFound(error.message, field=field, cure=error.cure) from None
    since = reader.rosters.list(wanted.territory, after=after - 1, limit=1)[0].valid_from
    # Of one which is to come, the leads are told as they will be.
    after_at = after_at or max(now, since)
    before_at = before_at or after_at
    found = roster_changes(sides[0], sides[1], before_at, after_at)
    rows = [roster_row(change, scopes) for change in found]
    columns: dict[str, Kind] = dict.fromkeys(ROSTER_COLUMNS, "text")
    columns |= {"before": "json", "after": "json"}
    return Found(before, after, columns, len(rows), partial(islice, rows), before_at, after_at)


# --- cursors


def _cursor(kind: ChangeKind, found: Found, at: int) -> str:
    moments = [m.isoformat() for m in (found.before_at, found.after_at) if m is not None]
    text = "/".join([kind, str(found.before), str(found.after), str(at), *moments])
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


def _pinned(wanted: Wanted, cursor: str) -> tuple[Wanted, int]:
    """What a cursor holds on to, and how many rows it is behind."""
    try:
        text = base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)).decode("ascii")
        kind, *parts = text.split("/")
        before, after, at = (int(n) for n in parts[:3] if n.isdecimal() and len(n) < _DIGITS)
        moments = [datetime.fromisoformat(moment) for moment in parts[3:]]
        pinned = replace(wanted, before=before, after=after)
        if kind == "roster":
            before_at, after_at = (moment.astimezone(UTC) for moment in moments)
            pinned = replace(pinned, before_at=before_at, after_at=after_at)
    except (binascii.Error, ValueError, OverflowError):
        raise InvalidInput(
            "not a cursor of changes", field="after", cure="send `next` of the page before"
        ) from None
    asked = kind, wanted.before or before, wanted.after or after
    if asked != (wanted.kind, before, after):
        raise _gone("the page is one of other changes", "after", after)
    return pinned, at
