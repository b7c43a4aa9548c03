"""A publication: the immutable cell -> grid -> team of one territory and line, as one checksummed block."""

from __future__ import annotations

import hashlib
import json
import struct
import zlib
from dataclasses import dataclass
from typing import Any, Literal

import h3
import numpy as np
import shapely
from numpy.typing import NDArray
from shapely.geometry import MultiPolygon, Polygon

from gridsvc.ownership.answer import Rule
from gridsvc.plans.carveouts import CarveOut
from gridsvc.plans.plan import Grid, Plan
from gridsvc.tiling.hexes import is_h3

__all__ = ["Overlay", "Publication", "checksum", "overlays_of", "pack", "rule_of", "unpack"]

_MAGIC = b"GSPUB\x00\x00"  # one byte more is the version of the format
_PLAIN, _OVERLAID = 1, 2  # a reader which knows no overlays must refuse them, not answer without them


@dataclass(frozen=True, slots=True)
class Overlay:
    """A carve-out drawn as a polygon: owned apart, whatever cells lie under it.

    Attributes
    ----------
    code : str
        Unique among the overlays and grids of its publication.
    team : str or None
        Id of the owning team; the fallback's where it is None.
    polygon : Polygon or MultiPolygon
        WGS-84 degrees, longitude first; a point on its outline belongs to it.
    reason : str
        Why it is owned apart.
    """

    code: str
    name: str
    team: str | None
    polygon: Polygon | MultiPolygon
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Publication:
    """Who owns which cell.

    Attributes
    ----------
    territory, line : str
    kind : {"h3", "polygons", "mixed"}
    resolution : int or None
    ids : array, shape (n_cells,)
        uint64 H3 indexes or text codes, ascending.
    labels : int32 array, shape (n_cells,)
        Position in `grids` of each cell's grid.
    grids : tuple of Grid
    overlays : tuple of Overlay
        Carve-outs which go before the cells under them, ascending by code. They share no area; where outlines
        touch, the first of those which hold a point owns it.
    """

    territory: str
    line: str
    kind: Literal["h3", "polygons", "mixed"]
    resolution: int | None
    ids: NDArray[Any]
    labels: NDArray[np.int32]
    grids: tuple[Grid, ...]
    overlays: tuple[Overlay, ...] = ()

    @property
    def plan(self) -> Plan:
        """What was published, as a plan."""
        carved = (CarveOut(o.code, o.name, o.team, o.reason, o.polygon) for o in self.overlays)
        return Plan(self.labels, self.grids, tuple(carved))

    def row_of(self, cell: str) -> int | None:
        """Row of a cell by its id; None where the publication has no such cell."""
        if self.kind == "h3" and not is_h3(cell):
            return None
        key: Any = np.uint64(h3.str_to_int(cell)) if self.kind == "h3" else cell
        if self.kind == "mixed" and is_h3(cell):
            key = h3.int_to_str(h3.str_to_int(cell))  # H3 reads capitals too
        row = int(np.searchsorted(self.ids, key))
        return row if row < len(self.ids) and self.ids[row] == key else None

    def name_of(self, row: int) -> str:
        """Id of the cell in a row."""
        return str(h3.int_to_str(int(self.ids[row])) if self.kind == "h3" else self.ids[row])


def overlays_of(plan: Plan) -> tuple[Overlay, ...]:
    """The carve-outs of a plan as a publication has them."""
    found = sorted(plan.carve_outs, key=lambda carved: carved.code)
    return tuple(Overlay(c.code, c.name, c.team, c.polygon, c.reason) for c in found)


def rule_of(grid: Grid) -> Rule:
    """The rule by which a grid's cells are owned."""
    return "carve_out" if grid.carve_out else "cell"


def _header(publication: Publication, shapes: list[bytes]) -> bytes:
    names = [] if publication.kind == "h3" else [str(i) for i in publication.ids]
    header: dict[str, Any] = {
        "territory": publication.territory,
        "line": publication.line,
        "kind": publication.kind,
        "resolution": publication.resolution,
        "cells": len(publication.ids),
        "names": names,
        "grids": [[g.code, g.name, g.team, g.carve_out, g.parent] for g in publication.grids],
    }
    if shapes:  # left out otherwise, so that publications without keep the checksum they always had
        header["overlays"] = [
            [o.code, o.name, o.team, o.reason, len(shape)]
            for o, shape in zip(publication.overlays, shapes, strict=True)
        ]
    return json.dumps(header, ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode()


def pack(publication: Publication) -> bytes:
    """Give the publication as bytes; equal publications give equal bytes.

    Layout: 7 bytes magic, 1 byte version, uint32 header length, JSON header, uint64 ids (H3 only), int32
    labels, overlays as WKB one after the other (version 2 only); numbers little-endian, all behind one zlib
    stream.
    """
    shapes = [
        shapely.to_wkb(o.polygon, output_dimension=2, byte_order=1, flavor="iso")
        for o in publication.overlays
    ]
    header = _header(publication, shapes)
    version = bytes([_OVERLAID if shapes else _PLAIN])
    ids = publication.ids.astype("<u8").tobytes() if publication.kind == "h3" else b""
    labels = publication.labels.astype("<i4").tobytes()
    parts = [_MAGIC, version, struct.pack("<I", len(header)), header, ids, labels, *shapes]
    return zlib.compress(b"".join(parts), 6)


def checksum(payload: bytes) -> str:
    """SHA-256 of the uncompressed block, so that it does not depend on the compressor's version."""
    return hashlib.sha256(zlib.decompress(payload)).hexdigest()


def unpack(payload: bytes) -> Publication:
    """Read what `pack` wrote.

    Raises
    ------
    ValueError
        Not a publication, or one of a format this version does not know.
    """
    block = zlib.decompress(payload)
    at = len(_MAGIC)
    if block[:at] != _MAGIC or block[at] not in (_PLAIN, _OVERLAID):
        raise ValueError("not a publication of a known format")
    (length,) = struct.unpack_from("<I", block, at + 1)
    offset = at + 5 + length
    header = json.loads(block[at + 5 : offset])
    n = header["cells"]
    if header["kind"] == "h3":
        ids: NDArray[Any] = np.frombuffer(block, "<u8", n, offset).astype(np.uint64)
        offset += 8 * n
    else:
        ids = np.array(header["names"], dtype=object)
    labels = np.frombuffer(block, "<i4", n, offset).astype(np.int32)
    return Publication(
        header["territory"],
        header["line"],
        header["kind"],
        header["resolution"],
        ids,
        labels,
        grids=tuple(Grid(*grid) for grid in header["grids"]),
        overlays=_overlays(header.get("overlays", []), block, offset + 4 * n),
    )


def _overlays(entries: list[list[Any]], block: bytes, offset: int) -> tuple[Overlay, ...]:
    found = []
    for code, name, team, reason, size in entries:
        polygon = shapely.from_wkb(block[offset : offset + size])
        found.append(Overlay(code, name, team, polygon, reason))
        offset += size
    return tuple(found)
