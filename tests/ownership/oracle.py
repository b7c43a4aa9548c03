"""What a lookup must answer, found the slow and plain way, and points at which a fast way may go wrong.

H3 cells by h3-py, one point at a time; polygons by shapely, one polygon at a time.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

import h3
import numpy as np
import shapely
from numpy.typing import NDArray

from tests.ownership.worlds import FALLBACK, World

__all__ = ["FIELDS", "Answers", "expected", "points"]

Floats = NDArray[np.float64]
Points = tuple[Floats, Floats]

FIELDS = ("status", "cell", "grid", "team", "rule")
_HAIRS = np.array([0.0, 1e-14, 1e-13, 1e-12, 1e-11, 1e-10, 1e-9, 1e-8, 1e-7])  # degrees
_NO_PLACES = [
    (np.nan, 0.0),
    (0.0, np.inf),
    (180.0000001, 0.0),
    (0.0, 90.0000001),
    (0.0, 1e300),
    (-1e300, 0.0),
]


@dataclass(frozen=True, slots=True)
class Answers:
    """Columns of `FIELDS`: object arrays of str or None, shape (n,)."""

    status: NDArray[np.object_]
    cell: NDArray[np.object_]
    grid: NDArray[np.object_]
    team: NDArray[np.object_]
    rule: NDArray[np.object_]

    def rows(self) -> list[tuple[Any, ...]]:
        return list(zip(*(getattr(self, name).tolist() for name in FIELDS), strict=True))


# --- the plain way


def expected(world: World, lon: Floats, lat: Floats) -> Answers:
    """Order of truth: carve-out polygon, cell, fallback."""
    publication = world.publication
    with np.errstate(invalid="ignore"):
        valid = (np.abs(lon) <= 180.0) & (np.abs(lat) <= 90.0)
    rows, over = np.full(len(lon), -1), np.full(len(lon), -1)
    look = _h3_rows if world.geometry is None else _polygon_rows
    look = look if world.made is None else _atoms_first
    rows[valid] = look(world, lon[valid], lat[valid])
    over[valid] = _first([o.polygon for o in publication.overlays], lon[valid], lat[valid])
    inside = np.zeros(len(lon), bool)
    inside[valid] = _first([world.boundary], lon[valid], lat[valid]) == 0
    names = np.array([*map(publication.name_of, range(len(publication.ids))), None], object)
    told = [
        _owner(world, *found)
        for found in zip(valid.tolist(), over.tolist(), rows.tolist(), inside.tolist(), strict=True)
    ]
    status, grid, team, rule = (np.array(column, object) for column in zip(*told, strict=True))
    return Answers(status, names[rows], grid, team, rule)


def _owner(world: World, valid: bool, over: int, row: int, inside: bool) -> tuple[str | None, ...]:
    publication = world.publication
    if not valid:
        return "invalid", None, None, None
    if over >= 0:
        overlay = publication.overlays[over]
        return "owned", overlay.code, overlay.team, "carve_out"
    label = int(publication.labels[row]) if row >= 0 else -1
    if label >= 0:
        grid = publication.grids[label]
        return "owned", grid.code, grid.team, "carve_out" if grid.carve_out else "cell"
    return ("fallback", None, FALLBACK, "fallback") if inside or row >= 0 else ("outside", None, None, None)


def _h3_rows(world: World, lon: Floats, lat: Floats) -> NDArray[np.int64]:
    resolution = world.publication.resolution
    row = {h3.int_to_str(cell): i for i, cell in enumerate(world.publication.ids.tolist())}
    cells = (h3.latlng_to_cell(y, x, resolution) for x, y in zip(lon.tolist(), lat.tolist(), strict=True))
    return np.array([row.get(cell, -1) for cell in cells], np.int64)


def _atoms_first(world: World, lon: Floats, lat: Floats) -> NDArray[np.int64]:
    """Order of truth: an unsplittable polygon, border included, then the cell."""
    made, resolution = world.made, world.publication.resolution
    assert made is not None
    assert made.atoms is not None
    row = {name: i for i, name in enumerate(made.names())}
    front, behind = np.flatnonzero(made.atoms), np.flatnonzero(~made.atoms)
    if resolution is None:
        cells = np.append(behind, -1)[_first(made.geometry[behind], lon, lat)]
    else:
        found = [h3.latlng_to_cell(y, x, resolution) for x, y in zip(lon.tolist(), lat.tolist(), strict=True)]
        cells = np.array([row.get(world.taken.get(cell, cell), -1) for cell in found], np.int64)
    over = _first(made.geometry[front], lon, lat)
    return np.where(over >= 0, front[over], cells)


def _polygon_rows(world: World, lon: Floats, lat: Floats) -> NDArray[np.int64]:
    assert world.geometry is not None
    return _first(world.geometry, lon, lat)


def _first(polygons: Iterable[Any], lon: Floats, lat: Floats) -> NDArray[np.int64]:
    """Position of the first polygon which has each point, border included; -1 where none has."""
    found = np.full(len(lon), -1, np.int64)
    for number, polygon in enumerate(polygons):
        west, south, east, north = polygon.bounds
        near = np.flatnonzero((found < 0) & (lon >= west) & (lon <= east) & (lat >= south) & (lat <= north))
        hit = shapely.intersects_xy(polygon, lon[near], lat[near])
        found[near[hit]] = number
    return found


# --- points


def points(world: World, n: int, seed: int = 1) -> Points:
    """`n` points: half anywhere near, the others where answers change or numbers end; shuffled."""
    rng = np.random.default_rng(seed)
    shapes = [world.boundary, *(o.polygon for o in world.publication.overlays)]
    sources: list[Callable[[int], Points]] = [lambda k: _near(rng, world, k)] * 4
    sources += [lambda k: _beside(rng, _drawn_edges(shapes), k), lambda k: _extremes(rng, k)]
    if world.geometry is None:
        arcs = _h3_edges(world)
        sources += [lambda k: _beside(rng, arcs, k)] * 2
    else:
        edges = _drawn_edges(world.geometry)
        sources += [lambda k: _beside(rng, edges, k), lambda k: _ulps(rng, edges, k)]
    share = np.diff(np.linspace(0, n, len(sources) + 1).astype(int))
    parts = [source(int(k)) for source, k in zip(sources, share, strict=True)]
    lon, lat = (np.concatenate(axis) for axis in zip(*parts, strict=True))
    order = rng.permutation(len(lon))
    return lon[order], lat[order]


def _near(rng: np.random.Generator, world: World, n: int) -> Points:
    """Around random cells, a cell or two away."""
    x, y = _centres(world)
    if world.publication.resolution == 0:
        return _sound(*to_degrees(rng.normal(size=(n, 3))))
    reach = 1.5 * np.sqrt(_typical_area(world))
    pick = rng.integers(0, len(x), n)
    squeeze = 1.0 / np.maximum(np.cos(np.radians(y[pick])), 1e-3)
    return _sound(x[pick] + reach * squeeze * rng.normal(size=n), y[pick] + reach * rng.normal(size=n))


def _typical_area(world: World) -> float:
    """Square degrees of latitude which a cell takes."""
    if world.geometry is not None:
        return float(np.median(shapely.area(world.geometry)))
    return float(h3.average_hexagon_area(world.publication.resolution, unit="km^2")) / 111.2**2


def _centres(world: World) -> Points:
    if world.geometry is not None:
        x, y = shapely.get_coordinates(shapely.centroid(world.geometry)).T
        return x, y
    pairs = np.array([h3.cell_to_latlng(h3.int_to_str(cell)) for cell in world.publication.ids.tolist()])
    return pairs[:, 1], pairs[:, 0]


Edges = tuple[NDArray[np.float64], NDArray[np.float64], bool]


def _drawn_edges(shapes: Iterable[Any]) -> Edges:
    """Ends of all edges of polygons, straight in lon/lat: two arrays of shape (n, 2)."""
    rings = shapely.get_rings(shapely.get_parts(np.array(list(shapes), object)))
    xy, ring = shapely.get_coordinates(rings, return_index=True)
    same = ring[1:] == ring[:-1]
    return xy[:-1][same], xy[1:][same], False


def _h3_edges(world: World) -> Edges:
    """Ends of all edges of H3 cells, which are parts of great circles."""
    rings = [np.array(h3.cell_to_boundary(h3.int_to_str(c)))[:, ::-1] for c in world.publication.ids.tolist()]
    return np.concatenate(rings), np.concatenate([np.roll(ring, -1, axis=0) for ring in rings]), True


def _beside(rng: np.random.Generator, edges: Edges, n: int) -> Points:
    """Points on vertices, middles and anywhere on edges, and a hair beside them."""
    start, end, great_circle = edges
    pick = rng.integers(0, len(start), n)
    share = np.choose(rng.integers(0, 3, n), [np.zeros(n), np.full(n, 0.5), rng.uniform(size=n)])[:, None]
    if great_circle:
        a, b = to_vectors(*start[pick].T), to_vectors(*end[pick].T)
        lon, lat = to_degrees(a * (1.0 - share) + b * share)
    else:
        lon, lat = (start[pick] * (1.0 - share) + end[pick] * share).T
    exact = share[:, 0] == 0.0  # a vertex as it is written, not as it comes back from a vector
    lon, lat = np.where(exact, start[pick, 0], lon), np.where(exact, start[pick, 1], lat)
    hair, turn = rng.choice(_HAIRS, n), rng.uniform(0.0, 2.0 * np.pi, n)
    squeeze = 1.0 / np.maximum(np.cos(np.radians(lat)), 1e-9)
    return _sound(lon + hair * squeeze * np.cos(turn), lat + hair * np.sin(turn))


def _ulps(rng: np.random.Generator, edges: Edges, n: int) -> Points:
    """Vertices and points on edges, moved to the next number or two in each direction."""
    lon, lat = _beside(rng, edges, n)
    for _ in range(2):
        lon = np.where(rng.random(n) < 0.5, lon, np.nextafter(lon, rng.choice([-1e3, 1e3], n)))
        lat = np.where(rng.random(n) < 0.5, lat, np.nextafter(lat, rng.choice([-1e3, 1e3], n)))
    return _sound(lon, lat)


def _extremes(rng: np.random.Generator, n: int) -> Points:
    """Poles, the antimeridian, zero, all over the globe, and what is no place."""
    lon, lat = to_degrees(rng.normal(size=(n, 3)))
    kind, hair = rng.integers(0, 6, n), rng.choice(_HAIRS, n)
    sign = rng.choice([-1.0, 1.0], n)
    lat = np.where(kind == 0, sign * (90.0 - hair), lat)
    lon = np.where(kind == 1, sign * (180.0 - hair), lon)
    lon, lat = np.where(kind == 2, sign * 0.0, lon), np.where(kind == 2, sign * hair, lat)
    lon, lat = np.where(kind == 3, sign * 180.0, lon), np.where(kind == 3, sign * 90.0, lat)
    no = np.array(_NO_PLACES)[rng.integers(0, len(_NO_PLACES), n)]
    wrong = kind == 4
    return np.where(wrong, no[:, 0], lon), np.where(wrong, no[:, 1], lat)


def _sound(lon: Floats, lat: Floats) -> Points:
    """Back onto the globe."""
    turned = np.where(np.abs(lon) <= 180.0, lon, (lon + 180.0) % 360.0 - 180.0)
    return turned, np.clip(lat, -90.0, 90.0)


def to_vectors(lon: Floats, lat: Floats) -> Floats:
    lon, lat = np.radians(lon), np.radians(lat)
    return np.stack([np.cos(lat) * np.cos(lon), np.cos(lat) * np.sin(lon), np.sin(lat)], axis=-1)


def to_degrees(vectors: Floats) -> Points:
    x, y, z = vectors.T
    return np.degrees(np.arctan2(y, x)), np.degrees(np.arctan2(z, np.hypot(x, y)))
