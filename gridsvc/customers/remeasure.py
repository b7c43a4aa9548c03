"""Measures of some cells anew, from the customers in them as they are kept."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gridsvc.customers.measures import MeasureSpec, Missing
from gridsvc.errors import InvalidInput

__all__ = ["remeasure"]

Floats = NDArray[np.float64]


def remeasure(
    spec: MeasureSpec,
    cells: NDArray[np.int64],
    values: Sequence[Mapping[str, Any]],
    n_cells: int,
    missing: Missing,
) -> tuple[Floats, Floats]:
    """Values and largest single rows, as `gridsvc.customers.measures.aggregate` gives them.

    Parameters
    ----------
    cells : int64 array, shape (n_rows,)
        Cell of each customer, 0..n_cells-1.
    values : sequence of n_rows mappings
        Further columns of each customer.
    missing : {"refuse", "zero", "drop"}
        How the import was told to take customers without a value: all but ``drop`` count them as zero.

    Returns
    -------
    float64 arrays, shape (n_cells,)

    Raises
    ------
    InvalidInput
        A customer's value is no number.
    """
    if spec.column is None:
        return _counted(cells, n_cells)
    given = [row.get(spec.column) for row in values]
    if spec.op == "count_distinct":
        pairs = {(cell, str(v)) for cell, v in zip(cells.tolist(), given, strict=True) if v not in (None, "")}
        return _counted(np.array([cell for cell, _ in pairs], np.int64), n_cells)
    numbers = np.array([_number(value, spec.column) for value in given], np.float64)
    kept = ~np.isnan(numbers) if missing == "drop" else np.ones(len(numbers), bool)
    cells, numbers = cells[kept], np.nan_to_num(numbers[kept])
    total = np.bincount(cells, numbers, n_cells).astype(np.float64)
    largest = np.zeros(n_cells)
    np.maximum.at(largest, cells, numbers)
    if spec.op == "mean":
        total = total / np.maximum(np.bincount(cells, minlength=n_cells), 1)
    return total, largest


def _counted(cells: NDArray[np.int64], n_cells: int) -> tuple[Floats, Floats]:
    counts = np.bincount(cells, minlength=n_cells).astype(np.float64)
    return counts, (counts > 0).astype(np.float64)


def _number(value: object, column: str) -> float:
    if value is None or value == "":
        return np.nan
    try:
        return float(value)  # type: ignore[arg-type]
    except (TypeError, ValueError):
        cure = "tell of the customer again with a number"
        raise InvalidInput("a customer's value is text, not a number", field=column, cure=cure) from None
