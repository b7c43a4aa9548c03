"""A pack as a workbook; no text of it can act as a formula."""

from __future__ import annotations

import io
import re
from collections.abc import Collection, Sequence
from typing import Any
from zoneinfo import ZoneInfo

from gridsvc.exchange.packs.pack import Pack
from gridsvc.exchange.packs.tables import Sheet, Value, heading, sheets_of
from gridsvc.exchange.packs.words import WORDS, Lang

__all__ = ["workbook"]

_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]")  # which a workbook's XML cannot hold
_NOT_IN_TITLES = re.compile(r"[\[\]:*?/\\\x00-\x1f]")
_LONGEST_TITLE = 31
_WIDEST = 40


def workbook(pack: Pack, lang: Lang, zone: ZoneInfo) -> bytes:
    """The pack as an XLSX file: an overview, then a sheet each table."""
    from openpyxl import Workbook

    words, book = WORDS[lang], Workbook()
    first: list[tuple[Value, ...]] = [(words["private"],)] if pack.customers is not None else []
    if pack.simulated:
        first.insert(0, (words["simulated"],))
    overview = Sheet(words["overview"], (words["title"],), (*first, *heading(pack, lang, zone)))
    _fill(book.active, overview)
    taken = {words["overview"]}
    for table in sheets_of(pack, lang, zone):
        _fill(book.create_sheet(_title(table.title, taken)), table)
    book.active.title = words["overview"]
    target = io.BytesIO()
    book.save(target)
    return target.getvalue()


def _title(text: str, taken: set[str]) -> str:
    """A title which a sheet may have, other than those taken."""
    plain = _NOT_IN_TITLES.sub(" ", text).strip("' ")[:_LONGEST_TITLE] or "-"
    found, number = plain, 2
    while found.lower() in {name.lower() for name in taken}:
        end = f" {number}"
        found, number = plain[: _LONGEST_TITLE - len(end)] + end, number + 1
    taken.add(found)
    return found


def _fill(sheet: Any, table: Sheet) -> None:
    from openpyxl.styles import Font
    from openpyxl.utils import get_column_letter

    rows: Collection[Sequence[Value]] = table.rows or ((table.note,),)
    widths: dict[int, int] = {}
    for at, row in enumerate([table.header, *rows], 1):
        for column, value in enumerate(row, 1):
            if value is None or value == "":
                continue
            _put(sheet.cell(at, column), value)
            if len(row) > 1:
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
        cell.quotePrefix = True  # and a spreadsheet which opens it shall not take it for one when edited
    else:
        cell.value = value


def _width(value: Value) -> int:
    """Width of a value in digits; Chinese characters are two wide."""
    return sum(1 if ord(char) < 0x2E80 else 2 for char in str(value))
