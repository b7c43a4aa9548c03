"""Which state of the world a question is about, and where it comes from: mapped files, or the database."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from gridsvc.errors import InvalidInput, NotYetInForce, StaleRead
from gridsvc.guessing import Guesses
from gridsvc.ownership.answer import Lang
from gridsvc.ownership.live import EMPTY, Line, Live, State
from gridsvc.ownership.snapshot import Moment, Snapshot
from gridsvc.ownership.transition import Former
from gridsvc.principal import SYSTEM, Principal
from gridsvc.services.keeping import Keeper
from gridsvc.store.database import Database, Reader
from gridsvc.store.records import PublicationRecord

__all__ = ["NOW", "Asked", "Desk", "at_hand", "settle", "snapshot", "stored_snapshot", "zone"]

_SETTLED = 5.0
"""Seconds for which a change waits to be seen before it is answered."""

_PATIENCE = 0.2
"""Seconds for which a caller who has seen more than we have is kept waiting."""


@dataclass(frozen=True, slots=True)
class Asked:
    """Which state is asked about, and how the answer should read.

    Attributes
    ----------
    territory : str or None
        May be left out where only one territory is published.
    as_of, as_known : datetime or None
        The time asked about, and the time whose knowledge counts; now if None.
    min_seq : int
        The answer may not be older than this commit, which the caller has seen.
    """

    territory: str | None = None
    line: str = "base"
    as_of: datetime | None = None
    as_known: datetime | None = None
    lang: Lang = "en"
    on_miss_status: bool = False
    min_seq: int = 0


NOW = Asked()
"""The only published territory, as it is now."""


@dataclass(frozen=True)
class Desk:
    """Where questions are answered: from mapped files where they are kept, else from the database.

    Attributes
    ----------
    live : Live or None
        The present state in files which somebody keeps up to date.
    keeper : Keeper
        Parts of other states.
    guesses : Guesses
        Who asks for customers that do not exist.
    """

    database: Database
    live: Live | None = None
    keeper: Keeper = field(default_factory=Keeper)
    guesses: Guesses = field(default_factory=Guesses)


def snapshot(desk: Desk, who: Principal, asked: Asked) -> Snapshot:
    """The state asked about.

    Raises
    ------
    InvalidInput
        Several territories are published and none is named.
    NotFound
        There is no such territory.
    NotYetInForce
        Nothing was in force then.
    StaleRead
        The caller has seen a later state than there is here.
    """
    line = at_hand(desk, who, asked)
    if line is not None:
        return line.snapshot
    with desk.database.read(who) as reader:
        return stored_snapshot(desk, reader, asked)


def at_hand(desk: Desk, who: Principal, asked: Asked) -> Line | None:
    """The line asked about, if the present state is asked for and at hand.

    It has all territories: a caller with branches must name one of theirs, or the database is asked.
    """
    if desk.live is None or asked.as_of is not None or asked.as_known is not None:
        return None
    if who.territories is not None and asked.territory not in who.territories:
        return None
    state = desk.live.state()
    if state is not None and state.seq < asked.min_seq:
        state = _newer(desk, desk.live, asked.min_seq)
    return None if state is None else state.line(asked.territory, asked.line)


def _newer(desk: Desk, live: Live, min_seq: int) -> State | None:
    with desk.database.read(SYSTEM) as reader:
        _require_seq(reader, min_seq)
    state = live.wait(min_seq, _PATIENCE)
    if state is None and live.state() is not None:
        raise StaleRead("the change you have seen has not arrived here yet", cure="try again in a second")
    return state


def settle(desk: Desk) -> None:
    """Wait until lookups on this machine answer with all that is committed now, so that no one sees less.

    Where that takes long, whoever must be sure asks with ``min_seq``.
    """
    if desk.live is None or desk.live.state() is None:
        return  # the database itself is asked
    with desk.database.read(SYSTEM) as reader:
        seq = reader.seq()
    desk.live.wait(seq, _SETTLED)


def _require_seq(reader: Reader, min_seq: int) -> int:
    seq = reader.seq()
    if seq < min_seq:
        raise StaleRead(
            f"there is no change {min_seq} yet, the latest is {seq}",
            field="min_seq",
            cure="try again in a second, or ask with a seq you were given",
        )
    return seq


def stored_snapshot(desk: Desk, reader: Reader, asked: Asked) -> Snapshot:
    """The state asked about, from one read transaction; heavy parts are kept between calls."""
    seq = _require_seq(reader, asked.min_seq)
    now = datetime.now(UTC)
    at, known = asked.as_of or now, asked.as_known or now
    record = _record(reader, asked, at, known)
    keeper, publications = desk.keeper, reader.publications
    r = reader.rosters.number_in_force(record.territory, at, known)
    roster = EMPTY if r is None else keeper.roster(reader, record.territory, r)[1]
    following = publications.next_effective(record.territory, record.line, record.n, at, known)
    moment = Moment(record.n, r, seq, record.effective_at, following, at)
    held, places = keeper.holdings(reader, record)[1], keeper.places(reader, record.tiling)[1]
    return Snapshot(held, places, record.tiling, roster, moment, _former(keeper, reader, record, at))


def _territory(reader: Reader, asked: Asked) -> str:
    if asked.territory is not None:
        return asked.territory
    published = sorted({territory for territory, line in reader.publications.lines() if line == asked.line})
    if len(published) == 1:
        return published[0]
    if not published:
        raise NotYetInForce("nothing is published yet", cure="publish a plan first")
    raise InvalidInput(
        "several territories are published",
        field="territory",
        cure=f"name one of {', '.join(published)}",
    )


def _record(reader: Reader, asked: Asked, at: datetime, known: datetime) -> PublicationRecord:
    territory = _territory(reader, asked)
    found = reader.publications.in_force(territory, asked.line, at, known)
    if found is None:
        reader.territories.get(territory)
        raise NotYetInForce(
            f"no publication of {territory} was in force then",
            cure="ask for a later date",
            territory=territory,
        )
    return found


def _former(keeper: Keeper, reader: Reader, record: PublicationRecord, at: datetime) -> Former | None:
    """Who owned the cells before, while customers may stay there."""
    until, before = record.transition_until, record.meta.get("follows")
    if until is None or at >= until or before is None:
        return None
    former = reader.publications.get(record.territory, record.line, before)
    held = keeper.holdings(reader, former)[1]
    return Former(until, held.labels, held.grids) if former.tiling == record.tiling else None


def zone(db: Database, who: Principal, territory: str | None) -> ZoneInfo:
    """The time zone of a territory, or of the only one published."""
    with db.read(who) as reader:
        return ZoneInfo(reader.territories.get(_territory(reader, Asked(territory))).time_zone)
