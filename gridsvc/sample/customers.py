"""The customer file before anything is wrong with it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import shapely
from numpy.typing import NDArray

from gridsvc.sample.landscape import Land
from gridsvc.sample.plane import Array
from gridsvc.sample.premises import KINDS, Sites
from gridsvc.sample.scale import Scale
from gridsvc.sample.townships import Townships

__all__ = ["MISSING_USE", "Customers", "make_customers"]

MISSING_USE = 0.005  # share of customers whose use is not known
_MEDIAN = np.array([1_750.0, 7_500.0, 60_000.0, 2_600.0])  # kWh a year, by kind
_SPREAD = np.array([0.55, 0.95, 1.1, 0.9])  # of the logarithm
_LARGEST = 420_000.0  # of those who are no large enterprise; above it they would be one


@dataclass(frozen=True)
class Customers:
    """True customers, one row each, in random order of place and ascending order of id.

    Attributes
    ----------
    ids, area_codes, premises, kinds : lists of str
    lonlat : float64 array, shape (n, 2), degrees
    tenths : int64 array, shape (n,)
        Use in a year, tenths of a kWh; -1 where it is not known. The known ones sum to the scale's total.
    """

    ids: list[str]
    lonlat: Array
    area_codes: list[str]
    premises: list[str]
    kinds: list[str]
    tenths: NDArray[np.int64]


def make_customers(
    scale: Scale, land: Land, townships: Townships, sites: Sites, rng: np.random.Generator
) -> Customers:
    """Name the customers, find their districts and give them a use."""
    order = rng.permutation(len(sites.xy))
    tenths = _use(scale, sites, rng)[order]
    lonlat = land.plane.to_degrees(sites.xy)[order]
    serial = np.cumsum(rng.integers(1, 6, len(order))) + 12_000
    district = _district(townships, lonlat)
    return Customers(
        [f"0430{number:09d}" for number in serial.tolist()],
        lonlat,
        [townships.codes[at] for at in district.tolist()],
        [f"M{number:06d}" for number in sites.premise[order].tolist()],
        [KINDS[kind] for kind in sites.kind[order].tolist()],
        tenths,
    )


def _use(scale: Scale, sites: Sites, rng: np.random.Generator) -> NDArray[np.int64]:
    """Log-normal use by kind, scaled so that the known ones sum to the total exactly."""
    use = _MEDIAN[sites.kind] * np.exp(_SPREAD[sites.kind] * rng.standard_normal(len(sites.xy)))
    large = np.flatnonzero(sites.large)
    ordinary = np.flatnonzero(~sites.large)
    missing = rng.choice(ordinary, round(MISSING_USE * len(use)), replace=False)
    use[missing] = 0.0
    use[large] = 0.0
    rest = scale.kwh - sum(scale.enterprises)
    for _ in range(8):  # scaling lifts some over the limit again; each round leaves fewer
        use = np.minimum(use * (rest / use.sum()), _LARGEST)
    use[large] = scale.enterprises
    tenths: NDArray[np.int64] = np.rint(10 * use).astype(np.int64)
    off = round(10 * scale.kwh) - int(tenths.sum())
    known = np.setdiff1d(ordinary, missing)
    tenths[known] += off // len(known)
    tenths[known[: off % len(known)]] += 1
    tenths[missing] = -1
    return tenths


def _district(townships: Townships, lonlat: Array) -> NDArray[np.intp]:
    """District of each point; of those sharing a border the first."""
    found = np.full(len(lonlat), -1, np.intp)
    for at, shape in enumerate(townships.shapes):
        west, south, east, north = shape.bounds
        near = (lonlat[:, 0] >= west) & (lonlat[:, 0] <= east)
        near &= (lonlat[:, 1] >= south) & (lonlat[:, 1] <= north) & (found < 0)
        rows = np.flatnonzero(near)
        shapely.prepare(shape)
        found[rows[shapely.intersects_xy(shape, lonlat[rows])]] = at
    return found
