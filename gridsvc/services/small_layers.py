"""Layers for callers who may not see customers: small counts in them, and what would tell them, kept back.

Of a row whose count is kept back no measure is shown: with one customer in a cell, a sum is that customer's.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gridsvc.customers.measures import is_count
from gridsvc.plans.levels import rows_above, sums_of
from gridsvc.plans.plan import Plan
from gridsvc.principal import Principal
from gridsvc.store.records import MeasureRecord
from gridsvc.teams.suppression import hidden_parts, hidden_within

__all__ = ["SMALL", "KeptBack", "blanked", "counts_in", "least_for"]

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
    return tuple(name for name, measure in measures.items() if is_count(name, measure.spec))


@dataclass(frozen=True, slots=True)
class KeptBack:
    """What is kept back where the sums of several levels are published.

    Attributes
    ----------
    plans : tuple of Plan
        The levels from the top down; the last is the one which is shown.
    amounts : mapping of str to array, shape (n_cells,)
    counts : sequence of str
        Which of them count customers.
    least : int
        The smallest number which is shown.
    """

    plans: tuple[Plan, ...]
    amounts: Columns
    counts: Sequence[str]
    least: int

    def grids(self) -> Bools:
        """Bool array, shape (n_grids,)."""
        hidden, whole = np.zeros(0, bool), None
        for plan in self.plans:
            sums = sums_of(plan, {name: self.amounts[name] for name in self.counts})
            above = np.full(len(plan.grids), -1, np.int64) if whole is None else rows_above(plan, whole)
            hidden, whole = self._within(sums, above, hidden), plan
        return hidden

    def cells(self) -> Bools:
        """Bool array, shape (n_cells,)."""
        return self._within(self.amounts, self.plans[-1].labels.astype(np.int64), self.grids())

    def teams(self, columns: Columns, owners: Sequence[str | None]) -> Bools:
        """Bool array, shape (n_teams,).

        Parameters
        ----------
        columns : mapping
            Of teams; ``team`` is the id.
        owners : sequence of str or None
            The team of each grid, and of what lies over them.
        """
        held = {owner for owner, hidden in zip(owners, self.grids().tolist(), strict=False) if hidden}
        hidden = np.array([team in held for team in columns["team"]], bool)
        for name in self.counts:
            hidden |= hidden_parts(_whole(columns[name]), self.least, hidden)
        return hidden

    def _within(self, columns: Columns, wholes: NDArray[np.int64], hidden_wholes: Bools) -> Bools:
        """Parts of which any count must be kept back."""
        hidden = np.zeros(len(wholes), bool)
        for name in self.counts:
            hidden = hidden_within(_whole(columns[name]), wholes, self.least, hidden_wholes, hidden)
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
