"""Files and GeoJSON objects as plain rows: geometry, columns and the coordinate system they name."""

from __future__ import annotations

import json
import math
import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import shapely
from numpy.typing import NDArray
from shapely.errors import ShapelyError
from shapely.geometry import shape

from gridsvc.errors import InvalidGeometry, InvalidInput, UnreadableFile

if TYPE_CHECKING:
    import geopandas

__all__ = ["Rows", "rows_from_file", "rows_from_geojson"]

# What the first bytes must be: the name of a file does not decide what a geodata library would make of it,
# and some formats (VRT, for one) would have it open other files.
_MAGIC = {
    ".gpkg": b"SQLite format 3\x00",
    ".fgb": b"fgb\x03",
    ".shp": b"\x00\x00\x27\x0a",
    ".parquet": b"PAR1",
    ".geoparquet": b"PAR1",
}
_JSON = {".geojson", ".json"}
_FORMATS = "GeoJSON, GeoPackage (.gpkg), Shapefile (.shp), FlatGeobuf (.fgb) or GeoParquet (.parquet)"
_GEOMETRIES = {"Point", "MultiPoint", "LineString", "MultiLineString", "Polygon", "MultiPolygon"}


@dataclass(frozen=True, slots=True)
class Rows:
    """A layer as read, nothing judged yet.

    Attributes
    ----------
    geometry : object array of shapely geometries or None, shape (n,)
    columns : dict of str to list of n plain Python values, None where missing
    crs : str or None
        What the file says of itself.
    source : str
    """

    geometry: NDArray[np.object_]
    columns: dict[str, list[Any]]
    crs: str | None
    source: str


def rows_from_file(source: Path) -> Rows:
    """Read a layer from a file in any of the formats.

    Raises
    ------
    UnreadableFile
        No such file, empty, of another format than its name says, or damaged.
    """
    path = Path(source)
    suffix = path.suffix.lower()
    if suffix not in _MAGIC and suffix not in _JSON:
        raise UnreadableFile(
            f"is no format known here ({suffix or 'no suffix'})", source=path.name, cure=f"give {_FORMATS}"
        )
    head = _head(path)
    if suffix in _JSON:
        return _rows_from_json(path)
    if not head.startswith(_MAGIC[suffix]):
        raise UnreadableFile(f"is not a {suffix} file inside", source=path.name, cure=f"give {_FORMATS}")
    return _rows_from_frame(_frame(path, suffix), path.name)


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
    return Rows(geometry, _columns(features), _named_crs(obj), source)


def _head(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            head = file.read(16)
    except OSError as error:
        raise UnreadableFile(
            f"cannot be opened ({error.strerror})", source=path.name, cure="check the name and the rights"
        ) from None
    if not head:
        raise UnreadableFile("is empty", source=path.name, cure="export it again")
    return head


def _rows_from_json(path: Path) -> Rows:
    try:
        obj = json.loads(path.read_bytes())
    except (ValueError, RecursionError) as error:
        line = getattr(error, "lineno", None)
        where = f" (line {line})" if line else ""
        raise UnreadableFile(f"is not JSON{where}", source=path.name, cure="export it again") from None
    return rows_from_geojson(obj, path.name)


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
    if kind in _GEOMETRIES:
        return [{"geometry": obj}]
    raise _no_geojson(source)


def _geometry(feature: dict[str, Any], row: int, source: str) -> Any:
    value = feature.get("geometry")
    if value is None or (isinstance(value, dict) and value.get("coordinates") == []):
        return None
    try:
        with np.errstate(invalid="ignore"):  # infinite coordinates are refused by the check, with their row
            return shape(value)
    except (ShapelyError, ValueError, TypeError, LookupError, AttributeError, OverflowError):
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


def _frame(path: Path, suffix: str) -> geopandas.GeoDataFrame:
    import geopandas

    try:
        if suffix in {".parquet", ".geoparquet"}:
            return geopandas.read_parquet(path)
        with warnings.catch_warnings():  # GDAL's remarks on a file quote its whole path
            warnings.simplefilter("ignore", RuntimeWarning)
            return geopandas.read_file(path, layer=_layer(path))
    except (ValueError, OSError, KeyError, ShapelyError, *_pyogrio_errors()):
        # pyarrow's errors are ValueErrors and OSErrors; the text of any may quote paths and data.
        raise UnreadableFile(
            "cannot be read as a layer with geometry", source=path.name, cure="export it again"
        ) from None


def _pyogrio_errors() -> tuple[type[Exception], ...]:
    from pyogrio import errors

    return errors.DataSourceError, errors.DataLayerError, errors.GeometryError, errors.FeatureError


def _layer(path: Path) -> str:
    """The first layer with geometry (a GeoPackage may open with tables of other kinds)."""
    import pyogrio

    layers = pyogrio.list_layers(path)
    spatial = [str(name) for name, kind in layers if kind is not None]
    if not spatial:
        raise ValueError("no layer with geometry")
    return spatial[0]


def _rows_from_frame(frame: geopandas.GeoDataFrame, source: str) -> Rows:
    geometry = np.asarray(frame.geometry.array, object)
    columns = {
        str(name): [_plain(value) for value in frame[name].tolist()]
        for name in frame.columns
        if name != frame.geometry.name
    }
    return Rows(shapely.force_2d(geometry), columns, _frame_crs(frame, source), source)


def _plain(value: Any) -> Any:
    """One value of a frame without the several missing values of pandas (NaN, NA, NaT)."""
    if value is None or type(value).__name__ in {"NAType", "NaTType"}:
        return None
    return None if isinstance(value, float) and math.isnan(value) else value


def _frame_crs(frame: geopandas.GeoDataFrame, source: str) -> str | None:
    if frame.crs is None:
        return None
    authority = frame.crs.to_authority()
    if authority is None or authority[0] not in {"EPSG", "OGC"}:
        raise InvalidInput(
            "names a coordinate system which has no EPSG code",
            source=source,
            field="crs",
            cure="name it yourself, or convert the file to EPSG:4326",
        )
    return ":".join(authority)
