"""Territories, tilings, their cells and measures."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import (
    Boolean,
    Column,
    Double,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    Named,
    Table,
    Text,
    TypedColumns,
    UniqueConstraint,
)

from gridsvc.store.tables.base import metadata
from gridsvc.store.types import SERIAL, Geometry, Json, UtcDateTime

__all__ = ["cells", "cells_rtree", "measures", "territories", "tilings"]


class _Territories(TypedColumns):
    id = Column(Text, primary_key=True)
    name: Named[str] = Column(Text)
    time_zone: Named[str] = Column(Text)
    customers_word: Named[str] = Column(Text)
    parent: Named[str | None] = Column(Text, ForeignKey("territories.id"))
    boundary: Named[Any] = Column(Geometry("MULTIPOLYGON"), nullable=False)
    simulated: Named[bool] = Column(Boolean)
    valid_from: Named[datetime] = Column(UtcDateTime)
    valid_to: Named[datetime | None] = Column(UtcDateTime)
    recorded_at: Named[datetime] = Column(UtcDateTime)


class _Tilings(TypedColumns):
    id = Column(Text, primary_key=True)
    territory: Named[str] = Column(Text, ForeignKey("territories.id"), index=True)
    kind: Named[str] = Column(Text)
    resolution: Named[int | None] = Column(Integer)
    n_cells: Named[int] = Column(Integer)
    origin_lon: Named[float] = Column(Double)
    origin_lat: Named[float] = Column(Double)
    params: Named[Any] = Column(Json, nullable=False)
    coverage: Named[Any] = Column(Json, nullable=False)
    recorded_at: Named[datetime] = Column(UtcDateTime)
    arrays: Named[bytes] = Column(LargeBinary)  # last, so that SQLite reads the others without it


class _Cells(TypedColumns):
    id = Column(SERIAL, primary_key=True)
    tiling_id: Named[str] = Column(Text, ForeignKey("tilings.id"))
    row: Named[int] = Column(Integer)
    cell: Named[str] = Column(Text)
    geometry: Named[Any] = Column(Geometry(), nullable=False)


class _Measures(TypedColumns):
    id = Column(SERIAL, primary_key=True)
    tiling_id: Named[str] = Column(Text, ForeignKey("tilings.id"))
    import_id: Named[str | None] = Column(Text, ForeignKey("imports.id"))
    name: Named[str] = Column(Text)
    spec: Named[str] = Column(Text)
    unit: Named[str] = Column(Text)
    missing_share: Named[float] = Column(Double)
    as_of: Named[datetime] = Column(UtcDateTime)
    recorded_at: Named[datetime] = Column(UtcDateTime)
    data: Named[bytes] = Column(LargeBinary)


territories = Table(
    "territories",
    metadata,
    _Territories,
    Index("territories_boundary_gist", "boundary", postgresql_using="gist").ddl_if(dialect="postgresql"),
)
tilings = Table("tilings", metadata, _Tilings)
cells = Table(
    "cells",
    metadata,
    _Cells,
    UniqueConstraint("tiling_id", "row"),
    UniqueConstraint("tiling_id", "cell"),
    Index("cells_geometry_gist", "geometry", postgresql_using="gist").ddl_if(dialect="postgresql"),
)
measures = Table("measures", metadata, _Measures, Index(None, "tiling_id", "name"))

cells_rtree = Table(
    "cells_rtree",
    MetaData(),  # not among our tables for Alembic: the migration makes it, on SQLite only
    Column("id", Integer, primary_key=True),
    Column("min_lon", Double),
    Column("max_lon", Double),
    Column("min_lat", Double),
    Column("max_lat", Double),
)
"""Boxes of the cells as float32, rounded outwards."""
