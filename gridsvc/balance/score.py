"""A composite score: several columns weighed into one measure, the weights in plain sight."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from math import isfinite
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gridsvc.errors import InvalidInput

__all__ = ["Score", "parse_score"]

_WHOLE = 1000.0  # the territory's score


@dataclass(frozen=True, slots=True)
class Score:
    """A measure made of columns.

    Attributes
    ----------
    name : str
    parts : tuple of (str, float)
        Column and weight, as the planner gave them; weights are above 0.
    """

    name: str
    parts: tuple[tuple[str, float], ...]

    def values(self, columns: Mapping[str, NDArray[np.float64]]) -> NDArray[np.float64]:
        """The score of each cell: float64 array, shape (n_cells,), which sums to 1000.

        Each column counts by its share of its own total, so that units do not matter:
        1000 * sum(weight * value / total of the column) / sum(weight).

        Raises
        ------
        InvalidInput
            There is no such column, it has a value which is no quantity, or it sums to 0.
        """
        whole = sum(weight for _, weight in self.parts)
        shares = [weight * self._shares(column, columns) for column, weight in self.parts]
        return np.asarray(_WHOLE * np.sum(shares, axis=0) / whole, np.float64)

    def _shares(self, column: str, columns: Mapping[str, NDArray[np.float64]]) -> NDArray[np.float64]:
        if column not in columns:
            raise InvalidInput(
                f"{self.name!r} weighs {column!r}, which is no column of numbers",
                field="score",
                cure=f"there are {', '.join(columns) or 'none'}",
            )
        values = columns[column]
        bad = np.flatnonzero(~(np.isfinite(values) & (values >= 0)))
        total = float(values.sum()) if not len(bad) else 0.0
        if len(bad) or total <= 0:
            what = f"has {values[bad[0]]} in cell {bad[0] + 1}" if len(bad) else "is 0 in every cell"
            raise InvalidInput(
                f"{self.name!r} weighs {column!r}, which {what}",
                field="score",
                cure="weigh columns with numbers of 0 or more",
            )
        return values / total

    def told(self, columns: Mapping[str, NDArray[np.float64]]) -> dict[str, Any]:
        """Columns, weights, their shares of the score and the columns' totals, JSON-ready."""
        whole = sum(weight for _, weight in self.parts)
        return {
            column: {"weight": weight, "share": weight / whole, "total": float(columns[column].sum())}
            for column, weight in self.parts
        }


def parse_score(text: str) -> Score:
    """Read ``potential=0.6*kwh+0.4*meters``; a column without a weight weighs 1.

    Raises
    ------
    InvalidInput
        It does not have that form, a weight is not above 0, or a column stands twice.
    """
    name, equals, sum_ = text.partition("=")
    terms = [_term(term, text) for term in sum_.split("+")] if equals else []
    columns = [column for column, _ in terms]
    if not name.strip() or not terms or len(set(columns)) < len(columns):
        raise _bad(text)
    return Score(name.strip(), tuple(terms))


def _term(term: str, text: str) -> tuple[str, float]:
    weight, star, column = term.partition("*")
    if not star:
        weight, column = "1", term
    try:
        value = float(weight)
    except ValueError:
        raise _bad(text) from None
    if not column.strip() or not isfinite(value) or value <= 0:
        raise _bad(text)
    return column.strip(), value


def _bad(text: str) -> InvalidInput:
    return InvalidInput(
        f"{text!r} is no score", field="score", cure="write NAME=0.6*kwh+0.4*meters, weights above 0"
    )
