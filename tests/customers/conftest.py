"""A territory of 4 x 2 square cells, each 0.1 degree wide, near 120 E 30 N, and files over it.

::

    30.2  +----+----+----+----+
          | B0 | B1 | B2 | B3 |     towns: B0 B1 A0 A1 = "west", the others "east"
    30.1  +----+----+----+----+
          | A0 | A1 | A2 | A3 |     rows of the tiling: A0 = 0 ... A3 = 3, B0 = 4 ... B3 = 7
    30.0  +----+----+----+----+
        120.0                120.4
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import shapely
from numpy.typing import NDArray

from gridsvc.crs import LocalPlane
from gridsvc.customers import Columns, Placement, PlaceOptions, Table, place, read_customers
from gridsvc.tiling.tiling import Adjacency, Tiling

Reader = Callable[..., Table]
Placer = Callable[..., Placement]


@pytest.fixture(scope="session")
def tiling() -> Tiling:
    corners = [(120 + 0.1 * i, 30 + 0.1 * j) for j in range(2) for i in range(4)]
    cells = np.array([shapely.box(x, y, x + 0.1, y + 0.1) for x, y in corners], dtype=object)
    plane = LocalPlane(120.2, 30.1)
    flat = plane.geometry(cells)
    x, y = shapely.get_coordinates(shapely.centroid(flat)).T
    nothing = np.empty(0, np.int64)
    return Tiling(
        kind="polygons",
        resolution=None,
        ids=np.array([f"{row}{i}" for row in "AB" for i in range(4)], dtype=object),
        geometry=cells,
        x=x,
        y=y,
        area=shapely.area(flat),
        perimeter=shapely.length(flat),
        adjacency=Adjacency.from_pairs(8, nothing, nothing, np.empty(0)),
        origin=(120.2, 30.1),
    )


def locate(lon: NDArray[np.float64], lat: NDArray[np.float64]) -> NDArray[np.int64]:
    i, j = np.floor((lon - 120) * 10), np.floor((lat - 30) * 10)
    inside = (i >= 0) & (i < 4) & (j >= 0) & (j < 2)
    return np.where(inside, j * 4 + i, -1).astype(np.int64)


@pytest.fixture
def read(tmp_path: Path) -> Reader:
    """Read a CSV given as text (or bytes)."""

    def go(text: str | bytes, columns: Columns | None = None, *, crs: str | None = None) -> Table:
        path = tmp_path / "customers.csv"
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        return read_customers(path, columns, crs=crs)

    return go


@pytest.fixture
def place_text(read: Reader, tiling: Tiling) -> Placer:
    """Read a CSV given as text and place its rows."""

    def go(
        text: str,
        columns: Columns | None = None,
        options: PlaceOptions | None = None,
        *,
        crs: str | None = None,
    ) -> Placement:
        return place(read(text, columns, crs=crs), tiling, locate, options)

    return go
