"""The realignment report as CSV and as a workbook; no text of it can act as a formula."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Sequence

from gridsvc.exchange.books import Value, as_bytes, fill
from gridsvc.exchange.comparison.report import AREA, CUSTOMERS, Report, number
from gridsvc.exchange.comparison.words import WORDS, Lang
from gridsvc.exchange.texts import inert
from gridsvc.plans.compare import Amounts, Flow, GridChange
from gridsvc.plans.plan import Grid

__all__ = ["csv_text", "workbook"]

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
    return inert(value) if isinstance(value, str) else value


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
    fill(sheet, (words["what"], ""), _heading(report, lang))
    pairs = (_flow_row(report, flow) for flow in report.comparison.grid_flows)
    grids = [f"{words[end]} {words[what]}" for end in ("from", "to") for what in ("code", "name", "team")]
    fill(book.create_sheet(words["by_grid"]), [*grids, *amounts], pairs)
    teams = [f"{words[end]} {words[what]}" for end in ("from", "to") for what in ("team", "name", "lead")]
    fill(book.create_sheet(words["by_team"]), [*teams, *amounts], _team_rows(report))
    header, rows = _grid_table(report, lang)
    fill(book.create_sheet(words["each_grid"]), header, rows)
    cells = (words["cell"], words["from"], words["to"])
    listed = list(report.cells[:_MOST_CELLS])
    left = len(report.cells) - len(listed)
    rest = [(words["more_cells"].format(n=left), "", "")] if left else []
    fill(book.create_sheet(words["moved_cells"]), cells, [*listed, *rest])
    return as_bytes(book)


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
