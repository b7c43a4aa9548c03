"""A layer: outlines or points with one flat row of values each, whole or as it flows past in parts."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal, overload

import numpy as np
import shapely
from numpy.typing import NDArray

from gridsvc.exchange.antimeridian import cut_at_edge

__all__ = ["PART", "Flow", "Kind", "Layer", "Made", "Part", "Shape", "as_multi", "flow_of", "in_parts"]

Kind = Literal["text", "integer", "number", "boolean", "time"]
"""What a column holds; any value may be None. A time is a `datetime` in UTC."""

Shape = Literal["Point", "Polygon", "MultiPolygon", "Unknown"]
"""What all geometries of a layer are, by the names of GIS programs; polygons count as multipolygons, too."""

Part = tuple[NDArray[np.object_], list[Sequence[Any]]]
"""Geometries of some rows (None where there is none), and the values of each column."""

PART = 4096
"""Rows on their way at once."""

_POLYGON, _MULTI = 3, 6


@dataclass(frozen=True, slots=True)
class Layer:
    """Outlines with properties, all of them at hand.

    Attributes
    ----------
    name : str
        What the layer is called in files that hold several.
    geometry : object array of shapely geometries, shape (n,), WGS-84
    columns : mapping of str to sequence of length n
        Flat values: GIS programs show them as they are.
    """

    name: str
    geometry: NDArray[np.object_]
    columns: Mapping[str, Any]

    def __post_init__(self) -> None:
        uneven = [name for name, values in self.columns.items() if len(values) != len(self.geometry)]
        if uneven:
            raise ValueError(f"columns {uneven} are not as long as the geometry")

    def rows(self) -> Iterator[dict[str, Any]]:
        """Properties, one dict a feature."""
        names = list(self.columns)
        for values in zip(*self.columns.values(), strict=True):
            yield dict(zip(names, values, strict=True))


@dataclass(frozen=True, slots=True)
class Flow:
    """A layer of which only some rows are in memory at a time; it can be taken once.

    Attributes
    ----------
    name : str
    kinds : mapping of str to Kind
        Columns in the order of the values of a part.
    shape : Shape
    parts : iterator of Part
        WGS-84.
    gaps : bool
        Rows may be without geometry.
    """

    name: str
    kinds: Mapping[str, Kind]
    shape: Shape
    parts: Iterator[Part]
    gaps: bool = False


class Made(Sequence[Any]):
    """A column whose values are made when they are asked for.

    Parameters
    ----------
    n : int
    make : callable
        (first row, row behind the last) to the values between.
    """

    def __init__(self, n: int, make: Callable[[int, int], Sequence[Any]]) -> None:
        self._n, self._make = n, make

    def __len__(self) -> int:
        return self._n

    @overload
    def __getitem__(self, at: int) -> Any: ...
    @overload
    def __getitem__(self, at: slice) -> Sequence[Any]: ...
    def __getitem__(self, at: int | slice) -> Any:
        if isinstance(at, slice):
            start, stop, _ = at.indices(self._n)
            return self._make(start, stop)
        if not -self._n <= at < self._n:
            raise IndexError(at)
        return self._make(at % self._n, at % self._n + 1)[0]


def in_parts(outlines: Iterator[NDArray[np.object_]], columns: Sequence[Sequence[Any]]) -> Iterator[Part]:
    """Outlines as they come, each with its rows of the columns."""
    at = 0
    for part in outlines:
        rows = slice(at, at + len(part))
        yield part, [column[rows] for column in columns]
        at += len(part)


def flow_of(layer: Layer, kinds: Mapping[str, Kind] | None = None) -> Flow:
    """A layer at hand as one that flows.

    Parameters
    ----------
    kinds : mapping, optional
        Of columns whose values do not tell, as where all are None; those are text otherwise.
    """
    said = kinds or {}
    found = {name: said.get(name) or _kind(values) for name, values in layer.columns.items()}
    columns = [_stamps(values) if found[name] == "time" else values for name, values in layer.columns.items()]
    geometry = cut_at_edge(layer.geometry)
    shape, gaps = _shape(geometry)
    shapes = (geometry[at : at + PART] for at in range(0, len(geometry), PART))
    return Flow(layer.name, found, shape, in_parts(shapes, columns), gaps)


def _shape(geometry: NDArray[np.object_]) -> tuple[Shape, bool]:
    kinds = set(np.unique(shapely.get_type_id(geometry)).tolist())
    gaps = -1 in kinds
    kinds.discard(-1)
    if kinds == {0}:
        return "Point", gaps
    if kinds == {_POLYGON}:
        return "Polygon", gaps
    return ("MultiPolygon" if kinds and kinds <= {_POLYGON, _MULTI} else "Unknown"), gaps


def as_multi(shapes: NDArray[np.object_]) -> NDArray[np.object_]:
    """Polygons as multipolygons, so that all of a file are of one kind; None stays."""
    parts, owner = shapely.get_parts(shapes, return_index=True)
    out = np.full(len(shapes), shapely.MultiPolygon(), object)
    out[shapely.is_missing(shapes)] = None
    shapely.multipolygons(parts, indices=owner, out=out)
    return out


_KINDS: dict[str, Kind] = {"b": "boolean", "i": "integer", "u": "integer", "f": "number", "M": "time"}


def _kind(values: Any) -> Kind:
    """What a column holds, by its dtype, or by those of its values which are there."""
    if isinstance(values, np.ndarray) and values.dtype.kind in _KINDS:
        return _KINDS[values.dtype.kind]
    there = {type(value) for value in values if value is not None}
    if there <= {bool, np.bool_} and there:
        return "boolean"
    if there and all(issubclass(kind, (int, np.integer)) and kind is not bool for kind in there):
        return "integer"
    if there and all(issubclass(kind, (int, float, np.number)) and kind is not bool for kind in there):
        return "number"
    if there and all(issubclass(kind, datetime) for kind in there):
        return "time"
    return "text"


def _stamps(values: Any) -> Any:
    """Times of numpy as Python's."""
    return values.astype("M8[us]").tolist() if isinstance(values, np.ndarray) else values
