"""Territory -> tiling of H3 cells, and which resolution suits."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import h3.api.basic_int as h3
import numpy as np
import shapely
from numpy.typing import NDArray

from gridsvc.crs import LocalPlane
from gridsvc.errors import InvalidInput
from gridsvc.progress import Progress, silent, span
from gridsvc.tiling.cover import MAX_CELLS, cover, estimate_cells
from gridsvc.tiling.hexes import centres, corners, index_points, outlines, shared_edges
from gridsvc.tiling.plane import local_plane
from gridsvc.tiling.tiling import Adjacency, Tiling

__all__ = ["Suggestion", "suggest_resolution", "tile_cells", "tile_h3"]

_RESOLUTIONS = (8, 9, 10, 11)
_CELLS_PER_GRID = 40


@dataclass(frozen=True, slots=True)
class Suggestion:
    """A resolution, and the table from which it was taken.

    Attributes
    ----------
    resolution : int
    table : list of dict
        One row a resolution tried, coarsest first: ``resolution``, ``cells`` (estimate),
        ``cells_per_grid``, ``p99_share`` (worst measure's 99th-percentile cell over the target, None without
        customers), ``ok`` and ``note``.
    """

    resolution: int
    table: list[dict[str, Any]]


def tile_h3(boundary: shapely.MultiPolygon, resolution: int, progress: Progress = silent) -> Tiling:
    """Cut a territory into the H3 cells which leave no point of it outside.

    Cells are whole, also where they hang over the border. Area, perimeter, points and shared edges are
    measured on the drawn outlines in the equal-area plane around the territory's middle, so that they add
    up with the territory's own area.

    Parameters
    ----------
    boundary : MultiPolygon, WGS-84
    resolution : int, 0 to 15
    progress : Progress

    Returns
    -------
    Tiling

    Raises
    ------
    InvalidInput, InvalidGeometry, TooLarge
        As `cover`.
    """
    progress(0.0, "finding the cells")
    cells = cover(boundary, resolution)
    return _tiling(cells, resolution, local_plane(boundary), {}, span(progress, 0.3, 1.0))


def tile_cells(cells: NDArray[np.uint64], columns: Mapping[str, NDArray[Any]] | None = None) -> Tiling:
    """Make the tiling of given H3 cells; its plane is centred on their own extent.

    Parameters
    ----------
    cells : uint64 array, shape (n,), n > 0
        Valid cells of one resolution, ascending and unique (not checked).
    columns : mapping of str to array, shape (n,), optional

    Returns
    -------
    Tiling
    """
    resolution = h3.get_resolution(int(cells[0]))
    plane = local_plane(shapely.multipoints(np.column_stack(centres(cells))))
    return _tiling(cells, resolution, plane, columns or {}, silent)


def _tiling(
    cells: NDArray[np.uint64],
    resolution: int,
    plane: LocalPlane,
    columns: Mapping[str, NDArray[Any]],
    progress: Progress,
) -> Tiling:
    progress(0.0, f"drawing {len(cells):,} cells")
    xy, count = corners(cells)
    geometry = outlines(xy, count)
    flat = np.column_stack(plane.project(xy[:, 0], xy[:, 1]))
    drawn = outlines(flat, count)
    x, y = plane.project(*centres(cells))
    progress(0.6, "finding neighbours")
    adjacency = Adjacency.from_pairs(len(cells), *shared_edges(cells, flat, count))
    progress(1.0, "done")
    return Tiling(
        kind="h3",
        resolution=resolution,
        ids=cells,
        geometry=geometry,
        x=x,
        y=y,
        area=shapely.area(drawn),
        perimeter=shapely.length(drawn),
        adjacency=adjacency,
        origin=(plane.lon0, plane.lat0),
        columns=columns,
    )


def suggest_resolution(
    boundary: shapely.MultiPolygon,
    grids: int,
    lon: NDArray[np.float64] | None = None,
    lat: NDArray[np.float64] | None = None,
    weights: Mapping[str, NDArray[np.float64]] | None = None,
    *,
    tolerance: float = 0.10,
) -> Suggestion:
    """The coarsest of resolutions 8 to 11 which is fine enough to balance `grids` grids.

    Fine enough is: at least 40 cells a grid, and the 99th percentile of the cells that have customers is at
    most ``tolerance x target`` in every measure, the target being a measure's total over `grids`. If none
    is, the finest which stays below the limit of cells is taken and its row in the table says so.

    Parameters
    ----------
    boundary : MultiPolygon, WGS-84
    grids : int
    lon, lat : float64 arrays, shape (n,), degrees, WGS-84, optional
        Customers; those outside the territory or without coordinates do not count. Without any, only the
        number of cells decides.
    weights : mapping of str to float64 array, shape (n,), optional
        Measures; None counts customers.
    tolerance : float
        Allowed relative deviation of a grid from its target.

    Raises
    ------
    InvalidInput
        `grids` below 1.
    TooLarge
        Even resolution 8 gives too many cells.
    """
    if grids < 1:
        raise InvalidInput(f"{grids} grids asked for", field="grids", cure="ask for at least 1")
    lon, lat = (np.zeros(0), np.zeros(0)) if lon is None or lat is None else (lon, lat)
    with np.errstate(invalid="ignore"):
        inside = (np.abs(lat) <= 90.0) & (np.abs(lon) <= 180.0)
    inside[inside] = shapely.intersects_xy(boundary, lon[inside], lat[inside])
    measures = weights or {"customers": np.ones(len(lon))}
    kept = [np.nan_to_num(w[inside]) for w in measures.values()]
    table = [
        _trial(boundary, r, grids, (lon[inside], lat[inside]), kept, tolerance=tolerance)
        for r in _RESOLUTIONS
    ]
    good = [row for row in table if row["ok"]]
    if good:
        return Suggestion(int(good[0]["resolution"]), table)
    return _finest(boundary, table)


def _trial(
    boundary: shapely.MultiPolygon,
    resolution: int,
    grids: int,
    points: tuple[NDArray[np.float64], NDArray[np.float64]],
    weights: list[NDArray[np.float64]],
    *,
    tolerance: float,
) -> dict[str, Any]:
    cells = estimate_cells(boundary, resolution)
    share = _p99_share(index_points(*points, resolution), weights, grids)
    faults = [
        text
        for text, wrong in (
            (f"more than {MAX_CELLS:,} cells", cells > MAX_CELLS),
            (f"fewer than {_CELLS_PER_GRID} cells a grid", cells / grids < _CELLS_PER_GRID),
            ("dense cells are too heavy", share is not None and share > tolerance),
        )
        if wrong
    ]
    return {
        "resolution": resolution,
        "cells": cells,
        "cells_per_grid": round(cells / grids, 1),
        "p99_share": None if share is None else round(share, 4),
        "ok": not faults,
        "note": "; ".join(faults),
    }


def _p99_share(cells: NDArray[np.uint64], weights: list[NDArray[np.float64]], grids: int) -> float | None:
    """99th-percentile cell over the target, in the worst measure; None if nothing is to be shared."""
    _, place = np.unique(cells, return_inverse=True)
    shares = [
        float(np.percentile(np.bincount(place, weight), 99)) * grids / float(weight.sum())
        for weight in weights
        if weight.sum() > 0.0
    ]
    return max(shares, default=None)


def _finest(boundary: shapely.MultiPolygon, table: list[dict[str, Any]]) -> Suggestion:
    fitting = [row for row in table if row["cells"] <= MAX_CELLS]
    if not fitting:
        cover(boundary, _RESOLUTIONS[0])  # raises TooLarge, which names the resolution that fits
    chosen = fitting[-1]
    chosen["note"] = f"{chosen['note']}; taken all the same: none is fine enough"
    return Suggestion(int(chosen["resolution"]), table)
