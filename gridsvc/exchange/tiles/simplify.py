"""Outlines with as many points as can be seen at a zoom."""

from __future__ import annotations

import numpy as np
import shapely
from numpy.typing import NDArray

from gridsvc.exchange.tiles.mercator import HALF

__all__ = ["simplified", "step_at"]

_PIXELS = 1024
"""Steps across a tile which a screen of the finest kind shows."""


def step_at(zoom: int) -> float:
    """Metres of the map which a step on the screen is at a zoom."""
    return 2 * HALF / (1 << zoom) / _PIXELS


def simplified(
    geometry: NDArray[np.object_], over: NDArray[np.bool_], zoom: int, finest: float
) -> NDArray[np.object_]:
    """Outlines as seen at a zoom; neighbours still share their borders.

    Parameters
    ----------
    geometry : object array of shapely (multi)polygons, shape (n,), metres of the map
    over : bool array, shape (n,)
        Lie over the others rather than beside them.
    finest : float, metres
        The smallest detail there is; where a step on the screen is smaller, nothing is changed.
    """
    step = step_at(zoom)
    if step < finest:
        return geometry
    found = geometry.copy()
    found[over] = shapely.simplify(geometry[over], step)
    beside = ~over & ~shapely.is_empty(geometry)
    if beside.any():
        found[beside] = shapely.coverage_simplify(geometry[beside], step)
    return found
