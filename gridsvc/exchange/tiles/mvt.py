"""Mapbox Vector Tiles 2.1, written for all features of a tile at once.

Source: https://github.com/mapbox/vector-tile-spec, version 2.1. A tile of 3,000 cells is some 50,000 small
numbers; they are made and packed as arrays, and only attributes are gone through one by one.
"""

from __future__ import annotations

import struct
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import shapely
from numpy.typing import NDArray

__all__ = ["BUFFER", "EXTENT", "MEDIA_TYPE", "encode"]

MEDIA_TYPE = "application/vnd.mapbox-vector-tile"
EXTENT = 4096
BUFFER = 64
"""Units drawn beyond each edge, so that outlines along it are not seen."""

_MOVE, _LINE, _CLOSE = 1, 2, 7
_POLYGON = 3

Ints = NDArray[np.int64]


def encode(
    name: str,
    geometry: NDArray[np.object_],
    columns: Mapping[str, Sequence[Any]],
    ids: Sequence[int],
    bounds: tuple[float, float, float, float],
) -> bytes:
    """Give a tile of one layer of polygons.

    Parameters
    ----------
    geometry : object array of shapely (multi)polygons, shape (n,)
        In the unit of `bounds`; what lies outside is cut away, and what is too small to be seen left out.
    columns : mapping of str to sequence of length n
        Texts, numbers, truth values; None is left out.
    ids : sequence of int of length n
    bounds : (west, south, east, north)
        Of the tile.
    """
    west, south, east, north = bounds
    more = BUFFER / EXTENT * (east - west)
    cut = shapely.clip_by_rect(geometry, west - more, south - more, east + more, north + more)
    xy, ring, owner = _rings(cut, (west, north, EXTENT / (east - west)))
    if not len(ring):
        return b""  # a tile without features has no layer
    packed, ends = _commands(xy, ring, owner)
    drawn, first = np.unique(owner, return_index=True)
    starts = np.concatenate([[0], ends[first[1:] - 1]]).tolist()
    stops = [*starts[1:], len(packed)]
    keys, values, tags = _tags(columns, drawn)
    parts = [
        _field(2, _feature(ids[row], tag, packed[start:stop]))
        for row, tag, start, stop in zip(drawn.tolist(), tags, starts, stops, strict=True)
    ]
    head = [_number(15, 2), _field(1, name.encode())]
    tail = [*(_field(3, key.encode()) for key in keys), *(_field(4, value) for value in values)]
    return _field(3, b"".join([*head, *parts, *tail, _number(5, EXTENT)]))


# --- rings in units of the tile -------------------------------------------------------------------------


def _rings(
    geometry: NDArray[np.object_], frame: tuple[float, float, float]
) -> tuple[Ints, NDArray[np.intp], NDArray[np.intp]]:
    """Rings without their last point and without points that fall together.

    Returns
    -------
    xy : int64 array, shape (n_points, 2)
        Behind one another; y grows to the south.
    ring : int array, shape (n_rings,)
        Number of points of each.
    owner : int array, shape (n_rings,)
        Row of the geometry each belongs to; the outer ring of a part stands before its holes.
    """
    parts, of = shapely.get_parts(geometry, return_index=True)
    areal = shapely.get_type_id(parts) == _POLYGON
    parts = shapely.orient_polygons(parts[areal], exterior_cw=True)
    rings, part = shapely.get_rings(parts, return_index=True)
    owner = of[areal][part]
    if not len(rings):
        return np.zeros((0, 2), np.int64), owner, owner
    points, index = shapely.get_coordinates(rings, return_index=True)
    west, north, scale = frame
    grid = np.rint((points - (west, north)) * (scale, -scale)).astype(np.int64)
    last = np.append(index[1:] != index[:-1], True)
    repeated = np.append(False, (grid[1:] == grid[:-1]).all(axis=1) & (index[1:] == index[:-1]))
    kept = ~last & ~repeated
    grid, index = grid[kept], index[kept]
    outer = np.append(True, part[1:] != part[:-1])
    area = _areas(grid, index, len(rings))
    seen = np.where(outer, area > 0, area < 0)
    seen &= seen[np.maximum.accumulate(np.where(outer, np.arange(len(outer)), 0))]  # no hole without its part
    kept = seen[index]
    counts = np.bincount(index[kept], minlength=len(rings))[seen]
    return grid[kept], counts, owner[seen]


def _areas(grid: Ints, index: NDArray[np.intp], n: int) -> NDArray[np.float64]:
    """Twice the signed area of each ring, by the surveyor's formula; 0 for one with fewer than 3 points."""
    after = np.roll(grid, -1, axis=0)
    starts = np.flatnonzero(np.append(True, index[1:] != index[:-1])) if len(index) else np.zeros(0, np.intp)
    if len(starts):
        after[np.append(starts[1:], len(grid)) - 1] = grid[starts]  # each ring ends where it began
    cross = grid[:, 0] * after[:, 1] - after[:, 0] * grid[:, 1]
    return np.asarray(np.bincount(index, cross.astype(np.float64), n), np.float64)


# --- commands and numbers -------------------------------------------------------------------------------


def _commands(xy: Ints, ring: NDArray[np.intp], owner: NDArray[np.intp]) -> tuple[bytes, NDArray[np.intp]]:
    """Packed geometry of all rings, and where in it each ring ends."""
    first = np.cumsum(ring) - ring
    step = np.diff(xy, axis=0, prepend=np.zeros((1, 2), np.int64))
    start = first[np.append(True, owner[1:] != owner[:-1])]
    step[start] = xy[start]  # the pen starts each feature at the corner of the tile
    zigzag = (step << 1) ^ (step >> 63)
    at = np.cumsum(2 * ring + 3) - (2 * ring + 3)
    numbers = np.empty(int((2 * ring + 3).sum()), np.int64)
    fixed = np.zeros(len(numbers), bool)
    for offset, value in ((0, _MOVE | 1 << 3), (3, (ring - 1) << 3 | _LINE), (2 * ring + 2, _CLOSE | 1 << 3)):
        numbers[at + offset] = value
        fixed[at + offset] = True
    numbers[~fixed] = zigzag.ravel()
    packed, ends = _varints(numbers)
    return packed, ends[at + 2 * ring + 2]


def _varints(numbers: Ints) -> tuple[bytes, NDArray[np.intp]]:
    """Numbers, 0 or more and below 2**35, as varints behind one another; and where each ends."""
    limits = np.array([1 << 7 * k for k in range(1, 5)], np.int64)
    size = 1 + (numbers[:, None] >= limits).sum(axis=1)
    ends = np.cumsum(size)
    out = np.empty(int(ends[-1]), np.uint8)
    for k in range(5):
        longer = size > k
        more = np.where(size[longer] > k + 1, 0x80, 0)
        out[(ends - size)[longer] + k] = (numbers[longer] >> 7 * k) & 0x7F | more
    return out.tobytes(), ends


# --- attributes and protocol buffers --------------------------------------------------------------------


def _tags(
    columns: Mapping[str, Sequence[Any]], rows: NDArray[np.intp]
) -> tuple[list[str], list[bytes], list[bytes]]:
    """Keys, values, and the packed pairs of each of `rows`."""
    keys, places = list(columns), dict[tuple[type, Any], int]()
    wanted = rows.tolist()
    pairs: list[list[bytes]] = [[] for _ in wanted]
    for key, name in enumerate(keys):
        column, told = columns[name], _varint(key)
        for row, found in zip(wanted, pairs, strict=True):
            value = column[row]
            if value is not None and value == value:  # noqa: PLR0124 - NaN is not equal to itself
                place = places.setdefault((type(value), value), len(places))
                found.append(told + _varint(place))
    return keys, [_value(value) for _, value in places], [b"".join(found) for found in pairs]


def _value(value: Any) -> bytes:
    if isinstance(value, bool):
        return _number(7, int(value))
    if isinstance(value, int):
        return _number(6, (value << 1) ^ (value >> 63))
    if isinstance(value, float):
        return b"\x19" + struct.pack("<d", value)
    return _field(1, str(value).encode())


def _feature(number: int, tags: bytes, geometry: bytes) -> bytes:
    return b"".join(
        [_number(1, number), _field(2, tags) if tags else b"", _number(3, _POLYGON), _field(4, geometry)]
    )


def _varint(number: int) -> bytes:
    if number < 0x80:
        return _ONE[number]
    out = bytearray()
    while number >= 0x80:
        out.append(number & 0x7F | 0x80)
        number >>= 7
    out.append(number)
    return bytes(out)


_ONE = [bytes([number]) for number in range(0x80)]


def _number(field: int, number: int) -> bytes:
    return _varint(field << 3) + _varint(number)


def _field(field: int, block: bytes) -> bytes:
    return _varint(field << 3 | 2) + _varint(len(block)) + block
