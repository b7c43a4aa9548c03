"""Point -> H3 cell by arithmetic on whole arrays. Where h3-py's own rounding could matter, h3-py is asked.

H3 projects each face of an icosahedron from the centre of the globe (gnomonic), and there the cells of a
resolution are the hexagons around the points of an exact triangular lattice. Resolution 0 has a point at the
face's centre and at each of its three corners, two steps away, in line with the first axis; each further
resolution divides the step by the square root of 7, and odd ones are turned by asin(sqrt(3/28)).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cache
from itertools import combinations

import h3.api.basic_int as h3
import numpy as np
from numpy.typing import NDArray

from gridsvc.tiling.hexes import centres

__all__ = ["ASK", "Lattice"]

ASK = -2  # the answer for a point which h3-py must place

Floats = NDArray[np.float64]
Cells = NDArray[np.uint64]

# Distances are in steps between lattice points unless said otherwise.
_GUARD = 1e-6  # points nearer to an edge between cells are h3's
_RESIDUAL = 1e-7  # how far a cell's centre may lie from its lattice point, or there is no lattice
# H3 finds a point's distance r from the face's centre by an arc cosine, with an error of up to 6e-17 / r
# radians (all its other errors: below 2e-15). Nearer than this many radians to the centre, times the guard
# and the step, h3 is asked. Four times the error and half the guard.
_BLUR = 5e-16
# Lattice points so near to a face's edge are h3's, as their cells may bend over it. Cells reach 0.58 from
# their centre; lattice points lie at multiples of 0.5 from the edge, or of 0.189, so none is just at 0.85.
_EDGE = 0.85
_REACH = 2.0  # how far beyond a face's edges cells may lie and still have a part on the face

_COARSEST = 3  # at resolutions 0-2 faces are only a few cells wide
_INRADIUS = (3.0 - math.sqrt(5.0)) / 2.0  # of a face's triangle in its plane; also the step at resolution 0
_FRONT = 0.7  # cosine of an angle beyond a face's corners (37.4 degrees)
_SPARE = 16, 1 << 16  # a table may have so many entries a cell, and so many more
_CHUNK = 1 << 14  # points a round: the work arrays stay in the processor's cache


@dataclass(frozen=True, slots=True)
class _Face:
    """The cells of a tiling on one face: a table over lattice positions, with a border of -1 around it."""

    to_lattice: Floats  # shape (3, 3): unit vector -> two lattice coordinates times w, and w
    first: tuple[int, int]  # lattice position of table[0, 0]
    table: NDArray[np.int32]  # row, -1 or ASK

    def look(self, xyz: Floats) -> NDArray[np.int32]:
        """Row of each point (unit vectors, shape (3, n)), -1 where it is in none of these cells, or `ASK`."""
        a, b, w = self.to_lattice @ xyz
        front = w > _FRONT
        np.maximum(w, _FRONT, out=w)
        a /= w
        b /= w
        i, j, near = _nearest(a, b)
        out = self.table.take(self._place(i, j))
        out[~front] = -1
        out[near] = ASK
        return out

    def _place(self, i: Floats, j: Floats) -> NDArray[np.intp]:
        """Where in the table a lattice position stands; what is beyond it stands on its border."""
        height, width = self.table.shape
        np.clip(i, self.first[0], self.first[0] + height - 1, out=i)
        np.clip(j, self.first[1], self.first[1] + width - 1, out=j)
        i *= width
        i += j
        i -= self.first[0] * width + self.first[1]
        return i.astype(np.intp)


class Lattice:
    """Finds the cells of points in an H3 tiling; `Lattice.of` makes it. Safe to share between threads."""

    def __init__(self, faces: tuple[_Face, ...]) -> None:
        self._faces = faces

    @classmethod
    def of(cls, resolution: int, ids: Cells) -> Lattice | None:
        """The lattice of a tiling.

        Parameters
        ----------
        resolution : int
        ids : uint64 array, shape (n_cells,), H3 indexes

        Returns
        -------
        Lattice or None
            None where h3-py should be asked for every point: resolutions 0 to 2, cells strewn so far apart
            that the tables would be mostly empty, ids which are not cells of this resolution in ascending
            order, or an h3-py whose cells are not where this module takes them to be.
        """
        if resolution < _COARSEST or not _are_cells(ids, resolution):
            return None
        xyz = _vectors(*centres(ids))
        room = _SPARE[0] * len(ids) + _SPARE[1]
        faces = []
        for frame in _frames():
            plan = _Plan.of(frame, resolution, xyz)
            if plan is None:
                continue
            room -= plan.size
            if room < 0 or plan.residual > _RESIDUAL:
                return None
            faces.append(plan.face())
        return cls(tuple(faces))

    def rows(self, lon: Floats, lat: Floats) -> NDArray[np.int64]:
        """Row of each point's cell: -1 where it is in none, `ASK` where h3-py must be asked.

        Parameters
        ----------
        lon, lat : float64 arrays, shape (n,), degrees
            Finite and in range (not checked).
        """
        out = np.full(len(lon), -1, np.int64)
        for start in range(0, len(lon), _CHUNK):
            part = slice(start, start + _CHUNK)
            self._fill(out[part], _vectors(lon[part], lat[part]))
        return out

    def _fill(self, out: NDArray[np.int64], xyz: Floats) -> None:
        """Look on one face after the other, for the points found on none before."""
        left = np.arange(len(out))
        for face in self._faces:
            found = face.look(xyz)
            out[left] = found
            missing = np.flatnonzero(found == -1)
            left, xyz = left[missing], xyz[:, missing]


@dataclass(frozen=True, slots=True)
class _Plan:
    """What is to stand in one face's table."""

    to_lattice: Floats
    basis: Floats  # shape (2, 2): lattice coordinates -> plane, in steps
    step: float  # between lattice points, in the plane
    first: tuple[int, int]
    shape: tuple[int, int]
    rows: NDArray[np.intp]  # cells which lie on this face alone
    at: NDArray[np.intp]  # shape (2, n): their lattice positions
    residual: float  # farthest of them from its lattice point

    @classmethod
    def of(cls, frame: Floats, resolution: int, xyz: Floats) -> _Plan | None:
        """None where no cell has a part on the face."""
        basis, step = _basis(resolution), _INRADIUS / math.sqrt(7.0) ** resolution
        to_lattice = np.vstack([np.linalg.inv(basis) @ frame[:2] / step, frame[2:]])
        seen = np.flatnonzero(frame[2] @ xyz > _FRONT)
        projected = to_lattice @ xyz[:, seen]
        at = projected[:2] / projected[2]
        depth = _depth(basis @ at, step)
        touching = depth > -_REACH
        if not touching.any():
            return None
        own = depth > _EDGE
        whole = np.rint(at)
        residual = float(np.abs(at - whole)[:, own].max(initial=0.0))
        used = whole[:, touching].astype(int)
        first, last = used.min(axis=1) - 3, used.max(axis=1) + 3
        height, width = (last - first + 1).tolist()
        corner = int(first[0]), int(first[1])
        at_own = whole[:, own].astype(np.intp)
        return cls(to_lattice, basis, step, corner, (height, width), seen[own], at_own, residual)

    @property
    def size(self) -> int:
        return self.shape[0] * self.shape[1]

    def face(self) -> _Face:
        table = np.full(self.shape, -1, np.int32)
        table[self.at[0] - self.first[0], self.at[1] - self.first[1]] = self.rows
        inner = table[1:-1, 1:-1]
        self._leave_edges(inner)
        self._leave_centre(inner)
        return _Face(self.to_lattice, self.first, table)

    def _leave_edges(self, inner: NDArray[np.int32]) -> None:
        """Mark what is near an edge of the face. What is farther out is for another face's table."""
        i = np.arange(inner.shape[0]) + self.first[0] + 1
        j = np.arange(inner.shape[1]) + self.first[1] + 1
        corners = np.array([(x, y) for x in (i[0], i[-1]) for y in (j[0], j[-1])]).T
        if _depth(self.basis @ corners, self.step).min() > _EDGE:
            return  # a face is convex: with its corners all the table is inside
        for line, row in zip(inner, i.tolist(), strict=True):  # line by line, to save memory
            depth = _depth(self.basis @ np.array([np.full(len(j), row), j]), self.step)
            line[np.abs(depth) <= _EDGE] = ASK

    def _leave_centre(self, inner: NDArray[np.int32]) -> None:
        """Mark what is near the centre of the face, where h3's distances are not sharp."""
        blurred = _BLUR / (_GUARD * self.step) / self.step + 1.0
        reach = math.ceil(blurred * 2.0 / math.sqrt(3.0))  # the rhombus around that circle
        low = [max(0, -reach - start - 1) for start in self.first]
        high = [max(0, reach - start) for start in self.first]
        inner[low[0] : high[0], low[1] : high[1]] = ASK


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
    return i, j, out > 1.0 - 2.0 * _GUARD


def _vectors(lon: Floats, lat: Floats) -> Floats:
    """Unit vectors of points given in degrees, shape (3, n)."""
    lon, lat = np.radians(lon), np.radians(lat)
    out = np.empty((3, len(lon)))
    flat = np.cos(lat)
    np.multiply(np.cos(lon), flat, out=out[0])
    np.multiply(np.sin(lon), flat, out=out[1])
    np.sin(lat, out=out[2])
    return out


def _depth(plane: Floats, step: float) -> Floats:
    """How far points of a face's plane lie inside the face, in steps; negative outside.

    `plane` : shape (2, n), in steps, the first axis towards a corner of the face.
    """
    x, y = plane[0] / 2.0, plane[1] * (math.sqrt(3.0) / 2.0)
    nearest: Floats = np.minimum(2.0 * x, -x - np.abs(y)) + _INRADIUS / step
    return nearest


def _basis(resolution: int) -> Floats:
    """The two axes of the lattice as columns, in the plane of a face, of length 1."""
    turn = math.asin(math.sqrt(3.0 / 28.0)) if resolution % 2 else 0.0
    angles = np.array([turn, turn + math.pi / 3.0])
    return np.array([np.cos(angles), np.sin(angles)])


@cache
def _frames() -> Floats:
    """The 20 faces, shape (20, 3, 3): towards a corner, at right angles to that, and the centre."""
    lat, lon = np.array([h3.cell_to_latlng(cell) for cell in sorted(h3.get_pentagons(0))]).T
    corners = _vectors(lon, lat).T
    close = corners @ corners.T > 0.4  # neighbours have 0.447, all others a negative number
    frames = [
        _frame(corners[list(three)])
        for three in combinations(range(12), 3)
        if all(close[pair] for pair in combinations(three, 2))
    ]
    return np.array(frames)


def _frame(corners: Floats) -> Floats:
    centre = corners.sum(axis=0)
    centre /= np.linalg.norm(centre)
    ahead = corners[0] - (corners[0] @ centre) * centre
    ahead /= np.linalg.norm(ahead)
    return np.array([ahead, np.cross(centre, ahead), centre])


def _are_cells(ids: Cells, resolution: int) -> bool:
    """Whether these are cells of this resolution, each once and in order."""
    if len(ids) == 0 or not (ids[1:] > ids[:-1]).all():
        return False
    same = ((ids >> np.uint64(52)) & np.uint64(15)) == resolution
    return bool(same.all()) and all(map(h3.is_valid_cell, ids.tolist()))
