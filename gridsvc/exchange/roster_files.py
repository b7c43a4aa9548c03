"""Rosters as files people edit: a workbook with one sheet a list, or a ZIP of CSV files; read and written.

What a spreadsheet could run as a formula is plain text in both, and comes back as it was.
"""

from __future__ import annotations

import csv
import io
import zipfile
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime
from pathlib import PurePath
from typing import Any
from xml.etree.ElementTree import ParseError

from gridsvc.errors import InvalidInput, TooLarge, UnknownColumn, UnreadableFile
from gridsvc.exchange.texts import as_meant, from_workbook, inert, workbook_text
from gridsvc.teams.document import roster_to_dict
from gridsvc.teams.model import Roster
from gridsvc.teams.sheets import CAPACITY, COLUMNS, Sheet, SheetRow, column_of, list_of

__all__ = ["csv_zip", "read_sheets", "workbook"]

_MOST_BYTES = 200_000_000  # of all parts unpacked
_MOST_ROWS = 200_000
_NEEDED: Mapping[str, tuple[str, ...]] = {
    "departments": ("id",),
    "people": ("id",),
    "teams": ("id",),
    "members": ("team", "person"),
    "named": ("customer",),
}

Line = tuple[int, list[str]]
Value = str | float | bool | None


# --- reading


def read_sheets(files: Mapping[str, bytes]) -> dict[str, Sheet]:
    """The tables of some files, by list.

    Parameters
    ----------
    files : mapping of name to content
        Workbooks (.xlsx), ZIPs of CSV files, and CSV files named after their list.

    Raises
    ------
    UnreadableFile, TooLarge
        A file is none of these, or too large.
    UnknownColumn
        A column which names the entries is not there, or one is not known.
    InvalidInput
        A file or sheet is no list of a roster, or one list comes twice.
    """
    found: dict[str, Sheet] = {}
    for source, lines in _tables(files):
        name = list_of(PurePath(source).stem)
        if name is None:
            known = ", ".join(COLUMNS)
            raise InvalidInput("no list of a roster", source=source, cure=f"name it one of {known}")
        if name in found:
            raise InvalidInput(f"{name} comes twice", source=source, cure="give each list once")
        found[name] = _sheet(name, source, lines)
    if not found:
        raise UnreadableFile("no table in it", cure=f"give tables named {', '.join(COLUMNS)}")
    return found


def _tables(files: Mapping[str, bytes]) -> Iterable[tuple[str, list[Line]]]:
    for path, content in files.items():
        name = PurePath(path).name
        suffix = PurePath(name).suffix.lower()
        if suffix in {".xlsx", ".xlsm"}:
            yield from _workbook_tables(name, content)
        elif suffix == ".zip":
            yield from ((part, _csv_lines(part, text)) for part, text in _unzipped(name, content))
        else:
            yield name, _csv_lines(name, content)


def _unzipped(name: str, content: bytes) -> list[tuple[str, bytes]]:
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as file:
            parts = [p for p in file.infolist() if p.filename.lower().endswith(".csv")]
            if sum(part.file_size for part in file.infolist()) > _MOST_BYTES:
                raise TooLarge("unpacks to more than 200 MB", source=name, cure="send fewer rows at once")
            return [(PurePath(part.filename).name, file.read(part)) for part in parts]
    except (zipfile.BadZipFile, OSError, NotImplementedError, RuntimeError):
        raise UnreadableFile(
            "not a ZIP that can be read", source=name, cure="send CSV files in a ZIP"
        ) from None


def _csv_lines(name: str, content: bytes) -> list[Line]:
    for encoding in ("utf-8-sig", "gb18030"):  # what spreadsheets write
        try:
            text = content.decode(encoding)
            break
        except UnicodeDecodeError:
            continue
    else:
        raise UnreadableFile("neither UTF-8 nor GB 18030 text", source=name, cure="save it as UTF-8")
    try:
        rows = list(csv.reader(io.StringIO(text, newline=""), strict=True))
    except csv.Error:
        raise UnreadableFile("not a CSV text", source=name, cure="save it as CSV") from None
    return [(number, [as_meant(cell) for cell in row]) for number, row in enumerate(rows, 1)]


def _workbook_tables(name: str, content: bytes) -> Iterable[tuple[str, list[Line]]]:
    from openpyxl import load_workbook

    _unzipped(name, content)
    try:
        books = [load_workbook(io.BytesIO(content), read_only=True, data_only=only) for only in (True, False)]
        titles = [title for title in books[0].sheetnames if list_of(title) is not None]
        for title in titles:
            pairs = zip(books[0][title].iter_rows(), books[1][title].iter_rows(), strict=True)
            yield (
                title,
                [
                    (n, [_cell(title, n, *c) for c in zip(a, b, strict=True)])
                    for n, (a, b) in enumerate(pairs, 1)
                ],
            )
    except (OSError, KeyError, ValueError, TypeError, ParseError, zipfile.BadZipFile) as error:
        if isinstance(error, InvalidInput):
            raise
        raise UnreadableFile(
            "cannot be read as a workbook", source=name, cure="save it as .xlsx without a password, or as CSV"
        ) from None


def _cell(source: str, number: int, cell: Any, written: Any) -> str:
    value = cell.value
    if (value is None and written.data_type == "f") or cell.data_type == "e":
        raise InvalidInput(
            "a formula without a value" if cell.data_type != "e" else "an error instead of a value",
            source=source,
            row=number,
            field=f"cell {written.coordinate}",
            cure="put the value in its place",
        )
    if isinstance(value, datetime | date):
        return value.isoformat()
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float) and value.is_integer():
        return str(int(value))  # spreadsheets know one kind of number; an id is no 1.38e+10
    return "" if value is None else from_workbook(str(value))


def _sheet(listed: str, source: str, lines: list[Line]) -> Sheet:
    if not lines or len(lines) > _MOST_ROWS:
        fault = "no header" if not lines else f"more than {_MOST_ROWS:,} rows"
        raise InvalidInput(fault, source=source, cure="give a header and a row for each entry")
    headers = [cell.strip() for cell in lines[0][1]]
    columns = [_column(listed, source, header) for header in headers]
    named = [column for column in columns if column is not None]
    for column in _NEEDED[listed]:
        if column not in named:
            told = ", ".join(headers) or "none"
            raise UnknownColumn(
                f"no such column (found: {told})", source=source, field=column, cure="add the column"
            )
    if len(set(named)) < len(named):
        twice = next(column for column in named if named.count(column) > 1)
        raise InvalidInput("comes twice", source=source, field=twice, cure="keep one of the columns")
    rows = [_row(source, number, columns, cells) for number, cells in lines[1:] if any(map(str.strip, cells))]
    return Sheet(source, tuple(named), tuple(rows))


def _column(listed: str, source: str, header: str) -> str | None:
    column = column_of(listed, header)
    if header and column is None:
        known = ", ".join(COLUMNS[listed])
        raise UnknownColumn("no such column", source=source, field=header[:40], cure=f"use {known}")
    return column


def _row(source: str, number: int, columns: Sequence[str | None], cells: list[str]) -> SheetRow:
    if len(cells) > len(columns) and any(cell.strip() for cell in cells[len(columns) :]):
        raise InvalidInput(
            f"more than {len(columns)} values", source=source, row=number, cure="give one value a column"
        )
    filled = [*cells, *[""] * (len(columns) - len(cells))]
    named = zip(columns, filled, strict=False)
    return SheetRow(number, {column: cell.strip() for column, cell in named if column is not None})


# --- writing


def csv_zip(roster: Roster) -> bytes:
    """A ZIP of one CSV a list; a text which could be a formula has an apostrophe in front."""
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as file:
        for name, (columns, rows) in _lists(roster).items():
            text = io.StringIO()
            writer = csv.writer(text, lineterminator="\n")
            writer.writerow(columns)
            writer.writerows([_harmless(value) for value in row] for row in rows)
            info = zipfile.ZipInfo(f"{name}.csv", (1980, 1, 1, 0, 0, 0))  # the same roster is the same file
            file.writestr(info, "\ufeff" + text.getvalue())
    return target.getvalue()


def _harmless(value: Value) -> Value:
    if isinstance(value, bool):
        return "true" if value else "false"
    return inert(value) if isinstance(value, str) else value


def workbook(roster: Roster) -> bytes:
    """A workbook of one sheet a list; texts stay texts, = in front or not."""
    from openpyxl import Workbook
    from openpyxl.styles import Font

    book = Workbook()
    book.remove(book.active)
    for name, (columns, rows) in _lists(roster).items():
        sheet = book.create_sheet(name)
        for at, row in enumerate([columns, *rows], 1):
            for column, value in enumerate(row, 1):
                if value is not None and value != "":
                    _put(sheet.cell(at, column), value)
        for cell in sheet[1]:
            cell.font = Font(bold=True)
            sheet.column_dimensions[cell.column_letter].width = max(12, len(str(cell.value)) + 4)
        sheet.freeze_panes = "A2"
    target = io.BytesIO()
    book.save(target)
    return target.getvalue()


def _put(cell: Any, value: Value) -> None:
    if isinstance(value, str):
        cell.value = workbook_text(value)
        cell.data_type = "s"  # openpyxl takes a text with = in front for a formula
        cell.number_format = "@"
    else:
        cell.value = value


def _lists(roster: Roster) -> dict[str, tuple[tuple[str, ...], list[list[Value]]]]:
    document = roster_to_dict(roster)
    measures = sorted({name for team in roster.teams for name in team.capacity})
    found = {}
    for name, known in COLUMNS.items():
        columns = (*known, *(CAPACITY + measure for measure in measures)) if name == "teams" else known
        entries = document[name]
        found[name] = columns, [[_value(roster, entry, column) for column in columns] for entry in entries]
    return found


def _value(roster: Roster, entry: Mapping[str, Any], column: str) -> Value:
    if column == "fallback":
        return bool(entry["id"] == roster.fallback)
    if column.startswith(CAPACITY):
        limit: float | None = entry["capacity"].get(column.removeprefix(CAPACITY))
        return limit
    value: Any = entry[column]
    return ";".join(value) if isinstance(value, list) else value
