"""Moves: what changed cells of a plan since its base assignment was set; appended, never altered.

Cells and grids stand here as positions: rows of the tiling, and places in the order in which the plan's grids
were added. A place never changes its meaning while the base assignment stands.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import Row, func, insert, select, update

from gridsvc.errors import Conflict, NotFound, StaleRevision
from gridsvc.plans.draft import Change, Entry, fold
from gridsvc.plans.plan import Grid
from gridsvc.plans.review import not_a_draft
from gridsvc.store import carveouts, codec
from gridsvc.store.faults import unique
from gridsvc.store.handle import Handle
from gridsvc.store.records import MoveRecord, PlanHead
from gridsvc.store.tables import plan_grids, plan_moves, plans

__all__ = ["MoveReader", "MoveWriter", "packed", "require_draft"]

_EVERY = 256  # moves between two checkpoints: so many are read at most to know the present state
_LINE = [c for c in plan_moves.c if c.name not in {"plan_id", "cells"}]
_HEAD = (
    plans.c.id,
    plans.c.territory,
    plans.c.tiling_id.label("tiling"),
    plans.c.status,
    plans.c.revision,
    plans.c.labels_revision,
    plans.c.labels.is_not(None).label("solved"),
)


def packed(labels: NDArray[np.int32] | None) -> bytes | None:
    """Labels as they are stored."""
    return None if labels is None else codec.pack({"labels": labels.astype(np.int32)})


def _change(block: bytes) -> Change:
    arrays = codec.unpack(block)
    return Change(arrays["rows"], arrays["before"], arrays["after"])


def require_draft(head: PlanHead) -> None:
    """Raise `Conflict` where the plan is under review or published."""
    if head.status != "draft":
        raise not_a_draft(head.id, head.status)


class MoveReader:
    """Reads moves, and what a plan's cells are with them."""

    def __init__(self, handle: Handle) -> None:
        self._handle = handle

    def head(self, plan_id: str) -> PlanHead:
        """Where the plan stands.

        Raises
        ------
        NotFound
            No plan has this id.
        """
        return self._head(plan_id, lock=False)

    def _head(self, plan_id: str, *, lock: bool) -> PlanHead:
        rows = select(*_HEAD).where(plans.c.id == plan_id)
        found = self._handle.connection.execute(rows.with_for_update() if lock else rows).first()
        if found is None:
            raise NotFound(f"there is no plan {plan_id!r}", field="plan", cure="list the plans there are")
        return PlanHead(**{**found._mapping, "solved": bool(found.solved)})

    def labels(self, plan_id: str, at: int | None = None) -> NDArray[np.int32] | None:
        """Place of each cell's grid, now or at revision `at`: int32, shape (n_cells,); None if not solved.

        Raises
        ------
        Conflict
            The base assignment was set after `at`.
        """
        c = plans.c
        rows = select(c.labels_revision, c.checkpoint_revision).where(c.id == plan_id)
        base, kept = self._handle.connection.execute(rows).one()
        if at is not None and at < base:
            raise Conflict(
                f"the plan was solved anew at revision {base}", cure=f"look at revision {base} or later"
            )
        near = kept if kept is not None and (at is None or at >= kept) else None
        block = select(c.labels if near is None else c.checkpoint).where(c.id == plan_id)
        found = self._handle.connection.execute(block).scalar()
        if found is None:
            return None
        later = self.since(plan_id, base if near is None else near, at)
        return fold(codec.unpack(found)["labels"], (change for _, change in later))

    def grids(self, plan_id: str) -> tuple[tuple[Grid, ...], NDArray[np.bool_]]:
        """All grids by place, and which of them are left out while they have no cells."""
        g = plan_grids.c
        rows = select(g.code, g.name, g.team, g.carve_out, g.parent, g.optional).where(g.plan_id == plan_id)
        found = self._handle.connection.execute(rows.order_by(g.position)).all()
        return tuple(Grid(*row[:-1]) for row in found), np.array([row.optional for row in found], np.bool_)

    def any(self, plan_id: str) -> bool:
        """Whether cells were moved since the base assignment was set."""
        base = select(plans.c.labels_revision).where(plans.c.id == plan_id).scalar_subquery()
        m = plan_moves.c
        rows = select(m.revision).where(m.plan_id == plan_id, m.revision > base).limit(1)
        return self._handle.connection.execute(rows).first() is not None

    def since(self, plan_id: str, after: int, until: int | None = None) -> list[tuple[int, Change]]:
        """Revision and cells of each change behind `after`, up to `until`, in order."""
        m = plan_moves.c
        rows = select(m.revision, m.cells).where(m.plan_id == plan_id, m.revision > after)
        if until is not None:
            rows = rows.where(m.revision <= until)
        found = self._handle.connection.execute(rows.order_by(m.revision))
        return [(revision, _change(block)) for revision, block in found]

    def get(self, plan_id: str, revision: int) -> tuple[MoveRecord, Change]:
        """One change with its cells.

        Raises
        ------
        NotFound
            That revision changed no cells.
        """
        m = plan_moves.c
        rows = select(plan_moves).where(m.plan_id == plan_id, m.revision == revision)
        found = self._handle.connection.execute(rows).first()
        if found is None:
            raise NotFound(
                f"revision {revision} of the plan changed no cells",
                field="revision",
                cure="list the moves there are",
            )
        return _record(found), _change(found.cells)

    def history(
        self, plan_id: str, after: int | None = None, limit: int = 100, *, newest: bool = False
    ) -> list[MoveRecord]:
        """Changes without their cells, oldest first or newest first; at most `limit`, behind `after`."""
        m = plan_moves.c
        rows = select(*_LINE).where(m.plan_id == plan_id)
        if after is not None:
            rows = rows.where(m.revision < after if newest else m.revision > after)
        rows = rows.order_by(m.revision.desc() if newest else m.revision).limit(limit)
        return [_record(row) for row in self._handle.connection.execute(rows)]

    def told(self, plan_id: str, revisions: Iterable[int]) -> dict[int, MoveRecord]:
        """The changes which made these revisions, without their cells."""
        m = plan_moves.c
        rows = select(*_LINE).where(m.plan_id == plan_id, m.revision.in_(list(revisions)))
        return {row.revision: _record(row) for row in self._handle.connection.execute(rows)}

    def done_by(self, plan_id: str, actor: str) -> list[Entry]:
        """What one planner did to cells since the base assignment was set, in order."""
        m = plan_moves.c
        base = select(plans.c.labels_revision).where(plans.c.id == plan_id).scalar_subquery()
        rows = select(m.revision, m.kind, m.reverts).where(
            m.plan_id == plan_id, m.actor == actor, m.revision > base, m.n_cells > 0
        )
        return [Entry(*row) for row in self._handle.connection.execute(rows.order_by(m.revision))]

    def merged_from(self, plan_id: str, source: str) -> MoveRecord | None:
        """The latest merge of `source` into the plan; None if there was none."""
        m = plan_moves.c
        rows = select(*_LINE).where(m.plan_id == plan_id, m.kind == "merge").order_by(m.revision.desc())
        found = (_record(row) for row in self._handle.connection.execute(rows))
        return next((move for move in found if move.source and move.source["plan"] == source), None)


def _record(row: Row[*tuple[Any, ...]]) -> MoveRecord:
    return MoveRecord(**{n: v for n, v in row._mapping.items() if n not in {"plan_id", "cells"}})


class MoveWriter(MoveReader):
    """Appends moves."""

    def lock(self, plan_id: str) -> PlanHead:
        """Where the plan stands; nobody else changes it until this transaction ends.

        Raises
        ------
        NotFound
            No plan has this id.
        Conflict
            It is published.
        """
        head = self._head(plan_id, lock=True)  # the embedded database lets in one writer at a time anyway
        require_draft(head)
        return head

    def append(
        self,
        plan_id: str,
        kind: str,
        change: Change,
        expected_revision: int,
        *,
        reverts: int | None = None,
        reason: str | None = None,
        source: dict[str, Any] | None = None,
    ) -> int:
        """Write a change behind all others, and return the revision it makes.

        Parameters
        ----------
        change : Change
            Grids by their places; see `grids`.
        expected_revision : int
            As `lock` gave it.

        Raises
        ------
        StaleRevision
            The plan has another revision, or is published.
        """
        revision = expected_revision + 1
        p = plans.c
        counted = update(plans).where(p.id == plan_id, p.revision == expected_revision, p.status == "draft")
        if self._handle.connection.execute(counted.values(revision=revision)).rowcount == 0:
            raise StaleRevision(
                f"the plan is no longer at revision {expected_revision}",
                field="revision",
                cure="read it again and repeat the change",
            )
        row = {
            "plan_id": plan_id,
            "revision": revision,
            "kind": kind,
            "reverts": reverts,
            "actor": self._handle.actor,
            "reason": reason,
            "recorded_at": self._handle.clock(),
            "n_cells": len(change),
            "grids": self._flows(plan_id, change),
            "source": source,
            "cells": codec.pack({"rows": change.rows, "before": change.before, "after": change.after}),
        }
        self._handle.connection.execute(insert(plan_moves).values(row))
        self._checkpoint(plan_id, revision)
        return revision

    def _flows(self, plan_id: str, change: Change) -> list[dict[str, Any]]:
        pairs, cells = np.unique(
            np.column_stack([change.before, change.after]).reshape(-1, 2), axis=0, return_counts=True
        )
        g = plan_grids.c
        rows = select(g.position, g.code).where(
            g.plan_id == plan_id, g.position.in_(np.unique(pairs).tolist())
        )
        code = {row.position: row.code for row in self._handle.connection.execute(rows)}
        return [
            {"from": code.get(a), "to": code.get(b), "cells": n}
            for (a, b), n in zip(pairs.tolist(), cells.tolist(), strict=True)
        ]

    def _checkpoint(self, plan_id: str, revision: int) -> None:
        """Write down the present state where the way to it has become long."""
        p, m = plans.c, plan_moves.c
        last = select(func.coalesce(p.checkpoint_revision, p.labels_revision)).where(p.id == plan_id)
        behind = select(func.count()).where(m.plan_id == plan_id, m.revision > last.scalar_subquery())
        if self._handle.connection.execute(behind).scalar_one() < _EVERY:
            return
        kept = {"checkpoint": packed(self.labels(plan_id)), "checkpoint_revision": revision}
        self._handle.connection.execute(update(plans).where(p.id == plan_id).values(kept))

    def add_grid(self, plan_id: str, grid: Grid) -> int:
        """Add a grid, to be left out while it has no cells, and return its place.

        A grid with this code which is left out already takes the new name and gets its place back.
        """
        g = plan_grids.c
        there = select(g.position).where(g.plan_id == plan_id, g.code == grid.code, g.optional)
        place: int | None = self._handle.connection.execute(there).scalar()
        if place is not None:
            again = update(plan_grids).where(g.plan_id == plan_id, g.position == place)
            self._handle.connection.execute(again.values(**asdict(grid)))
            return place
        top = select(func.coalesce(func.max(g.position), -1) + 1).where(g.plan_id == plan_id)
        place = int(self._handle.connection.execute(top).scalar_one())
        carveouts.require_free(self._handle, plan_id, [grid.code])
        row = {"plan_id": plan_id, "position": place, "optional": True, **asdict(grid)}
        with unique("two grids have one code", cure="give each grid its own code"):
            self._handle.connection.execute(insert(plan_grids).values(row))
        return place

    def leave_out(self, plan_id: str, places: Iterable[int]) -> None:
        """Leave these grids out of the plan while they have no cells."""
        g = plan_grids.c
        marked = update(plan_grids).where(g.plan_id == plan_id, g.position.in_(list(places)))
        self._handle.connection.execute(marked.values(optional=True))
