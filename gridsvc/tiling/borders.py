"""Which polygons of a layer share a border, and how long it is."""

from __future__ import annotations

import numpy as np
import shapely
from numpy.typing import NDArray

__all__ = ["faulty", "shared_borders"]

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]
_METRES_PER_DEGREE = 110_000.0  # a little less than any degree of latitude, so that widths err upwards


def shared_borders(
    geometry: NDArray[np.object_], plane: NDArray[np.object_], tolerance_m: float
) -> tuple[Ints, Ints, Floats]:
    """Pairs of polygons with a common border (rook), each pair once.

    Edges which two polygons have in common corner for corner are found by comparing coordinates. Only
    polygons whose edges do not match their neighbours' (gaps up to `tolerance_m`, overlaps, corners on
    one side only) are also measured by distance: the length of one's outline within `tolerance_m` of the
    other polygon, the mean of both ways.

    Parameters
    ----------
    geometry : object array of valid (multi)polygons, shape (n,), lon/lat
    plane : the same in metres
    tolerance_m : float
        Also decides what is no border: pairs which share less than 1 m or four tolerances meet at a corner.

    Returns
    -------
    a, b : int64 arrays, shape (n_pairs,), ``a < b``
    length : float64 array, shape (n_pairs,), metres
    """
    a, b, length = _matching(geometry, plane)
    bad = faulty(geometry, tolerance_m)
    if bad.any():
        c, d = _close_pairs(plane, bad, tolerance_m)
        near = _length_within(plane, c, d, tolerance_m)
        a, b, length = _longest(len(geometry), (a, b, length), (c, d, near))
    least = max(1.0, 4.0 * tolerance_m) if bad.any() else 0.0
    # Edges that match to the last bit are a border however short; the threshold is for what was measured.
    keep = (length > least) | ((length > 0.0) & ~(bad[a] | bad[b]))
    return a[keep], b[keep], length[keep]


def faulty(geometry: NDArray[np.object_], gap_m: float = 0.0) -> NDArray[np.bool_]:
    """Polygons which overlap another, do not match its edges, or leave a gap up to `gap_m`; shape (n,)."""
    highest = float(np.abs(shapely.bounds(geometry)[:, [1, 3]]).max())
    gap = gap_m / (_METRES_PER_DEGREE * np.cos(np.radians(min(highest, 89.0))))
    bad: NDArray[np.bool_] = ~shapely.is_empty(shapely.coverage_invalid_edges(geometry, gap_width=gap))
    return bad


def _matching(geometry: NDArray[np.object_], plane: NDArray[np.object_]) -> tuple[Ints, Ints, Floats]:
    """Pairs with equal edges; compared in lon/lat, where equal means equal, measured in the plane."""
    start, end, metres, owner = _edges(geometry, plane)
    swap = (start[:, 0] > end[:, 0]) | ((start[:, 0] == end[:, 0]) & (start[:, 1] > end[:, 1]))
    low, high = np.where(swap[:, None], end, start), np.where(swap[:, None], start, end)
    key = np.column_stack([low, high])
    order = np.lexsort((owner, *key.T))
    same = (key[order][1:] == key[order][:-1]).all(axis=1)
    first, second = order[:-1][same], order[1:][same]
    return _summed(owner[first], owner[second], metres[first], len(geometry))


def _edges(geometry: NDArray[np.object_], plane: NDArray[np.object_]) -> tuple[Floats, Floats, Floats, Ints]:
    """Each outline edge: start, end (lon/lat), length (metres) and the row of its polygon."""
    rings, ring_owner = _rings(geometry)
    coords, ring = shapely.get_coordinates(rings, return_index=True)
    flat = shapely.get_coordinates(_rings(plane)[0])
    inner = ring[1:] == ring[:-1]
    step = np.diff(flat, axis=0)[inner]
    return coords[:-1][inner], coords[1:][inner], np.hypot(*step.T), ring_owner[ring[1:][inner]]


def _rings(geometry: NDArray[np.object_]) -> tuple[NDArray[np.object_], Ints]:
    parts, part_owner = shapely.get_parts(geometry, return_index=True)
    rings, part = shapely.get_rings(parts, return_index=True)
    return rings, part_owner[part]


def _summed(a: Ints, b: Ints, length: Floats, n: int) -> tuple[Ints, Ints, Floats]:
    """One row a pair of different polygons, lengths added."""
    low, high = np.minimum(a, b), np.maximum(a, b)
    pair, place = np.unique((low * n + high)[low < high], return_inverse=True)
    total = np.bincount(place, length[low < high], len(pair)).astype(np.float64)
    return pair // n, pair % n, total


def _close_pairs(plane: NDArray[np.object_], bad: NDArray[np.bool_], distance: float) -> tuple[Ints, Ints]:
    """Pairs within `distance` of which at least one is faulty."""
    rows = np.flatnonzero(bad)
    left, right = shapely.STRtree(plane).query(plane[rows], predicate="dwithin", distance=distance)
    a, b = rows[left], right
    low, high = np.minimum(a, b), np.maximum(a, b)
    pair = np.unique((low * len(plane) + high)[low < high])
    return pair // len(plane), pair % len(plane)


def _length_within(plane: NDArray[np.object_], a: Ints, b: Ints, tolerance_m: float) -> Floats:
    """Mean length of one polygon's outline within the tolerance of the other polygon."""
    used, place = np.unique(np.concatenate([a, b]), return_inverse=True)
    wide = shapely.buffer(plane[used], tolerance_m, quad_segs=4)
    line = shapely.boundary(plane[used])
    i, j = place[: len(a)], place[len(a) :]
    one = shapely.length(shapely.intersection(line[i], wide[j]))
    other = shapely.length(shapely.intersection(line[j], wide[i]))
    mean: Floats = (one + other) / 2.0
    return mean


def _longest(
    n: int, one: tuple[Ints, Ints, Floats], other: tuple[Ints, Ints, Floats]
) -> tuple[Ints, Ints, Floats]:
    """Both lists of pairs as one; where a pair is in both, the greater length (it holds the smaller)."""
    key = np.concatenate([one[0] * n + one[1], other[0] * n + other[1]])
    length = np.concatenate([one[2], other[2]])
    pair, place = np.unique(key, return_inverse=True)
    longest = np.zeros(len(pair))
    np.maximum.at(longest, place, length)
    return pair // n, pair % n, longest
