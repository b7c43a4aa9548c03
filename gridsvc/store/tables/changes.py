"""Customers as they come and go between imports."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Double,
    ForeignKey,
    Index,
    Integer,
    Named,
    SmallInteger,
    Table,
    Text,
    TypedColumns,
)

from gridsvc.store.tables.base import metadata
from gridsvc.store.types import Json, UtcDateTime

__all__ = ["customer_changes", "customer_states"]


class _Changes(TypedColumns):
    no: Named[int] = Column(BigInteger, primary_key=True, autoincrement=False)
    territory: Named[str] = Column(Text, ForeignKey("territories.id"))
    id: Named[str] = Column(Text)
    source_updated_at: Named[datetime] = Column(UtcDateTime)
    valid_from: Named[datetime] = Column(UtcDateTime)
    valid_to: Named[datetime | None] = Column(UtcDateTime)
    tiling_id: Named[str] = Column(Text, ForeignKey("tilings.id"))
    cell: Named[int] = Column(Integer)
    verdict: Named[int] = Column(SmallInteger)
    premise: Named[str | None] = Column(Text)
    lon: Named[float | None] = Column(Double)
    lat: Named[float | None] = Column(Double)
    attributes: Named[Any] = Column(Json, nullable=True)
    actor: Named[str] = Column(Text)
    recorded_at: Named[datetime] = Column(UtcDateTime)


class _States(TypedColumns):
    territory: Named[str] = Column(Text, primary_key=True)
    id: Named[str] = Column(Text, primary_key=True)
    starts: Named[datetime] = Column(UtcDateTime, primary_key=True)
    ends: Named[datetime | None] = Column(UtcDateTime)
    no: Named[int] = Column(BigInteger)
    there: Named[bool] = Column(Boolean)
    tiling_id: Named[str] = Column(Text)
    cell: Named[int] = Column(Integer)
    verdict: Named[int] = Column(SmallInteger)
    premise: Named[str | None] = Column(Text)
    lon: Named[float | None] = Column(Double)
    lat: Named[float | None] = Column(Double)
    attributes: Named[Any] = Column(Json, nullable=True)


customer_changes = Table(
    "customer_changes",
    metadata,
    _Changes,
    Index(None, "territory", "id", "no"),
)
"""What was told, in the order of commits; rows are only ever added, but a person may ask to be erased."""

customer_states = Table(
    "customer_states",
    metadata,
    _States,
    Index(None, "territory", "no"),
    Index(None, "territory", "starts"),
    Index(None, "territory", "tiling_id", "cell", "id"),
    sqlite_with_rowid=False,
)
"""What follows of it: for each customer the times at which it is at a place or gone, which never overlap."""
