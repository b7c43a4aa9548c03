"""Rebase: a plan carried over to what was published since it was made."""

from __future__ import annotations

from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from gridsvc.errors import Conflict, StaleBase, StaleRevision
from gridsvc.plans.draft import Change
from gridsvc.plans.plan import Plan
from gridsvc.plans.rebase import Rebased
from gridsvc.plans.rebase import rebase as replay
from gridsvc.plans.review import not_a_draft
from gridsvc.principal import Principal
from gridsvc.services.drafts import solved
from gridsvc.services.series import published_plan
from gridsvc.store.database import Database, Reader, UnitOfWork
from gridsvc.store.records import Idempotency, PlanRecord, PublicationRecord

__all__ = [
    "base_number",
    "rebase",
    "rebased_on",
    "require_draft",
    "require_revision",
    "stale_base",
    "write_rebased",
]

_LISTED = 100
_NAMED = 5
Prefer = Literal["mine", "theirs"]


def rebase(
    db: Database,
    who: Principal,
    plan: str,
    revision: int,
    *,
    prefer: Prefer | None = None,
    reason: str | None = None,
    idempotency: Idempotency | None = None,
) -> dict[str, Any]:
    """Replay what a draft changes on the newest publication of its territory and line.

    Parameters
    ----------
    prefer : {"mine", "theirs"}, optional
        Whose change counts where both made one.

    Returns
    -------
    dict
        ``revision``, ``base_publication``, ``carried`` (cells taken over from publications), ``conflicts``
        (cells both had changed, settled by `prefer`), ``grids`` (likewise, of names and teams) and
        ``carve_outs``.

    Raises
    ------
    StaleRevision
        The draft has moved on from `revision`.
    StaleBase
        Both changed the same cells and `prefer` does not say whose change counts; the details list them.
    Conflict
        Nothing is published, or the plan is published or not solved yet.
    """
    who.require("plans:write")
    with db.read(who) as reader:
        stored = None if idempotency is None else reader.replay(who.actor, idempotency)
        if stored is not None:
            return dict(stored.body)
        record = reader.plans.get(plan)
        require_draft(record, revision)
        newest = _newest(reader, record)
        found = _found(reader, record, newest, prefer)
    with db.write(who, "plan.rebase", reason=reason, idempotency=idempotency) as uow:
        require_draft(uow.plans.bare(plan), revision)
        if _newest(uow, record).n != newest.n:
            raise Conflict("something was published meanwhile", cure="send it again", plan=plan)
        now = revision
        if found is not None:
            now = write_rebased(uow, record, newest.n, found.plan, revision, reason)
        body = _told(now, newest.n, found)
        uow.respond(200, body)
    return body


def require_draft(record: PlanRecord, revision: int) -> None:
    """Make sure that a plan is a draft, and still what its planner saw.

    Raises
    ------
    Conflict
        It is under review or published already, or was given up.
    StaleRevision
        It has moved on from `revision`.
    """
    if record.status != "draft":
        raise not_a_draft(record.id, record.status)
    require_revision(record, revision)


def require_revision(record: PlanRecord, revision: int) -> None:
    """Raise `StaleRevision` where a plan has moved on from what its planner saw."""
    if record.revision != revision:
        raise StaleRevision(
            f"the plan is at revision {record.revision}, not {revision}",
            cure="look at it again, then repeat with its new ETag",
            revision=record.revision,
        )


def _newest(reader: Reader, record: PlanRecord) -> PublicationRecord:
    newest = reader.publications.newest(record.territory, record.line)
    if newest is None:
        raise Conflict("nothing is published yet to rebase on", cure="publish the plan", plan=record.id)
    return newest


def _found(
    reader: Reader, record: PlanRecord, newest: PublicationRecord, prefer: Prefer | None
) -> Rebased | None:
    """The rebased plan; None where it stands on the newest publication already."""
    mine = solved(record)
    if base_number(reader, record) == newest.n:
        return None
    if newest.tiling != record.tiling and prefer == "mine":
        nothing = np.array([], np.int64)
        return Rebased(mine, nothing, nothing, ())
    found = rebased_on(reader, record, newest, prefer)
    if prefer is None and not found.clean:
        raise stale_base(reader, record, newest, found)
    return found


def _told(revision: int, base: int, found: Rebased | None = None) -> dict[str, Any]:
    return {
        "revision": revision,
        "base_publication": base,
        "carried": 0 if found is None else len(found.carried),
        "conflicts": 0 if found is None else len(found.conflicts),
        "grids": [] if found is None else list(found.grids),
        "carve_outs": [] if found is None else list(found.carve_outs),
    }


def base_number(reader: Reader, record: PlanRecord) -> int | None:
    """The publication a plan stands on; for one of an older version what was newest when it was made."""
    if record.base_publication is not None:
        return record.base_publication
    newest = reader.publications.newest(record.territory, record.line, record.recorded_at)
    return None if newest is None else newest.n


def rebased_on(
    reader: Reader, record: PlanRecord, onto: PublicationRecord, prefer: Prefer | None = None
) -> Rebased:
    """The plan with what was published since the publication it stands on.

    Raises
    ------
    StaleBase
        The publication has another tiling, so that cells cannot be compared.
    """
    if onto.tiling != record.tiling:
        raise StaleBase(
            f"publication {onto.n} stands on another tiling than the plan",
            field="base_publication",
            cure="rebase with prefer=mine to let the plan take its place as a whole",
            base=record.base_publication,
            publication=onto.n,
            total=0,
            cells=[],
        )
    mine = solved(record)
    theirs = published_plan(reader, record.territory, record.line, onto.n)
    return replay(_base(reader, record), mine, theirs, prefer)


def _base(reader: Reader, record: PlanRecord) -> Plan:
    """What the plan was made on; no grids at all where that had other cells."""
    number = base_number(reader, record)
    if number is not None:
        base = reader.publications.get(record.territory, record.line, number)
        if base.tiling == record.tiling:
            return published_plan(reader, record.territory, record.line, number)
    return Plan(np.full(len(solved(record).labels), -1, np.int32), ())


def stale_base(reader: Reader, record: PlanRecord, onto: PublicationRecord, found: Rebased) -> StaleBase:
    """The conflict about cells (100 are listed), grids and carve-outs which both sides changed."""
    theirs = published_plan(reader, record.territory, record.line, onto.n)
    names = reader.tilings.plain(record.tiling).names()
    base = base_number(reader, record)
    cells = [_entry(names, solved(record), theirs, onto, row) for row in found.conflicts[:_LISTED].tolist()]
    first = f", such as {cells[0]['cell']}, now in {cells[0]['grid'] or 'no grid'}" if cells else ""
    what = _what(found)
    return StaleBase(
        f"the plan was made on publication {base or 'none'}; publication {onto.n} changed {what} "
        f"which the plan changes too{first}",
        field="base_publication",
        cure="rebase the plan; prefer=mine or prefer=theirs says whose change counts",
        base=base,
        publication=onto.n,
        published_by=onto.published_by,
        total=len(found.conflicts),
        cells=cells,
        grids=list(found.grids),
        carve_outs=list(found.carve_outs),
    )


def _what(found: Rebased) -> str:
    if len(found.conflicts):
        return f"{len(found.conflicts)} cells"
    if found.grids:
        return f"the names or teams of {len(found.grids)} grids"
    return f"carve-outs {', '.join(found.carve_outs[:_NAMED])}"


def _entry(names: list[str], mine: Plan, theirs: Plan, onto: PublicationRecord, row: int) -> dict[str, Any]:
    owner = theirs.grids[theirs.labels[row]] if theirs.labels[row] >= 0 else None
    own = mine.grids[mine.labels[row]] if mine.labels[row] >= 0 else None
    return {
        "cell": names[row],
        "grid": None if owner is None else owner.code,
        "team": None if owner is None else owner.team,
        "mine": None if own is None else own.code,
        "publication": onto.n,
    }


def write_rebased(
    uow: UnitOfWork,
    record: PlanRecord,
    base: int,
    plan: Plan,
    revision: int,
    reason: str | None,
) -> int:
    """Make a locked draft stand on publication `base` as `plan`, and return its new revision."""
    change, place = _change(uow, record.id, plan)
    before, bare = revision, uow.plans.bare(record.id)
    if len(change):
        source = {"publication": base}
        revision = uow.moves.append(record.id, "rebase", change, revision, reason=reason, source=source)
    there = {grid.code for grid in plan.grids}
    uow.moves.leave_out(record.id, [g for code, g in place.items() if code not in there])
    grids = sorted(plan.grids, key=lambda grid: place[grid.code])
    if list(uow.plans.get(record.id).grids) != grids:
        revision = uow.plans.save_teams(record.id, grids, bare.report, revision)
    carved = {}
    if record.carve_outs != plan.carve_outs:
        revision = uow.plans.set_carve_outs(record.id, plan.carve_outs, revision)
        carved = {"carve_outs": [carved.code for carved in plan.carve_outs]}
    revision = uow.plans.stand_on(record.id, base, revision)
    told = {"base": base, "revision": revision, "cells": len(change), **carved}
    uow.audit(f"plan/{record.id}", {"base": record.base_publication, "revision": before}, told)
    _tell(uow, record.id, revision, change, place)
    return revision


def _change(uow: UnitOfWork, plan_id: str, plan: Plan) -> tuple[Change, dict[str, int]]:
    """What makes the draft's cells those of `plan`, and the place of each grid; new grids are added."""
    grids, _ = uow.moves.grids(plan_id)
    place = {grid.code: g for g, grid in enumerate(grids)}
    for grid in plan.grids:
        if grid.code not in place:
            place[grid.code] = uow.moves.add_grid(plan_id, grid)
    of_grid = np.array([*(place[grid.code] for grid in plan.grids), -1], np.int32)
    labels = uow.moves.labels(plan_id)
    assert labels is not None  # noqa: S101 - a rebased plan is solved
    rows = np.arange(len(labels), dtype=np.int32)
    return Change.of(labels, rows, _placed(of_grid, plan)), place


def _placed(of_grid: NDArray[np.int32], plan: Plan) -> NDArray[np.int32]:
    return np.asarray(of_grid[plan.labels], np.int32)


def _tell(uow: UnitOfWork, plan: str, revision: int, change: Change, place: dict[str, int]) -> None:
    code = {g: name for name, g in place.items()}
    grids = [code[g] for g in (change.grids().tolist() if len(change) else []) if g >= 0]
    event = {"plan": plan, "revision": revision, "actor": uow.actor, "kind": "rebase"}
    uow.emit("plan.moved", {**event, "cells": len(change), "grids": grids})
