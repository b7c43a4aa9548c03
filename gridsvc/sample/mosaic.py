"""A mosaic of small patches of land, from whose edges all borders are made.

Districts, hills and last year's grids are sets of patches. A border between two sets is drawn and smoothed
once and used by both sides, so the shapes fit each other vertex by vertex.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import shapely
from numpy.typing import NDArray
from scipy.sparse import csr_array
from scipy.sparse.csgraph import connected_components, dijkstra
from scipy.spatial import Voronoi

from gridsvc.errors import Infeasible
from gridsvc.sample.plane import Array, Plane, smooth

__all__ = ["Mosaic", "coverage", "grow", "largest_part", "make_mosaic"]

Labels = NDArray[np.int32]


@dataclass(frozen=True)
class Mosaic:
    """Patches and the edges between them.

    Attributes
    ----------
    xy : float64 array, shape (n, 2), metres
        Centres of the patches.
    a, b : int32 arrays, shape (m,)
        The two patches beside each edge.
    ends : int32 array, shape (m, 2)
        Rows of `corners` where the edge begins and ends.
    corners : float64 array, shape (c, 2), metres
    """

    xy: Array
    a: Labels
    b: Labels
    ends: NDArray[np.int32]
    corners: Array

    @property
    def lengths(self) -> Array:
        """Distance between the centres on both sides of each edge, metres, shape (m,)."""
        between: Array = np.hypot(*(self.xy[self.a] - self.xy[self.b]).T)
        return between

    def graph(self, cost: Array, usable: NDArray[np.bool_]) -> csr_array:
        """The neighbourhood of patches as a symmetric matrix of costs, over usable edges only."""
        a, b, cost = self.a[usable], self.b[usable], cost[usable]
        pairs = (np.concatenate([a, b]), np.concatenate([b, a]))
        return csr_array((np.concatenate([cost, cost]), pairs), shape=(len(self.xy), len(self.xy)))


def make_mosaic(xy: Array) -> Mosaic:
    """The Voronoi patches of points, leaving out edges which run to infinity."""
    cut = Voronoi(xy)
    ends = np.asarray(cut.ridge_vertices, np.int32)
    pairs = np.asarray(cut.ridge_points, np.int32)
    finite = (ends >= 0).all(axis=1)
    return Mosaic(xy, pairs[finite, 0], pairs[finite, 1], ends[finite], cut.vertices)


def largest_part(mosaic: Mosaic, chosen: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """The largest connected part of the chosen patches, with its holes filled."""
    return ~_connected(mosaic, ~_connected(mosaic, chosen))


def _connected(mosaic: Mosaic, chosen: NDArray[np.bool_]) -> NDArray[np.bool_]:
    graph = mosaic.graph(np.ones(len(mosaic.a)), chosen[mosaic.a] & chosen[mosaic.b])
    part = connected_components(graph, directed=False)[1]
    largest = np.bincount(part[chosen]).argmax()
    result: NDArray[np.bool_] = chosen & (part == largest)
    return result


def grow(
    mosaic: Mosaic, inside: NDArray[np.bool_], seeds: NDArray[np.intp], delay: Array, cost: Array
) -> Labels:
    """Give each inside patch to the seed which reaches it at least cost; each region is connected.

    Parameters
    ----------
    delay : float64 array, shape (n_seeds,), metres
        Head start of the others.
    cost : float64 array, shape (n_edges,), metres

    Returns
    -------
    int32 array, shape (n_patches,)
        Position of the seed; -1 outside.
    """
    n = len(mosaic.xy)
    base = mosaic.graph(cost, inside[mosaic.a] & inside[mosaic.b]).tocoo()
    starts = np.arange(n, n + len(seeds))
    graph = csr_array(
        (
            np.concatenate([base.data, delay + 1.0]),
            (np.concatenate([base.row, starts]), np.concatenate([base.col, seeds])),
        ),
        shape=(n + len(seeds), n + len(seeds)),
    )
    _, _, source = dijkstra(graph, indices=starts, min_only=True, return_predecessors=True)
    return np.where(inside, source[:n] - n, -1).astype(np.int32)


def coverage(
    mosaic: Mosaic, labels: Labels, fixed: NDArray[np.bool_], plane: Plane, rounds: int = 10
) -> list[Any]:
    """Draw the regions of equal label (0 and up) as polygons in degrees which share their borders.

    Parameters
    ----------
    fixed : bool array, shape (n_corners,)
        Corners which smoothing must leave in place (on rivers).

    Raises
    ------
    Infeasible
        The regions cannot be drawn without crossing borders.
    """
    border = labels[mosaic.a] != labels[mosaic.b]
    lines = shapely.linestrings(mosaic.corners[mosaic.ends[border]])
    arcs = shapely.get_parts(shapely.line_merge(shapely.multilinestrings(lines)))
    held = {tuple(corner) for corner in mosaic.corners[fixed]}
    for strength in range(rounds, -1, -2):
        # Smoothing may let two close borders cross; then a little less of it is tried.
        faces = shapely.polygonize([_draw(arc, held, plane, strength) for arc in arcs])
        regions = _regions(shapely.get_parts(faces), mosaic, labels, plane)
        if shapely.coverage_is_valid(regions) and all(region.area > 0 for region in regions):
            return regions
    raise Infeasible("no borders could be drawn for this seed", cure="take another seed")


def _draw(arc: Any, held: set[tuple[float, ...]], plane: Plane, rounds: int) -> Any:
    line = shapely.get_coordinates(arc)
    fixed = np.array([tuple(corner) in held for corner in line])
    return shapely.linestrings(plane.to_degrees(smooth(line, fixed, rounds)))


def _regions(faces: NDArray[Any], mosaic: Mosaic, labels: Labels, plane: Plane) -> list[Any]:
    """Join the faces of each label; a face belongs to the label most of its patches have."""
    lonlat = plane.to_degrees(mosaic.xy)
    owned: list[list[Any]] = [[] for _ in range(int(labels.max()) + 1)]
    for face in faces:
        west, south, east, north = face.bounds
        near = np.flatnonzero(
            (lonlat[:, 0] > west) & (lonlat[:, 0] < east) & (lonlat[:, 1] > south) & (lonlat[:, 1] < north)
        )
        shapely.prepare(face)
        found = labels[near[shapely.contains_xy(face, lonlat[near])]]
        owner = int(np.bincount(found + 1).argmax()) - 1 if len(found) else -1
        if owner >= 0:
            owned[owner].append(face)
    return [shapely.union_all(part) if len(part) != 1 else part[0] for part in owned]
