"""Point -> polygon, exactly: a raster in front of the exact test, which is left with few points.

A pixel holds the row of the polygon which covers it, or none, or, where an edge passes, the few parts to be
tested. Pixels which an edge passes are cut finer, twice, so that most of the raster costs next to nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gridsvc.tiling.parts import Parts
from gridsvc.tiling.pixels import FINER, LEVELS
from gridsvc.tiling.rasterise import rasterise

__all__ = ["Raster"]

Floats = NDArray[np.float64]
Codes = NDArray[np.int32]
Rows = NDArray[np.int64]

_CHUNK = 1 << 14  # points a round: the work arrays stay in the processor's cache
_BITS = FINER.bit_length() - 1
_DEPTH = _BITS * LEVELS
_NAMES = "raster_frame", "raster_shape", "raster_root", "raster_blocks", "raster_sets", "raster_set_at"


class Raster:
    """Finds the polygon which has a point, border included; where several have it, that of the lowest row.

    `Raster.of` makes it. Safe to share between threads.
    """

    def __init__(self, arrays: Mapping[str, NDArray[Any]]) -> None:
        self._arrays = {name: arrays[name] for name in _NAMES}
        self.parts = Parts(arrays)
        frame, shape, self._root, self._blocks, self._sets, self._set_at = self._arrays.values()
        self._x, self._y, self._per_x, self._per_y = frame.tolist()
        self.height, self.width = shape.tolist()
        self._last_x, self._last_y = ((n << _DEPTH) - 1.0 for n in (self.width, self.height))
        self._root_view, self._blocks_view = self._root.data, self._blocks.data

    @classmethod
    def of(cls, polygons: NDArray[np.object_], limit: int = 8 << 20) -> Raster:
        """The raster of some polygons.

        Parameters
        ----------
        polygons : object array of shapely (multi)polygons, shape (n,), valid, lon/lat degrees
        limit : int, bytes
            How large the raster's arrays may become, beside the polygons themselves.
        """
        parts = Parts.of(polygons)
        return cls(parts.arrays() | rasterise(parts, limit))

    def arrays(self) -> dict[str, NDArray[Any]]:
        """All of it as named arrays, polygons included."""
        return self._arrays | self.parts.arrays()

    @classmethod
    def of_arrays(cls, arrays: Mapping[str, NDArray[Any]]) -> Raster:
        """Made again from `arrays`, without copying; polygons are made when they are first needed."""
        return cls(arrays)

    def rows(self, lon: Floats, lat: Floats) -> Rows:
        """Row of each point's polygon, -1 where none has it.

        Parameters
        ----------
        lon, lat : float64 arrays, shape (n,), degrees
            What is not finite is in no polygon.
        """
        lon, lat = np.asarray(lon, np.float64), np.asarray(lat, np.float64)
        out = np.empty(len(lon), np.int64)
        for start in range(0, len(lon), _CHUNK):
            part = slice(start, start + _CHUNK)
            out[part] = self.codes(lon[part], lat[part])
        self.settle(lon, lat, out)
        return out

    def row(self, lon: float, lat: float) -> int:
        """Row of one point's polygon; the same answer as `rows`, without arrays."""
        x, y = (lon - self._x) * self._per_x, (lat - self._y) * self._per_y
        if not (0.0 <= x < self._last_x and 0.0 <= y < self._last_y):
            return -1
        i, j = int(y), int(x)
        code: int = self._root_view[(i >> _DEPTH) * self.width + (j >> _DEPTH)]
        for shift in range(_DEPTH - _BITS, -1, -_BITS):
            if code >= -1:
                return code
            within = ((i >> shift) % FINER) * FINER + (j >> shift) % FINER
            code = self._blocks_view[(-2 - code) * FINER * FINER + within]
        return code if code >= -1 else self._settle_one(-2 - code, lon, lat)

    def codes(self, lon: Floats, lat: Floats) -> Codes:
        """What each point's pixel holds: a row, -1 for none, or -2 less the number of a set of parts."""
        j, i = (
            _pixel(lon, self._x, self._per_x, self._last_x),
            _pixel(lat, self._y, self._per_y, self._last_y),
        )
        place = i >> _DEPTH
        place *= self.width
        place += j >> _DEPTH
        code = self._root.take(place)
        for shift in range(_DEPTH - _BITS, -1, -_BITS):
            deeper = np.flatnonzero(code < -1)
            if len(deeper):
                code[deeper] = self._finer(code[deeper], i[deeper] >> shift, j[deeper] >> shift)
        return code

    def _finer(self, code: Codes, i: Codes, j: Codes) -> Codes:
        place = -2 - code
        for within in (i, j):
            place <<= _BITS
            place |= within & (FINER - 1)
        return self._blocks.take(place)

    def settle(self, lon: Floats, lat: Floats, codes: Rows) -> None:
        """Put rows in place of the sets of parts which some points have as yet."""
        left = np.flatnonzero(codes < -1)
        sets = -2 - codes[left]
        order = np.argsort(sets)  # so that each part's index stays in cache
        left, sets = left[order], sets[order]
        codes[left] = -1
        at, end = self._set_at[sets], self._set_at[sets + 1]
        while len(left):
            part = self._sets[at]
            found = self.parts.has(part, lon[left], lat[left])
            codes[left[found]] = self.parts.owner[part[found]]
            at = at + 1
            more = ~found & (at < end)
            left, at, end = left[more], at[more], end[more]

    def _settle_one(self, set_: int, lon: float, lat: float) -> int:
        for part in self._sets[self._set_at[set_] : self._set_at[set_ + 1]].tolist():
            if self.parts.has_one(part, lon, lat):
                return int(self.parts.owner[part])
        return -1

    def uniform(self, west: Floats, south: Floats, east: Floats, north: Floats) -> Rows:
        """What holds for the whole of each box: a row, -1 for none, or -2 where it may differ within.

        Parameters
        ----------
        west, south, east, north : float64 arrays, shape (n,), degrees
        """
        left, right = (_pixel(x, self._x, self._per_x, self._last_x) >> _DEPTH for x in (west, east))
        low, high = (_pixel(y, self._y, self._per_y, self._last_y) >> _DEPTH for y in (south, north))
        root = self._root.reshape(self.height, self.width)
        # Where no edge passes, nothing changes from one pixel to the next.
        n = _in_box(_sums(root < -1), low, left, high + 1, right + 1)
        # Coarse pixels on the rim may hold an edge, but nothing is beyond them.
        end_x, end_y = self._x + self._last_x / self._per_x, self._y + self._last_y / self._per_y
        beyond = (east < self._x) | (west > end_x) | (north < self._y) | (south > end_y)
        return np.where(beyond, -1, np.where(n == 0, root[low, left], -2)).astype(np.int64)


def _pixel(degrees: Floats, first: float, per_degree: float, last: float) -> Codes:
    """The finest pixels' numbers along an axis; what is beyond the ends, or no number, is at an end."""
    place = degrees - first
    with np.errstate(over="ignore"):
        place *= per_degree
    np.fmax(place, 0.0, out=place)
    np.fmin(place, last, out=place)
    return place.astype(np.int32)


def _sums(flags: NDArray[np.bool_]) -> Rows:
    """Numbers of flags above and left of each corner, shape one larger than that of `flags`."""
    out = np.zeros((flags.shape[0] + 1, flags.shape[1] + 1), np.int64)
    out[1:, 1:] = flags.cumsum(axis=0, dtype=np.int64).cumsum(axis=1)
    return out


def _in_box(sums: Rows, low: Codes, left: Codes, high: Codes, right: Codes) -> Rows:
    found: Rows = sums[high, right] - sums[low, right] - sums[high, left] + sums[low, left]
    return found
