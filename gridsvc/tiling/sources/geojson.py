"""GeoJSON objects which are parsed already."""

from __future__ import annotations

from typing import Any

import numpy as np
from shapely.errors import ShapelyError
from shapely.geometry import shape

from gridsvc.errors import InvalidGeometry, UnreadableFile
from gridsvc.tiling.sources.rows import LIMITS, Limits, Rows

__all__ = [
    "GEOMETRIES",
    "columns_of",
    "has_open_ring",
    "named_crs",
    "not_geojson",
    "one_geometry",
    "rings_closed",
    "rows_from_geojson",
]

GEOMETRIES = {"Point", "MultiPoint", "LineString", "MultiLineString", "Polygon", "MultiPolygon"}


def rows_from_geojson(obj: object, source: str, limits: Limits = LIMITS) -> Rows:
    """Rows of a parsed GeoJSON Geometry, Feature or FeatureCollection.

    Raises
    ------
    UnreadableFile
        Not GeoJSON.
    InvalidGeometry
        A geometry which cannot be built, with its row.
    InvalidInput
        Over a limit.
    """
    if not isinstance(obj, dict):
        raise not_geojson(source)
    features = _features(obj, source)
    limits.check_features(len(features), source)
    geometry = np.empty(len(features), object)
    for i, feature in enumerate(features):
        geometry[i] = one_geometry(feature.get("geometry"), i + 1, source)
    open_rows = [row for row, f in enumerate(features, 1) if has_open_ring(f.get("geometry"))]
    columns = columns_of([(f.get("properties"), f.get("id")) for f in features])
    rows = Rows(geometry, columns, named_crs(obj), source, notes=rings_closed(open_rows))
    return limits.check(rows)


def rings_closed(rows: list[int]) -> tuple[dict[str, str], ...]:
    """Tells of rings whose end was missing: shapely closes them, which is the one way they can be meant."""
    if not rows:
        return ()
    return (
        {
            "code": "rings-closed",
            "message": f"{len(rows):,} rows had rings whose end was missing; closed (first: row {rows[0]})",
            "message_zh": f"{len(rows):,} 行的多边形环首尾未闭合，已自动闭合（首行：第 {rows[0]} 行）",
        },
    )


def has_open_ring(geometry: Any) -> bool:
    """Whether a geometry which can be built has a ring that does not end where it began."""
    if not isinstance(geometry, dict) or geometry.get("type") not in {"Polygon", "MultiPolygon"}:
        return False
    parts = [geometry["coordinates"]] if geometry["type"] == "Polygon" else geometry["coordinates"]
    return any(len(ring) > 0 and ring[0] != ring[-1] for part in parts for ring in part)


def not_geojson(source: str) -> UnreadableFile:
    """The error of JSON which is something else."""
    return UnreadableFile(
        "is not GeoJSON", source=source, cure="give a Geometry, Feature or FeatureCollection"
    )


def _features(obj: dict[str, Any], source: str) -> list[dict[str, Any]]:
    kind = obj.get("type")
    if kind == "FeatureCollection":
        features = obj.get("features")
        if not isinstance(features, list) or not all(isinstance(f, dict) for f in features):
            raise not_geojson(source)
        return features
    if kind == "Feature":
        return [obj]
    if kind == "GeometryCollection" and isinstance(obj.get("geometries"), list):
        return [{"geometry": part} for part in obj["geometries"]]
    if isinstance(kind, str) and kind in GEOMETRIES:
        return [{"geometry": obj}]
    raise not_geojson(source)


def one_geometry(value: Any, row: int, source: str) -> Any:
    """The shape of a GeoJSON geometry, None where there is none.

    Raises
    ------
    InvalidGeometry
        It cannot be built.
    """
    if value is None or (isinstance(value, dict) and value.get("coordinates") == []):
        return None
    try:
        with np.errstate(invalid="ignore"):  # infinite coordinates are refused by the check, with their row
            return shape(value)
    except (ShapelyError, ValueError, TypeError, LookupError, AttributeError, OverflowError, RecursionError):
        raise InvalidGeometry(
            "geometry cannot be built from its coordinates",
            source=source,
            row=row,
            field="geometry",
            cure="a polygon's ring needs four positions or more of two numbers each, the last like the first",
        ) from None


def columns_of(features: list[tuple[Any, Any]]) -> dict[str, list[Any]]:
    """Columns of the properties and ids of features."""
    properties = [p if isinstance(p, dict) else {} for p, _ in features]
    names = dict.fromkeys(name for p in properties for name in p)
    columns = {name: [p.get(name) for p in properties] for name in names}
    if "id" not in columns and any(given is not None for _, given in features):
        columns["id"] = [given for _, given in features]
    return columns


def named_crs(obj: Any) -> str | None:
    """The `crs` member of GeoJSON before RFC 7946, which many programs still write."""
    crs = obj.get("crs") if isinstance(obj, dict) else None
    properties = crs.get("properties") if isinstance(crs, dict) else None
    name = properties.get("name") if isinstance(properties, dict) else None
    return name if isinstance(name, str) else None
