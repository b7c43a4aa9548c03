"""From a plan to a publication: gates, waivers, rebase, and the step through them."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Header, Query, Request, Response

from api.deps import Caller, Db, IfMatch, Key, Language, current_app, etag, revision_of
from api.schemas.common import Slug
from api.schemas.publications import (
    GateOut,
    PublicationOut,
    Publish,
    Rebase,
    RebaseOut,
    Republish,
    Waiver,
    WaiverOut,
)
from gridsvc.ownership.answer import Lang
from gridsvc.plans.gates import Gate
from gridsvc.services import gates, publishing, rebasing, waivers
from gridsvc.services.desk import settle
from gridsvc.services.publishing import Wanted
from gridsvc.store.records import PlanRecord

from .publications import Number, publication_out

__all__ = ["router"]

router = APIRouter(prefix="/v1", tags=["publications"])


def _seen(if_match: Annotated[str | None, Header()] = None) -> int | None:
    return None if if_match is None else revision_of(if_match)


Seen = Annotated[int | None, Depends(_seen)]


def _gate_out(gate: Gate, lang: Lang) -> GateOut:
    return GateOut(
        name=gate.name,
        passed=gate.passed,
        blocking=gate.blocking,
        message=(lang == "zh" and gate.message_zh) or gate.message,
        cure=(lang == "zh" and gate.cure_zh) or gate.cure or None,
        offenders=gate.offenders,
        total=gate.total,
        waived=gate.waived,
    )


@router.get("/plans/{plan}/gates")
def get_gates(plan: str, db: Db, who: Caller, lang: Language) -> list[GateOut]:
    """The rules a plan must keep to be published, each with its offenders and where to look."""
    return [_gate_out(gate, lang) for gate in gates.gates_of(db, who, plan)]


def _waivers(record: PlanRecord, response: Response) -> list[WaiverOut]:
    response.headers["ETag"] = etag(record.revision)
    return [WaiverOut(**waiver) for waiver in record.waivers]


@router.post("/plans/{plan}/waivers", status_code=201)
def waive_gate(
    plan: str,
    body: Waiver,
    response: Response,
    revision: Seen,
    db: Db,
    who: Caller,
    key: Key,
) -> list[WaiverOut]:
    """Excuse a grid from a gate, with a reason; gives all waivers of the plan."""
    record = waivers.waive(db, who, plan, body.gate, body.grid, body.reason, revision, idempotency=key)
    return _waivers(record, response)


@router.delete("/plans/{plan}/waivers")
def drop_waiver(
    plan: str,
    gate: str,
    grid: str,
    response: Response,
    revision: Seen,
    db: Db,
    who: Caller,
) -> list[WaiverOut]:
    """Take a waiver back; gives those left."""
    return _waivers(waivers.drop(db, who, plan, gate, grid, revision), response)


@router.post("/plans/{plan}/rebase")
def rebase_plan(
    plan: str,
    revision: IfMatch,
    response: Response,
    db: Db,
    who: Caller,
    key: Key,
    body: Rebase | None = None,
) -> RebaseOut:
    """Replay what the plan changes on the newest publication; lists what both changed."""
    wanted = body or Rebase()
    told = rebasing.rebase(
        db, who, plan, revision, prefer=wanted.prefer, reason=wanted.reason, idempotency=key
    )
    response.headers["ETag"] = etag(told["revision"])
    return RebaseOut(**told)


def _wanted(body: Republish | None) -> Wanted:
    return Wanted() if body is None else Wanted(**body.model_dump())


@router.post("/plans/{plan}/publish", status_code=201)
def publish_plan(
    plan: str,
    revision: IfMatch,
    request: Request,
    db: Db,
    who: Caller,
    key: Key,
    body: Publish | None = None,
) -> PublicationOut:
    """Publish the plan under the next number."""
    app = current_app(request)
    folder = app.settings.published
    record = publishing.publish(db, who, plan, revision, _wanted(body), idempotency=key, folder=folder)
    app.supervisor.wake()
    settle(app.desk)
    return publication_out(db, who, record)


@router.post("/publications/{n}/publish", status_code=201)
def republish(
    n: Number,
    territory: Annotated[Slug, Query()],
    request: Request,
    db: Db,
    who: Caller,
    key: Key,
    line: str = "base",
    body: Republish | None = None,
) -> PublicationOut:
    """Publish an earlier publication again, as a new number."""
    app = current_app(request)
    record = publishing.republish(
        db, who, territory, n, _wanted(body), line=line, idempotency=key, folder=app.settings.published
    )
    app.supervisor.wake()
    settle(app.desk)
    return publication_out(db, who, record)
