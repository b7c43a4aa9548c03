"""Sheets of workbooks as reports fill them; no text acts as a formula."""

from __future__ import annotations

import io
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

from gridsvc.exchange.texts import workbook_text

if TYPE_CHECKING:
    from openpyxl import Workbook
    from openpyxl.worksheet.worksheet import Worksheet

__all__ = ["Value", "as_bytes", "fill"]

Value = str | float | int | None

_WIDEST = 40
_FIRST_WIDE = 0x2E80  # from here on characters are about two digits wide


def fill(sheet: Worksheet, header: Sequence[Value], rows: Iterable[Sequence[Value]]) -> None:
    """Header in bold and frozen, columns as wide as their texts; texts stay texts, = in front or not."""
    from openpyxl.styles import Font
    from openpyxl.utils import get_column_letter

    widths: dict[int, int] = {}
    for at, row in enumerate([header, *rows], 1):
        for column, value in enumerate(row, 1):
            if value is None or value == "":
                continue
            _put(sheet.cell(at, column), value)
            if len(row) > 1:  # a note may run over the columns beside it
                widths[column] = min(max(widths.get(column, 0), _width(value)), _WIDEST)
    for cell in sheet[1]:
        cell.font = Font(bold=True)
    sheet.freeze_panes = "A2"
    for column, width in widths.items():
        sheet.column_dimensions[get_column_letter(column)].width = width + 2


def as_bytes(book: Workbook) -> bytes:
    """The workbook as a file."""
    target = io.BytesIO()
    book.save(target)
    return target.getvalue()


def _put(cell: Any, value: Value) -> None:
    if isinstance(value, str):
        cell.value = workbook_text(value)
        cell.data_type = "s"  # openpyxl takes a text with = in front for a formula
        cell.quotePrefix = True  # and a spreadsheet which opens it shall not take it for one when edited
    else:
        cell.value = value


def _width(value: Value) -> int:
    """Width of a value in digits."""
    return sum(1 if ord(char) < _FIRST_WIDE else 2 for char in str(value))
