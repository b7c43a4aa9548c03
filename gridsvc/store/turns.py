"""Until when it was told which teams the clock gave another lead, and when the next get one."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import insert, or_, select, update

from gridsvc.store.handle import Handle
from gridsvc.store.tables import lead_turns, rosters

__all__ = ["TurnReader", "TurnWriter", "TurnsTold"]


@dataclass(frozen=True, slots=True)
class TurnsTold:
    """How far a territory's turns were told.

    Attributes
    ----------
    until : datetime
    next_at : datetime or None
        When to look again; None while no turn is to come.
    """

    until: datetime
    next_at: datetime | None


class TurnReader:
    """Reads how far turns were told."""

    def __init__(self, handle: Handle) -> None:
        self._handle = handle

    def told(self, territory: str) -> TurnsTold | None:
        """How far a territory's turns were told; None where nobody has looked yet."""
        c = lead_turns.c
        rows = select(c.told_until, c.next_at).where(c.territory == territory)
        found = self._handle.connection.execute(rows).first()
        return None if found is None else TurnsTold(found.told_until, found.next_at)

    def due(self, now: datetime) -> list[str]:
        """Territories with a turn which has come, or at which nobody has looked yet."""
        c = lead_turns.c
        joined = rosters.outerjoin(lead_turns, c.territory == rosters.c.territory)
        rows = select(rosters.c.territory).distinct().select_from(joined)
        due = rows.where(or_(c.territory.is_(None), c.next_at <= now)).order_by(rosters.c.territory)
        return list(self._handle.connection.execute(due).scalars())


class TurnWriter(TurnReader):
    """Writes how far turns were told."""

    def note(self, territory: str, told: TurnsTold) -> None:
        """Note how far a territory's turns were told."""
        c, values = lead_turns.c, {"told_until": told.until, "next_at": told.next_at}
        changed = update(lead_turns).where(c.territory == territory).values(values)
        if not self._handle.connection.execute(changed).rowcount:
            self._handle.connection.execute(insert(lead_turns).values(territory=territory, **values))
