"""Uneven targets: what each grid should have, as a planner lists it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from gridsvc.errors import UnknownColumn
from gridsvc.tiling.table import Table

__all__ = ["Goals", "goals_of"]


@dataclass(frozen=True, slots=True)
class Goals:
    """One row a grid.

    Attributes
    ----------
    grids : tuple of str
        Codes, in the table's order; all empty where it has no column ``grid``.
    targets, low, high : float64 arrays, shape (k, m), the measures' units
        NaN where the table says nothing.
    """

    grids: tuple[str, ...]
    targets: NDArray[np.float64]
    low: NDArray[np.float64]
    high: NDArray[np.float64]


def goals_of(table: Table, measures: Sequence[str]) -> Goals:
    """Targets of a table, absolute.

    Columns: a measure's name, and if wanted its name with ``_min`` and ``_max``; ``grid``.

    Raises
    ------
    UnknownColumn, InvalidInput
        A column which is neither; a row without a number, with two grids of one name, with a minimum above
        its maximum.
    """
    known = {"grid", *(name + end for name in measures for end in ("", "_min", "_max"))}
    strange = [name for name in table.columns if name not in known]
    if strange or not table.columns.keys() & set(known - {"grid"}):
        raise UnknownColumn(
            "is neither a measure nor its limit" if strange else "no column is a measure",
            source=table.source,
            field=strange[0] if strange else None,
            cure=f"give {', '.join(sorted(known, key=str))}",
        )
    if not len(table):
        raise UnknownColumn("holds no rows", source=table.source, cure="give one row a grid")
    targets, low, high = (
        np.column_stack([table.numbers(name + end, np.nan, least=0.0) for name in measures])
        for end in ("", "_min", "_max")
    )
    _require_rows(table, measures, targets, low, high)
    return Goals(tuple(table.text("grid")), targets, low, high)


def _require_rows(
    table: Table,
    measures: Sequence[str],
    targets: NDArray[np.float64],
    low: NDArray[np.float64],
    high: NDArray[np.float64],
) -> None:
    first: dict[str, int] = {}
    named = any(table.text("grid"))
    for row, grid in enumerate(table.text("grid")):
        if named and not grid:
            raise table.fault(row, "grid", "has no grid", "name the grid in every row, or in none")
        if named and first.setdefault(grid, row) != row:
            said = f"grid {grid!r} stands in row {first[grid] + 1} already"
            raise table.fault(row, "grid", said, "give each grid one row")
        for column, name in enumerate(measures):
            if name in table.columns and np.isnan(targets[row, column]):
                raise table.fault(row, name, "there is no target", "give a number of 0 or more")
            if low[row, column] > high[row, column]:
                said = f"the minimum {low[row, column]:g} is above the maximum {high[row, column]:g}"
                raise table.fault(row, f"{name}_min", said, "exchange them")
