"""What tiles are made of and tiles which were made, as files: may be deleted at any time."""

from __future__ import annotations

import hashlib
import os
import shutil
import threading
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from gridsvc.exchange.tiles.mercator import Tile
from gridsvc.exchange.tiles.rings import Rings
from gridsvc.ownership.container import DamagedFileError
from gridsvc.services.features import Version
from gridsvc.services.kept import Kept

__all__ = ["TileFiles"]

_MOST_BYTES = 256 * 2**20
_MOST_VERSIONS = 24
_MOST_ROWS = 1_000_000


class TileFiles:
    """Tiles, a folder for each version of a collection, and outlines of cells, a file for each tiling.

    Of both the oldest go first. All workers of a machine share them; a disk which is full or may not be
    written only means that things are made again.

    Parameters
    ----------
    folder : Path
    most_bytes : int
        Of tiles; of outlines as much again.
    """

    def __init__(self, folder: Path, most_bytes: int = _MOST_BYTES) -> None:
        self._folder, self._most, self._lock = folder, most_bytes, threading.Lock()
        self._written = most_bytes  # so that what is there is counted at the first write
        self._open = Kept[Rings](_MOST_ROWS)

    def get(self, state: Version, wanted: Tile) -> bytes | None:
        """A tile which was kept; None if it was not."""
        try:
            return self._path(state, wanted).read_bytes()
        except OSError:
            return None

    def put(self, state: Version, wanted: Tile, block: bytes) -> None:
        """Keep a tile."""
        path = self._path(state, wanted)
        draft = path.with_suffix(f".{os.getpid()}-{threading.get_ident()}")
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            draft.write_bytes(block)
            draft.replace(path)
        except OSError:
            with suppress(OSError):
                draft.unlink()
            return
        with self._lock:
            self._written += len(block) + 4096
            if self._written > self._most // 8:
                self._written = 0
                with suppress(OSError):  # another worker may be at it
                    self._sweep(keep=path.parent)

    def rings(self, tiling: str, made: Callable[[], Rings]) -> Rings:
        """Outlines of a tiling's cells: a tiling never changes, so they are read from the database once."""
        return self._open.get((tiling,), lambda: self._mapped(self._folder / f"{tiling}.rings", made))

    def _mapped(self, path: Path, made: Callable[[], Rings]) -> Rings:
        with suppress(OSError, DamagedFileError):
            return Rings.open(path)
        found = made()
        with suppress(OSError):
            path.parent.mkdir(parents=True, exist_ok=True)
            found.save(path)
            self._sweep_rings()
            return Rings.open(path)  # mapped, so that workers share it
        return found

    def _path(self, state: Version, wanted: Tile) -> Path:
        name = hashlib.sha256(f"{state.collection.id}\n{state.token}".encode()).hexdigest()[:24]
        return self._folder / name / f"{wanted.zoom}-{wanted.row}-{wanted.col}.mvt"

    def _sweep(self, keep: Path) -> None:
        folders = [entry for entry in self._folder.iterdir() if entry.is_dir() and entry != keep]
        folders.sort(key=lambda entry: entry.stat().st_mtime, reverse=True)
        room = self._most - _size(keep)
        for place, entry in enumerate(folders):
            room -= _size(entry)
            if room < 0 or place >= _MOST_VERSIONS:
                shutil.rmtree(entry, ignore_errors=True)
        if room < 0 and not folders:
            shutil.rmtree(keep, ignore_errors=True)

    def _sweep_rings(self) -> None:
        files = sorted(self._folder.glob("*.rings"), key=lambda file: file.stat().st_mtime, reverse=True)
        room = self._most
        for file in files:
            room -= file.stat().st_size
            if room < 0:
                file.unlink(missing_ok=True)  # who has it mapped goes on reading it


def _size(folder: Path) -> int:
    return sum(4096 + file.stat().st_size for file in folder.glob("*.mvt"))
