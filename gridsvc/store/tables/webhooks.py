"""Webhooks, what is to be delivered to them, and who delivers."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    ForeignKey,
    Index,
    Integer,
    Named,
    Table,
    Text,
    TypedColumns,
)

from gridsvc.store.tables.base import metadata
from gridsvc.store.types import Json, UtcDateTime

__all__ = ["deliveries", "senders", "webhooks"]


class _Webhooks(TypedColumns):
    id = Column(Text, primary_key=True)
    url: Named[str] = Column(Text)
    kinds: Named[Any] = Column(Json, nullable=False)
    territory: Named[str | None] = Column(Text, ForeignKey("territories.id"))
    secret: Named[str] = Column(Text)
    former_secret: Named[str | None] = Column(Text)
    former_until: Named[datetime | None] = Column(UtcDateTime)
    status: Named[str] = Column(Text)
    reason: Named[str | None] = Column(Text)
    seen: Named[int] = Column(BigInteger)
    created_by: Named[str] = Column(Text)
    recorded_at: Named[datetime] = Column(UtcDateTime)


class _Deliveries(TypedColumns):
    webhook_id: Named[str] = Column(Text, ForeignKey("webhooks.id"), primary_key=True)
    event: Named[int] = Column(BigInteger, primary_key=True, autoincrement=False)
    kind: Named[str] = Column(Text)
    status: Named[str] = Column(Text)
    attempts: Named[int] = Column(Integer)
    since: Named[datetime] = Column(UtcDateTime)
    next_at: Named[datetime | None] = Column(UtcDateTime)
    answer: Named[int | None] = Column(Integer)
    fault: Named[str | None] = Column(Text)
    settled_at: Named[datetime | None] = Column(UtcDateTime)


class _Senders(TypedColumns):
    id = Column(Integer, primary_key=True, autoincrement=False)
    holder: Named[str | None] = Column(Text)
    beaten_at: Named[datetime | None] = Column(UtcDateTime)


webhooks = Table("webhooks", metadata, _Webhooks)
deliveries = Table("deliveries", metadata, _Deliveries, Index(None, "status", "next_at"))
senders = Table("senders", metadata, _Senders, CheckConstraint("id = 1", name="one_row"))
