"""Customers' files of any format -> a table of columns and, where there is one, a point a row."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import shapely
from numpy.typing import NDArray

from gridsvc import crs as crs_
from gridsvc.errors import InvalidInput, UnreadableFile
from gridsvc.tiling.sources.csvtext import read_csv_table
from gridsvc.tiling.sources.reading import names_layer, read
from gridsvc.tiling.sources.rows import LIMITS
from gridsvc.tiling.sources.tables import read_workbook
from gridsvc.tiling.workbook import WORKBOOKS

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["load_file"]

_SUFFIXES = {
    **dict.fromkeys((".csv", ".tsv", ".txt"), "csv"),
    **dict.fromkeys((".geojson", ".json"), "geojson"),
    **dict.fromkeys((".parquet", ".geoparquet", ".pq"), "parquet"),
    ".gpkg": "gpkg",
    **dict.fromkeys((".xlsx", ".xlsm"), "xlsx"),
    **dict.fromkeys((".shp", ".fgb", ".kml", ".kmz", ".zip", ".geojsonl", ".ndjson"), "layer"),
}
_FORMATS = "give CSV, .xlsx, GeoJSON, Parquet, GeoParquet, GeoPackage, FlatGeobuf, KML or a Shapefile's zip"

Loaded = tuple["pd.DataFrame", "NDArray[np.object_] | None", "str | None"]


def load_file(path: Path) -> Loaded:
    """Read a file in whichever of the formats it is; ``FILE::LAYER`` names one of several layers.

    Returns
    -------
    frame : DataFrame
        All columns but the geometry; those of a CSV as text.
    points : object array of shapely geometries, shape (n,), or None
        Only for files with a geometry.
    crs : str or None
        What the file itself says about its coordinates.

    Raises
    ------
    UnreadableFile
        No such file, not one of the formats, broken, or not what its suffix says.
    InvalidInput
        No rows, repeated column names, several layers, or a geometry that is not points.
    """
    kind = "layer" if names_layer(path) else _kind(path)
    load = {"csv": _csv, "xlsx": _workbook, "parquet": _parquet, "geojson": _vector, "gpkg": _vector}
    frame, points, crs = load.get(kind, _layer)(path)
    LIMITS.check_columns([str(name) for name in frame.columns], path.name)
    if len(frame) == 0:
        raise InvalidInput("has no data rows", source=path.name, cure="export it again with its rows")
    return frame, points, crs


def _kind(path: Path) -> str:
    try:
        with path.open("rb") as file:
            head = file.read(4096)
    except OSError as error:
        missing = isinstance(error, FileNotFoundError)
        raise UnreadableFile(
            "there is no such file" if missing else "cannot be opened",
            source=path.name,
            cure="check its name",
        ) from None
    if head and _SUFFIXES.get(path.suffix.lower()) == "layer":
        return "layer"
    kind = _kind_by_content(head, path)
    by_name = _SUFFIXES.get(path.suffix.lower(), kind)
    if by_name != kind:
        raise UnreadableFile(f"is not {by_name}, as its name says", source=path.name, cure=_FORMATS)
    return kind


def _kind_by_content(head: bytes, path: Path) -> str:
    name = path.name
    if not head.strip():
        raise UnreadableFile("is empty", source=name, cure="export it again with a header and rows")
    if head.startswith(b"PAR1"):
        return "parquet"
    if head.startswith(b"SQLite format 3\0"):
        return "gpkg"
    if head.startswith(b"PK\x03\x04"):
        if path.suffix.lower() in WORKBOOKS:
            return "xlsx"
        raise UnreadableFile("is a workbook or an archive", source=name, cure="save the sheet as CSV (UTF-8)")
    if head.removeprefix(b"\xef\xbb\xbf").lstrip().startswith(b"{"):
        return "geojson"
    if b"\0" in head and not head.startswith((b"\xff\xfe", b"\xfe\xff")):
        raise UnreadableFile("is not text", source=name, cure=_FORMATS)
    return "csv"


def _arrow() -> Any:
    """pyarrow, imported late because it is large, and untyped because it names none of its exports."""
    import pyarrow.parquet

    return pyarrow


# --- tables -----------------------------------------------------------------------------------------


def _csv(path: Path) -> Loaded:
    import pandas as pd

    names, table = read_csv_table(path)
    frame: pd.DataFrame = table.to_pandas()
    frame.columns = pd.Index(names)
    return frame, None, None


def _workbook(path: Path) -> Loaded:
    import pandas as pd

    return pd.DataFrame(read_workbook(path), dtype=str), None, None


# --- files with geometry ----------------------------------------------------------------------------


def _parquet(path: Path) -> Loaded:
    import geopandas

    pa = _arrow()
    try:
        if b"geo" in (pa.parquet.read_schema(path).metadata or {}):
            return _split(geopandas.read_parquet(path), path.name)
        frame: pd.DataFrame = pa.parquet.read_table(path).to_pandas().reset_index(drop=True)
    except (pa.ArrowException, OSError):
        raise UnreadableFile("cannot be read as Parquet", source=path.name, cure="export it again") from None
    frame.columns = frame.columns.astype(str)
    return frame, None, None


def _layer(path: Path) -> Loaded:
    import pandas as pd

    rows = read(path)
    return pd.DataFrame(rows.columns), _points(rows.geometry, path.name), rows.crs


def _vector(path: Path) -> Loaded:
    import pyogrio

    try:
        layers = pyogrio.list_layers(path)
        if len(layers) > 1:
            listed = ", ".join(layers[:, 0])
            raise InvalidInput(
                f"has several layers ({listed})", source=path.name, cure=f"name one: {path.name}::LAYER"
            )
        frame = pyogrio.read_dataframe(path, use_arrow=True)
    except pyogrio.errors.DataSourceError:
        raise UnreadableFile("is broken or without a layer", source=path.name, cure=_FORMATS) from None
    if "geometry" not in frame.columns:
        return frame, None, None
    return _split(frame, path.name)


def _split(frame: Any, name: str) -> Loaded:
    """Columns, points and the name of the coordinate system of a GeoDataFrame."""
    import pandas as pd

    points = _points(frame.geometry.to_numpy(), name)
    plain = pd.DataFrame(frame.drop(columns=frame.geometry.name)).reset_index(drop=True)
    return plain, points, _file_crs(frame.crs, name)


def _points(geometry: Any, name: str) -> NDArray[np.object_]:
    """A point a row, those alone in a multipoint taken out of it."""
    points = np.array(geometry, object)
    single = (shapely.get_type_id(points) == 4) & (shapely.get_num_geometries(points) == 1)
    points[single] = shapely.get_geometry(points[single], 0)
    types = shapely.get_type_id(points)
    if (types >= 0).any() and not (types == 0).any():
        raise InvalidInput("holds shapes, not points", source=name, cure="give one point a customer")
    return points


def _file_crs(given: Any, name: str) -> str | None:
    if given is None:
        return None
    authority = given.to_authority(min_confidence=70)
    if authority is None or authority[0] not in {"EPSG", "OGC"}:
        raise InvalidInput(
            "its coordinate system has no EPSG code",
            source=name,
            field="crs",
            cure="name it with --crs EPSG:n",
        )
    return crs_.normalise(":".join(authority) if authority[0] == "EPSG" else authority[1])
