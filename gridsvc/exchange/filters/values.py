"""Values in filters: columns and literals, each of a kind."""

from __future__ import annotations

import math
import operator
import unicodedata
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from gridsvc.errors import InvalidInput
from gridsvc.exchange.filters.parse import Node

__all__ = ["Column", "Kind", "Value", "column_of", "value_of"]

Kind = Literal["text", "number", "truth", "instant"]


@dataclass(frozen=True, slots=True)
class Column:
    """Values of one property.

    Attributes
    ----------
    kind : {"text", "number", "truth", "instant"}
    values : array, shape (n,)
        Objects for texts, float64 else (instants in seconds since 1970); anything where not known.
    known : bool array, shape (n,)
    """

    kind: Kind
    values: NDArray[Any]
    known: NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Value:
    """A column, or one value which stands for all; `kind` None is a null."""

    kind: Kind | None
    values: Any
    known: Any


def column_of(kind: Kind, values: list[Any]) -> Column:
    """Values as they are shown, in the form in which they are compared."""
    known = np.array([value is not None for value in values], np.bool_)
    if kind == "text":
        found = np.empty(len(values), object)
        found[:] = ["" if value is None else value for value in values]
        return Column(kind, found, known)
    read: Callable[[Any], float] = _seconds if kind == "instant" else float
    return Column(kind, np.array([math.nan if v is None else read(v) for v in values], np.float64), known)


def _seconds(text: str) -> float:
    found = datetime.fromisoformat(text)
    return (found if found.tzinfo else found.replace(tzinfo=UTC)).timestamp()


def value_of(node: Node, columns: Mapping[str, Column]) -> Value:
    """The value a part of a filter stands for.

    Raises
    ------
    InvalidInput
        It stands for none, or for a property there is not.
    """
    if isinstance(node, dict):
        return _named(node, columns)
    if node is None:
        return Value(None, math.nan, np.False_)
    if isinstance(node, str):
        return Value("text", node, np.True_)
    if isinstance(node, int | float):
        return Value("truth" if isinstance(node, bool) else "number", float(node), np.True_)
    raise _missing()


def _missing() -> InvalidInput:
    return InvalidInput("a value is missing", field="filter", cure="compare properties with texts or numbers")


def _named(node: Mapping[str, Any], columns: Mapping[str, Column]) -> Value:
    if "property" in node:
        return _property(node["property"], columns)
    if "timestamp" in node or "date" in node:
        return Value("instant", _instant(node), np.True_)
    if "op" in node:
        return _computed(node, columns)
    raise _missing()


def _property(name: str, columns: Mapping[str, Column]) -> Value:
    column = columns.get(name)
    if column is None and name == "geometry":
        raise InvalidInput("geometry has no value", field="filter", cure="write S_INTERSECTS(geometry, ...)")
    if column is None:
        raise InvalidInput(
            f"there is no property {name[:40]!r}", field="filter", cure="see the queryables of the collection"
        )
    return Value(column.kind, column.values, column.known)


def _instant(node: Mapping[str, Any]) -> float:
    try:
        if "date" in node:
            return datetime.combine(date.fromisoformat(node["date"]), time(), UTC).timestamp()
        return _seconds(node["timestamp"])
    except (ValueError, TypeError, OverflowError):
        raise InvalidInput(
            "not a time", field="filter", cure="write TIMESTAMP('2026-12-01T00:00:00Z')"
        ) from None


_ARITHMETIC: dict[str, Callable[[Any, Any], Any]] = {
    "+": operator.add,
    "-": operator.sub,
    "*": operator.mul,
    "/": operator.truediv,
    "%": np.fmod,
    "div": lambda a, b: np.trunc(a / b),
    "^": np.power,
}


def _computed(node: Mapping[str, Any], columns: Mapping[str, Column]) -> Value:
    op, inner = node["op"], [value_of(arg, columns) for arg in node.get("args", [])]
    if op in {"casei", "accenti"} and len(inner) == 1:
        return _folded(op, inner[0])
    if op in _ARITHMETIC and len(inner) == 2:
        a, b = inner
        if not {a.kind, b.kind} <= {"number", None}:
            raise InvalidInput(f"{op} takes numbers", field="filter", cure="compute with numbers only")
        with np.errstate(all="ignore"):
            found = _ARITHMETIC[op](np.float64(a.values), np.float64(b.values))
        return Value("number", found, a.known & b.known & np.isfinite(found))
    raise InvalidInput(
        f"there is no function {str(op)[:40]!r} of {len(inner)}",
        field="filter",
        cure="use CASEI, ACCENTI or + - * / % div ^",
    )


def _folded(op: str, value: Value) -> Value:
    if value.kind != "text":
        raise InvalidInput(f"{op} takes a text", field="filter", cure="name a property that is a text")
    fold: Callable[[str], str] = str.casefold if op == "casei" else _bare
    if isinstance(value.values, str):
        return Value("text", fold(value.values), value.known)
    found = np.empty(len(value.values), object)
    found[:] = [fold(text) for text in value.values.tolist()]
    return Value("text", found, value.known)


def _bare(text: str) -> str:
    """Letters without their accents."""
    apart = unicodedata.normalize("NFD", text)
    return unicodedata.normalize("NFC", "".join(c for c in apart if not unicodedata.combining(c)))
