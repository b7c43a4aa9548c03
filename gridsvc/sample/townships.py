"""Townships and sub-districts: seats, borders, codes and names."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from gridsvc.sample.landscape import Land
from gridsvc.sample.mosaic import coverage, grow
from gridsvc.sample.plane import Array
from gridsvc.sample.scale import Scale

__all__ = ["Townships", "make_townships", "spread"]

_FIRST = "青白云石松竹柳桂兰荷枫杏梅银"
_SECOND = "溪桥岭塘坪湾洲井渡田浦林"
_STREET, _TOWN, _RURAL = "街道", "镇", "乡"
_RIVER_COST = 3_500.0  # metres by which crossing a river counts more, so that many borders follow it


@dataclass(frozen=True)
class Townships:
    """Districts in the order of their codes.

    Attributes
    ----------
    codes, names, kinds : lists of str
        Twelve digits; a name ending in its kind; 街道, 镇 or 乡.
    seats : int array, shape (n,)
        Patch of each seat.
    labels : int32 array, shape (n_patches,)
        District of each patch, -1 outside.
    shapes : list of shapely polygons, degrees
        They tile the boundary, sharing every vertex of their borders.
    """

    codes: list[str]
    names: list[str]
    kinds: list[str]
    seats: NDArray[np.intp]
    labels: NDArray[np.int32]
    shapes: list[Any]


def make_townships(scale: Scale, land: Land, rng: np.random.Generator) -> Townships:
    """Divide the territory: small districts in the core, large ones around it."""
    seats, kinds = _seats(scale, land, rng)
    outer = np.array([kind != _STREET for kind in kinds])
    delay = np.where(outer, 0.0, scale.core_head_start)
    rough = rng.uniform(0.85, 1.3, len(land.mosaic.xy))
    cost = land.mosaic.lengths * (rough[land.mosaic.a] + rough[land.mosaic.b]) / 2
    cost += _RIVER_COST * land.crosses + 500.0 * (land.hilly[land.mosaic.a] != land.hilly[land.mosaic.b])
    labels = grow(land.mosaic, land.inside, seats, delay, cost)
    shapes = coverage(land.mosaic, labels, land.on_river, land.plane)
    codes = [_code(scale, kinds, at) for at in range(len(seats))]
    stems = rng.permutation([first + second for first in _FIRST for second in _SECOND])
    names = [f"{stem}{kind}" for stem, kind in zip(stems, kinds, strict=False)]
    return Townships(codes, names, kinds, seats, labels, shapes)


def _seats(scale: Scale, land: Land, rng: np.random.Generator) -> tuple[NDArray[np.intp], list[str]]:
    """Patches of the seats and their kinds: the core's, then the towns', then the rural ones."""
    xy = land.mosaic.xy
    middle = np.hypot(*xy.T)
    core = np.flatnonzero(land.inside & (middle < scale.core_radius))
    clear = 2.0 if scale.rural else 1.0
    around = np.flatnonzero(land.inside & ~land.hilly & (middle > clear * scale.core_radius))
    inner = core[spread(xy[core], np.ones(len(core)), scale.core_districts, rng)]
    outer = around[spread(xy[around], np.ones(len(around)), scale.towns + scale.rural, rng)]
    if not scale.rural:
        return np.concatenate([inner, outer]), [_STREET] * scale.districts
    # Towns lie where the valley is lowest, the rural townships higher up.
    outer = outer[np.argsort(land.height[outer], kind="stable")]
    kinds = [_STREET] * scale.core_districts + [_TOWN] * scale.towns + [_RURAL] * scale.rural
    return np.concatenate([inner, outer]), kinds


def spread(xy: Array, weight: Array, count: int, rng: np.random.Generator) -> NDArray[np.intp]:
    """Rows of `count` points spread over a weighted cloud: Lloyd's centres, moved to the nearest points.

    Parameters
    ----------
    xy : float64 array, shape (n, 2), metres
    weight : float64 array, shape (n,)
    """
    centres = xy[rng.choice(len(xy), count, replace=False, p=weight / weight.sum())]
    for _ in range(25):
        nearest = cKDTree(centres).query(xy)[1]
        mass = np.maximum(np.bincount(nearest, weight, count), 1e-9)
        centres = np.column_stack([np.bincount(nearest, weight * xy[:, axis], count) for axis in (0, 1)])
        centres /= mass[:, None]
    rows = cKDTree(xy).query(centres)[1]
    order = np.lexsort((rows, np.round(np.arctan2(centres[:, 1], centres[:, 0]), 6)))
    return np.asarray(rows[order], np.intp)


def _code(scale: Scale, kinds: list[str], at: int) -> str:
    """Six digits of the county, three of the district (街道 from 001, 镇 from 100, 乡 from 200), 000."""
    number = kinds[:at].count(kinds[at])
    if kinds[at] == _STREET:
        county, serial = divmod(number, scale.districts_per_prefix)
        return f"{scale.prefix + county}{serial + 1:03d}000"
    return f"{scale.prefix}{number + (100 if kinds[at] == _TOWN else 200):03d}000"
