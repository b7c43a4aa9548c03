"""A tiling: the immutable cut of a territory into cells."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

import h3
import numpy as np
from numpy.typing import NDArray

__all__ = ["Adjacency", "Tiling"]


@dataclass(frozen=True, slots=True)
class Adjacency:
    """Which cells touch, as a compressed sparse row graph (each pair stands twice).

    Attributes
    ----------
    indptr : int64 array, shape (n_cells + 1,)
    indices : int32 array, shape (n_pairs * 2,)
        Neighbours of cell `i` are ``indices[indptr[i]:indptr[i + 1]]``, ascending.
    length : float64 array, shape (n_pairs * 2,), metres
        Length of the shared border.
    """

    indptr: NDArray[np.int64]
    indices: NDArray[np.int32]
    length: NDArray[np.float64]

    @classmethod
    def from_pairs(
        cls, n: int, a: NDArray[np.integer[Any]], b: NDArray[np.integer[Any]], length: NDArray[np.float64]
    ) -> Adjacency:
        """Build from one row a pair (``a[i]``, ``b[i]``), each unordered pair once."""
        tail = np.concatenate([a, b]).astype(np.int64)
        head = np.concatenate([b, a]).astype(np.int32)
        both = np.concatenate([length, length]).astype(np.float64)
        order = np.lexsort((head, tail))
        indptr = np.zeros(n + 1, np.int64)
        np.cumsum(np.bincount(tail, minlength=n), out=indptr[1:])
        return cls(indptr, head[order], both[order])

    def pairs(self) -> tuple[NDArray[np.int32], NDArray[np.int32], NDArray[np.float64]]:
        """Each adjacent pair once, as ``(a, b, length)`` with ``a < b``."""
        tail = np.repeat(np.arange(len(self.indptr) - 1, dtype=np.int32), np.diff(self.indptr))
        once = tail < self.indices
        return tail[once], self.indices[once], self.length[once]


@dataclass(frozen=True, slots=True)
class Tiling:
    """An immutable cut of a territory into cells; rows are in ascending order of cell id.

    Attributes
    ----------
    kind : {"h3", "polygons", "mixed"}
        ``mixed``: H3 cells and unsplittable polygons (`gridsvc.tiling.atoms`).
    resolution : int or None
        H3 resolution; None for polygons.
    ids : array, shape (n_cells,)
        uint64 H3 indexes; text (object) where not all cells are of H3. Ascending and unique.
    geometry : object array of shapely (multi)polygons, shape (n_cells,), WGS-84 lon/lat
    x, y : float64 array, shape (n_cells,), metres
        A point of the cell in the local equal-area plane centred on `origin`.
    area : float64 array, shape (n_cells,), square metres
    perimeter : float64 array, shape (n_cells,), metres
    adjacency : Adjacency
        Barriers already removed.
    origin : (float, float)
        lon, lat of the local plane's centre.
    columns : mapping of str to array, shape (n_cells,)
        Further columns of the source layer (parent codes as text, numbers as float64).
    atoms : bool array, shape (n_cells,), or None
        Which cells are unsplittable polygons that go before all others; None where there are none.
    """

    kind: Literal["h3", "polygons", "mixed"]
    resolution: int | None
    ids: NDArray[Any]
    geometry: NDArray[np.object_]
    x: NDArray[np.float64]
    y: NDArray[np.float64]
    area: NDArray[np.float64]
    perimeter: NDArray[np.float64]
    adjacency: Adjacency
    origin: tuple[float, float]
    columns: Mapping[str, NDArray[Any]] = field(default_factory=dict)
    atoms: NDArray[np.bool_] | None = None

    def __len__(self) -> int:
        return len(self.ids)

    def names(self) -> list[str]:
        """Cell ids as text, as they appear at the edges of the system."""
        if self.kind == "h3":
            return [h3.int_to_str(int(i)) for i in self.ids]
        return [str(i) for i in self.ids]
