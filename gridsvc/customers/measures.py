"""Rows on cells -> one number a cell and measure."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from gridsvc.customers.columns import require_column
from gridsvc.customers.placement import Placement
from gridsvc.customers.read import Table
from gridsvc.customers.values import as_numbers, as_text
from gridsvc.errors import InvalidInput

__all__ = ["Measure", "MeasureSpec", "Missing", "aggregate", "is_count", "parse_measure"]

Op = Literal["count", "count_distinct", "sum", "mean"]
Missing = Literal["refuse", "zero", "drop"]

MAX_MISSING = 0.02

_FORM = re.compile(r"([^=]+)=(count|count_distinct|sum|mean)(?::(.+))?")
_NAME = re.compile(r"[A-Za-z_\u4e00-\u9fff][0-9A-Za-z_\u4e00-\u9fff]{0,62}")
# Columns which a file of cells has for itself.
_TAKEN = frozenset({"cell", "grid", "geometry", "lon", "lat", "x", "y", "area", "perimeter"})


@dataclass(frozen=True, slots=True)
class MeasureSpec:
    """What to measure: ``name=op`` or ``name=op:column``."""

    name: str
    op: Op
    column: str | None = None

    def __str__(self) -> str:
        return f"{self.name}={self.op}" + (f":{self.column}" if self.column else "")


@dataclass(frozen=True, slots=True, eq=False)
class Measure:
    """One measure over the cells of a tiling, in the unit of its column.

    Attributes
    ----------
    name : str
    spec : str
        How it was asked for, so that it can be made again.
    values : float64 array, shape (n_cells,)
        0 in a cell without rows, also for a mean.
    largest : float64 array, shape (n_cells,)
        The largest single row of the cell; 1 where there is any for counts.
    missing_share : float
        Share of the placed rows without a value.
    total : float
        Sum over the placed rows; for a mean, the mean over them.
    """

    name: str
    spec: str
    values: NDArray[np.float64]
    largest: NDArray[np.float64]
    missing_share: float
    total: float


def parse_measure(text: str) -> MeasureSpec:
    """Measure from ``customers=count`` or ``potential=sum:kwh``.

    Raises
    ------
    InvalidInput
        Not of that form, or a name which is not letters (Latin or Chinese), digits and ``_``.
    """
    match = _FORM.fullmatch(text.strip())
    if match is None or (match[2] == "count") != (match[3] is None):
        raise InvalidInput(
            "not a measure",
            field="measure",
            cure="write NAME=count, NAME=count_distinct:COLUMN, NAME=sum:COLUMN or NAME=mean:COLUMN",
        )
    name = match[1].strip()
    if not _NAME.fullmatch(name) or name in _TAKEN:
        raise InvalidInput(
            "not a name for a measure",
            field="measure",
            cure=f"use letters, digits and _, a letter first, and none of {', '.join(sorted(_TAKEN))}",
        )
    return MeasureSpec(name, match[2], match[3].strip() if match[3] else None)  # type: ignore[arg-type]


def is_count(name: str, spec: str) -> bool:
    """Whether a measure, by its name and how it was made, says how many customers there are.

    One which came with the cells, and has no more than its name to tell, does if it is called so.
    """
    form = _FORM.fullmatch(spec)
    return name == "customers" or (form is not None and form[2] in {"count", "count_distinct"})


def aggregate(
    table: Table,
    placement: Placement,
    specs: Iterable[MeasureSpec],
    n_cells: int,
    missing: Missing = "refuse",
) -> list[Measure]:
    """Measures of each cell from the placed rows.

    Parameters
    ----------
    n_cells : int
        Length of the tiling the rows were placed on.
    missing : {"refuse", "zero", "drop"}
        What a placed row without a value means. ``refuse`` allows 2 % of them, counted as zero; ``zero``
        counts all as zero; ``drop`` leaves them out, which for a mean differs from zero. The share is
        told in every case. Distinct values are counted among those there are.

    Raises
    ------
    UnknownColumn
        The message lists the columns of the file.
    InvalidInput
        Text, infinite or negative values, too many missing ones, or a name given twice; names the row.
    """
    wanted = list(specs)
    names = [spec.name for spec in wanted]
    if len(set(names)) < len(names):
        raise InvalidInput("two measures have the same name", field="measure", cure="rename one of them")
    rows = np.flatnonzero(placement.cell >= 0)
    placed = _Placed(table, rows, placement.cell[rows], n_cells, missing)
    return [_measure(placed, spec) for spec in wanted]


@dataclass(frozen=True, slots=True, eq=False)
class _Placed:
    """The placed rows, and what a missing value in them means."""

    table: Table
    rows: NDArray[np.intp]
    cell: NDArray[np.int32]
    n_cells: int
    missing: Missing


def _measure(placed: _Placed, spec: MeasureSpec) -> Measure:
    if spec.column is None:
        return _counted(spec, placed.cell, placed.n_cells, 0.0)
    require_column(spec.column, [str(name) for name in placed.table.frame.columns], placed.table.source)
    if spec.op == "count_distinct":
        return _distinct(placed, spec, spec.column)
    return _summed(placed, spec, spec.column)


def _counted(spec: MeasureSpec, cell: NDArray[np.integer], n_cells: int, missing_share: float) -> Measure:
    counts = np.bincount(cell, minlength=n_cells).astype(np.float64)
    return Measure(
        spec.name, str(spec), counts, (counts > 0).astype(np.float64), missing_share, float(len(cell))
    )


def _distinct(placed: _Placed, spec: MeasureSpec, column: str) -> Measure:
    import pandas as pd

    text = as_text(placed.table.frame[column].iloc[placed.rows])
    there = text != ""
    share = _missing_share(placed, column, ~there)
    code, found = pd.factorize(pd.Index(text[there], dtype=object))
    width = max(len(found), 1)
    once = np.unique(placed.cell[there].astype(np.int64) * width + code)
    return _counted(spec, once // width, placed.n_cells, share)


def _summed(placed: _Placed, spec: MeasureSpec, column: str) -> Measure:
    values, blank = _numbers(placed, column)
    share = _missing_share(placed, column, blank)
    kept = ~blank if placed.missing == "drop" else np.ones(len(values), bool)
    values, cell = np.where(blank, 0.0, values)[kept], placed.cell[kept]
    per_cell: NDArray[np.float64] = np.bincount(cell, values, placed.n_cells).astype(np.float64)
    largest = np.zeros(placed.n_cells)
    np.maximum.at(largest, cell, values)
    total = float(values.sum())
    if spec.op == "mean":
        per_cell = per_cell / np.maximum(np.bincount(cell, minlength=placed.n_cells), 1)
        total /= max(len(values), 1)
    return Measure(spec.name, str(spec), per_cell, largest, share, total)


def _numbers(placed: _Placed, column: str) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """Values and blanks of the placed rows, every value finite and not negative."""
    values, blank, bad = as_numbers(placed.table.frame[column].iloc[placed.rows])
    for wrong, what, cure in (
        (bad, "not a finite number", "write plain numbers, without unit or thousands separator"),
        (values < 0, "a negative number", "correct it, or leave such rows out with --where"),
    ):
        if wrong.any():
            raise InvalidInput(
                f"{what} ({int(wrong.sum())} such rows)",
                source=placed.table.source,
                row=int(placed.rows[np.argmax(wrong)]) + 1,
                field=column,
                cure=cure,
            )
    return values, blank


def _missing_share(placed: _Placed, column: str, blank: NDArray[np.bool_]) -> float:
    share = float(blank.mean()) if len(blank) else 0.0
    if placed.missing == "refuse" and share > MAX_MISSING:
        raise InvalidInput(
            f"no value in {share:.1%} of the placed rows, this being the first",
            source=placed.table.source,
            row=int(placed.rows[np.argmax(blank)]) + 1,
            field=column,
            cure="fill them in, or say --missing zero or --missing drop",
        )
    return share
