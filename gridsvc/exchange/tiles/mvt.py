"""Mapbox Vector Tiles 2.1, written for all features of a tile at once.

Source: https://github.com/mapbox/vector-tile-spec, version 2.1. Features of a tile are whole numbers through
and through, some 150,000 for 3,000 cells; they are put in order and packed as one array.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gridsvc.exchange.tiles.attributes import Attribute
from gridsvc.exchange.tiles.rings import Box, Ints, Rings, spread

__all__ = ["BUFFER", "EXTENT", "MEDIA_TYPE", "encode"]

MEDIA_TYPE = "application/vnd.mapbox-vector-tile"
EXTENT = 4096
BUFFER = 64
"""Units drawn beyond each edge, so that outlines along it are not seen."""

_MOVE, _LINE, _CLOSE = 1, 2, 7
_POLYGON = 3


def encode(
    name: str,
    drawn: Rings,
    rows: Ints,
    properties: Mapping[str, Attribute],
    bounds: Box,
) -> bytes:
    """Give a tile of one layer of polygons; no bytes where nothing of them can be seen.

    Parameters
    ----------
    drawn : Rings
        In the unit of `bounds`, cut to the tile with its buffer; what is too small to be seen is left out.
    rows : int64 array, as long as `drawn`
        Which feature each outline is of; its id is one more.
    properties : mapping of str to Attribute
        Of all features.
    bounds : (west, south, east, north)
        Of the tile.
    """
    xy, points, rings = _in_tile(drawn, bounds)
    seen = rings > 0
    if not seen.any():
        return b""  # a tile without features has no layer
    rows, rings = rows[seen], rings[seen]
    pairs, counts, values = _pairs(properties, rows)
    lines, lengths = _commands(xy, points, rings)
    parts = [
        _number(15, 2),
        _field(1, name.encode()),
        _features(rows + 1, (pairs, counts), (lines, lengths)),
        *(_field(3, key.encode()) for key in properties),
        values,
        _number(5, EXTENT),
    ]
    return _field(3, b"".join(parts))


# --- rings in units of the tile -------------------------------------------------------------------------


def _in_tile(drawn: Rings, bounds: Box) -> tuple[Ints, Ints, Ints]:
    """Points without those that fall together, y growing to the south; without rings that have no area then.

    Returns
    -------
    xy : int64 array, shape (n_points, 2)
    points : int64 array, shape (n_rings,)
        How many points each ring has.
    rings : int64 array, shape (n,)
        How many rings each outline has.
    """
    west, _, east, north = bounds
    scale = EXTENT / (east - west)
    grid = np.rint((drawn.xy - (west, north)) * (scale, -scale)).astype(np.int64)
    ring = np.repeat(np.arange(len(drawn.points)), drawn.points)
    kept = np.append(True, (grid[1:] != grid[:-1]).any(axis=1) | (ring[1:] != ring[:-1]))[: len(grid)]
    grid, ring = grid[kept], ring[kept]
    area = _areas(grid, ring, len(drawn.points))
    seen = np.where(drawn.outer, area > 0, area < 0)
    part = np.maximum.accumulate(np.where(drawn.outer, np.arange(len(seen)), 0))
    seen &= seen[part]  # no hole without its part
    owner = np.repeat(np.arange(len(drawn)), drawn.rings)
    points = np.bincount(ring, minlength=len(seen))[seen]
    return grid[seen[ring]], points, np.bincount(owner[seen], minlength=len(drawn))


def _areas(grid: Ints, ring: Ints, n: int) -> NDArray[np.float64]:
    """Twice the signed area of each ring, by the surveyor's formula."""
    after = np.roll(grid, -1, axis=0)
    starts = np.flatnonzero(np.append(True, ring[1:] != ring[:-1])[: len(ring)])
    after[np.append(starts[1:], len(grid))[: len(starts)] - 1] = grid[starts]  # each ring ends where it began
    cross = grid[:, 0] * after[:, 1] - after[:, 0] * grid[:, 1]
    return np.asarray(np.bincount(ring, cross.astype(np.float64), n), np.float64)


def _commands(xy: Ints, points: Ints, rings: Ints) -> tuple[Ints, Ints]:
    """The numbers which draw the outlines, behind one another, and how many draw each."""
    first = np.cumsum(points) - points
    step = np.diff(xy, axis=0, prepend=np.zeros((1, 2), np.int64))
    start = first[np.cumsum(rings) - rings]
    step[start] = xy[start]  # the pen starts each feature at the corner of the tile
    sizes = 2 * points + 3
    at = np.cumsum(sizes) - sizes
    numbers = np.empty(int(sizes.sum()), np.int64)
    numbers[spread(at + 1, np.full(len(at), 2))] = _zigzag(step[first]).ravel()
    later = np.ones(len(xy), np.bool_)
    later[first] = False
    numbers[spread(at + 4, 2 * points - 2)] = _zigzag(step[later]).ravel()
    numbers[at], numbers[at + 3] = _MOVE | 1 << 3, (points - 1) << 3 | _LINE
    numbers[at + sizes - 1] = _CLOSE | 1 << 3
    return numbers, np.add.reduceat(sizes, np.cumsum(rings) - rings)


def _zigzag(numbers: Ints) -> Ints:
    found: Ints = (numbers << 1) ^ (numbers >> 63)
    return found


# --- properties -----------------------------------------------------------------------------------------


def _pairs(properties: Mapping[str, Attribute], rows: Ints) -> tuple[Ints, Ints, bytes]:
    """Place of key and of value, in turn; how many such numbers each of `rows` has; and the values."""
    table, values, n = np.full((len(rows), len(properties), 2), -1, np.int64), list[bytes](), 0
    for key, found in enumerate(properties.values()):
        used, place = np.unique(found.codes[rows], return_inverse=True)
        known = used >= 0
        table[:, key, 0] = key
        table[:, key, 1] = np.where(known[place], place + n - (~known).sum(), -1)
        values.append(_values(found.values[used[known]].tolist()))
        n += int(known.sum())
    told = table[:, :, 1] >= 0
    return table[told].ravel(), 2 * told.sum(axis=1), b"".join(values)


_REAL = np.dtype([("head", "V3"), ("value", "<f8")])


def _values(values: list[Any]) -> bytes:
    """Values behind one another, each a message of its own."""
    if {type(value) for value in values} != {float}:
        return b"".join(map(_value, values))
    table = np.empty(len(values), _REAL)
    table["head"], table["value"] = np.void(b"\x22\x09\x19"), values
    return table.tobytes()


def _value(value: Any) -> bytes:
    if isinstance(value, str):
        block = value.encode()
        n = len(block)  # most are short, and there are as many as cells
        return bytes((0x22, n + 2, 0x0A, n)) + block if n < 0x7E else _field(4, _field(1, block))
    if isinstance(value, bool):
        return _field(4, _number(7, int(value)))
    if isinstance(value, float):
        return _values([value])
    return _field(4, _number(6, (value << 1) ^ (value >> 63)))


# --- numbers --------------------------------------------------------------------------------------------


def _features(ids: Ints, tags: tuple[Ints, Ints], drawing: tuple[Ints, Ints]) -> bytes:
    """All features, each a message of id, tags, type and drawing: numbers as they stand in the tile."""
    (tag, n_tags), (line, n_lines) = tags, drawing
    tag_bytes, line_bytes = _lengths(tag, n_tags), _lengths(line, n_lines)
    length = 5 + _sizes(ids) + _sizes(tag_bytes) + tag_bytes + _sizes(line_bytes) + line_bytes
    parts = (0x12, length, 0x08, ids, 0x12, tag_bytes, 0x18, _POLYGON, 0x22, line_bytes)
    heads = np.column_stack(np.broadcast_arrays(*parts))
    starts = np.cumsum(10 + n_tags + n_lines) - (10 + n_tags + n_lines)
    numbers = np.empty(heads.size + len(tag) + len(line), np.int64)
    numbers[(starts[:, None] + np.arange(6)).ravel()] = heads[:, :6].ravel()
    numbers[spread(starts + 6, n_tags)] = tag
    numbers[((starts + 6 + n_tags)[:, None] + np.arange(4)).ravel()] = heads[:, 6:].ravel()
    numbers[spread(starts + 10 + n_tags, n_lines)] = line
    return _varints(numbers)


def _lengths(numbers: Ints, counts: Ints) -> Ints:
    """How many bytes each run of `counts` numbers takes."""
    ends = np.concatenate([[0], np.cumsum(_sizes(numbers))])
    stops = np.cumsum(counts)
    found: Ints = ends[stops] - ends[stops - counts]
    return found


def _sizes(numbers: Ints) -> Ints:
    """How many bytes each number takes: one for every 7 bits; numbers are 0 or more and below 2**35."""
    found = np.ones(len(numbers), np.int64)
    for bits in (7, 14, 21, 28):
        found += numbers >= 1 << bits
    return found


def _varints(numbers: Ints) -> bytes:
    """Numbers behind one another, 7 bits a byte, the lowest first."""
    sizes = _sizes(numbers)
    starts = np.cumsum(sizes) - sizes
    out = np.empty(int(sizes.sum()), np.uint8)
    out[starts] = numbers & 0x7F | np.where(sizes > 1, 0x80, 0)
    for k in range(1, int(sizes.max())):
        longer = np.flatnonzero(sizes > k)
        more = np.where(sizes[longer] > k + 1, 0x80, 0)
        out[starts[longer] + k] = (numbers[longer] >> 7 * k) & 0x7F | more
    return out.tobytes()


def _varint(number: int) -> bytes:
    out = bytearray()
    while number >= 0x80:
        out.append(number & 0x7F | 0x80)
        number >>= 7
    out.append(number)
    return bytes(out)


def _number(field: int, number: int) -> bytes:
    return _varint(field << 3) + _varint(number)


def _field(field: int, block: bytes) -> bytes:
    return _varint(field << 3 | 2) + _varint(len(block)) + block
