"""A layer of any file as plain rows."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from gridsvc.errors import InvalidInput
from gridsvc.tiling.sources import archive
from gridsvc.tiling.sources.geojsontext import read_geojson, read_lines
from gridsvc.tiling.sources.kinds import kind_of
from gridsvc.tiling.sources.parquet import read_parquet
from gridsvc.tiling.sources.rows import EVERYTHING, LIMITS, Choice, Limits, Rows, with_columns
from gridsvc.tiling.sources.systems import named_system
from gridsvc.tiling.sources.tables import read_table_layer
from gridsvc.tiling.sources.vector import indexes_made, layer_names, pick, read_vector

__all__ = ["layers_of", "names_layer", "of_layer", "read"]

_MANY = {"gpkg", "kml"}


def read(path: Path, choice: Choice = EVERYTHING, limits: Limits = LIMITS) -> Rows:
    """Read one layer of a file.

    Parameters
    ----------
    path : Path
        A file, or ``FILE::LAYER``.

    Raises
    ------
    UnreadableFile
        Damaged, of an unknown format, or not what its name says.
    InvalidInput
        Several layers and none named, or over a limit.
    UnknownColumn
        A named column is not there.
    InvalidGeometry
        A geometry which cannot be built, with its row.
    """
    path, choice = _split(Path(path), choice)
    kind = kind_of(path, limits)
    if kind != "zip":
        return _named(_read(path, kind, choice, limits), path.name, choice)
    with _speaking_of(path), archive.unpacked(path, limits) as files, indexes_made():
        inner, layer = _inside(files, choice.layer, path.name, limits)
        rows = _read(inner, kind_of(inner, limits), replace(choice, layer=layer), limits)
        return _named(rows, path.name, choice)


def names_layer(path: Path) -> bool:
    """Whether a path is ``FILE::LAYER``."""
    name, mark, layer = path.name.rpartition("::")
    return bool(mark and name and layer) and not path.exists()


def of_layer(path: Path, layer: str | None) -> Path:
    """A path as ``FILE::LAYER``; as it is where no layer is named.

    Raises
    ------
    InvalidInput
        No layer can be called so.
    """
    if not layer:
        return path
    if "/" in layer or "\0" in layer:
        raise InvalidInput(
            f"has no layer {layer!r}", source=path.name, field="layer", cure="name one of the file's"
        )
    return path.with_name(f"{path.name}::{layer}")


def _split(path: Path, choice: Choice) -> tuple[Path, Choice]:
    """``FILE::LAYER`` names a layer where no option does: a command may be given several files."""
    if choice.layer is not None or not names_layer(path):
        return path, choice
    name, _, layer = path.name.rpartition("::")
    return path.with_name(name), replace(choice, layer=layer)


@contextmanager
def _speaking_of(path: Path) -> Iterator[None]:
    """Faults of what is inside an archive name the archive, which is what the caller knows."""
    try:
        yield
    except InvalidInput as error:
        error.source = path.name
        raise


def _read(path: Path, kind: str, choice: Choice, limits: Limits) -> Rows:
    if kind == "geojson":
        rows = replace(read_geojson(path, limits), layer=path.stem)
    elif kind == "geojsonl":
        rows = replace(read_lines(path, limits), layer=path.stem)
    elif kind == "parquet":
        rows = read_parquet(path, choice, limits)
    elif kind in {"csv", "xlsx"}:
        rows = read_table_layer(path, kind, choice, limits)
    else:
        return read_vector(path, kind, choice, limits)
    if choice.layer is not None and kind != "xlsx":  # a sheet was picked by its name
        pick([rows.layer], choice.layer, path.name)
    return limits.check(rows)


def _named(rows: Rows, source: str, choice: Choice) -> Rows:
    crs, note = named_system(rows.crs, source)
    notes = rows.notes if note is None else (*rows.notes, note)
    return with_columns(replace(rows, crs=crs, source=source, notes=notes), choice.columns)


def layers_of(path: Path, limits: Limits = LIMITS) -> list[str]:
    """Names of a file's layers with geometry.

    Raises
    ------
    UnreadableFile, InvalidInput
        As `read`.
    """
    path = Path(path)
    kind = kind_of(path, limits)
    if kind == "zip":
        with _speaking_of(path), archive.unpacked(path, limits) as files, indexes_made():
            return [name for file in files for name in _layers(file, limits)]
    return layer_names(path) if kind in _MANY else [path.stem]


def _layers(file: Path, limits: Limits) -> list[str]:
    return layer_names(file) if kind_of(file, limits) in _MANY else [file.stem]


def _inside(files: list[Path], wanted: str | None, source: str, limits: Limits) -> tuple[Path, str | None]:
    """The file of an archive which holds the wanted layer, and the layer's name in it."""
    by_name: dict[str, Path] = {}
    for file in files:
        for name in _layers(file, limits):
            if name in by_name:
                raise InvalidInput(
                    "holds two layers of one name", source=source, field=name, cure="rename one of them"
                )
            by_name[name] = file
    chosen = pick(list(by_name), wanted, source)
    return by_name[chosen], chosen
