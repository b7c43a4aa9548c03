"""What was told of single customers between imports, and what follows of it at each time.

Of a customer's messages known at a time the last one told whose `valid_from` has come counts. `told` reads
that from the messages; the states are the same, worked out for the messages known now. An import hides the
messages which were there when it began: readers name the last of them, and look behind it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

import orjson
from sqlalchemy import ColumnElement, Row, bindparam, delete, func, or_, select, update

from gridsvc.customers.arrivals import Arrival
from gridsvc.store.bulk import insert_columns, is_one_of
from gridsvc.store.handle import Handle
from gridsvc.store.records import CustomerRecord
from gridsvc.store.tables import customer_changes, customer_states, imports

__all__ = ["ChangeReader", "ChangeWriter", "Standing", "standing"]

_CHUNK = 5000


@dataclass(frozen=True, slots=True)
class Standing:
    """Where a customer stands; `there` says whether it is any more."""

    id: str
    there: bool
    tiling: str
    cell: int
    lon: float | None
    lat: float | None
    values: dict[str, Any]


def standing(territory: str, behind: int, at: datetime) -> tuple[ColumnElement[bool], ...]:
    """Conditions for the states of a territory's customers at a time, by messages behind number `behind`."""
    c = customer_states.c
    lasts = or_(c.ends.is_(None), c.ends > at)
    return c.territory == territory, c.no > behind, c.starts <= at, lasts


_STANDING = tuple(
    customer_states.c[name] for name in ("id", "there", "tiling_id", "cell", "lon", "lat", "attributes")
)


def _standing(row: Row[*tuple[Any, ...]]) -> Standing:
    name, there, tiling, cell, lon, lat, values = row
    return Standing(name, there, tiling, cell, lon, lat, values or {})


class ChangeReader:
    """Reads messages and states."""

    def __init__(self, handle: Handle) -> None:
        self._handle = handle

    def last(self) -> int:
        """Number of the last message; 0 before the first."""
        highest = select(func.coalesce(func.max(customer_changes.c.no), 0))
        return int(self._handle.connection.execute(highest).scalar_one())

    def told_at(self, territory: str, behind: int) -> datetime | None:
        """When the last message behind a number came in which still counts; None where there is none.

        Each such message has a state, whose index by number answers at once however much was told elsewhere.
        """
        c = customer_states.c
        last = select(func.max(c.no)).where(c.territory == territory, c.no > behind).scalar_subquery()
        rows = select(customer_changes.c.recorded_at).where(customer_changes.c.no == last)
        return self._handle.connection.execute(rows).scalar()

    def updated(self, territory: str, ids: Sequence[str]) -> dict[str, datetime]:
        """When the sources made the latest change told of each of these customers."""
        c = customer_changes.c
        latest = func.max(c.source_updated_at, type_=c.source_updated_at.type)
        found: dict[str, datetime] = {}
        for at in range(0, len(ids), _CHUNK):
            among = is_one_of(self._handle, c.id, ids[at : at + _CHUNK])
            rows = select(c.id, latest).where(c.territory == territory, among).group_by(c.id)
            found.update((name, time) for name, time in self._handle.connection.execute(rows))
        return found

    def told(
        self, territory: str, customer: str, behind: int, at: datetime, known: datetime
    ) -> tuple[bool, CustomerRecord] | None:
        """What counts of a customer's messages at a time as known then: whether it is there, and where.

        None where no message counts.
        """
        c = customer_changes.c
        rows = select(customer_changes).where(
            *(c.territory == territory, c.id == customer, c.no > behind),
            *(c.valid_from <= at, c.recorded_at <= known),
        )
        found = self._handle.connection.execute(rows.order_by(c.no.desc()).limit(1)).first()
        if found is None:
            return None
        record = CustomerRecord(
            import_id="",
            tiling=found.tiling_id,
            row_no=found.no,
            id=found.id,
            premise=found.premise,
            verdict=found.verdict,
            cell=found.cell,
            kept=True,
            todo=False,
            lon=found.lon,
            lat=found.lat,
            values=found.attributes or {},
        )
        return found.valid_to is None or found.valid_to > at, record

    def told_all(self, territory: str, behind: int, at: datetime) -> list[Standing]:
        """What counts at a time of all messages behind a number, as known now, by number.

        It asks the messages themselves: states before the last import are not kept.
        """
        c = customer_changes.c
        counting = (
            select(func.max(c.no).label("no"))
            .where(c.territory == territory, c.no > behind, c.valid_from <= at)
            .group_by(c.id)
            .subquery()
        )
        there = or_(c.valid_to.is_(None), c.valid_to > at)
        columns = (c.id, there.label("there"), c.tiling_id, c.cell, c.lon, c.lat, c.attributes)
        rows = select(*columns).join(counting, counting.c.no == c.no).order_by(c.no)
        found = [_standing(row) for row in self._handle.connection.execute(rows)]
        return [replace(state, there=bool(state.there)) for state in found]

    def standing(self, territory: str, behind: int, at: datetime) -> list[Standing]:
        """How all customers stand of whom a message counts, in the order of the messages."""
        rows = select(*_STANDING).where(*standing(territory, behind, at))
        ordered = rows.order_by(customer_states.c.no, customer_states.c.id)
        return [_standing(row) for row in self._handle.connection.execute(ordered)]

    def changed(
        self, territory: str, behind: int, since: tuple[int, datetime], until: tuple[int, datetime]
    ) -> list[Standing]:
        """How customers stand at `until` (number and time) who may have stood otherwise at `since`."""
        c = customer_states.c
        conditions = standing(territory, behind, until[1])
        # Two questions with an index each, for which one with OR would read all states.
        by_message = select(*_STANDING).where(*conditions, c.no > since[0], c.no <= until[0])
        by_clock = select(*_STANDING).where(*conditions, c.starts > since[1], c.starts <= until[1])
        found = [
            _standing(row) for rows in (by_message, by_clock) for row in self._handle.connection.execute(rows)
        ]
        return list({state.id: state for state in found}.values())

    def last_start(self, territory: str, at: datetime) -> datetime | None:
        """When the last state up to `at` began; None before the first."""
        c = customer_states.c
        last = select(func.max(c.starts, type_=c.starts.type))
        return self._handle.connection.execute(last.where(c.territory == territory, c.starts <= at)).scalar()

    def next_start(self, territory: str, behind: int, at: datetime) -> datetime | None:
        """When the next state after `at` begins; None while none is known."""
        c = customer_states.c
        first = select(func.min(c.starts, type_=c.starts.type))
        later = first.where(c.territory == territory, c.no > behind, c.starts > at)
        return self._handle.connection.execute(later).scalar()

    def moments(self, territory: str, customer: str) -> list[datetime]:
        """When a customer may have come, moved or gone: by messages about it, and by imports of them all."""
        c, i = customer_changes.c, imports.c
        told = select(c.valid_from, c.valid_to).where(c.territory == territory, c.id == customer)
        taken_in = select(i.valid_from, i.valid_to).where(i.territory == territory, i.status != "discarded")
        rows = [*self._handle.connection.execute(told), *self._handle.connection.execute(taken_in)]
        return sorted({time for row in rows for time in row if time is not None})


class ChangeWriter(ChangeReader):
    """Writes messages and states."""

    def begin(self) -> int:
        """Be alone with messages until the commit, and give the new commit count."""
        return self._handle.bump_seq()

    def append(self, territory: str, tiling: str, arrivals: Sequence[Arrival]) -> int:
        """Write messages placed on a tiling, and give the number of the last.

        Each is later than what was told before of its customer; the caller looked behind `begin`.
        """
        first = self.last() + 1
        constants = {
            "territory": territory,
            "tiling_id": tiling,
            "actor": self._handle.actor,
            "recorded_at": self._handle.clock(),
        }
        columns: dict[str, Sequence[Any]] = {
            "no": range(first, first + len(arrivals)),
            "source_updated_at": self._times([a.source_updated_at for a in arrivals]),
            "valid_from": self._times([a.valid_from for a in arrivals]),
            "valid_to": self._times([a.valid_to for a in arrivals]),
        }
        insert_columns(self._handle, customer_changes, constants, columns | self._placed(arrivals))
        for start, part in _rounds(arrivals):
            self._settle(territory, tiling, part, range(first + start, first + start + len(part)))
        return first + len(arrivals) - 1

    def _times(self, times: Sequence[datetime | None]) -> list[Any]:
        kind = customer_changes.c.valid_from.type
        prepare = kind.dialect_impl(self._handle.connection.dialect).bind_processor(
            self._handle.connection.dialect
        )
        return list(times) if prepare is None else [prepare(time) for time in times]

    def _placed(self, arrivals: Sequence[Arrival]) -> dict[str, Sequence[Any]]:
        columns = {name: [getattr(a, name) for a in arrivals] for name in _SAME}
        return {**columns, "attributes": [_json(a.values) for a in arrivals]}

    def _settle(self, territory: str, tiling: str, arrivals: Sequence[Arrival], numbers: range) -> None:
        """Let messages count in the states: each sets aside what was known of its customer from its start."""
        self._cut(territory, arrivals)
        rows = [(a, no, a.valid_from, a.valid_to, True) for a, no in zip(arrivals, numbers, strict=True)]
        rows = [row for row in rows if not row[0].gone]
        ended = [(a, no) for a, no in zip(arrivals, numbers, strict=True) if a.valid_to is not None]
        rows += [(a, no, a.valid_to or a.valid_from, None, False) for a, no in ended]
        columns: dict[str, Sequence[Any]] = {
            "starts": self._times([row[2] for row in rows]),
            "ends": self._times([row[3] for row in rows]),
            "no": [row[1] for row in rows],
            "there": [row[4] for row in rows],
        }
        constants = {"territory": territory, "tiling_id": tiling}
        placed = self._placed([row[0] for row in rows])
        insert_columns(self._handle, customer_states, constants, columns | placed)

    def _cut(self, territory: str, arrivals: Sequence[Arrival]) -> None:
        c, execute = customer_states.c, self._handle.connection.execute
        among = is_one_of(self._handle, c.id, [a.id for a in arrivals])
        known = set(execute(select(c.id).where(c.territory == territory, among)).scalars())
        if not (cuts := [{"who": a.id, "start": a.valid_from} for a in arrivals if a.id in known]):
            return
        start = bindparam("start", type_=c.starts.type)
        mine = (c.territory == territory, c.id == bindparam("who"))
        execute(delete(customer_states).where(*mine, c.starts >= start), cuts)
        open_ = or_(c.ends.is_(None), c.ends > start)
        execute(update(customer_states).where(*mine, c.starts < start, open_).values(ends=start), cuts)

    def forget(self, territory: str, until: int) -> None:
        """Delete the states which nobody looks at any more: of messages up to number `until`."""
        c = customer_states.c
        self._handle.connection.execute(
            delete(customer_states).where(c.territory == territory, c.no <= until)
        )


_SAME = ("id", "cell", "verdict", "premise", "lon", "lat")


def _json(values: dict[str, Any]) -> str | None:
    return orjson.dumps(values).decode() if values else None


def _rounds(arrivals: Sequence[Arrival]) -> Iterator[tuple[int, Sequence[Arrival]]]:
    """The messages in pieces in which each customer comes once, each with the place it begins at."""
    start, seen = 0, set[str]()
    for at, arrival in enumerate(arrivals):
        if arrival.id in seen:
            yield start, arrivals[start:at]
            start, seen = at, set()
        seen.add(arrival.id)
    if start < len(arrivals):
        yield start, arrivals[start:]
