"""The proof of coverage: gaps, overlaps, what hangs over, orphans; in km2 and in customers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import shapely
from numpy.typing import NDArray

from gridsvc.crs import LocalPlane
from gridsvc.tiling.borders import faulty
from gridsvc.tiling.locate import Locator
from gridsvc.tiling.plane import flatten
from gridsvc.tiling.tiling import Tiling

__all__ = ["coverage_report", "pieces"]

Floats = NDArray[np.float64]
_NOISE = 1.0  # square metres; less is rounding of corners
_LISTED = 20
_PIECE = 256  # corners: clipping costs by the corners of both sides, so a long border is cut up first


def coverage_report(
    tiling: Tiling,
    boundary: shapely.MultiPolygon,
    lon: Floats | None = None,
    lat: Floats | None = None,
) -> dict[str, Any]:
    """How well the cells cover the territory.

    Areas are measured in the tiling's equal-area plane. The cells' ground inside the territory is the whole
    area of the cells which do not meet the border, plus the clipped area of those which do. H3 cells never
    overlap by construction, so overlaps are looked for in polygon tilings only, and there only between
    polygons whose edges do not match.

    Parameters
    ----------
    tiling : Tiling
    boundary : MultiPolygon, WGS-84
    lon, lat : float64 arrays, shape (n,), degrees, WGS-84, optional
        Customers.

    Returns
    -------
    dict, JSON-ready
        ``territory_km2``, ``cells_km2``, ``cells``; ``components`` {count, sizes (the largest 20)};
        ``gap`` {km2, customers}: inside the territory in no cell; ``overlap`` {km2, pairs, customers, worst
        [{a, b, km2}]}: in more than one cell; ``outside`` {km2}: of cells, beyond the territory;
        ``orphans`` {cells, km2, ids (20), customers}: cells without neighbour, and customers in no cell
        though inside. Customers are None when none are given.
    """
    plane = LocalPlane(*tiling.origin)
    territory, flat = flatten(plane, np.array([boundary], object))[0], flatten(plane, tiling.geometry)
    overlaps = _overlaps(tiling, flat)
    ground = _disjoint(flat, overlaps)
    inside = _area_inside(ground, territory)
    where = None if lon is None or lat is None else _sound(lon, lat)
    unplaced = None if where is None else _unplaced(tiling, boundary, *where)
    names = tiling.names()
    lonely = np.flatnonzero(np.diff(tiling.adjacency.indptr) == 0)
    return {
        "territory_km2": _km2(shapely.area(territory)),
        "cells_km2": _km2(tiling.area.sum()),
        "cells": len(tiling),
        "components": _components(tiling),
        "gap": {"km2": _km2(shapely.area(territory) - inside), "customers": unplaced},
        "overlap": _overlap_report(overlaps, names, None if where is None else plane.project(*where)),
        "outside": {"km2": _km2(shapely.area(ground).sum() - inside)},
        "orphans": {
            "cells": len(lonely),
            "km2": _km2(tiling.area[lonely].sum()),
            "ids": [names[i] for i in lonely[:_LISTED]],
            "customers": unplaced,
        },
    }


@dataclass(frozen=True, slots=True)
class _Overlaps:
    """Pairs of rows which share ground, and that ground."""

    a: NDArray[np.int64]
    b: NDArray[np.int64]
    shape: NDArray[np.object_]


def _overlaps(tiling: Tiling, flat: NDArray[np.object_]) -> _Overlaps:
    rows = np.zeros(0, np.int64)
    if tiling.kind != "h3":
        rows = np.flatnonzero(faulty(tiling.geometry))
    left, right = shapely.STRtree(flat).query(flat[rows], predicate="intersects")
    low, high = np.minimum(rows[left], right), np.maximum(rows[left], right)
    pair = np.unique((low * len(flat) + high)[low < high])
    a, b = pair // len(flat), pair % len(flat)
    shape = shapely.intersection(flat[a], flat[b])
    keep = shapely.area(shape) > _NOISE
    return _Overlaps(a[keep], b[keep], shape[keep])


def _disjoint(flat: NDArray[np.object_], overlaps: _Overlaps) -> NDArray[np.object_]:
    """The cells' ground as shapes which share none: overlapping cells are united."""
    rows = np.union1d(overlaps.a, overlaps.b)
    united = shapely.get_parts(shapely.union_all(flat[rows]))
    return np.concatenate([np.delete(flat, rows), united])


def _area_inside(ground: NDArray[np.object_], territory: Any) -> float:
    """Square metres of disjoint shapes inside the territory."""
    shapely.prepare(territory)
    whole = shapely.contains_properly(territory, ground)
    rest = ground[~whole]
    parts = np.array(pieces(territory), object)
    i, j = shapely.STRtree(parts).query(rest)
    clipped = shapely.intersection(rest[i], parts[j])
    return float(shapely.area(ground[whole]).sum() + shapely.area(clipped).sum())


def pieces(shape: Any) -> list[Any]:
    """A polygonal shape cut into pieces with few corners, so that clipping by it costs less."""
    if shapely.get_num_coordinates(shape) <= _PIECE:
        return [shape]
    west, south, east, north = shapely.bounds(shape)
    if east - west > north - south:
        middle = (west + east) / 2.0
        halves = [shapely.box(west, south, middle, north), shapely.box(middle, south, east, north)]
    else:
        middle = (south + north) / 2.0
        halves = [shapely.box(west, south, east, middle), shapely.box(west, middle, east, north)]
    return [piece for half in halves for piece in pieces(shapely.intersection(shape, half))]


def _sound(lon: Floats, lat: Floats) -> tuple[Floats, Floats]:
    """The points which have coordinates."""
    lon, lat = np.asarray(lon, np.float64), np.asarray(lat, np.float64)
    with np.errstate(invalid="ignore"):
        keep = (np.abs(lat) <= 90.0) & (np.abs(lon) <= 180.0)
    return lon[keep], lat[keep]


def _unplaced(tiling: Tiling, boundary: shapely.MultiPolygon, lon: Floats, lat: Floats) -> int:
    """Points inside the territory which lie in no cell."""
    free = Locator(tiling).rows(lon, lat) < 0
    shapely.prepare(boundary)
    return int(shapely.intersects_xy(boundary, lon[free], lat[free]).sum())


def _overlap_report(
    overlaps: _Overlaps, names: list[str], points: tuple[Floats, Floats] | None
) -> dict[str, Any]:
    area = shapely.area(overlaps.shape)
    ground = shapely.union_all(overlaps.shape)
    shapely.prepare(ground)
    worst = np.argsort(-area, kind="stable")[:_LISTED]
    return {
        "km2": _km2(shapely.area(ground)),
        "pairs": len(area),
        "customers": None if points is None else int(shapely.intersects_xy(ground, *points).sum()),
        "worst": [
            {"a": names[overlaps.a[i]], "b": names[overlaps.b[i]], "km2": _km2(area[i])} for i in worst
        ],
    }


def _components(tiling: Tiling) -> dict[str, Any]:
    from scipy.sparse import csr_array
    from scipy.sparse.csgraph import connected_components

    graph = tiling.adjacency
    n = len(tiling)
    matrix = csr_array((np.ones(len(graph.indices), np.int8), graph.indices, graph.indptr), shape=(n, n))
    count, label = connected_components(matrix, directed=False)
    sizes = np.sort(np.bincount(label))[::-1]
    return {"count": int(count), "sizes": sizes[:_LISTED].tolist()}


def _km2(square_metres: float) -> float:
    """Square kilometres to the square metre; differences of equal areas may come out just below zero."""
    return max(0.0, round(float(square_metres) / 1e6, 6))
