"""GeoPackage, Shapefile, FlatGeobuf and KML, read by GDAL into Arrow."""

from __future__ import annotations

import sqlite3
import struct
import warnings
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path

import numpy as np

from gridsvc.errors import InvalidInput
from gridsvc.tiling.sources.arrow import geometry_of, plain_columns
from gridsvc.tiling.sources.dbf import text_encoding
from gridsvc.tiling.sources.kinds import unreadable
from gridsvc.tiling.sources.rows import Choice, Limits, Rows

__all__ = ["indexes_made", "layer_names", "pick", "read_vector"]

# What the KML driver adds to each feature and hardly any file has.
_KML_EXTRA = {
    *(
        "timestamp",
        "begin",
        "end",
        "altitudeMode",
        "tessellate",
        "extrude",
        "visibility",
        "drawOrder",
        "icon",
    ),
    "snippet",
}


def layer_names(path: Path) -> list[str]:
    """Names of the layers with geometry (a GeoPackage may open with tables of other kinds).

    Raises
    ------
    UnreadableFile
        Damaged, or without one.
    """
    import pyogrio

    try:
        with _quiet():
            found = [str(name) for name, kind in pyogrio.list_layers(path) if kind is not None]
    except _failures():
        raise unreadable(path.name) from None
    if not found:
        raise unreadable(path.name)
    return found


def pick(names: Sequence[str], wanted: str | None, source: str) -> str:
    """The layer that is wanted; the only one where none is named.

    Raises
    ------
    InvalidInput
        There is none of that name, or there are several to choose from; lists them.
    """
    if wanted is None and len(names) == 1:
        return names[0]
    if wanted in names:
        return str(wanted)
    listed = ", ".join(names[:20]) + (", ..." if len(names) > 20 else "")
    raise InvalidInput(
        "has several layers" if wanted is None else f"has no layer {wanted!r}",
        source=source,
        field="layer",
        cure=f"name one with --layer, or as {source}::NAME: {listed}",
        layers=list(names),
    )


def read_vector(path: Path, kind: str, choice: Choice, limits: Limits) -> Rows:
    """Read a layer of a file which GDAL knows.

    Raises
    ------
    UnreadableFile, InvalidInput, InvalidGeometry
        Naming the layer, the row or the column.
    """
    import pyogrio

    layer = pick(layer_names(path), choice.layer, path.name)
    encoding, note = text_encoding(path) if kind == "shp" else (None, None)
    _check_sizes(path, kind, layer, limits)
    try:
        with _quiet():
            info = pyogrio.read_info(path, layer=layer)
            limits.check_columns([str(name) for name in info["fields"]], path.name)
            limits.check_features(int(info["features"]), path.name)
            meta, table = pyogrio.read_arrow(path, layer=layer, encoding=encoding)
    except InvalidInput:
        raise
    except _failures():
        # The text of any of these may quote paths and data.
        raise unreadable(path.name) from None
    name = meta["geometry_name"] or "wkb_geometry"
    if name not in table.column_names:
        raise unreadable(path.name)
    columns = plain_columns(table, name, path.name)
    if kind == "kml":
        columns = {n: v for n, v in columns.items() if n not in _KML_EXTRA}
    geometry = geometry_of(table[name], path.name, limits)
    notes = () if note is None else (note,)
    return limits.check(Rows(geometry, columns, meta["crs"], path.name, layer, notes))


def _check_sizes(path: Path, kind: str, layer: str, limits: Limits) -> None:
    """Refuse geometries which are too large before one is read, where the file tells their sizes."""
    try:
        if kind == "shp":
            _check_shapes(path, limits)
        elif kind == "gpkg":
            _check_blobs(path, layer, limits)
    except (OSError, struct.error, sqlite3.Error, ValueError) as error:
        if isinstance(error, InvalidInput):
            raise
        raise unreadable(path.name) from None


def _check_shapes(path: Path, limits: Limits) -> None:
    """The index of a Shapefile has the length of each shape, in words of two bytes."""
    index = next((p for s in (".shx", ".SHX") if (p := path.with_suffix(s)).is_file()), None)
    if index is None:
        limits.check_vertices([path.stat().st_size // 16], path.name)
        return
    block = index.read_bytes()[100:]
    lengths = np.frombuffer(block, ">i4", len(block) // 8 * 2).reshape(-1, 2)[:, 1].astype(np.int64)
    limits.check_vertices(np.maximum(lengths, 0) * 2 // 24, path.name)


def _check_blobs(path: Path, layer: str, limits: Limits) -> None:
    with closing(sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro&immutable=1", uri=True)) as connection:
        column = connection.execute(
            "select column_name from gpkg_geometry_columns where table_name = ?", (layer,)
        ).fetchone()
        if column is None or '"' in layer or '"' in column[0]:
            return
        large = connection.execute(
            f'select rowid, length("{column[0]}") from "{layer}" where length("{column[0]}") > ?',
            (limits.vertices * 24,),
        ).fetchone()
    if large is not None:
        raise limits.too_many_vertices(int(large[0]), path.name)


@contextmanager
def indexes_made() -> Iterator[None]:
    """Let the index of a Shapefile which came without be made beside it; not for folders of others."""
    import pyogrio

    pyogrio.set_gdal_config_options({"SHAPE_RESTORE_SHX": "YES"})
    try:
        yield
    finally:
        pyogrio.set_gdal_config_options({"SHAPE_RESTORE_SHX": None})


@contextmanager
def _quiet() -> Iterator[None]:
    """GDAL's remarks on a file quote its whole path."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)
        warnings.simplefilter("ignore", UserWarning)
        yield


def _failures() -> tuple[type[Exception], ...]:
    from pyogrio import errors

    return (
        ValueError,
        OSError,
        KeyError,
        errors.DataSourceError,
        errors.DataLayerError,
        errors.GeometryError,
        errors.FeatureError,
        errors.FieldError,
    )
