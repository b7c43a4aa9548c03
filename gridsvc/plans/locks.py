"""Locks: what a new plan may not change, with reason and expiry."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Any

from gridsvc.errors import InvalidInput
from gridsvc.tiling.table import Table
from gridsvc.tiling.tiling import Tiling

__all__ = ["Lock", "locks_of"]


@dataclass(frozen=True, slots=True)
class Lock:
    """One locked cell.

    Attributes
    ----------
    row : int
        Of the table, counted from 1.
    cell : int
        Row in the tiling.
    grid : str
        Code of the grid it must be in; empty for the one it is in now.
    """

    row: int
    cell: int
    grid: str
    reason: str
    source: str

    def fault(self, field: str, message: str, cure: str) -> InvalidInput:
        """The error of this row."""
        return InvalidInput(message, source=self.source, row=self.row, field=field, cure=cure)


def locks_of(table: Table, tiling: Tiling, today: date) -> tuple[list[Lock], list[dict[str, Any]]]:
    """Locks of a table, and those which have expired.

    Columns: ``cell``; if wanted ``grid``, ``reason``, ``until`` (an ISO date, the last day).

    Returns
    -------
    locks : list of Lock
        A cell named twice for the same grid stands once.
    expired : list of dict
        ``row``, ``cell``, ``until``, JSON-ready.

    Raises
    ------
    UnknownColumn, InvalidInput
        A row that names no cell of the tiling or no date; a cell locked to two grids.
    """
    table.require("cell")
    cells = table.rows_of("cell", {name: row for row, name in enumerate(tiling.names())})
    columns = (table.text(name) for name in ("cell", "grid", "reason", "until"))
    first: dict[int, Lock] = {}
    expired: list[dict[str, Any]] = []
    for row, (cell, grid, reason, until) in enumerate(zip(*columns, strict=True)):
        if until and _date(table, row, until) < today:
            expired.append({"row": row + 1, "cell": cell, "until": until})
            continue
        lock = Lock(row + 1, int(cells[row]), grid, reason, table.source)
        before = first.setdefault(lock.cell, lock)
        if before.grid != grid:
            said = (
                f"cell {cell} is locked to {_name(before.grid)} in row {before.row} and to {_name(grid)} here"
            )
            raise lock.fault("grid", said, "keep one of the two rows")
    return list(first.values()), expired


def _date(table: Table, row: int, text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise table.fault(row, "until", f"{text!r} is not a date", "write it as 2026-12-31") from None


def _name(grid: str) -> str:
    return f"grid {grid!r}" if grid else "the grid it has"
