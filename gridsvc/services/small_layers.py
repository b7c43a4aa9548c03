"""Layers for callers who may not see customers: small counts in them, and what would tell them, kept back.

Of a row whose count is kept back no measure is shown: with one customer in a cell, a sum is that customer's.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gridsvc.principal import Principal
from gridsvc.store.records import MeasureRecord
from gridsvc.teams.suppression import hidden_parts

__all__ = ["SMALL", "blanked", "counts_in", "hidden_cells", "hidden_rows", "hidden_teams", "least_for"]

Bools = NDArray[np.bool_]
Columns = Mapping[str, Any]
"""Values by the name of their column; None or NaN where there are none."""

SMALL = 5
"""Numbers of customers below this are kept back, unless the operator says otherwise."""


def least_for(who: Principal, small: int = SMALL) -> int | None:
    """The smallest number the caller may see; None where they see all."""
    return None if "customers:read" in who.scopes or small == 0 else small


def counts_in(measures: Mapping[str, MeasureRecord]) -> tuple[str, ...]:
    """Names of the measures which count customers."""
    return tuple(name for name, measure in measures.items() if measure.spec.startswith("count"))


def hidden_rows(
    columns: Columns, counts: Iterable[str], least: int, parents: Sequence[str | None] | None = None
) -> Bools:
    """Which rows of a layer are kept back, when the sum of all of them is known.

    Parameters
    ----------
    parents : sequence of str or None
        The grid above each row, where the sums of those are known, too.
    """
    n = len(next(iter(columns.values())))
    above = np.zeros(n, np.int64)
    if parents is not None:
        above[: len(parents)] = np.unique([code or "" for code in parents], return_inverse=True)[1]
    return _hidden_within(columns, counts, above, least)


def hidden_teams(
    columns: Columns,
    counts: Iterable[str],
    least: int,
    owners: Sequence[str | None],
    hidden_grids: Bools,
) -> Bools:
    """Which teams are kept back, when their grids are known, too.

    Parameters
    ----------
    columns : mapping
        Of teams; ``team`` is the id.
    owners : sequence of str or None
        The team of each grid.
    """
    held = {owner for owner, hidden in zip(owners, hidden_grids.tolist(), strict=True) if hidden}
    hidden = np.array([team in held for team in columns["team"]], bool)
    for name in counts:
        hidden |= hidden_parts(_whole(columns[name]), least, hidden)
    return hidden


def hidden_cells(columns: Columns, counts: Iterable[str], labels: NDArray[np.int32], least: int) -> Bools:
    """Which cells are kept back, when the sum of each grid is known."""
    return _hidden_within(columns, counts, labels, least)


def _hidden_within(
    columns: Columns, counts: Iterable[str], groups_of: NDArray[np.integer[Any]], least: int
) -> Bools:
    hidden = np.zeros(len(groups_of), bool)
    order = np.argsort(groups_of, kind="stable")
    groups = np.split(order, np.flatnonzero(np.diff(groups_of[order])) + 1)
    for name in counts:
        numbers = _whole(columns[name])
        for rows in groups:
            hidden[rows] |= hidden_parts(numbers[rows], least, hidden[rows])
    return hidden


def _whole(values: Iterable[Any]) -> NDArray[np.int64]:
    numbers = np.array([0.0 if value is None else value for value in values], np.float64)
    return np.ceil(np.nan_to_num(numbers)).astype(np.int64)


def blanked(
    columns: Mapping[str, Sequence[Any]], measures: Iterable[str], hidden: Bools
) -> dict[str, Sequence[Any]]:
    """The columns, with nothing in place of measures, and deviations of them, of rows kept back."""
    names = {part for name in measures for part in (name, f"{name}_deviation")}
    marks = hidden.tolist()
    return {
        name: [None if mark else value for value, mark in zip(values, marks, strict=True)]
        if name in names
        else values
        for name, values in columns.items()
    }
