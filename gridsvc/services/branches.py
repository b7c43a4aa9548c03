"""Scenarios: branches of a plan, their names and comments, and merging them cell by cell."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from gridsvc.errors import Conflict, InvalidInput, NotFound, StaleRevision
from gridsvc.plans.carveouts import CarveOut, merged
from gridsvc.plans.draft import Change
from gridsvc.plans.merge import merge as three_way
from gridsvc.plans.plan import Plan
from gridsvc.principal import Principal
from gridsvc.services import carveouts
from gridsvc.services.collisions import collision
from gridsvc.services.drafts import base_of, solved
from gridsvc.services.live import current, kept_of
from gridsvc.services.moves import record_change
from gridsvc.services.opening import Opened
from gridsvc.store.database import Database, Reader, UnitOfWork
from gridsvc.store.records import Idempotency, PlanRecord

__all__ = ["branch", "describe", "merge"]

_NAMED = 5
Prefer = Literal["mine", "theirs"]


def branch(
    db: Database,
    who: Principal,
    plan: str,
    name: str,
    comment: str | None = None,
    *,
    idempotency: Idempotency | None = None,
) -> PlanRecord:
    """Start a new draft from a plan as it is now; the plan itself may be published.

    Raises
    ------
    Conflict
        The plan is not solved yet.
    """
    who.require("plans:write")
    with db.read(who) as reader:
        stored = None if idempotency is None else reader.replay(who.actor, idempotency)
        if stored is not None:
            return reader.plans.get(stored.body["plan"])
        record = reader.plans.get(plan)
        opened = current(kept_of(db), reader, plan)
        base = base_of(reader, record.territory, record.line, plan)
        report = opened.report(record.report) if reader.moves.any(plan) else record.report
    made = replace(
        record,
        name=name,
        comment=comment,
        report=report,
        base_publication=base,
        branched_from=plan,
        branched_at=record.revision,
        waivers=[],
    )
    with db.write(who, "plan.branch", idempotency=idempotency) as uow:
        new = uow.plans.create(made)
        told = {"branched_from": plan, "branched_at": record.revision}
        uow.audit(f"plan/{new}", None, told)
        uow.emit("plan.created", {"plan": new, **told})
        uow.respond(201, {"plan": new})
    with db.read(who) as reader:
        return reader.plans.get(new)


def describe(db: Database, who: Principal, plan: str, revision: int, **words: str | None) -> PlanRecord:
    """Give a draft another ``name`` or ``comment``.

    Raises
    ------
    StaleRevision
        The draft has moved on from `revision`.
    Conflict
        It is published.
    """
    who.require("plans:write")
    with db.write(who, "plan.describe") as uow:
        before = uow.plans.bare(plan)
        now = uow.plans.describe(plan, revision, **words)
        uow.audit(f"plan/{plan}", {name: getattr(before, name) for name in words}, words)
        uow.emit("plan.described", {"plan": plan, "revision": now, "actor": who.actor})
    with db.read(who) as reader:
        return reader.plans.get(plan)


def merge(
    db: Database,
    who: Principal,
    plan: str,
    revision: int,
    source: str,
    *,
    prefer: Prefer | None = None,
    reason: str | None = None,
    idempotency: Idempotency | None = None,
) -> dict[str, Any]:
    """Bring into a draft what another plan changed since the two were one.

    Parameters
    ----------
    source : str
        The other plan; it stays as it is.
    prefer : {"mine", "theirs"}, optional
        Whose grid a cell gets which both changed, and whose carve-out stays.

    Returns
    -------
    dict
        As `gridsvc.services.moves.move`, with ``conflicts``: how many cells both had changed, and
        ``carve_outs``: codes of those on which they did not agree. Undo takes back the cells only.

    Raises
    ------
    StaleRevision
        The draft has moved on from `revision`.
    InvalidInput
        The plans have no common origin.
    Conflict
        Both changed the same cells or carve-outs, and `prefer` does not say whose change counts; the details
        list them.
    """
    who.require("plans:write")
    kept = kept_of(db)
    with db.read(who) as reader:
        stored = None if idempotency is None else reader.replay(who.actor, idempotency)
        if stored is not None:
            return dict(stored.body)
        mine, theirs = reader.plans.get(plan), _other(reader, plan, source)
        base = _common(reader, mine, theirs)
        current(kept, reader, plan)
    found = three_way(base, solved(mine), solved(theirs))
    carved, clashes = merged(base.carve_outs, mine.carve_outs, theirs.carve_outs, prefer)
    with db.write(who, "plan.merge", reason=reason, idempotency=idempotency) as uow:
        head = uow.moves.lock(plan)
        if not head.revision == mine.revision == revision:
            raise StaleRevision(
                f"the plan is at revision {head.revision}, not {revision}",
                cure="look at it again, then repeat with its new ETag",
                revision=head.revision,
            )
        opened = current(kept, uow, plan, head)
        if len(found.conflicts) and prefer is None:
            raise _collision(uow, opened, found.conflicts, theirs)
        if clashes and prefer is None:
            raise _clash(clashes, theirs)
        rows = np.union1d(found.rows, found.conflicts) if prefer == "theirs" else found.rows
        opened, change = _taken_over(uow, opened, rows.astype(np.int32), solved(theirs))
        told = {"plan": source, "revision": theirs.revision}
        opened, body = record_change(
            uow,
            opened,
            "merge",
            change,
            reason=reason,
            source=told,
            drop_empty=_given_up(opened, theirs),
        )
        if carved != mine.carve_outs:
            if not len(change):  # the merge is on record all the same, so that the next one knows its base
                uow.moves.append(plan, "merge", change, head.revision, reason=reason, source=told)
            opened = _carved(uow, opened, head.revision + 1, mine.carve_outs, carved)
            body["revision"] = opened.head.revision
        body |= {"conflicts": len(found.conflicts), "carve_outs": list(clashes)}
        uow.respond(200, body)
    kept.keep(opened)
    return body


def _carved(
    uow: UnitOfWork,
    opened: Opened,
    merge: int,
    before: tuple[CarveOut, ...],
    after: tuple[CarveOut, ...],
) -> Opened:
    """The draft with other carve-outs, behind its merge."""
    plan = opened.head.id
    revision = uow.plans.set_carve_outs(plan, after, merge)
    carveouts.tell(uow, plan, before, after, revision)
    return replace(opened, head=replace(opened.head, revision=revision), draft=opened.draft.at(revision))


def _clash(codes: tuple[str, ...], theirs: PlanRecord) -> Conflict:
    return Conflict(
        f"carve-outs {', '.join(codes[:_NAMED])} were changed in both plans, here and in {theirs.id}",
        field="carve_outs",
        cure="say with prefer whose change counts, mine or theirs, or change them in one of the plans",
        carve_outs=list(codes),
    )


def _other(reader: Reader, plan: str, source: str) -> PlanRecord:
    try:
        record = reader.plans.get(source)
    except NotFound:
        raise InvalidInput(
            f"there is no plan {source!r}", field="from", cure="name a branch of this plan"
        ) from None
    if source == plan:
        raise InvalidInput(
            "a plan is not merged with itself", field="from", cure="name a branch of this plan"
        )
    return record


def _common(reader: Reader, mine: PlanRecord, theirs: PlanRecord) -> Plan:
    """The state in which both plans were last one: at a merge between them, or where they parted.

    Raises
    ------
    InvalidInput
        They stand on different tilings, or none was branched from the other or from a third.
    Conflict
        The plan they parted from was solved anew since.
    """
    if mine.tiling != theirs.tiling:
        raise InvalidInput(
            f"plan {theirs.id} has the cells of tiling {theirs.tiling}, this plan those of {mine.tiling}",
            field="from",
            cure="name a branch of this plan",
        )
    solved(mine), solved(theirs)
    merges = [
        (found.recorded_at, other.id, found.source["revision"])
        for plan, other in ((mine, theirs), (theirs, mine))
        if (found := reader.moves.merged_from(plan.id, other.id)) is not None and found.source
    ]
    if merges:
        _, plan, revision = max(merges)
        return solved(reader.plans.at(plan, revision))
    lines = _line(reader, mine), _line(reader, theirs)
    for plan, revision in lines[0].items():
        if plan in lines[1]:
            return solved(reader.plans.at(plan, min(revision, lines[1][plan])))
    raise InvalidInput(
        f"plan {theirs.id} and this plan have no common origin",
        field="from",
        cure="name a branch of this plan, or the plan it was branched from",
    )


def _line(reader: Reader, record: PlanRecord) -> dict[str, int]:
    """The plan and those it comes from, nearest first, each with its revision when it was branched."""
    line = {record.id: record.revision}
    while record.branched_from is not None and record.branched_at is not None:
        line[record.branched_from] = record.branched_at
        record = reader.plans.bare(record.branched_from)
    return line


def _collision(reader: Reader, opened: Opened, rows: NDArray[np.int64], theirs: PlanRecord) -> Conflict:
    plan = solved(theirs)
    error = collision(
        reader, opened, rows.astype(np.int32), f"cells were changed in both plans, here and in {theirs.id}"
    )
    for entry, row in zip(error.details["cells"], rows.tolist(), strict=False):
        entry["theirs"] = None if plan.labels[row] < 0 else plan.grids[plan.labels[row]].code
    error.cure = "say with prefer whose change counts, mine or theirs, or change them in one of the plans"
    return error


def _taken_over(
    uow: UnitOfWork, opened: Opened, rows: NDArray[np.int32], theirs: Plan
) -> tuple[Opened, Change]:
    """The change which gives `rows` the grids of `theirs`; grids which are new are added."""
    labels = theirs.labels[rows]
    place = {grid.code: g for g, grid in enumerate(opened.grids) if opened.shown[g]}
    for g in np.unique(labels[labels >= 0]).tolist():
        if theirs.grids[g].code not in place:
            place[theirs.grids[g].code] = uow.moves.add_grid(opened.head.id, theirs.grids[g])
    opened = opened.with_grids(*uow.moves.grids(opened.head.id))
    of_grid = np.array([*(place.get(grid.code, -1) for grid in theirs.grids), -1], np.int32)
    return opened, Change.of(opened.draft.labels, rows, of_grid[labels])


def _given_up(opened: Opened, theirs: PlanRecord) -> list[int]:
    """Grids which the other plan no longer has: left out here, too, if they have no cells then."""
    there = {grid.code for grid in theirs.grids}
    return [g for g, grid in enumerate(opened.grids) if grid.code not in there]
