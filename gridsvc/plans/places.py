"""Where a map should look to see some cells."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import shapely
from numpy.typing import NDArray

__all__ = ["Places"]

_DECIMALS = 7  # about a centimetre


@dataclass(frozen=True, slots=True)
class Places:
    """The outlines of all cells.

    Attributes
    ----------
    geometry : object array of shapely (multi)polygons, shape (n_cells,), WGS-84 lon/lat
    """

    geometry: NDArray[np.object_]

    def of(self, rows: NDArray[np.integer[Any]]) -> dict[str, list[float]]:
        """``at`` [lon, lat], a point in the middlemost of the cells, and ``bbox`` [west, south, east, north].

        No cells means all of them: there is no better place to look.
        """
        shown = self.geometry[rows] if len(rows) else self.geometry
        boxes = shapely.bounds(shown)
        west, south = boxes[:, :2].min(axis=0)
        east, north = boxes[:, 2:].max(axis=0)
        middles = (boxes[:, :2] + boxes[:, 2:]) / 2.0
        off = middles - middles.mean(axis=0)
        inner = shapely.point_on_surface(shown[np.argmin((off**2).sum(axis=1))])
        box = (west, south, east, north)
        return {"at": _rounded(inner.x, inner.y), "bbox": _rounded(*box)}


def _rounded(*numbers: float) -> list[float]:
    return [round(float(number), _DECIMALS) for number in numbers]
