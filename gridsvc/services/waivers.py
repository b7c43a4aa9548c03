"""Waivers: grids excused from a rule by name, with a reason."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from gridsvc.errors import InvalidInput, NotFound
from gridsvc.plans.gates import WAIVABLE
from gridsvc.principal import Principal
from gridsvc.services.drafts import solved
from gridsvc.services.rebasing import require_draft
from gridsvc.store.database import Database, Reader
from gridsvc.store.records import Idempotency, PlanRecord

__all__ = ["drop", "waive"]


def waive(
    db: Database,
    who: Principal,
    plan: str,
    gate: str,
    grid: str,
    reason: str,
    revision: int | None = None,
    *,
    idempotency: Idempotency | None = None,
) -> PlanRecord:
    """Excuse a grid of a draft from a gate; a second waiver of the same takes the place of the first.

    Parameters
    ----------
    grid : str
        Code of the grid; for the gate ``requests`` the id of a request.
    revision : int or None
        The revision the planner saw; None for whatever it is now.

    Raises
    ------
    InvalidInput
        The gate cannot be waived, there is no such grid, or no reason.
    NotFound
        There is no such request.
    StaleRevision
        The draft has moved on from `revision`.
    """
    who.require("plans:write")
    if gate not in WAIVABLE:
        raise InvalidInput(
            f"gate {gate[:40]!r} cannot be waived", field="gate", cure=f"only {', '.join(WAIVABLE)} can"
        )
    if not reason.strip():
        raise InvalidInput("a waiver needs a reason", field="reason", cure="say why the rule may be broken")
    now = datetime.now(UTC).isoformat()
    waiver = {"gate": gate, "grid": grid, "reason": reason.strip(), "actor": who.actor, "recorded_at": now}
    return _saved(db, who, "plan.waive", plan, waiver, revision, idempotency)


def drop(
    db: Database, who: Principal, plan: str, gate: str, grid: str, revision: int | None = None
) -> PlanRecord:
    """Take a waiver back.

    Raises
    ------
    NotFound
        There is none of this gate and grid.
    StaleRevision
        The draft has moved on from `revision`.
    """
    who.require("plans:write")
    return _saved(db, who, "plan.unwaive", plan, {"gate": gate, "grid": grid}, revision)


def _saved(
    db: Database,
    who: Principal,
    action: str,
    plan: str,
    waiver: dict[str, Any],
    revision: int | None,
    idempotency: Idempotency | None = None,
) -> PlanRecord:
    gate, grid = waiver["gate"], waiver["grid"]
    with db.read(who) as reader:
        if idempotency is not None and reader.replay(who.actor, idempotency) is not None:
            return reader.plans.get(plan)
    with db.write(who, action, reason=waiver.get("reason"), idempotency=idempotency) as uow:
        record = uow.plans.get(plan)
        seen = record.revision if revision is None else revision
        require_draft(record, seen)
        kept = [w for w in record.waivers if (w["gate"], w["grid"]) != (gate, grid)]
        if "reason" in waiver:
            if gate == "requests":
                _require_request(uow, record, grid)
            else:
                _require_grid(record, grid)
            kept.append(waiver)
        elif len(kept) == len(record.waivers):
            raise NotFound(
                f"gate {gate[:40]!r} is not waived for grid {grid[:40]!r}",
                field="grid",
                cure="see the waivers there are in the plan's gates",
            )
        now = uow.plans.set_waivers(plan, kept, seen)
        uow.audit(f"plan/{plan}/waivers/{gate}/{grid}", None, waiver if "reason" in waiver else None)
        uow.emit(
            "plan.waived", {"plan": plan, "revision": now, "actor": who.actor, "gate": gate, "grid": grid}
        )
        uow.respond(201, {"plan": plan, "revision": now})
    with db.read(who) as reader:
        return reader.plans.get(plan)


def _require_request(reader: Reader, record: PlanRecord, request: str) -> None:
    if reader.requests.get(request).territory != record.territory:
        raise InvalidInput(
            "the request is about another territory", field="grid", cure="name one of the plan's territory"
        )


def _require_grid(record: PlanRecord, grid: str) -> None:
    codes = [known.code for known in solved(record).grids]
    if grid not in codes:
        listed = ", ".join(codes[:20]) + (", ..." if len(codes) > 20 else "")
        raise InvalidInput(f"there is no grid {grid[:40]!r}", field="grid", cure=f"name one of {listed}")
