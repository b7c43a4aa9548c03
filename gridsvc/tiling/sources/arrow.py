"""Arrow tables as plain rows: what GDAL and Parquet files are read as."""

from __future__ import annotations

import math
import struct
from typing import Any

import numpy as np
import shapely
from numpy.typing import NDArray
from shapely.errors import ShapelyError

from gridsvc.errors import InvalidGeometry, UnreadableFile
from gridsvc.tiling.sources.rows import Limits, starved

__all__ = ["VERTEX", "Batches", "batch_rows"]

VERTEX = 24
"""Bytes of a vertex with a height in well-known binary."""

_AT_ONCE = 16_000_000  # bytes read together, about
_MOST_ROWS = 20_000
_PLAIN = {"string", "large_string", "int16", "int32", "int64", "bool"}
_CURVES = {8, 9, 10, 11, 12, 13, 14}  # what circular strings and their kin are called in well-known binary


def batch_rows(size: int, rows: int) -> int:
    """How many rows to read together, of so many rows in so many bytes."""
    return int(min(max(rows * _AT_ONCE // max(size, 1), 1), _MOST_ROWS))


class Batches:
    """A layer put together from batches of rows, so that no more than one of them is there in binary.

    Attributes
    ----------
    rows : int
        Read until now.
    """

    def __init__(self, source: str, limits: Limits) -> None:
        self.source, self.rows = source, 0
        self._limits, self._vertices = limits, 0
        self._shapes: list[NDArray[np.object_]] = []
        self._columns: dict[str, list[Any]] = {}

    def add(self, batch: Any, geometry: str) -> None:
        """Take in a record batch whose column `geometry` is well-known binary.

        Raises
        ------
        InvalidGeometry
            One cannot be read, is a curve, or there are too many vertices; with its row.
        UnreadableFile
            There is no such column, or a text is not in the encoding it should be in.
        """
        names = [str(name) for name in batch.schema.names]
        if geometry not in names:
            raise UnreadableFile("holds no geometry", source=self.source, cure="export it again")
        self._shapes.append(self._geometry(batch.column(names.index(geometry))))
        for at, name in enumerate(names):
            if name != geometry:
                values = _plain_values(batch.column(at), name, self.source)
                self._columns.setdefault(name, []).extend(values)
        self.rows += batch.num_rows

    def geometry(self) -> NDArray[np.object_]:
        """Geometries of all rows, two-dimensional."""
        return np.concatenate([np.empty(0, object), *self._shapes])

    def columns(self, names: list[str]) -> dict[str, list[Any]]:
        """The other columns as plain Python values, None where missing."""
        return {name: self._columns.get(name, []) for name in names}

    def _geometry(self, column: Any) -> NDArray[np.object_]:
        coded = getattr(column, "dictionary", None)
        if "binary" not in str(column.type):
            raise UnreadableFile("holds no geometry", source=self.source, cure="export it again")
        binary = np.asarray((column if coded is None else coded).to_numpy(zero_copy_only=False), object)
        lengths = np.array([0 if value is None else len(value) for value in binary], np.int64)
        use = None if coded is None else _indices(column)
        if use is not None:
            binary, lengths = (np.append(a, np.zeros(1, a.dtype)) for a in (binary, lengths))
            binary[-1] = None  # the last one, for -1
        each = lengths if use is None else lengths[use]
        self._vertices = self._limits.check_vertices(
            each // VERTEX, self.source, first=self.rows, before=self._vertices
        )
        found = self._built(binary, lengths, use)
        return found if use is None else found[use]

    def _built(
        self, binary: NDArray[np.object_], lengths: NDArray[np.int64], use: NDArray[np.int64] | None
    ) -> NDArray[np.object_]:
        try:
            with np.errstate(all="ignore"):
                found = np.asarray(shapely.from_wkb(binary, on_invalid="ignore"), object)
        except NotImplementedError:
            raise self._fault(_curved, [_kind(value) in _CURVES for value in binary], use) from None
        except (ShapelyError, TypeError, ValueError):
            raise UnreadableFile("holds no geometry", source=self.source, cure="export it again") from None
        for at in np.flatnonzero(shapely.is_missing(found) & (lengths > 0)).tolist():
            found[at] = self._again(binary[at], np.arange(len(found)) == at, use)
        return np.asarray(shapely.force_2d(found), object)

    def _again(self, value: bytes, which: NDArray[np.bool_], use: NDArray[np.int64] | None) -> Any:
        """A geometry which was not built the first time, or the error which says why."""
        try:
            return shapely.from_wkb(value)
        except ShapelyError as error:
            if starved(error):
                raise MemoryError from None
            raise self._fault(_spoilt, which, use) from None

    def _fault(self, kind: tuple[str, str], bad: Any, use: NDArray[np.int64] | None) -> InvalidGeometry:
        """The error of the first bad row; without one, of the layer."""
        rows = np.flatnonzero(np.asarray(bad, bool) if use is None else np.asarray(bad, bool)[use])
        row = self.rows + int(rows[0]) + 1 if len(rows) else None
        return InvalidGeometry(kind[0], source=self.source, row=row, field="geometry", cure=kind[1])


_curved = ("is drawn with arcs", "turn curves into segments (in QGIS: Convert to straight segments)")
_spoilt = ("geometry cannot be built", "a ring needs four positions or more, the last like the first")


def _indices(column: Any) -> NDArray[np.int64]:
    """Where each row's value stands in the dictionary, -1 where it has none."""
    found = np.asarray(column.indices.to_numpy(zero_copy_only=False))
    return np.where(np.isnan(found), -1, found).astype(np.int64)


def _kind(value: bytes | None) -> int:
    """The number of the kind of geometry, whether it has heights and measures or not."""
    if value is None or len(value) < 5:
        return 0
    order = "<" if value[:1] == b"\x01" else ">"
    return int(struct.unpack_from(f"{order}I", value, 1)[0] & 0x0FFFFFFF) % 1000


def _plain_values(column: Any, name: str, source: str) -> list[Any]:
    try:
        values: list[Any] = column.to_pylist()
    except UnicodeDecodeError:
        raise UnreadableFile(
            "holds text in an unknown encoding", source=source, field=name, cure="save it as UTF-8"
        ) from None
    return values if str(column.type) in _PLAIN else [_plain(value) for value in values]


def _plain(value: Any) -> Any:
    if isinstance(value, float) and math.isnan(value):
        return None
    if value is None or isinstance(value, str | int | float | bool):
        return value
    if isinstance(value, bytes):
        return None
    return str(value)
