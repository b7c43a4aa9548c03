"""Customers' files of any format -> a table of columns and, where there is one, a point a row."""

from __future__ import annotations

import csv
import io
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import shapely
from numpy.typing import NDArray

from gridsvc import crs as crs_
from gridsvc.errors import InvalidInput, UnreadableFile

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["load_file"]

_SUFFIXES = {
    **dict.fromkeys((".csv", ".tsv", ".txt"), "csv"),
    **dict.fromkeys((".geojson", ".json"), "geojson"),
    **dict.fromkeys((".parquet", ".geoparquet", ".pq"), "parquet"),
    ".gpkg": "gpkg",
}
_FORMATS = "give CSV, GeoJSON, Parquet, GeoParquet or GeoPackage"

Loaded = tuple["pd.DataFrame", "NDArray[np.object_] | None", "str | None"]


def load_file(path: Path) -> Loaded:
    """Read a file in whichever of the formats it is.

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
    kind = _kind(path)
    frame, points, crs = {"csv": _csv, "parquet": _parquet, "geojson": _vector, "gpkg": _vector}[kind](path)
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
    kind = _kind_by_content(head, path.name)
    by_name = _SUFFIXES.get(path.suffix.lower(), kind)
    if by_name != kind:
        raise UnreadableFile(f"is not {by_name}, as its name says", source=path.name, cure=_FORMATS)
    return kind


def _kind_by_content(head: bytes, name: str) -> str:
    if not head.strip():
        raise UnreadableFile("is empty", source=name, cure="export it again with a header and rows")
    if head.startswith(b"PAR1"):
        return "parquet"
    if head.startswith(b"SQLite format 3\0"):
        return "gpkg"
    if head.startswith(b"PK\x03\x04"):
        raise UnreadableFile("is a workbook or an archive", source=name, cure="save the sheet as CSV (UTF-8)")
    if head.removeprefix(b"\xef\xbb\xbf").lstrip().startswith(b"{"):
        return "geojson"
    if b"\0" in head and not head.startswith((b"\xff\xfe", b"\xfe\xff")):
        raise UnreadableFile("is not text", source=name, cure=_FORMATS)
    return "csv"


def _arrow() -> Any:
    """pyarrow, imported late because it is large, and untyped because it names none of its exports."""
    import pyarrow.csv
    import pyarrow.parquet

    return pyarrow


# --- CSV --------------------------------------------------------------------------------------------


def _csv(path: Path) -> Loaded:
    import pandas as pd

    pa = _arrow()
    text = _as_utf8(path.read_bytes(), path.name)
    first = text[: 1 << 16].decode("utf-8", "ignore").lstrip("\r\n")
    delimiter = max(",;\t", key=first.partition("\n")[0].count)
    names = _header(first, delimiter, path.name)
    options = {
        # Names of our own: with those of the file a column called twice could not be read as text.
        "read_options": pa.csv.ReadOptions(column_names=[f"c{i}" for i in range(len(names))]),
        "convert_options": pa.csv.ConvertOptions(
            column_types={f"c{i}": pa.string() for i in range(len(names))}, strings_can_be_null=False
        ),
    }
    try:
        layout = pa.csv.ParseOptions(delimiter=delimiter, newlines_in_values=True)
        table = pa.csv.read_csv(pa.BufferReader(text), parse_options=layout, **options)
    except pa.ArrowInvalid:
        raise _broken_csv(text, delimiter, len(names), path.name) from None
    frame: pd.DataFrame = table.slice(1).to_pandas()  # the header is the first row read
    frame.columns = pd.Index(names)
    if len(frame) and text.count(b'"') % 2 and frame.iloc[-1].str.contains("\n").any():
        raise UnreadableFile("a quotation mark is never closed", source=path.name, cure="close or remove it")
    return frame, None, None


def _as_utf8(raw: bytes, name: str) -> bytes:
    """UTF-8 bytes without byte-order mark, from UTF-8, UTF-16 with a mark, or GB 18030."""
    encodings = ["utf-16"] if raw.startswith((b"\xff\xfe", b"\xfe\xff")) else ["utf-8", "gb18030"]
    for encoding in encodings:
        try:
            text = raw.decode(encoding)
        except UnicodeDecodeError:
            continue
        return raw.removeprefix(b"\xef\xbb\xbf") if encoding == "utf-8" else text.encode()
    raise UnreadableFile("is neither UTF-8 nor GB 18030 text", source=name, cure="save it as CSV (UTF-8)")


def _header(text: str, delimiter: str, name: str) -> list[str]:
    given = next(csv.reader(io.StringIO(text), delimiter=delimiter))
    names = [column.strip() or f"column {i}" for i, column in enumerate(given, 1)]
    return _unique(names, name)


def _unique(names: list[str], source: str) -> list[str]:
    repeated = next((n for i, n in enumerate(names) if n in names[:i]), None)
    if repeated is not None:
        raise InvalidInput(
            "two columns have this name", source=source, field=repeated, cure="rename one of them"
        )
    return names


def _broken_csv(text: bytes, delimiter: str, width: int, name: str) -> UnreadableFile:
    """The error for the first row with too many or too few fields, found by a second, slower reading."""
    pa = _arrow()
    found: list[Any] = []

    def note(row: Any) -> str:
        found.append(row)
        return "error"

    layout = pa.csv.ParseOptions(delimiter=delimiter, newlines_in_values=True, invalid_row_handler=note)
    try:
        pa.csv.read_csv(
            pa.BufferReader(text), read_options=pa.csv.ReadOptions(use_threads=False), parse_options=layout
        )
    except pa.ArrowInvalid:
        if found:
            return UnreadableFile(
                f"{found[0].actual_columns} fields, but the header has {width}",
                source=name,
                row=found[0].number - 1,
                cure="put quotation marks around text which contains the delimiter",
            )
    return UnreadableFile("cannot be read as CSV", source=name, cure="save it as CSV (UTF-8)")


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


def _vector(path: Path) -> Loaded:
    import pyogrio

    try:
        layers = pyogrio.list_layers(path)
        if len(layers) > 1:
            listed = ", ".join(layers[:, 0])
            raise InvalidInput(
                f"has several layers ({listed})", source=path.name, cure="save the customers' layer as a file"
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

    geometry = frame.geometry.to_numpy()
    points = np.asarray(geometry, object)
    single = (shapely.get_type_id(points) == 4) & (shapely.get_num_geometries(points) == 1)
    points[single] = shapely.get_geometry(points[single], 0)
    types = shapely.get_type_id(points)
    if (types >= 0).any() and not (types == 0).any():
        raise InvalidInput("holds shapes, not points", source=name, cure="give one point a customer")
    plain = pd.DataFrame(frame.drop(columns=frame.geometry.name)).reset_index(drop=True)
    return plain, points, _file_crs(frame.crs, name)


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
