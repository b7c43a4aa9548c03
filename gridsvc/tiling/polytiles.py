"""Polygon layer -> tiling: each polygon is a cell."""

from __future__ import annotations

import numpy as np
import shapely

from gridsvc.errors import InvalidInput
from gridsvc.progress import Progress, silent
from gridsvc.tiling.borders import shared_borders
from gridsvc.tiling.cover import MAX_CELLS
from gridsvc.tiling.plane import flatten, local_plane
from gridsvc.tiling.read import PolygonLayer
from gridsvc.tiling.tiling import Adjacency, Tiling

__all__ = ["tile_polygons"]


def tile_polygons(layer: PolygonLayer, *, tolerance_m: float = 0.5, progress: Progress = silent) -> Tiling:
    """Take the polygons of a layer as cells.

    Two cells are adjacent where they share a border (rook: a common corner is not enough). Edges need not
    match: gaps up to `tolerance_m` and overlaps count as shared border, see `gridsvc.tiling.borders`.

    Parameters
    ----------
    layer : PolygonLayer
    tolerance_m : float, metres
    progress : Progress

    Returns
    -------
    Tiling
        Rows by ascending id; `x`, `y` is a point inside the polygon, not its centroid.

    Raises
    ------
    InvalidInput
        No polygons, or more than `MAX_CELLS`.
    """
    if not 0 < len(layer.ids) <= MAX_CELLS:
        raise InvalidInput(
            f"{len(layer.ids):,} polygons", source=layer.source, cure=f"give from 1 to {MAX_CELLS:,}"
        )
    order = np.array(sorted(range(len(layer.ids)), key=layer.ids.tolist().__getitem__))
    geometry = layer.geometry[order]
    plane = local_plane(geometry)
    progress(0.1, f"measuring {len(order):,} polygons")
    flat = flatten(plane, geometry)
    x, y = plane.project(*shapely.get_coordinates(shapely.point_on_surface(geometry)).T)
    progress(0.4, "finding shared borders")
    adjacency = Adjacency.from_pairs(
        len(order), *shared_borders(geometry, plane.geometry(geometry), tolerance_m)
    )
    progress(1.0, "done")
    return Tiling(
        kind="polygons",
        resolution=None,
        ids=layer.ids[order],
        geometry=geometry,
        x=x,
        y=y,
        area=shapely.area(flat),
        perimeter=shapely.length(flat),
        adjacency=adjacency,
        origin=(plane.lon0, plane.lat0),
        columns={name: values[order] for name, values in layer.columns.items()},
    )
