"""What a file is: its name says it, and its first bytes must agree.

The name alone does not decide what a geodata library would make of a file, and some formats (VRT, for one)
would have it open other files.
"""

from __future__ import annotations

from pathlib import Path

from gridsvc.errors import InvalidInput, UnreadableFile
from gridsvc.tiling.sources.rows import Limits

__all__ = ["FORMATS", "kind_of", "unreadable"]

_BY_SUFFIX = {
    **dict.fromkeys((".geojson", ".json"), "geojson"),
    **dict.fromkeys((".geojsonl", ".geojsons", ".geojsonseq", ".ndjson", ".jsonl"), "geojsonl"),
    ".gpkg": "gpkg",
    ".shp": "shp",
    ".fgb": "fgb",
    **dict.fromkeys((".parquet", ".geoparquet", ".pq"), "parquet"),
    ".kml": "kml",
    **dict.fromkeys((".zip", ".kmz"), "zip"),
    **dict.fromkeys((".csv", ".tsv", ".txt"), "csv"),
    **dict.fromkeys((".xlsx", ".xlsm"), "xlsx"),
}
_MAGIC = {
    "gpkg": b"SQLite format 3\x00",
    "fgb": b"fgb\x03",
    "shp": b"\x00\x00\x27\x0a",
    "parquet": b"PAR1",
    "zip": b"PK\x03\x04",
    "xlsx": b"PK\x03\x04",
}
FORMATS = (
    "GeoJSON (also one feature a line), GeoPackage (.gpkg), Shapefile (.shp or its .zip), FlatGeobuf (.fgb), "
    "GeoParquet (.parquet), KML or KMZ, CSV or .xlsx with coordinates or WKT"
)
_ENTITY = (b"<!DOCTYPE", b"<!ENTITY")


def unreadable(source: str, what: str = "cannot be read as a layer with geometry") -> UnreadableFile:
    """The error of a damaged file."""
    return UnreadableFile(what, source=source, cure="export it again")


def kind_of(path: Path, limits: Limits) -> str:
    """The format of a file: geojson, geojsonl, gpkg, shp, fgb, parquet, kml, zip, csv or xlsx.

    Raises
    ------
    UnreadableFile
        No such file, empty, of another format than its name says.
    InvalidInput
        Larger than allowed.
    """
    suffix = path.suffix.lower()
    if suffix not in _BY_SUFFIX:
        raise UnreadableFile(
            f"is no format known here ({suffix or 'no suffix'})", source=path.name, cure=f"give {FORMATS}"
        )
    kind, head = _BY_SUFFIX[suffix], _head(path, limits)
    if not head.startswith(_MAGIC.get(kind, b"")):
        raise UnreadableFile(f"is not a {suffix} file inside", source=path.name, cure=f"give {FORMATS}")
    if kind == "kml":
        _check_kml(path, head)
    return kind


def _head(path: Path, limits: Limits) -> bytes:
    try:
        size = path.stat().st_size
        with path.open("rb") as file:
            head = file.read(4096)
    except OSError as error:
        raise UnreadableFile(
            f"cannot be opened ({error.strerror})", source=path.name, cure="check the name and the rights"
        ) from None
    if not head:
        raise unreadable(path.name, "is empty")
    if size > limits.size:
        raise InvalidInput(
            f"is larger than {limits.size // 1_000_000} MB", source=path.name, cure="split it into several"
        )
    return head


def _check_kml(path: Path, head: bytes) -> None:
    """KML has no document type; where one is declared, its entities may unpack to any size."""
    if b"<kml" not in head and b":kml" not in head:
        raise UnreadableFile("is not a .kml file inside", source=path.name, cure=f"give {FORMATS}")
    text = path.read_bytes()
    if any(word in text for word in _ENTITY):
        raise UnreadableFile(
            "declares entities, which KML has no use for", source=path.name, cure="save it again as plain KML"
        )
