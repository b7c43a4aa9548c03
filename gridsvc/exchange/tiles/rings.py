"""Outlines as arrays of points, so that those of a tile are picked and cut at its sides at once."""

from __future__ import annotations

from dataclasses import dataclass, fields
from functools import cached_property
from pathlib import Path

import numpy as np
import shapely
from numpy.typing import NDArray

from gridsvc.ownership.container import Container, write_container

__all__ = ["Box", "Ints", "Rings", "spread"]

_FILE = "tiles.rings.1"

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]
Box = tuple[float, float, float, float]


@dataclass(frozen=True)
class Rings:
    """The rings of (multi)polygons, behind one another.

    Attributes
    ----------
    xy : float64 array, shape (n_points, 2), metres of the map
        Points of the rings, none of them closed; outer rings run clockwise, holes the other way.
    points : int64 array, shape (n_rings,)
        How many points each ring has.
    outer : bool array, shape (n_rings,)
        Whether it is the outer ring of a part, behind which stand the part's holes.
    rings : int64 array, shape (n,)
        How many rings each outline has; 0 for one which is empty.
    boxes : float64 array, shape (4, n)
        West, south, east, north of each outline; NaN for one which is empty.
    """

    xy: Floats
    points: Ints
    outer: NDArray[np.bool_]
    rings: Ints
    boxes: Floats

    @classmethod
    def of(cls, geometry: NDArray[np.object_]) -> Rings:
        """Make them of shapely geometries, object array shape (n,); what has no area is empty."""
        parts, owner = shapely.get_parts(geometry, return_index=True)
        areal = shapely.get_type_id(parts) == shapely.GeometryType.POLYGON
        parts, owner = shapely.orient_polygons(parts[areal], exterior_cw=True), owner[areal]
        rings, part = shapely.get_rings(parts, return_index=True)
        xy, ring = shapely.get_coordinates(rings, return_index=True)
        last = np.append(ring[1:] != ring[:-1], True)[: len(ring)]
        return cls(
            xy[~last],
            np.bincount(ring[~last], minlength=len(rings)),
            np.append(True, part[1:] != part[:-1])[: len(part)],
            np.bincount(owner[part], minlength=len(geometry)),
            np.ascontiguousarray(shapely.bounds(geometry).T),
        )

    @classmethod
    def joined(cls, several: list[Rings]) -> Rings:
        """Outlines of each behind those of the one before."""
        names = ("xy", "points", "outer", "rings")
        found = {name: np.concatenate([getattr(one, name) for one in several]) for name in names}
        return cls(**found, boxes=np.concatenate([one.boxes for one in several], axis=1))

    @classmethod
    def open(cls, path: Path) -> Rings:
        """Map a file which `save` wrote.

        Raises
        ------
        FileNotFoundError
        DamagedFileError
        """
        return cls(**Container.open(path, _FILE).arrays)

    def save(self, path: Path) -> None:
        """Write a file from which others map them."""
        write_container(path, _FILE, {}, {field.name: getattr(self, field.name) for field in fields(self)})

    def __len__(self) -> int:
        return len(self.rings)

    @cached_property
    def _first_ring(self) -> Ints:
        return np.cumsum(self.rings) - self.rings

    @cached_property
    def _first_point(self) -> Ints:
        return np.cumsum(self.points) - self.points

    def near(self, box: Box) -> Ints:
        """Rows of the outlines whose own box meets a box, ascending."""
        west, south, east, north = self.boxes
        meets = (east >= box[0]) & (west <= box[2]) & (north >= box[1]) & (south <= box[3])
        return np.flatnonzero(meets)

    def take(self, rows: Ints) -> Rings:
        """Some of the outlines, in the order of `rows`."""
        rings = spread(self._first_ring[rows], self.rings[rows])
        points = spread(self._first_point[rings], self.points[rings])
        return Rings(
            self.xy[points], self.points[rings], self.outer[rings], self.rings[rows], self.boxes[:, rows]
        )

    def within(self, box: Box, rows: Ints) -> tuple[Rings, Ints]:
        """What of the outlines `rows` lies in a box, and the row of each; not in their order."""
        west, south, east, north = self.boxes[:, rows]
        whole = (west >= box[0]) & (south >= box[1]) & (east <= box[2]) & (north <= box[3])
        across = rows[~whole]
        if not len(across):
            return self.take(rows), rows
        cut = Rings.of(shapely.clip_by_rect(self.take(across).geometry(), *box))
        return Rings.joined([self.take(rows[whole]), cut]), np.concatenate([rows[whole], across])

    def geometry(self) -> NDArray[np.object_]:
        """The outlines as shapely geometries."""
        ring = np.repeat(np.arange(len(self.points)), self.points)
        parts = shapely.polygons(
            shapely.linearrings(self.xy, indices=ring), indices=np.cumsum(self.outer) - 1
        )
        owner = np.repeat(np.arange(len(self)), self.rings)[self.outer]
        found = np.full(len(self), shapely.MultiPolygon(), object)
        several = np.bincount(owner, minlength=len(self))[owner] > 1
        found[owner[~several]] = parts[~several]
        shapely.multipolygons(parts[several], indices=owner[several], out=found)
        return found


def spread(first: Ints, counts: Ints) -> Ints:
    """Numbers ``first[k]``, ``first[k] + 1`` ... so many of each as `counts` says, behind one another."""
    starts = np.cumsum(counts) - counts
    found: Ints = np.arange(int(counts.sum())) + np.repeat(first - starts, counts)
    return found
