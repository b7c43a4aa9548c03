"""Moves: cells handed from grid to grid by several planners at once, taken back and made again."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gridsvc.errors import Conflict
from gridsvc.plans.draft import Change, next_redo, next_undo
from gridsvc.principal import Principal
from gridsvc.services.collisions import require_base, require_free, require_unchanged
from gridsvc.services.handing import Part, change_of, change_to, rows_of
from gridsvc.services.live import Kept, current, kept_of
from gridsvc.services.opening import Opened
from gridsvc.services.own_ground import OwnGround, own_ground
from gridsvc.store.database import Database, UnitOfWork
from gridsvc.store.moves import require_draft
from gridsvc.store.records import Idempotency, MoveRecord, PlanHead

__all__ = [
    "Part",
    "cells_of",
    "hand_over",
    "history",
    "move",
    "preview",
    "record_change",
    "redo",
    "undo",
]


def move(
    db: Database,
    who: Principal,
    plan: str,
    base_revision: int,
    parts: Sequence[Part],
    *,
    reason: str | None = None,
    drop_empty: bool = False,
    idempotency: Idempotency | None = None,
) -> dict[str, Any]:
    """Hand cells of a draft to other grids, all of them or none.

    Parameters
    ----------
    base_revision : int
        The revision the planner saw.
    drop_empty : bool
        Leave grids out of the plan which have no cells afterwards.

    Returns
    -------
    dict
        ``revision``, ``moved`` (cells which were elsewhere) and ``report``; see `record_change`.

    Raises
    ------
    InvalidInput
        No cell, more than 100,000, an unknown one or one twice; no such grid; a locked cell; a revision the
        plan has not come to.
    Conflict
        A cell was changed after `base_revision`; the plan is published, or not solved yet.
    Forbidden
        A cell or a grid is not of the part which the caller sees.
    """
    who.require("plans:write")
    kept = kept_of(db)
    with db.read(who, parts=True) as reader:
        stored = None if idempotency is None else reader.replay(who.actor, idempotency)
        if stored is not None:
            return dict(stored.body)
        opened = current(kept, reader, plan)
        own = own_ground(reader, who, opened)
        if own is not None:
            own.require(opened, parts)
        require_draft(opened.head)
        rows = rows_of(opened, parts)
    with db.write(who, "plan.move", reason=reason, idempotency=idempotency, parts=True) as uow:
        with _of_part(own):
            opened, body = hand_over(
                uow, kept, plan, base_revision, parts, rows, reason=reason, drop_empty=drop_empty
            )
        if own is not None:
            body = own.told(opened, body, parts)
        uow.respond(200, body)
    kept.keep(opened)
    return body


@contextmanager
def _of_part(own: OwnGround | None) -> Iterator[None]:
    """Leave out of a conflict where others put cells, for whoever does not see all grids."""
    try:
        yield
    except Conflict as error:
        if own is None:
            raise
        raise Conflict(
            "others changed these cells, or the plan", field="cells", cure="look at them again"
        ) from error


def hand_over(
    uow: UnitOfWork,
    kept: Kept,
    plan: str,
    base_revision: int,
    parts: Sequence[Part],
    rows: Sequence[NDArray[np.int32]],
    *,
    reason: str | None = None,
    drop_empty: bool = False,
) -> tuple[Opened, dict[str, Any]]:
    """Do what `move` does within a transaction; `rows` are the cells of each part.

    Returns
    -------
    opened : Opened
        To be kept once the transaction is committed.
    body : dict
        As of `move`.
    """
    head = uow.moves.lock(plan)
    opened = current(kept, uow, plan, head)
    require_base(base_revision, head)
    require_unchanged(uow, opened, np.concatenate(rows), base_revision)
    opened, change = change_of(uow, opened, parts, rows)
    require_free(opened, change)
    return record_change(uow, opened, "move", change, reason=reason, drop_empty=drop_empty)


def preview(opened: Opened, cells: Sequence[str], to: str) -> dict[str, Any]:
    """What a move to a grid of the plan would come to, without making it.

    Returns
    -------
    dict
        ``moved``, and the report of the grids touched ``before`` and ``after``; see `record_change`.

    Raises
    ------
    InvalidInput
        As `move`.
    """
    (rows,) = rows_of(opened, [Part(cells, to)])
    change = change_to(opened, rows, to)
    require_free(opened, change)
    before, after = _told(opened, change), _told(opened.changed(change, opened.head), change)
    return {"moved": len(change), "before": before["report"], "after": after["report"]}


def record_change(
    uow: UnitOfWork,
    opened: Opened,
    kind: str,
    change: Change,
    *,
    reason: str | None = None,
    reverts: int | None = None,
    source: dict[str, Any] | None = None,
    drop_empty: bool | Sequence[int] = False,
) -> tuple[Opened, dict[str, Any]]:
    """Write a change of a locked plan with its audit and event.

    Parameters
    ----------
    opened : Opened
        As the plan is now; new grids among its grids.
    drop_empty : bool or sequence of int
        Whether grids without cells are left out afterwards, or the places of those which are.

    Returns
    -------
    opened : Opened
        As the plan is afterwards, to be kept once the transaction is committed.
    body : dict
        ``revision``, ``moved``, ``report`` with ``grids`` (those which lost or gained cells), ``emptied``
        (codes of those without cells) and ``overall``.
    """
    if not len(change):
        return opened, _told(opened, change)
    plan, before = opened.head.id, opened.head.revision
    revision = uow.moves.append(plan, kind, change, before, reverts=reverts, reason=reason, source=source)
    opened = opened.changed(change, replace(opened.head, revision=revision))
    opened = _without_empty(uow, opened, drop_empty)
    body = _told(opened, change)
    codes = [opened.grids[g].code for g in change.grids().tolist() if g >= 0]
    uow.audit(
        f"plan/{plan}", {"revision": before}, {"revision": revision, "kind": kind, "cells": len(change)}
    )
    uow.emit(
        "plan.moved",
        {
            "plan": plan,
            "revision": revision,
            "actor": uow.actor,
            "kind": kind,
            "cells": len(change),
            "grids": codes,
        },
    )
    return opened, body


def _without_empty(uow: UnitOfWork, opened: Opened, drop_empty: bool | Sequence[int]) -> Opened:
    if drop_empty is False:
        return opened
    empty = opened.shown & (opened.live.cells == 0)
    if drop_empty is not True:
        empty &= np.isin(np.arange(len(empty)), list(drop_empty))
    if not empty.any():
        return opened
    uow.moves.leave_out(opened.head.id, np.flatnonzero(empty).tolist())
    return replace(opened, optional=opened.optional | empty)


def _told(opened: Opened, change: Change) -> dict[str, Any]:
    touched = [g for g in change.grids().tolist() if g >= 0] if len(change) else []
    grids = opened.figures.entries((g, opened.grids[g]) for g in touched)
    report = {
        "grids": grids,
        "emptied": [opened.grids[g].code for g in touched if opened.live.cells[g] == 0],
        "overall": opened.figures.overall(),
    }
    return {"revision": opened.head.revision, "moved": len(change), "report": report}


def undo(
    db: Database,
    who: Principal,
    plan: str,
    base_revision: int,
    *,
    reason: str | None = None,
    idempotency: Idempotency | None = None,
) -> dict[str, Any]:
    """Take back the caller's latest move or merge which is not taken back yet.

    Raises
    ------
    Conflict
        There is nothing to take back, or others changed those cells since.
    """
    return _take_back(db, who, plan, base_revision, "undo", reason, idempotency)


def redo(
    db: Database,
    who: Principal,
    plan: str,
    base_revision: int,
    *,
    reason: str | None = None,
    idempotency: Idempotency | None = None,
) -> dict[str, Any]:
    """Make the move again which the caller took back last; a new move leaves nothing to make again.

    Raises
    ------
    Conflict
        As `undo`.
    """
    return _take_back(db, who, plan, base_revision, "redo", reason, idempotency)


def _take_back(
    db: Database,
    who: Principal,
    plan: str,
    base_revision: int,
    kind: str,
    reason: str | None,
    idempotency: Idempotency | None,
) -> dict[str, Any]:
    who.require("plans:write")
    kept = kept_of(db)
    with db.read(who) as reader:
        stored = None if idempotency is None else reader.replay(who.actor, idempotency)
        if stored is not None:
            return dict(stored.body)
        current(kept, reader, plan)  # opened before the plan is locked, for that may take a while
    with db.write(who, f"plan.{kind}", reason=reason, idempotency=idempotency) as uow:
        head = uow.moves.lock(plan)
        opened = current(kept, uow, plan, head)
        require_base(base_revision, head)
        revision = _next(uow, who, head, kind)
        change = uow.moves.get(plan, revision)[1]
        require_unchanged(uow, opened, change.rows, revision, after=change.after, but_by=who.actor)
        opened, body = record_change(uow, opened, kind, change.inverse(), reason=reason, reverts=revision)
        uow.respond(200, body)
    kept.keep(opened)
    return body


def _next(uow: UnitOfWork, who: Principal, head: PlanHead, kind: str) -> int:
    done = uow.moves.done_by(head.id, who.actor)
    found = next_undo(done) if kind == "undo" else next_redo(done)
    if found is None:
        what = "no move of yours to take back" if kind == "undo" else "nothing of yours to make again"
        raise Conflict(f"there is {what}", cure="move cells first", revision=head.revision)
    return found


def history(
    db: Database,
    who: Principal,
    plan: str,
    after: int | None = None,
    limit: int = 100,
    *,
    newest: bool = False,
) -> list[MoveRecord]:
    """What changed cells of a plan, oldest or newest first."""
    who.require("plans:read")
    with db.read(who) as reader:
        reader.moves.head(plan)
        return reader.moves.history(plan, after, limit, newest=newest)


def cells_of(
    db: Database, who: Principal, plan: str, revision: int
) -> tuple[MoveRecord, list[tuple[str, str | None, str | None]]]:
    """A change with its cells: id, code before, code after.

    Raises
    ------
    NotFound
        That revision changed no cells.
    Conflict
        The plan was solved anew since, so that only the sums of that change are known.
    """
    who.require("plans:read")
    with db.read(who) as reader:
        opened = current(kept_of(db), reader, plan)
        record, change = reader.moves.get(plan, revision)
        if revision <= opened.head.labels_revision:
            raise Conflict(
                f"the plan was solved anew at revision {opened.head.labels_revision}",
                cure="look at a later revision; the list of moves keeps the sums of earlier ones",
            )
    names, code = opened.cells.names, [*(grid.code for grid in opened.grids), None]
    columns = (array.tolist() for array in (change.rows, change.before, change.after))
    return record, [(names[row], code[a], code[b]) for row, a, b in zip(*columns, strict=True)]
