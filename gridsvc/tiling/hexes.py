"""Arrays of H3 cells: centres, outlines, neighbours. One loop over h3 each, numpy for the rest."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import chain, repeat

import h3 as h3_text
import h3.api.basic_int as h3
import numpy as np
import shapely
from numpy.typing import NDArray

__all__ = ["centres", "corners", "index_points", "is_h3", "outlines", "shared_edges"]

Floats = NDArray[np.float64]
Cells = NDArray[np.uint64]


def is_h3(text: str) -> bool:
    """Whether `text` is the index of an H3 cell."""
    # h3 raises OverflowError on text of more than 64 bits, and reads digits as Python does: in any script,
    # with signs, blanks and underscores.
    plain = len(text) <= 16 and text.isascii() and text.isalnum()
    return plain and bool(h3_text.is_valid_cell(text))


def index_points(lon: Floats, lat: Floats, resolution: int) -> Cells:
    """The cell of each point, shape (n,); `lon`, `lat` in degrees, finite and in range (not checked)."""
    found = map(h3.latlng_to_cell, lat.tolist(), lon.tolist(), repeat(resolution))
    return np.fromiter(found, np.uint64, len(lon))


def centres(cells: Cells) -> tuple[Floats, Floats]:
    """Longitude and latitude of each cell's centre, degrees, shape (n,)."""
    pairs = _floats(chain.from_iterable(map(h3.cell_to_latlng, cells.tolist()))).reshape(-1, 2)
    return pairs[:, 1].copy(), pairs[:, 0].copy()


def corners(cells: Cells) -> tuple[Floats, NDArray[np.int64]]:
    """Corners of all cells packed one after the other, and how many each has.

    Returns
    -------
    xy : float64 array, shape (n_corners, 2), lon/lat degrees
        Where an outline passes the antimeridian its longitudes run on past 180.
    count : int64 array, shape (n,)
        Six for most; pentagons have five, and an outline over an icosahedron edge has further ones.
    """
    rings = [h3.cell_to_boundary(cell) for cell in cells.tolist()]
    count = np.fromiter(map(len, rings), np.int64, len(rings))
    flat = _floats(chain.from_iterable(chain.from_iterable(rings)))
    xy = flat.reshape(-1, 2)[:, ::-1].copy()
    _unwrap(xy, count)
    return xy, count


def outlines(xy: Floats, count: NDArray[np.int64]) -> NDArray[np.object_]:
    """Polygons, object array, shape (n,), of packed corners as `corners` gives them."""
    start = _starts(count)
    # Each ring again with its first corner at the end.
    index = np.insert(np.arange(len(xy)), start + count, start)
    rings = shapely.linearrings(xy[index], indices=np.repeat(np.arange(len(count)), count + 1))
    out: NDArray[np.object_] = shapely.polygons(rings)
    return out


def shared_edges(
    cells: Cells, xy: Floats, count: NDArray[np.int64]
) -> tuple[NDArray[np.int64], NDArray[np.int64], Floats]:
    """Pairs of neighbours among `cells` and the length of the edge between them.

    H3 names each vertex with one index, whichever cell asks, in the order of the outline's corners. So
    neighbours are the cells which hold an edge (two successive vertices) in common: exact, without
    comparing coordinates.

    Parameters
    ----------
    cells : uint64 array, shape (n,)
    xy : float64 array, shape (n_corners, 2), metres
        Corners of the cells, packed, in a plane.
    count : int64 array, shape (n,)

    Returns
    -------
    a, b : int64 arrays, shape (n_pairs,)
        Positions in `cells`.
    length : float64 array, shape (n_pairs,), metres
    """
    if len(cells) == 0:
        return np.zeros(0, np.int64), np.zeros(0, np.int64), np.zeros(0)
    tables = [h3.cell_to_vertexes(cell) for cell in cells.tolist()]
    sides = np.fromiter(map(len, tables), np.int64, len(tables))
    vertex = np.fromiter(chain.from_iterable(tables), np.uint64, int(sides.sum()))
    owner = np.repeat(np.arange(len(cells)), sides)
    following = vertex[_next(sides)]
    low, high = np.minimum(vertex, following), np.maximum(vertex, following)
    order = np.lexsort((owner, high, low))
    same = (low[order][1:] == low[order][:-1]) & (high[order][1:] == high[order][:-1])
    edge, a, b = order[:-1][same], owner[order[:-1][same]], owner[order[1:][same]]
    # An edge's first corner: its place in the cell's ring of vertices, taken in the cell's outline.
    corner = _starts(count)[a] + edge - _starts(sides)[a]
    step = xy[_next(count)] - xy
    # Where an outline has further corners, H3's own figure is taken; the clip only keeps `step` in bounds.
    length = np.hypot(*step[np.minimum(corner, len(xy) - 1)].T)
    for i in np.flatnonzero((count != sides)[a]):
        side = h3.cells_to_directed_edge(int(cells[a[i]]), int(cells[b[i]]))
        length[i] = h3.edge_length(side, unit="m")
    return a, b, length


def _starts(count: NDArray[np.int64]) -> NDArray[np.int64]:
    """Where each packed ring begins."""
    starts: NDArray[np.int64] = np.cumsum(count) - count
    return starts


def _next(count: NDArray[np.int64]) -> NDArray[np.int64]:
    """For packed rings of `count` items, the position of each item's successor in its ring."""
    end = np.cumsum(count)
    following = np.arange(1, int(count.sum()) + 1)
    following[end - 1] = end - count
    return following


def _unwrap(xy: Floats, count: NDArray[np.int64]) -> None:
    start = _starts(count)
    if len(xy) == 0:
        return
    span = np.maximum.reduceat(xy[:, 0], start) - np.minimum.reduceat(xy[:, 0], start)
    west = np.repeat(span > 180.0, count) & (xy[:, 0] < 0.0)
    xy[west, 0] += 360.0


def _floats(values: Iterable[float]) -> Floats:
    return np.fromiter(values, np.float64)
