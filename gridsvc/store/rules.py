"""Rules of a territory, such as its scheme of grid codes: in versions, the newest of which counts."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import func, insert, select

from gridsvc.store.handle import Handle
from gridsvc.store.tables import territory_rules

__all__ = ["RuleReader", "RuleWriter"]


class RuleReader:
    """Reads rules."""

    def __init__(self, handle: Handle) -> None:
        self._handle = handle

    def newest(self, territory: str, kind: str) -> tuple[int, dict[str, Any]] | None:
        """Version and body of the rules of a kind; None where there are none."""
        c = territory_rules.c
        rows = select(c.version, c.body).where(c.territory == territory, c.kind == kind)
        found = self._handle.connection.execute(rows.order_by(c.version.desc()).limit(1)).first()
        return None if found is None else (found.version, dict(found.body))


class RuleWriter(RuleReader):
    """Writes rules."""

    def put(self, territory: str, kind: str, body: Mapping[str, Any]) -> int:
        """Append a version, and return its number."""
        c = territory_rules.c
        last = select(func.max(c.version)).where(c.territory == territory, c.kind == kind)
        version = (self._handle.connection.execute(last).scalar() or 0) + 1
        row = {
            "territory": territory,
            "kind": kind,
            "version": version,
            "body": dict(body),
            "recorded_by": self._handle.actor,
            "recorded_at": self._handle.clock(),
        }
        self._handle.connection.execute(insert(territory_rules).values(row))
        return version
