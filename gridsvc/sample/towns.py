"""Built-up places: streets, and the blocks between them with their use."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import shapely
from numpy.typing import NDArray

from gridsvc.sample.ground import Ground
from gridsvc.sample.landscape import Land
from gridsvc.sample.plane import Array, Noise
from gridsvc.sample.scale import Scale
from gridsvc.sample.townships import Townships

__all__ = ["ESTATE", "LOW_RISE", "PARK", "Blocks", "make_blocks"]

LOW_RISE, ESTATE, PARK = 0, 1, 2
_BLOCK = (250.0, 190.0)  # metres between streets


@dataclass(frozen=True)
class Blocks:
    """Street blocks of all built-up places.

    Attributes
    ----------
    corners : float64 array, shape (n_blocks, 4, 2), metres
        Counter-clockwise, on the centre lines of the streets.
    use : int8 array, shape (n_blocks,)
        `LOW_RISE`, `ESTATE` or `PARK`.
    central : float64 array, shape (n_blocks,)
        1 in the middle of its place, 0 on its rim; scaled by the place's rank.
    streets : list of lines in metres
    estates : list of polygons in metres
        Housing estates, in the order of the blocks with that use.
    """

    corners: Array
    use: NDArray[np.int8]
    central: Array
    streets: list[Any]
    estates: list[Any]

    def points(self, block: NDArray[np.intp], u: Array, v: Array) -> Array:
        """Points at the shares `u` and `v` (0 to 1) across blocks, shape (n, 2), metres."""
        a, b, c, d = (self.corners[block, corner] for corner in range(4))
        u, v = u[:, None], v[:, None]
        spots: Array = (1 - v) * ((1 - u) * a + u * b) + v * ((1 - u) * d + u * c)
        return spots


def make_blocks(
    scale: Scale, land: Land, ground: Ground, townships: Townships, rng: np.random.Generator
) -> Blocks:
    """Lay streets around the centre and the seats outside the core, then give each block a use."""
    bend = [Noise(rng, (2_600.0, 70.0), (6_000.0, 130.0)) for _ in range(2)]
    ragged = Noise(rng, (1_500.0, 0.16), (700.0, 0.12))
    corners, central, streets = [], [], []
    for centre, radius, rank in _places(scale, land, townships):
        lattice = _lattice(centre, radius, rng)
        lattice = lattice + np.stack([noise(lattice.reshape(-1, 2)) for noise in bend], 1).reshape(
            lattice.shape
        )
        quads = np.stack([lattice[:-1, :-1], lattice[1:, :-1], lattice[1:, 1:], lattice[:-1, 1:]], axis=2)
        middle = quads.mean(axis=2)
        inward = 1 - np.hypot(*np.moveaxis(middle - centre, 2, 0)) / radius
        built = inward + ragged(middle.reshape(-1, 2)).reshape(inward.shape) > 0.08
        built &= shapely.contains(ground.habitable, shapely.polygons(quads))
        corners.append(quads[built])
        central.append(np.clip(inward[built], 0, 1) * rank)
        streets += _streets(lattice, built)
    quads, inward = np.vstack(corners), np.concatenate(central)
    use = _uses(scale, quads.mean(axis=1), inward, rng)
    blocks = shapely.polygons(quads[use == ESTATE])
    estates = shapely.buffer(shapely.buffer(blocks, -26.0), 14.0, quad_segs=2)
    return Blocks(quads, use, inward, streets, list(shapely.simplify(estates, 0.5)))


def _places(scale: Scale, land: Land, townships: Townships) -> list[tuple[Array, float, float]]:
    """Centre, radius (metres) and rank of each built-up place."""
    outer = townships.seats[scale.core_districts :]
    sizes = [(950.0, 0.55)] * scale.towns + [(430.0, 0.35)] * scale.rural
    if not scale.rural:
        sizes = [(700.0, 0.45)] * scale.towns
    seats = [(land.mosaic.xy[seat], *size) for seat, size in zip(outer, sizes, strict=True)]
    return [(np.zeros(2), 1.02 * scale.core_radius, 1.0), *seats]


def _lattice(centre: Array, radius: float, rng: np.random.Generator) -> Array:
    """Street crossings around a centre, turned by a random angle, shape (columns, rows, 2)."""
    reach = [np.arange(-radius - step, radius + 2 * step, step) for step in _BLOCK]
    spaced = [axis + rng.normal(0, 0.1 * step, len(axis)) for axis, step in zip(reach, _BLOCK, strict=True)]
    u, v = np.meshgrid(*spaced, indexing="ij")
    turn = rng.uniform(-0.6, 0.6)
    return np.stack([u * np.cos(turn) - v * np.sin(turn), u * np.sin(turn) + v * np.cos(turn)], -1) + centre


def _streets(lattice: Array, built: NDArray[np.bool_]) -> list[Any]:
    """Runs of block sides along each row and column of crossings."""
    padded = np.pad(built, 1)
    rows = padded[1:-1, 1:] | padded[1:-1, :-1]
    columns = padded[1:, 1:-1] | padded[:-1, 1:-1]
    lines = []
    for crossings, sides in ((lattice.transpose(1, 0, 2), rows.T), (lattice, columns)):
        for points, side in zip(crossings, sides, strict=True):
            edge = np.flatnonzero(np.diff(np.concatenate([[0], side.astype(np.int8), [0]])))
            lines += [points[start : end + 1] for start, end in zip(edge[::2], edge[1::2], strict=True)]
    return [shapely.linestrings(line) for line in lines]


def _uses(scale: Scale, middle: Array, central: Array, rng: np.random.Generator) -> NDArray[np.int8]:
    """Parks are clumps of blocks at the rim of the core; estates lie anywhere but there."""
    use = np.full(len(middle), LOW_RISE, np.int8)
    away = np.hypot(*middle.T)
    rim = np.flatnonzero((away > 0.62 * scale.core_radius) & (away < 1.05 * scale.core_radius))
    wanted = rng.uniform(0, 2 * np.pi) + 2 * np.pi * np.arange(scale.parks) / scale.parks
    for angle in wanted:
        target = 0.85 * scale.core_radius * np.array([np.cos(angle), np.sin(angle)])
        seat = middle[rim[np.hypot(*(middle[rim] - target).T).argmin()]]
        use[np.hypot(*(middle - seat).T) < 480.0] = PARK
    free = np.flatnonzero(use == LOW_RISE)
    liking = np.sqrt(0.05 + central[free]) * rng.uniform(0.2, 1, len(free))
    chosen = free[np.argsort(-liking, kind="stable")[: min(scale.estates, int(0.6 * len(free)))]]
    use[chosen] = ESTATE
    return use
