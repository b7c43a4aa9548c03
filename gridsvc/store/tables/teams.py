"""Rosters: departments, people, teams, members, name lists; rows are tagged with territory and number."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import (
    Boolean,
    Column,
    Double,
    ForeignKey,
    ForeignKeyConstraint,
    Integer,
    Named,
    Table,
    Text,
    TypedColumns,
    UniqueConstraint,
)

from gridsvc.store.tables.base import metadata
from gridsvc.store.types import Json, UtcDateTime

__all__ = ["departments", "lead_turns", "members", "named_accounts", "people", "rosters", "teams"]


class _Rosters(TypedColumns):
    territory: Named[str] = Column(Text, ForeignKey("territories.id"), primary_key=True)
    r: Named[int] = Column(Integer, primary_key=True)
    fallback: Named[str | None] = Column(Text)
    reason: Named[str | None] = Column(Text)
    recorded_by: Named[str] = Column(Text)
    valid_from: Named[datetime] = Column(UtcDateTime)
    recorded_at: Named[datetime] = Column(UtcDateTime)


class _Tagged(TypedColumns):
    territory: Named[str] = Column(Text, primary_key=True)
    r: Named[int] = Column(Integer, primary_key=True)
    position: Named[int] = Column(Integer, primary_key=True)


class _Departments(_Tagged):
    id: Named[str] = Column(Text)
    name: Named[str] = Column(Text)
    parent: Named[str | None] = Column(Text)
    head: Named[str | None] = Column(Text)
    acting_head: Named[str | None] = Column(Text)


class _People(_Tagged):
    id: Named[str] = Column(Text)
    name: Named[str] = Column(Text)
    department: Named[str] = Column(Text)
    skills: Named[Any] = Column(Json, nullable=False)
    lon: Named[float | None] = Column(Double)
    lat: Named[float | None] = Column(Double)
    capacity: Named[float] = Column(Double)
    languages: Named[Any] = Column(Json, nullable=True)  # null in rows of before there were any
    kpi_share: Named[float | None] = Column(Double)
    valid_until: Named[datetime | None] = Column(UtcDateTime)


class _Teams(_Tagged):
    id: Named[str] = Column(Text)
    name: Named[str] = Column(Text)
    lon: Named[float | None] = Column(Double)
    lat: Named[float | None] = Column(Double)
    capacity: Named[Any] = Column(Json, nullable=False)
    level: Named[str] = Column(Text)


class _Members(_Tagged):
    team: Named[str] = Column(Text)
    person: Named[str] = Column(Text)
    role: Named[str] = Column(Text)
    time_share: Named[float] = Column(Double)
    kpi_share: Named[float] = Column(Double)
    acting: Named[bool] = Column(Boolean)
    backup: Named[bool] = Column(Boolean)
    valid_from: Named[datetime | None] = Column(UtcDateTime)
    valid_until: Named[datetime | None] = Column(UtcDateTime)


class _NamedAccounts(_Tagged):
    customer: Named[str] = Column(Text)
    team: Named[str] = Column(Text)
    reason: Named[str] = Column(Text)
    until: Named[datetime | None] = Column(UtcDateTime)


class _LeadTurns(TypedColumns):
    territory: Named[str] = Column(Text, ForeignKey("territories.id"), primary_key=True)
    told_until: Named[datetime] = Column(UtcDateTime)
    next_at: Named[datetime | None] = Column(UtcDateTime)


def _roster_key() -> ForeignKeyConstraint:
    return ForeignKeyConstraint(["territory", "r"], ["rosters.territory", "rosters.r"])


def _one_each() -> UniqueConstraint:
    return UniqueConstraint("territory", "r", "id")


rosters = Table("rosters", metadata, _Rosters)
departments = Table("departments", metadata, _Departments, _roster_key(), _one_each())
people = Table("people", metadata, _People, _roster_key(), _one_each())
teams = Table("teams", metadata, _Teams, _roster_key(), _one_each())
members = Table(
    "members",
    metadata,
    _Members,
    _roster_key(),
    UniqueConstraint("territory", "r", "team", "person", "role", "valid_from"),
)
lead_turns = Table("lead_turns", metadata, _LeadTurns)
named_accounts = Table(
    "named_accounts",
    metadata,
    _NamedAccounts,
    _roster_key(),
    UniqueConstraint("territory", "r", "customer"),
)
