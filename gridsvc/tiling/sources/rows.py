"""A layer as read, nothing judged yet, and what of a file is wanted."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import shapely
from numpy.typing import NDArray

from gridsvc.errors import InvalidGeometry, InvalidInput, UnknownColumn

__all__ = ["EVERYTHING", "LIMITS", "SMALLER", "Choice", "Limits", "Rows", "with_columns"]


@dataclass(frozen=True, slots=True)
class Rows:
    """A layer as read, nothing judged yet.

    Attributes
    ----------
    geometry : object array of shapely geometries or None, shape (n,)
        Two-dimensional.
    columns : dict of str to list of n plain Python values, None where missing
    crs : str or None
        What the file says of itself.
    source : str
        Name of the file, without its folder.
    layer : str
        Name of the layer in the file.
    notes : tuple of dict
        What was assumed while reading: ``code``, ``message``, ``message_zh``.
    """

    geometry: NDArray[np.object_]
    columns: dict[str, list[Any]]
    crs: str | None
    source: str
    layer: str = ""
    notes: tuple[dict[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Choice:
    """What of a file is wanted.

    Attributes
    ----------
    layer : str or None
        By name; may be left out where the file has one layer with geometry.
    columns : tuple of str or None
        None takes all.
    lon, lat, wkt : str or None
        Of a table: columns of coordinates or of well-known text; None looks for usual names.
    """

    layer: str | None = None
    columns: tuple[str, ...] | None = None
    lon: str | None = None
    lat: str | None = None
    wkt: str | None = None


EVERYTHING = Choice()
SMALLER = "simplify or split the layer, or convert it to GeoPackage or FlatGeobuf"
"""The cure for a layer which takes too much to read."""


@dataclass(frozen=True, slots=True)
class Limits:
    """How large a layer may be.

    Attributes
    ----------
    size, unpacked : int, bytes
        Of the file, and of all that an archive holds.
    vertices, features, columns : int
    """

    size: int = 512_000_000
    unpacked: int = 512_000_000
    vertices: int = 4_000_000
    features: int = 1_000_000
    columns: int = 1_000

    def check_columns(self, names: Sequence[str], source: str) -> None:
        """Refuse too many columns, and names which differ in nothing but case."""
        if len(names) > self.columns:
            raise InvalidInput(
                f"has {len(names):,} columns, more than {self.columns:,}",
                source=source,
                field=names[self.columns][:60],
                cure="name those you need (columns), or export fewer",
            )
        seen: dict[str, str] = {}
        for name in names:
            before = seen.setdefault(name.casefold(), name)
            if before is not name:
                what = (
                    "two columns have this name"
                    if before == name
                    else f"differs from {before!r} in case only"
                )
                raise InvalidInput(what, source=source, field=name, cure="rename one of them")

    def check_features(self, count: int, source: str) -> None:
        """Refuse too many rows."""
        if count > self.features:
            raise InvalidInput(
                f"has {count:,} rows, more than {self.features:,}",
                source=source,
                row=self.features + 1,
                cure="split the layer",
            )

    def check_vertices(self, counts: Iterable[int] | NDArray[np.int64], source: str) -> None:
        """Refuse too many vertices, naming the row in which they pass the limit."""
        total = np.cumsum(np.asarray(counts, np.int64))
        if len(total) and total[-1] > self.vertices:
            raise self.too_many_vertices(int(np.searchsorted(total, self.vertices, side="right")) + 1, source)

    def too_many_vertices(self, row: int, source: str) -> InvalidGeometry:
        """The error of the row in which the vertices pass the limit."""
        return InvalidGeometry(
            f"up to here the layer has more than {self.vertices:,} vertices",
            source=source,
            row=row,
            field="geometry",
            cure="simplify the outlines (half a metre is enough), or split the layer",
        )

    def check(self, rows: Rows) -> Rows:
        """The rows, if they are within all limits."""
        self.check_columns(list(rows.columns), rows.source)
        self.check_features(len(rows.geometry), rows.source)
        self.check_vertices(shapely.get_num_coordinates(rows.geometry), rows.source)
        return rows


LIMITS = Limits()


def with_columns(rows: Rows, names: Sequence[str] | None) -> Rows:
    """The rows with the named columns only, in that order.

    Raises
    ------
    UnknownColumn
        There is none of that name; the message lists those there are.
    """
    if names is None:
        return rows
    for name in names:
        if name not in rows.columns:
            there = ", ".join(list(rows.columns)[:40]) or "(no columns)"
            raise UnknownColumn(
                f"there is no column {name!r}", source=rows.source, field=name, cure=f"take one of: {there}"
            )
    return replace(rows, columns={name: rows.columns[name] for name in names})
