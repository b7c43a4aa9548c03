"""Where tilings lie on the globe, also those over the 180th meridian."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import numpy as np
import shapely
from numpy.typing import NDArray

from gridsvc.exchange.antimeridian import EDGE, cut_at_edge, extent_around
from gridsvc.store.database import Reader

__all__ = ["Box", "extent", "extent_of", "reach"]

Box = tuple[float, float, float, float]

_KNOWN = 1000
_REACHES: dict[str, Box] = {}
_BOXES: dict[str, Box] = {}


def _kept(kept: dict[str, Box], tiling: str, made: Callable[[], Box]) -> Box:
    """What is told of a tiling; kept, as it never changes and many cells have to be looked at for it."""
    found = kept.get(tiling)
    if found is None:
        if len(kept) >= _KNOWN:
            kept.clear()
        kept[tiling] = found = made()
    return found


def reach(reader: Reader, tiling: str) -> Box:
    """Where a tiling lies, in longitudes which run on past 180 where its cells do."""
    found = partial(reader.features.extent, tiling)
    return _kept(_REACHES, tiling, lambda: found() or (-EDGE, -90.0, EDGE, 90.0))


def extent(reader: Reader, tiling: str) -> Box:
    """Where a tiling lies; its west is more than its east where it spans the 180th meridian."""
    return _kept(_BOXES, tiling, lambda: _box_of(reader, tiling))


def extent_of(reader: Reader, tiling: str, which: str, rows: Callable[[], NDArray[np.int64]]) -> Box:
    """Where some cells of a tiling lie, as `extent`; all the globe where there are none.

    Parameters
    ----------
    which : str
        Tells these cells from others of the tiling; what is asked once is kept under it.
    rows : callable
        Gives their rows, ascending, when they are needed.
    """
    return _kept(_BOXES, f"{tiling} {which}", lambda: _box_around(reader, tiling, rows()))


def _box_around(reader: Reader, tiling: str, rows: NDArray[np.int64]) -> Box:
    if not len(rows):
        return -EDGE, -90.0, EDGE, 90.0
    bounds = shapely.bounds(shapely.get_parts(cut_at_edge(reader.features.cells(tiling, rows))))
    (west, south), (east, north) = bounds[:, :2].min(axis=0).tolist(), bounds[:, 2:].max(axis=0).tolist()
    around = extent_around(bounds) if east - west > EDGE else None
    return (west, south, east, north) if around is None else (around[0], around[1], around[2], around[3])


def _box_of(reader: Reader, tiling: str) -> Box:
    west, south, east, north = reach(reader, tiling)
    if west >= -EDGE and east <= EDGE and east - west <= EDGE:
        return west, south, east, north
    parts = [shapely.get_parts(cut_at_edge(block)) for block in reader.features.blocks(tiling)]
    around = extent_around(shapely.bounds(np.concatenate(parts)))
    return (west, south, east, north) if around is None else (around[0], around[1], around[2], around[3])
