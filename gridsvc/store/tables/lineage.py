"""What became of grids with each publication, and rules of a territory; never changed once written."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import (
    Column,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    Integer,
    LargeBinary,
    Named,
    Table,
    Text,
    TypedColumns,
)

from gridsvc.store.tables.base import metadata
from gridsvc.store.types import Json, UtcDateTime

__all__ = ["lineage", "territory_rules"]


class _Lineage(TypedColumns):
    territory: Named[str] = Column(Text, primary_key=True)
    line: Named[str] = Column(Text, primary_key=True)
    code: Named[str] = Column(Text, primary_key=True)
    n: Named[int] = Column(Integer, primary_key=True, autoincrement=False)
    follows: Named[int | None] = Column(Integer)
    fate: Named[str] = Column(Text)
    name: Named[str] = Column(Text)
    ended: Named[int | None] = Column(Integer)  # the publication which ended it; None while it lives
    successors: Named[Any] = Column(Json, nullable=False)
    origins: Named[Any] = Column(Json, nullable=False)
    tiling_id: Named[str | None] = Column(Text, ForeignKey("tilings.id"))
    ground: Named[bytes | None] = Column(LargeBinary)  # its last cells, where this publication ended it


class _Rules(TypedColumns):
    territory: Named[str] = Column(Text, ForeignKey("territories.id"), primary_key=True)
    kind: Named[str] = Column(Text, primary_key=True)
    version: Named[int] = Column(Integer, primary_key=True, autoincrement=False)
    body: Named[Any] = Column(Json, nullable=False)
    recorded_by: Named[str] = Column(Text)
    recorded_at: Named[datetime] = Column(UtcDateTime)


lineage = Table(
    "lineage",
    metadata,
    _Lineage,
    ForeignKeyConstraint(
        ["territory", "line", "n"], ["publications.territory", "publications.line", "publications.n"]
    ),
    Index(None, "territory", "line", "n"),
)
territory_rules = Table("territory_rules", metadata, _Rules)
