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
from gridsvc.tiling.sources.rows import Limits

__all__ = ["geometry_of", "plain_columns"]

_VERTEX = 16  # bytes of a vertex in well-known binary
_PLAIN = {"string", "large_string", "int16", "int32", "int64", "bool"}
_CURVES = {8, 9, 10, 11, 12, 13, 14}  # what circular strings and their kin are called in well-known binary


def geometry_of(column: Any, source: str, limits: Limits) -> NDArray[np.object_]:
    """Geometries of a column of well-known binary, two-dimensional.

    Raises
    ------
    InvalidGeometry
        One cannot be read, is a curve, or there are too many vertices; with its row.
    """
    binary = np.asarray(column.to_numpy(zero_copy_only=False), object)
    lengths = np.array([0 if value is None else len(value) for value in binary], np.int64)
    limits.check_vertices(lengths // (_VERTEX + 8), source)
    try:
        with np.errstate(all="ignore"):
            found = shapely.from_wkb(binary, on_invalid="ignore")
    except NotImplementedError:
        raise _curved(binary, source) from None
    except (ShapelyError, TypeError, ValueError):
        raise UnreadableFile("holds no geometry", source=source, cure="export it again") from None
    geometry = np.asarray(found, object)
    lost = np.flatnonzero(shapely.is_missing(geometry) & (lengths > 0))
    if len(lost):
        raise InvalidGeometry(
            "geometry cannot be built",
            source=source,
            row=int(lost[0]) + 1,
            field="geometry",
            cure="a ring needs four positions or more, the last like the first",
        )
    return np.asarray(shapely.force_2d(geometry), object)


def _curved(binary: NDArray[np.object_], source: str) -> InvalidGeometry:
    kinds = [None if value is None else _kind(bytes(value)) for value in binary]
    row = next((row for row, kind in enumerate(kinds, 1) if kind in _CURVES), None)
    return InvalidGeometry(
        "is drawn with arcs",
        source=source,
        row=row,
        field="geometry",
        cure="turn curves into segments (in QGIS: Convert to straight segments)",
    )


def _kind(value: bytes) -> int:
    """The number of the kind of geometry, whether it has heights and measures or not."""
    order = "<" if value[:1] == b"\x01" else ">"
    return int(struct.unpack_from(f"{order}I", value, 1)[0] & 0x0FFFFFFF) % 1000


def plain_columns(table: Any, geometry: str, source: str) -> dict[str, list[Any]]:
    """The other columns as plain Python values, None where missing.

    Raises
    ------
    UnreadableFile
        A text is not in the encoding it should be in; names the column.
    """
    columns: dict[str, list[Any]] = {}
    for name in table.column_names:
        if name == geometry:
            continue
        try:
            values = table[name].to_pylist()
            columns[str(name)] = values if str(table[name].type) in _PLAIN else [_plain(v) for v in values]
        except UnicodeDecodeError:
            raise UnreadableFile(
                "holds text in an unknown encoding", source=source, field=name, cure="save it as UTF-8"
            ) from None
    return columns


def _plain(value: Any) -> Any:
    if isinstance(value, float) and math.isnan(value):
        return None
    if value is None or isinstance(value, str | int | float | bool):
        return value
    if isinstance(value, bytes):
        return None
    return str(value)
