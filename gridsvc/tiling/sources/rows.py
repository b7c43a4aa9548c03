"""A layer as read, nothing judged yet, and what of a file is wanted."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import shapely
from numpy.typing import NDArray

from gridsvc.errors import InvalidGeometry, InvalidInput, UnknownColumn

__all__ = [
    "EVERYTHING",
    "LIMITS",
    "SMALLER",
    "STRANGE",
    "Choice",
    "Limits",
    "Rows",
    "starved",
    "with_columns",
]


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
SMALLER = "simplify or split the layer, name the columns you need, or convert it to FlatGeobuf"
"""The cure for a layer which takes too much to read."""


@dataclass(frozen=True, slots=True)
class Limits:
    """How large a layer may be.

    Attributes
    ----------
    size, unpacked : int, bytes
        Of the file, and of all that an archive holds.
    vertices, features, columns : int
    shape : int
        Vertices of one feature.
    """

    size: int = 512_000_000
    unpacked: int = 512_000_000
    vertices: int = 4_000_000
    shape: int = 4_000_000
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

    def check_vertices(
        self, counts: Sequence[int] | NDArray[np.int64], source: str, *, first: int = 0, before: int = 0
    ) -> int:
        """Refuse too many vertices, naming the row in which they pass a limit; gives how many there are.

        Parameters
        ----------
        first : int
            Rows before these.
        before : int
            Their vertices.
        """
        found = np.asarray(counts, np.int64)
        total = before + np.cumsum(found)
        over = (total > self.vertices) | (found > self.shape)
        if over.any():
            row = int(np.argmax(over))
            raise self.too_many_vertices(first + row + 1, source, whole=bool(found[row] <= self.shape))
        return int(total[-1]) if len(total) else before

    def too_many_vertices(self, row: int, source: str, *, whole: bool = True) -> InvalidGeometry:
        """The error of the row in which the vertices pass the limit: of the whole layer, or of the row."""
        what = (
            f"up to here the layer has more than {self.vertices:,} vertices"
            if whole
            else f"has more than {self.shape:,} vertices"
        )
        return InvalidGeometry(
            what,
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
"""Of files which who runs the program gives it."""

STRANGE = Limits(vertices=1_000_000, shape=200_000)
"""Of files which come over the network."""


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


def starved(error: BaseException) -> bool:
    """Whether a library failed for want of memory; each says so in its own way."""
    return isinstance(error, MemoryError) or re.search(r"alloc|memory", str(error), re.IGNORECASE) is not None
