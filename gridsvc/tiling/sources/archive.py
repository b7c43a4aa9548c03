"""Archives: what is inside is unpacked under limits, by names of our own."""

from __future__ import annotations

import shutil
import stat
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path, PurePosixPath
from tempfile import TemporaryDirectory

from gridsvc.errors import InvalidInput, UnreadableFile
from gridsvc.tiling.sources.kinds import FORMATS
from gridsvc.tiling.sources.rows import Limits

__all__ = ["unpacked"]

_LAYERS = {".shp", ".gpkg", ".fgb", ".geojson", ".json", ".kml", ".parquet", ".csv"}
_BESIDE = {".shx", ".dbf", ".prj", ".cpg"}
_MOST_ENTRIES = 2_000


@contextmanager
def unpacked(path: Path, limits: Limits) -> Iterator[list[Path]]:
    """The layers' files of an archive, unpacked as long as the context lasts.

    Raises
    ------
    UnreadableFile
        Damaged, locked, nested, or without a layer.
    InvalidInput
        Unpacks to more than allowed, or an entry leads out of the archive.
    """
    with TemporaryDirectory(prefix="gridsvc-") as folder:
        try:
            with zipfile.ZipFile(path) as archive:
                found = _entries(archive, path.name, limits)
                files = _unpack(archive, found, Path(folder), path.name)
        except (zipfile.BadZipFile, zlib.error, OSError, EOFError, NotImplementedError, RuntimeError):
            raise UnreadableFile(
                "is a damaged or locked archive", source=path.name, cure="pack it again without a password"
            ) from None
        yield [file for file in files if file.suffix in _LAYERS]


def _entries(archive: zipfile.ZipFile, source: str, limits: Limits) -> list[zipfile.ZipInfo]:
    entries = archive.infolist()
    if len(entries) > _MOST_ENTRIES:
        raise InvalidInput(
            f"holds {len(entries):,} files", source=source, cure="pack the layer's files alone"
        )
    for number, entry in enumerate(entries, 1):
        _check_place(entry, number, source)
    kept = [e for e in entries if not e.is_dir() and _suffix(e) in _LAYERS | _BESIDE and not _hidden(e)]
    if sum(entry.file_size for entry in kept) > limits.unpacked:
        raise _too_much(source, limits)
    if not any(_suffix(entry) in _LAYERS for entry in kept):
        nested = any(_suffix(entry) in {".zip", ".kmz", ".rar", ".7z"} for entry in entries)
        what = "holds another archive, but no layer" if nested else "holds no layer"
        raise UnreadableFile(what, source=source, cure=f"pack the files of one layer: {FORMATS}")
    return kept


def _check_place(entry: zipfile.ZipInfo, number: int, source: str) -> None:
    place = PurePosixPath(entry.filename.replace("\\", "/"))
    outside = place.is_absolute() or ".." in place.parts or ":" in entry.filename
    if outside or stat.S_ISLNK(entry.external_attr >> 16):
        raise InvalidInput(
            f"entry {number} leads out of the archive", source=source, cure="pack the layer's files alone"
        )


def _hidden(entry: zipfile.ZipInfo) -> bool:
    """What macOS packs beside each file."""
    return any(part.startswith((".", "__MACOSX")) for part in PurePosixPath(entry.filename).parts)


def _suffix(entry: zipfile.ZipInfo) -> str:
    return PurePosixPath(entry.filename.replace("\\", "/")).suffix.lower()


def _too_much(source: str, limits: Limits) -> InvalidInput:
    return InvalidInput(
        f"unpacks to more than {limits.unpacked // 1_000_000} MB", source=source, cure="split the layer"
    )


def _unpack(
    archive: zipfile.ZipFile, entries: list[zipfile.ZipInfo], folder: Path, source: str
) -> list[Path]:
    files = []
    for entry in entries:
        target = folder / _name(entry)
        if target.exists():
            raise InvalidInput(
                "holds two files of one name", source=source, field=target.name, cure="rename one of them"
            )
        with archive.open(entry) as packed, target.open("wb") as out:
            shutil.copyfileobj(packed, out)  # never more than the entry's header says, which was checked
        files.append(target)
    return files


def _name(entry: zipfile.ZipInfo) -> str:
    """The entry's own name, without folders; older programs write Chinese names as GBK without saying so."""
    name = entry.filename
    if not entry.flag_bits & 0x800:
        try:
            name = name.encode("cp437").decode("gb18030")
        except (UnicodeEncodeError, UnicodeDecodeError):
            name = entry.filename
    place = PurePosixPath(name.replace("\\", "/"))
    return f"{place.stem[:80]}{place.suffix.lower()}".replace("\0", "_")
