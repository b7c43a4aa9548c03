"""H3 indexes of a tiling's cells in half the space: upper parts once for each run of cells that share one."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Mapping
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["CellIds"]

Cells = NDArray[np.uint64]
Rows = NDArray[np.int64]

_HEX = np.array([f"{byte:02x}" for byte in range(256)], "S2").view(np.uint16)  # a byte as two characters
_LOW = np.uint64(32)
_RUN = 64  # with fewer cells a run on average, whole indexes are kept


class CellIds:
    """Ascending ids of cells of one resolution, found both ways.

    The digits of an index which its resolution does not use are all ones and are left out. Of the rest the
    lower 32 bits are kept for each cell; ids of another build are kept whole.
    """

    def __init__(self, resolution: int, arrays: Mapping[str, NDArray[Any]]) -> None:
        self._arrays = {name: arrays[name] for name in ("cells", "cells_upper", "cells_start")}
        self._low, self._upper, self._start = self._arrays.values()
        self._whole = self._low.dtype == np.uint64
        self._shift = 0 if self._whole else _unused(resolution)
        # For single cells: a view and plain numbers, as taking one number out of an array costs much more.
        self._view, self._starts, self._bits = self._low.data, self._start.tolist(), 64 if self._whole else 32
        self._bases = [upper << self._bits for upper in self._upper.tolist()]
        self._runs = {
            base >> self._bits: (start, end, base)
            for base, (start, end) in zip(self._bases, pairwise(self._starts), strict=True)
        }

    @classmethod
    def of(cls, resolution: int, ids: Cells) -> CellIds:
        """`ids` : uint64 array, shape (n_cells,), ascending."""
        shift = _unused(resolution)
        unused = np.uint64((1 << shift) - 1)
        upper, start = np.unique((ids >> np.uint64(shift)) >> _LOW, return_index=True)
        if len(upper) * _RUN > len(ids) + 16 * _RUN or bool(((ids & unused) != unused).any()):
            upper, start, low = np.zeros(1, np.uint64), np.zeros(1, np.int64), ids
        else:
            low = (ids >> np.uint64(shift)).astype(np.uint32)
        ends = np.append(start, len(ids)).astype(np.int64)
        return cls(resolution, {"cells": low, "cells_upper": upper, "cells_start": ends})

    def arrays(self) -> dict[str, NDArray[Any]]:
        """All of it as named arrays, from which `CellIds(resolution, arrays)` is made again."""
        return self._arrays

    def __len__(self) -> int:
        return len(self._low)

    def find(self, cell: int) -> int:
        """Row of one cell, -1 where there is none."""
        used = cell >> self._shift
        run = self._runs.get(used >> self._bits)
        if run is None:
            return -1
        start, end, base = run
        low = used - base
        row = bisect_left(self._view, low, start, end)
        return row if row < end and self._view[row] == low else -1

    def rows(self, cells: Cells) -> Rows:
        """Row of each cell, int64 array, shape (n,), -1 where there is none."""
        if self._whole:
            return _rows(self._low, cells)
        used = cells >> np.uint64(self._shift)
        out = np.full(len(cells), -1, np.int64)
        upper = used >> _LOW
        for value in np.unique(upper).tolist():
            start, end, _ = self._runs.get(value, (0, 0, 0))
            here = np.flatnonzero(upper == value)
            found = _rows(self._low[start:end], used[here].astype(np.uint32))
            out[here] = np.where(found >= 0, found + start, -1)
        return out

    def at(self, rows: Rows) -> Cells:
        """The ids in these rows, uint64 array, shape (n,)."""
        if self._whole:
            whole: Cells = self._low[rows]
            return whole
        run = np.searchsorted(self._start[1:-1], rows, side="right") if len(self._upper) > 1 else 0
        used: Cells = self._low[rows] | (self._upper[run] << _LOW)
        return (used << np.uint64(self._shift)) | np.uint64((1 << self._shift) - 1)

    def one(self, row: int) -> int:
        """The id in one row."""
        run = bisect_right(self._starts, row, 1, len(self._bases)) - 1
        used: int = self._bases[run] + self._view[row]
        return ((used + 1) << self._shift) - 1

    def hexes(self, rows: Rows) -> NDArray[np.uint8]:
        """The ids in these rows as text, uint8 array, shape (n, 15)."""
        big = self.at(rows).astype(">u8").view(np.uint8)
        return _HEX.take(big).view(np.uint8).reshape(-1, 16)[:, 1:]


def _unused(resolution: int) -> int:
    """Bits at the end of an index which its resolution does not use."""
    return 3 * (15 - resolution)


def _rows(ordered: NDArray[Any], wanted: NDArray[Any]) -> Rows:
    if not len(ordered):
        return np.full(len(wanted), -1, np.int64)
    place = np.searchsorted(ordered, wanted)
    place[place == len(ordered)] = 0
    return np.where(ordered[place] == wanted, place, -1)
