"""The places of one territory: point -> row of its cell, cell id <-> row, in the territory or not.

All of it can be written as arrays and made again from them, so that processes can share one mapped file.
Loaded by API workers: numpy, h3 and shapely only.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Mapping
from itertools import pairwise
from threading import Lock
from typing import Any

import h3 as h3_text
import numpy as np
import shapely
from numpy.typing import NDArray

from gridsvc.tiling.hexes import is_h3
from gridsvc.tiling.locate import Locator

__all__ = ["Places"]

Floats = NDArray[np.float64]
Rows = NDArray[np.int64]

_HEX = np.array([f"{byte:02x}" for byte in range(256)], "S2").view(np.uint16)  # a byte as two characters


class Places:
    """The lookup half of one tiling of one territory; `Places.of` makes it. Safe to share between threads."""

    def __init__(self, kind: str, resolution: int | None, arrays: Mapping[str, NDArray[Any]]) -> None:
        self.kind, self.resolution, self._arrays = kind, resolution, dict(arrays)
        self._boundary = _polygons(arrays, "boundary")[0]
        self._lock = Lock()
        shapely.prepare(self._boundary)
        shapely.intersects_xy(self._boundary, *shapely.get_coordinates(self._boundary)[0])
        if resolution is not None:
            self._ids = arrays["ids"]
            self._sorted = self._ids.data
            self._locator = Locator.of_h3(resolution, self._ids)
            self._names: list[str] = []
        else:
            self._names = _texts(arrays, "names")
            self._locator = Locator.of_polygons(_polygons(arrays, "geometry"))

    @classmethod
    def of(
        cls,
        kind: str,
        resolution: int | None,
        ids: NDArray[Any],
        geometry: NDArray[np.object_] | None,
        boundary: shapely.MultiPolygon,
    ) -> Places:
        """The places of a tiling.

        Parameters
        ----------
        kind : {"h3", "polygons"}
        resolution : int or None
            H3 resolution; None for polygons.
        ids : array, shape (n_cells,)
            uint64 H3 indexes, or text codes (object) of polygons; ascending and unique.
        geometry : object array of shapely (multi)polygons, shape (n_cells,), WGS-84, or None
            The cells of a polygon tiling; not needed for H3.
        boundary : shapely.MultiPolygon, WGS-84
            The territory.
        """
        arrays = dict(_blob("boundary", shapely.to_wkb(np.array([boundary], object)).tolist()))
        if kind == "h3":
            arrays["ids"] = np.ascontiguousarray(ids, np.uint64)
            return cls(kind, resolution, arrays)
        if geometry is None:
            raise TypeError("a polygon tiling needs its polygons")
        arrays |= _blob("names", [_encode(str(name)) for name in ids])
        arrays |= _blob("geometry", shapely.to_wkb(geometry).tolist())
        return cls(kind, None, arrays)

    @classmethod
    def of_arrays(cls, meta: Mapping[str, Any], arrays: Mapping[str, NDArray[Any]]) -> Places:
        """Made again from `meta` and `arrays`, without copying; the arrays may be read-only maps."""
        return cls(meta["kind"], meta["resolution"], arrays)

    def meta(self) -> dict[str, Any]:
        """What `of_arrays` needs beside the arrays, JSON-able."""
        return {"kind": self.kind, "resolution": self.resolution}

    def arrays(self) -> dict[str, NDArray[Any]]:
        """What `of_arrays` needs, by name."""
        return self._arrays

    def __len__(self) -> int:
        return len(self._names) if self.resolution is None else len(self._ids)

    def row(self, lon: float, lat: float) -> int:
        """Row of one point's cell, -1 where there is none; WGS-84 degrees."""
        return self._locator.row(lon, lat)

    def rows(self, lon: Floats, lat: Floats) -> Rows:
        """Row of each point's cell, int64 array, shape (n,): -1 where none has it or it is no point."""
        return self._locator.rows(lon, lat)

    def find(self, cell: str) -> int:
        """Row of a cell given by its id, -1 where there is none of that id."""
        if self.resolution is None:
            return _position(self._names, cell)
        return _position(self._sorted, h3_text.str_to_int(cell)) if is_h3(cell) else -1

    def name(self, row: int) -> str:
        """Id of a row's cell, as text."""
        return self._names[row] if self.resolution is None else f"{self._sorted[row]:x}"

    def names(self, rows: Rows) -> NDArray[np.object_]:
        """Ids of cells as text, object array, shape (n,); None where a row is -1."""
        out = np.full(len(rows), None, object)
        hit = np.flatnonzero(rows >= 0)
        out[hit] = [self.name(row) for row in rows[hit].tolist()]
        return out

    def hex_bytes(self, rows: Rows) -> NDArray[np.uint8]:
        """Ids of H3 cells as text, uint8 array, shape (n, 15); blanks where a row is -1."""
        if self.resolution is None:
            raise TypeError("polygons have no H3 ids")
        big = self._ids.take(rows, mode="wrap").astype(">u8").view(np.uint8)
        out = _HEX.take(big).view(np.uint8).reshape(-1, 16)[:, 1:]
        out[rows < 0] = ord(" ")
        return out

    def table(self) -> NDArray[np.object_]:
        """Ids of all cells as text, object array, shape (n_cells,)."""
        return self.names(np.arange(len(self)))

    @property
    def boundary(self) -> shapely.MultiPolygon:
        """The territory, WGS-84."""
        return self._boundary

    def polygons(self) -> NDArray[np.object_]:
        """Outlines of a polygon tiling's cells, object array, shape (n_cells,), WGS-84."""
        if self.resolution is not None:
            raise TypeError("H3 cells are known by their ids")
        return _polygons(self._arrays, "geometry")

    def inside(self, lon: float, lat: float, row: int) -> bool:  # noqa: ARG002
        """Whether a point lies in the territory, border included; `row` is its cell's, -1 for none."""
        return bool(shapely.intersects_xy(self._boundary, lon, lat))

    def covers(self, lon: Floats, lat: Floats) -> NDArray[np.bool_]:
        """Whether each point lies in the territory, border included; bool array, shape (n,)."""
        out: NDArray[np.bool_] = shapely.intersects_xy(self._boundary, lon, lat)
        return out


def _encode(text: str) -> bytes:
    return text.encode("utf-8", "surrogatepass")


def _blob(name: str, texts: list[bytes]) -> dict[str, NDArray[Any]]:
    """Byte strings one after the other, and where each ends."""
    ends = np.cumsum([0, *map(len, texts)])
    return {name: np.frombuffer(b"".join(texts), np.uint8), f"{name}_at": ends.astype(np.int64)}


def _parts(arrays: Mapping[str, NDArray[Any]], name: str) -> list[bytes]:
    data, at = arrays[name].data, arrays[f"{name}_at"].tolist()
    return [bytes(data[a:b]) for a, b in pairwise(at)]


def _texts(arrays: Mapping[str, NDArray[Any]], name: str) -> list[str]:
    return [text.decode("utf-8", "surrogatepass") for text in _parts(arrays, name)]


def _polygons(arrays: Mapping[str, NDArray[Any]], name: str) -> NDArray[np.object_]:
    out: NDArray[np.object_] = shapely.from_wkb(np.array(_parts(arrays, name), object))
    return out


def _position(items: Any, wanted: Any) -> int:
    at = bisect_left(items, wanted)
    return at if at < len(items) and items[at] == wanted else -1
