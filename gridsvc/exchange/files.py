"""Layers as files, written under a temporary name and renamed, so that nobody sees half a file."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson

from gridsvc.errors import InvalidInput
from gridsvc.exchange.gdal import write_flatgeobuf
from gridsvc.exchange.geojson import DECIMALS, geojson_pieces
from gridsvc.exchange.geopackage import write_geopackage
from gridsvc.exchange.geoparquet import write_geoparquet
from gridsvc.exchange.kml import kml_pieces
from gridsvc.exchange.layer import Flow, Layer, flow_of
from gridsvc.exchange.outgoing import Outgoing
from gridsvc.exchange.shapefile import write_shapefile
from gridsvc.exchange.spreadsheet import csv_pieces, write_workbook
from gridsvc.exchange.style import Style

__all__ = [
    "BESIDE",
    "FORMATS",
    "SUFFIXES",
    "Wish",
    "replace_together",
    "replace_whole",
    "write_export",
    "write_layer",
]


@dataclass(frozen=True, slots=True)
class Wish:
    """What only some formats ask for.

    Attributes
    ----------
    style : Style or None
        For those which carry one.
    decimals : int or None
        Of coordinates in GeoJSON; None writes them as they are.
    bom : bool
        Begin a CSV with the mark by which Excel knows UTF-8.
    """

    style: Style | None = None
    decimals: int | None = DECIMALS
    bom: bool = False


def replace_whole(path: Path, write: Callable[[Path], None]) -> None:
    """Let `write` make a file beside `path`, then put it in place of `path` at once.

    Raises
    ------
    InvalidInput
        The folder is not there or may not be written.
    """
    replace_together({path: write})


def replace_together(writes: Mapping[Path, Callable[[Path], None]]) -> None:
    """Make several files as `replace_whole` does one: none is put in place before all are written.

    Raises
    ------
    InvalidInput
        A folder is not there or may not be written.
    """
    drafts = {path: path.with_name(f".{secrets.token_hex(4)}-{path.name}") for path in writes}
    at = None
    try:
        for at, write in writes.items():
            write(drafts[at])
        for at, draft in drafts.items():
            draft.replace(at)
    except (FileNotFoundError, NotADirectoryError, PermissionError, IsADirectoryError):
        raise InvalidInput(
            f"cannot write {at.name if at else 'it'}",
            field="output",
            cure="name a folder that exists and may be written",
        ) from None
    finally:
        for draft in drafts.values():
            draft.unlink(missing_ok=True)


def _geojson(path: Path, out: Outgoing, wish: Wish) -> None:
    _pour(path, geojson_pieces(out, decimals=wish.decimals))


def _csv(path: Path, out: Outgoing, wish: Wish) -> None:
    _pour(path, csv_pieces(out, bom=wish.bom))


def _kml(path: Path, out: Outgoing, wish: Wish) -> None:
    _pour(path, kml_pieces(out, wish.style or Style()))


def _pour(path: Path, pieces: Iterable[bytes]) -> None:
    with path.open("wb") as file:
        file.writelines(pieces)


def _geopackage(path: Path, out: Outgoing, wish: Wish) -> None:
    write_geopackage(path, [(out, wish.style)])


def _flatgeobuf(path: Path, out: Outgoing, _: Wish) -> None:
    write_flatgeobuf(path, out)


def _parquet(path: Path, out: Outgoing, _: Wish) -> None:
    write_geoparquet(path, out)


def _shapefile(path: Path, out: Outgoing, _: Wish) -> None:
    write_shapefile(path, out)


def _workbook(path: Path, out: Outgoing, _: Wish) -> None:
    write_workbook(path, out)


FORMATS: dict[str, Callable[[Path, Outgoing, Wish], None]] = {
    "geojson": _geojson,
    "gpkg": _geopackage,
    "fgb": _flatgeobuf,
    "parquet": _parquet,
    "zip": _shapefile,
    "kml": _kml,
    "csv": _csv,
    "xlsx": _workbook,
}
"""How a file is written, by the suffix of its name."""

SUFFIXES: dict[str, str] = {
    "geojson": "geojson",
    "gpkg": "gpkg",
    "fgb": "fgb",
    "parquet": "parquet",
    "shp": "zip",
    "kml": "kml",
    "csv": "csv",
    "xlsx": "xlsx",
}
"""Suffix of a format's file, by the name of the format."""

BESIDE = frozenset({"csv", "fgb"})
"""Formats whose manifest has its place beside the file: inside there is none, or none for all of it."""


def write_layer(path: Path, layer: Layer | Flow, suffix: str, *, crs: str = "wgs84") -> None:
    """Write a layer as a file alone, as `write_export` does.

    Parameters
    ----------
    suffix : str
        One of `FORMATS`.
    """
    flow = flow_of(layer) if isinstance(layer, Layer) else layer
    out = Outgoing(flow, crs)
    replace_whole(path, lambda draft: FORMATS[suffix](draft, out, Wish()))


def write_export(
    path: Path,
    flow: Flow,
    fmt: str,
    *,
    crs: str = "wgs84",
    manifest: Mapping[str, Any] | None = None,
    wish: Wish | None = None,
) -> dict[str, Any]:
    """Write a layer with its manifest, which is inside the file or beside it; gives the manifest.

    Parameters
    ----------
    fmt : str
        One of `SUFFIXES`.
    crs : str
        Coordinate system of the file.
    manifest : mapping, optional
        What is known of the layer.

    Raises
    ------
    InvalidInput
        There is no such system, or the format cannot say it; the folder may not be written.
    TooLarge
        More rows than the format can hold.
    """
    out, wanted = Outgoing(flow, crs, manifest), wish or Wish()
    writes = {path: lambda draft: FORMATS[SUFFIXES[fmt]](draft, out, wanted)}
    if fmt in BESIDE:
        beside = path.with_name(f"{path.name}.manifest.json")
        writes[beside] = lambda draft: _told(draft, out.manifest(format=fmt))
    replace_together(writes)
    return out.manifest(format=fmt)


def _told(path: Path, manifest: Mapping[str, Any]) -> None:
    path.write_bytes(orjson.dumps(manifest, option=orjson.OPT_INDENT_2 | orjson.OPT_UTC_Z) + b"\n")
