"""The company's calendar, by which deadlines are counted."""

from __future__ import annotations

from gridsvc.calendar import WorkCalendar, calendar_from_dict
from gridsvc.principal import Principal
from gridsvc.store.database import Database, Reader

__all__ = ["calendar_of", "get", "put"]


def calendar_of(reader: Reader) -> WorkCalendar:
    """The calendar in force: free Saturdays and Sundays while nobody has put one."""
    found = reader.reviews.document("calendar")
    return WorkCalendar() if found is None else calendar_from_dict(found[1])


def get(db: Database, who: Principal) -> tuple[int, WorkCalendar]:
    """The calendar and its revision, 0 for that by default."""
    who.require("territories:read")
    with db.read() as reader:
        found = reader.reviews.document("calendar")
        return (0 if found is None else found[0]), calendar_of(reader)


def put(db: Database, who: Principal, calendar: WorkCalendar) -> int:
    """Replace the calendar, and give its revision; deadlines which are set already stay as they are."""
    who.require("company:write")
    with db.write(who, "calendar.put") as uow:
        before = calendar_of(uow).as_dict()
        revision = uow.reviews.put_document("calendar", calendar.as_dict())
        uow.audit(f"calendar/{revision}", before, calendar.as_dict())
        uow.emit("calendar.changed", {"revision": revision, "actor": who.actor})
    return revision
