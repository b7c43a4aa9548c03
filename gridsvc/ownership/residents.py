"""Where the customers of a grid are: in which cells, and on which side of the carve-outs' outlines."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import h3
import numpy as np
import shapely

from gridsvc.ownership.snapshot import Snapshot
from gridsvc.tiling.places import Places

__all__ = ["Residents", "residents_of_grid", "rows_under"]


def _everybody(_lon: float | None, _lat: float | None) -> bool:
    return True


@dataclass(frozen=True, slots=True)
class Residents:
    """Customers of a part of the territory.

    Attributes
    ----------
    rows : list of int
        The cells they may be in; -1 stands for customers in no cell.
    counts : callable
        Whether one of these cells' customers, by its WGS-84 point, is among them.
    """

    rows: list[int]
    counts: Callable[[float | None, float | None], bool] = _everybody


def residents_of_grid(found: Snapshot, code: str) -> Residents | None:
    """Where the customers of a grid or carve-out are; None where there is none of that code.

    As for every question, an outline goes before the cells under it.
    """
    grids = [grid.code for grid in found.holdings.grids]
    overlays = [overlay.code for overlay in found.holdings.overlays]
    if code in grids:
        rows = np.flatnonzero(found.holdings.labels == grids.index(code)).tolist()
        return Residents(rows, _in_overlay(found, -1)) if overlays else Residents(rows)
    if code in overlays:
        which = overlays.index(code)
        rows = rows_under(found.places, found.holdings.overlays[which].polygon)
        return Residents([-1, *rows], _in_overlay(found, which))
    return None


def _in_overlay(found: Snapshot, which: int) -> Callable[[float | None, float | None], bool]:
    def counts(lon: float | None, lat: float | None) -> bool:
        over = -1 if lon is None or lat is None else found.overlay(lon, lat)
        return over == which

    return counts


def rows_under(places: Places, outline: shapely.Polygon | shapely.MultiPolygon) -> list[int]:
    """Cells which may have a point in common with an outline, ascending."""
    if places.hexes is None:
        return np.flatnonzero(shapely.intersects(places.polygons(), outline)).tolist()
    shape = h3.geo_to_h3shape(outline)
    touched = h3.h3shape_to_cells_experimental(shape, places.resolution, contain="overlap")
    # Sides of cells are not straight in degrees: their neighbours are looked at too.
    near = {cell for middle in touched for cell in h3.grid_disk(middle, 1)}
    atoms, shapes = places.atoms
    over = atoms[shapely.intersects(shapes, outline)].tolist()
    return sorted({*over, *(row for row in map(places.find, near) if row >= 0)})
