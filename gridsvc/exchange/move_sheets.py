"""Cells of some grids as a workbook in which moves are marked by hand, and such tables read back."""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from gridsvc.errors import InvalidInput
from gridsvc.exchange.texts import workbook_text
from gridsvc.plans.marks import Mark
from gridsvc.tiling.table import Table, read_table

__all__ = ["GridLine", "Lang", "Line", "MoveSheet", "read_marks", "write_move_sheet"]

Lang = Literal["en", "zh"]

_NAMES: dict[str, dict[Lang, str]] = {
    "cell": {"en": "cell", "zh": "单元"},
    "lon": {"en": "lon", "zh": "经度"},
    "lat": {"en": "lat", "zh": "纬度"},
    "grid": {"en": "grid", "zh": "网格"},
    "next_to": {"en": "next to", "zh": "相邻网格"},
    "to": {"en": "move to", "zh": "划转至"},
    "code": {"en": "grid", "zh": "网格"},
    "name": {"en": "name", "zh": "名称"},
    "team": {"en": "team", "zh": "团队"},
    "moves": {"en": "moves", "zh": "划转"},
    "grids": {"en": "grids", "zh": "网格"},
    "choose": {"en": "choose a grid of the plan", "zh": "请选择本方案中的网格"},
}
_READ = {"cell": ("cell", "单元"), "grid": ("grid", "网格"), "to": ("move to", "move_to", "划转至")}


@dataclass(frozen=True, slots=True)
class Line:
    """A cell with the grid it is in, and the grids beside it."""

    cell: str
    lon: float
    lat: float
    grid: str
    next_to: tuple[str, ...]
    measures: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class GridLine:
    """A grid of the plan, to choose from."""

    code: str
    name: str
    team: str


@dataclass(frozen=True, slots=True)
class MoveSheet:
    """What a workbook holds; `about` says in a few words what it was made of."""

    about: str
    measures: tuple[str, ...]
    lines: Sequence[Line]
    grids: Sequence[GridLine]


def write_move_sheet(sheet: MoveSheet, lang: Lang) -> bytes:
    """A workbook with a row a cell; what is to be moved gets a code in the last column, from a list."""
    from openpyxl import Workbook
    from openpyxl.styles import Font, PatternFill
    from openpyxl.worksheet.datavalidation import DataValidation

    book = Workbook()
    moves, grids = book.active, book.create_sheet(_NAMES["grids"][lang])
    assert moves is not None  # noqa: S101 - a new workbook has a sheet
    moves.title = _NAMES["moves"][lang]
    heads = [_NAMES[name][lang] for name in ("cell", "lon", "lat", "grid", "next_to")]
    moves.append([*heads, *sheet.measures, _NAMES["to"][lang]])
    for line in sheet.lines:
        values = [line.cell, line.lon, line.lat, line.grid, " ".join(line.next_to), *line.measures, None]
        moves.append([_text(value) for value in values])
    grids.append([_NAMES[name][lang] for name in ("code", "name", "team")])
    for each in sheet.grids:
        grids.append([_text(value) for value in (each.code, each.name, each.team)])
    grids.append([])
    grids.append([_text(sheet.about)])
    last = moves.max_column
    listed = f"'{grids.title}'!$A$2:$A${len(sheet.grids) + 1}"
    choice = DataValidation(type="list", formula1=listed, allow_blank=True, showErrorMessage=True)
    choice.error = _NAMES["choose"][lang]
    moves.add_data_validation(choice)
    letter = moves.cell(1, last).column_letter
    choice.add(f"{letter}2:{letter}{len(sheet.lines) + 1}")
    for page in (moves, grids):
        page.freeze_panes = "A2"
        for cell in page[1]:
            cell.font = Font(bold=True)
            page.column_dimensions[cell.column_letter].width = max(13, len(str(cell.value)) + 4)
    for row in range(1, len(sheet.lines) + 2):
        moves.cell(row, last).fill = PatternFill("solid", fgColor="FFF6D5")
        moves.cell(row, last).number_format = "@"  # a code such as 07 keeps its nought
    moves.auto_filter.ref = moves.dimensions
    target = io.BytesIO()
    book.save(target)
    return target.getvalue()


def _text(value: Any) -> Any:
    """Texts as texts: a code with = in front is no formula, one of figures no number."""
    return workbook_text(value) if isinstance(value, str) else value


def read_marks(path: Path, source: str) -> list[Mark]:
    """The rows of a workbook or a CSV file which name a grid to move to.

    Raises
    ------
    UnreadableFile
        Neither a workbook nor CSV.
    UnknownColumn
        The column of the cells, or that of the grids to move to, is not there.
    InvalidInput
        No row is marked.
    """
    table = Table(read_table(path).columns, source)
    named = {name.strip().lower(): name for name in table.columns}
    columns = {key: next((named[n] for n in names if n in named), names[0]) for key, names in _READ.items()}
    table.require(columns["cell"], columns["to"])
    cells, grids, tos = (table.text(columns[key]) for key in ("cell", "grid", "to"))
    marks = [
        Mark(row, cell, grid, to)
        for row, (cell, grid, to) in enumerate(zip(cells, grids, tos, strict=True), 1)
        if to
    ]
    if not marks:
        raise InvalidInput(
            "no move is marked",
            source=source,
            field=columns["to"],
            cure="write the code of a grid into this column for each cell to move",
        )
    return marks
