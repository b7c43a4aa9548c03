"""Polygons -> raster: which pixels an edge passes, and which part covers each of the others.

It goes from coarse pixels to fine ones. A pixel has a list of the parts which matter in it: they pass an edge
through it, or cover it. Only a part whose edge passes the coarser pixel but not the finer one must be tested,
and one point of the finer pixel then speaks for all of it.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from gridsvc.tiling.parts import Parts
from gridsvc.tiling.pixels import FINER, LEVELS, Edges, Grid, once, spread

__all__ = ["rasterise"]

Ints = NDArray[np.int64]
Flags = NDArray[np.bool_]

_SIDES = 512, 256, 128, 64, 32, 16, 8  # coarse pixels along the longer side of the box


def rasterise(parts: Parts, limit: int) -> dict[str, NDArray[Any]]:
    """The arrays of `gridsvc.tiling.raster.Raster`, but for the polygons'.

    Parameters
    ----------
    limit : int, bytes
        For these arrays together. A raster of the fewest pixels is made all the same.
    """
    edges = Edges.of(parts)
    for side in _SIDES:
        grid = Grid.of(parts, side)
        if side > _SIDES[-1] and (side > 12.0 * len(edges.part) ** 0.5 or grid.large(parts, edges)):
            continue
        passed = [edges.passed(grid, level) for level in range(LEVELS)]
        size = 4 * grid.height * grid.width + sum(
            4 * FINER**2 * _distinct(keys, len(parts)) for keys in passed
        )
        if side == _SIDES[-1] or size <= limit:
            break
    return _Painter(parts, grid, [*passed, edges.passed(grid, LEVELS)]).paint()


class _Painter:
    """Goes down the levels. Pixels in hand are numbered anew at each level."""

    def __init__(self, parts: Parts, grid: Grid, passed: list[Ints]) -> None:
        self._parts, self._grid, self._passed = parts, grid, passed
        self._blocks: list[NDArray[np.int32]] = []
        self._made = 0  # blocks so far

    def paint(self) -> dict[str, NDArray[Any]]:
        grid = self._grid
        height, width = grid.height, grid.width
        i, j = np.divmod(np.arange(height * width), width)
        pairs = self._at_first()
        root = None
        for level in range(LEVELS + 1):
            pixel, part, edge = self._sort_out(*pairs, i, j, level)
            codes = np.full(len(i), -1, np.int64)
            covered = ~edge
            codes[pixel[covered]] = self._parts.owner[part[covered]]
            split = once(pixel[edge])
            if level == LEVELS:
                codes[split], sets = _sets(pixel, part, split, len(self._parts))
            else:
                codes[split] = -2 - self._made - np.arange(len(split))
                self._made += len(split)
                pairs, (i, j) = _children(pixel, part, edge, split, i, j)
            if root is None:
                root = codes.astype(np.int32)
            else:
                self._blocks.append(codes.astype(np.int32))
        return {
            "raster_frame": np.array([grid.x, grid.y, grid.per_x, grid.per_y]),
            "raster_shape": np.array([height, width]),
            "raster_root": root if root is not None else np.zeros(0, np.int32),
            "raster_blocks": np.concatenate(self._blocks),
            **sets,
        }

    def _at_first(self) -> tuple[Ints, Ints, Flags]:
        """Coarse pixels in the parts' boxes: pixel, part, and that nothing is known as yet."""
        first, last = self._grid.boxes(self._parts)
        part, row = spread(first[1], last[1])
        line, column = spread(first[0][part], last[0][part])
        pixel = row[line] * self._grid.width + column
        return pixel, part[line], np.zeros(len(pixel), bool)

    def _sort_out(
        self, pixel: Ints, part: Ints, covers: Flags, i: Ints, j: Ints, level: int
    ) -> tuple[Ints, Ints, Flags]:
        """Keep of each pixel's parts those which decide: up to the lowest that covers it.

        Returns
        -------
        pixel, part : int64 arrays, ascending
        edge : bool array
            Whether the part's edge passes the pixel; else it covers it, and is the last of the pixel's.
        """
        order = np.argsort(pixel * len(self._parts) + part)
        pixel, part, covers = pixel[order], part[order], covers[order]
        key = (i[pixel] * self._grid.shape(level)[1] + j[pixel]) * len(self._parts) + part
        edge = _among(key, self._passed[level])
        test = np.flatnonzero(~edge & ~covers)
        test = test[np.argsort(part[test], kind="stable")]
        lon, lat = self._grid.centres(i[pixel[test]], j[pixel[test]], level)
        covers[test] = self._parts.has(part[test], lon, lat)
        keep = edge | covers
        pixel, part, edge = pixel[keep], part[keep], edge[keep]
        lowest = np.full(len(i), len(self._parts), np.int64)
        np.minimum.at(lowest, pixel[~edge], part[~edge])
        decides = part <= lowest[pixel]
        return pixel[decides], part[decides], edge[decides]


def _children(
    pixel: Ints, part: Ints, edge: Flags, split: Ints, i: Ints, j: Ints
) -> tuple[tuple[Ints, Ints, Flags], tuple[Ints, Ints]]:
    """The finer pixels of those in `split`: their parts, and where they are."""
    number = np.full(len(i), -1, np.int64)
    number[split] = np.arange(len(split))
    within = np.arange(FINER * FINER)
    down, across = np.divmod(within, FINER)
    i_finer = (i[split][:, None] * FINER + down).ravel()
    j_finer = (j[split][:, None] * FINER + across).ravel()
    mine = number[pixel] >= 0
    finer = (number[pixel[mine]][:, None] * FINER * FINER + within).ravel()
    covers = np.repeat(~edge[mine], FINER * FINER)
    return (finer, np.repeat(part[mine], FINER * FINER), covers), (i_finer, j_finer)


def _sets(pixel: Ints, part: Ints, split: Ints, n_parts: int) -> tuple[Ints, dict[str, NDArray[Any]]]:
    """Codes of the pixels in `split`, and each distinct set of parts once."""
    start, end = np.searchsorted(pixel, split), np.searchsorted(pixel, split, side="right")
    size = end - start
    rank = np.zeros(len(split), np.int64)
    for k in range(int(size.max(initial=0))):
        # One more part each time, or none; sets so far are told apart by number.
        following = np.where(k < size, part[np.minimum(start + k, end - 1)] + 1, 0)
        _, rank = np.unique(rank * (n_parts + 1) + following, return_inverse=True)
    _, example, code = np.unique(rank, return_index=True, return_inverse=True)
    which, place = spread(start[example], end[example] - 1)
    sizes = np.bincount(which, minlength=len(example)) if len(example) else np.zeros(0, np.int64)
    ends = np.concatenate([[0], np.cumsum(sizes)])
    return -2 - code, {"raster_sets": part[place].astype(np.int32), "raster_set_at": ends.astype(np.int32)}


def _among(keys: Ints, ascending: Ints) -> Flags:
    if not len(ascending):
        return np.zeros(len(keys), bool)
    found: Flags = ascending[np.minimum(np.searchsorted(ascending, keys), len(ascending) - 1)] == keys
    return found


def _distinct(keys: Ints, n_parts: int) -> int:
    """How many pixels there are among keys."""
    pixel = keys // max(1, n_parts)
    return int((pixel[1:] != pixel[:-1]).sum()) + 1
