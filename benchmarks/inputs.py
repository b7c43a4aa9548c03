"""Inputs of the benchmarks, made from fixed seeds and kept in a folder while they run."""

from __future__ import annotations

import csv
import pickle
from pathlib import Path
from typing import Any

import numpy as np
import shapely
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from benchmarks.case import Sizes
from gridsvc.tiling.check import union
from gridsvc.tiling.h3tiles import tile_h3
from gridsvc.tiling.polytiles import tile_polygons
from gridsvc.tiling.read import PolygonLayer, read_polygons
from gridsvc.tiling.tiling import Tiling

__all__ = ["LAYERS", "load", "london_areas", "points_near", "prepare", "save"]

# The tilings; each has files NAME.tiling, NAME.geometry, NAME.points, NAME.labels and NAME.ground.
LAYERS = ("h3", "mosaic", "areas")

_DATA = Path(__file__).resolve().parents[2] / "shared" / "data"
_BENDS = 4  # vertices between the two ends of an edge of the mosaic
_ON_BORDER = 500  # one point in so many lies on a vertex of a cell

Floats = NDArray[np.float64]


def save(work: Path, name: str, value: Any) -> None:
    with (work / name).open("wb") as file:
        pickle.dump(value, file, protocol=pickle.HIGHEST_PROTOCOL)


def load(work: Path, name: str) -> Any:
    with (work / name).open("rb") as file:
        return pickle.load(file)


def prepare(work: Path, sizes: Sizes) -> None:
    """Write the inputs of all cases into a folder."""
    rng = np.random.default_rng(20240501)
    areas, ground = london_areas(rng)
    grounds = {"h3": ground, "mosaic": "a simulated mosaic", "areas": ground}
    tilings = {
        "h3": tile_h3(union(areas.geometry), sizes.resolution),
        "mosaic": tile_polygons(_mosaic(rng, sizes.polygons)),
        "areas": tile_polygons(areas),
    }
    for name, tiling in tilings.items():
        save(work, f"{name}.tiling", tiling)
        save(work, f"{name}.geometry", tiling.geometry)
        save(work, f"{name}.ground", grounds[name])
        save(work, f"{name}.labels", _labels(rng, tiling, min(sizes.grids, len(tiling) // 2)))
        lon, lat = points_near(rng, tiling.geometry, sizes.points)
        if tiling.kind == "polygons":
            _put_on_vertices(rng, tiling.geometry, lon, lat)
        save(work, f"{name}.points", (lon, lat))
    _write_customers(work / "customers.csv", rng, tilings["h3"], sizes.points)


def london_areas(rng: np.random.Generator) -> tuple[PolygonLayer, str]:
    """The 983 real areas of London and what they are; without that file, as many simulated ones."""
    path = _DATA / "london_msoa_electricity_2019.geojson"
    if path.exists():
        return read_polygons(path, "code", None), "London"
    return _mosaic(rng, 983), "a simulated mosaic in place of London"


def _mosaic(rng: np.random.Generator, n: int) -> PolygonLayer:
    """Cells of irregular size with bent borders, 26 vertices each or so, which fit without gap or overlap.

    Voronoi cells of a disturbed lattice of sites; those at the rim are left out.
    """
    side = int(np.ceil(np.sqrt(n))) + 4
    lattice = np.stack(np.meshgrid(np.arange(side), np.arange(side)), axis=-1).reshape(-1, 2)
    sites = lattice + rng.uniform(-0.35, 0.35, lattice.shape)
    cells = shapely.get_parts(shapely.voronoi_polygons(shapely.multipoints(sites)))
    middle = sites.mean(axis=0)
    reach = np.abs(shapely.get_coordinates(shapely.centroid(cells)) - middle).max(axis=1)
    inner = cells[np.sort(np.argsort(reach, kind="stable")[:n])]
    bent = _bent(inner)
    degrees = shapely.transform(bent, lambda xy: (xy - middle) * 0.8 / side + (-0.1, 51.5))
    return PolygonLayer(np.array([f"P{i:06d}" for i in range(n)], object), degrees, {}, "mosaic")


def _bent(cells: NDArray[np.object_]) -> NDArray[np.object_]:
    """The cells with each edge made a slight curve, the same one from both sides.

    An edge is always computed from its lesser end, so that neighbours get the same floats.
    """
    xy, ring = shapely.get_coordinates(shapely.get_exterior_ring(cells), return_index=True)
    edge = np.flatnonzero(ring[1:] == ring[:-1])
    tail, head = xy[edge], xy[edge + 1]
    turned = (tail[:, 0] > head[:, 0]) | ((tail[:, 0] == head[:, 0]) & (tail[:, 1] > head[:, 1]))
    first, last = np.where(turned[:, None], head, tail), np.where(turned[:, None], tail, head)
    share = np.arange(_BENDS + 1) / (_BENDS + 1)
    along = last - first
    swing = 0.06 * np.sin(1e3 * (first.sum(axis=1) + last.sum(axis=1)))[:, None] * np.sin(np.pi * share)
    across = np.stack([-along[:, 1], along[:, 0]], axis=1)
    curve = first[:, None] + along[:, None] * share[:, None] + across[:, None] * swing[..., None]
    curve[turned, 1:] = curve[turned, :0:-1]
    curve[turned, 0] = tail[turned]
    owner = np.repeat(ring[edge], _BENDS + 1)
    bent: NDArray[np.object_] = shapely.polygons(shapely.linearrings(curve.reshape(-1, 2), indices=owner))
    return bent


def points_near(rng: np.random.Generator, geometry: NDArray[np.object_], n: int) -> tuple[Floats, Floats]:
    """Customers: nine in ten crowd around random cells, one in ten lies anywhere in the box around them."""
    west, south, east, north = shapely.total_bounds(geometry)
    centres = shapely.get_coordinates(shapely.centroid(geometry))
    crowd = centres[rng.integers(0, len(centres), n)] + rng.normal(0.0, 0.003, (n, 2))
    anywhere = rng.uniform((west, south), (east, north), (n, 2))
    xy = np.where(rng.random((n, 1)) < 0.9, crowd, anywhere)
    return np.ascontiguousarray(xy[:, 0]), np.ascontiguousarray(xy[:, 1])


def _put_on_vertices(
    rng: np.random.Generator, geometry: NDArray[np.object_], lon: Floats, lat: Floats
) -> None:
    """Move some of the points exactly onto vertices, where two or three cells meet."""
    rows = rng.choice(len(lon), len(lon) // _ON_BORDER, replace=False)
    vertices = shapely.get_coordinates(geometry)
    lon[rows], lat[rows] = vertices[rng.integers(0, len(vertices), len(rows))].T


def _labels(rng: np.random.Generator, tiling: Tiling, k: int) -> NDArray[np.int32]:
    """Each cell to the nearest of k random cells; every label 0..k-1 occurs."""
    xy = np.stack([tiling.x, tiling.y], axis=1)
    _, label = cKDTree(xy[rng.choice(len(xy), k, replace=False)]).query(xy)
    return np.asarray(label, np.int32)


def _write_customers(path: Path, rng: np.random.Generator, tiling: Tiling, n: int) -> None:
    """A customers' file with some dirty rows; whole numbers, so that sums are exact in any order."""
    lon, lat = points_near(rng, tiling.geometry, n)
    ids = np.arange(n)
    repeated = rng.choice(np.arange(1, n), n // 1000, replace=False)
    ids[repeated] = ids[repeated - 1]
    blank = rng.random(n) < 0.001
    kwh, sales = rng.integers(500, 9000, n), rng.integers(0, 2000, n)
    with path.open("w", encoding="utf-8", newline="") as file:
        rows = csv.writer(file)
        rows.writerow(["customer_id", "lon", "lat", "kwh", "sales"])
        for i in range(n):
            x, y = ("", "") if blank[i] else (f"{lon[i]:.7f}", f"{lat[i]:.7f}")
            rows.writerow([f"C{ids[i]:08d}", x, y, kwh[i], sales[i]])
