"""Where customers are: premises, each a meter box or a stairwell with one or more customers."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
import shapely
from numpy.typing import NDArray

from gridsvc.sample.ground import Ground
from gridsvc.sample.landscape import Land
from gridsvc.sample.plane import Array
from gridsvc.sample.roads import Roads
from gridsvc.sample.scale import Scale
from gridsvc.sample.towns import ESTATE, LOW_RISE, PARK, Blocks

__all__ = ["KINDS", "Sites", "make_sites"]

KINDS = ("residential", "commercial", "industrial", "agricultural")

_Draw = Callable[[int], Array]


@dataclass(frozen=True)
class Sites:
    """One row a customer.

    Attributes
    ----------
    xy : float64 array, shape (n, 2), metres
    premise : int64 array, shape (n,)
        Number of the premise, ascending; its customers stand at one place, or a few metres from it.
    kind : int8 array, shape (n,)
        Position in `KINDS`.
    large : bool array, shape (n,)
        The large enterprises.
    """

    xy: Array
    premise: NDArray[np.int64]
    kind: NDArray[np.int8]
    large: NDArray[np.bool_]


def make_sites(
    scale: Scale, land: Land, ground: Ground, roads: Roads, blocks: Blocks, *, rng: np.random.Generator
) -> Sites:
    """Place exactly ``scale.customers`` customers on habitable ground."""
    share, many = scale.shares, scale.customers
    counts = [
        round(many * part)
        for part in (
            share.estates, share.low_rise, share.roadside, share.commercial, share.industrial,
            share.agricultural,
        )
    ]  # fmt: skip
    large = len(scale.enterprises)
    low, park = np.flatnonzero(blocks.use == LOW_RISE), np.flatnonzero(blocks.use == PARK)
    shops = np.flatnonzero(blocks.use != PARK)
    along = shapely.multilinestrings([line for _, line in roads.lines])
    plans: list[tuple[_Draw, int, float, int]] = [
        (_in_estates(blocks, rng), counts[0], 15.0, 0),
        (_at_kerbs(blocks, low, 0.35 + blocks.central[low], rng), counts[1], 3.0, 0),
        (_beside(along, 70.0, rng), counts[2], 1.8, 0),
        (_at_kerbs(blocks, shops, 0.04 + blocks.central[shops] ** 2, rng), counts[3], 2.0, 1),
        (_within(blocks, park, rng), counts[4], 1.0, 2),
        (_in_fields(land, rng), counts[5], 1.0, 3),
        (_within(blocks, park, rng), large, 1.0, 2),
        (_in_villages(land, roads, rng), many - sum(counts) - large, 2.2, 0),
    ]
    batches = [_fill(draw, count, mean, ground, rng) for draw, count, mean, _ in plans]
    first = np.cumsum([0] + [int(premise[-1]) + 1 for _, premise in batches])
    xy = np.vstack([xy for xy, _ in batches])
    return Sites(
        _shaken(xy, rng),
        np.concatenate([premise + start for (_, premise), start in zip(batches, first, strict=False)]),
        np.repeat(np.array([kind for *_, kind in plans], np.int8), [count for _, count, _, _ in plans]),
        np.repeat(np.arange(len(plans)) == 6, [count for _, count, _, _ in plans]),
    )


def _fill(
    draw: _Draw, count: int, mean: float, ground: Ground, rng: np.random.Generator
) -> tuple[Array, NDArray[np.int64]]:
    """Draw premises until they hold `count` customers; returns their places and premises, a row each."""
    places = np.vstack(list(_habitable(draw, int(count / mean * 1.25) + 30, ground)))
    size = np.ones(len(places), np.int64) if mean == 1.0 else 1 + rng.poisson(mean - 1.0, len(places))
    premise = np.repeat(np.arange(len(places)), size)[:count]
    return places[premise], premise


def _habitable(draw: _Draw, count: int, ground: Ground) -> Iterator[Array]:
    while count > 0:
        xy = draw(2 * count)
        good = xy[shapely.contains_xy(ground.habitable, xy)][:count]
        count -= len(good)
        yield good


def _shaken(xy: Array, rng: np.random.Generator) -> Array:
    """Some meters were surveyed one by one and lie up to 20 m from their premise."""
    away = (rng.random(len(xy)) < 0.04) * rng.uniform(2.0, 20.0, len(xy))
    angle = rng.uniform(0, 2 * np.pi, len(xy))
    shaken: Array = xy + away[:, None] * np.column_stack([np.cos(angle), np.sin(angle)])
    return shaken


def _in_estates(blocks: Blocks, rng: np.random.Generator) -> _Draw:
    """Stairwells of slab buildings, which stand in rows across each estate."""
    estate = np.flatnonzero(blocks.use == ESTATE)
    density = rng.uniform(0.6, 1.4, len(estate))

    def draw(count: int) -> Array:
        block = rng.choice(estate, count, p=density / density.sum())
        column, row = rng.integers(0, 9, count), rng.integers(0, 5, count)
        u, v = (0.2 + 0.075 * column).astype(np.float64), (0.2 + 0.15 * row).astype(np.float64)
        return blocks.points(block, u, v)

    return draw


def _at_kerbs(blocks: Blocks, chosen: NDArray[np.intp], weight: Array, rng: np.random.Generator) -> _Draw:
    """Houses and shops along the four sides of blocks."""

    def draw(count: int) -> Array:
        block = rng.choice(chosen, count, p=weight / weight.sum())
        run, inset, side = rng.random(count), rng.uniform(0.05, 0.3, count) ** 1.5, rng.integers(0, 4, count)
        depth = np.where(side % 2 == 0, inset, 1 - inset)
        return blocks.points(block, np.where(side < 2, run, depth), np.where(side < 2, depth, run))

    return draw


def _within(blocks: Blocks, chosen: NDArray[np.intp], rng: np.random.Generator) -> _Draw:
    def draw(count: int) -> Array:
        block = rng.choice(chosen, count)
        u, v = 0.1 + 0.8 * rng.random((2, count))
        return blocks.points(block, u, v)

    return draw


def _beside(lines: object, width: float, rng: np.random.Generator) -> _Draw:
    """Points beside roads, up to `width` metres away, the most of them near."""
    joined = shapely.segmentize(lines, 150.0)
    points, part = shapely.get_coordinates(shapely.get_parts(joined), return_index=True)
    follows = np.flatnonzero(part[:-1] == part[1:])

    def draw(count: int) -> Array:
        at, along = rng.choice(follows, count), rng.random(count)[:, None]
        spot = points[at] * (1 - along) + points[at + 1] * along
        return np.asarray(spot + rng.normal(0, width, (count, 2)))

    return draw


def _in_villages(land: Land, roads: Roads, rng: np.random.Generator) -> _Draw:
    """Clumps around the villages, a few hamlets each."""
    centre = np.repeat(land.mosaic.xy[roads.villages], 3, axis=0)
    centre = centre + rng.normal(0, 260.0, centre.shape)
    size = rng.lognormal(0, 0.6, len(centre))
    width = 70.0 * np.sqrt(size) + 30.0

    def draw(count: int) -> Array:
        at = rng.choice(len(centre), count, p=size / size.sum())
        return np.asarray(centre[at] + rng.normal(0, 1, (count, 2)) * width[at][:, None])

    return draw


def _in_fields(land: Land, rng: np.random.Generator) -> _Draw:
    """Pumps and barns anywhere low."""
    low = np.flatnonzero(land.inside & (land.height < np.quantile(land.height[land.inside], 0.6)))

    def draw(count: int) -> Array:
        return np.asarray(land.mosaic.xy[rng.choice(low, count)] + rng.normal(0, 200.0, (count, 2)))

    return draw
