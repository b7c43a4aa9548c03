"""Which features a filter holds for."""

from __future__ import annotations

import operator
import re
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import orjson
import shapely
from numpy.typing import NDArray

from gridsvc.errors import InvalidInput
from gridsvc.exchange.antimeridian import EDGE, cut_at_edge
from gridsvc.exchange.filters.parse import Node
from gridsvc.exchange.filters.truth import Truth
from gridsvc.exchange.filters.values import Column, Value, value_of

__all__ = ["GEOMETRY", "SPATIAL", "Relate", "holds"]

GEOMETRY = "geometry"
"""What a feature's outline is called in filters."""

SPATIAL = frozenset(
    {
        "s_contains",
        "s_crosses",
        "s_disjoint",
        "s_equals",
        "s_intersects",
        "s_overlaps",
        "s_touches",
        "s_within",
    }
)
"""What may be asked of outlines; each but the second but one names a predicate of shapely."""

Relate = Callable[[str, shapely.Geometry], NDArray[np.bool_]]
"""Which outlines stand in a relation, such as ``intersects``, to a shape."""

_COMPARISONS: dict[str, Callable[[Any, Any], Any]] = {
    "=": operator.eq,
    "<>": operator.ne,
    "<": operator.lt,
    ">": operator.gt,
    "<=": operator.le,
    ">=": operator.ge,
}
_CURE = "see the conformance page for what filters may hold"


def holds(node: Node, columns: Mapping[str, Column], n: int, relate: Relate) -> NDArray[np.bool_]:
    """For which of `n` features a filter is true: bool array, shape (n,).

    Raises
    ------
    InvalidInput
        It names what there is not, or compares what cannot be compared.
    """
    return _Judge(columns, n, relate).truth(node).true


class _Judge:
    def __init__(self, columns: Mapping[str, Column], n: int, relate: Relate) -> None:
        self._columns, self._n, self._relate = columns, n, relate

    def truth(self, node: Node) -> Truth:
        op = node.get("op") if isinstance(node, dict) else None
        args = node.get("args", []) if op else []
        if op in {"and", "or"} and args:
            parts = [self.truth(arg) for arg in args]
            found = parts[0]
            for part in parts[1:]:
                found = found & part if op == "and" else found | part
            return found
        if op == "not" and len(args) == 1:
            return ~self.truth(args[0])
        if op in SPATIAL and len(args) == 2:
            return self._spatial(op, *args)
        found_by = {"isNull": self._is_null, "like": self._like, "between": self._between, "in": self._among}
        if op in found_by:
            return found_by[op](args)
        if op in _COMPARISONS and len(args) == 2:
            return self._compared(op, *(self._value(arg) for arg in args))
        return self._plain(node)

    def _value(self, node: Node) -> Value:
        return value_of(node, self._columns)

    def _all(self, flags: Any) -> NDArray[np.bool_]:
        return np.broadcast_to(np.asarray(flags, np.bool_), (self._n,))

    def _plain(self, node: Node) -> Truth:
        """A property or value which is a condition by itself."""
        value = self._value(node)
        if value.kind not in {"truth", None}:
            raise InvalidInput("not a condition", field="filter", cure=_CURE)
        return Truth.of(self._all(np.asarray(value.values) == 1.0), self._all(value.known))

    def _compared(self, op: str, a: Value, b: Value) -> Truth:
        if a.kind != b.kind and None not in {a.kind, b.kind}:
            raise InvalidInput(
                f"a {a.kind} is compared with a {b.kind}",
                field="filter",
                cure="quote texts, and nothing else; write times as TIMESTAMP('...')",
            )
        known = self._all(a.known & b.known)
        if None in {a.kind, b.kind}:
            return Truth.of(self._all(False), known)
        return Truth.of(self._all(_COMPARISONS[op](a.values, b.values)), known)

    def _is_null(self, args: list[Node]) -> Truth:
        if len(args) != 1:
            raise InvalidInput("IS NULL takes one property", field="filter", cure=_CURE)
        if args[0] == {"property": GEOMETRY}:
            return Truth.of(self._all(False), self._all(True))
        return Truth.of(self._all(~self._value(args[0]).known), self._all(True))

    def _like(self, args: list[Node]) -> Truth:
        values = [self._value(arg) for arg in args]
        if len(values) != 2 or {v.kind for v in values} != {"text"} or not isinstance(values[1].values, str):
            raise InvalidInput("LIKE takes a text and a pattern", field="filter", cure="name LIKE 'North%'")
        matches = _pattern(values[1].values).fullmatch
        texts = np.atleast_1d(values[0].values).tolist()
        return Truth.of(self._all([matches(text) is not None for text in texts]), self._all(values[0].known))

    def _between(self, args: list[Node]) -> Truth:
        if len(args) != 3:
            raise InvalidInput("BETWEEN takes three values", field="filter", cure="customers BETWEEN 1 AND 9")
        value, low, high = (self._value(arg) for arg in args)
        return self._compared(">=", value, low) & self._compared("<=", value, high)

    def _among(self, args: list[Node]) -> Truth:
        if len(args) != 2 or not isinstance(args[1], list) or not args[1]:
            raise InvalidInput("IN takes a list", field="filter", cure="team IN ('T01', 'T02')")
        value = self._value(args[0])
        parts = [self._compared("=", value, self._value(entry)) for entry in args[1]]
        found = parts[0]
        for part in parts[1:]:
            found = found | part
        return found

    def _spatial(self, op: str, a: Node, b: Node) -> Truth:
        if a != {"property": GEOMETRY}:
            a, b, op = b, a, {"s_contains": "s_within", "s_within": "s_contains"}.get(op, op)
        if a != {"property": GEOMETRY}:
            raise InvalidInput(f"{op} takes {GEOMETRY}", field="filter", cure=f"write {op}({GEOMETRY}, ...)")
        shape = _shape(b)
        if op == "s_disjoint":
            return ~Truth.of(self._relate("intersects", shape), self._all(True))
        return Truth.of(self._relate(op.removeprefix("s_"), shape), self._all(True))


def _pattern(like: str) -> re.Pattern[str]:
    """``%`` stands for any characters, ``_`` for one; a backslash takes that away."""
    parts: list[str] = []
    escaped = False
    for character in like:
        if character == "\\" and not escaped:
            escaped = True
            continue
        wild = {"%": ".*", "_": "."}.get(character) if not escaped else None
        if not (wild == ".*" and parts and parts[-1] == ".*"):
            parts.append(wild or re.escape(character))
        escaped = False
    if parts.count(".*") > 8:
        raise InvalidInput("more than 8 % in a pattern", field="filter", cure="ask for less")
    return re.compile("".join(parts), re.DOTALL)


def _shape(node: Node) -> shapely.Geometry:
    try:
        if isinstance(node, dict) and "bbox" in node:
            box = node["bbox"]
            west, south, east, north = box if len(box) == 4 else (*box[:2], *box[3:5])
            found = shapely.box(west, south, east + (2 * EDGE if west > east else 0.0), north)
        else:
            found = shapely.from_geojson(orjson.dumps(node))
    except (shapely.GEOSException, TypeError, ValueError):
        found = None
    if not isinstance(found, shapely.Geometry) or shapely.is_empty(found) or not shapely.is_valid(found):
        raise InvalidInput("not a valid shape", field="filter", cure="give WKT such as POINT(113.9 22.5)")
    return _on_globe(found)


def _on_globe(shape: shapely.Geometry) -> shapely.Geometry:
    """A shape in longitudes of the globe; polygons may run on over the 180th meridian."""
    if shape.geom_type in {"Polygon", "MultiPolygon"} and abs(shape.bounds[0]) <= 2 * EDGE >= shape.bounds[2]:
        shape = cut_at_edge(np.array([shape], object))[0]
    west, south, east, north = shape.bounds
    if not (west >= -EDGE and east <= EDGE and south >= -EDGE / 2 and north <= EDGE / 2):
        cure = "longitudes are -180 to 180, latitudes -90 to 90; for others say filter-crs"
        raise InvalidInput("a shape lies beyond the globe", field="filter", cure=cure)
    return shape
