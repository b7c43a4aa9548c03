"""Vector tiles of collections of features."""

from __future__ import annotations

from gridsvc.errors import NotFound
from gridsvc.exchange.antimeridian import cut_at_edge
from gridsvc.exchange.tiles.attributes import Attribute, attributes
from gridsvc.exchange.tiles.mercator import MAX_ZOOM, Tile, to_mercator
from gridsvc.exchange.tiles.mvt import BUFFER, EXTENT, encode
from gridsvc.exchange.tiles.rings import Box, Ints, Rings
from gridsvc.exchange.tiles.simplify import simplified, step_at
from gridsvc.principal import SYSTEM
from gridsvc.services.feature_tables import Shelf, Table
from gridsvc.services.features import Version, drawn_table
from gridsvc.services.tile_files import TileFiles
from gridsvc.store.database import Database

__all__ = ["MOST_CELLS", "tile"]

MOST_CELLS = 3000
"""Cells a tile holds; where there are more, their grids are drawn instead."""

_MARGIN = BUFFER / EXTENT
_LEFT_OUT = frozenset({"lead", "lead_name", "valid_from", "publication", "revision", "carve_out"})


def tile(db: Database, shelf: Shelf, files: TileFiles, state: Version, wanted: Tile) -> bytes:
    """One tile of a collection at a version; empty where nothing lies.

    Cells are drawn where a tile holds at most `MOST_CELLS` of them, else the grids they belong to, as a layer
    ``grids`` in their stead.

    Raises
    ------
    NotFound
        There is no such tile.
    """
    if not wanted.exists:
        raise NotFound("there is no such tile", field="tile", cure=f"zoom is 0 to {MAX_ZOOM}; see the limits")
    kept = files.get(state, wanted)
    if kept is None:
        kept = _drawn(db, shelf, files, state, wanted)
        files.put(state, wanted, kept)
    return kept


def _drawn(db: Database, shelf: Shelf, files: TileFiles, state: Version, wanted: Tile) -> bytes:
    kind = state.collection.kind
    if kind == "cells":
        cells = files.rings(state.tiling, lambda: _cells(db, state.tiling))
        rows = cells.near(_window(wanted))
        if state.part is not None:
            rows = rows[drawn_table(db, shelf, state, kind).seen[rows]]
        if len(rows) <= MOST_CELLS:
            return _encoded(drawn_table(db, shelf, state, kind), cells, rows, wanted)
        kind = "grids"
    found = drawn_table(db, shelf, state, kind)
    rings = _at_zoom(found, wanted.zoom)
    return _encoded(found, rings, rings.near(_window(wanted)), wanted)


def _encoded(found: Table, rings: Rings, rows: Ints, wanted: Tile) -> bytes:
    if not len(rows):
        return b""
    drawn, rows = rings.within(_window(wanted), rows)
    return encode(found.kind, drawn, rows, found.told.get((), lambda: _told(found)), wanted.bounds)


def _window(wanted: Tile) -> Box:
    west, south, east, north = wanted.bounds
    more = _MARGIN * (east - west)
    return west - more, south - more, east + more, north + more


def _told(found: Table) -> dict[str, Attribute]:
    return attributes({name: values for name, values in found.columns.items() if name not in _LEFT_OUT})


def _cells(db: Database, tiling: str) -> Rings:
    with db.read(SYSTEM) as reader:
        blocks = reader.features.blocks(tiling)
        return Rings.joined([Rings.of(to_mercator(cut_at_edge(block))) for block in blocks])


def _at_zoom(found: Table, zoom: int) -> Rings:
    """Outlines of grids or teams, as detailed as can be seen."""
    coarse = step_at(zoom) >= found.finest
    return found.drawn.get((zoom if coarse else None,), lambda: _simplified(found, zoom))


def _simplified(found: Table, zoom: int) -> Rings:
    assert found.geometry is not None  # noqa: S101 - asked where there are outlines only
    return Rings.of(simplified(to_mercator(found.geometry), found.over, zoom, found.finest))
