"""Polygons taken apart, storable as arrays, with an exact test of points that prepares only what is asked."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from threading import Lock
from typing import Any

import numpy as np
import shapely
from numpy.typing import NDArray

__all__ = ["Parts"]

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


class Parts:
    """The single polygons of (multi)polygons. Safe to share between threads.

    One by one their boxes are tighter, and the index over each one's edges is smaller.

    Attributes
    ----------
    xy : float64 array, shape (n_corners, 2)
        Corners of all rings; the last corner of a ring is its first.
    rings : int64 array, shape (n_rings + 1,)
        Where each ring begins in `xy`.
    owner : int32 array, shape (n_parts,)
        Row of the (multi)polygon which a part belongs to; ascending.
    """

    def __init__(self, arrays: Mapping[str, NDArray[Any]]) -> None:
        names = "parts_xy", "parts_rings", "parts_polygons", "parts_owner"
        self._arrays = {name: arrays[name] for name in names}
        self.xy, self.rings, self._polygons, self.owner = self._arrays.values()
        self._lock = Lock()
        self._ready = np.zeros(len(self), bool)

    @classmethod
    def of(cls, polygons: NDArray[np.object_]) -> Parts:
        """`polygons` : object array of shapely (multi)polygons, shape (n,); empty ones have no parts."""
        parts, owner = shapely.get_parts(polygons, return_index=True)
        full = ~shapely.is_empty(parts)
        parts, owner = shapely.force_2d(parts[full]), owner[full]
        _, xy, (rings, starts) = (
            shapely.to_ragged_array(parts) if len(parts) else (None, np.zeros((0, 2)), (_NONE, _NONE))
        )
        return cls(
            {
                "parts_xy": xy,
                "parts_rings": np.asarray(rings, np.int64),
                "parts_polygons": np.asarray(starts, np.int64),
                "parts_owner": owner.astype(np.int32),
            }
        )

    def arrays(self) -> dict[str, NDArray[Any]]:
        """All of it as named arrays, from which `Parts(arrays)` makes it again without copying."""
        return self._arrays

    def __len__(self) -> int:
        return len(self.owner)

    @cached_property
    def shapes(self) -> NDArray[np.object_]:
        """The parts as shapely polygons, shape (n_parts,); made on first need."""
        if not len(self):
            return np.zeros(0, object)
        made: NDArray[np.object_] = shapely.from_ragged_array(
            shapely.GeometryType.POLYGON, self.xy, (self.rings, self._polygons)
        )
        return made

    def whole(self, n: int) -> NDArray[np.object_]:
        """The `n` multipolygons which were taken apart."""
        out = np.full(n, shapely.MultiPolygon(), object)
        if len(self):
            shapely.multipolygons(self.shapes, indices=self.owner, out=out)
        return out

    @property
    def first_ring(self) -> Ints:
        """The outer ring of each part, shape (n_parts,)."""
        return self._polygons[:-1]

    @cached_property
    def of_ring(self) -> Ints:
        """The part which each ring belongs to, shape (n_rings,)."""
        return np.repeat(np.arange(len(self)), np.diff(self._polygons))

    def has(self, part: Ints, lon: Floats, lat: Floats) -> NDArray[np.bool_]:
        """Whether each point lies in the part named beside it, border included; all of shape (n,).

        Quickest where the same parts stand together.
        """
        shapes = self._prepared(part)
        found: NDArray[np.bool_] = shapely.intersects_xy(shapes[part], lon, lat)
        return found

    def has_one(self, part: int, lon: float, lat: float) -> bool:
        """Whether one point lies in a part, border included."""
        if not self._ready[part]:
            self._prepared(np.array([part]))
        return bool(shapely.intersects_xy(self.shapes[part], lon, lat))

    def _prepared(self, part: Ints) -> NDArray[np.object_]:
        if not self._ready[part].all():
            with self._lock:
                shapes, todo = self.shapes, np.unique(part[~self._ready[part]])
                shapely.prepare(shapes[todo])
                # The first question to a prepared polygon builds its index, which two threads may not do.
                shapely.intersects_xy(shapes[todo], *self.xy[self.rings[self.first_ring[todo]]].T)
                self._ready[todo] = True
        return self.shapes


_NONE = np.zeros(1, np.int64)
