"""The places of one territory: point -> row of its cell, cell id <-> row, in the territory or not.

All of it can be written as arrays and made again from them, so that processes can share one mapped file.
Loaded by API workers: numpy, h3 and shapely only.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from functools import cached_property
from typing import Any

import h3 as h3_text
import numpy as np
import shapely
from numpy.typing import NDArray

from gridsvc.tiling.atomlookup import AtomLookup, hex_rows
from gridsvc.tiling.cellids import CellIds
from gridsvc.tiling.faces import step
from gridsvc.tiling.hexes import centres, corners, is_h3, outlines
from gridsvc.tiling.hexlookup import HexLookup
from gridsvc.tiling.lattice import Lattice
from gridsvc.tiling.raster import Raster
from gridsvc.tiling.textids import TextIds

__all__ = ["Places"]

Floats = NDArray[np.float64]
Rows = NDArray[np.int64]
Arrays = Mapping[str, NDArray[Any]]

_BORDER = 1 << 20  # bytes which the raster of the territory may take
# How far a cell reaches from its centre, in steps of its lattice. On a face 0.58, and less on the globe, as
# that is nearer than the face; what is bent over faces' edges is no longer. Half as much again to be safe.
_REACH = 0.9
_MIXED, _INSIDE, _OUTSIDE = 0, 1, 2  # whether a cell lies in the territory


class Places:
    """The lookup half of one tiling of one territory; `Places.of` makes it. Safe to share between threads.

    Attributes
    ----------
    kind : {"h3", "polygons", "mixed"}
        ``mixed``: H3 cells and unsplittable polygons.
    resolution : int or None
        H3 resolution; None for polygons.
    hexes : CellIds or None
        The H3 cells; of a mixed tiling also those of which the polygons leave nothing.
    row : callable
        ``row(lon, lat)``: row of one point's cell, -1 where there is none or it is no point. WGS-84 degrees.
    """

    row: Callable[[float, float], int]  # that of the lookup itself: one call less

    def __init__(self, resolution: int | None, arrays: Arrays) -> None:
        self.resolution = resolution
        self._arrays = dict(arrays)
        self._flags = arrays["flags"].data
        self._territory = Raster(_named("territory_", arrays))
        self.hexes = None if resolution is None else CellIds(resolution, arrays)
        cells: HexLookup | Raster
        if resolution is None or self.hexes is None:
            cells = Raster(_named("cells_", arrays))
        else:
            lattice = Lattice(arrays) if "lattice_blocks" in arrays else None
            cells = HexLookup(resolution, self.hexes, lattice)
        self._behind, self._front = cells, _front(arrays)
        self._lookup = (
            cells if self._front is None else AtomLookup(*self._front, cells, arrays["behind_rows"])
        )
        self.kind = "polygons" if self.hexes is None else "h3" if self._front is None else "mixed"
        self._ids = self.hexes if self.hexes is not None and self.kind == "h3" else TextIds(arrays)
        self.row = self._lookup.row

    @classmethod
    def of(
        cls,
        kind: str,
        resolution: int | None,
        ids: NDArray[Any],
        geometry: NDArray[np.object_] | None,
        boundary: shapely.MultiPolygon,
        atoms: NDArray[np.bool_] | None = None,
    ) -> Places:
        """The places of a tiling.

        Parameters
        ----------
        kind : {"h3", "polygons", "mixed"}
        resolution : int or None
            H3 resolution; None for polygons.
        ids : array, shape (n_cells,)
            uint64 H3 indexes; text (object) where not all cells are of H3. Ascending and unique.
        geometry : object array of shapely (multi)polygons, shape (n_cells,), WGS-84, or None
            The cells; not needed where all are of H3.
        boundary : shapely.MultiPolygon, WGS-84
            The territory.
        atoms : bool array, shape (n_cells,), or None
            Which cells go before all others.
        """
        territory = Raster.of(np.array([boundary], object), _BORDER)
        if kind == "h3" and resolution is not None:
            arrays = _of_hexes(resolution, np.asarray(ids, np.uint64), territory)
        elif geometry is None:
            raise TypeError("H3 needs a resolution, and other cells their polygons")
        else:
            names, flags = [str(name) for name in ids], _flags_of(geometry, territory, boundary)
            arrays = TextIds.of(names).arrays() | {"flags": flags}
            if atoms is None:
                arrays |= _prefixed("cells_", Raster.of(geometry).arrays())
            elif resolution is None:
                arrays |= _of_atoms(geometry, atoms) | _behind_polygons(geometry, atoms)
            else:
                hexes = hex_rows(resolution, names, atoms, geometry)
                arrays |= _of_atoms(geometry, atoms) | _behind_hexes(resolution, hexes, flags, territory)
        return cls(resolution, arrays | _prefixed("territory_", territory.arrays()))

    @classmethod
    def of_arrays(cls, meta: Mapping[str, Any], arrays: Arrays) -> Places:
        """Made again from `meta` and `arrays`, without copying; the arrays may be read-only maps."""
        return cls(meta["resolution"], arrays)

    def meta(self) -> dict[str, Any]:
        """What `of_arrays` needs beside the arrays, JSON-able."""
        return {"kind": self.kind, "resolution": self.resolution}

    def arrays(self) -> dict[str, NDArray[Any]]:
        """What `of_arrays` needs, by name."""
        return self._arrays

    @staticmethod
    def warm() -> None:
        """Let all lookups of this process use compiled kernels; loads numba, and compiles them if need be."""
        from gridsvc.tiling import compiled

        compiled.warm()

    def __len__(self) -> int:
        return len(self._ids)

    def rows(self, lon: Floats, lat: Floats, *, compiled: bool = False) -> Rows:
        """Row of each point's cell, int64 array, shape (n,): -1 where none has it or it is no point.

        `compiled` loads numba; a process which has called `warm` needs not say so.
        """
        lon, lat = np.asarray(lon, np.float64), np.asarray(lat, np.float64)
        if isinstance(self._behind, Raster) or isinstance(self._lookup, Raster):
            return self._lookup.rows(lon, lat)  # most of its time goes into exact tests
        return self._lookup.rows(lon, lat, compiled=compiled)

    def find(self, cell: str) -> int:
        """Row of a cell given by its id, -1 where there is none of that id."""
        if isinstance(self._ids, TextIds):
            row = self._ids.find(cell)
            if row < 0 and self.kind == "mixed" and is_h3(cell):
                row = self._ids.find(h3_text.int_to_str(h3_text.str_to_int(cell)))
            return row
        return self._ids.find(h3_text.str_to_int(cell)) if is_h3(cell) else -1

    def name(self, row: int) -> str:
        """Id of a row's cell, as text."""
        return self._ids.one(row) if isinstance(self._ids, TextIds) else f"{self._ids.one(row):x}"

    def names(self, rows: Rows) -> NDArray[np.object_]:
        """Ids of cells as text, object array, shape (n,); None where a row is -1."""
        out = np.full(len(rows), None, object)
        hit = np.flatnonzero(rows >= 0)
        if isinstance(self._ids, TextIds):
            distinct, back = np.unique(rows[hit], return_inverse=True)
            out[hit] = np.array([*map(self._ids.one, distinct.tolist()), None], object)[back]
        else:
            text = self._ids.hexes(rows[hit]).tobytes().decode("ascii")
            out[hit] = [text[at : at + 15] for at in range(0, len(text), 15)]
        return out

    def hex_bytes(self, rows: Rows) -> NDArray[np.uint8]:
        """Ids of H3 cells as text, uint8 array, shape (n, 15); blanks where a row is -1."""
        if isinstance(self._ids, TextIds):
            raise TypeError("polygons have no H3 ids")
        none = rows < 0
        out = self._ids.hexes(np.where(none, 0, rows))
        out[none] = ord(" ")
        return out

    def table(self) -> NDArray[np.object_]:
        """Ids of all cells as text, object array, shape (n_cells,)."""
        return self.names(np.arange(len(self)))

    @cached_property
    def boundary(self) -> shapely.MultiPolygon:
        """The territory, WGS-84; made on first need."""
        return self._territory.parts.whole(1)[0]

    def polygons(self) -> NDArray[np.object_]:
        """Outlines of a polygon tiling's cells, object array, shape (n_cells,); made on first need."""
        return self._polygons

    @cached_property
    def _polygons(self) -> NDArray[np.object_]:
        if isinstance(self._behind, HexLookup):
            raise TypeError("H3 cells are known by their ids")
        if self._front is None:
            return self._behind.parts.whole(len(self))
        behind = self._arrays["behind_rows"]
        out = np.empty(len(self), object)
        out[behind], out[self._front[1]] = self._behind.parts.whole(len(behind)), self.atoms[1]
        return out

    @cached_property
    def atoms(self) -> tuple[Rows, NDArray[np.object_]]:
        """Rows of the unsplittable polygons and their outlines; made on first need."""
        if self._front is None:
            return np.zeros(0, np.int64), np.zeros(0, object)
        raster, rows = self._front
        return rows.astype(np.int64), raster.parts.whole(len(rows))

    def holder(self, place: int) -> int:
        """Row of what has the ground of an H3 cell, given by its place among `hexes`."""
        return place if self.kind == "h3" else int(self._arrays["behind_rows"][place])

    def outlines(self, rows: list[int]) -> NDArray[np.object_]:
        """Outlines of some cells, object array, shape (n,)."""
        if self.hexes is None:
            return self.polygons()[rows]
        at, shapes = self.atoms
        out, atom_of = np.empty(len(rows), object), dict(zip(at.tolist(), shapes, strict=True))
        for place, row in enumerate(rows):
            if row in atom_of:
                out[place] = atom_of[row]
            else:
                whole = outlines(*corners(np.array([int(self.name(row), 16)], np.uint64)))[0]
                out[place] = _left(whole, shapes)
        return out

    def inside(self, lon: float, lat: float, row: int) -> bool:
        """Whether a point lies in the territory, border included; `row` is its cell's, -1 for none."""
        flag = self._flags[row] if row >= 0 else _MIXED
        return flag == _INSIDE if flag != _MIXED else self._territory.row(lon, lat) >= 0

    def covers(self, lon: Floats, lat: Floats) -> NDArray[np.bool_]:
        """Whether each point lies in the territory, border included; bool array, shape (n,)."""
        return self._territory.rows(lon, lat) >= 0


def _of_hexes(resolution: int, ids: NDArray[np.uint64], territory: Raster) -> dict[str, NDArray[Any]]:
    at = centres(ids)
    lattice = Lattice.of(resolution, ids, at)
    arrays = CellIds.of(resolution, ids).arrays() | {"flags": _flags(territory, *_boxes(resolution, *at))}
    return arrays if lattice is None else arrays | lattice.arrays()


def _front(arrays: Arrays) -> tuple[Raster, NDArray[Any]] | None:
    """The unsplittable polygons and the row of each, where there are any."""
    if "front_rows" not in arrays:
        return None
    return Raster(_named("front_", arrays)), arrays["front_rows"]


def _left(whole: shapely.Polygon, atoms: NDArray[np.object_]) -> shapely.Geometry:
    """What polygons leave of an outline."""
    over = atoms[shapely.intersects(atoms, whole)]
    return shapely.difference(whole, shapely.union_all(over)) if len(over) else whole


def _of_atoms(geometry: NDArray[np.object_], atoms: NDArray[np.bool_]) -> dict[str, NDArray[Any]]:
    front = np.flatnonzero(atoms)
    return _prefixed("front_", Raster.of(geometry[front]).arrays()) | {"front_rows": front.astype(np.int32)}


def _behind_polygons(geometry: NDArray[np.object_], atoms: NDArray[np.bool_]) -> dict[str, NDArray[Any]]:
    behind = np.flatnonzero(~atoms)
    return _prefixed("cells_", Raster.of(geometry[behind]).arrays()) | {
        "behind_rows": behind.astype(np.int32)
    }


def _behind_hexes(
    resolution: int, hexes: tuple[NDArray[np.uint64], Rows], flags: NDArray[np.uint8], territory: Raster
) -> dict[str, NDArray[Any]]:
    """The H3 cells of a mixed tiling; `flags` of rows are made to hold for all that H3 calls theirs."""
    ids, rows = hexes
    arrays = _of_hexes(resolution, ids, territory)
    held = arrays.pop("flags")
    flags[rows[held != flags[rows]]] = _MIXED
    return arrays | {"behind_rows": rows.astype(np.int32)}


def _flags_of(
    geometry: NDArray[np.object_], territory: Raster, boundary: shapely.MultiPolygon
) -> NDArray[np.uint8]:
    flags = _flags(territory, *shapely.bounds(geometry).T)
    mixed = np.flatnonzero(flags == _MIXED)
    shapely.prepare(boundary)
    flags[mixed[shapely.contains_properly(boundary, geometry[mixed])]] = _INSIDE
    return flags


def _boxes(resolution: int, lon: Floats, lat: Floats) -> tuple[Floats, Floats, Floats, Floats]:
    """Boxes which surely hold the H3 cells around these centres: west, south, east, north in degrees.

    Around poles, and over the antimeridian, they reach around the globe.
    """
    reach = _REACH * step(resolution)
    south, north = lat - math.degrees(reach), lat + math.degrees(reach)
    # Half the width of a circle on the globe.
    ratio = math.sin(reach) / np.cos(np.radians(lat))
    beyond = (np.maximum(np.abs(south), np.abs(north)) >= 90.0) | (ratio >= 1.0)
    width = np.degrees(np.arcsin(np.where(beyond, 0.0, ratio)))
    west, east = lon - width, lon + width
    beyond |= (west < -180.0) | (east > 180.0)
    return np.where(beyond, -180.0, west), south, np.where(beyond, 180.0, east), north


def _flags(territory: Raster, west: Floats, south: Floats, east: Floats, north: Floats) -> NDArray[np.uint8]:
    held = territory.uniform(west, south, east, north)
    return np.where(held >= 0, _INSIDE, np.where(held == -1, _OUTSIDE, _MIXED)).astype(np.uint8)


def _prefixed(prefix: str, arrays: Arrays) -> dict[str, NDArray[Any]]:
    return {prefix + name: array for name, array in arrays.items()}


def _named(prefix: str, arrays: Arrays) -> dict[str, NDArray[Any]]:
    return {name.removeprefix(prefix): array for name, array in arrays.items() if name.startswith(prefix)}
