"""Cells cut off at their territory's border, each once, so that what is joined of them fits together."""

from __future__ import annotations

from typing import Literal

import numpy as np
import shapely
from numpy.typing import NDArray

__all__ = ["Clip", "clipped"]

Clip = Literal["cells", "territory"]
"""Cells as they are, or cut off at the border of the territory."""

Shapes = NDArray[np.object_]


def clipped(cells: Shapes, territory: shapely.MultiPolygon, *, overlaps: Literal["none", "lowest"]) -> Shapes:
    """The part of each cell that lies in a territory; neighbours share their borders vertex by vertex.

    Cutting two neighbours one by one may give two points where their common edge leaves the territory. So the
    border and the edges of all cells which it touches are cut at each other once, and the faces between them
    are dealt out to the cells; where two neighbours meet they have the same points because they are made of
    the same lines.

    Parameters
    ----------
    cells : object array of shapely (multi)polygons, shape (n,)
        In ascending order of their ids.
    territory : MultiPolygon
        In the same system.
    overlaps : {"none", "lowest"}
        Whether cells may overlap. The lowest id then has what two hold, as for points; all edges must be cut
        for that, else only those by the border.

    Returns
    -------
    object array, shape (n,)
        Empty where a cell lies outside.
    """
    shapely.prepare(territory)
    whole = shapely.contains_properly(territory, cells) if overlaps == "none" else np.zeros(len(cells), bool)
    out = cells.copy()
    cut = np.flatnonzero(~whole)
    out[cut] = _cut(cells[cut], territory)
    return out


def _cut(cells: Shapes, territory: shapely.MultiPolygon) -> Shapes:
    faces = _faces(cells, territory)
    points = shapely.point_on_surface(faces)
    inside = shapely.intersects(territory, points)
    faces, points = faces[inside], points[inside]
    owner = np.full(len(faces), len(cells))
    face, cell = shapely.STRtree(cells).query(points, predicate="intersects")
    np.minimum.at(owner, face, cell)
    out = np.full(len(cells), shapely.Polygon(), object)
    order = np.argsort(owner, kind="stable")
    ends = np.searchsorted(owner[order], np.arange(len(cells) + 1))
    for at in np.flatnonzero(np.diff(ends)).tolist():
        mine = faces[order[ends[at] : ends[at + 1]]]
        out[at] = mine[0] if len(mine) == 1 else shapely.coverage_union_all(mine)
    return out


def _faces(cells: Shapes, territory: shapely.MultiPolygon) -> Shapes:
    """The smallest areas between all edges and the border."""
    lines = shapely.get_parts(shapely.union_all([*shapely.boundary(cells), shapely.boundary(territory)]))
    faces: Shapes = shapely.get_parts(shapely.polygonize(lines))
    return faces
