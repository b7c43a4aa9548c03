"""Point -> H3 cell by arithmetic on whole arrays. Where h3-py's own rounding could matter, h3-py is asked.

A point is projected onto the plane of its face (see `gridsvc.tiling.faces`), rounded to the nearest lattice
point, and a table over lattice positions has the row of the cell there (see `gridsvc.tiling.layout`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import ModuleType
from typing import Any

import h3.api.basic_int as h3
import numpy as np
from numpy.typing import NDArray

from gridsvc.tiling import faces
from gridsvc.tiling.hexes import centres
from gridsvc.tiling.layout import ASK, SIDE, Layout, layouts

__all__ = ["ASK", "Lattice"]

Floats = NDArray[np.float64]
Rows = NDArray[np.int64]

_COARSEST = 3  # at resolutions 0-2 faces are only a few cells wide
_CHUNK = 1 << 14  # points a round: the work arrays stay in the processor's cache
_SHIFT, _MASK = SIDE.bit_length() - 1, SIDE - 1


@dataclass(frozen=True, slots=True)
class _Face:
    """The cells of a tiling on one face; `Layout` tells what the arrays hold."""

    to_lattice: Floats
    first: tuple[int, int]
    directory: NDArray[np.int32]
    blocks: NDArray[np.int32]  # of all faces, shape (n_blocks * SIDE * SIDE,)

    def look(self, xyz: Floats) -> NDArray[np.int32]:
        """Row of each point (unit vectors, shape (3, n)), -1 where it is in none of these cells, or `ASK`."""
        a, b, w = self.to_lattice @ xyz
        front = w > faces.FRONT
        np.maximum(w, faces.FRONT, out=w)
        a /= w
        b /= w
        i, j, near = _nearest(a, b)
        out = self.blocks.take(self._place(i, j))
        out[~front] = -1
        out[near] = ASK
        return out

    def _place(self, i: Floats, j: Floats) -> NDArray[np.int32]:
        """Where in the blocks a lattice position stands; what is beyond them stands on their empty border."""
        height, width = self.directory.shape
        row, column = _whole(i, self.first[0], height), _whole(j, self.first[1], width)
        block = row >> _SHIFT
        block *= width
        block += column >> _SHIFT
        place = self.directory.take(block)
        for within in (np.bitwise_and(row, _MASK, out=row), np.bitwise_and(column, _MASK, out=column)):
            place <<= _SHIFT
            place |= within
        return place


class Lattice:
    """Finds the cells of points in an H3 tiling; `Lattice.of` makes it. Safe to share between threads."""

    def __init__(self, arrays: Mapping[str, NDArray[Any]]) -> None:
        self._arrays = dict(arrays)
        self._faces = tuple(_unpacked(self._arrays))

    @classmethod
    def of(
        cls, resolution: int, ids: NDArray[np.uint64], at: tuple[Floats, Floats] | None = None
    ) -> Lattice | None:
        """The lattice of a tiling.

        Parameters
        ----------
        resolution : int
        ids : uint64 array, shape (n_cells,), H3 indexes
        at : pair of float64 arrays, shape (n_cells,), degrees, optional
            Longitudes and latitudes of the cells' centres, where they are known.

        Returns
        -------
        Lattice or None
            None where h3-py should be asked for every point: resolutions 0 to 2, cells strewn so far apart
            that tables would be large, ids which are not cells of this resolution in ascending order, or an
            h3-py whose cells are not where this module takes them to be.
        """
        if resolution < _COARSEST or not _are_cells(ids, resolution):
            return None
        made = layouts(resolution, faces.vectors(*(at or centres(ids))))
        return None if made is None else cls(_packed(made))

    def arrays(self) -> dict[str, NDArray[Any]]:
        """All of it as named arrays, from which `Lattice(arrays)` makes it again without copying."""
        return self._arrays

    def rows(self, lon: Floats, lat: Floats) -> Rows:
        """Row of each point's cell: -1 where it is in none, `ASK` where h3-py must be asked.

        Parameters
        ----------
        lon, lat : float64 arrays, shape (n,), degrees
            What is out of range or not finite is in no cell.
        """
        out = np.full(len(lon), -1, np.int64)
        for start in range(0, len(lon), _CHUNK):
            part = slice(start, start + _CHUNK)
            x, y = lon[part], lat[part]
            # A maximum is not a number where one of them is not.
            if np.abs(x).max() <= 180.0 and np.abs(y).max() <= 90.0:
                self._fill(out[part], faces.vectors(x, y))
            else:
                sound = start + np.flatnonzero((np.abs(x) <= 180.0) & (np.abs(y) <= 90.0))
                found = np.full(len(sound), -1, np.int64)
                self._fill(found, faces.vectors(lon[sound], lat[sound]))
                out[sound] = found
        return out

    def rows_by(self, kernels: ModuleType, lon: Floats, lat: Floats) -> Rows:
        """As `rows`, by `gridsvc.tiling.compiled`."""
        lon, lat = np.ascontiguousarray(lon, np.float64), np.ascontiguousarray(lat, np.float64)
        out, work = np.full(len(lon), -1, np.int64), kernels.workspace()
        for face in self._faces:
            matrix = tuple(face.to_lattice.ravel().tolist())
            first = float(face.first[0]), float(face.first[1])
            tables = face.directory, face.blocks
            kernels.look(lon, lat, out, matrix, first, *tables, 1.0 - 2.0 * faces.GUARD, faces.FRONT, work)
        return out

    def _fill(self, out: Rows, xyz: Floats) -> None:
        """Look on one face after the other, for the points found on none before."""
        if self._faces:
            out[:] = self._faces[0].look(xyz)
        for face in self._faces[1:]:
            left = np.flatnonzero(out == -1)
            out[left] = face.look(xyz[:, left])


def _packed(made: list[Layout]) -> dict[str, NDArray[Any]]:
    """The faces' tables as arrays; each directory counts the blocks of all."""
    blocks = [np.full((1, SIDE, SIDE), -1, np.int32)]
    directories = []
    for layout in made:
        before = sum(map(len, blocks)) - 1
        directories.append(np.where(layout.directory > 0, layout.directory + before, 0))
        blocks.append(layout.blocks)
    frames = [(*layout.first, *layout.directory.shape) for layout in made]
    return {
        "lattice_faces": np.array([layout.to_lattice for layout in made]).reshape(-1, 3, 3),
        "lattice_frames": np.array(frames, np.int64).reshape(-1, 4),
        "lattice_directory": np.concatenate([d.ravel() for d in directories]).astype(np.int32),
        "lattice_blocks": np.concatenate(blocks).ravel(),
    }


def _unpacked(arrays: Mapping[str, NDArray[Any]]) -> list[_Face]:
    out, start = [], 0
    for to_lattice, frame in zip(arrays["lattice_faces"], arrays["lattice_frames"].tolist(), strict=True):
        i, j, height, width = frame
        directory = arrays["lattice_directory"][start : start + height * width].reshape(height, width)
        out.append(_Face(to_lattice, (i, j), directory, arrays["lattice_blocks"]))
        start += height * width
    return out


def _whole(position: Floats, first: int, blocks: int) -> NDArray[np.int32]:
    """Positions along an axis counted from the first one kept, those beyond brought to its ends."""
    position -= first
    np.clip(position, 0, blocks * SIDE - 1, out=position)
    return position.astype(np.int32)


def _nearest(a: Floats, b: Floats) -> tuple[Floats, Floats, NDArray[np.bool_]]:
    """The nearest lattice point of each point, and whether the point is within the guard of an edge.

    The axes stand at 60 degrees. With s = 2a + b and t = a + 2b, counted from a lattice point, its hexagon is
    where none of s, t and s - t (twice the projections on the directions of its neighbours) is beyond 1.
    """
    i, j = np.rint(a), np.rint(b)
    a -= i
    b -= j
    s, t = a + a, b + b
    s += b
    t += a
    # What was rounded to the wrong corner of the rhombus goes one step along the axis it is farther out on.
    along = np.abs(a) >= np.abs(b)
    di, dj = np.trunc(s), np.trunc(t)
    di *= along
    dj *= ~along
    i += di
    j += dj
    s -= di + di + dj
    t -= di + dj + dj
    out = np.abs(s - t)
    np.maximum(out, np.abs(s, out=s), out=out)
    np.maximum(out, np.abs(t, out=t), out=out)
    return i, j, out > 1.0 - 2.0 * faces.GUARD


def _are_cells(ids: NDArray[np.uint64], resolution: int) -> bool:
    """Whether these are cells of this resolution, each once and in order."""
    if len(ids) == 0 or not (ids[1:] > ids[:-1]).all():
        return False
    same = ((ids >> np.uint64(52)) & np.uint64(15)) == resolution
    return bool(same.all()) and all(map(h3.is_valid_cell, ids.tolist()))
