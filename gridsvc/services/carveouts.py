"""Carve-outs of a draft: polygons owned apart, replaced as a whole list."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from gridsvc.plans.carveouts import SOURCE, CarveOut, require_free_codes, require_inside
from gridsvc.principal import Principal
from gridsvc.services.drafts import solved
from gridsvc.services.rebasing import require_draft
from gridsvc.store.database import Database, UnitOfWork
from gridsvc.store.records import Idempotency, PlanRecord

__all__ = ["get", "put", "tell"]


def get(db: Database, who: Principal, plan: str) -> tuple[tuple[CarveOut, ...], int]:
    """The carve-outs of a plan, and its revision."""
    who.require("plans:read")
    with db.read(who) as reader:
        record = reader.plans.get(plan)
    return record.carve_outs, record.revision


def put(
    db: Database,
    who: Principal,
    plan: str,
    revision: int,
    carve_outs: Sequence[CarveOut],
    *,
    source: str = SOURCE,
    idempotency: Idempotency | None = None,
) -> PlanRecord:
    """Replace the carve-outs of a draft; none takes all away.

    Parameters
    ----------
    revision : int
        The draft as the planner saw it.
    source : str
        Name of the file or the request part, for errors.

    Raises
    ------
    InvalidInput
        A code is a grid's, or a carve-out does not touch the territory; `row` is its place in the list.
    StaleRevision
        The draft has moved on from `revision`.
    Conflict
        It is published or not solved yet.
    """
    who.require("plans:write")
    with db.read(who) as reader:
        stored = None if idempotency is None else reader.replay(who.actor, idempotency)
        if stored is not None:
            return reader.plans.get(plan)
        record = reader.plans.get(plan)
        require_draft(record, revision)
        solved(record)
        grids, _ = reader.moves.grids(plan)
        territory = reader.territories.get(record.territory).boundary
    require_free_codes(carve_outs, {grid.code for grid in grids}, source)
    require_inside(carve_outs, territory, source)
    with db.write(who, "plan.carve-out", idempotency=idempotency) as uow:
        now = uow.plans.set_carve_outs(plan, carve_outs, revision)
        tell(uow, plan, record.carve_outs, carve_outs, now)
        uow.respond(200, {"plan": plan, "revision": now})
    with db.read(who) as reader:
        return reader.plans.get(plan)


def tell(
    uow: UnitOfWork, plan: str, before: Sequence[CarveOut], after: Sequence[CarveOut], revision: int
) -> None:
    """Write down who changed a plan's carve-outs, and tell others."""
    uow.audit(f"plan/{plan}/carve-outs", _listed(before), _listed(after))
    uow.emit(
        "plan.carved",
        {"plan": plan, "revision": revision, "actor": uow.actor, "carve_outs": len(after)},
    )


def _listed(carve_outs: Sequence[CarveOut]) -> list[dict[str, Any]]:
    """Carve-outs for the audit: box instead of outline, which is kept with the plan's revision."""
    return [
        {"code": c.code, "name": c.name, "team": c.team, "reason": c.reason, "bbox": list(c.polygon.bounds)}
        for c in carve_outs
    ]
