"""From the body of a new plan to the service's request."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from api.schemas.common import Request
from api.schemas.wanted import LockWanted, MeasureWanted, NewPlan, TargetWanted
from gridsvc.balance.score import Score
from gridsvc.balance.targets import parse_share, parse_tolerance
from gridsvc.errors import InvalidInput
from gridsvc.services.plans import FromPlan
from gridsvc.services.request import SolveRequest
from gridsvc.tiling.table import Table, table_of

__all__ = ["from_plan_of", "locks_of", "measures_of", "request_of", "targets_of"]


def request_of(body: NewPlan) -> SolveRequest:
    """The request of a body.

    Raises
    ------
    InvalidInput
        A tolerance that could mean two things.
    """
    return SolveRequest(
        grids=None if body.grids == "auto" else body.grids,
        nest_in=body.nest_in,
        carve_out="large" if body.carve_out == "large" else body.carve_out,
        islands=body.islands,
        seed=body.seed,
        objective=body.objective,
        compactness=body.compactness,
        sweeps=body.sweeps,
        time_limit=body.time_limit,
        scores=tuple(Score(score.name, tuple(score.weights.items())) for score in body.score),
        seeds=_table(body.seeds, "seeds"),
        locks=locks_of(body.locks),
        targets=targets_of(body.targets),
        seed_pull=body.seed_pull,
        **measures_of(body.measures),
    )


def measures_of(measures: Sequence[MeasureWanted]) -> dict[str, Any]:
    """The members of a request which say what is balanced.

    Raises
    ------
    InvalidInput
        A tolerance that could mean two things.
    """
    return {
        "measures": tuple((m.name, parse_tolerance(str(m.tolerance))) for m in measures),
        "limits": {m.name: (m.min, m.max) for m in measures if (m.min, m.max) != (None, None)},
        "importance": {m.name: m.weight for m in measures if m.weight != 1.0},
        "capacity": {m.name: m.capacity for m in measures if m.capacity is not None},
    }


def locks_of(rows: list[LockWanted] | None) -> Table | None:
    """Locks as a table."""
    return _table(rows, "locks")


def targets_of(rows: list[TargetWanted] | None) -> Table | None:
    """Targets as a targets file has them."""
    return None if rows is None else table_of(map(_flat, rows), "targets")


def _table(rows: list[Any] | None, source: str) -> Table | None:
    return None if rows is None else table_of((_plain(row) for row in rows), source)


def _plain(row: Request) -> dict[str, Any]:
    return row.model_dump(mode="json", exclude_none=True)


def _flat(row: TargetWanted) -> dict[str, Any]:
    """A row as a targets file has it."""
    sides = {f"{name}_{side}": value for side in ("min", "max") for name, value in getattr(row, side).items()}
    return {**({} if row.grid is None else {"grid": row.grid}), **row.values, **sides}


def from_plan_of(body: NewPlan) -> FromPlan | None:
    """The plan to realign, if the body names one.

    Raises
    ------
    InvalidInput
        A moving cost or allowance without a plan.
    """
    if body.from_plan is None:
        for field in ("max_disruption", "move_cost"):
            if field in body.model_fields_set:
                raise InvalidInput("needs an old plan", field=field, cure="give from_plan")
        return None
    share = parse_share(str(body.max_disruption), "max_disruption")
    return FromPlan(body.from_plan, min(share, 1.0), body.move_cost)
