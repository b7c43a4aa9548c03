"""Point -> row of an H3 tiling: h3-py decides, and the lattice says it for h3-py where it surely can."""

from __future__ import annotations

from types import ModuleType
from typing import ClassVar

import h3.api.basic_int as h3
import numpy as np
from numpy.typing import NDArray

from gridsvc.tiling.cellids import CellIds
from gridsvc.tiling.hexes import index_points
from gridsvc.tiling.lattice import ASK, Lattice

__all__ = ["BATCH", "HexLookup"]

Floats = NDArray[np.float64]
Rows = NDArray[np.int64]

BATCH = 200  # fewer points at a time are placed sooner one by one than by work on arrays


class HexLookup:
    """Finds the cells of points in an H3 tiling. Safe to share between threads.

    Attributes
    ----------
    cells : CellIds
    lattice : Lattice or None
        For batches; without one h3-py is asked for each point.
    """

    # `gridsvc.tiling.compiled` where this process has loaded it to be used for all batches.
    kernels: ClassVar[ModuleType | None] = None

    def __init__(self, resolution: int, cells: CellIds, lattice: Lattice | None = None) -> None:
        self.cells, self.lattice, self._resolution = cells, lattice, resolution

    def row(self, lon: float, lat: float) -> int:
        """Row of one point's cell; -1 where there is none, or it is no point."""
        # h3 would answer for latitude 91, with a cell elsewhere.
        if -90.0 <= lat <= 90.0 and -180.0 <= lon <= 180.0:
            return self.cells.find(h3.latlng_to_cell(lat, lon, self._resolution))
        return -1

    def rows(self, lon: Floats, lat: Floats, *, compiled: bool = False) -> Rows:
        """Row of each point's cell, shape (n,); the same answers as `row`'s.

        `compiled` loads numba where this process has not; it is not needed where it has (`compiled.warm`).
        """
        if self.lattice is None or len(lon) < BATCH:
            return self._one_by_one(lon, lat)
        kernels = _load() if compiled else self.kernels
        out = self.lattice.rows(lon, lat) if kernels is None else self.lattice.rows_by(kernels, lon, lat)
        ask = np.flatnonzero(out == ASK)
        out[ask] = self._one_by_one(lon[ask], lat[ask])
        return out

    def _one_by_one(self, lon: Floats, lat: Floats) -> Rows:
        with np.errstate(invalid="ignore"):
            sound = np.flatnonzero((np.abs(lat) <= 90.0) & (np.abs(lon) <= 180.0))
        out = np.full(len(lon), -1, np.int64)
        out[sound] = self.cells.rows(index_points(lon[sound], lat[sound], self._resolution))
        return out


def _load() -> ModuleType:
    from gridsvc.tiling import compiled

    return compiled
