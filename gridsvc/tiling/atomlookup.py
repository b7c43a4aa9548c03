"""Point -> row of a tiling with unsplittable polygons: these first, by an exact test, then other cells."""

from __future__ import annotations

from typing import Any, Protocol

import numpy as np
import shapely
from numpy.typing import NDArray

from gridsvc.tiling.cover import cover
from gridsvc.tiling.hexes import corners, outlines

__all__ = ["AtomLookup", "Finder", "hex_rows"]

Floats = NDArray[np.float64]
Rows = NDArray[np.int64]
Cells = NDArray[np.uint64]

_NOTHING = 1e-6  # of a hexagon's ground: rounding


class Finder(Protocol):
    """Finds rows of points in one layer, -1 where there is none."""

    def row(self, lon: float, lat: float) -> int:
        """Row of one point."""

    def rows(self, lon: Floats, lat: Floats, /) -> Rows:
        """Row of each point, int64 array, shape (n,)."""


class AtomLookup:
    """Two layers, one in front of the other. Safe to share between threads if both are.

    Parameters
    ----------
    atoms, cells : Finder
        The layer in front, and that behind it.
    atom_rows, cell_rows : integer arrays
        Row in the tiling of each row of the two.
    """

    def __init__(
        self, atoms: Finder, atom_rows: NDArray[Any], cells: Finder, cell_rows: NDArray[Any]
    ) -> None:
        self.atoms, self.cells = atoms, cells
        self._atom_rows, self._cell_rows = atom_rows, cell_rows
        # A view gives Python numbers, sooner than an array.
        self._atom_view, self._cell_view = atom_rows.data, cell_rows.data

    def row(self, lon: float, lat: float) -> int:
        """Row of one point's cell; -1 where there is none, or it is no point."""
        at = self.atoms.row(lon, lat)
        if at >= 0:
            return int(self._atom_view[at])
        at = self.cells.row(lon, lat)
        return int(self._cell_view[at]) if at >= 0 else -1

    def rows(self, lon: Floats, lat: Floats, **how: bool) -> Rows:
        """Row of each point's cell, int64 array, shape (n,); the same answers as `row`'s."""
        out = self.cells.rows(lon, lat, **how)
        hit = np.flatnonzero(out >= 0)
        out[hit] = self._cell_rows[out[hit]]
        over = self.atoms.rows(lon, lat)
        hit = np.flatnonzero(over >= 0)
        out[hit] = self._atom_rows[over[hit]]
        return out


def hex_rows(
    resolution: int, names: list[str], atoms: NDArray[np.bool_], geometry: NDArray[np.object_]
) -> tuple[Cells, Rows]:
    """The H3 cells of a mixed tiling, and the row which has what H3 calls theirs.

    Those which atoms take whole are among them, with the row of the atom which has most of each: H3's edges
    are not quite those of the drawn outlines, so that some points of such a cell may lie beside the atom.

    Parameters
    ----------
    names : list of str, n_cells
    atoms : bool array, shape (n_cells,)
    geometry : object array, shape (n_cells,), WGS-84
        Only that of the atoms is looked at.

    Returns
    -------
    ids : uint64 array, shape (n,), ascending
    rows : int64 array, shape (n,)
    """
    rows = np.flatnonzero(~atoms)
    ids = np.fromiter((int(names[row], 16) for row in rows), np.uint64, len(rows))
    ground = np.flatnonzero(atoms)
    taken, by = _taken(resolution, ids, geometry[ground])
    every, owner = np.concatenate([ids, taken]), np.concatenate([rows, ground[by]])
    order = np.argsort(every)
    return every[order], owner[order]


def _taken(resolution: int, ids: Cells, atoms: NDArray[np.object_]) -> tuple[Cells, Rows]:
    """Cells of which atoms leave nothing, ascending, and the atom which has most of each."""
    touched = cover(shapely.multipolygons(shapely.get_parts(atoms)), resolution) if len(atoms) else ids[:0]
    free = np.setdiff1d(touched, ids)
    shapes = outlines(*corners(free))
    cell, atom = shapely.STRtree(atoms).query(shapes, predicate="intersects")
    area = shapely.area(shapely.intersection(shapes[cell], atoms[atom]))
    whole = shapely.area(shapes)
    full = np.bincount(cell, area, len(free)) >= (1.0 - _NOTHING) * whole
    order = np.lexsort((atom, -area, cell))
    found, first = np.unique(cell[order], return_index=True)
    most = atom[order][first]
    return free[found[full[found]]], most[full[found]].astype(np.int64)
