"""Carve-outs of plans: whole lists, each with the revisions of its plan in which it held."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import ColumnElement, insert, or_, select, update

from gridsvc.errors import Conflict
from gridsvc.plans.carveouts import CarveOut
from gridsvc.store.faults import unique
from gridsvc.store.handle import Handle
from gridsvc.store.tables import plan_carve_outs

__all__ = ["of_plan", "replace_all", "require_free"]

_C = plan_carve_outs.c
_VALUE = (_C.code, _C.name, _C.team, _C.reason, _C.polygon)


def of_plan(handle: Handle, plan_id: str, at: int | None = None) -> tuple[CarveOut, ...]:
    """Carve-outs of a plan in their order, now or at a revision."""
    rows = select(*_VALUE).where(_C.plan_id == plan_id, _held(at)).order_by(_C.position)
    return tuple(CarveOut(**row._mapping) for row in handle.connection.execute(rows))


def _held(at: int | None) -> ColumnElement[bool]:
    if at is None:
        return _C.until.is_(None)
    return (_C.since <= at) & or_(_C.until.is_(None), _C.until > at)


def replace_all(handle: Handle, plan_id: str, carve_outs: Sequence[CarveOut], revision: int) -> None:
    """Let a list hold from a revision of its plan on, in place of the one before.

    Raises
    ------
    Conflict
        Two have one code.
    """
    former = update(plan_carve_outs).where(_C.plan_id == plan_id, _C.until.is_(None))
    handle.connection.execute(former.values(until=revision))
    rows = [_row(plan_id, revision, position, carved) for position, carved in enumerate(carve_outs)]
    if rows:
        with unique("two carve-outs have one code", cure="give each carve-out its own code"):
            handle.connection.execute(insert(plan_carve_outs), rows)


def _row(plan_id: str, revision: int, position: int, carved: CarveOut) -> dict[str, Any]:
    return {
        "plan_id": plan_id,
        "since": revision,
        "until": None,
        "position": position,
        "code": carved.code,
        "name": carved.name,
        "team": carved.team,
        "reason": carved.reason,
        "polygon": carved.polygon,
    }


def require_free(handle: Handle, plan_id: str, codes: Sequence[str]) -> None:
    """Make sure that new grids have no code of a carve-out.

    Raises
    ------
    Conflict
        One has.
    """
    rows = select(_C.code).where(_C.plan_id == plan_id, _C.until.is_(None))
    taken = set(handle.connection.execute(rows).scalars()).intersection(codes)
    if taken:
        raise Conflict(
            f"{min(taken)!r} is the code of a carve-out of the plan",
            field="code",
            cure="give the grid or the carve-out another code",
        )
