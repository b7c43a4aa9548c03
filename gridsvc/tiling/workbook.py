"""A sheet of an Excel workbook as rows of text."""

from __future__ import annotations

import io
import warnings
import zipfile
from collections.abc import Iterator
from datetime import date, datetime
from pathlib import Path
from typing import Any
from xml.etree.ElementTree import ParseError

from gridsvc.errors import InvalidInput, TooLarge, UnreadableFile

__all__ = ["WORKBOOKS", "read_rows", "sheet_names"]

WORKBOOKS = {".xlsx", ".xlsm"}
"""Suffixes of workbooks that can be read."""

_MOST_BYTES = 500_000_000  # of all parts unpacked: a file of a megabyte can unpack to a thousand


def sheet_names(path: Path) -> list[str]:
    """Names of a workbook's sheets.

    Raises
    ------
    UnreadableFile, TooLarge
        As `read_rows`.
    """
    from openpyxl import load_workbook

    _check(path)
    try:
        return [str(sheet.title) for sheet in load_workbook(path, read_only=True).worksheets]
    except (OSError, KeyError, ValueError, TypeError, ParseError, zipfile.BadZipFile):
        raise _unreadable(path) from None


def read_rows(path: Path, sheet: str | None = None) -> list[list[str]]:
    """Rows of a sheet (the first one, if none is named), the header among them, without empty ones.

    Whole numbers are written without ``.0``; a formula counts as the value stored with it.

    Raises
    ------
    UnreadableFile, TooLarge
        No workbook, damaged, or unpacking to more than half a gigabyte.
    InvalidInput
        A formula whose value is not stored, or a cell which is an error (with its row).
    """
    _check(path)
    with warnings.catch_warnings():  # remarks on styles and validations which do not matter here
        warnings.simplefilter("ignore", UserWarning)
        try:
            found = list(_rows(path, sheet))
        except (OSError, KeyError, ValueError, TypeError, ParseError, zipfile.BadZipFile) as error:
            if isinstance(error, InvalidInput):
                raise
            raise _unreadable(path) from None
    while found and not any(found[-1]):
        found.pop()
    return [row for row in found if any(row)]


def _unreadable(path: Path) -> UnreadableFile:
    return UnreadableFile(
        "cannot be read as a workbook",
        source=path.name,
        cure="save it as .xlsx without a password, or as CSV",
    )


def _check(path: Path) -> None:
    try:
        with zipfile.ZipFile(path) as file:
            size = sum(entry.file_size for entry in file.infolist())
    except (OSError, zipfile.BadZipFile):
        raise _unreadable(path) from None
    if size > _MOST_BYTES:
        raise TooLarge("unpacks to more than 500 MB", source=path.name, cure="save the sheet as CSV (UTF-8)")


def _rows(path: Path, sheet: str | None) -> Iterator[list[str]]:
    from openpyxl import load_workbook

    # Read twice: one reading gives the values stored with formulas, the other tells which cells are formulas.
    content = path.read_bytes()
    books = [load_workbook(io.BytesIO(content), read_only=True, data_only=only) for only in (True, False)]
    sheets = (book.worksheets[0] if sheet is None else book[sheet] for book in books)
    values, formulas = (found.iter_rows() for found in sheets)
    for number, (row, written) in enumerate(zip(values, formulas, strict=True)):
        yield [_text(a, b, number, path.name) for a, b in zip(row, written, strict=True)]


def _text(cell: Any, written: Any, number: int, source: str) -> str:
    value = cell.value
    if value is None and written.data_type == "f":
        what, cure = (
            "is a formula without a stored value",
            "open the file, calculate and save, or paste values",
        )
        raise _fault(what, cure, number, source, written)
    if cell.data_type == "e":
        raise _fault(f"is the error {value}", "correct it", number, source, written)
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    if isinstance(value, datetime | date):
        return value.isoformat()
    return "" if value is None else str(value).strip()


def _fault(what: str, cure: str, number: int, source: str, cell: Any) -> InvalidInput:
    return InvalidInput(what, source=source, row=number or None, field=f"cell {cell.coordinate}", cure=cure)
