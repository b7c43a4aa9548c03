"""What proves the audit whole: the chain of sealed rows, what waits for it, and keys of those named."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    Integer,
    LargeBinary,
    Named,
    Table,
    Text,
    TypedColumns,
)

from gridsvc.store.tables.base import metadata
from gridsvc.store.types import UtcDateTime

__all__ = ["audit_chain", "audit_keys", "audit_waiting", "erasing"]


class _Waiting(TypedColumns):
    audit_id: Named[int] = Column(BigInteger, primary_key=True, autoincrement=False)


class _Chain(TypedColumns):
    seq: Named[int] = Column(BigInteger, primary_key=True, autoincrement=False)
    audit_id: Named[int] = Column(BigInteger, unique=True)
    salt: Named[bytes | None] = Column(LargeBinary)
    seal: Named[str] = Column(Text)
    digest: Named[str] = Column(Text)


class _Keys(TypedColumns):
    kind: Named[str] = Column(Text, primary_key=True)
    territory: Named[str] = Column(Text, primary_key=True)
    subject: Named[str] = Column(Text, primary_key=True)
    key: Named[bytes] = Column(LargeBinary)
    recorded_at: Named[datetime] = Column(UtcDateTime)


class _Erasing(TypedColumns):
    id = Column(Integer, primary_key=True, autoincrement=False)


audit_waiting = Table("audit_waiting", metadata, _Waiting)
"""Rows which are not sealed yet, noted by the transaction that wrote them."""

audit_chain = Table("audit_chain", metadata, _Chain)
audit_keys = Table("audit_keys", metadata, _Keys)

erasing = Table("erasing", metadata, _Erasing, CheckConstraint("id = 1", name="one_row"))
"""Holds a row only inside a transaction which erases somebody: then texts on record may be changed."""
