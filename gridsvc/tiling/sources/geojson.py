"""GeoJSON: whole documents, one feature a line, or objects which are parsed already."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import shapely
from shapely.errors import ShapelyError
from shapely.geometry import shape

from gridsvc.errors import InvalidGeometry, UnreadableFile
from gridsvc.tiling.sources.rows import Limits, Rows

__all__ = ["read_geojson", "read_lines", "rows_from_geojson"]

_GEOMETRIES = {"Point", "MultiPoint", "LineString", "MultiLineString", "Polygon", "MultiPolygon"}
_FEATURE = re.compile(rb'"Feature"')
_SLOW = 16_000_000  # bytes; up to here a document which fails is read again to say where


class _Feature(msgspec.Struct, gc=False):
    geometry: msgspec.Raw = msgspec.Raw(b"null")
    properties: dict[str, Any] | None = None
    id: str | int | float | None = None


class _Collection(msgspec.Struct):
    type: str
    features: list[_Feature]
    crs: Any = None


_collection = msgspec.json.Decoder(_Collection)
_line = msgspec.json.Decoder(_Feature)


def read_geojson(path: Path, limits: Limits) -> Rows:
    """Read a GeoJSON file.

    Raises
    ------
    UnreadableFile
        Not JSON, or not GeoJSON.
    InvalidGeometry
        A geometry which cannot be built, or too many vertices; with its row.
    """
    text = path.read_bytes().removeprefix(b"\xef\xbb\xbf")
    _check_positions(text, path.name, limits)
    try:
        found = _collection.decode(text)
        if found.type == "FeatureCollection":
            return _rows(found.features, {"crs": found.crs}, path.name, limits)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError, InvalidGeometry):
        if len(text) > _SLOW:
            raise
    return rows_from_geojson(_parsed(text, path.name), path.name)


def read_lines(path: Path, limits: Limits) -> Rows:
    """Read a file with one Feature a line (RFC 8142, with or without its record separators).

    Raises
    ------
    UnreadableFile, InvalidGeometry
        As `read_geojson`, with the line.
    """
    text = path.read_bytes().removeprefix(b"\xef\xbb\xbf")
    _check_positions(text, path.name, limits)
    lines = [line for line in text.replace(b"\x1e", b"").splitlines() if line.strip()]
    limits.check_features(len(lines), path.name)
    features = []
    for row, line in enumerate(lines, 1):
        try:
            features.append(_line.decode(line))
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            raise UnreadableFile(
                "is not a GeoJSON Feature", source=path.name, row=row, cure="write one Feature a line"
            ) from None
    return _rows(features, {}, path.name, limits)


def _check_positions(text: bytes, source: str, limits: Limits) -> None:
    """Refuse too many positions before any is parsed: each opens a bracket, and few other things do."""
    if text.count(b"[") <= 2 * limits.vertices:
        return
    block, seen, at = 1 << 20, 0, 0
    while at < len(text) and (seen := seen + text.count(b"[", at, at + block)) <= 2 * limits.vertices:
        at += block
    row = len(_FEATURE.findall(text, 0, at + block))
    raise limits.too_many_vertices(max(row, 1), source)


def _rows(features: list[_Feature], head: dict[str, Any], source: str, limits: Limits) -> Rows:
    limits.check_features(len(features), source)
    raw = [None if (text := bytes(f.geometry)) == b"null" else text for f in features]
    with np.errstate(all="ignore"):  # numbers too large are refused by the check, with their row
        geometry = np.asarray(shapely.from_geojson(np.array(raw, object), on_invalid="ignore"), object)
    if (shapely.is_missing(geometry) & np.array([text is not None for text in raw], bool)).any():
        raise InvalidGeometry("geometry cannot be built", source=source)  # read again, to say which
    plain = [{"properties": f.properties, **({} if f.id is None else {"id": f.id})} for f in features]
    columns = _columns(plain)
    return limits.check(Rows(shapely.force_2d(geometry), columns, _named_crs(head), source))


def _parsed(text: bytes, source: str) -> object:
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as error:
        line = getattr(error, "lineno", None)
        where = f" (line {line})" if line else ""
        deep = ", or nested too deep" if isinstance(error, RecursionError) else ""
        raise UnreadableFile(f"is not JSON{where}{deep}", source=source, cure="export it again") from None


def rows_from_geojson(obj: object, source: str) -> Rows:
    """Rows of a parsed GeoJSON Geometry, Feature or FeatureCollection.

    Raises
    ------
    UnreadableFile
        Not GeoJSON.
    InvalidGeometry
        A geometry which cannot be built, with its row.
    """
    if not isinstance(obj, dict):
        raise _no_geojson(source)
    features = _features(obj, source)
    geometry = np.empty(len(features), object)
    for i, feature in enumerate(features):
        geometry[i] = _geometry(feature, i + 1, source)
    return Rows(geometry, _columns(features), _named_crs(obj), source, notes=_closed(features))


def _closed(features: list[dict[str, Any]]) -> tuple[dict[str, str], ...]:
    """Tells of rings whose end was missing: shapely closes them, which is the one way they can be meant."""
    rows = [row for row, feature in enumerate(features, 1) if _has_open_ring(feature.get("geometry"))]
    if not rows:
        return ()
    return (
        {
            "code": "rings-closed",
            "message": f"{len(rows):,} rows had rings whose end was missing; closed (first: row {rows[0]})",
            "message_zh": f"{len(rows):,} 行的多边形环首尾未闭合，已自动闭合（首行：第 {rows[0]} 行）",
        },
    )


def _has_open_ring(geometry: dict[str, Any] | None) -> bool:
    if geometry is None or geometry.get("type") not in {"Polygon", "MultiPolygon"}:
        return False
    parts = [geometry["coordinates"]] if geometry["type"] == "Polygon" else geometry["coordinates"]
    return any(len(ring) > 0 and ring[0] != ring[-1] for part in parts for ring in part)


def _no_geojson(source: str) -> UnreadableFile:
    return UnreadableFile(
        "is not GeoJSON", source=source, cure="give a Geometry, Feature or FeatureCollection"
    )


def _features(obj: dict[str, Any], source: str) -> list[dict[str, Any]]:
    kind = obj.get("type")
    if kind == "FeatureCollection":
        features = obj.get("features")
        if not isinstance(features, list) or not all(isinstance(f, dict) for f in features):
            raise _no_geojson(source)
        return features
    if kind == "Feature":
        return [obj]
    if kind == "GeometryCollection" and isinstance(obj.get("geometries"), list):
        return [{"geometry": part} for part in obj["geometries"]]
    if isinstance(kind, str) and kind in _GEOMETRIES:
        return [{"geometry": obj}]
    raise _no_geojson(source)


def _geometry(feature: dict[str, Any], row: int, source: str) -> Any:
    value = feature.get("geometry")
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


def _columns(features: list[dict[str, Any]]) -> dict[str, list[Any]]:
    properties = [p if isinstance(p := f.get("properties"), dict) else {} for f in features]
    names = dict.fromkeys(name for p in properties for name in p)
    columns = {name: [p.get(name) for p in properties] for name in names}
    if "id" not in columns and any("id" in f for f in features):
        columns["id"] = [f.get("id") for f in features]
    return columns


def _named_crs(obj: dict[str, Any]) -> str | None:
    """The `crs` member of GeoJSON before RFC 7946, which many programs still write."""
    crs = obj.get("crs")
    properties = crs.get("properties") if isinstance(crs, dict) else None
    name = properties.get("name") if isinstance(properties, dict) else None
    return name if isinstance(name, str) else None
