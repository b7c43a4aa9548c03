"""The audit."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Depends, Query

from api.deps import Caller, Db, PageLimit
from api.schemas.audit import AuditOut, HeadOut
from api.schemas.common import Page
from gridsvc.errors import InvalidInput
from gridsvc.services import audit
from gridsvc.store.records import AuditRecord
from gridsvc.store.trail import AuditFilter

__all__ = ["router"]

router = APIRouter(prefix="/v1/audit", tags=["audit"])

Words = Annotated[str | None, Query(max_length=200)]


def _filter(
    actor: Words = None,
    action: Annotated[str | None, Query(max_length=200, examples=["plan.publish"])] = None,
    subject: Annotated[
        str | None, Query(max_length=500, description="A subject, with all that lies below it.")
    ] = None,
    request_id: Words = None,
    since: Annotated[datetime | None, Query(description="From this time on.")] = None,
    until: Annotated[datetime | None, Query(description="Before this time.")] = None,
) -> AuditFilter:
    for name, time in (("since", since), ("until", until)):
        if time is not None and time.tzinfo is None:
            raise InvalidInput("a time without offset", field=name, cure="write 2026-12-01T00:00:00+08:00")
    return AuditFilter(actor, action, subject, request_id, since, until)


@router.get("")
def list_audit(
    db: Db,
    who: Caller,
    wanted: Annotated[AuditFilter, Depends(_filter)],
    after: Annotated[int | None, Query(ge=1, lt=2**63, description="Go on below this id.")] = None,
    limit: PageLimit = 100,
) -> Page[AuditOut]:
    """What was changed, newest first: who, what, before and after, why."""
    found = audit.listing(db, who, wanted, after, limit)
    items = [_out(record, seq) for record, seq in found]
    return Page(items=items, next=str(items[-1].id) if len(items) == limit else None)


def _out(record: AuditRecord, seq: int | None) -> AuditOut:
    return AuditOut(
        id=record.id,
        seq=seq,
        recorded_at=record.recorded_at,
        actor=record.actor,
        action=record.action,
        subject=record.subject,
        before=record.before,
        after=record.after,
        reason=record.reason,
        request_id=record.request_id,
    )


@router.get("/head")
def get_head(db: Db, who: Caller) -> HeadOut:
    """The end of the chain of sealed rows, and how many wait behind it."""
    found, waiting = audit.head(db, who)
    return HeadOut(seq=found.seq, digest=found.digest, waiting=waiting)
