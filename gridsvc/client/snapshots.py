"""Snapshots kept in a folder: fetched once, asked about by their tag after that.

Each is a file whose name has its number and its tag, so that a file and what it is are put in place at once::

    <folder>/<service>/<territory>@<line>/<n>-<tag>.snapshot
"""

from __future__ import annotations

import hashlib
import os
import re
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import BinaryIO
from urllib.parse import quote

from gridsvc import ownership
from gridsvc.errors import UnreadableFile
from gridsvc.ownership.bundle import Bundle

__all__ = ["Shelf", "default_folder"]

_TAG = re.compile(r'"([A-Za-z0-9][A-Za-z0-9._-]{0,150})"')
_KEPT = 3600.0
"""Seconds after which a file whose place another took is deleted: somebody may be about to open it."""


def default_folder() -> Path:
    """The user's cache folder."""
    base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(base) / "gridsvc" / "snapshots"


class Shelf:
    """The snapshots of one territory and line.

    Parameters
    ----------
    folder : Path
        Of all snapshots.
    service : str
        Address they come from.
    """

    def __init__(self, folder: Path, service: str, territory: str, line: str) -> None:
        place = hashlib.sha256(service.encode()).hexdigest()[:16]
        self._folder = folder / place / f"{quote(territory, safe='')}@{quote(line, safe='')}"

    @staticmethod
    def territories(folder: Path, service: str, line: str) -> list[str]:
        """Territories of which something is kept."""
        place = folder / hashlib.sha256(service.encode()).hexdigest()[:16]
        return sorted(path.name.partition("@")[0] for path in place.glob(f"*@{quote(line, safe='')}"))

    def find(self, n: int) -> Path | None:
        """The newest whole file of a publication; damaged ones are deleted."""
        for path in sorted(self._folder.glob(f"{n}-*.snapshot"), key=_age):
            if _opened(path) is not None:
                return path
            _delete(path)
        return None

    def latest(self) -> Path | None:
        """The file of the publication which counts now, of those kept here."""
        numbers = {int(path.name.partition("-")[0]) for path in self._folder.glob("[0-9]*-*.snapshot")}
        for n in sorted(numbers, reverse=True):
            path = self.find(n)
            found = None if path is None else _opened(path)
            if found is not None and found.snapshot.moment.valid_from <= datetime.now(UTC):
                return path
        return None

    @staticmethod
    def tag(path: Path) -> str:
        """The ETag of a file."""
        return f'"{path.stem.partition("-")[2]}"'

    @contextmanager
    def draft(self) -> Iterator[BinaryIO]:
        """A new file under a temporary name, for `put`; it is deleted if nobody put it in its place."""
        self._folder.mkdir(parents=True, exist_ok=True)
        path = self._folder / f".{os.getpid()}-{os.urandom(4).hex()}.part"
        try:
            with path.open("wb") as file:
                yield file
        finally:
            path.unlink(missing_ok=True)

    def put(self, file: BinaryIO, n: int, tag: str | None) -> Path:
        """Check a draft and put it in its place.

        Raises
        ------
        UnreadableFile
            It is not whole.
        """
        file.flush()
        draft = Path(file.name)
        ownership.open(draft)
        known = _TAG.fullmatch(tag or "")
        path = self._folder / f"{n}-{known[1] if known else 'untagged'}.snapshot"
        draft.replace(path)
        for other in self._folder.glob(f"{n}-*.snapshot"):
            if other != path and _age(other) > _KEPT:
                _delete(other)
        return path


def _opened(path: Path) -> Bundle | None:
    try:
        return ownership.open(path)
    except UnreadableFile:
        return None


def _age(path: Path) -> float:
    try:
        return time.time() - path.stat().st_mtime
    except FileNotFoundError:
        return float("inf")


def _delete(path: Path) -> None:
    with suppress(OSError):  # where it is in use it stays
        path.unlink(missing_ok=True)
