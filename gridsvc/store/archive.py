"""The file of a backup: a zip whose last bytes are the checksum of all others."""

from __future__ import annotations

import hashlib
import json
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any

from gridsvc.errors import UnreadableFile

__all__ = ["FORMAT", "LEFT_OUT", "MANIFEST", "UNSEALED", "damaged", "lines", "seal", "verified"]

FORMAT = 1
"""Counts up when older versions of gridsvc could not read a backup any more."""

MANIFEST = "manifest.json"

LEFT_OUT = {
    "layers": "uploaded layers: files, to be copied or uploaded again",
    "uploads": "files of jobs which have not ended: those jobs fail, and are started again",
    "exports": "results of exports: they can be made again",
    "published": "current.gpkg: each publication makes it",
    "ownership": "files which lookups map: the service makes them",
}
"""Folders of files beside the database, and what that means: said in the manifest."""

_DIGITS = 64
_BLOCK = 1 << 20
UNSEALED = b"0" * _DIGITS
"""What stands in the place of the checksum until `seal` writes it."""


def damaged(path: Path, what: str) -> UnreadableFile:
    """Return the error for a file which is not as it was written."""
    return UnreadableFile(what, source=path.name, cure="use another copy, or another backup")


def _checksum(file: IO[bytes]) -> str:
    size = file.seek(0, 2) - _DIGITS
    file.seek(0)
    digest = hashlib.sha256()
    while size > 0:
        block = file.read(min(_BLOCK, size))
        digest.update(block)
        size -= len(block)
    return digest.hexdigest()


def seal(file: IO[bytes]) -> None:
    """Write the checksum of what is before it over the last bytes, the comment of the zip."""
    checksum = _checksum(file)
    file.seek(-_DIGITS, 2)
    file.write(checksum.encode())
    file.flush()


def lines(archive: zipfile.ZipFile, table: str) -> Iterator[bytes]:
    """Rows of a table as they were written, one line each."""
    with archive.open(f"{table}.jsonl") as stream:
        yield from stream


def verified(path: Path) -> dict[str, Any]:
    """Read the whole file, and return its manifest.

    Raises
    ------
    UnreadableFile
        It cannot be opened, is not a backup, was cut off or altered, or is of a newer format.
    """
    try:
        with path.open("rb") as file:
            if file.seek(0, 2) <= _DIGITS:
                raise damaged(path, "is not a backup, or was cut off")
            checksum = _checksum(file)
            if file.read(_DIGITS) != checksum.encode():
                raise damaged(path, "is not a backup, or was cut off or altered")
        with zipfile.ZipFile(path) as archive:
            return _judged(path, archive)
    except OSError:
        raise UnreadableFile("cannot be opened", source=path.name, cure="check the name and place") from None
    except (zipfile.BadZipFile, KeyError, ValueError, TypeError) as error:
        if isinstance(error, UnreadableFile):
            raise
        raise damaged(path, "is not a backup") from None


def _judged(path: Path, archive: zipfile.ZipFile) -> dict[str, Any]:
    manifest: dict[str, Any] = json.loads(archive.read(MANIFEST))
    if manifest["format"] > FORMAT:
        raise UnreadableFile("is of a newer version", source=path.name, cure="update gridsvc")
    for name, told in manifest["tables"].items():
        digest, rows = hashlib.sha256(), 0
        for line in lines(archive, name):
            digest.update(line)
            rows += 1
        if (rows, digest.hexdigest()) != (told["rows"], told["sha256"]):
            raise damaged(path, f"table {name} is not as it was written")
    return manifest
