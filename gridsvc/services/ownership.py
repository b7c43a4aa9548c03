"""Who owns what: lookups against the publication and the roster in force."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, TypeVar
from zoneinfo import ZoneInfo

import numpy as np
from numpy.typing import NDArray

from gridsvc.errors import InvalidInput, NotYetInForce, OutsideTerritory, UnknownCustomer
from gridsvc.ownership.answer import Answer, Lang
from gridsvc.ownership.batch import BatchAnswer
from gridsvc.ownership.publication import unpack
from gridsvc.ownership.snapshot import Moment, Snapshot
from gridsvc.ownership.transition import Former
from gridsvc.principal import Principal
from gridsvc.services.series import published_plan
from gridsvc.store.database import Database, Reader
from gridsvc.store.records import PublicationRecord
from gridsvc.teams.model import Roster
from gridsvc.tiling.locate import Locator

__all__ = ["NOW", "Asked", "batch", "cell", "customer", "point", "snapshot", "zone"]

_EMPTY = Roster((), (), (), ())

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Asked:
    """Which state is asked about, and how the answer should read.

    Attributes
    ----------
    territory : str or None
        May be left out where only one territory is published.
    as_of, as_known : datetime or None
        The time asked about, and the time whose knowledge counts; now if None.
    """

    territory: str | None = None
    line: str = "base"
    as_of: datetime | None = None
    as_known: datetime | None = None
    lang: Lang = "en"
    on_miss_status: bool = False


NOW = Asked()
"""The only published territory, as it is now."""


class _Kept:
    """The last few immutable values by key, shared by threads."""

    def __init__(self, size: int) -> None:
        self._size, self._lock = size, threading.Lock()
        self._values: dict[Any, Any] = {}

    def get(self, key: Any, make: Callable[[], T]) -> T:
        with self._lock:
            if key in self._values:
                self._values[key] = self._values.pop(key)  # the newest last
                found: T = self._values[key]
                return found
        value = make()
        with self._lock:
            self._values[key] = value
            while len(self._values) > self._size:
                del self._values[next(iter(self._values))]
        return value


_kept = _Kept(32)


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


def zone(db: Database, territory: str | None) -> ZoneInfo:
    """The time zone of a territory, or of the only one published."""
    with db.read() as reader:
        return ZoneInfo(reader.territories.get(_territory(reader, Asked(territory))).time_zone)


def snapshot(db: Database, reader: Reader, asked: Asked) -> Snapshot:
    """The state asked about, from one read transaction; heavy parts are kept between calls."""
    now = datetime.now(UTC)
    at, known = asked.as_of or now, asked.as_known or now
    record = _record(reader, asked, at, known)
    number, roster = reader.rosters.in_force(record.territory, at, known) or (None, _EMPTY)
    parts = _kept.get((id(db), record.territory, record.line, record.n), lambda: _load(reader, record))
    following = reader.publications.next_effective(record.territory, record.line, record.n, at, known)
    moment = Moment(record.n, number, reader.seq(), record.effective_at, following)
    return Snapshot(*parts, record.tiling, roster, moment, _former(db, reader, record, at))


def _former(db: Database, reader: Reader, record: PublicationRecord, at: datetime) -> Former | None:
    """Who owned the cells before, while customers may stay there."""
    until, before = record.transition_until, record.meta.get("follows")
    if until is None or at >= until or before is None:
        return None
    key = ("former", id(db), record.territory, record.line, before)
    return Former(
        until, _kept.get(key, lambda: published_plan(reader, record.territory, record.line, before))
    )


def _load(reader: Reader, record: PublicationRecord) -> tuple[Any, Locator, Any]:
    publication = unpack(reader.publications.get(record.territory, record.line, record.n).payload)
    if publication.resolution is not None:
        locator = Locator.of_h3(publication.resolution, publication.ids)
    else:
        locator = Locator(reader.tilings.load(record.tiling))
    return publication, locator, reader.territories.get(record.territory).boundary


def point(
    db: Database, who: Principal, lon: float, lat: float, *, crs: str = "wgs84", asked: Asked = NOW
) -> Answer:
    """Owner of a point.

    Raises
    ------
    OutsideTerritory
        Unless `asked.on_miss_status`.
    """
    who.require("owner:read")
    with db.read() as reader:
        found = snapshot(db, reader, asked)
    return _found(found.point(lon, lat, crs=crs, lang=asked.lang), asked)


def cell(db: Database, who: Principal, cell: str, *, asked: Asked = Asked()) -> Answer:
    """Owner of a cell."""
    who.require("owner:read")
    with db.read() as reader:
        found = snapshot(db, reader, asked)
    return _found(found.cell(cell, lang=asked.lang), asked)


def customer(db: Database, who: Principal, customer: str, *, asked: Asked = Asked()) -> Answer:
    """Owner of a customer.

    Raises
    ------
    UnknownCustomer
        Unless `asked.on_miss_status`.
    """
    who.require("owner:read")
    with db.read() as reader:
        found = snapshot(db, reader, asked)
        record = reader.customers.find(found.publication.territory, customer)
        same = record is not None and record.tiling == found.tiling
    if record is None:
        return _found(found.unknown_customer(asked.lang), asked)
    row = record.cell if same else None
    return found.customer(row, record.lon, record.lat, lang=asked.lang)


def batch(
    db: Database,
    who: Principal,
    lon: NDArray[np.float64],
    lat: NDArray[np.float64],
    *,
    crs: str = "wgs84",
    asked: Asked = NOW,
) -> tuple[Snapshot, BatchAnswer]:
    """Owners of many points, all from one publication."""
    who.require("owner:read")
    with db.read() as reader:
        found = snapshot(db, reader, asked)
    return found, found.batch(lon, lat, crs=crs)


def _found(answer: Answer, asked: Asked) -> Answer:
    if asked.on_miss_status:
        return answer
    if answer.status == "outside":
        raise OutsideTerritory(
            answer.why.rstrip(".。"),
            cure="check the coordinates and their system",
            territory=answer.territory,
        )
    if answer.status == "unknown_customer":
        raise UnknownCustomer(
            answer.why.rstrip(".。"),
            cure="check the id, or import the customer first",
            territory=answer.territory,
        )
    return answer
