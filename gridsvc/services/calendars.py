"""The company's calendar, by which deadlines are counted."""

from __future__ import annotations

from gridsvc.calendar import WorkCalendar, calendar_from_dict
from gridsvc.principal import Principal
from gridsvc.services.documents import Document
from gridsvc.store.database import Database, Reader

__all__ = ["calendar_of", "get", "put"]

_CALENDAR = Document("calendar", "territories:read", WorkCalendar, calendar_from_dict)


def calendar_of(reader: Reader) -> WorkCalendar:
    """The calendar in force: free Saturdays and Sundays while nobody has put one."""
    return _CALENDAR.of(reader)


def get(db: Database, who: Principal) -> tuple[int, WorkCalendar]:
    """The calendar's revision, 0 for that by default, and the calendar."""
    return _CALENDAR.get(db, who)


def put(db: Database, who: Principal, calendar: WorkCalendar) -> int:
    """Replace the calendar, and give its revision; deadlines which are set already stay as they are."""
    return _CALENDAR.put(db, who, calendar)
