"""The faces of H3's icosahedron and the lattice of cells on each of them.

H3 projects each face from the centre of the globe (gnomonic), and there the cells of a resolution are the
hexagons around the points of an exact triangular lattice. Resolution 0 has a point at the face's centre and
at each of its three corners, two steps away, in line with the first axis; each further resolution divides the
step by the square root of 7, and odd ones are turned by asin(sqrt(3/28)).
"""

from __future__ import annotations

import math
from functools import cache
from itertools import combinations

import h3.api.basic_int as h3
import numpy as np
from numpy.typing import NDArray

__all__ = ["FRONT", "GUARD", "INRADIUS", "basis", "depth", "frames", "step", "vectors"]

Floats = NDArray[np.float64]

GUARD = 1e-6  # points so near to an edge between cells are h3's; in steps between lattice points
INRADIUS = (3.0 - math.sqrt(5.0)) / 2.0  # of a face's triangle in its plane; also the step at resolution 0
FRONT = 0.7  # cosine of an angle beyond a face's corners (37.4 degrees)


def vectors(lon: Floats, lat: Floats) -> Floats:
    """Unit vectors of points given in degrees, shape (3, n)."""
    lon, lat = np.radians(lon), np.radians(lat)
    out = np.empty((3, len(lon)))
    flat = np.cos(lat)
    np.multiply(np.cos(lon), flat, out=out[0])
    np.multiply(np.sin(lon), flat, out=out[1])
    np.sin(lat, out=out[2])
    return out


def step(resolution: int) -> float:
    """Distance between neighbouring lattice points, in the plane of a face (the globe's radius is 1)."""
    return INRADIUS / math.sqrt(7.0) ** resolution


def depth(plane: Floats, step: float) -> Floats:
    """How far points of a face's plane lie inside the face, in steps; negative outside.

    `plane` : shape (2, n), in steps, the first axis towards a corner of the face.
    """
    x, y = plane[0] / 2.0, plane[1] * (math.sqrt(3.0) / 2.0)
    nearest: Floats = np.minimum(2.0 * x, -x - np.abs(y)) + INRADIUS / step
    return nearest


def basis(resolution: int) -> Floats:
    """The two axes of the lattice as columns, in the plane of a face, of length 1."""
    turn = math.asin(math.sqrt(3.0 / 28.0)) if resolution % 2 else 0.0
    angles = np.array([turn, turn + math.pi / 3.0])
    return np.array([np.cos(angles), np.sin(angles)])


@cache
def frames() -> Floats:
    """The 20 faces, shape (20, 3, 3): towards a corner, at right angles to that, and the centre."""
    lat, lon = np.array([h3.cell_to_latlng(cell) for cell in sorted(h3.get_pentagons(0))]).T
    corners = vectors(lon, lat).T
    close = corners @ corners.T > 0.4  # neighbours have 0.447, all others a negative number
    made = [
        _frame(corners[list(three)])
        for three in combinations(range(12), 3)
        if all(close[pair] for pair in combinations(three, 2))
    ]
    return np.array(made)


def _frame(corners: Floats) -> Floats:
    centre = corners.sum(axis=0)
    centre /= np.linalg.norm(centre)
    ahead = corners[0] - (corners[0] @ centre) * centre
    ahead /= np.linalg.norm(ahead)
    return np.array([ahead, np.cross(centre, ahead), centre])
