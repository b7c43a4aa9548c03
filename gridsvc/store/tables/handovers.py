"""Handovers: who or what was handed over, why, and what was written for it."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import Column, ForeignKey, Index, Integer, Named, Table, Text, TypedColumns

from gridsvc.store.tables.base import metadata
from gridsvc.store.types import Json, UtcDateTime

__all__ = ["handovers"]


class _Handovers(TypedColumns):
    id = Column(Text, primary_key=True)
    territory: Named[str] = Column(Text, ForeignKey("territories.id"))
    kind: Named[str] = Column(Text)
    person: Named[str | None] = Column(Text)
    line: Named[str | None] = Column(Text)
    grid: Named[str | None] = Column(Text)
    effective_at: Named[datetime] = Column(UtcDateTime)
    reason: Named[str] = Column(Text)
    roster: Named[int | None] = Column(Integer)
    plan_id: Named[str | None] = Column(Text, ForeignKey("plans.id"))
    told: Named[Any] = Column(Json, nullable=False)
    recorded_by: Named[str] = Column(Text)
    recorded_at: Named[datetime] = Column(UtcDateTime)


handovers = Table("handovers", metadata, _Handovers, Index(None, "territory", "id"))
