"""The grid nearest to a point outside the territory, and how far it is."""

from __future__ import annotations

import math

import h3.api.basic_int as h3
import numpy as np
import shapely
from numpy.typing import NDArray

from gridsvc import crs as crs_
from gridsvc.ownership.snapshot import Snapshot
from gridsvc.tiling.places import Places

__all__ = ["nearest_grid"]

_RINGS = 6
_METRES = 111_195.0  # a degree of a great circle


def nearest_grid(snapshot: Snapshot, lon: float, lat: float, crs: str = "wgs84") -> tuple[str, float] | None:
    """Code of the nearest grid, and its distance in metres; None where no cell nearby has a grid.

    Grids are looked for around the nearest point of the territory's border. The distance is taken in a plane
    through the point, true to about a percent up to some hundred kilometres.
    """
    lon, lat = crs_.point_to_wgs84(lon, lat, crs)
    away = _Away(lon, lat)
    rows = _rows_near(snapshot.places, *away.nearest_of(snapshot.places.boundary))
    held = [row for row in rows if snapshot.holdings.labels[row] >= 0]
    if not held:
        return None
    metres = away.metres(snapshot.places.outlines(held))
    best = int(np.argmin(metres))
    grid = snapshot.holdings.grids[snapshot.code_of(held[best])]
    return grid.code, round(float(metres[best]), 1)


def _rows_near(places: Places, lon: float, lat: float) -> list[int]:
    """Rows of the cells around a point of the border, in growing rings until there are some."""
    if places.kind == "mixed":
        atoms, shapes = places.atoms
        near = shapely.STRtree(shapes).query_nearest(shapely.Point(lon, lat))
        return sorted({*atoms[near].tolist(), *_hexes_near(places, lon, lat)})
    if places.kind == "h3":
        return _hexes_near(places, lon, lat)
    tree = shapely.STRtree(places.polygons())
    return [int(row) for row in tree.query_nearest(shapely.Point(lon, lat))]


def _hexes_near(places: Places, lon: float, lat: float) -> list[int]:
    cell = h3.latlng_to_cell(lat, lon, places.resolution)
    for rings in (1, 2, _RINGS):
        found = [places.find(h3.int_to_str(near)) for near in h3.grid_disk(cell, rings)]
        rows = [row for row in found if row >= 0]
        if rows:
            return rows
    return []


class _Away:
    """Distances from a point, in a plane in which a degree is as long east as it is north."""

    def __init__(self, lon: float, lat: float) -> None:
        self._lon, self._lat = lon, lat
        self._squeeze = max(math.cos(math.radians(lat)), 1e-6)
        self._point = shapely.Point(0.0, 0.0)

    def nearest_of(self, shape: shapely.Geometry) -> tuple[float, float]:
        """Longitude and latitude of the nearest point of a shape."""
        line = shapely.shortest_line(self._point, self._flat(shape))
        x, y = shapely.get_coordinates(line)[1].tolist()
        east = (x / self._squeeze + self._lon + 180.0) % 360.0 - 180.0
        return east, min(max(y + self._lat, -90.0), 90.0)

    def metres(self, shapes: NDArray[np.object_]) -> NDArray[np.float64]:
        """Distance of each shape."""
        found: NDArray[np.float64] = shapely.distance(self._point, self._flat(shapes)) * _METRES
        return found

    def _flat(self, shape: shapely.Geometry) -> shapely.Geometry:
        def flat(xy: NDArray[np.float64]) -> NDArray[np.float64]:
            # The short way round, decided for the whole shape: a ring must not be torn apart.
            return np.column_stack([(xy[:, 0] - self._lon) * self._squeeze, xy[:, 1] - self._lat])

        return shapely.transform(shape, flat)
