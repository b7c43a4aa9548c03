"""Shapes measured in metres: the equal-area plane around a territory's middle."""

from __future__ import annotations

import numpy as np
import shapely
from numpy.typing import NDArray

from gridsvc.crs import LocalPlane

__all__ = ["flatten", "local_plane"]

# Degrees. A lon/lat edge is a curve in the plane; cut to a kilometre it departs from its chord by 3 cm,
# left at 100 km by 200 m.
_STEP = 0.01


def local_plane(geometry: shapely.Geometry | NDArray[np.object_]) -> LocalPlane:
    """The equal-area plane around the middle of the extent of WGS-84 geometry, one or many.

    What lies on both sides of the antimeridian is taken together there, not around the globe.
    """
    lon, lat = shapely.get_coordinates(geometry).T
    if lon.max() - lon.min() > 180.0:
        lon = np.where(lon < 0.0, lon + 360.0, lon)
    middle = float(lon.min() + lon.max()) / 2.0
    return LocalPlane(middle - 360.0 if middle > 180.0 else middle, float(lat.min() + lat.max()) / 2.0)


def flatten(plane: LocalPlane, geoms: NDArray[np.object_]) -> NDArray[np.object_]:
    """WGS-84 geometries, object array of any shape, in the plane, long edges bent as they are in lon/lat."""
    return plane.geometry(shapely.segmentize(geoms, _STEP))
