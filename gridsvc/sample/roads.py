"""Bridges, and the roads which join the townships and villages over them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import shapely
from numpy.typing import NDArray
from scipy.sparse import csr_array
from scipy.sparse.csgraph import dijkstra
from scipy.spatial import cKDTree

from gridsvc.errors import Infeasible
from gridsvc.sample.ground import Ground
from gridsvc.sample.landscape import Land
from gridsvc.sample.plane import Array
from gridsvc.sample.scale import Scale
from gridsvc.sample.townships import Townships

__all__ = ["Roads", "make_roads"]

_CLASSES = ("primary", "secondary", "tertiary")
_HILL_COST = 9.0  # times the length


@dataclass(frozen=True)
class Roads:
    """Where people can drive.

    Attributes
    ----------
    villages : int array, shape (n_villages,)
        Patches.
    bridges : float64 array, shape (n_bridges, 2), degrees
        Each is a vertex of a river.
    lines : list of (class, line in metres)
        Primary roads join the seats, secondary ones neighbouring seats, tertiary ones the villages.
    """

    villages: NDArray[np.intp]
    bridges: Array
    lines: list[tuple[str, Any]]


def make_roads(
    scale: Scale, land: Land, ground: Ground, townships: Townships, rng: np.random.Generator
) -> Roads:
    """Build shortest-path trees from the centre over the patches; rivers are crossed on bridges only."""
    mosaic = land.mosaic
    spans, points = _bridges(scale, land, ground)
    usable = land.inside[mosaic.a] & land.inside[mosaic.b] & ~land.crosses
    usable[spans] = True
    steep = 1 + _HILL_COST * (land.hilly[mosaic.a].astype(float) + land.hilly[mosaic.b]) / 2
    wet = np.zeros(len(mosaic.xy), bool)
    wet[mosaic.a[land.crosses]] = wet[mosaic.b[land.crosses]] = True
    steep[wet[mosaic.a] & wet[mosaic.b]] *= 1.8  # roads keep off the very bank
    cost = mosaic.lengths * steep * rng.uniform(0.9, 1.1, len(mosaic.a))
    villages = _villages(scale, land, ground, townships, rng)
    rank = _ranks(scale, land, townships, villages, cost=cost, usable=usable)
    lines = _draw(land, rank, spans, points, np.concatenate([townships.seats, villages]))
    return Roads(villages, land.plane.to_degrees(points), lines)


def _bridges(scale: Scale, land: Land, ground: Ground) -> tuple[NDArray[np.intp], Array]:
    """Edges which carry a bridge and the corners of the mosaic they pass over (metres).

    A third of the bridges is in the core, the others are spread along both rivers.
    """
    mosaic = land.mosaic
    on = land.on_river[mosaic.ends].all(axis=1) & land.crosses
    bank = np.flatnonzero(on & land.inside[mosaic.a] & land.inside[mosaic.b])
    corner = mosaic.corners[mosaic.ends[bank, 0]]
    lonlat = land.plane.to_degrees(corner)
    line = shapely.union_all(list(land.rivers.values()))
    away = shapely.distance(shapely.get_exterior_ring(ground.boundary), shapely.points(lonlat)) > 0.004
    exact = shapely.distance(line, shapely.points(lonlat)) == 0.0
    bank, corner = bank[away & exact], corner[away & exact]
    if len(bank) < scale.bridges:
        raise Infeasible("the rivers are too short for their bridges", cure="take another seed")
    near = np.hypot(*corner.T) < 1.1 * scale.core_radius
    chosen: list[int] = []
    for part, count in ((np.flatnonzero(near), scale.bridges // 3), (np.arange(len(bank)), scale.bridges)):
        while len(part) and len(chosen) < count:
            # The farthest from all bridges so far; the first one is nearest to the centre.
            start = -np.hypot(*corner[part].T)
            gap = cKDTree(corner[chosen]).query(corner[part])[0] if chosen else start
            chosen.append(int(part[gap.argmax()]))
    return bank[chosen], corner[chosen]


def _villages(
    scale: Scale, land: Land, ground: Ground, townships: Townships, rng: np.random.Generator
) -> NDArray[np.intp]:
    """Low patches at least a kilometre or so apart, outside the core."""
    xy = land.mosaic.xy
    inner = shapely.contains_xy(ground.habitable, xy)
    candidates = np.flatnonzero(land.inside & inner & (np.hypot(*xy.T) > 1.15 * scale.core_radius))
    liking = -land.height[candidates] + rng.gumbel(0, 0.8, len(candidates))
    candidates = candidates[np.argsort(-liking, kind="stable")]
    apart = 0.55 * np.sqrt(scale.area / (scale.villages + scale.districts))
    taken = np.zeros(len(xy), bool)
    tree = cKDTree(xy)
    for seat in townships.seats:
        taken[tree.query_ball_point(xy[seat], apart)] = True
    chosen: list[int] = []
    for patch in candidates:
        if len(chosen) < scale.villages and not taken[patch]:
            chosen.append(int(patch))
            taken[tree.query_ball_point(xy[patch], apart * rng.uniform(0.8, 1.4))] = True
    return np.array(chosen, np.intp)


class _Network:
    """Roads as they are built: a class for each edge between patches, -1 where there is none."""

    def __init__(self, land: Land, cost: Array, usable: NDArray[np.bool_]) -> None:
        self._mosaic, self._cost, self._usable = land.mosaic, cost, usable
        low = np.minimum(land.mosaic.a, land.mosaic.b).tolist()
        high = np.maximum(land.mosaic.a, land.mosaic.b).tolist()
        self._edge = {pair: edge for edge, pair in enumerate(zip(low, high, strict=True))}
        self.rank = np.full(len(cost), -1, np.int8)

    def join(self, targets: list[int], start: int, rank: int, ease: float) -> None:
        """Build from a start to each target in turn; what is built already costs `ease` of its length."""
        for target in targets:
            cost = np.where(self.rank >= 0, ease, 1.0) * self._cost
            graph = self._mosaic.graph(cost, self._usable)
            self._trace(dijkstra(graph, indices=start, return_predecessors=True)[1], target, rank)

    def attach(self, targets: NDArray[np.intp], rank: int, batches: int = 6) -> None:
        """Build from each target to the nearest road, the nearest targets first."""
        graph = self._mosaic.graph(self._cost, self._usable)
        for left in range(batches, 0, -1):
            built = self.rank >= 0
            roads = np.unique([self._mosaic.a[built], self._mosaic.b[built]])
            far, before, _ = dijkstra(graph, indices=roads, min_only=True, return_predecessors=True)
            order = targets[np.argsort(far[targets], kind="stable")]
            for target in order[: -(-len(order) // left)]:
                self._trace(before, int(target), rank)
            targets = order[-(-len(order) // left) :]

    def _trace(self, before: NDArray[np.int32], target: int, rank: int) -> None:
        at, back = target, int(before[target])
        while back >= 0:
            edge = self._edge[min(at, back), max(at, back)]
            if self.rank[edge] < 0:
                self.rank[edge] = rank
            at, back = back, int(before[back])


def _ranks(
    scale: Scale, land: Land, townships: Townships, villages: NDArray[np.intp], *,
    cost: Array, usable: NDArray[np.bool_],
) -> NDArray[np.int8]:  # fmt: skip
    """Class of the road over each edge of the mosaic, -1 for none."""
    mosaic, seats = land.mosaic, townships.seats
    network = _Network(land, cost, usable)
    centre = int(np.where(land.inside, np.hypot(*mosaic.xy.T), np.inf).argmin())
    outer = seats[scale.core_districts :]
    # A county's main roads lead to every seat around the town, a city's to each ninth.
    main = [int(seat) for seat in (outer if scale.rural else outer[::9])]
    network.join([*main, *_exits(land)], centre, 0, 0.6)
    near = cKDTree(mosaic.xy[seats]).query(mosaic.xy[seats], k=4)[1]
    network.attach(seats, 1)
    for at in range(len(seats)):
        others = [int(seats[other]) for other in near[at, 1:3] if other > at]
        network.join(others, int(seats[at]), 1, 0.85)
    network.attach(villages, 2)
    return network.rank


def _exits(land: Land) -> list[int]:
    """Patches on the border where the main roads leave, in five directions."""
    mosaic = land.mosaic
    edge = land.inside[mosaic.a] != land.inside[mosaic.b]
    rim = np.unique([mosaic.a[edge], mosaic.b[edge]])
    rim = rim[land.inside[rim] & ~land.hilly[rim]]
    angle = np.arctan2(mosaic.xy[rim, 1], mosaic.xy[rim, 0])
    return [int(rim[np.abs(angle - at).argmin()]) for at in (-2.5, -1.2, 0.1, 1.3, 2.6)]


def _draw(
    land: Land,
    rank: NDArray[np.int8],
    spans: NDArray[np.intp],
    points: Array,
    stops: NDArray[np.intp],
) -> list[tuple[str, Any]]:
    """Smooth all roads together, so that junctions stay joined, and merge them class by class.

    A road over a bridge gets the bridge as a point of its own, which smoothing leaves in place.
    """
    mosaic = land.mosaic
    xy = np.vstack([mosaic.xy, points])
    plain = rank >= 0
    plain[spans] = False
    over = np.flatnonzero(rank[spans] >= 0)
    deck = len(mosaic.xy) + over
    a = np.concatenate([mosaic.a[plain], mosaic.a[spans[over]], deck])
    b = np.concatenate([mosaic.b[plain], deck, mosaic.b[spans[over]]])
    kinds = np.concatenate([rank[plain], rank[spans[over]], rank[spans[over]]])
    ones = np.ones(2 * len(a))
    graph = csr_array((ones, (np.concatenate([a, b]), np.concatenate([b, a]))), shape=(len(xy), len(xy)))
    degree = np.asarray(graph.sum(axis=1)).ravel()
    held = degree < 2
    held[stops] = held[len(mosaic.xy) :] = True
    for _ in range(6):
        xy = np.where(held[:, None], xy, (xy + (graph @ xy) / np.maximum(degree, 1)[:, None]) / 2)
    lines: list[tuple[str, Any]] = []
    for kind, name in enumerate(_CLASSES):
        chosen = kinds == kind
        steps = shapely.linestrings(np.stack([xy[a[chosen]], xy[b[chosen]]], axis=1))
        merged = shapely.get_parts(shapely.line_merge(shapely.multilinestrings(steps)))
        lines += [(name, line) for line in shapely.simplify(merged, 8.0)]
    return lines
