"""Working days: a company's weekend, its holidays, and days it works all the same (调休)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from gridsvc.errors import InvalidInput

__all__ = ["WorkCalendar", "calendar_from_dict"]

_DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_MOST = 2000  # dates in a list: decades of holidays
_FIRST, _LAST = date(2000, 1, 1), date(2199, 12, 31)
_SHOWN = 40


@dataclass(frozen=True, slots=True)
class WorkCalendar:
    """Which days a company works.

    Attributes
    ----------
    weekend : frozenset of int
        ISO weekdays which are free, 1 is Monday; never all seven.
    holidays : frozenset of date
        Free whatever their weekday.
    workdays : frozenset of date
        Worked whatever their weekday.
    """

    weekend: frozenset[int] = frozenset({6, 7})
    holidays: frozenset[date] = frozenset()
    workdays: frozenset[date] = frozenset()

    def works(self, day: date) -> bool:
        """Whether `day` is a working day."""
        if day in self.holidays:
            return False
        return day in self.workdays or day.isoweekday() not in self.weekend

    def due(self, start: datetime, days: int, zone: str) -> datetime:
        """The end of the last of `days` working days after the day of `start`.

        Parameters
        ----------
        zone : str
            IANA time zone whose days count.

        Returns
        -------
        datetime
            00:00 of the day behind it, in UTC: whoever is there before is in time.
        """
        there = ZoneInfo(zone)
        day = start.astimezone(there).date()
        while days:
            day += timedelta(days=1)
            days -= self.works(day)
        return datetime.combine(day + timedelta(days=1), time(), there).astimezone(UTC)

    def as_dict(self) -> dict[str, Any]:
        """The calendar as `calendar_from_dict` reads it."""
        return {
            "weekend": [_DAYS[day - 1] for day in sorted(self.weekend)],
            "holidays": [day.isoformat() for day in sorted(self.holidays)],
            "workdays": [day.isoformat() for day in sorted(self.workdays)],
        }


def calendar_from_dict(document: Mapping[str, Any]) -> WorkCalendar:
    """Read ``{"weekend": ["sat", "sun"], "holidays": ["2026-10-01"], "workdays": ["2026-10-10"]}``.

    A list which is left out is that of the default: free Saturdays and Sundays, and no dates.

    Raises
    ------
    InvalidInput
        Something is no day or stands twice, a day is both free and worked, or no weekday is left to work on.
        `field` is the list, `row` the entry (1 is the first).
    """
    weekend = _weekend(document.get("weekend", ["sat", "sun"]))
    holidays, workdays = (_dates(document.get(name, []), name) for name in ("holidays", "workdays"))
    for row, day in enumerate(workdays, 1):
        if day in holidays:
            raise InvalidInput(
                f"{day} is a holiday, too", field="workdays", row=row, cure="keep it in one of the two lists"
            )
    return WorkCalendar(weekend, frozenset(holidays), frozenset(workdays))


def _entries(value: Any, field: str) -> list[str]:
    if not isinstance(value, list) or not all(isinstance(entry, str) for entry in value):
        raise InvalidInput("not a list of texts", field=field, cure='give a list such as ["2026-10-01"]')
    if len(value) > _MOST:
        raise InvalidInput(f"{len(value):,} entries", field=field, cure=f"give at most {_MOST:,}")
    for row, entry in enumerate(value, 1):
        if (first := value.index(entry)) < row - 1:
            raise InvalidInput(
                f"{entry[:_SHOWN]!r} stands in place {first + 1} already",
                field=field,
                row=row,
                cure="name each day once",
            )
    return value


def _weekend(value: Any) -> frozenset[int]:
    entries = _entries(value, "weekend")
    for row, entry in enumerate(entries, 1):
        if entry not in _DAYS:
            raise InvalidInput(
                f"{entry[:_SHOWN]!r} is no weekday",
                field="weekend",
                row=row,
                cure=f"use {', '.join(_DAYS)}",
            )
    if len(entries) == len(_DAYS):
        raise InvalidInput("no day is left to work on", field="weekend", cure="leave out the days worked")
    return frozenset(_DAYS.index(entry) + 1 for entry in entries)


def _dates(value: Any, field: str) -> list[date]:
    return [_date(text, field, row) for row, text in enumerate(_entries(value, field), 1)]


def _date(text: str, field: str, row: int) -> date:
    try:
        found = date.fromisoformat(text)
    except ValueError:
        found = None
    # Python also reads 20261001 and 2026-W40-4: one day in two spellings would escape the check for doubles.
    if found is None or found.isoformat() != text or not _FIRST <= found <= _LAST:
        raise InvalidInput(
            f"{text[:_SHOWN]!r} is no date from {_FIRST.year} to {_LAST.year}",
            field=field,
            row=row,
            cure="write it as 2026-10-01",
        )
    return found
