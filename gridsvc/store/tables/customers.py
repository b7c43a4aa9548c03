"""Customers, in imports which become live as a whole."""

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
    text,
)

from gridsvc.store.tables.base import metadata
from gridsvc.store.types import SERIAL, Json, UtcDateTime

__all__ = ["customers", "imports"]


class _Imports(TypedColumns):
    no = Column(SERIAL, primary_key=True)
    id: Named[str] = Column(Text, unique=True)
    territory: Named[str] = Column(Text, ForeignKey("territories.id"))
    tiling_id: Named[str] = Column(Text, ForeignKey("tilings.id"))
    source: Named[str] = Column(Text)
    params: Named[Any] = Column(Json, nullable=False)
    status: Named[str] = Column(Text)
    summary: Named[Any] = Column(Json, nullable=True)
    valid_from: Named[datetime | None] = Column(UtcDateTime)
    valid_to: Named[datetime | None] = Column(UtcDateTime)
    recorded_at: Named[datetime] = Column(UtcDateTime)


class _Customers(TypedColumns):
    import_no: Named[int] = Column(BigInteger, ForeignKey("imports.no"), primary_key=True)
    row_no: Named[int] = Column(BigInteger, primary_key=True)
    territory: Named[str] = Column(Text)
    id: Named[str] = Column(Text)
    premise: Named[str | None] = Column(Text)
    verdict: Named[int] = Column(SmallInteger)
    cell: Named[int] = Column(Integer)
    kept: Named[bool] = Column(Boolean)
    todo: Named[bool] = Column(Boolean)
    lon: Named[float | None] = Column(Double)
    lat: Named[float | None] = Column(Double)
    attributes: Named[Any] = Column(Json, nullable=True)
    valid_from: Named[datetime] = Column(UtcDateTime)
    valid_to: Named[datetime | None] = Column(UtcDateTime)
    recorded_at: Named[datetime] = Column(UtcDateTime)


imports = Table(
    "imports",
    metadata,
    _Imports,
    Index(
        "imports_one_live",
        "territory",
        "tiling_id",
        unique=True,
        sqlite_where=text("status = 'live'"),
        postgresql_where=text("status = 'live'"),
    ),
)
customers = Table(
    "customers",
    metadata,
    _Customers,
    Index(
        "customers_one_each",
        "import_no",
        "id",
        unique=True,
        sqlite_where=text("kept = 1"),
        postgresql_where=text("kept"),
    ),
    Index(
        "customers_todo",
        "import_no",
        "row_no",
        sqlite_where=text("todo = 1"),
        postgresql_where=text("todo"),
    ),
    Index(None, "import_no", "cell", "id"),
    sqlite_with_rowid=False,
)
