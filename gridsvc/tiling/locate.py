"""Point -> cell of a tiling. Loaded by API workers: shapely, h3 and numpy only."""

from __future__ import annotations

from threading import Lock

import numpy as np
import shapely
from numpy.typing import NDArray

from gridsvc.tiling.atomlookup import AtomLookup, hex_rows
from gridsvc.tiling.cellids import CellIds
from gridsvc.tiling.hexlookup import BATCH, HexLookup
from gridsvc.tiling.lattice import Lattice
from gridsvc.tiling.parts import Parts
from gridsvc.tiling.raster import Raster
from gridsvc.tiling.tiling import Tiling

__all__ = ["Locator"]

Floats = NDArray[np.float64]
Rows = NDArray[np.int64]

_CHUNK = 200_000  # points a round: bounds the memory of candidate pairs
_EACH = 20  # a raster is made when so many points a corner of the polygons have been asked for


class Locator:
    """Finds the cell of points in one tiling; safe to share between threads.

    In H3 tilings h3-py decides everywhere (drawn outlines do not: their edges are not straight in lon/lat).
    Polygon tilings test exactly, border included; where cells share the point, the lowest cell id.
    Unsplittable polygons go before all other cells. What makes large batches fast, and is kept with a
    territory (`gridsvc.tiling.places`), is made here when enough points have been asked for to pay for it;
    the answers are the same.

    Parameters
    ----------
    tiling : Tiling
    """

    def __init__(self, tiling: Tiling) -> None:
        self._find = _finder(tiling)

    @classmethod
    def of_h3(cls, resolution: int, ids: NDArray[np.uint64]) -> Locator:
        """A locator of H3 cells by their ids alone: ascending, shape (n_cells,)."""
        made = cls.__new__(cls)
        made._find = _Hexes(resolution, ids)
        return made

    @classmethod
    def of_polygons(cls, geometry: NDArray[np.object_]) -> Locator:
        """A locator of (multi)polygons alone, shape (n_cells,); rows are positions in it."""
        made = cls.__new__(cls)
        made._find = _Polygons(geometry)
        return made

    def rows(self, lon: Floats, lat: Floats) -> Rows:
        """Row of each point's cell.

        Parameters
        ----------
        lon, lat : float64 arrays, shape (n,), degrees, WGS-84

        Returns
        -------
        int64 array, shape (n,)
            -1 where no cell has the point, or where it is no point: not finite, latitude beyond 90,
            longitude beyond 180.
        """
        return self._find.rows(np.asarray(lon, np.float64), np.asarray(lat, np.float64))

    def row(self, lon: float, lat: float) -> int:
        """Row of one point's cell, -1 where there is none; the same answer as `rows`, without arrays."""
        return self._find.row(lon, lat)


def _finder(tiling: Tiling) -> _Hexes | _Polygons | AtomLookup:
    if tiling.atoms is None:
        if tiling.resolution is None:
            return _Polygons(tiling.geometry)
        return _Hexes(tiling.resolution, tiling.ids)
    front = np.flatnonzero(tiling.atoms)
    atoms = _Polygons(tiling.geometry[front])
    if tiling.resolution is None:
        behind = np.flatnonzero(~tiling.atoms)
        return AtomLookup(atoms, front, _Polygons(tiling.geometry[behind]), behind)
    ids, rows = hex_rows(tiling.resolution, tiling.names(), tiling.atoms, tiling.geometry)
    return AtomLookup(atoms, front, _Hexes(tiling.resolution, ids), rows)


class _Hexes:
    """An H3 tiling whose lattice is made when it pays.

    Making it costs about as much as placing two points a cell one by one. So it is made when that many have
    been asked for: then all the work is never more than twice what it would have been at best.
    """

    def __init__(self, resolution: int, ids: NDArray[np.uint64]) -> None:
        self._resolution, self._ids = resolution, ids
        self._lookup = HexLookup(resolution, CellIds.of(resolution, ids))
        self.row = self._lookup.row
        self._asked, self._tried, self._lock = 0, False, Lock()

    def rows(self, lon: Floats, lat: Floats) -> Rows:
        if len(lon) >= BATCH:
            with self._lock:
                self._asked += len(lon)
                if not self._tried and self._asked >= 2 * len(self._ids):
                    self._lookup.lattice, self._tried = Lattice.of(self._resolution, self._ids), True
        return self._lookup.rows(lon, lat)


class _Polygons:
    """A polygon tiling whose raster is made when it pays; until then a tree of boxes does its work."""

    def __init__(self, geometry: NDArray[np.object_]) -> None:
        self._geometry, self._n = geometry, len(geometry)
        self._parts = Parts.of(geometry)
        self._tree = shapely.STRtree(self._parts.shapes)
        # The tree's first query builds it: now, and not in two threads at once.
        self._tree.query(shapely.Point(0.0, 0.0))
        self._asked, self._lock = 0, Lock()
        self._raster: Raster | None = None

    def rows(self, lon: Floats, lat: Floats) -> Rows:
        with self._lock:
            self._asked += len(lon)
            if self._raster is None and self._asked >= _EACH * len(self._parts.xy) + BATCH:
                self._raster = Raster.of(self._geometry)
        if self._raster is not None:
            return self._raster.rows(lon, lat)
        out = np.full(len(lon), -1, np.int64)
        with np.errstate(invalid="ignore"):
            sound = np.flatnonzero((np.abs(lat) <= 90.0) & (np.abs(lon) <= 180.0))
        for start in range(0, len(sound), _CHUNK):
            part = sound[start : start + _CHUNK]
            out[part] = self._by_tree(lon[part], lat[part])
        return out

    def row(self, lon: float, lat: float) -> int:
        if not (-90.0 <= lat <= 90.0 and -180.0 <= lon <= 180.0):
            return -1
        if self._raster is not None:
            return self._raster.row(lon, lat)
        near = self._tree.query(shapely.Point(lon, lat))
        hits = [part for part in near.tolist() if self._parts.has_one(part, lon, lat)]
        return int(self._parts.owner[min(hits)]) if hits else -1

    def _by_tree(self, lon: Floats, lat: Floats) -> Rows:
        """Boxes first, then the exact test polygon by polygon (so that each one's index stays in cache)."""
        point, part = self._tree.query(shapely.points(lon, lat))
        order = np.argsort(part, kind="stable")
        point, part = point[order], part[order]
        hit = self._parts.has(part, lon[point], lat[point])
        out = np.full(len(lon), self._n, np.int64)
        np.minimum.at(out, point[hit], self._parts.owner[part[hit]])
        out[out == self._n] = -1
        return out
