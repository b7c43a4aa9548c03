"""GeoPackage, Shapefile, FlatGeobuf and KML, read by GDAL into Arrow."""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from gridsvc.errors import InvalidInput
from gridsvc.tiling.sources.arrow import Batches, batch_rows
from gridsvc.tiling.sources.dbf import text_encoding
from gridsvc.tiling.sources.kinds import unreadable
from gridsvc.tiling.sources.rows import Choice, Limits, Rows, starved
from gridsvc.tiling.sources.sizes import check_sizes

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

    if kind == "kml":  # to tell its layers is to read all of it
        check_sizes(path, kind, "", limits)
    layer = pick(layer_names(path), choice.layer, path.name)
    encoding, note = text_encoding(path) if kind == "shp" else (None, None)
    if kind != "kml":
        check_sizes(path, kind, layer, limits)
    read = Batches(path.name, limits)
    try:
        with _quiet():
            info = pyogrio.read_info(path, layer=layer, encoding=encoding)
            names = _wanted([str(name) for name in info["fields"]], kind, choice)
            limits.check_columns(names, path.name)
            limits.check_features(int(info["features"]), path.name)
            options = {"layer": layer, "encoding": encoding, "columns": names, "use_pyarrow": True}
            rows = batch_rows(path.stat().st_size, int(info["features"]))
            with pyogrio.open_arrow(path, batch_size=rows, **options) as (meta, batches):
                name = meta["geometry_name"] or "wkb_geometry"
                for batch in batches:
                    read.add(batch, name)
    except InvalidInput:
        raise
    except _failures() as error:
        if starved(error):
            raise MemoryError from None
        # The text of any of these may quote paths and data.
        raise unreadable(path.name) from None
    notes = () if note is None else (note,)
    return limits.check(Rows(read.geometry(), read.columns(names), meta["crs"], path.name, layer, notes))


def _wanted(names: list[str], kind: str, choice: Choice) -> list[str]:
    """Columns to read: all, where one that is wanted is not there, so that they can be listed."""
    if choice.columns is not None and set(choice.columns) <= set(names):
        return list(choice.columns)
    return [name for name in names if kind != "kml" or name not in _KML_EXTRA]


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
