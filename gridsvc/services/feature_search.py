"""Which features of a table somebody wants, and these as GeoJSON, some hundreds at a time."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Any

import numpy as np
import orjson
import shapely
from numpy.typing import NDArray

from gridsvc.crs import geometry_from_wgs84
from gridsvc.errors import InvalidInput
from gridsvc.exchange.antimeridian import EDGE, cut_at_edge
from gridsvc.exchange.filters.judge import holds
from gridsvc.exchange.filters.parse import Node
from gridsvc.principal import SYSTEM
from gridsvc.services.extents import Box, reach
from gridsvc.services.feature_tables import IDS, Table
from gridsvc.store.database import Database, Reader

__all__ = ["Query", "Rows", "Window", "outlines", "pieces", "search"]

Rows = NDArray[np.int64]

_CHUNK = 500


@dataclass(frozen=True, slots=True)
class Window:
    """A place to look at: `box` holds it, `shape` says it exactly where that is no such box."""

    box: Box
    shape: shapely.Geometry | None = None


@dataclass(frozen=True, slots=True)
class Query:
    """Which features are wanted: those in any window, if there are some, for which all else holds."""

    windows: tuple[Window, ...] = ()
    equal: Mapping[str, str] | None = None
    condition: Node = None


# --- which features


def search(db: Database, found: Table, query: Query) -> Rows:
    """Rows of the features wanted, ascending: int64 array.

    Raises
    ------
    InvalidInput
        A condition which cannot be judged.
    """
    wanted = found.seen.copy()
    for name, text in (query.equal or {}).items():
        wanted &= _equal(found, name, text)
    if query.condition is not None:
        relate = partial(_related, db, found)
        wanted &= holds(query.condition, found.compared, len(found), relate)
    if query.windows:
        wanted &= np.logical_or.reduce([_in_window(db, found, window) for window in query.windows])
    return np.flatnonzero(wanted)


def _equal(found: Table, name: str, text: str) -> NDArray[np.bool_]:
    column, kind = found.compared[name], found.kinds[name]
    value: Any = text
    try:
        if kind == "number":
            value = float(text)
        elif kind == "truth":
            value = {"true": 1.0, "false": 0.0}[text.lower()]
        elif kind == "instant":
            value = datetime.fromisoformat(text).timestamp()
    except (KeyError, ValueError):
        raise InvalidInput(f"{name} is a {kind}", field=name, cure=f"give a {kind}") from None
    same: NDArray[np.bool_] = (column.values == value) & column.known
    return same


def _in_window(db: Database, found: Table, window: Window) -> NDArray[np.bool_]:
    if window.shape is not None:
        return _related(db, found, "intersects", window.shape)
    return _related(db, found, "intersects", shapely.box(*window.box), certain=True)


def _related(
    db: Database, found: Table, op: str, shape: shapely.Geometry, *, certain: bool = False
) -> NDArray[np.bool_]:
    """Which features stand in a relation to a shape; `certain`: it is a box, which meets all boxes in it."""
    related = getattr(shapely, op)
    if found.geometry is not None:
        shapely.prepare(found.geometry)
        return np.asarray(related(found.geometry, shape), np.bool_)
    out = np.zeros(len(found), np.bool_)
    with db.read(SYSTEM) as reader:
        rows, inside = _near(reader, found.tiling, shape.bounds)
        if certain:
            out[rows[inside]] = True
            rows = rows[~inside]
        for start in range(0, len(rows), 20 * _CHUNK):
            part = rows[start : start + 20 * _CHUNK]
            out[part] = related(cut_at_edge(reader.features.cells(found.tiling, part)), shape)
    return out


def _near(reader: Reader, tiling: str, box: Box) -> tuple[Rows, NDArray[np.bool_]]:
    """As the reader's, also of cells whose longitudes run on past 180."""
    west, _, east, _ = reach(reader, tiling)
    turned = [(box[0] + turn, box[1], box[2] + turn, box[3]) for turn in (2 * EDGE, -2 * EDGE)]
    windows = [box, *(window for window in turned if window[0] <= east and window[2] >= west)]
    rows, inside = zip(*(reader.features.near(tiling, window) for window in windows), strict=True)
    every, first = np.unique(np.concatenate(rows), return_inverse=True)
    return every, np.bincount(first, np.concatenate(inside), len(every)) > 0


# --- in pieces


def pieces(
    db: Database, found: Table, rows: Rows, crs: str = "wgs84", *, north_first: bool = False
) -> Iterator[list[bytes]]:
    """Features as GeoJSON, some hundreds at a time, whatever their number.

    Parameters
    ----------
    crs : str
        Of the coordinates, as `gridsvc.crs` names it.
    north_first : bool
        Write northing or latitude before easting or longitude.
    """
    decimals = 7 if crs in {"wgs84", "EPSG:4490"} else 3
    for start in range(0, len(rows), _CHUNK):
        part = rows[start : start + _CHUNK]
        shapes = geometry_from_wgs84(outlines(db, found, part), crs)
        shapes = shapely.transform(shapes, lambda xy: np.round(xy, decimals))
        shapes = shapely.orient_polygons(shapes)
        if found.several:
            parts, whole = shapely.get_parts(shapes, return_index=True)
            shapes = shapely.multipolygons(parts, indices=whole)
        if north_first:
            shapes = shapely.transform(shapes, lambda xy: xy[:, ::-1])
        texts = shapely.to_geojson(shapes)
        yield [_feature(found, row, text) for row, text in zip(part.tolist(), texts, strict=True)]


def outlines(db: Database, found: Table, rows: Rows) -> NDArray[np.object_]:
    """Outlines of some features, WGS-84: object array as long as `rows`, which ascend."""
    if found.geometry is not None:
        return found.geometry[rows]
    if not len(rows):
        return np.empty(0, object)
    with db.read(SYSTEM) as reader:
        return cut_at_edge(reader.features.cells(found.tiling, rows))


def _feature(found: Table, row: int, geometry: str) -> bytes:
    properties = {name: values[row] for name, values in found.columns.items()}
    return b'{"type":"Feature","id":%b,"geometry":%b,"properties":%b}' % (
        orjson.dumps(properties[IDS[found.kind]]),
        geometry.encode(),
        orjson.dumps(properties),
    )
