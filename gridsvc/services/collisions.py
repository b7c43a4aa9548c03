"""What stands against a change: others were there first, or a lock holds the cell."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gridsvc.errors import Conflict, InvalidInput
from gridsvc.plans.draft import Change
from gridsvc.services.opening import Opened
from gridsvc.store.database import Reader
from gridsvc.store.records import PlanHead

__all__ = ["collision", "require_base", "require_free", "require_unchanged"]

_LISTED = 100
Rows = NDArray[np.int32]


def require_base(base_revision: int, head: PlanHead) -> None:
    """Raise `InvalidInput` unless the plan has, or had, the revision the planner says to have seen."""
    if not 1 <= base_revision <= head.revision:
        raise InvalidInput(
            f"the plan is at revision {head.revision}, so nobody has seen {base_revision}",
            field="base_revision",
            cure="send the revision which came with what you looked at",
            revision=head.revision,
        )


def require_unchanged(
    reader: Reader,
    opened: Opened,
    rows: Rows,
    revision: int,
    *,
    after: Rows | None = None,
    but_by: str | None = None,
) -> None:
    """Make sure that cells have not changed after `revision`.

    Parameters
    ----------
    after : int32 array, shape (n_rows,), optional
        Where the cells must still be.
    but_by : str, optional
        An actor whose own changes do not count.

    Raises
    ------
    Conflict
        They have; the details list them.
    """
    known = _with_past(reader, opened, revision)
    last = known.draft.touched[rows]
    changed = known.draft.changed_after(rows, revision)
    if revision < opened.head.labels_revision:
        changed = np.ones(len(rows), np.bool_)
    if but_by is not None:
        told = reader.moves.told(opened.head.id, np.unique(last[changed]).tolist())
        own = [number for number, move in told.items() if move.actor == but_by]
        changed &= ~np.isin(last, own)
    if after is not None:
        changed |= opened.draft.labels[rows] != after
    if changed.any():
        said = f"of {len(rows)} cells changed since revision {revision}"
        raise collision(reader, known, rows[changed], said)


def _with_past(reader: Reader, opened: Opened, revision: int) -> Opened:
    """The draft with what it must know to judge changes after `revision`."""
    draft, start = opened.draft, max(revision, opened.head.labels_revision)
    if draft.since <= start:
        return opened
    past = reader.moves.since(opened.head.id, start, draft.since)
    touched = ((made, change.rows) for made, change in past)
    return replace(opened, draft=draft.with_past(touched, start))


def collision(reader: Reader, opened: Opened, rows: Rows, said: str, **details: Any) -> Conflict:
    """The conflict about these cells: where each is now, who put it there and when; 100 are listed."""
    shown = rows[:_LISTED]
    last = opened.draft.touched[shown].tolist()
    told = reader.moves.told(opened.head.id, set(last))
    entries = [_entry(opened, row, told.get(made)) for row, made in zip(shown.tolist(), last, strict=True)]
    first = entries[0]
    where = (
        f"cell {first['cell']} is in {'no grid' if first['grid'] is None else 'grid ' + first['grid']} now"
    )
    by = f", moved by {first['actor']}" if first["actor"] else ""
    return Conflict(
        f"{len(rows)} {said}: {where}{by}",
        field="cells",
        cure=f"look at them again, then repeat with revision {opened.head.revision}, or without them",
        revision=opened.head.revision,
        total=len(rows),
        cells=entries,
        **details,
    )


def _entry(opened: Opened, row: int, made: Any) -> dict[str, Any]:
    label = int(opened.draft.labels[row])
    return {
        "cell": opened.cells.names[row],
        "grid": None if label < 0 else opened.grids[label].code,
        "actor": None if made is None else made.actor,
        "recorded_at": None if made is None else made.recorded_at.isoformat(),
        "revision": opened.head.labels_revision if made is None else made.revision,
        "kind": "solve" if made is None else made.kind,
    }


def require_free(opened: Opened, change: Change) -> None:
    """Make sure that no lock holds a cell back.

    Raises
    ------
    InvalidInput
        One does; it is named with its reason.
    """
    if not opened.locks:
        return
    held = []
    for row, after in zip(change.rows.tolist(), change.after.tolist(), strict=True):
        lock = opened.locks.get(row)
        if lock is not None and opened.grids[after].code != lock.grid:
            held.append({"cell": opened.cells.names[row], "lock": lock.row, "reason": lock.reason})
    if held:
        first = held[0]
        why = f": {first['reason']}" if first["reason"] else ""
        raise InvalidInput(
            f"cell {first['cell']} is locked by row {first['lock']} of the plan's locks{why}",
            field="cells",
            cure="leave it where it is, or make a plan without this lock",
            cells=held[:_LISTED],
            total=len(held),
        )
