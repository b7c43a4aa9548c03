"""Layers as files, written under a temporary name and renamed, so that nobody sees half a file."""

from __future__ import annotations

import secrets
import warnings
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import shapely

from gridsvc import crs as crs_
from gridsvc.errors import InvalidInput
from gridsvc.exchange.geojson import feature_collection
from gridsvc.exchange.layers import Layer

__all__ = ["FORMATS", "replace_together", "replace_whole", "write_into", "write_layer"]


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


def _write_geojson(path: Path, layer: Layer, crs: str, members: Mapping[str, Any]) -> None:
    with path.open("wb") as file:
        file.writelines(feature_collection(layer.geometry, layer.rows(), crs=crs, members=members))


def _frame(layer: Layer, crs: str) -> Any:
    import geopandas

    # GCJ-02 and BD-09 have no code; a file that claimed WGS-84 would sit in the wrong place without a word.
    known = None if crs in {"gcj02", "bd09"} else "EPSG:4326" if crs == "wgs84" else crs
    shapes = crs_.geometry_from_wgs84(layer.geometry, crs)
    return geopandas.GeoDataFrame(dict(layer.columns), geometry=shapes, crs=known)


def write_into(path: Path, layer: Layer) -> None:
    """Add a layer in WGS-84 to a GeoPackage, which is made if it is not there."""
    _frame(layer, "wgs84").to_file(path, driver="GPKG", engine="pyogrio", layer=layer.name)


def _write_with(driver: str) -> Callable[[Path, Layer, str, Mapping[str, Any]], None]:
    def write(path: Path, layer: Layer, crs: str, _: Mapping[str, Any]) -> None:
        with warnings.catch_warnings():
            # Said on purpose: a file in GCJ-02 has no code to give.
            warnings.filterwarnings("ignore", message="'crs' was not provided")
            _frame(layer, crs).to_file(path, driver=driver, engine="pyogrio", layer=layer.name)

    return write


def _write_parquet(path: Path, layer: Layer, crs: str, _: Mapping[str, Any]) -> None:
    _frame(layer, crs).to_parquet(path, index=False)


def _write_csv(path: Path, layer: Layer, crs: str, _: Mapping[str, Any]) -> None:
    import pandas as pd

    shapes = shapely.to_wkt(crs_.geometry_from_wgs84(layer.geometry, crs))
    pd.DataFrame({**layer.columns, "wkt": shapes}).to_csv(path, index=False)


FORMATS: dict[str, Callable[[Path, Layer, str, Mapping[str, Any]], None]] = {
    "geojson": _write_geojson,
    "gpkg": _write_with("GPKG"),
    "fgb": _write_with("FlatGeobuf"),
    "parquet": _write_parquet,
    "csv": _write_csv,
}
"""Name of the format -> how it is written."""


def write_layer(
    path: Path, layer: Layer, fmt: str, *, crs: str = "wgs84", members: Mapping[str, Any] | None = None
) -> None:
    """Write a layer as a file.

    Parameters
    ----------
    fmt : str
        One of `FORMATS`.
    crs : str
        Coordinate system of the file.
    members : mapping, optional
        Further top-level members, for GeoJSON.
    """
    name = crs_.normalise(crs)
    replace_whole(path, lambda draft: FORMATS[fmt](draft, layer, name, members or {}))
