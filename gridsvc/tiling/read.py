"""Boundaries and polygon layers from files or GeoJSON, checked row by row, in WGS-84."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import shapely
from numpy.typing import NDArray

from gridsvc.errors import InvalidGeometry, InvalidInput, UnknownColumn
from gridsvc.tiling.check import checked_polygons, union
from gridsvc.tiling.load import Rows, rows_from_file, rows_from_geojson
from gridsvc.tiling.sources.rows import EVERYTHING, Choice

__all__ = [
    "PolygonLayer",
    "boundary_from_geojson",
    "column_array",
    "polygon_layer",
    "polygons_from_geojson",
    "read_boundary",
    "read_polygons",
    "union",
]


@dataclass(frozen=True, slots=True)
class PolygonLayer:
    """Polygons with ids, in the order of the source.

    Attributes
    ----------
    ids : object array of str, shape (n,)
        Unique; text as in the source, leading zeros kept.
    geometry : object array of shapely (multi)polygons, shape (n,), WGS-84 lon/lat
        Valid, two-dimensional, with area.
    columns : dict of str to array, shape (n,)
        The other columns: float64 where all values are numbers (NaN where missing), else object arrays
        of str ("" where missing).
    source : str
    """

    ids: NDArray[np.object_]
    geometry: NDArray[np.object_]
    columns: dict[str, NDArray[Any]] = field(default_factory=dict)
    source: str = "polygons"


def read_boundary(source: Path, crs: str | None, choice: Choice = EVERYTHING) -> shapely.MultiPolygon:
    """The territory in a file: the union of all its polygons.

    Parameters
    ----------
    source : Path
        In any format of `gridsvc.tiling.sources`.
    crs : str or None
        Overrules what the file says of itself; None takes the file's word, WGS-84 if it has none.
    choice : Choice, optional
        Which layer of the file.

    Returns
    -------
    MultiPolygon in WGS-84 lon/lat

    Raises
    ------
    UnreadableFile, InvalidGeometry, InvalidInput
        Naming the row and the cure.
    """
    return _boundary(rows_from_file(source, choice), crs)


def boundary_from_geojson(
    obj: dict[str, Any], crs: str | None, source: str = "boundary"
) -> shapely.MultiPolygon:
    """The territory in a GeoJSON Geometry, Feature or FeatureCollection; see `read_boundary`."""
    return _boundary(rows_from_geojson(obj, source), crs)


def read_polygons(source: Path, id_field: str, crs: str | None, choice: Choice = EVERYTHING) -> PolygonLayer:
    """The polygons of a file, each with its id from column `id_field`.

    Integers become text; other numbers are refused, because a code such as 110101.0 has already lost
    what it was.

    Raises
    ------
    UnknownColumn
        There is no column `id_field`; the message lists those there are.
    UnreadableFile, InvalidGeometry, InvalidInput
        Naming the row, the field and the cure.
    """
    return polygon_layer(rows_from_file(source, choice), id_field, crs)


def polygons_from_geojson(
    obj: dict[str, Any], id_field: str, crs: str | None, source: str = "polygons"
) -> PolygonLayer:
    """The polygons of a GeoJSON FeatureCollection; see `read_polygons`."""
    return polygon_layer(rows_from_geojson(obj, source), id_field, crs)


def _boundary(rows: Rows, crs: str | None) -> shapely.MultiPolygon:
    return union(_geometry(rows, crs))


def polygon_layer(rows: Rows, id_field: str, crs: str | None) -> PolygonLayer:
    """Rows as read, checked; see `read_polygons`."""
    if id_field not in rows.columns:
        raise UnknownColumn(
            f"there is no column {id_field!r}",
            source=rows.source,
            field=id_field,
            cure=f"take one of: {', '.join(rows.columns) or '(no columns)'}",
        )
    geometry = _geometry(rows, crs)
    ids = _ids(rows.columns[id_field], id_field, rows.source)
    columns = {name: column_array(values) for name, values in rows.columns.items() if name != id_field}
    return PolygonLayer(ids, geometry, columns, rows.source)


def _geometry(rows: Rows, crs: str | None) -> NDArray[np.object_]:
    if len(rows.geometry) == 0:
        raise InvalidGeometry("holds no rows", source=rows.source, cure="give a layer of polygons")
    return checked_polygons(rows.geometry, crs or rows.crs or "wgs84", rows.source)


def _ids(values: list[Any], name: str, source: str) -> NDArray[np.object_]:
    ids = np.empty(len(values), object)
    seen: dict[str, int] = {}
    for row, value in enumerate(values, start=1):
        text = _id(value, row, name, source)
        if text in seen:
            raise InvalidInput(
                f"id {text!r} stands in rows {seen[text]} and {row}",
                source=source,
                row=row,
                field=name,
                cure="give each row its own id, or merge the rows into one multipolygon",
            )
        seen[text] = row
        ids[row - 1] = text
    return ids


def _id(value: Any, row: int, name: str, source: str) -> str:
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    if isinstance(value, str) and value.strip():
        return value.strip()
    if value is None or isinstance(value, str):
        what, cure = "id is missing", "give each row an id"
    else:
        what = f"id {value!r} is not text" if isinstance(value, float | bool) else "id is not text"
        cure = "store the column as text, so that codes keep every digit"
    raise InvalidInput(what, source=source, row=row, field=name, cure=cure)


def column_array(values: list[Any]) -> NDArray[Any]:
    """Plain values (None where missing) as int64 or float64 where all are numbers, else as texts."""
    present = [v for v in values if v is not None]
    if len(present) == len(values) and all(type(v) is int and abs(v) < 2**63 for v in values):
        return np.array(values, np.int64)  # codes, as a rule: they stay whole
    if present and all(isinstance(v, int | float) and not isinstance(v, bool) for v in present):
        return np.array([np.nan if v is None else v for v in values], np.float64)
    out = np.empty(len(values), object)
    out[:] = ["" if v is None else str(v) for v in values]
    return out
