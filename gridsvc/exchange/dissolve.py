"""Cells -> outlines of grids."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import chain
from typing import Any

import h3.api.basic_int as h3
import numpy as np
import shapely
from numpy.typing import NDArray

from gridsvc.tiling.tiling import Tiling

__all__ = ["dissolve", "joined"]

_HALF = 180.0


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
    if tiling.kind == "h3":
        return _hexagons([tiling.ids[rows] for rows in _members(labels, k)])
    return joined(tiling.geometry, labels, k)


def joined(shapes: NDArray[np.object_], labels: NDArray[np.int32], k: int) -> NDArray[np.object_]:
    """Join shapes to outlines as `dissolve` does cells; empty ones add nothing.

    Parameters
    ----------
    shapes : object array of shapely (multi)polygons, shape (n,)
    labels : int32 array, shape (n,)
    """
    there = ~shapely.is_empty(shapes)
    return _polygons([shapes[rows[there[rows]]] for rows in _members(labels, k)])


def _members(labels: NDArray[np.int32], k: int) -> list[NDArray[np.intp]]:
    """Rows of each grid."""
    order = np.argsort(labels, kind="stable")
    ends = np.searchsorted(labels[order], np.arange(k + 1))
    return [order[ends[grid] : ends[grid + 1]] for grid in range(k)]


# --- H3: cells know their neighbours, coordinates need not be compared -------------------------------


def _hexagons(grids: list[NDArray[np.uint64]]) -> NDArray[np.object_]:
    outlines = np.full(len(grids), shapely.MultiPolygon(), object)
    shapes = [h3.cells_to_h3shape(ids.tolist(), tight=False) for ids in grids]
    parts = [part for shape in shapes for part in shape]
    owner = np.repeat(np.arange(len(grids)), [len(shape) for shape in shapes])
    polygons = shapely.polygons(_rings(part.outer for part in parts))
    for i, part in enumerate(parts):
        if part.holes:
            polygons[i] = shapely.polygons(shapely.get_exterior_ring(polygons[i]), _rings(part.holes))
    shapely.multipolygons(_running_on(polygons), indices=owner, out=outlines)
    return outlines


def _running_on(polygons: NDArray[np.object_]) -> NDArray[np.object_]:
    """Outlines over the antimeridian with longitudes past 180, as cells have them."""
    west, _, east, _ = shapely.bounds(polygons).T
    across = east - west > _HALF
    polygons[across] = shapely.transform(polygons[across], _past_the_edge)
    return polygons


def _past_the_edge(xy: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.column_stack([np.where(xy[:, 0] < 0.0, xy[:, 0] + 2 * _HALF, xy[:, 0]), xy[:, 1]])


def _rings(loops: Iterable[Any]) -> NDArray[np.object_]:
    """Rings of loops of (lat, lon) pairs; made all at once, because one by one costs more than joining."""
    closed = [(*loop, loop[0]) for loop in loops]
    lat_lon = np.fromiter(chain.from_iterable(chain.from_iterable(closed)), np.float64).reshape(-1, 2)
    owner = np.repeat(np.arange(len(closed)), [len(loop) for loop in closed])
    out: NDArray[np.object_] = shapely.linearrings(lat_lon[:, ::-1], indices=owner)
    return out


# --- Polygons: joined at equal edges where that gives the union, else by overlay ----------------------


def _polygons(grids: list[NDArray[np.object_]]) -> NDArray[np.object_]:
    outlines = np.empty(len(grids), object)
    outlines[:] = [_joined_at_edges(cells) for cells in grids]
    # Joining at equal edges asks for cells which fit together vertex by vertex. Where they do not, GEOS
    # raises, or leaves parts which cross or overlap. So the result tells, and testing it is many times
    # cheaper than `shapely.coverage_is_valid`, which looks at all edges of all cells.
    for grid in np.flatnonzero(~shapely.is_valid(outlines)):
        outlines[grid] = _multi(shapely.union_all(grids[grid]))
    return outlines


def _joined_at_edges(cells: NDArray[np.object_]) -> shapely.MultiPolygon | None:
    """What is left when edges held by two of the cells are dropped; None where that makes no polygons."""
    try:
        return _multi(shapely.coverage_union_all(cells))
    except shapely.GEOSException:
        return None


def _multi(joined: shapely.Geometry) -> shapely.MultiPolygon:
    return shapely.MultiPolygon([part for part in shapely.get_parts(joined) if part.geom_type == "Polygon"])
