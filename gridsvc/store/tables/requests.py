"""Reviews of plans, requests of districts, and the documents which say how a company goes about them."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import Column, ForeignKey, Index, Integer, Named, Table, Text, TypedColumns

from gridsvc.store.tables.base import metadata
from gridsvc.store.types import Json, UtcDateTime

__all__ = ["company_documents", "plan_reviews", "request_comments", "requests"]


class _CompanyDocuments(TypedColumns):
    kind: Named[str] = Column(Text, primary_key=True)
    revision: Named[int] = Column(Integer, primary_key=True, autoincrement=False)
    document: Named[Any] = Column(Json, nullable=False)
    recorded_by: Named[str] = Column(Text)
    recorded_at: Named[datetime] = Column(UtcDateTime)


class _PlanReviews(TypedColumns):
    plan_id: Named[str] = Column(Text, ForeignKey("plans.id"), primary_key=True)
    revision: Named[int] = Column(Integer, primary_key=True, autoincrement=False)
    action: Named[str] = Column(Text)
    before: Named[str] = Column(Text)
    after: Named[str] = Column(Text)
    actor: Named[str] = Column(Text)
    reason: Named[str | None] = Column(Text)
    recorded_at: Named[datetime] = Column(UtcDateTime)


class _Requests(TypedColumns):
    id = Column(Text, primary_key=True)
    territory: Named[str] = Column(Text, ForeignKey("territories.id"))
    line: Named[str | None] = Column(Text)
    kind: Named[str] = Column(Text)
    wish: Named[Any] = Column(Json, nullable=False)
    plan_id: Named[str | None] = Column(Text, ForeignKey("plans.id"))
    reason: Named[str] = Column(Text)
    asked_by: Named[str] = Column(Text)
    recorded_at: Named[datetime] = Column(UtcDateTime)
    due_at: Named[datetime] = Column(UtcDateTime)
    state: Named[str] = Column(Text)
    decided_by: Named[str | None] = Column(Text)
    decided_at: Named[datetime | None] = Column(UtcDateTime)
    decision: Named[str | None] = Column(Text)
    result: Named[Any] = Column(Json, nullable=True)


class _RequestComments(TypedColumns):
    request_id: Named[str] = Column(Text, ForeignKey("requests.id"), primary_key=True)
    number: Named[int] = Column(Integer, primary_key=True, autoincrement=False)
    actor: Named[str] = Column(Text)
    text: Named[str] = Column(Text)
    recorded_at: Named[datetime] = Column(UtcDateTime)


company_documents = Table("company_documents", metadata, _CompanyDocuments)
plan_reviews = Table("plan_reviews", metadata, _PlanReviews)
requests = Table("requests", metadata, _Requests, Index(None, "territory", "state"))
request_comments = Table("request_comments", metadata, _RequestComments)
