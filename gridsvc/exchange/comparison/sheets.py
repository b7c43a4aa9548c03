"""The realignment report as CSV and as a workbook; no text of it can act as a formula."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

from gridsvc.exchange.comparison.report import AREA, CUSTOMERS, Report, number
from gridsvc.exchange.comparison.words import WORDS, Lang
from gridsvc.plans.compare import Amounts, Flow, GridChange
from gridsvc.plans.plan import Grid

if TYPE_CHECKING:
    from openpyxl.worksheet.worksheet import Worksheet

__all__ = ["csv_text", "workbook"]

Value = str | float | int | None

_RISKY = ("=", "+", "-", "@", "\t", "\r", "\n")
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f]")  # which a workbook's XML cannot hold
_WIDEST = 40
_MOST_CELLS = 20_000  # a workbook of so many rows takes a second


def csv_text(report: Report, *, bom: bool = False) -> str:
    """One row a pair of grids: from whom, to whom, cells, area, customers, each measure.

    Parameters
    ----------
    bom : bool
        Begin with the mark by which Excel knows UTF-8.
    """
    names = ("from", "from_name", "from_team", "to", "to_name", "to_team", "cells", "area_km2")
    amounts = ["customers" if name == CUSTOMERS else name for name in report.shown]
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow([*names, *map(_harmless, amounts)])
    for flow in report.comparison.grid_flows:
        writer.writerow([_harmless(value) for value in _flow_row(report, flow)])
    return ("\ufeff" if bom else "") + text.getvalue()


def _harmless(value: Value) -> Value:
    """Text which a spreadsheet would run as a formula gets an apostrophe in front."""
    return f"'{value}" if isinstance(value, str) and value.startswith(_RISKY) else value


def _flow_row(report: Report, flow: Flow) -> list[Value]:
    a, b = report.grid(flow.source, after=False), report.grid(flow.target, after=True)
    return [flow.source, *_named(a), flow.target, *_named(b), *_amounts(report, flow.amounts)]


def _named(grid: Grid | None) -> list[Value]:
    return [None, None] if grid is None else [grid.name, grid.team]


def _amounts(report: Report, amounts: Amounts) -> list[Value]:
    return [amounts.cells, *(number(amounts.values[name]) for name in (AREA, *report.shown))]


# --- workbook


def workbook(report: Report, lang: Lang = "en") -> bytes:
    """Sheets: what and when; grid to grid; team to team; each grid before and after; each moved cell."""
    from openpyxl import Workbook

    words = WORDS[lang]
    book = Workbook()
    amounts = [words["cells"], words["area"], *(words.label(report, name) for name in report.shown)]
    sheet = book.active
    sheet.title = words["summary"]
    _fill(sheet, (words["what"], ""), _heading(report, lang))
    pairs = (_flow_row(report, flow) for flow in report.comparison.grid_flows)
    grids = [f"{words[end]} {words[what]}" for end in ("from", "to") for what in ("code", "name", "team")]
    _fill(book.create_sheet(words["by_grid"]), [*grids, *amounts], pairs)
    teams = [f"{words[end]} {words[what]}" for end in ("from", "to") for what in ("team", "name", "lead")]
    _fill(book.create_sheet(words["by_team"]), [*teams, *amounts], _team_rows(report))
    header, rows = _grid_table(report, lang)
    _fill(book.create_sheet(words["each_grid"]), header, rows)
    cells = (words["cell"], words["from"], words["to"])
    listed = list(report.cells[:_MOST_CELLS])
    left = len(report.cells) - len(listed)
    rest = [(words["more_cells"].format(n=left), "", "")] if left else []
    _fill(book.create_sheet(words["moved_cells"]), cells, [*listed, *rest])
    target = io.BytesIO()
    book.save(target)
    return target.getvalue()


def _heading(report: Report, lang: Lang) -> Iterable[Sequence[Value]]:
    words, found = WORDS[lang], report.comparison
    yield from words.heading(report)
    yield ()
    yield ("", words["total"], words["moved"], words["share"], words["handed_over"], words["share"])
    for label, name in words.amounts(report):
        whole, moved, handed = (
            part.cells if name is None else number(part.values[name])
            for part in (found.total, found.moved, found.handed_over)
        )
        shares = [number(report.share(part, name)) for part in (found.moved, found.handed_over)]
        yield (label, whole, moved, shares[0], handed, shares[1])


def _team_rows(report: Report) -> Iterable[list[Value]]:
    for flow in report.comparison.team_flows:
        a, b = report.team(flow.source), report.team(flow.target)
        source, target = [flow.source, a.name, a.lead], [flow.target, b.name, b.lead]
        yield [*source, *target, *_amounts(report, flow.amounts)]


def _grid_table(report: Report, lang: Lang) -> tuple[list[str], Iterable[list[Value]]]:
    words = WORDS[lang]
    both = [words["before"], words["after"]]
    columns = [words["team"], words["cells"], *(words.label(report, name) for name in report.shown)]
    columns += [f"{words.label(report, name)} {words['deviation']}" for name in report.aimed]
    columns.append(words["shape"])
    header = [words["code"], words["name"], *(f"{column} {side}" for column in columns for side in both)]
    return header, (_grid_row(change, report) for change in report.comparison.grids)


def _grid_row(change: GridChange, report: Report) -> list[Value]:
    name = _named(change.after or change.before)[0]
    before, after = _named(change.before)[1], _named(change.after)[1]
    sides = [change.cells, *(change.values[name] for name in report.shown)]
    sides += [*(change.deviation[name] for name in report.aimed), change.shape]
    numbers = [number(value) for side in sides for value in (side.before, side.after)]
    return [change.code, name, before, after, *numbers]


def _fill(sheet: Worksheet, header: Sequence[Value], rows: Iterable[Sequence[Value]]) -> None:
    """Header in bold and frozen, columns as wide as their texts; texts stay texts, = in front or not."""
    from openpyxl.styles import Font
    from openpyxl.utils import get_column_letter

    widths: dict[int, int] = {}
    for at, row in enumerate([header, *rows], 1):
        for column, value in enumerate(row, 1):
            if value is None or value == "":
                continue
            _put(sheet.cell(at, column), value)
            widths[column] = min(max(widths.get(column, 0), _width(value)), _WIDEST)
    for cell in sheet[1]:
        cell.font = Font(bold=True)
    sheet.freeze_panes = "A2"
    for column, width in widths.items():
        sheet.column_dimensions[get_column_letter(column)].width = width + 2


def _put(cell: Any, value: Value) -> None:
    if isinstance(value, str):
        cell.value = _CONTROL.sub("", value)
        cell.data_type = "s"  # openpyxl takes a text with = in front for a formula
    else:
        cell.value = value


def _width(value: Value) -> int:
    """Width of a value in digits; Chinese characters are two wide."""
    return sum(1 if ord(char) < 0x2E80 else 2 for char in str(value))
