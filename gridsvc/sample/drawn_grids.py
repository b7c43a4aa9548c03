"""Last year's grids, drawn by hand: gaps and overlaps along the borders, and pieces in wrong places."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import shapely
from scipy.spatial import cKDTree

from gridsvc.sample.ground import Ground
from gridsvc.sample.landscape import Land
from gridsvc.sample.mosaic import coverage, grow
from gridsvc.sample.plane import Array
from gridsvc.sample.premises import Sites
from gridsvc.sample.scale import Scale
from gridsvc.sample.townships import spread

__all__ = ["DrawnGrids", "make_drawn_grids"]

_PLANTED = 4  # of gaps, of overlaps and of pieces lying in another grid
_WORTH_LISTING = 5e4  # square metres
_RIVER_COST = 1_500.0  # metres


@dataclass(frozen=True)
class DrawnGrids:
    """Polygons and multipolygons in degrees, and what is wrong with them.

    Attributes
    ----------
    shapes : list of shapely geometry, degrees
    truth : dict
        Total gaps and overlaps in km2, and the larger ones with place and km2.
    """

    shapes: list[Any]
    truth: dict[str, Any]


def make_drawn_grids(
    scale: Scale, land: Land, ground: Ground, sites: Sites, rng: np.random.Generator
) -> DrawnGrids:
    """Cut the territory by customers, then draw each part anew without looking at its neighbours."""
    mosaic = land.mosaic
    patches = np.flatnonzero(land.inside)
    nearest = cKDTree(mosaic.xy[patches]).query(sites.xy)[1]
    customers = np.bincount(nearest, minlength=len(patches))
    # Pencils follow both people and land, hence the root and the constant.
    weight = np.sqrt(customers) + 0.4
    seeds = patches[spread(mosaic.xy[patches], weight, scale.drawn_grids, rng)]
    cost = mosaic.lengths + _RIVER_COST * land.crosses
    labels = grow(mosaic, land.inside, seeds, np.zeros(len(seeds)), cost)
    exact = [land.plane.shape_to_metres(s) for s in coverage(mosaic, labels, land.on_river, land.plane)]
    drawn = [_by_hand(shape, scale, rng) for shape in exact]
    drawn = _plant(drawn, exact, ground, land, rng)
    shapes = [shapely.make_valid(land.plane.shape_to_degrees(shape)) for shape in drawn]
    shapes = [_polygons(shape) for shape in shapes]
    return DrawnGrids(shapes, _measure(shapes, ground, land))


def _by_hand(shape: Any, scale: Scale, rng: np.random.Generator) -> Any:
    """Few, straight strokes, each a little off."""
    slack = 0.35 * scale.patch * np.sqrt(shape.area / 4e7).clip(0.25, 1.2)
    rough = shapely.simplify(shape, slack)
    wobble = shapely.transform(rough, lambda xy: xy + _closed(rng.normal(0, 0.18 * slack, xy.shape)))
    return shapely.make_valid(wobble).buffer(0)


def _closed(step: Array) -> Array:
    step[-1] = step[0]  # a ring ends where it begins
    return step


def _plant(
    drawn: list[Any], exact: list[Any], ground: Ground, land: Land, rng: np.random.Generator
) -> list[Any]:
    """Bite gaps out of some grids, push some over their neighbours, give some a piece far from home."""
    inner = land.plane.shape_to_metres(ground.boundary).buffer(-900.0)
    rank = [at for at in rng.permutation(len(drawn)).tolist() if exact[at].area > 2e6]
    drawn = list(drawn)
    for turn, at in enumerate(rank[: 3 * _PLANTED]):
        borders = shapely.length(shapely.intersection(exact, exact[at]))
        borders[at] = 0.0
        other = int(rng.choice(np.flatnonzero(borders > 0.3 * borders.max())))
        size = 0.17 * np.sqrt(exact[at].area)
        if turn % 3 == 2:
            spot = _blot(exact[other].representative_point(), 0.16 * np.sqrt(exact[other].area), rng)
            spot = spot.intersection(exact[other])
            drawn[other], drawn[at] = drawn[other].difference(spot), drawn[at].union(spot)
            continue
        shared = shapely.get_parts(exact[at].intersection(exact[other]))
        joint = shared[shapely.length(shared).argmax()].interpolate(0.5, normalized=True)
        blot = _blot(joint, size, rng).intersection(inner)
        if turn % 3 == 0:
            drawn[at], drawn[other] = drawn[at].difference(blot), drawn[other].difference(blot)
        else:
            drawn[at] = drawn[at].union(blot.intersection(exact[other].buffer(0.3 * size)))
    return drawn


def _blot(centre: Any, size: float, rng: np.random.Generator) -> Any:
    """A rounded blob of about `size` metres radius."""
    angle = np.linspace(0, 2 * np.pi, 12, endpoint=False)
    reach = size * rng.uniform(0.7, 1.15, 12)
    return shapely.polygons(
        np.column_stack([centre.x + reach * np.cos(angle), centre.y + reach * np.sin(angle)])
    )


def _polygons(shape: Any) -> Any:
    """Only the areas of a shape; crumbs below a hectare (1e-6 square degrees) are lost."""
    parts = [p for p in shapely.get_parts(shape) if p.geom_type == "Polygon" and p.area > 1e-6]
    return parts[0] if len(parts) == 1 else shapely.multipolygons(parts)


def _measure(shapes: list[Any], ground: Ground, land: Land) -> dict[str, Any]:
    """Measure what is covered by none and by more than one, as written."""
    metres = [land.plane.shape_to_metres(shape) for shape in shapes]
    gaps = land.plane.shape_to_metres(ground.boundary).difference(shapely.union_all(metres))
    tree = shapely.STRtree(metres)
    pairs = tree.query(metres, predicate="intersects")
    twice = [metres[a].intersection(metres[b]) for a, b in pairs.T.tolist() if a < b]
    overlaps = shapely.union_all(twice)
    return {
        "gap_km2": round(gaps.area / 1e6, 4),
        "overlap_km2": round(overlaps.area / 1e6, 4),
        "gaps": _listed(gaps, land),
        "overlaps": _listed(overlaps, land),
        "detached_parts": int(sum(shapely.get_num_geometries(shape) - 1 for shape in shapes)),
    }


def _listed(area: Any, land: Land) -> list[dict[str, float]]:
    parts = [part for part in shapely.get_parts(area) if part.area >= _WORTH_LISTING]
    listed = []
    for part in sorted(parts, key=lambda part: -part.area):
        point = land.plane.to_degrees(shapely.get_coordinates(part.representative_point()))[0]
        listed.append({"lon": float(point[0]), "lat": float(point[1]), "km2": round(part.area / 1e6, 4)})
    return listed
