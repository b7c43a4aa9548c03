"""The drawn ground: outline, hills, and where customers may be."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import shapely

from gridsvc.sample.landscape import Land
from gridsvc.sample.mosaic import coverage

__all__ = ["Ground", "make_ground"]

_FROM_BORDER, _FROM_WATER, _FROM_HILLS = 60.0, 70.0, 30.0  # metres
_SMALLEST_HILL = 6e5  # square metres


@dataclass(frozen=True)
class Ground:
    """Shapes of the ground.

    Attributes
    ----------
    boundary : shapely polygon, degrees
        The districts' union, with all their vertices.
    hills : list of shapely polygons, degrees
        Largest first; nobody lives there.
    habitable : shapely geometry, metres
        Inside, away from the border, the rivers and the hills; prepared.
    """

    boundary: Any
    hills: list[Any]
    habitable: Any


def make_ground(land: Land, districts: list[Any]) -> Ground:
    """Draw outline and hills around finished districts."""
    boundary = shapely.polygons(shapely.get_exterior_ring(shapely.union_all(districts)))
    hills = _hills(land, boundary)
    water = land.plane.shape_to_metres(shapely.union_all(list(land.rivers.values())))
    slopes = land.plane.shape_to_metres(shapely.union_all(hills)).buffer(_FROM_HILLS)
    habitable = land.plane.shape_to_metres(boundary).buffer(-_FROM_BORDER)
    habitable = habitable.difference(water.buffer(_FROM_WATER)).difference(slopes)
    shapely.prepare(habitable)
    return Ground(boundary, hills, habitable)


def _hills(land: Land, boundary: Any) -> list[Any]:
    labels = np.where(land.hilly, 0, -1).astype(np.int32)
    drawn = coverage(land.mosaic, labels, land.on_river, land.plane, rounds=14)[0]
    cut = shapely.intersection(shapely.get_parts(drawn), boundary)
    parts = shapely.get_parts(shapely.get_parts(shapely.set_precision(cut, 1e-6)))
    area = shapely.area(land.plane.shape_to_metres(parts))
    return list(parts[np.argsort(-area)][: int((area > _SMALLEST_HILL).sum())])
