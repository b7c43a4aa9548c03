"""Rosters: numbered per territory, never changed, each with the time it counts from."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any, TypeVar

from sqlalchemy import Table, func, insert, select

from gridsvc.errors import NotFound
from gridsvc.store.faults import unique
from gridsvc.store.handle import Handle
from gridsvc.store.records import RosterRecord
from gridsvc.store.tables import departments, members, named_accounts, people, rosters, teams
from gridsvc.teams.model import Department, Member, Named, Person, Roster, Team

__all__ = ["RosterReader", "RosterWriter"]

_TAGS = {"territory", "r", "position"}
_Part = TypeVar("_Part", Department, Person, Team, Member, Named)


class RosterReader:
    """Reads rosters."""

    def __init__(self, handle: Handle) -> None:
        self._handle = handle

    def get(self, territory: str, r: int) -> Roster:
        """Return roster `r` of a territory.

        Raises
        ------
        NotFound
            The territory has no such roster.
        """
        head = select(rosters.c.fallback).where(rosters.c.territory == territory, rosters.c.r == r)
        found = self._handle.connection.execute(head).first()
        if found is None:
            raise NotFound(
                f"territory {territory!r} has no roster {r}",
                field="roster",
                cure="list the rosters there are",
            )
        return Roster(
            departments=self._parts(departments, Department, territory, r),
            people=self._parts(people, Person, territory, r),
            teams=self._parts(teams, Team, territory, r),
            members=self._parts(members, Member, territory, r),
            fallback=found.fallback,
            named=self._parts(named_accounts, Named, territory, r),
        )

    def _parts(self, table: Table, kind: type[_Part], territory: str, r: int) -> tuple[_Part, ...]:
        columns = [c for c in table.c if c.name not in _TAGS]
        rows = (
            select(*columns).where(table.c.territory == territory, table.c.r == r).order_by(table.c.position)
        )
        return tuple(_value(kind, dict(row._mapping)) for row in self._handle.connection.execute(rows))

    def list(self, territory: str, after: int = 0, limit: int = 100) -> list[RosterRecord]:
        """Rosters of a territory by number, at most `limit`, behind `after`."""
        c = rosters.c
        rows = (
            select(c.territory, c.r, c.reason, c.recorded_by, c.valid_from, c.recorded_at)
            .where(c.territory == territory, c.r > after)
            .order_by(c.r)
            .limit(limit)
        )
        return [RosterRecord(**row._mapping) for row in self._handle.connection.execute(rows)]

    def in_force(self, territory: str, at: datetime, known: datetime) -> tuple[int, Roster] | None:
        """The roster in force at a time as known then, whole, with its number; None before the first."""
        r = self.number_in_force(territory, at, known)
        return None if r is None else (r, self.get(territory, r))

    def number_in_force(self, territory: str, at: datetime, known: datetime) -> int | None:
        """The largest r with ``valid_from <= at`` and ``recorded_at <= known``; None before the first."""
        c = rosters.c
        largest = select(func.max(c.r)).where(
            c.territory == territory, c.valid_from <= at, c.recorded_at <= known
        )
        return self._handle.connection.execute(largest).scalar()

    def newest(self, territory: str) -> int | None:
        """The largest number there is, in force or not; None before the first."""
        c = rosters.c
        return self._handle.connection.execute(select(func.max(c.r)).where(c.territory == territory)).scalar()

    def standing(self, territory: str, at: datetime) -> Sequence[tuple[datetime, int]]:
        """The roster in force at a time, if any, and those which will be after it, each with its start."""
        c = rosters.c
        rows = select(c.valid_from, c.r).where(c.territory == territory).order_by(c.valid_from, c.r)
        found = [(at, 0)][:0]
        for since, r in self._handle.connection.execute(rows):
            if found and r < found[-1][1]:
                continue  # a larger number counts already
            if found and (found[-1][0] == since or since <= at):
                found.pop()
            found.append((since, r))
        return found

    def next_valid(self, territory: str, at: datetime, known: datetime) -> datetime | None:
        """When the next roster after `at` comes into force; None while none is known."""
        c = rosters.c
        next_one = select(func.min(c.valid_from, type_=c.valid_from.type)).where(
            c.territory == territory, c.valid_from > at, c.recorded_at <= known
        )
        return self._handle.connection.execute(next_one).scalar()


def _value(kind: type[_Part], named: dict[str, Any]) -> _Part:
    if kind is Person:
        named["skills"], named["languages"] = tuple(named["skills"]), tuple(named["languages"] or ())
    return kind(**named)


class RosterWriter(RosterReader):
    """Writes rosters."""

    def append(self, territory: str, roster: Roster, *, valid_from: datetime, reason: str | None) -> int:
        """Write the next roster of a territory, and return its number.

        Raises
        ------
        Conflict
            A department, person, team or customer comes twice, or a person has one role twice in a team since
            the same time.
        """
        self._handle.bump_seq()  # from here on nobody else gives out a number
        c = rosters.c
        last = select(func.max(c.r), func.max(c.recorded_at, type_=c.recorded_at.type))
        highest, latest = self._handle.connection.execute(last.where(c.territory == territory)).one()
        r, now = (highest or 0) + 1, self._handle.clock()
        head = {
            "territory": territory,
            "r": r,
            "fallback": roster.fallback,
            "reason": reason,
            "recorded_by": self._handle.actor,
            "valid_from": valid_from,
            "recorded_at": now
            if latest is None
            else max(now, latest),  # a later number is never known earlier
        }
        self._handle.connection.execute(insert(rosters).values(head))
        self._write(departments, territory, r, roster.departments)
        self._write(people, territory, r, roster.people)
        self._write(teams, territory, r, roster.teams)
        self._write(members, territory, r, roster.members)
        self._write(named_accounts, territory, r, roster.named)
        return r

    def _write(self, table: Table, territory: str, r: int, parts: Sequence[_Part]) -> None:
        names = [c.name for c in table.c if c.name not in _TAGS]
        rows = [
            {"territory": territory, "r": r, "position": position}
            | {name: getattr(part, name) for name in names}
            for position, part in enumerate(parts)
        ]
        if rows:
            with unique(
                f"the roster names one of its {table.name.replace('_', ' ')} twice", cure="name each once"
            ):
                self._handle.connection.execute(insert(table), rows)
