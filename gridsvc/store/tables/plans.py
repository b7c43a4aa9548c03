"""Plans, their grids and carve-outs, and the moves that changed them."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    ForeignKey,
    Integer,
    LargeBinary,
    Named,
    Table,
    Text,
    TypedColumns,
    UniqueConstraint,
)

from gridsvc.store.tables.base import metadata
from gridsvc.store.types import Geometry, Json, UtcDateTime

__all__ = ["plan_carve_outs", "plan_grids", "plan_moves", "plans"]


class _Plans(TypedColumns):
    id = Column(Text, primary_key=True)
    territory: Named[str] = Column(Text, ForeignKey("territories.id"), index=True)
    line: Named[str] = Column(Text)
    level: Named[str] = Column(Text)
    parent: Named[str | None] = Column(Text)
    tiling_id: Named[str] = Column(Text, ForeignKey("tilings.id"))
    name: Named[str] = Column(Text)
    status: Named[str] = Column(Text)
    revision: Named[int] = Column(Integer)
    params: Named[Any] = Column(Json, nullable=False)
    report: Named[Any] = Column(Json, nullable=True)
    base_publication: Named[int | None] = Column(Integer)
    seed: Named[int] = Column(BigInteger)
    engine_version: Named[str] = Column(Text)
    created_by: Named[str] = Column(Text)
    valid_from: Named[datetime | None] = Column(UtcDateTime)
    valid_to: Named[datetime | None] = Column(UtcDateTime)
    recorded_at: Named[datetime] = Column(UtcDateTime)
    labels: Named[bytes | None] = Column(LargeBinary)
    labels_revision: Named[int] = Column(Integer)
    checkpoint: Named[bytes | None] = Column(LargeBinary)
    checkpoint_revision: Named[int | None] = Column(Integer)
    comment: Named[str | None] = Column(Text)
    branched_from: Named[str | None] = Column(Text)
    branched_at: Named[int | None] = Column(Integer)
    origin: Named[Any] = Column(Json, nullable=True)
    waivers: Named[Any] = Column(Json, nullable=True)


class _Moves(TypedColumns):
    plan_id: Named[str] = Column(Text, ForeignKey("plans.id"), primary_key=True)
    revision: Named[int] = Column(Integer, primary_key=True, autoincrement=False)
    kind: Named[str] = Column(Text)
    reverts: Named[int | None] = Column(Integer)
    actor: Named[str] = Column(Text)
    reason: Named[str | None] = Column(Text)
    recorded_at: Named[datetime] = Column(UtcDateTime)
    n_cells: Named[int] = Column(Integer)
    grids: Named[Any] = Column(Json, nullable=False)
    source: Named[Any] = Column(Json, nullable=True)
    cells: Named[bytes] = Column(LargeBinary)


class _PlanGrids(TypedColumns):
    plan_id: Named[str] = Column(Text, ForeignKey("plans.id"), primary_key=True)
    position: Named[int] = Column(Integer, primary_key=True)
    code: Named[str] = Column(Text)
    name: Named[str] = Column(Text)
    team: Named[str | None] = Column(Text)
    carve_out: Named[bool] = Column(Boolean)
    parent: Named[str | None] = Column(Text)
    optional: Named[bool] = Column(Boolean)  # left out while it has no cells


class _CarveOuts(TypedColumns):
    plan_id: Named[str] = Column(Text, ForeignKey("plans.id"), primary_key=True)
    since: Named[int] = Column(Integer, primary_key=True, autoincrement=False)  # revisions, half-open
    position: Named[int] = Column(Integer, primary_key=True, autoincrement=False)
    until: Named[int | None] = Column(Integer)
    code: Named[str] = Column(Text)
    name: Named[str] = Column(Text)
    team: Named[str | None] = Column(Text)
    reason: Named[str] = Column(Text)
    polygon: Named[Any] = Column(Geometry(), nullable=False)


plans = Table("plans", metadata, _Plans)
plan_grids = Table("plan_grids", metadata, _PlanGrids, UniqueConstraint("plan_id", "code"))
plan_carve_outs = Table("plan_carve_outs", metadata, _CarveOuts, UniqueConstraint("plan_id", "since", "code"))
plan_moves = Table("plan_moves", metadata, _Moves)
