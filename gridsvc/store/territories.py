"""Territories."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Row, insert, select

from gridsvc.store.faults import unique
from gridsvc.store.handle import Handle
from gridsvc.store.records import Territory
from gridsvc.store.sight import no_such_territory
from gridsvc.store.tables import territories

__all__ = ["TerritoryReader", "TerritoryWriter"]


def _record(row: Row[*tuple[Any, ...]]) -> Territory:
    return Territory(**row._mapping)


class TerritoryReader:
    """Reads territories."""

    def __init__(self, handle: Handle) -> None:
        self._handle = handle

    def get(self, territory_id: str) -> Territory:
        """Return the territory.

        Raises
        ------
        NotFound
            No territory has this id.
        """
        found = self._handle.connection.execute(
            select(territories).where(territories.c.id == territory_id)
        ).first()
        if found is None:
            raise no_such_territory(territory_id)
        return _record(found)

    def list(self, after: str | None = None, limit: int = 100) -> list[Territory]:
        """Territories by id, at most `limit`, behind `after`."""
        rows = select(territories).order_by(territories.c.id).limit(limit)
        if after is not None:
            rows = rows.where(territories.c.id > after)
        return [_record(row) for row in self._handle.connection.execute(rows)]


class TerritoryWriter(TerritoryReader):
    """Writes territories."""

    def create(self, territory: Territory) -> None:
        """Write a territory.

        Raises
        ------
        Conflict
            The id is taken.
        """
        row = {**vars(territory), "recorded_at": self._handle.clock()}
        with unique(f"there is already a territory {territory.id!r}", cure="choose another id"):
            self._handle.connection.execute(insert(territories).values(row))
