"""Publications, and their grids as shapes for GIS tools; never changed once written."""

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
from gridsvc.store.types import Geometry, Json, UtcDateTime

__all__ = ["publications", "published_grids"]


class _Publications(TypedColumns):
    territory: Named[str] = Column(Text, ForeignKey("territories.id"), primary_key=True)
    line: Named[str] = Column(Text, primary_key=True)
    n: Named[int] = Column(Integer, primary_key=True)
    level: Named[str] = Column(Text)
    parent: Named[str | None] = Column(Text)
    plan_id: Named[str] = Column(Text, ForeignKey("plans.id"))
    tiling_id: Named[str] = Column(Text, ForeignKey("tilings.id"))
    customers_import: Named[str | None] = Column(Text, ForeignKey("imports.id"))
    effective_at: Named[datetime] = Column(UtcDateTime)
    recorded_at: Named[datetime] = Column(UtcDateTime)
    published_by: Named[str] = Column(Text)
    checksum: Named[str] = Column(Text)
    base_publication: Named[int | None] = Column(Integer)
    supersedes: Named[int | None] = Column(Integer)
    republishes: Named[int | None] = Column(Integer)
    scope: Named[str | None] = Column(Text)
    transition_until: Named[datetime | None] = Column(UtcDateTime)
    meta: Named[Any] = Column(Json, nullable=False)
    payload: Named[bytes] = Column(LargeBinary)


class _PublishedGrids(TypedColumns):
    territory: Named[str] = Column(Text, primary_key=True)
    line: Named[str] = Column(Text, primary_key=True)
    n: Named[int] = Column(Integer, primary_key=True)
    code: Named[str] = Column(Text, primary_key=True)
    level: Named[str] = Column(Text)
    parent: Named[str | None] = Column(Text)
    name: Named[str] = Column(Text)
    team: Named[str | None] = Column(Text)
    geometry: Named[Any] = Column(Geometry("MULTIPOLYGON"), nullable=False)


publications = Table("publications", metadata, _Publications)
published_grids = Table(
    "published_grids",
    metadata,
    _PublishedGrids,
    ForeignKeyConstraint(
        ["territory", "line", "n"], ["publications.territory", "publications.line", "publications.n"]
    ),
    Index("published_grids_geometry_gist", "geometry", postgresql_using="gist").ddl_if(dialect="postgresql"),
)
