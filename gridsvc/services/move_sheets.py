"""Sheets to mark moves in: cells of a branch or of some grids out, and what was marked back with verdicts."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import h3
import numpy as np
import shapely
from numpy.typing import NDArray

from gridsvc.errors import InvalidInput, NotFound, TooLarge
from gridsvc.exchange.move_sheets import GridLine, Lang, Line, MoveSheet, read_marks, write_move_sheet
from gridsvc.plans.marks import Judged, Standing, judge
from gridsvc.principal import Principal
from gridsvc.services import moves
from gridsvc.services.handing import Part
from gridsvc.services.live import current, kept_of
from gridsvc.services.opening import Opened
from gridsvc.store.database import Database, Reader
from gridsvc.store.moves import require_draft
from gridsvc.store.records import Idempotency

__all__ = ["MOST_ROWS", "TakenBack", "sheet", "take_back"]

MOST_ROWS = 20_000
"""In one workbook: more than people go through."""

_LISTED = 1000


@dataclass(frozen=True, slots=True)
class TakenBack:
    """What came of a sheet; `moved` is the answer to the move, None of a dry run or where nothing moves."""

    revision: int
    judged: Sequence[Judged]
    moved: dict[str, Any] | None

    def as_dict(self, plan: str) -> dict[str, Any]:
        """As JSON values; what is refused comes first, and lists are cut off."""
        order = sorted(self.judged, key=lambda one: (one.verdict.taken, one.mark.row))
        counts: dict[str, int] = {}
        for one in self.judged:
            counts[one.verdict.slug] = counts.get(one.verdict.slug, 0) + 1
        return {
            "plan": plan,
            "revision": self.revision,
            "rows": counts,
            "verdicts": [_verdict(one) for one in order[:_LISTED]],
            "moves": [{"cell": j.mark.cell, "to": j.mark.to} for j in self.judged if j.verdict.taken],
            "moved": self.moved,
        }


def _verdict(one: Judged) -> dict[str, Any]:
    said = one.verdict
    return {
        "row": one.mark.row,
        "cell": one.mark.cell[:80],
        "grid": one.now,
        "to": one.mark.to[:80],
        "verdict": said.slug,
        "taken": said.taken,
        "reason": said.reason,
        "reason_zh": said.reason_zh,
        "cure": said.cure,
        "cure_zh": said.cure_zh,
    }


def sheet(
    db: Database,
    who: Principal,
    plan: str,
    *,
    branch: str | None = None,
    grids: Collection[str] = (),
    lang: Lang = "en",
) -> tuple[int, bytes]:
    """The plan's revision, and a workbook of the cells of a branch's grids, of some grids, or of all.

    Raises
    ------
    NotFound
        The plan has no such grid, or no grid of that branch.
    TooLarge
        More than 20,000 cells.
    """
    who.require("plans:read")
    with db.read(who) as reader:
        opened = current(kept_of(db), reader, plan)
        rows = _rows(opened, branch, grids)
        if len(rows) > MOST_ROWS:
            raise TooLarge(
                f"{len(rows):,} cells, and a sheet has at most {MOST_ROWS:,}",
                field="grid",
                cure="name fewer grids, or one branch",
            )
        points = _points(reader, opened, rows)
        record = reader.plans.bare(plan)
    about = f"{record.name or plan} @ {opened.head.revision}"
    names, weights = _measures(opened)
    codes = np.array([*(grid.code for grid in opened.grids), ""], object)  # -1, no grid, is the last
    lines = [
        Line(
            opened.cells.names[row],
            lon,
            lat,
            str(codes[opened.draft.labels[row]]),
            _beside(opened, row, codes),
            tuple(weights[row].tolist()),
        )
        for row, (lon, lat) in zip(rows.tolist(), points, strict=True)
    ]
    there = [grid for place, grid in enumerate(opened.grids) if opened.shown[place] and not grid.carve_out]
    listed = [GridLine(g.code, g.name or "", g.team or "") for g in there]
    return opened.head.revision, write_move_sheet(MoveSheet(about, names, lines, listed), lang)


def _rows(opened: Opened, branch: str | None, grids: Collection[str]) -> NDArray[np.intp]:
    wanted = np.array([opened.shown[g] for g in range(len(opened.grids))], np.bool_)
    if grids:
        known = {grid.code for g, grid in enumerate(opened.grids) if opened.shown[g]}
        for code in grids:
            if code not in known:
                raise NotFound(
                    f"the plan has no grid {code[:80]!r}", field="grid", cure="name grids of the plan"
                )
        wanted &= [grid.code in set(grids) for grid in opened.grids]
    if branch is not None:
        wanted &= [grid.parent == branch for grid in opened.grids]
        if not wanted.any():
            raise NotFound(
                f"no grid of the plan lies in branch {branch[:80]!r}",
                field="branch",
                cure="name what stands as `parent` of the plan's grids",
            )
    labels = opened.draft.labels
    rows = (
        np.flatnonzero((labels >= 0) & wanted[labels])
        if grids or branch is not None
        else np.arange(len(labels))
    )
    return rows[np.argsort(labels[rows], kind="stable")]


def _points(reader: Reader, opened: Opened, rows: NDArray[np.intp]) -> list[tuple[float, float]]:
    """A place inside each cell: longitude and latitude."""
    tiling = opened.cells.tiling
    if tiling.kind == "h3":
        places = [h3.cell_to_latlng(opened.cells.names[row]) for row in rows.tolist()]
        return [(round(lon, 6), round(lat, 6)) for lat, lon in places]
    inside = shapely.point_on_surface(reader.tilings.load(opened.head.tiling).geometry[rows])
    return list(
        zip(shapely.get_x(inside).round(6).tolist(), shapely.get_y(inside).round(6).tolist(), strict=True)
    )


def _measures(opened: Opened) -> tuple[tuple[str, ...], NDArray[np.float64]]:
    return tuple(opened.wanted.measures), opened.ground.weights


def _beside(opened: Opened, row: int, codes: NDArray[Any]) -> tuple[str, ...]:
    """Codes of other grids next to a cell."""
    ground, labels = opened.ground, opened.draft.labels
    near = labels[ground.indices[ground.indptr[row] : ground.indptr[row + 1]]]
    return tuple(sorted(codes[g] for g in np.unique(near).tolist() if g not in (-1, labels[row])))


def take_back(
    db: Database,
    who: Principal,
    plan: str,
    file: Path,
    source: str,
    *,
    dry_run: bool = False,
    skip_refused: bool = False,
    reason: str | None = None,
    idempotency: Idempotency | None = None,
) -> TakenBack:
    """Judge each marked row of a sheet, and make the moves as one.

    Parameters
    ----------
    skip_refused : bool
        Make the moves which hold where others do not; otherwise one refused row refuses all.

    Raises
    ------
    InvalidInput
        A row is refused (`details["rows"]` lists each), or nothing is marked.
    Conflict
        The plan is no draft, or a cell was changed while the sheet was read.
    """
    who.require("plans:write")
    marks = read_marks(file, source)
    with db.read(who) as reader:
        opened = current(kept_of(db), reader, plan)
        require_draft(opened.head)
    judged = judge(marks, _standing(opened))
    revision = opened.head.revision
    good = [one for one in judged if one.verdict.taken]
    if not dry_run:
        _require_all(judged, source, skip_refused=skip_refused)
    if dry_run or not good:
        return TakenBack(revision, judged, None)
    to: dict[str, dict[str, None]] = {}
    for one in good:
        to.setdefault(one.mark.to, {})[one.mark.cell] = None
    parts = [Part(list(cells), code) for code, cells in to.items()]
    moved = moves.move(db, who, plan, revision, parts, reason=reason, idempotency=idempotency)
    return TakenBack(moved["revision"], judged, moved)


def _standing(opened: Opened) -> Standing:
    codes = [grid.code for grid in opened.grids]
    grid_of = {
        name: codes[label] if label >= 0 else None
        for name, label in zip(opened.cells.names, opened.draft.labels.tolist(), strict=True)
    }
    there = frozenset(code for g, code in enumerate(codes) if opened.shown[g])
    held = {opened.cells.names[row]: lock.grid for row, lock in opened.locks.items()}
    return Standing(grid_of, there, held)


def _require_all(judged: Sequence[Judged], source: str, *, skip_refused: bool) -> None:
    refused = [one for one in judged if not one.verdict.taken and one.verdict.slug != "same"]
    if not refused or skip_refused:
        return
    first, more = refused[0], len(refused) - 1
    raise InvalidInput(
        f"{first.verdict.reason}{f'; {more} more rows are refused' if more else ''}",
        source=source,
        row=first.mark.row,
        field="move to",
        cure=f"{first.verdict.cure}; or leave refused rows out with skip_refused",
        rows=[_verdict(one) for one in refused[:_LISTED]],
    )
