"""Where a raster's pixels are, and which of them the edges of polygons pass."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gridsvc.tiling.parts import Parts

__all__ = ["FINER", "LEVELS", "Edges", "Grid", "once", "spread"]

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

FINER = 4  # a pixel is cut into so many by so many finer ones; a power of two
LEVELS = 2  # how often
_PAD = 2  # finest pixels left free around the box, so that what is beyond it falls into empty ones
# An edge passes a pixel also where it comes this near, in pixels. Rounding is below 1e-11 of one.
_MARGIN = 1e-6
_SMALLEST = 1e-9  # degrees along a pixel: with smaller ones rounding would matter
_PAIRS = 8 << 20  # pairs of a coarse pixel and a part whose box has it: bounds time and memory
_PASSED = 32 << 20  # the same of pixels and edges


@dataclass(frozen=True, slots=True)
class Grid:
    """Where the pixels are."""

    x: float  # of the first pixel's corner
    y: float
    per_x: float  # finest pixels a degree
    per_y: float
    height: int  # coarse pixels
    width: int

    @classmethod
    def of(cls, parts: Parts, side: int) -> Grid:
        """So many coarse pixels along the longer side of the parts' box."""
        low, high = _corners(parts.xy)
        span = np.maximum(high - low, _SMALLEST)
        width, height = np.ceil(side * span / span.max()).astype(int).tolist()
        finest = np.array([width, height]) * FINER**LEVELS
        per = np.minimum((finest - 2 * _PAD) / span, 1.0 / _SMALLEST)
        x, y = low - _PAD / per
        return cls(float(x), float(y), float(per[0]), float(per[1]), height, width)

    def pixels(self, xy: Floats, level: int) -> Floats:
        """Positions in pixels of a level, shape (2, n), of points of shape (n, 2)."""
        # As in the lookup, so that rounding is the same; the division is by a power of two.
        size = FINER ** (LEVELS - level)
        at: Floats = np.array([(xy[:, 0] - self.x) * self.per_x, (xy[:, 1] - self.y) * self.per_y]) / size
        return at

    def centres(self, i: Ints, j: Ints, level: int) -> tuple[Floats, Floats]:
        """Longitude and latitude of the middles of a level's pixels, row `i` and column `j`."""
        size = FINER ** (LEVELS - level)
        return self.x + (j + 0.5) * size / self.per_x, self.y + (i + 0.5) * size / self.per_y

    def shape(self, level: int) -> tuple[int, int]:
        """Height and width in pixels of a level."""
        return self.height * FINER**level, self.width * FINER**level

    def boxes(self, parts: Parts) -> tuple[Ints, Ints]:
        """First and last coarse pixel of each part's box, shape (2, n_parts) each, column first."""
        if not len(parts):
            return np.zeros((2, 0), np.int64), np.zeros((2, 0), np.int64)
        starts = parts.rings[parts.first_ring]
        at = self.pixels(parts.xy, 0)
        first = np.minimum.reduceat(at, starts, axis=1) - _MARGIN
        last = np.maximum.reduceat(at, starts, axis=1) + _MARGIN
        most = np.array([[self.width - 1], [self.height - 1]])
        return _floor(first, most), _floor(last, most)

    def large(self, parts: Parts, edges: Edges) -> bool:
        """Whether making a raster of these pixels would take long."""
        first, last = self.boxes(parts)
        finest = np.abs(self.pixels(edges.end, LEVELS) - self.pixels(edges.start, LEVELS)).sum()
        return bool(np.prod(last - first + 1, axis=0).sum() > _PAIRS or finest + len(edges.part) > _PASSED)


@dataclass(frozen=True, slots=True)
class Edges:
    """The edges of all rings, and the part each is of."""

    start: Floats  # shape (n, 2), lon/lat
    end: Floats
    part: Ints
    n_parts: int

    @classmethod
    def of(cls, parts: Parts) -> Edges:
        """The edges of these parts, ring by ring."""
        ring = np.repeat(np.arange(len(parts.rings) - 1), np.diff(parts.rings))
        within = np.flatnonzero(ring[1:] == ring[:-1])
        return cls(parts.xy[within], parts.xy[within + 1], parts.of_ring[ring[within]], len(parts))

    def passed(self, grid: Grid, level: int) -> Ints:
        """Pixels of a level with the parts whose edges pass them, as keys.

        A key is pixel * n_parts + part; ascending, each once.
        """
        (x1, y1), (x2, y2) = grid.pixels(self.start, level), grid.pixels(self.end, level)
        height, width = grid.shape(level)
        low_x, high_x = np.minimum(x1, x2), np.maximum(x1, x2)
        low_y, high_y = np.minimum(y1, y2), np.maximum(y1, y2)
        first, last = _floor(low_x - _MARGIN, width - 1), _floor(high_x + _MARGIN, width - 1)
        edge, column = spread(first, last)
        steep = np.abs(x2 - x1) <= _MARGIN
        slope = np.where(steep, 0.0, (y2 - y1) / np.where(steep, 1.0, x2 - x1))[edge]
        # The edge's piece over the column: its two ends' heights.
        x1, y1, low_y, high_y, steep = x1[edge], y1[edge], low_y[edge], high_y[edge], steep[edge]
        here = y1 + (np.maximum(column - _MARGIN, low_x[edge]) - x1) * slope
        there = y1 + (np.minimum(column + 1.0 + _MARGIN, high_x[edge]) - x1) * slope
        low = np.where(steep, low_y, np.clip(np.minimum(here, there), low_y, high_y))
        high = np.where(steep, high_y, np.clip(np.maximum(here, there), low_y, high_y))
        piece, row = spread(_floor(low - _MARGIN, height - 1), _floor(high + _MARGIN, height - 1))
        pixel = row * width + column[piece]
        return once(pixel * self.n_parts + self.part[edge[piece]])


def spread(first: Ints, last: Ints) -> tuple[Ints, Ints]:
    """Each number from `first` to `last`, for one pair after the other: position of the pair, number."""
    count = last - first + 1
    of = np.repeat(np.arange(len(count)), count)
    return of, np.arange(len(of)) - np.repeat(np.cumsum(count) - count, count) + first[of]


def once(keys: Ints) -> Ints:
    """Each key once, ascending; numpy's `unique` is several times slower on so many."""
    keys = np.sort(keys)
    return keys[np.concatenate([[True], keys[1:] != keys[:-1]])] if len(keys) else keys


def _floor(position: Floats, last: Any) -> Ints:
    floored: Ints = np.clip(np.floor(position), 0, last).astype(np.int64)
    return floored


def _corners(xy: Floats) -> tuple[Floats, Floats]:
    return (xy.min(axis=0), xy.max(axis=0)) if len(xy) else (np.zeros(2), np.zeros(2))
