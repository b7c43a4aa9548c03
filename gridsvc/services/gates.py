"""Gates: the rules a plan must keep to be published."""

from __future__ import annotations

from datetime import UTC, datetime

import numpy as np

from gridsvc.plans.gates import Gate, gates
from gridsvc.principal import Principal
from gridsvc.services.plans import Draft, draft, request_of
from gridsvc.store.database import Database, Reader
from gridsvc.teams.model import Roster
from gridsvc.tiling.barriers import cut

__all__ = ["gates_of", "plan_gates"]


def plan_gates(reader: Reader, plan: str) -> list[Gate]:
    """The rules a plan must keep to be published, each with its offenders."""
    found = draft(reader, plan)
    now = datetime.now(UTC)
    in_force = reader.rosters.in_force(found.record.territory, now, now)
    roster = Roster((), (), (), ()) if in_force is None else in_force[1]
    live = reader.customers.live_import(found.record.territory, found.record.tiling)
    unplaced = 0 if live is None or live.summary is None else live.summary["left_out"]
    return judge(found, roster, unplaced)


def judge(found: Draft, roster: Roster, unplaced: int) -> list[Gate]:
    """The rules, for a plan, the roster in force and the number of customers without a place."""
    barriers = request_of(found.record).barriers
    tiling = found.tiling if barriers is None else cut(found.tiling, barriers)
    report = found.record.report or {}
    entries = {entry["code"]: entry.get("deviation", {}) for entry in report.get("grids", [])}
    tolerance = report.get("parameters", {}).get("tolerance", {})
    return gates(
        found.plan,
        indptr=tiling.adjacency.indptr,
        indices=tiling.adjacency.indices,
        cell_names=tiling.names(),
        has_lead={team.id: roster.lead(team.id) is not None for team in roster.teams},
        fallback=roster.fallback,
        customers_unplaced=unplaced,
        links=[(link["a"], link["b"]) for link in report.get("links", [])],
        deviations={
            name: np.array([entries.get(grid.code, {}).get(name, 0.0) for grid in found.plan.grids])
            for name in tolerance
        },
        tolerance=tolerance,
    )


def gates_of(db: Database, who: Principal, plan: str) -> list[Gate]:
    """The rules a plan must keep to be published, each with its offenders."""
    who.require("plans:read")
    with db.read() as reader:
        return plan_gates(reader, plan)
