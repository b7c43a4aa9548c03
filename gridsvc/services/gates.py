"""Gates: the rules a plan must keep to be published, as things are now."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gridsvc.plans.gates import Gate, Judged, gates
from gridsvc.plans.locks import locks_of
from gridsvc.plans.places import Places
from gridsvc.plans.plan import Plan
from gridsvc.plans.summary import grid_totals
from gridsvc.principal import Principal
from gridsvc.services.areas import parents_of
from gridsvc.services.asking import counting_at
from gridsvc.services.drafts import Draft, draft, request_of, solved
from gridsvc.services.levels import levels_gate
from gridsvc.services.request import SolveRequest
from gridsvc.services.team_rules import staffing_gate
from gridsvc.store.database import Database, Reader
from gridsvc.store.records import PlanRecord
from gridsvc.teams.model import Roster
from gridsvc.tiling.barriers import cut
from gridsvc.tiling.tiling import Tiling

__all__ = ["deviations_of", "gates_of", "judge", "plan_gates"]


def gates_of(db: Database, who: Principal, plan: str) -> list[Gate]:
    """The rules a plan must keep to be published, each with its offenders."""
    who.require("plans:read")
    with db.read(who) as reader:
        return plan_gates(reader, plan)


def plan_gates(reader: Reader, plan: str) -> list[Gate]:
    """The rules a plan must keep to be published, each with its offenders."""
    found = draft(reader, plan)
    return judge(reader, found, found.plan)


def judge(reader: Reader, found: Draft, plan: Plan, start: datetime | None = None) -> list[Gate]:
    """The rules for what would be published of a draft.

    Parameters
    ----------
    plan : Plan
        The draft itself, or what becomes of it with others' changes.
    start : datetime or None
        When it is to take effect; now if None.
    """
    record, request = found.record, request_of(found.record)
    tiling = found.tiling if request.barriers is None else cut(found.tiling, request.barriers)
    report = record.report or {}
    tolerance = report.get("parameters", {}).get("tolerance", {})
    roster = _roster(reader, record.territory, start)
    names, places = found.tiling.names(), Places(found.tiling.geometry)
    nested = levels_gate(reader, record, plan, places, start)
    judged = gates(
        Judged(
            plan,
            indptr=tiling.adjacency.indptr,
            indices=tiling.adjacency.indices,
            cell_names=names,
            places=places,
            has_lead={team.id: roster.lead(team.id) is not None for team in roster.teams},
            fallback=roster.fallback,
            customers_unplaced=_unplaced(reader, record.territory, record.tiling),
            links=[(link["a"], link["b"]) for link in report.get("links", [])],
            overlaps=_overlaps(reader.tilings.get(record.tiling).coverage, names),
            deviations=deviations_of(found, plan),
            tolerance=tolerance,
            locks=_locks(reader, found, request),
            parent=_parent(found.tiling, request),
            waivers=record.waivers,
            requests=_requests(reader, record, names),
            whole=record.line.partition("@")[0] == "base",
        )
    )
    staffed = staffing_gate(reader, record.territory, record.tiling, plan, found.columns, start)
    return [*judged, *(gate for gate in (nested, staffed) if gate is not None)]


def _roster(reader: Reader, territory: str, start: datetime | None) -> Roster:
    in_force = counting_at(reader, territory, start or datetime.now(UTC))
    return Roster((), (), (), ()) if in_force is None else in_force[1]


def _unplaced(reader: Reader, territory: str, tiling: str) -> int:
    live = reader.customers.live_import(territory, tiling)
    return 0 if live is None or live.summary is None else int(live.summary["left_out"])


def _requests(
    reader: Reader, record: PlanRecord, names: Sequence[str]
) -> list[tuple[dict[str, Any], NDArray[np.int64]]]:
    """Open requests about the plan's cells, people or customers; what they say and of whom is not told."""
    waiting = [r for r in reader.requests.open_in(record.territory) if r.line in {record.line, None}]
    row = {name: r for r, name in enumerate(names)} if any(r.wish.cells for r in waiting) else {}
    return [
        (
            {"request": r.id, "kind": r.wish.kind, "due_at": r.due_at.isoformat()},
            np.array([row[cell] for cell in r.wish.cells if cell in row], np.int64),
        )
        for r in waiting
    ]


def _overlaps(coverage: Mapping[str, Any], names: Sequence[str]) -> list[tuple[int, int, float]]:
    worst = coverage.get("overlap", {}).get("worst", [])
    if not worst:
        return []
    row = {name: r for r, name in enumerate(names)}
    return [(row[pair["a"]], row[pair["b"]], pair["km2"]) for pair in worst]


def deviations_of(found: Draft, plan: Plan) -> dict[str, NDArray[np.float64]]:
    """Deviation of each grid of `plan` from its target, as measures are now.

    Returns
    -------
    dict of measure to float64 array, shape (n_grids,)
        0.05 is 5 % above; NaN where a grid has no target.
    """
    from gridsvc.balance.metrics import deviations  # brings scipy, which no server should wait for

    report = found.record.report or {}
    wanted = {entry["code"]: entry.get("targets") or {} for entry in report.get("grids", [])}
    tolerance, columns = report.get("parameters", {}).get("tolerance", {}), found.columns
    totals = grid_totals(plan, {name: columns[name] for name in tolerance if name in columns})
    off = {}
    for name, total in totals.items():
        target = np.array([wanted.get(grid.code, {}).get(name, np.nan) for grid in plan.grids], np.float64)
        known = ~np.isnan(target)
        values = np.full(len(target), np.nan)
        values[known] = deviations(total[known, None], target[known, None])[:, 0]
        off[name] = values
    return off


def _locks(reader: Reader, found: Draft, request: SolveRequest) -> dict[int, tuple[str, str]]:
    """The grid each locked cell must be in; without one named that in which the plan was made with it."""
    if request.locks is None:
        return {}
    locks, _ = locks_of(request.locks, found.tiling, datetime.now(UTC).date())
    made = reader.moves.head(found.record.id).labels_revision
    base = solved(reader.plans.at(found.record.id, made))
    return {lock.cell: (lock.grid or base.grids[base.labels[lock.cell]].code, lock.reason) for lock in locks}


def _parent(tiling: Tiling, request: SolveRequest) -> NDArray[np.object_] | None:
    parent, names = parents_of(tiling, request.nest_in)
    if parent is None or names is None:
        return None
    return np.array(names, dtype=object)[parent]
