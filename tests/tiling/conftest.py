"""Real layers (read once) and small ones drawn by hand."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import shapely

from gridsvc.tiling.check import union
from gridsvc.tiling.read import PolygonLayer, read_polygons

DATA = Path(__file__).resolve().parents[2].parent / "shared" / "data"


def _real(name: str) -> Path:
    path = DATA / name
    if not path.exists():
        pytest.skip(f"no {name} beside the repository")
    return path


@pytest.fixture(scope="session")
def london_layer() -> PolygonLayer:
    return read_polygons(_real("london_msoa_electricity_2019.geojson"), "code", None)


@pytest.fixture(scope="session")
def london(london_layer) -> shapely.MultiPolygon:
    return union(london_layer.geometry)


@pytest.fixture(scope="session")
def postcodes() -> tuple[np.ndarray, np.ndarray]:
    import pyarrow.parquet as pq

    table = pq.read_table(_real("london_postcodes.parquet"), columns=["lon", "lat"])
    return table["lon"].to_numpy(), table["lat"].to_numpy()


@pytest.fixture(scope="session")
def beijing_layer() -> PolygonLayer:
    return read_polygons(_real("beijing_core6_simplified.geojson"), "code", None)


@pytest.fixture(scope="session")
def beijing(beijing_layer) -> shapely.MultiPolygon:
    return union(beijing_layer.geometry)


@pytest.fixture
def points_inside():
    """`draw(shape, n, seed)`: n random points inside a shape."""

    def draw(shape, n: int, seed: int = 7) -> tuple[np.ndarray, np.ndarray]:
        rng = np.random.default_rng(seed)
        west, south, east, north = shapely.bounds(shape)
        shapely.prepare(shape)
        lon, lat = np.zeros(0), np.zeros(0)
        while len(lon) < n:
            x, y = rng.uniform(west, east, n), rng.uniform(south, north, n)
            keep = shapely.intersects_xy(shape, x, y)
            lon, lat = np.append(lon, x[keep]), np.append(lat, y[keep])
        return lon[:n], lat[:n]

    return draw


@pytest.fixture
def layer():
    """`make(a=shape, b=shape)`: a polygon layer in degrees with these ids."""

    def make(**shapes: shapely.Geometry) -> PolygonLayer:
        geometry = np.empty(len(shapes), object)
        geometry[:] = list(shapes.values())
        ids = np.empty(len(shapes), object)
        ids[:] = list(shapes)
        return PolygonLayer(ids, geometry)

    return make


@pytest.fixture
def drawn():
    """`make(picture, origin, step)`: letters of an ASCII picture as one layer; each letter's squares, united.

    The first line of the picture is north; `step` is the side of a square in degrees.
    """

    def make(picture: str, origin: tuple[float, float] = (0.0, 0.0), step: float = 0.001) -> PolygonLayer:
        lines = [line.strip() for line in picture.strip().splitlines()]
        squares: dict[str, list[shapely.Geometry]] = {}
        for up, line in enumerate(reversed(lines)):
            for right, letter in enumerate(line):
                corner = origin[0] + right * step, origin[1] + up * step
                far = origin[0] + (right + 1) * step, origin[1] + (up + 1) * step
                squares.setdefault(letter, []).append(shapely.box(*corner, *far))
        names = sorted(set(squares) - {"."})
        geometry = np.empty(len(names), object)
        geometry[:] = [shapely.union_all(squares[name]) for name in names]
        return PolygonLayer(np.array(names, object), geometry)

    return make
