"""Plans: drafts with a revision, until they are published."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import Row, bindparam, delete, insert, select, update

from gridsvc.errors import InvalidInput, NotFound, StaleRevision
from gridsvc.plans.carveouts import CarveOut
from gridsvc.plans.plan import Grid, Plan
from gridsvc.plans.review import not_a_draft
from gridsvc.store import carveouts
from gridsvc.store.faults import unique
from gridsvc.store.handle import Handle
from gridsvc.store.ids import new_id
from gridsvc.store.moves import MoveReader, packed
from gridsvc.store.records import PlanRecord, PlanStatus
from gridsvc.store.tables import plan_grids, plans

__all__ = ["PlanReader", "PlanWriter"]

_PARTS = {"grids", "carve_outs", "tiling"}
_INNER = {"labels", "labels_revision", "checkpoint", "checkpoint_revision"}
_HEAD = [c for c in plans.c if c.name not in _INNER]


def _record(row: Row[*tuple[Any, ...]]) -> PlanRecord:
    named = dict(row._mapping)
    named["waivers"] = named["waivers"] or []
    return PlanRecord(tiling=named.pop("tiling_id"), **named)


def _without_left_out(
    labels: NDArray[np.int32] | None, grids: tuple[Grid, ...], optional: NDArray[np.bool_]
) -> tuple[NDArray[np.int32] | None, tuple[Grid, ...]]:
    """Labels and grids without those which are left out because they have no cells."""
    if labels is None or not optional.any():
        return labels, grids
    shown = ~optional | (np.bincount(labels[labels >= 0], minlength=len(grids)) > 0)
    place = np.append(np.cumsum(shown, dtype=np.int32) - 1, np.int32(-1))  # the last is what -1 means
    return place[labels].astype(np.int32), tuple(
        grid for grid, there in zip(grids, shown.tolist(), strict=True) if there
    )


class PlanReader:
    """Reads plans."""

    def __init__(self, handle: Handle) -> None:
        self._handle = handle

    def get(self, plan_id: str) -> PlanRecord:
        """Return the plan with its grids, its carve-outs and, all moves made, its labels.

        Raises
        ------
        NotFound
            No plan has this id.
        """
        bare = self.bare(plan_id)
        labels, grids = self._cells(plan_id)
        return replace(bare, labels=labels, grids=grids, carve_outs=self.carve_outs(plan_id))

    def bare(self, plan_id: str) -> PlanRecord:
        """Return the plan without labels, grids and carve-outs, as in lists.

        Raises
        ------
        NotFound
            No plan has this id.
        """
        found = self._handle.connection.execute(select(*_HEAD).where(plans.c.id == plan_id)).first()
        if found is None:
            raise NotFound(f"there is no plan {plan_id!r}", field="plan", cure="list the plans there are")
        return _record(found)

    def at(self, plan_id: str, revision: int) -> PlanRecord:
        """Return the plan with the labels and carve-outs of an earlier revision, its report left off.

        Raises
        ------
        NotFound
            No plan has this id.
        InvalidInput
            It has not come to that revision yet.
        Conflict
            It was solved anew after that revision.
        """
        bare = self.bare(plan_id)
        if not 1 <= revision <= bare.revision:
            raise InvalidInput(
                f"the plan has revisions 1 to {bare.revision}", field="revision", cure="choose one of them"
            )
        labels, grids = self._cells(plan_id, revision)
        carved = carveouts.of_plan(self._handle, plan_id, revision)
        return replace(bare, labels=labels, grids=grids, carve_outs=carved, revision=revision, report=None)

    def carve_outs(self, plan_id: str) -> tuple[CarveOut, ...]:
        """Return the carve-outs of a plan."""
        return carveouts.of_plan(self._handle, plan_id)

    def _cells(
        self, plan_id: str, at: int | None = None
    ) -> tuple[NDArray[np.int32] | None, tuple[Grid, ...]]:
        moves = MoveReader(self._handle)
        return _without_left_out(moves.labels(plan_id, at), *moves.grids(plan_id))

    def list(self, territory: str, after: str | None = None, limit: int = 100) -> list[PlanRecord]:
        """Plans of a territory, oldest first, without labels and grids; at most `limit`, behind `after`.

        Drafts whose solve came to nothing are left out.
        """
        kept = plans.c.territory == territory, plans.c.status != "cancelled"
        rows = select(*_HEAD).where(*kept).order_by(plans.c.id).limit(limit)
        if after is not None:
            rows = rows.where(plans.c.id > after)
        return [_record(row) for row in self._handle.connection.execute(rows)]


class PlanWriter(PlanReader):
    """Writes plans."""

    def create(self, record: PlanRecord) -> str:
        """Write a new draft, and return its id."""
        made = new_id("pln")
        row = {
            **{name: value for name, value in vars(record).items() if name not in _PARTS},
            "id": made,
            "tiling_id": record.tiling,
            "labels": packed(record.labels),
            "labels_revision": 1,
            "status": "draft",
            "revision": 1,
            "created_by": self._handle.actor,
            "recorded_at": self._handle.clock(),
        }
        self._handle.connection.execute(insert(plans).values(row))
        self._write_grids(made, record.grids)
        if record.carve_outs:
            carveouts.replace_all(self._handle, made, record.carve_outs, 1)
        return made

    def save_solution(
        self,
        plan_id: str,
        plan: Plan,
        report: Mapping[str, Any] | None,
        expected_revision: int,
    ) -> int:
        """Replace labels, grids and report, and return the new revision.

        Raises
        ------
        StaleRevision
            The plan has another revision than the caller saw.
        Conflict
            The plan is published.
        InvalidInput
            Two grids have one code, or a label names no grid.
        """
        if len(plan.labels) and not -1 <= int(plan.labels.min()) <= int(plan.labels.max()) < len(plan.grids):
            raise InvalidInput("a cell is labelled with a grid the plan does not have", field="labels")
        revision = self._change(
            plan_id,
            expected_revision,
            labels=packed(plan.labels),
            labels_revision=expected_revision + 1,
            checkpoint=None,
            checkpoint_revision=None,
            report=report,
        )
        self._write_grids(plan_id, plan.grids)
        return revision

    def save_teams(
        self,
        plan_id: str,
        grids: Sequence[Grid],
        report: Mapping[str, Any] | None,
        expected_revision: int,
    ) -> int:
        """Replace the grids (same codes, same order) and the report, and return the new revision.

        Raises
        ------
        InvalidInput
            The codes are not those of the plan, so that labels would change their meaning.
        """
        if [grid.code for grid in grids] != [grid.code for grid in self._cells(plan_id)[1]]:
            raise InvalidInput(
                "the grids are not those of the plan", field="grids", cure="keep codes and order"
            )
        revision = self._change(plan_id, expected_revision, report=report)
        g = plan_grids.c
        given = [{f"new_{name}": value for name, value in asdict(grid).items()} for grid in grids]
        changed = (
            update(plan_grids)
            .where(g.plan_id == plan_id, g.code == bindparam("new_code"))
            .values({name: bindparam(f"new_{name}") for name in ("name", "team", "carve_out", "parent")})
        )
        if given:
            self._handle.connection.execute(changed, given)
        return revision

    def set_carve_outs(self, plan_id: str, carve_outs: Sequence[CarveOut], expected_revision: int) -> int:
        """Replace the carve-outs of a draft, and return the new revision.

        Raises
        ------
        StaleRevision
            The plan has another revision than the caller saw.
        Conflict
            The plan is published.
        """
        revision = self._change(plan_id, expected_revision)
        carveouts.replace_all(self._handle, plan_id, carve_outs, revision)
        return revision

    def describe(self, plan_id: str, expected_revision: int, **words: str | None) -> int:
        """Replace the ``name`` or ``comment`` of a draft, and return the new revision."""
        return self._change(plan_id, expected_revision, **words)

    def stand_on(self, plan_id: str, publication: int, expected_revision: int) -> int:
        """Note that a draft is now made on another publication, and return the new revision."""
        return self._change(plan_id, expected_revision, base_publication=publication)

    def set_waivers(self, plan_id: str, waivers: Sequence[Mapping[str, Any]], expected_revision: int) -> int:
        """Replace what a draft is excused from, and return the new revision."""
        return self._change(plan_id, expected_revision, waivers=[dict(waiver) for waiver in waivers])

    def set_status(self, plan_id: str, status: PlanStatus, expected_revision: int | None = None) -> int:
        """Set the status of a draft, and return the new revision."""
        seen = self.bare(plan_id).revision if expected_revision is None else expected_revision
        return self._change(plan_id, seen, status=status)

    def abandon(self, plan_id: str) -> None:
        """Close a draft whose solve came to nothing, so that nobody takes it for one to work on."""
        unsolved = plans.c.id == plan_id, plans.c.status == "draft", plans.c.labels.is_(None)
        self._handle.connection.execute(update(plans).where(*unsolved).values(status="cancelled"))

    def _change(self, plan_id: str, expected: int, **values: Any) -> int:
        changed = (
            update(plans)
            .where(plans.c.id == plan_id, plans.c.revision == expected, plans.c.status == "draft")
            .values(revision=expected + 1, **values)
        )
        if self._handle.connection.execute(changed).rowcount == 0:
            self._refuse(plan_id, expected)
        return expected + 1

    def _refuse(self, plan_id: str, expected: int) -> None:
        row = self._handle.connection.execute(
            select(plans.c.status, plans.c.revision).where(plans.c.id == plan_id)
        ).first()
        if row is None:
            self.bare(plan_id)
        elif row.status != "draft":
            raise not_a_draft(plan_id, row.status)
        else:
            raise StaleRevision(
                f"the plan is at revision {row.revision}, not {expected}",
                field="revision",
                cure="read it again and repeat the change",
                revision=row.revision,
            )

    def _write_grids(self, plan_id: str, grids: Sequence[Grid]) -> None:
        self._handle.connection.execute(delete(plan_grids).where(plan_grids.c.plan_id == plan_id))
        rows = [
            {
                "plan_id": plan_id,
                "position": position,
                "optional": False,
                **asdict(grid),
            }
            for position, grid in enumerate(grids)
        ]
        carveouts.require_free(self._handle, plan_id, [grid.code for grid in grids])
        if rows:
            with unique("two grids have one code", cure="give each grid its own code"):
                self._handle.connection.execute(insert(plan_grids), rows)
