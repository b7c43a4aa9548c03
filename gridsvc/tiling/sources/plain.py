"""A layer as the one form in which it waits here to be used: GeoJSON in WGS-84, a feature a line."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import orjson
import shapely
from numpy.typing import NDArray

from gridsvc.errors import InvalidInput
from gridsvc.tiling.check import checked_degrees
from gridsvc.tiling.sources.rows import Rows

__all__ = ["write_plain"]

_CHUNK = 5_000


def write_plain(rows: Rows, crs: str, path: Path) -> None:
    """Write a layer as GeoJSON in WGS-84.

    Parameters
    ----------
    crs : str
        Coordinate system of `rows`.

    Raises
    ------
    InvalidGeometry
        A coordinate is not finite or out of range, with its row.
    InvalidInput
        `crs` is unknown, or lies to WGS-84 in no known way.
    """
    there = np.flatnonzero(~shapely.is_missing(rows.geometry))
    geometry = rows.geometry.copy()
    try:
        geometry[there] = checked_degrees(rows.geometry[there], crs, rows.source)
    except InvalidInput as error:
        raise _placed(error, rows, there) from None
    names, values = list(rows.columns), list(rows.columns.values())
    with path.open("wb") as file:
        file.write(b'{"type":"FeatureCollection","features":[\n')
        for start in range(0, len(geometry), _CHUNK):
            part = slice(start, start + _CHUNK)
            shapes = shapely.to_geojson(geometry[part])
            properties = [
                dict(zip(names, row, strict=True)) for row in zip(*(v[part] for v in values), strict=True)
            ]
            lines = (
                b'{"type":"Feature","geometry":%b,"properties":%b}' % (_text(s), orjson.dumps(p))
                for s, p in zip(shapes, properties or [{}] * len(shapes), strict=True)
            )
            file.write((b",\n" if start else b"") + b",\n".join(lines))
        file.write(b"\n]}\n")


def _placed(error: InvalidInput, rows: Rows, there: NDArray[np.int64]) -> InvalidInput:
    """The error with the name of the file, and its row counted with those which have no geometry."""
    error.source = rows.source
    if error.row is not None:
        error.row = int(there[error.row - 1]) + 1
    return error


def _text(shape: str | None) -> bytes:
    return b"null" if shape is None else shape.encode()
