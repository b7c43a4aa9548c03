"""The tile matrix set WebMercatorQuad: tiles of spherical Mercator, each a quarter of the one above."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
import shapely
from numpy.typing import NDArray

__all__ = ["HALF", "MAX_ZOOM", "Tile", "tiles_at", "to_mercator"]

HALF = math.pi * 6378137.0
"""Metres from the middle of the map to its edge."""

MAX_ZOOM = 22
_LIMIT = math.degrees(2 * math.atan(math.exp(math.pi)) - math.pi / 2)  # the latitude of the map's edge


def to_mercator(geometry: NDArray[np.object_]) -> NDArray[np.object_]:
    """WGS-84 shapely geometries, object array shape (n,), in metres of the map; cut towards the poles."""
    found: NDArray[np.object_] = shapely.transform(geometry, _project)
    return found


def _project(lon_lat: NDArray[np.float64]) -> NDArray[np.float64]:
    lat = np.radians(np.clip(lon_lat[:, 1], -_LIMIT, _LIMIT))
    y = np.log(np.tan(math.pi / 4 + lat / 2)) * 6378137.0
    return np.column_stack([lon_lat[:, 0] * (HALF / 180.0), y])


@dataclass(frozen=True, slots=True)
class Tile:
    """One tile.

    Attributes
    ----------
    zoom : int, 0 to `MAX_ZOOM`
    row, col : int, 0 to 2**zoom - 1
        Counted from the north-west.
    """

    zoom: int
    row: int
    col: int

    @property
    def exists(self) -> bool:
        """Whether there is such a tile."""
        side = 1 << min(max(self.zoom, 0), MAX_ZOOM)
        return 0 <= self.zoom <= MAX_ZOOM and 0 <= self.row < side and 0 <= self.col < side

    @property
    def bounds(self) -> tuple[float, float, float, float]:
        """West, south, east, north in metres of the map."""
        side = 2 * HALF / (1 << self.zoom)
        west, north = -HALF + self.col * side, HALF - self.row * side
        return west, north - side, west + side, north

    def box(self, margin: float = 0.0) -> tuple[float, float, float, float]:
        """West, south, east, north in WGS-84 degrees, with a margin of so many times the tile's side."""
        west, south, east, north = self.bounds
        more = margin * (east - west)
        return (*_degrees(west - more, south - more), *_degrees(east + more, north + more))


def _degrees(x: float, y: float) -> tuple[float, float]:
    lat = math.degrees(2 * math.atan(math.exp(y / 6378137.0)) - math.pi / 2)
    return max(-180.0, min(180.0, x / HALF * 180.0)), lat


def tiles_at(zoom: int, box: Any) -> tuple[int, int, int, int]:
    """First row, first column, last row, last column of the tiles which meet a box of WGS-84 degrees.

    A box whose west is more than its east spans the 180th meridian, and so meets the first and last column.
    """
    west, south, east, north = (float(v) for v in box)
    if west > east:
        west, east = -180.0, 180.0
    corners = _project(np.array([[west, north], [east, south]]))
    side = 2 * HALF / (1 << zoom)
    col, row = (corners[:, 0] + HALF) // side, (HALF - corners[:, 1]) // side
    top = (1 << zoom) - 1
    (row0, row1), (col0, col1) = (np.clip(v, 0, top).astype(int).tolist() for v in (row, col))
    return row0, col0, row1, col1
