"""What a planner hands over: cells by their ids and grids by their codes, looked up in an opened draft."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import count
from typing import Any

import h3
import numpy as np
from numpy.typing import NDArray

from gridsvc.errors import InvalidInput, TooLarge
from gridsvc.plans.draft import Change
from gridsvc.plans.plan import Grid
from gridsvc.services.codes import numbering_of, taken_codes
from gridsvc.services.opening import Cells, Opened
from gridsvc.store.database import UnitOfWork

__all__ = ["MOST_CELLS", "NewGrid", "Part", "change_of", "change_to", "rows_of"]

MOST_CELLS = 100_000
"""In one request."""

_LISTED = 100
Rows = NDArray[np.int32]


@dataclass(frozen=True, slots=True)
class NewGrid:
    """A grid to be made; code and name are chosen where they are left out."""

    code: str | None = None
    name: str | None = None


@dataclass(frozen=True, slots=True)
class Part:
    """Cells for one grid.

    Attributes
    ----------
    cells : sequence of str
    to : str, NewGrid or None
        Code of a grid of the plan, a grid to be made for them, or no grid at all: a line other than `base`
        need not cover everything.
    """

    cells: Sequence[str]
    to: str | NewGrid | None


def rows_of(opened: Opened, parts: Sequence[Part]) -> list[Rows]:
    """Rows of the cells of each part.

    Raises
    ------
    InvalidInput
        There is none, or one which is not in the plan's tiling or stands twice; the first is named with its
        place in the list, counted from 1.
    TooLarge
        There are more than 100,000.
    """
    total = sum(len(part.cells) for part in parts)
    if total > MOST_CELLS:
        raise TooLarge(
            f"{total:,} cells in one move", field="cells", cure=f"move at most {MOST_CELLS:,} at once"
        )
    if not parts or not all(len(part.cells) for part in parts):
        raise InvalidInput("there is no cell to move", field="cells", cure="name at least one cell")
    cells = [cell for part in parts for cell in part.cells]
    row_of = opened.cells.row_of
    rows = np.fromiter((row_of.get(cell, -1) for cell in cells), np.int32, total)
    _require_known(opened.cells, cells, rows)
    _require_once(cells, rows)
    return np.split(rows, np.cumsum([len(part.cells) for part in parts])[:-1])


def _require_known(known: Cells, cells: Sequence[str], rows: Rows) -> None:
    missing = np.flatnonzero(rows < 0)
    if len(missing):
        first = int(missing[0])
        raise InvalidInput(
            f"cell {_short(cells[first])!r} is not in the plan's tiling"
            + (f", nor are {len(missing) - 1} more" if len(missing) > 1 else ""),
            field="cells",
            row=first + 1,
            cure=_cure(known, cells[first]),
            cells=[{"row": row + 1, "cell": _short(cells[row])} for row in missing[:_LISTED].tolist()],
            total=len(missing),
        )


def _cure(known: Cells, cell: str) -> str:
    tiling = known.tiling
    if tiling.kind == "h3" and h3.is_valid_cell(cell) and h3.get_resolution(cell) != tiling.resolution:
        return f"name cells of resolution {tiling.resolution}, not {h3.get_resolution(cell)}"
    return f"name cells as the plan lists them, such as {known.names[0]}"


def _short(cell: str) -> str:
    """Text of a request as it may be sent back: no page long, and without halves of characters."""
    whole = cell.encode(errors="replace").decode()
    return whole if len(whole) <= 80 else whole[:80] + "..."


def _require_once(cells: Sequence[str], rows: Rows) -> None:
    order = np.argsort(rows, kind="stable")
    again = order[1:][rows[order][1:] == rows[order][:-1]]
    if len(again):
        at = int(again.min())
        before = int(np.argmax(rows == rows[at]))
        raise InvalidInput(
            f"cell {cells[at]} stands in place {before + 1} already",
            field="cells",
            row=at + 1,
            cure="name each cell once",
            cell=cells[at],
        )


def change_of(
    uow: UnitOfWork, opened: Opened, parts: Sequence[Part], rows: Sequence[Rows]
) -> tuple[Opened, Change]:
    """The change which hands each part to its grid, new grids added to the plan and the draft.

    Raises
    ------
    InvalidInput
        There is no such grid, or a new one's code is taken.
    """
    after = []
    for part, moved in zip(parts, rows, strict=True):
        if part.to is None:
            place = -1
        elif isinstance(part.to, str):
            place = _place(opened, part.to, part.cells[0])
        else:
            carved = {carved.code for carved in uow.plans.carve_outs(opened.head.id)}
            place = uow.moves.add_grid(opened.head.id, _grid(uow, opened, part.to, moved, carved))
            opened = opened.with_grids(*uow.moves.grids(opened.head.id))
        after.append(np.full(len(moved), place, np.int32))
    labels = opened.draft.labels
    return opened, Change.of(labels, np.concatenate(rows), np.concatenate(after))


def change_to(opened: Opened, rows: Rows, code: str) -> Change:
    """The change which hands cells to a grid of the plan.

    Raises
    ------
    InvalidInput
        There is no such grid.
    """
    place = _place(opened, code, opened.cells.names[int(rows[0])])
    return Change.of(opened.draft.labels, rows, np.full(len(rows), place, np.int32))


def _place(opened: Opened, code: str, cell: str) -> int:
    place = next((g for g, grid in enumerate(opened.grids) if grid.code == code), None)
    if place is not None and opened.shown[place]:
        return place
    there = [grid.code for g, grid in enumerate(opened.grids) if opened.shown[g]]
    listed = ", ".join(there[:20]) + (", ..." if len(there) > 20 else "")
    known = "there is no grid" if place is None else "the plan no longer has the grid"
    raise InvalidInput(
        f"{known} {_short(code)!r} to move cell {cell} to",
        field="to",
        cure=f"choose one of {listed}, or make it with to_new",
    )


def _grid(uow: UnitOfWork, opened: Opened, wanted: NewGrid, rows: Rows, carved: set[str]) -> Grid:
    taken = {grid.code for grid in opened.grids} | carved
    code = _chosen(uow, opened, rows, taken) if wanted.code is None else wanted.code
    shown = {grid.code for g, grid in enumerate(opened.grids) if opened.shown[g]}
    if code in shown | carved:
        what = "carve-out" if code in carved else "grid"
        raise InvalidInput(
            f"there is a {what} {code!r} already", field="to_new", cure="choose another code, or move with to"
        )
    places = np.unique(opened.draft.labels[rows]).tolist()
    parents = {opened.grids[g].parent if g >= 0 else None for g in places}
    name = wanted.name or _word(opened.grids) + code
    return Grid(code, name, parent=parents.pop() if len(parents) == 1 else None)


def _chosen(uow: UnitOfWork, opened: Opened, rows: Rows, taken: set[str]) -> str:
    """A code which no grid of the plan has, nor ever had in a publication of its line."""
    head, line = opened.head, uow.plans.bare(opened.head.id).line
    numbering = numbering_of(uow, head.territory, line, head.tiling)
    if numbering is not None:
        return numbering.free(rows, taken)
    return _free_code(taken | taken_codes(uow, head.territory, line))


def _free_code(taken: set[str]) -> str:
    numbers = [code for code in taken if code.isdecimal()]
    digits = max([2, *map(len, numbers)])
    return next(code for n in count(1) if (code := f"{n:0{digits}d}") not in taken)


def _word(grids: Sequence[Grid]) -> str:
    """What names begin with in this plan: "Grid ", "网格 "."""
    words: Any = (g.name.removesuffix(g.code) for g in grids if g.name.endswith(g.code))
    return str(next(words, "Grid "))
