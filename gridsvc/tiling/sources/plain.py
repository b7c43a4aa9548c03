"""A layer as the one form in which it waits here to be used: GeoJSON in WGS-84, a feature a line."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import orjson
import shapely
from numpy.typing import NDArray

from gridsvc.errors import InvalidInput
from gridsvc.tiling.check import checked_degrees
from gridsvc.tiling.sources.rows import Rows

__all__ = ["write_plain"]

_AT_ONCE = 100_000  # vertices written together
_LARGE = 1_000  # vertices
_NUL = rb"\u0000"
_ROW = 20  # what a row counts beside its vertices


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
    names, values = list(rows.columns), list(rows.columns.values())
    with path.open("wb") as file:
        file.write(b'{"type":"FeatureCollection","features":[\n')
        for part in _parts(rows.geometry):
            shapes = _texts(_degrees(rows, part, crs))
            properties = [
                dict(zip(names, row, strict=True)) for row in zip(*(v[part] for v in values), strict=True)
            ]
            texts = (_object(p, rows.source, row) for row, p in enumerate(properties, part.start + 1))
            lines = (
                b'{"type":"Feature","geometry":%b,"properties":%b}' % pair
                for pair in zip(shapes, texts if names else [b"{}"] * len(shapes), strict=True)
            )
            file.write((b",\n" if part.start else b"") + b",\n".join(lines))
        file.write(b"\n]}\n")


def _parts(geometry: NDArray[np.object_]) -> Iterator[slice]:
    """Rows to be written together: their coordinates are there several times meanwhile."""
    block = np.cumsum(shapely.get_num_coordinates(geometry) + _ROW) // _AT_ONCE
    edges = [0, *(np.flatnonzero(np.diff(block)) + 1).tolist(), len(geometry)] if len(geometry) else []
    yield from map(slice, edges, edges[1:])


def _degrees(rows: Rows, part: slice, crs: str) -> NDArray[np.object_]:
    geometry = rows.geometry[part].copy()
    there = np.flatnonzero(~shapely.is_missing(geometry))
    try:
        geometry[there] = checked_degrees(geometry[there], crs, rows.source)
    except InvalidInput as error:
        error.source = rows.source
        if error.row is not None:  # counted with those which have no geometry
            error.row = part.start + int(there[error.row - 1]) + 1
        raise
    return geometry


def _object(values: dict[str, Any], source: str, row: int) -> bytes:
    """The properties of a row as JSON.

    Raises
    ------
    InvalidInput
        One can be stored by no database, or by no other program.
    """
    try:
        text = orjson.dumps(values)
    except TypeError:
        text = _NUL
    if _NUL in text:
        for name, value in values.items():
            _require_plain(value, source, row, name)
    return text


def _require_plain(value: Any, source: str, row: int, name: str) -> None:
    try:
        if _NUL not in orjson.dumps(value) or (isinstance(value, str) and "\0" not in value):
            return
        what = "holds what is no text"
    except TypeError as error:
        what = "is nested too deep" if "ecursion" in str(error) else "holds what is no text"
        if "64-bit" in str(error):
            what = "is a number of more than 19 digits"
    raise InvalidInput(
        what, source=source, row=row, field=name[:60], cure="give plain text or a plain number"
    )


def _texts(geometry: NDArray[np.object_]) -> list[bytes]:
    """Geometries as GeoJSON, numbers as they are."""
    large = shapely.get_num_coordinates(geometry) > _LARGE
    small = geometry.copy()
    small[large] = None
    texts = [b"null" if text is None else text.encode() for text in shapely.to_geojson(small)]
    for at in np.flatnonzero(large).tolist():
        texts[at] = _text(geometry[at])
    return texts


def _text(shape: Any) -> bytes:
    """As `shapely.to_geojson`, which takes three times as much time and memory for a large one."""
    kind = shape.geom_type
    if kind == "GeometryCollection":
        return b'{"type":"GeometryCollection","geometries":[%b]}' % b",".join(map(_text, shape.geoms))
    value = orjson.dumps(_coordinates(shape), option=orjson.OPT_SERIALIZE_NUMPY)
    return b'{"type":"%b","coordinates":%b}' % (kind.encode(), value)


def _coordinates(shape: Any) -> Any:
    if hasattr(shape, "geoms"):
        return [_coordinates(part) for part in shape.geoms]
    if shape.geom_type == "Polygon":
        rings = () if shape.is_empty else (shape.exterior, *shape.interiors)
        return [shapely.get_coordinates(ring) for ring in rings]
    xy = shapely.get_coordinates(shape)
    return xy[0] if shape.geom_type == "Point" and len(xy) else xy
