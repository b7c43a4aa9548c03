"""Who owns a cell: one of the tiling, a finer one (by its centre), or a coarser one (by the cells in it)."""

from __future__ import annotations

from bisect import bisect_left

import h3.api.basic_int as h3
import numpy as np
import shapely
from numpy.typing import NDArray

from gridsvc.errors import InvalidInput
from gridsvc.ownership.answer import Answer, Lang, explain
from gridsvc.ownership.snapshot import Snapshot
from gridsvc.tiling.cellids import CellIds
from gridsvc.tiling.hexes import is_h3
from gridsvc.tiling.places import Places

__all__ = ["MOST", "owner_of_cell", "rows_in"]

MOST = 10_000
"""Cells which one answer names."""


def owner_of_cell(snapshot: Snapshot, cell: str, lang: Lang = "en") -> Answer:
    """Owner of a cell.

    A finer H3 cell is answered by its centre, as children do not lie inside their parents; a coarser one by
    the cells whose centres index into it, where what is left of a hexagon counts as the whole, and an
    unsplittable polygon by its point. An H3 cell which such polygons took whole is answered by its centre.

    Raises
    ------
    InvalidInput
        Not a cell id of this kind of tiling, or a coarse cell with more than `MOST` cells in it.
    """
    row = snapshot.places.find(cell)
    if row >= 0:
        return snapshot.teller.tell(snapshot.code_of(row), row, lang)
    if snapshot.places.hexes is None or not _may_be_h3(snapshot.places, cell):
        return snapshot.teller.nobody(lang)
    resolution = _resolution(cell)
    if resolution == snapshot.places.resolution and snapshot.places.kind == "h3":
        return snapshot.teller.nobody(lang)
    if resolution < (snapshot.places.resolution or 0):
        return _by_cells(snapshot, cell, lang)
    lat, lon = h3.cell_to_latlng(h3.str_to_int(cell))
    row = snapshot.places.row(lon, lat)
    # A cell has no side of the border: only its centre has, which nobody asked about.
    if row < 0 and resolution == snapshot.places.resolution:
        return snapshot.teller.nobody(lang)
    inside = row < 0 and snapshot.places.inside(lon, lat, row)
    return snapshot.teller.tell(snapshot.code_at(row, lon, lat, inside=inside), row, lang, via="centre")


def rows_in(snapshot: Snapshot, cell: str) -> list[int]:
    """Rows of the cells a cell stands for: itself, that at a finer one's centre, or those in a coarser one.

    Raises
    ------
    InvalidInput
        Not a cell id of this kind of tiling.
    """
    places = snapshot.places
    row = places.find(cell)
    if row >= 0:
        return [row]
    if places.hexes is None or not _may_be_h3(places, cell):
        return []
    resolution = _resolution(cell)
    if resolution < (places.resolution or 0):
        return [int(row) for row in _inner(snapshot, cell)]
    if resolution == places.resolution and places.kind == "h3":
        return []
    lat, lon = h3.cell_to_latlng(h3.str_to_int(cell))
    row = places.row(lon, lat)
    return [row] if row >= 0 else []


def _may_be_h3(places: Places, cell: str) -> bool:
    """Whether to go on with an id which is no cell's; in a mixed tiling it may be text of any form."""
    return places.kind == "h3" or is_h3(cell)


def _resolution(cell: str) -> int:
    if not is_h3(cell):
        raise InvalidInput(
            "this is not an H3 cell", field="cell", cure="give an H3 index such as 8931aa5abcfffff"
        )
    return int(h3.get_resolution(h3.str_to_int(cell)))


def _inner(snapshot: Snapshot, cell: str) -> NDArray[np.int64]:
    """Rows of the cells whose centres index into a coarser cell.

    They are children of it or of its neighbours, and the children of a cell have ids that follow each other.
    """
    places, coarse = snapshot.places, h3.str_to_int(cell)
    hexes = places.hexes
    assert hexes is not None  # noqa: S101 - asked before
    resolution, fine = h3.get_resolution(coarse), places.resolution or 0
    found = []
    for near in h3.grid_disk(coarse, 1):
        first, last = (_first(hexes, _extreme_child(near, fine, digit)) for digit in (0, 7))
        for place in range(first, last):
            lat, lon = h3.cell_to_latlng(hexes.one(place))
            if h3.latlng_to_cell(lat, lon, resolution) == coarse:
                found.append(places.holder(place))
    found = [row for row in found if row >= 0]  # where not all of a territory is seen
    if places.kind == "mixed":
        found = [row for row in found if is_h3(places.name(row))]
        found += _atoms_in(places, coarse, resolution)
    return np.array(sorted(found), np.int64)


def _atoms_in(places: Places, coarse: int, resolution: int) -> list[int]:
    """Rows of the unsplittable polygons whose point indexes into a cell."""
    rows, shapes = places.atoms
    points = shapely.get_coordinates(shapely.point_on_surface(shapes)).tolist()
    return [
        row
        for row, (lon, lat) in zip(rows.tolist(), points, strict=True)
        if h3.latlng_to_cell(lat, lon, resolution) == coarse
    ]


def _first(hexes: CellIds, index: int) -> int:
    """The first place whose H3 index is not below `index`."""
    return bisect_left(range(len(hexes)), index, key=hexes.one)


def _extreme_child(cell: int, resolution: int, digit: int) -> int:
    """An index not above (digit 0) or not below (digit 7) those of all children of `cell`."""
    coarse = h3.get_resolution(cell)
    index = (cell & ~(0xF << 52)) | (resolution << 52)
    for level in range(coarse + 1, resolution + 1):
        shift = 3 * (15 - level)
        index = (index & ~(0x7 << shift)) | (digit << shift)
    return index


def _by_cells(snapshot: Snapshot, cell: str, lang: Lang) -> Answer:
    rows = _inner(snapshot, cell)
    if not len(rows):
        return snapshot.teller.nobody(lang, via="cells")
    if len(rows) > MOST:
        raise InvalidInput(
            f"{len(rows):,} cells of the tiling lie in it, more than {MOST:,}",
            field="cell",
            cure="ask for a finer cell",
        )
    answers = [snapshot.teller.tell(snapshot.code_of(row), row, lang) for row in rows.tolist()]
    owners = {(a.status, (a.grid or {}).get("code"), (a.team or {}).get("id")) for a in answers}
    why = explain("cells", lang, cells=len(rows), owners=len(owners))
    return snapshot.teller.together(answers, why, lang, cell=cell, agree=len(owners) == 1)
