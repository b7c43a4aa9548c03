"""A flat map in metres around the centre of the place, smooth noise on it, and smooth lines."""

from __future__ import annotations

from dataclasses import dataclass
from math import cos, radians, sin, sqrt
from typing import Any

import numpy as np
import shapely
from numpy.typing import NDArray

__all__ = ["Array", "Noise", "Plane", "resample", "smooth"]

Array = NDArray[np.float64]

_SEMI_MAJOR = 6_378_137.0
_ECCENTRICITY2 = 6.694379990141e-3  # of the WGS-84 ellipsoid


@dataclass(frozen=True)
class Plane:
    """Metres east and north of a centre, from the ellipsoid's two radii of curvature there.

    Lengths are true to 0.3 % within 30 km, which a simulated place needs no better.
    """

    lon: float
    lat: float

    @property
    def _metres_per_degree(self) -> Array:
        squeeze = 1.0 - _ECCENTRICITY2 * sin(radians(self.lat)) ** 2
        east = _SEMI_MAJOR / sqrt(squeeze) * cos(radians(self.lat))
        north = _SEMI_MAJOR * (1.0 - _ECCENTRICITY2) / squeeze**1.5
        return np.radians([east, north])

    def to_degrees(self, xy: Array) -> Array:
        """Longitude and latitude of points, rounded to 6 decimals (0.1 m); shape (n, 2) in and out."""
        return np.round(np.asarray(xy) / self._metres_per_degree + (self.lon, self.lat), 6)

    def to_metres(self, lonlat: Array) -> Array:
        """Metres east and north of the centre; shape (n, 2) in and out."""
        return (np.asarray(lonlat) - (self.lon, self.lat)) * self._metres_per_degree

    def shape_to_degrees(self, shape: Any) -> Any:
        """A shapely geometry in metres as one in degrees."""
        return shapely.transform(shape, self.to_degrees)

    def shape_to_metres(self, shape: Any) -> Any:
        """A shapely geometry in degrees as one in metres."""
        return shapely.transform(shape, self.to_metres)


class Noise:
    """A smooth random function of the place: a sum of plane waves.

    Parameters
    ----------
    rng : numpy.random.Generator
    waves : sequence of (wavelength, amplitude)
        Metres, and the unit of the result.
    """

    def __init__(self, rng: np.random.Generator, *waves: tuple[float, float], directions: int = 5) -> None:
        angle = rng.uniform(0, 2 * np.pi, (len(waves), directions))
        self._phase = rng.uniform(0, 2 * np.pi, angle.size)
        length = np.array([wave[0] for wave in waves])[:, None] * rng.uniform(0.8, 1.25, angle.shape)
        pull = np.stack([np.cos(angle), np.sin(angle)], axis=-1) * (2 * np.pi / length)[..., None]
        self._pull = pull.reshape(-1, 2)
        height = np.array([wave[1] for wave in waves])[:, None] * np.full(angle.shape, directions**-0.5)
        self._height = height.ravel()

    def __call__(self, xy: Array) -> Array:
        """Values at points, shape (n, 2) in, (n,) out."""
        total = np.zeros(len(xy))
        for pull, phase, height in zip(self._pull, self._phase, self._height, strict=True):
            total += height * np.sin(xy[:, 0] * pull[0] + xy[:, 1] * pull[1] + phase)
        return total


def resample(line: Array, step: float) -> Array:
    """Points on a line at even distances near `step` metres; both ends are kept."""
    along = np.concatenate([[0.0], np.cumsum(np.hypot(*np.diff(line, axis=0).T))])
    wanted = np.linspace(0.0, along[-1], max(2, round(along[-1] / step) + 1))
    return np.column_stack([np.interp(wanted, along, line[:, axis]) for axis in (0, 1)])


def smooth(line: Array, fixed: NDArray[np.bool_], rounds: int) -> Array:
    """Round off a line: halve its segments, then pull each free vertex toward its neighbours.

    Segments between two fixed vertices stay as they are, so that a border follows a river vertex by vertex.

    Parameters
    ----------
    line : float64 array, shape (n, 2)
        Its ends stay, as other lines may begin there.
    fixed : bool array, shape (n,)
        Further vertices which must not move.
    """
    free = ~(fixed[:-1] & fixed[1:])
    middle = (line[:-1] + line[1:]) / 2
    where = np.flatnonzero(free) + 1
    dense = np.insert(line, where, middle[free], axis=0)
    held = np.insert(fixed, where, False)
    held[[0, -1]] = True
    for _ in range(rounds):
        mean = (np.roll(dense, 1, axis=0) + np.roll(dense, -1, axis=0)) / 2
        dense = np.where(held[:, None], dense, (dense + mean) / 2)
    return dense
