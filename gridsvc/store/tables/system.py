"""Jobs, the commit counter, and what every unit of work leaves behind."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    Double,
    Index,
    Integer,
    Named,
    Table,
    Text,
    TypedColumns,
)

from gridsvc.store.tables.base import metadata
from gridsvc.store.types import SERIAL, Json, UtcDateTime

__all__ = ["audit", "idempotency", "jobs", "outbox", "seq"]


class _Jobs(TypedColumns):
    id = Column(Text, primary_key=True)
    kind: Named[str] = Column(Text)
    territory: Named[str | None] = Column(Text)
    params: Named[Any] = Column(Json, nullable=False)
    status: Named[str] = Column(Text)
    share: Named[float] = Column(Double)
    message: Named[str] = Column(Text)
    result: Named[Any] = Column(Json, nullable=True)
    problem: Named[Any] = Column(Json, nullable=True)
    worker: Named[str | None] = Column(Text)
    attempts: Named[int] = Column(Integer)
    cancel_requested_at: Named[datetime | None] = Column(UtcDateTime)
    created_by: Named[str] = Column(Text)
    recorded_at: Named[datetime] = Column(UtcDateTime)
    started_at: Named[datetime | None] = Column(UtcDateTime)
    finished_at: Named[datetime | None] = Column(UtcDateTime)
    heartbeat: Named[datetime | None] = Column(UtcDateTime)


class _Seq(TypedColumns):
    id = Column(Integer, primary_key=True, autoincrement=False)
    value: Named[int] = Column(BigInteger)


class _Audit(TypedColumns):
    id = Column(SERIAL, primary_key=True)
    recorded_at: Named[datetime] = Column(UtcDateTime)
    actor: Named[str] = Column(Text)
    action: Named[str] = Column(Text)
    subject: Named[str] = Column(Text)
    before: Named[Any] = Column(Json, nullable=True)
    after: Named[Any] = Column(Json, nullable=True)
    reason: Named[str | None] = Column(Text)
    request_id: Named[str | None] = Column(Text)


class _Outbox(TypedColumns):
    id = Column(SERIAL, primary_key=True)
    recorded_at: Named[datetime] = Column(UtcDateTime)
    kind: Named[str] = Column(Text)
    payload: Named[Any] = Column(Json, nullable=False)


class _Idempotency(TypedColumns):
    actor: Named[str] = Column(Text, primary_key=True)
    route: Named[str] = Column(Text, primary_key=True)
    key: Named[str] = Column(Text, primary_key=True)
    digest: Named[str] = Column(Text)
    status: Named[int] = Column(Integer)
    body: Named[Any] = Column(Json, nullable=True)
    recorded_at: Named[datetime] = Column(UtcDateTime)


jobs = Table("jobs", metadata, _Jobs, Index(None, "status", "id"))
seq = Table("seq", metadata, _Seq, CheckConstraint("id = 1", name="one_row"))
audit = Table("audit", metadata, _Audit, Index(None, "subject"), sqlite_autoincrement=True)
outbox = Table("outbox", metadata, _Outbox, sqlite_autoincrement=True)
idempotency = Table("idempotency", metadata, _Idempotency)
