"""Outlines which pass the 180th meridian, cut there as RFC 7946 asks, and the extent around it."""

from __future__ import annotations

import numpy as np
import shapely
from numpy.typing import NDArray

__all__ = ["EDGE", "cut_at_edge", "extent_around"]

EDGE = 180.0
_TURN = 360.0

Shapes = NDArray[np.object_]


def cut_at_edge(shapes: Shapes) -> Shapes:
    """Polygons whose longitudes run on past 180 (or before -180) as parts on both sides of it.

    Adding and taking off 360 degrees is exact near 180, so neighbours keep the same vertices on either side.

    Parameters
    ----------
    shapes : object array of shapely geometries or None, shape (n,), WGS-84

    Returns
    -------
    object array, shape (n,)
        The same array where nothing crosses.
    """
    west, _, east, _ = shapely.bounds(shapes).T
    across = np.flatnonzero((east > EDGE) | (west < -EDGE))  # not those without extent: nan is neither
    if len(across) == 0:
        return shapes
    out = shapes.copy()
    for at in across.tolist():
        out[at] = _cut(shapes[at])
    return out


def _cut(shape: shapely.Geometry) -> shapely.Geometry:
    parts: list[shapely.Geometry] = []
    for turns in (0, 1, -1):
        window = shapely.box(turns * _TURN - EDGE, -90.0, turns * _TURN + EDGE, 90.0)
        inside = shapely.get_parts(shapely.intersection(shape, window))
        back = shapely.transform(inside, lambda xy, by=turns * _TURN: xy - (by, 0.0))
        parts += [part for part in back if part.geom_type == "Polygon"]  # an edge along it leaves a line
    return parts[0] if len(parts) == 1 and shape.geom_type == "Polygon" else shapely.MultiPolygon(parts)


def extent_around(boxes: NDArray[np.float64]) -> list[float] | None:
    """West, south, east, north of what has these extents; west is more than east where it spans the edge.

    Parameters
    ----------
    boxes : float64 array, shape (n, 4), degrees
        Of parts which do not cross; west, south, east, north.
    """
    if not len(boxes):
        return None
    west, south, east, north = boxes.T
    plain = [float(west.min()), float(south.min()), float(east.max()), float(north.max())]
    if plain[2] - plain[0] <= EDGE:
        return plain
    far = east <= 0.0  # the other way round, over the edge
    turned = np.where(far, west + _TURN, west).min(), np.where(far, east + _TURN, east).max()
    if turned[1] - turned[0] >= plain[2] - plain[0]:
        return plain
    return [float(turned[0]), plain[1], float(turned[1]) - _TURN, plain[3]]
