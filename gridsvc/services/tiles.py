"""Vector tiles of collections of features, kept on disk by version."""

from __future__ import annotations

import hashlib
import os
import shutil
import threading
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import shapely
from numpy.typing import NDArray

from gridsvc.errors import NotFound
from gridsvc.exchange.tiles.mercator import MAX_ZOOM, Tile, to_mercator
from gridsvc.exchange.tiles.mvt import BUFFER, EXTENT, encode
from gridsvc.exchange.tiles.simplify import simplified
from gridsvc.services.feature_tables import Shelf, Table
from gridsvc.services.features import Version, outlines, table
from gridsvc.store.database import Database

__all__ = ["MOST_CELLS", "TileCache", "tile"]

MOST_CELLS = 3000
"""Cells a tile holds; where there are more, their grids are drawn instead."""

_MARGIN = BUFFER / EXTENT
_LEFT_OUT = frozenset({"lead", "lead_name", "valid_from", "publication", "revision", "carve_out"})
_MOST_BYTES = 256 * 2**20
_MOST_VERSIONS = 24


class TileCache:
    """Tiles as files, a folder for each version of a collection; the oldest versions go first.

    Parameters
    ----------
    folder : Path
        May be deleted at any time.
    """

    def __init__(self, folder: Path, most_bytes: int = _MOST_BYTES) -> None:
        self._folder, self._most, self._lock = folder, most_bytes, threading.Lock()
        self._written = most_bytes  # so that what is there is counted at the first write

    def get(self, state: Version, wanted: Tile) -> bytes | None:
        """A tile which was kept; None if it was not."""
        try:
            return self._path(state, wanted).read_bytes()
        except OSError:
            return None

    def put(self, state: Version, wanted: Tile, block: bytes) -> None:
        """Keep a tile; a full disk only means that it is made again."""
        path = self._path(state, wanted)
        draft = path.with_suffix(f".{os.getpid()}-{threading.get_ident()}")
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            draft.write_bytes(block)
            draft.replace(path)
        except OSError:
            draft.unlink(missing_ok=True)
            return
        with self._lock:
            self._written += len(block) + 4096
            if self._written > self._most // 8:
                self._written = 0
                self._sweep(keep=path.parent)

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


def _size(folder: Path) -> int:
    return sum(4096 + file.stat().st_size for file in folder.glob("*.mvt"))


def tile(db: Database, shelf: Shelf, cache: TileCache | None, state: Version, wanted: Tile) -> bytes:
    """One tile of a collection at a version; empty where nothing lies.

    Cells are drawn where a tile holds at most `MOST_CELLS` of them, else the grids they belong to, as a layer
    ``grids`` in their stead.

    Raises
    ------
    NotFound
        There is no such tile.
    """
    if not wanted.exists:
        raise NotFound("there is no such tile", field="tile", cure=f"zoom is 0 to {MAX_ZOOM}; see the limits")
    kept = None if cache is None else cache.get(state, wanted)
    if kept is not None:
        return kept
    block = _drawn(db, shelf, state, wanted)
    if cache is not None:
        cache.put(state, wanted, block)
    return block


def _drawn(db: Database, shelf: Shelf, state: Version, wanted: Tile) -> bytes:
    found = table(db, shelf, state)
    if found.geometry is not None:
        return _whole(found, wanted)
    with db.read() as reader:
        rows, _ = reader.features.near(found.tiling, wanted.box(_MARGIN))
    if len(rows) > MOST_CELLS:
        return _whole(table(db, shelf, state, "grids"), wanted)
    if not len(rows):
        return b""
    columns = {name: [values[row] for row in rows.tolist()] for name, values in _shown(found).items()}
    return encode(
        "cells", to_mercator(outlines(db, found, rows)), columns, (rows + 1).tolist(), wanted.bounds
    )


def _whole(found: Table, wanted: Tile) -> bytes:
    """Of outlines which are all at hand, as detailed as can be seen at the zoom."""
    geometry = _at_zoom(found, wanted.zoom)
    west, south, east, north = wanted.bounds
    more = _MARGIN * (east - west)
    box = shapely.box(west - more, south - more, east + more, north + more)
    rows = np.flatnonzero(shapely.intersects(shapely.envelope(geometry), box))
    columns = {name: [values[row] for row in rows.tolist()] for name, values in _shown(found).items()}
    return encode(found.kind, geometry[rows], columns, (rows + 1).tolist(), wanted.bounds)


def _at_zoom(found: Table, zoom: int) -> NDArray[np.object_]:
    assert found.geometry is not None  # noqa: S101 - asked where there are outlines only
    if "mercator" not in found.drawn:
        found.drawn["mercator"] = to_mercator(found.geometry)
    if zoom not in found.drawn:
        made = simplified(found.drawn["mercator"], found.over, zoom, found.finest)
        found.drawn[zoom] = made
    return found.drawn[zoom]


def _shown(found: Table) -> Mapping[str, list[Any]]:
    return {name: values for name, values in found.columns.items() if name not in _LEFT_OUT}
