"""A roster as a plain document (the JSON form used over HTTP), checked on the way in."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from math import isfinite
from typing import Any, TypeVar, cast, get_args

from gridsvc.errors import InvalidCoordinate, InvalidInput
from gridsvc.teams.model import Department, Member, Named, Person, Role, Roster, Team
from gridsvc.teams.rules import check_roster
from gridsvc.text import is_text

__all__ = ["roster_from_dict", "roster_to_dict", "stored_roster"]

T = TypeVar("T")

_SHOWN = 40  # characters of a wrong value in a message
_PRIVATE = frozenset({"people", "named"})


def roster_from_dict(document: Mapping[str, Any]) -> Roster:
    """Read a roster from ``{"departments": [], "people": [], "teams": [], "members": [], "fallback": id}``.

    The name list ``"named": []`` may be left out. Members of an entry are the attributes of the classes in
    `gridsvc.teams.model`; those with a default may be left out or null.

    Raises
    ------
    InvalidInput
        A value is missing or of the wrong kind, or the lists do not hold together (`check_roster`). `source`
        is the list, `row` the entry (1 is the first). Ids of customers are never quoted.
    InvalidCoordinate
        A longitude or latitude is out of range, or only one of the two is given.
    """
    roster = stored_roster(document)
    check_roster(roster)
    return roster


def stored_roster(document: Mapping[str, Any]) -> Roster:
    """Read a roster which was checked when it was stored.

    What is kept counts, also where a later version would refuse it: lookups must go on.
    """
    fallback = document.get("fallback")
    if fallback is not None and not isinstance(fallback, str):
        raise InvalidInput("not the id of a team", field="fallback", cure="give the id as text, or null")
    return Roster(
        departments=_entries(document, "departments", _department),
        people=_entries(document, "people", _person),
        teams=_entries(document, "teams", _team),
        members=_entries(document, "members", _member),
        fallback=fallback or None,
        named=_entries(document, "named", _named),
    )


def roster_to_dict(roster: Roster) -> dict[str, Any]:
    """Write a roster as `roster_from_dict` reads it."""
    return {
        "departments": [dict(vars(entry)) for entry in roster.departments],
        "people": [_with_lists(entry) for entry in roster.people],
        "teams": [vars(entry) | {"capacity": dict(entry.capacity)} for entry in roster.teams],
        "members": [_with_times(entry) for entry in roster.members],
        "fallback": roster.fallback,
        "named": [vars(entry) | {"until": _written(entry.until)} for entry in roster.named],
    }


def _with_lists(person: Person) -> dict[str, Any]:
    lists = {"skills": list(person.skills), "languages": list(person.languages)}
    return vars(person) | lists | {"valid_until": _written(person.valid_until)}


def _with_times(member: Member) -> dict[str, Any]:
    times = {"valid_from": _written(member.valid_from), "valid_until": _written(member.valid_until)}
    return vars(member) | times


def _written(until: datetime | None) -> str | None:
    return None if until is None else until.isoformat()


@dataclass(frozen=True, slots=True)
class _Entry:
    """One entry of a list, which knows where it stands when something is wrong with it."""

    source: str
    row: int
    values: Mapping[str, Any]

    def fault(self, field: str, message: str, cure: str) -> InvalidInput:
        return InvalidInput(message, source=self.source, row=self.row, field=field, cure=cure)

    def quoted(self, value: object) -> str:
        """A wrong value for a message; among people and customers it may be a name in the wrong place."""
        return "this" if self.source in _PRIVATE else repr(value)

    def text(self, field: str) -> str:
        value = self.optional_text(field)
        if value is None:
            raise self.fault(field, "missing", "give a text")
        return value

    def optional_text(self, field: str) -> str | None:
        value = self.values.get(field)
        if value is not None and not isinstance(value, str):
            raise self.fault(field, f"{self.quoted(value)} is not a text", "put it in quotes")
        if value is not None and not is_text(value):
            raise self.fault(field, "a character which no database holds", "write the text once more")
        return (value or "").strip() or None

    def private_text(self, field: str) -> str:
        """A text which no message may quote."""
        value = self.values.get(field)
        if value is not None and not isinstance(value, str):
            raise self.fault(field, "not a text", "put it in quotes")
        return self.text(field)

    def moment(self, field: str) -> datetime | None:
        text = self.optional_text(field)
        cure = "write it as 2026-12-01T00:00:00+08:00, or leave it out"
        if text is None:
            return None
        try:
            found = datetime.fromisoformat(text)
            if found.tzinfo is not None:
                return found.astimezone(UTC)
        except ValueError:
            raise self.fault(field, f"{self.quoted(text[:_SHOWN])} is no time", cure) from None
        except OverflowError:
            raise self.fault(field, "beyond the calendar", cure) from None
        raise self.fault(field, "a time without offset", cure)

    def number(self, field: str) -> float | None:
        value = self.values.get(field)
        if value is None:
            return None
        if isinstance(value, bool) or not isinstance(value, int | float) or not isfinite(value):
            raise self.fault(field, f"{self.quoted(value)} is not a number", "give a number")
        return float(value)

    def at_least_zero(self, field: str, default: float) -> float:
        given = self.number(field)
        value = default if given is None else given
        if value < 0:
            raise self.fault(field, f"{value:g} is negative", "give a number of 0 or more")
        return value

    def share(self, field: str) -> float:
        value = self.at_least_zero(field, 1.0)
        if value > 1:
            raise self.fault(field, f"{value:g} is not a share", "give a number from 0 to 1, 0.5 is half")
        return value

    def texts(self, field: str, example: str) -> tuple[str, ...]:
        value = self.values.get(field) or ()
        listed = isinstance(value, Sequence) and not isinstance(value, str)
        if not listed or not all(isinstance(text, str) and is_text(text) for text in value):
            raise self.fault(field, "not a list of texts", f'give a list such as ["{example}"]')
        return tuple(value)

    def flag(self, field: str) -> bool:
        value = self.values.get(field)
        if value is not None and not isinstance(value, bool):
            raise self.fault(field, f"{self.quoted(value)} is neither true nor false", "give true or false")
        return bool(value)

    def base(self) -> tuple[float | None, float | None]:
        lon, lat = self.number("lon"), self.number("lat")
        for field, value, limit in (("lon", lon, 180), ("lat", lat, 90)):
            if value is not None and abs(value) > limit:
                raise self._bad_coordinate(field, f"{value:g} is not within -{limit} and {limit}")
        if (lon is None) != (lat is None):
            raise self._bad_coordinate("lat" if lat is None else "lon", "missing beside the other coordinate")
        return lon, lat

    def _bad_coordinate(self, field: str, message: str) -> InvalidCoordinate:
        cure = "give both in WGS-84 degrees, or neither"
        return InvalidCoordinate(message, source=self.source, row=self.row, field=field, cure=cure)


def _entries(document: Mapping[str, Any], name: str, read: Callable[[_Entry], T]) -> tuple[T, ...]:
    entries = document.get(name, [])
    if not isinstance(entries, Sequence) or isinstance(entries, str):
        raise InvalidInput("not a list", field=name, cure="give a list of entries")
    for row, entry in enumerate(entries, 1):
        if not isinstance(entry, Mapping):
            raise InvalidInput("not an entry with named values", source=name, row=row, cure="give an object")
    return tuple(read(_Entry(name, row, entry)) for row, entry in enumerate(entries, 1))


def _department(entry: _Entry) -> Department:
    above, *heads = (entry.optional_text(name) for name in ("parent", "head", "acting_head"))
    return Department(entry.text("id"), entry.text("name"), above, *heads)


def _person(entry: _Entry) -> Person:
    lon, lat = entry.base()
    return Person(
        id=entry.text("id"),
        name=entry.text("name"),
        department=entry.text("department"),
        skills=entry.texts("skills", "vip"),
        lon=lon,
        lat=lat,
        capacity=entry.at_least_zero("capacity", 1.0),
        languages=entry.texts("languages", "zh"),
        kpi_share=None if entry.number("kpi_share") is None else entry.share("kpi_share"),
        valid_until=entry.moment("valid_until"),
    )


def _team(entry: _Entry) -> Team:
    lon, lat = entry.base()
    return Team(
        id=entry.text("id"),
        name=entry.text("name"),
        lon=lon,
        lat=lat,
        capacity=_capacity(entry),
        level=entry.optional_text("level") or "grid",
    )


def _capacity(entry: _Entry) -> dict[str, float]:
    capacity = entry.values.get("capacity") or {}
    if not isinstance(capacity, Mapping):
        raise entry.fault("capacity", "not numbers by measure", 'give an object such as {"customers": 900}')
    inner = _Entry(entry.source, entry.row, {f"capacity.{name}": value for name, value in capacity.items()})
    return {
        name: inner.at_least_zero(f"capacity.{name}", 0.0)
        for name, value in capacity.items()
        if value is not None  # null is unlimited, as if the measure were not named
    }


def _member(entry: _Entry) -> Member:
    role, roles = entry.optional_text("role"), f"use one of {', '.join(get_args(Role))}"
    if role not in get_args(Role):
        fault = "a person without role" if role is None else f"no role {role[:_SHOWN]!r}"
        raise entry.fault("role", fault, roles)
    since, until = entry.moment("valid_from"), entry.moment("valid_until")
    if since is not None and until is not None and until <= since:
        raise entry.fault("valid_until", "not after valid_from", "give a later time, or leave it out")
    return Member(
        team=entry.text("team"),
        person=entry.text("person"),
        role=cast(Role, role),
        time_share=entry.share("time_share"),
        kpi_share=entry.share("kpi_share"),
        acting=entry.flag("acting"),
        backup=entry.flag("backup"),
        valid_from=since,
        valid_until=until,
    )


def _named(entry: _Entry) -> Named:
    return Named(
        customer=entry.private_text("customer"),
        team=entry.text("team"),
        reason=entry.text("reason"),
        until=entry.moment("until"),
    )
