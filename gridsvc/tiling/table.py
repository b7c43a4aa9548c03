"""Small tables a planner writes about cells, from CSV files, workbooks or the members of a request."""

from __future__ import annotations

import csv
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gridsvc.errors import InvalidInput, UnknownColumn, UnreadableFile
from gridsvc.tiling.workbook import WORKBOOKS, read_rows

__all__ = ["Table", "read_table", "table_of"]


@dataclass(frozen=True, slots=True)
class Table:
    """Rows as text, nothing judged yet.

    Attributes
    ----------
    columns : dict of str to list of n str
        Without surrounding blanks; ``""`` where there is nothing.
    source : str
        Name of the file, or of the member of a request.
    """

    columns: dict[str, list[str]]
    source: str

    def __len__(self) -> int:
        return len(next(iter(self.columns.values()), ()))

    def text(self, name: str) -> list[str]:
        """A column's texts; empty ones where there is no such column."""
        return self.columns.get(name) or [""] * len(self)

    def require(self, *names: str) -> None:
        """Raise `UnknownColumn`, listing the columns there are, where one of `names` is not."""
        for name in names:
            if name not in self.columns:
                there = ", ".join(self.columns) or "none"
                raise UnknownColumn(
                    "there is no such column",
                    source=self.source,
                    field=name,
                    cure=f"give {', '.join(names)}; there are {there}",
                )

    def fault(self, row: int, field: str, message: str, cure: str) -> InvalidInput:
        """The error of one row, counted from 0."""
        return InvalidInput(message, source=self.source, row=row + 1, field=field, cure=cure)

    def numbers(self, name: str, missing: float, *, least: float = -math.inf) -> NDArray[np.float64]:
        """A column as float64, shape (n,); `missing` where there is nothing.

        Raises
        ------
        InvalidInput
            Something which is no finite number, or one below `least`.
        """
        found = np.full(len(self), missing)
        for row, text in enumerate(self.text(name)):
            if text:
                found[row] = self._number(row, name, text, least)
        return found

    def _number(self, row: int, name: str, text: str, least: float) -> float:
        try:
            value = float(text)
        except ValueError:
            raise self.fault(row, name, f"{text!r} is not a number", "give a number") from None
        if not math.isfinite(value) or value < least:
            raise self.fault(row, name, f"{text} is not a number of {least:g} or more", "give a number")
        return value

    def rows_of(self, name: str, cells: Mapping[str, int]) -> NDArray[np.int64]:
        """Row in the tiling of the cell each row names: int64 array, shape (n,).

        Raises
        ------
        InvalidInput
            A cell there is not.
        """
        rows = np.array([cells.get(text, -1) for text in self.text(name)], np.int64)
        bad = np.flatnonzero(rows < 0)
        if len(bad):
            text = self.text(name)[bad[0]]
            what = f"there is no cell {text!r}" if text else "no cell is named"
            raise self.fault(int(bad[0]), name, what, "name cells of the cells' file")
        return rows

    def records(self) -> list[dict[str, str]]:
        """The rows as JSON-ready mappings, of which `table_of` makes an equal table."""
        return [dict(zip(self.columns, row, strict=True)) for row in zip(*self.columns.values(), strict=True)]


def read_table(path: Path) -> Table:
    """Read a CSV file in UTF-8, or the first sheet of a workbook, with a header.

    Raises
    ------
    UnreadableFile, InvalidInput
        It cannot be opened, is empty, or a row has more fields than the header.
    """
    lines = read_rows(path) if path.suffix.lower() in WORKBOOKS else _csv_rows(path)
    if not lines:
        raise UnreadableFile("is empty", source=path.name, cure="export it again with a header and rows")
    return _table(lines[0], lines[1:], path.name)


def _csv_rows(path: Path) -> list[list[str]]:
    try:
        with path.open(newline="", encoding="utf-8-sig") as file:
            return [[text.strip() for text in line] for line in csv.reader(file) if line]
    except (OSError, ValueError, csv.Error):
        raise UnreadableFile(
            "cannot be read as CSV", source=path.name, cure="check the name, and save it as UTF-8"
        ) from None


def _table(header: Sequence[str], lines: Sequence[list[str]], source: str) -> Table:
    for row, line in enumerate(lines, 1):
        if any(line[len(header) :]):
            raise InvalidInput(
                f"has {len(line)} fields but the header has {len(header)}",
                source=source,
                row=row,
                cure="put texts with commas in quotes",
            )
    columns = {
        name: [line[i] if i < len(line) else "" for line in lines] for i, name in enumerate(header) if name
    }
    return Table(columns, source)


def table_of(records: Iterable[Mapping[str, Any]], source: str) -> Table:
    """A table of mappings, whose absent members and nulls are empty."""
    rows = [{name: _text(value) for name, value in record.items()} for record in records]
    names = dict.fromkeys(name for row in rows for name in row)
    return Table({name: [row.get(name, "") for row in rows] for name in names}, source)


def _text(value: object) -> str:
    if value is None:
        return ""
    return repr(value) if isinstance(value, float) else str(value).strip()
