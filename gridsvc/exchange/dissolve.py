"""Cells -> outlines of grids."""

from __future__ import annotations

from typing import Any

import h3
import numpy as np
import shapely
from numpy.typing import NDArray

from gridsvc.tiling.tiling import Tiling

__all__ = ["dissolve"]


def dissolve(tiling: Tiling, labels: NDArray[np.int32], k: int) -> NDArray[np.object_]:
    """Join the cells of each grid to one outline.

    Neighbouring grids share their border vertex by vertex: outlines consist of the cells' own vertices.

    Parameters
    ----------
    labels : int32 array, shape (n_cells,)
        Grid 0..k-1 of each cell; cells with -1 belong to none.

    Returns
    -------
    object array of shapely MultiPolygon, shape (k,), WGS-84
        Empty where a grid has no cell.
    """
    order = np.argsort(labels, kind="stable")
    starts = np.searchsorted(labels[order], np.arange(k + 1))
    outlines = np.empty(k, dtype=object)
    for grid in range(k):
        rows = order[starts[grid] : starts[grid + 1]]
        outlines[grid] = (
            _hexagons(tiling.ids[rows]) if tiling.kind == "h3" else _polygons(tiling.geometry[rows])
        )
    return outlines


def _hexagons(ids: NDArray[Any]) -> shapely.MultiPolygon:
    if not len(ids):
        return shapely.MultiPolygon()
    shape = h3.cells_to_h3shape([h3.int_to_str(int(i)) for i in ids], tight=False)
    rings = [
        shapely.Polygon([(x, y) for y, x in part.outer], [[(x, y) for y, x in hole] for hole in part.holes])
        for part in shape
    ]
    return shapely.MultiPolygon(rings)


def _polygons(geometry: NDArray[np.object_]) -> shapely.MultiPolygon:
    if not len(geometry):
        return shapely.MultiPolygon()
    joined = _union(geometry)
    parts = [p for p in shapely.get_parts(joined) if p.geom_type == "Polygon"]
    return shapely.MultiPolygon(parts)


def _union(geometry: NDArray[np.object_]) -> shapely.Geometry:
    # A coverage union is several times faster, but only right where the polygons really form a coverage.
    if shapely.coverage_is_valid(geometry):
        return shapely.coverage_union_all(geometry)
    return shapely.union_all(geometry)
