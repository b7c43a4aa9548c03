"""The land: extent of the territory, rivers, heights."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import shapely
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from gridsvc.sample.mosaic import Mosaic, largest_part, make_mosaic
from gridsvc.sample.plane import Array, Noise, Plane, resample
from gridsvc.sample.scale import Scale

__all__ = ["Land", "make_land"]


@dataclass(frozen=True)
class Land:
    """The land before anyone lives on it.

    Attributes
    ----------
    inside, hilly : bool arrays, shape (n_patches,)
    height : float64 array, shape (n_patches,)
        Without unit; hills are where it is greatest.
    on_river : bool array, shape (n_corners,)
        Corners of patches which lie on a river.
    crosses : bool array, shape (n_edges,)
        Whether one crosses a river going from patch `a` to patch `b`.
    rivers : dict of shapely line by name, degrees
    """

    plane: Plane
    mosaic: Mosaic
    inside: NDArray[np.bool_]
    hilly: NDArray[np.bool_]
    height: Array
    on_river: NDArray[np.bool_]
    crosses: NDArray[np.bool_]
    rivers: dict[str, Any]


def make_land(scale: Scale, rng: np.random.Generator) -> Land:
    """Draw a territory of about ``scale.area`` around two rivers."""
    plane = Plane(scale.lon, scale.lat)
    courses = _courses(scale, rng)
    mosaic, bank, place = _patches(scale, courses, rng)
    inside = largest_part(mosaic, _within_outline(scale, mosaic.xy, bank, rng))
    on_edge = (bank[mosaic.a] == -bank[mosaic.b]) & (bank[mosaic.a] != 0)
    on_edge &= np.abs(place[mosaic.a] - place[mosaic.b]) <= 1
    on_river = np.zeros(len(mosaic.corners), bool)
    on_river[mosaic.ends[on_edge]] = True
    rivers = _rivers(mosaic, inside, on_edge, bank, plane)
    height = _height(scale, mosaic, courses, rng)
    hilly = inside & (height > np.quantile(height[inside], 1 - scale.hills))
    water = plane.shape_to_metres(shapely.multilinestrings(list(rivers.values())))
    shapely.prepare(water)
    steps = shapely.linestrings(np.stack([mosaic.xy[mosaic.a], mosaic.xy[mosaic.b]], axis=1))
    crosses = on_edge | shapely.intersects(water, steps)
    return Land(plane, mosaic, inside, hilly, height, on_river, crosses, rivers)


def _courses(scale: Scale, rng: np.random.Generator) -> list[Array]:
    """Meandering lines of the main river, which passes the centre, and of one that joins it; metres."""
    unit = scale.radius / 18_000
    heading = rng.uniform(-0.75, -0.35)
    turn = np.array([[np.cos(heading), np.sin(heading)], [-np.sin(heading), np.cos(heading)]])
    reach = np.arange(-2.3 * scale.radius, 2.3 * scale.radius, 40.0)
    flat = np.column_stack([reach, np.zeros(len(reach))])
    sway = Noise(rng, (13_000 * unit, 1_500 * unit), (5_200 * unit, 560 * unit), directions=3)(flat)
    sway -= np.interp(0.0, reach, sway) + 0.16 * scale.core_radius
    main = np.column_stack([reach, sway]) @ turn
    mouth = main[np.searchsorted(reach, rng.uniform(0.28, 0.4) * scale.radius)]
    away = heading + np.pi / 2 + rng.uniform(0.15, 0.4)
    turn = np.array([[np.cos(away), np.sin(away)], [-np.sin(away), np.cos(away)]])
    run = np.arange(0.0, 0.82 * scale.radius, 40.0)
    flat = np.column_stack([run, np.full(len(run), 9e4)])
    sway = Noise(rng, (7_000 * unit, 800 * unit), (3_600 * unit, 280 * unit), directions=3)(flat)
    branch = np.column_stack([run, (sway - sway[0]) * np.minimum(1.0, run / 3_000)]) @ turn + mouth
    apart = cKDTree(main).query(branch)[0]
    return [main, branch[np.flatnonzero(apart < 60.0)[-1] :]]


def _patches(
    scale: Scale, courses: list[Array], rng: np.random.Generator
) -> tuple[Mosaic, NDArray[np.int32], NDArray[np.int32]]:
    """Patches on a jittered triangular lattice, and pairs mirrored in the rivers so that edges follow these.

    Returns the mosaic, and for each patch the river it lies at (1, 2; negative on the right bank; 0 none)
    and its place along it.
    """
    step = 0.5 * scale.patch
    half = 1.75 * scale.radius
    rows = np.arange(-half, half, scale.patch * np.sqrt(0.75))
    columns = np.arange(-half, half, scale.patch)
    x, y = np.meshgrid(columns, rows)
    x[1::2] += scale.patch / 2
    lattice = np.column_stack([x.ravel(), y.ravel()])
    lattice += rng.normal(0, 0.17 * scale.patch, lattice.shape)
    lattice = lattice[np.hypot(*lattice.T) < half]
    points, bank, place = [], [], []
    for number, course in enumerate(courses, start=1):
        line = resample(course, step)
        middle, along = (line[:-1] + line[1:]) / 2, np.diff(line, axis=0)
        normal = np.column_stack([-along[:, 1], along[:, 0]]) / np.hypot(*along.T)[:, None]
        keep = np.hypot(*middle.T) < half
        if number > 1:
            keep &= cKDTree(resample(courses[0], 40.0)).query(middle)[0] > 1.7 * step
        for side in (1, -1):
            points.append((middle + side * 0.5 * step * normal)[keep])
            bank.append(np.full(keep.sum(), side * number))
            place.append(np.flatnonzero(keep))
    water = cKDTree(np.vstack([resample(course, 40.0) for course in courses]))
    lattice = lattice[water.query(lattice)[0] > 0.82 * scale.patch]
    rest = np.zeros(len(lattice), np.int32)
    return (
        make_mosaic(np.vstack([lattice, *points])),
        np.concatenate([rest, *bank]).astype(np.int32),
        np.concatenate([rest, *place]).astype(np.int32),
    )


def _within_outline(
    scale: Scale, xy: Array, bank: NDArray[np.int32], rng: np.random.Generator
) -> NDArray[np.bool_]:
    """Patches inside a bent oval: those at the smallest warped distance, up to the area asked for."""
    unit = scale.radius / 18_000
    waves = ((24_000 * unit, 3_000 * unit), (9_000 * unit, 1_400 * unit), (3_500 * unit, 430 * unit))
    warp = [Noise(rng, *waves) for _ in range(2)]
    bent = xy + np.column_stack([noise(xy) - noise(np.zeros((1, 2))) for noise in warp])
    tilt = rng.uniform(0, np.pi)
    long, wide = bent @ (np.cos(tilt), np.sin(tilt)), bent @ (-np.sin(tilt), np.cos(tilt))
    distance = np.hypot(long / 1.14, wide * 1.14)
    distance[np.hypot(*xy.T) > 1.62 * scale.radius] = np.inf  # the mosaic ends at 1.75
    order = np.argsort(distance)
    # Patches beside a river are about a fifth of a full one.
    area = np.cumsum(np.where(bank[order] == 0, np.sqrt(0.75), 0.2) * scale.patch**2)
    within = np.zeros(len(xy), bool)
    within[order[area < scale.area]] = True
    return within


def _rivers(
    mosaic: Mosaic,
    inside: NDArray[np.bool_],
    on_edge: NDArray[np.bool_],
    bank: NDArray[np.int32],
    plane: Plane,
) -> dict[str, Any]:
    """The rivers inside the territory as lines in degrees; the second is led into the first."""
    found = {}
    for number, name in ((1, "main"), (2, "tributary")):
        chosen = on_edge & (np.abs(bank[mosaic.a]) == number) & inside[mosaic.a] & inside[mosaic.b]
        edges = shapely.linestrings(mosaic.corners[mosaic.ends[chosen]])
        parts = shapely.get_parts(shapely.line_merge(shapely.multilinestrings(edges)))
        line = shapely.get_coordinates(parts[shapely.length(parts).argmax()])
        found[name] = shapely.linestrings(plane.to_degrees(line))
    main, branch = shapely.get_coordinates(found["main"]), shapely.get_coordinates(found["tributary"])
    apart = [np.hypot(*(main - end).T) for end in (branch[0], branch[-1])]
    if apart[0].min() > apart[1].min():
        branch, apart = branch[::-1], apart[::-1]
    found["tributary"] = shapely.linestrings(np.vstack([main[apart[0].argmin()], branch]))
    return found


def _height(scale: Scale, mosaic: Mosaic, courses: list[Array], rng: np.random.Generator) -> Array:
    unit = scale.radius / 18_000
    noise = Noise(rng, (11_000 * unit, 1.0), (5_000 * unit, 0.45), (2_200 * unit, 0.16))(mosaic.xy)
    water = cKDTree(np.vstack([resample(course, 40.0) for course in courses])).query(mosaic.xy)[0]
    middle = np.hypot(*mosaic.xy.T)
    valley = np.clip(1 - water / (2_600 * unit), 0, 1) * 3.5
    town = np.clip(1 - middle / (2.6 * scale.core_radius), 0, 1) * 5.0
    height: Array = noise + 1.1 * middle / scale.radius - valley - town
    return height
