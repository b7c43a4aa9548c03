"""``--where kind=residential``: which rows of a table to take."""

from __future__ import annotations

import operator
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from gridsvc.customers.columns import require_column
from gridsvc.customers.values import as_numbers, as_text, is_number
from gridsvc.errors import InvalidInput

if TYPE_CHECKING:
    from gridsvc.customers.read import Table

__all__ = ["Where", "parse_where", "select"]

_FORM = re.compile(r"\s*([^=!<>]+?)\s*(!=|<=|>=|=|<|>)\s*(.*?)\s*", re.DOTALL)
_ORDER: dict[str, Callable[[Any, Any], Any]] = {
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}


@dataclass(frozen=True, slots=True)
class Where:
    """One condition: column, ``= != < <= > >=``, value as text.

    ``=`` and ``!=`` compare text (``007`` is not ``7``), except in a column of numbers of a typed file.
    The others compare numbers; a row without a number there is not selected.
    """

    column: str
    op: str
    value: str


def parse_where(text: str) -> Where:
    """Condition from ``column=value`` and the like.

    Raises
    ------
    InvalidInput
        No operator, no column, or an order asked of something which is not a number.
    """
    match = _FORM.fullmatch(text)
    if match is None:
        raise InvalidInput(
            "not a condition", field="where", cure="write COLUMN=VALUE, with one of = != < <= > >="
        )
    where = Where(*match.groups())
    if where.op in _ORDER and not is_number(where.value):
        raise InvalidInput(f"{where.op} needs a number", field=where.column, cure="compare text with = or !=")
    return where


def select(table: Table, wheres: Iterable[Where]) -> NDArray[np.bool_]:
    """Rows which meet all conditions, bool array of shape (n,).

    Raises
    ------
    UnknownColumn
        A condition names a column which the file does not have.
    """
    chosen = np.ones(len(table), bool)
    for where in wheres:
        require_column(where.column, [str(name) for name in table.frame.columns], table.source)
        chosen &= _meets(table, where)
    return chosen


def _meets(table: Table, where: Where) -> NDArray[np.bool_]:
    import pandas as pd

    column = table.frame[where.column]
    if where.op in _ORDER:
        with_number: NDArray[np.bool_] = _ORDER[where.op](as_numbers(column)[0], float(where.value))
        return with_number
    equal: NDArray[np.bool_]
    if pd.api.types.is_numeric_dtype(column.dtype) and is_number(where.value):
        equal = as_numbers(column)[0] == float(where.value)
    else:
        equal = as_text(column) == where.value
    return equal if where.op == "=" else ~equal
