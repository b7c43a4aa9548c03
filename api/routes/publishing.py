"""From a plan to a publication: the gates and the step through them."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends

from api.deps import Db, IfMatch, Key, Scope
from api.schemas.publications import GateOut, PublicationOut, Publish
from gridsvc.principal import Principal
from gridsvc.services import gates, publications

from .publications import publication_out

__all__ = ["router"]

router = APIRouter(prefix="/v1", tags=["publications"])


@router.get("/plans/{plan}/gates")
def get_gates(plan: str, db: Db, who: Annotated[Principal, Depends(Scope("plans:read"))]) -> list[GateOut]:
    """The rules a plan must keep to be published, each with its offenders."""
    return [
        GateOut(
            name=gate.name,
            passed=gate.passed,
            blocking=gate.blocking,
            message=gate.message,
            cure=gate.cure or None,
            offenders=gate.offenders,
        )
        for gate in gates.gates_of(db, who, plan)
    ]


@router.post("/plans/{plan}/publish", status_code=201)
def publish_plan(
    plan: str,
    revision: IfMatch,
    db: Db,
    who: Annotated[Principal, Depends(Scope("plans:publish"))],
    key: Key,
    body: Publish | None = None,
) -> PublicationOut:
    """Publish the plan under the next number."""
    wanted = body or Publish()
    record = publications.publish(
        db, who, plan, revision, effective_at=wanted.effective_at, reason=wanted.reason, idempotency=key
    )
    return publication_out(record)
