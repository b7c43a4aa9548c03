"""Deadlines fall on the end of a working day, over weekends and holidays, in the territory's own time."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gridsvc.calendar import WorkCalendar, calendar_from_dict
from gridsvc.errors import InvalidInput

SHANGHAI = "Asia/Shanghai"
# The National Day of 2026 with its worked Saturday.
AUTUMN = calendar_from_dict(
    {"holidays": [f"2026-10-0{day}" for day in range(1, 8)], "workdays": ["2026-09-27", "2026-10-10"]}
)


def due(asked: str, calendar: WorkCalendar = AUTUMN, zone: str = SHANGHAI, days: int = 3) -> str:
    end = calendar.due(datetime.fromisoformat(asked), days, zone)
    assert end.tzinfo is UTC
    return (end.astimezone(ZoneInfo(zone)) - timedelta(microseconds=1)).strftime("%a %Y-%m-%d")


@pytest.mark.parametrize(
    ("asked", "last_day"),
    [
        ("2026-11-02T09:00:00+08:00", "Thu 2026-11-05"),  # Monday
        ("2026-11-05T09:00:00+08:00", "Tue 2026-11-10"),  # over a weekend
        ("2026-11-07T09:00:00+08:00", "Wed 2026-11-11"),  # on a free Saturday
        ("2026-09-29T09:00:00+08:00", "Fri 2026-10-09"),  # over a holiday: 30 September, 8 and 9 October
        ("2026-09-30T09:00:00+08:00", "Sat 2026-10-10"),  # 8, 9 and the Saturday which is worked
        ("2026-09-25T09:00:00+08:00", "Tue 2026-09-29"),  # the Sunday before is worked, too
        ("2026-11-02T23:30:00+08:00", "Thu 2026-11-05"),  # late, but still Monday there
        ("2026-11-02T16:30:00+00:00", "Fri 2026-11-06"),  # Tuesday there already
    ],
)
def test_three_working_days_end_with_the_third(asked: str, last_day: str) -> None:
    assert due(asked) == last_day


def test_a_day_with_a_change_of_clocks_ends_at_its_midnight() -> None:
    end = WorkCalendar().due(datetime(2026, 10, 21, 12, tzinfo=UTC), 3, "Europe/Berlin")
    assert end == datetime(2026, 10, 26, 23, tzinfo=UTC)  # Monday's end in winter time


DAYS = st.dates(date(2026, 1, 1), date(2026, 3, 31))


@given(
    st.frozensets(st.integers(1, 7), max_size=6),
    st.frozensets(DAYS, max_size=30),
    st.frozensets(DAYS, max_size=30),
    st.integers(0, 60 * 24 * 60).map(
        lambda minutes: datetime(2026, 1, 1, tzinfo=UTC) + timedelta(minutes=minutes)
    ),
    st.integers(1, 8),
    st.sampled_from([SHANGHAI, "Europe/Berlin", "America/St_Johns", "UTC"]),
)
def test_just_so_many_working_days_lie_before_the_deadline(
    weekend: frozenset[int],
    holidays: frozenset[date],
    workdays: frozenset[date],
    start: datetime,
    days: int,
    zone: str,
) -> None:
    calendar = WorkCalendar(weekend, holidays, workdays - holidays)
    end = calendar.due(start, days, zone).astimezone(ZoneInfo(zone))
    day, worked = start.astimezone(ZoneInfo(zone)).date() + timedelta(days=1), []
    while day < end.date():
        free = day in holidays or (day.isoweekday() in weekend and day not in workdays)
        worked += [] if free else [day]
        day += timedelta(days=1)
    assert len(worked) == days
    assert worked[-1] == end.date() - timedelta(days=1)
    assert (end.hour, end.minute) == (0, 0)


def test_a_calendar_comes_back_as_it_was_written() -> None:
    assert calendar_from_dict(AUTUMN.as_dict()) == AUTUMN
    assert calendar_from_dict({}) == WorkCalendar()


@pytest.mark.parametrize(
    ("document", "field", "row", "words"),
    [
        ({"weekend": ["sat", "Sun"]}, "weekend", 2, "'Sun' is no weekday; use mon"),
        ({"weekend": ["sat", "sat"]}, "weekend", 2, "in place 1 already"),
        ({"weekend": "sat"}, "weekend", None, "not a list"),
        ({"weekend": ["mon", "tue", "wed", "thu", "fri", "sat", "sun"]}, "weekend", None, "no day is left"),
        ({"holidays": ["2026-02-30"]}, "holidays", 1, "'2026-02-30' is no date"),
        ({"holidays": ["2026-10-01", "20261002"]}, "holidays", 2, "write it as 2026-10-01"),
        ({"holidays": ["2026-W40-4"]}, "holidays", 1, "is no date"),
        ({"holidays": ["1026-10-01"]}, "holidays", 1, "from 2000 to 2199"),
        ({"holidays": ["2026-10-01"] * 2}, "holidays", 2, "in place 1 already"),
        ({"holidays": [1]}, "holidays", None, "not a list of texts"),
        ({"workdays": ["2026-10-01"], "holidays": ["2026-10-01"]}, "workdays", 1, "is a holiday, too"),
        (
            {"holidays": [str(date(2000, 1, 1) + timedelta(n)) for n in range(2001)]},
            "holidays",
            None,
            "2,000",
        ),
    ],
)
def test_what_is_no_calendar_is_refused(
    document: dict[str, Any], field: str, row: int | None, words: str
) -> None:
    with pytest.raises(InvalidInput) as refused:
        calendar_from_dict(document)
    assert (refused.value.field, refused.value.row) == (field, row)
    assert words in str(refused.value)
    assert refused.value.cure
