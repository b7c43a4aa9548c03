"""Point -> cell of a tiling. Loaded by API workers: shapely, h3 and numpy only."""

from __future__ import annotations

import math

import h3.api.basic_int as h3
import numpy as np
import shapely
from numpy.typing import NDArray

from gridsvc.tiling.hexes import index_points
from gridsvc.tiling.tiling import Tiling

__all__ = ["Locator"]

_CHUNK = 200_000  # points a round: bounds the memory of candidate pairs


class Locator:
    """Finds the cell of points in one tiling; safe to share between threads.

    H3 tilings ask h3-py, which decides everywhere (drawn outlines do not: their edges are not straight in
    lon/lat). Polygon tilings test exactly, border included; where cells share the point, the lowest cell id.

    Parameters
    ----------
    tiling : Tiling
    """

    def __init__(self, tiling: Tiling) -> None:
        self._resolution = tiling.resolution
        self._ids = tiling.ids
        if tiling.kind == "polygons":
            self._prepare(tiling.geometry)

    @classmethod
    def of_h3(cls, resolution: int, ids: NDArray[np.uint64]) -> Locator:
        """A locator of H3 cells by their ids alone: ascending, shape (n_cells,)."""
        made = cls.__new__(cls)
        made._resolution, made._ids = resolution, ids
        return made

    def _prepare(self, geometry: NDArray[np.object_]) -> None:
        # Cells of several parts are taken apart: the boxes are tighter and each part's index smaller.
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
        for start in range(0, len(sound), _CHUNK):
            part = sound[start : start + _CHUNK]
            if self._resolution is None:
                out[part] = self._in_polygons(lon[part], lat[part])
            else:
                out[part] = self._in_cells(index_points(lon[part], lat[part], self._resolution))
        return out

    def row(self, lon: float, lat: float) -> int:
        """Row of one point's cell, -1 where there is none; the same answer as `rows`, without arrays."""
        if not (abs(lat) <= 90.0 and abs(lon) <= 180.0 and math.isfinite(lon)):
            return -1
        if self._resolution is None:
            near = self._tree.query(shapely.Point(lon, lat))
            hits = near[shapely.intersects_xy(self._parts[near], lon, lat)]
            return int(self._owner[hits].min()) if len(hits) else -1
        cell = np.uint64(h3.latlng_to_cell(lat, lon, self._resolution))
        place = int(np.searchsorted(self._ids, cell))
        return place if place < len(self._ids) and self._ids[place] == cell else -1

    def _in_cells(self, cells: NDArray[np.uint64]) -> NDArray[np.int64]:
        place = np.searchsorted(self._ids, cells)
        place[place == len(self._ids)] = 0
        return np.where(self._ids[place] == cells, place, -1) if len(self._ids) else np.full(len(cells), -1)

    def _in_polygons(self, lon: NDArray[np.float64], lat: NDArray[np.float64]) -> NDArray[np.int64]:
        """Boxes first, then the exact test polygon by polygon (so that each one's index stays in cache)."""
        point, part = self._tree.query(shapely.points(lon, lat))
        order = np.argsort(part, kind="stable")
        point, part = point[order], part[order]
        hit = shapely.intersects_xy(self._parts[part], lon[point], lat[point])
        out = np.full(len(lon), len(self._ids), np.int64)
        np.minimum.at(out, point[hit], self._owner[part[hit]])
        out[out == len(self._ids)] = -1
        return out
