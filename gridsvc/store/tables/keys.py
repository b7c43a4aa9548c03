"""Keys by which programs and people are known; of the secret only its digest is here."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import Column, Named, Table, Text, TypedColumns, UniqueConstraint

from gridsvc.store.tables.base import metadata
from gridsvc.store.types import Json, UtcDateTime

__all__ = ["keys"]


class _Keys(TypedColumns):
    id = Column(Text, primary_key=True)
    name: Named[str] = Column(Text)
    digest: Named[str] = Column(Text)
    begins: Named[str] = Column(Text)
    person: Named[str | None] = Column(Text)
    role: Named[str | None] = Column(Text)
    scopes: Named[Any] = Column(Json, nullable=True)
    branches: Named[Any] = Column(Json, nullable=True)
    expires_at: Named[datetime | None] = Column(UtcDateTime)
    revoked_at: Named[datetime | None] = Column(UtcDateTime)
    used_at: Named[datetime | None] = Column(UtcDateTime)
    created_by: Named[str] = Column(Text)
    recorded_at: Named[datetime] = Column(UtcDateTime)


keys = Table("keys", metadata, _Keys, UniqueConstraint("name"), UniqueConstraint("digest"))
