"""What would be published: a plan with what others published meanwhile, judged and packed."""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gridsvc.errors import Conflict, GateClosed, InvalidInput
from gridsvc.exchange.dissolve import dissolve
from gridsvc.ownership.publication import Publication, checksum, overlays_of, pack
from gridsvc.ownership.transition import moved
from gridsvc.plans.gates import Gate
from gridsvc.plans.plan import Plan
from gridsvc.plans.rebase import Rebased, inside, within
from gridsvc.services import gates
from gridsvc.services.compare import customers_in
from gridsvc.services.drafts import Draft
from gridsvc.services.levels import beside
from gridsvc.services.rebasing import base_number, rebased_on, stale_base
from gridsvc.services.series import Wanted, former, instant, published_plan, require_place
from gridsvc.services.tracing import traced
from gridsvc.store.database import Reader
from gridsvc.store.lineage import LineageRecord
from gridsvc.store.records import PublicationRecord

__all__ = ["Ready", "make_ready"]

_NAMED = 20


@dataclass(frozen=True)
class Ready:
    """A publication which only needs its number, and the state it was made for.

    Attributes
    ----------
    rebased : Rebased or None
        Where others' publications were carried into the plan.
    seen : (newest, former)
        Numbers in the series then; None for none.
    lineage : list of LineageRecord
        What it does to each grid code known so far.
    beside : tuple of int
        The newest number of each level then.
    now : bool
        It takes effect when it is written.
    """

    record: PublicationRecord
    plan: Plan
    outlines: NDArray[Any]
    lineage: list[LineageRecord]
    source: Draft
    rebased: Rebased | None
    seen: tuple[int | None, int | None]
    beside: tuple[int, ...]
    now: bool


def make_ready(
    reader: Reader, found: Draft, mine: Plan, wanted: Wanted, *, republishes: int | None = None
) -> Ready:
    """Judge and pack what would be published.

    Parameters
    ----------
    found : Draft
        The plan with what it stands on.
    mine : Plan
        Its cells and grids, or those of the publication to be published again.
    republishes : int or None
        Number of that publication.

    Raises
    ------
    GateClosed, StaleBase, InvalidInput, Conflict
        As `gridsvc.services.publishing.publish`.
    """
    record, now = found.record, datetime.now(UTC)
    territory, line = record.territory, record.line
    zone = reader.territories.get(territory).time_zone
    start = now if wanted.effective_at is None else instant(wanted.effective_at, zone, "effective_at")
    require_place(reader, territory, line, start, wanted.supersedes, now)
    before = former(reader, territory, line, start)
    rebased = None if republishes is not None else _rebased(reader, found, before, wanted.scope)
    plan, ignored = mine if rebased is None else rebased.plan, None
    if wanted.scope is not None:
        plan, ignored = _scoped(reader, found, plan, before, wanted.scope)
    judged = gates.judge(reader, found, plan, start)
    if republishes is not None:
        # The way back must stay open: a published plan can be given no waiver, and districts ask at any time.
        judged = [gate for gate in judged if gate.name != "requests"]
    _check_gates(judged)
    until = _until(wanted, zone, start)
    live = reader.customers.live_import(territory, record.tiling)
    heads = None if live is None or before is None else customers_in(reader, live, len(found.tiling))
    meta = {
        **_summary(reader, found, plan),
        **_told(reader, found, plan, before, rebased, until, heads),
        **({} if ignored is None else {"ignored": {"cells": len(ignored)}}),
    }
    newest = reader.publications.newest(territory, line)
    seen = (None if newest is None else newest.n, None if before is None else before.n)
    made = _record(found, plan, start, meta)
    made = replace(
        made,
        customers_import=None if live is None else live.id,
        base_publication=base_number(reader, record) if republishes is None else seen[1],
        supersedes=wanted.supersedes,
        republishes=republishes,
        scope=wanted.scope,
        transition_until=until,
    )
    outlines = dissolve(found.tiling, plan.labels, len(plan.grids))
    lineage = traced(reader, made, found.tiling, plan, before, heads)
    others = beside(reader, territory, line)
    return Ready(made, plan, outlines, lineage, found, rebased, seen, others, wanted.effective_at is None)


def _rebased(
    reader: Reader, found: Draft, before: PublicationRecord | None, scope: str | None
) -> Rebased | None:
    """The draft with what came into force since it was made; None where nothing did.

    Raises
    ------
    StaleBase
        Others changed the same cells; with a scope only its cells count, elsewhere theirs stand.
    """
    record = found.record
    number = base_number(reader, record)
    if before is None or (number is not None and number >= before.n):
        return None
    rebased = rebased_on(reader, record, before)
    if scope is not None:
        theirs = published_plan(reader, record.territory, record.line, before.n)
        rebased = inside(rebased, found.plan, theirs, scope)
    if not rebased.clean:
        raise stale_base(reader, record, before, rebased)
    return rebased if scope is None else rebased_on(reader, record, before, "theirs")


def _scoped(
    reader: Reader, found: Draft, mine: Plan, before: PublicationRecord | None, scope: str
) -> tuple[Plan, NDArray[np.int64]]:
    """What a draft changes in one branch, all else as published; and the cells it changes elsewhere."""
    record = found.record
    if before is None or before.tiling != record.tiling:
        what = "nothing is published yet" if before is None else f"publication {before.n} has another tiling"
        raise InvalidInput(
            f"{what}, so there is nothing to take the other branches from",
            field="scope",
            cure="publish without scope",
        )
    theirs = published_plan(reader, record.territory, record.line, before.n)
    parents = sorted({grid.parent for plan in (mine, theirs) for grid in plan.grids if grid.parent})
    if scope not in parents:
        there = f"name one of {', '.join(parents[:_NAMED])}" if parents else "no grid is nested; leave it out"
        raise InvalidInput(f"no grid is nested in {scope!r}", field="scope", cure=there)
    other = {grid.code: grid.parent for grid in theirs.grids if grid.parent != scope}
    taken = [grid.code for grid in mine.grids if grid.parent == scope and grid.code in other]
    if taken:
        raise Conflict(
            f"grid code {taken[0]!r} belongs to another branch in publication {before.n}",
            field="scope",
            cure="make the plan from the published one, so that grids keep their codes",
            grids=taken[:_NAMED],
        )
    return within(mine, theirs, scope)


def _check_gates(found: list[Gate]) -> None:
    closed = [gate for gate in found if gate.blocking and not gate.passed]
    if closed:
        raise GateClosed(
            "; ".join(gate.message for gate in closed),
            cure=closed[0].cure,
            gates=[asdict(gate) for gate in closed],
        )


def _until(wanted: Wanted, zone: str, start: datetime) -> datetime | None:
    if wanted.transition_until is None:
        return None
    until = instant(wanted.transition_until, zone, "transition_until")
    if until <= start:
        raise InvalidInput(
            "the transition ends before the publication takes effect",
            field="transition_until",
            cure=f"choose a time after {start.isoformat()}",
        )
    return until


def _told(
    reader: Reader,
    found: Draft,
    plan: Plan,
    before: PublicationRecord | None,
    rebased: Rebased | None,
    until: datetime | None,
    heads: NDArray[np.float64] | None,
) -> dict[str, Any]:
    """What the publication changes against the one before it; `heads` are the customers of each cell."""
    record = found.record
    carried = {} if rebased is None else {"carried": {"cells": len(rebased.carried)}}
    if before is None:
        return {"follows": None, "moved": None, **carried}
    if before.tiling != record.tiling:
        if until is not None:
            raise InvalidInput(
                f"publication {before.n} has another tiling, so nobody can stay with a former owner",
                field="transition_until",
                cure="leave it out",
            )
        return {"follows": before.n, "moved": None, **carried}
    former_plan = published_plan(reader, record.territory, record.line, before.n)
    rows = moved(former_plan, plan)
    told = {"cells": len(rows), "customers": None if heads is None else int(heads[rows].sum())}
    return {"follows": before.n, "moved": told, **carried}


def _record(found: Draft, plan: Plan, start: datetime, meta: dict[str, Any]) -> PublicationRecord:
    record, tiling = found.record, found.tiling
    payload = pack(
        Publication(
            record.territory,
            record.line,
            tiling.kind,
            tiling.resolution,
            tiling.ids,
            plan.labels,
            plan.grids,
            overlays_of(plan),
        )
    )
    return PublicationRecord(
        territory=record.territory,
        line=record.line,
        level=record.level,
        parent=record.parent,
        plan=record.id,
        tiling=record.tiling,
        effective_at=start,
        checksum=checksum(payload),
        payload=payload,
        meta=meta,
    )


def _summary(reader: Reader, found: Draft, plan: Plan) -> dict[str, Any]:
    tolerance = (found.record.report or {}).get("parameters", {}).get("tolerance", {})
    off = gates.deviations_of(found, plan)
    weighed = np.array([not grid.carve_out for grid in plan.grids], np.bool_)
    live = reader.customers.live_import(found.record.territory, found.record.tiling)
    placed = {} if live is None else live.summary or {}
    return {
        "grids": len(plan.grids),
        "cells": len(found.tiling),
        "teams": len({grid.team for grid in plan.grids} | {carved.team for carved in plan.carve_outs}),
        **({"carve_outs": len(plan.carve_outs)} if plan.carve_outs else {}),
        "measures": [
            {
                "name": name,
                "total": round(float(found.columns[name].sum()), 6),
                "worst_deviation": _worst(off[name][weighed]),
                "tolerance": tolerance[name],
            }
            for name in off
        ],
        "customers": {
            name: placed[name] for name in ("read", "placed", "left_out", "placement_rate") if name in placed
        }
        or None,
    }


def _worst(values: NDArray[np.float64]) -> float:
    known = np.abs(values[~np.isnan(values)])
    return float(known.max(initial=0.0))
