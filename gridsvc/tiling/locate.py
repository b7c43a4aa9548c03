"""Point -> cell of a tiling. Loaded by API workers: shapely, h3 and numpy only."""

from __future__ import annotations

import math
from threading import Lock

import h3.api.basic_int as h3
import numpy as np
import shapely
from numpy.typing import NDArray

from gridsvc.tiling.hexes import index_points
from gridsvc.tiling.lattice import ASK, Lattice
from gridsvc.tiling.tiling import Tiling

__all__ = ["Locator"]

_CHUNK = 200_000  # points a round: bounds the memory of candidate pairs
_BATCH = 200  # fewer points at a time are placed sooner one by one than by work on arrays


class Locator:
    """Finds the cell of points in one tiling; safe to share between threads.

    In H3 tilings h3-py decides everywhere (drawn outlines do not: their edges are not straight in lon/lat);
    large batches go through the tiling's lattice, with the same answers. Polygon tilings test exactly, border
    included; where cells share the point, the lowest cell id.

    Parameters
    ----------
    tiling : Tiling
    """

    def __init__(self, tiling: Tiling) -> None:
        self._hexes = None if tiling.resolution is None else _Hexes(tiling.resolution, tiling.ids)
        if self._hexes is None:
            self._prepare(tiling.geometry)

    @classmethod
    def of_h3(cls, resolution: int, ids: NDArray[np.uint64]) -> Locator:
        """A locator of H3 cells by their ids alone: ascending, shape (n_cells,)."""
        made = cls.__new__(cls)
        made._hexes = _Hexes(resolution, ids)
        return made

    @classmethod
    def of_polygons(cls, geometry: NDArray[np.object_]) -> Locator:
        """A locator of (multi)polygons alone, shape (n_cells,); rows are positions in it."""
        made = cls.__new__(cls)
        made._hexes = None
        made._prepare(geometry)
        return made

    def _prepare(self, geometry: NDArray[np.object_]) -> None:
        # Cells of several parts are taken apart: the boxes are tighter and each part's index smaller.
        self._n = len(geometry)
        self._parts, self._owner = shapely.get_parts(geometry, return_index=True)
        self._tree = shapely.STRtree(self._parts)
        shapely.prepare(self._parts)
        # The first query of a prepared polygon, or of the tree, builds its index: now, and not in two
        # threads at once.
        inside = shapely.get_coordinates(shapely.point_on_surface(self._parts)).T
        shapely.intersects_xy(self._parts, *inside)
        self._tree.query(self._parts[:1])

    def rows(self, lon: NDArray[np.float64], lat: NDArray[np.float64]) -> NDArray[np.int64]:
        """Row of each point's cell.

        Parameters
        ----------
        lon, lat : float64 arrays, shape (n,), degrees, WGS-84

        Returns
        -------
        int64 array, shape (n,)
            -1 where no cell has the point, or where it is no point: not finite, latitude beyond 90,
            longitude beyond 180 (h3 would answer such points with a wrong cell).
        """
        lon, lat = np.asarray(lon, np.float64), np.asarray(lat, np.float64)
        out = np.full(len(lon), -1, np.int64)
        with np.errstate(invalid="ignore"):
            sound = np.flatnonzero((np.abs(lat) <= 90.0) & (np.abs(lon) <= 180.0))
        look = self._in_polygons if self._hexes is None else self._hexes.rows
        for start in range(0, len(sound), _CHUNK):
            part = sound[start : start + _CHUNK]
            out[part] = look(lon[part], lat[part])
        return out

    def row(self, lon: float, lat: float) -> int:
        """Row of one point's cell, -1 where there is none; the same answer as `rows`, without arrays."""
        if not (abs(lat) <= 90.0 and abs(lon) <= 180.0 and math.isfinite(lon)):
            return -1
        if self._hexes is not None:
            return self._hexes.row(lon, lat)
        near = self._tree.query(shapely.Point(lon, lat))
        hits = near[shapely.intersects_xy(self._parts[near], lon, lat)]
        return int(self._owner[hits].min()) if len(hits) else -1

    def _in_polygons(self, lon: NDArray[np.float64], lat: NDArray[np.float64]) -> NDArray[np.int64]:
        """Boxes first, then the exact test polygon by polygon (so that each one's index stays in cache)."""
        point, part = self._tree.query(shapely.points(lon, lat))
        order = np.argsort(part, kind="stable")
        point, part = point[order], part[order]
        hit = shapely.intersects_xy(self._parts[part], lon[point], lat[point])
        out = np.full(len(lon), self._n, np.int64)
        np.minimum.at(out, point[hit], self._owner[part[hit]])
        out[out == self._n] = -1
        return out


class _Hexes:
    """Finds the cells of points in an H3 tiling; points are finite and in range (not checked)."""

    def __init__(self, resolution: int, ids: NDArray[np.uint64]) -> None:
        self._resolution, self._ids = resolution, ids
        self._asked = 0
        self._lattice: Lattice | None = None
        self._tried = False
        self._lock = Lock()

    def rows(self, lon: NDArray[np.float64], lat: NDArray[np.float64]) -> NDArray[np.int64]:
        lattice = self._worthwhile(len(lon))
        if lattice is None:
            return self._one_by_one(lon, lat)
        out = lattice.rows(lon, lat)
        ask = np.flatnonzero(out == ASK)
        out[ask] = self._one_by_one(lon[ask], lat[ask])
        return out

    def row(self, lon: float, lat: float) -> int:
        cell = np.uint64(h3.latlng_to_cell(lat, lon, self._resolution))
        place = int(np.searchsorted(self._ids, cell))
        return place if place < len(self._ids) and self._ids[place] == cell else -1

    def _worthwhile(self, n: int) -> Lattice | None:
        """The lattice, for a batch of `n` points.

        Making it costs about as much as placing two points a cell one by one. So it is made when that many
        have been asked for: then all the work is never more than twice what it would have been at best.
        """
        if n < _BATCH:
            return None
        with self._lock:
            self._asked += n
            if not self._tried and self._asked >= 2 * len(self._ids):
                self._lattice, self._tried = Lattice.of(self._resolution, self._ids), True
        return self._lattice

    def _one_by_one(self, lon: NDArray[np.float64], lat: NDArray[np.float64]) -> NDArray[np.int64]:
        cells = index_points(lon, lat, self._resolution)
        place = np.searchsorted(self._ids, cells)
        place[place == len(self._ids)] = 0
        return np.where(self._ids[place] == cells, place, -1) if len(self._ids) else np.full(len(cells), -1)
