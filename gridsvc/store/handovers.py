"""Handovers: appended, never altered."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from sqlalchemy import Row, insert, select

from gridsvc.errors import NotFound
from gridsvc.store.handle import Handle
from gridsvc.store.ids import new_id
from gridsvc.store.records import NEVER
from gridsvc.store.tables import handovers

__all__ = ["HandoverReader", "HandoverRecord", "HandoverWriter"]


@dataclass(frozen=True)
class HandoverRecord:
    """A leaver, or a grid which goes to another team.

    Attributes
    ----------
    person : str or None
        The leaver.
    line, grid : str or None
        The grid by its code.
    roster : int or None
        The one written for a leaver.
    plan : str or None
        The draft written for a grid.
    told : dict
        What was done and proved, as JSON values.
    id, recorded_by, recorded_at
        Filled by the store.
    """

    territory: str
    kind: Literal["leaver", "grid"]
    effective_at: datetime
    reason: str
    told: dict[str, Any]
    person: str | None = None
    line: str | None = None
    grid: str | None = None
    roster: int | None = None
    plan: str | None = None
    id: str = ""
    recorded_by: str = ""
    recorded_at: datetime = NEVER


def _record(row: Row[*tuple[Any, ...]]) -> HandoverRecord:
    named = dict(row._mapping)
    return HandoverRecord(plan=named.pop("plan_id"), **named)


class HandoverReader:
    """Reads handovers."""

    def __init__(self, handle: Handle) -> None:
        self._handle = handle

    def get(self, territory: str, handover: str) -> HandoverRecord:
        """Return the handover.

        Raises
        ------
        NotFound
            The territory has none of this id.
        """
        c = handovers.c
        rows = select(handovers).where(c.territory == territory, c.id == handover)
        found = self._handle.connection.execute(rows).first()
        if found is None:
            raise NotFound(
                f"there is no handover {handover[:40]!r}",
                field="handover",
                cure="list the handovers there are",
            )
        return _record(found)

    def leavers(self, territory: str) -> list[HandoverRecord]:
        """All handovers of leavers, oldest first."""
        c = handovers.c
        rows = select(handovers).where(c.territory == territory, c.kind == "leaver").order_by(c.id)
        return [_record(row) for row in self._handle.connection.execute(rows)]

    def list(self, territory: str, after: str | None = None, limit: int = 100) -> list[HandoverRecord]:
        """Handovers of a territory, oldest first, at most `limit`, behind the id `after`."""
        c = handovers.c
        rows = select(handovers).where(c.territory == territory)
        if after is not None:
            rows = rows.where(c.id > after)
        return [_record(row) for row in self._handle.connection.execute(rows.order_by(c.id).limit(limit))]


class HandoverWriter(HandoverReader):
    """Writes handovers."""

    def add(self, record: HandoverRecord) -> str:
        """Write a handover, and return its id."""
        made = new_id("hnd")
        row = {
            **{name: value for name, value in vars(record).items() if name != "plan"},
            "plan_id": record.plan,
            "id": made,
            "recorded_by": self._handle.actor,
            "recorded_at": self._handle.clock(),
        }
        self._handle.connection.execute(insert(handovers).values(row))
        return made
