"""Seeds: points grids are built round, as a planner lists them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import shapely
from numpy.typing import NDArray

from gridsvc.errors import InvalidCoordinate, InvalidInput
from gridsvc.tiling.locate import Locator
from gridsvc.tiling.table import Table
from gridsvc.tiling.tiling import Tiling

__all__ = ["Seed", "seeds_of"]

_KINDS = {"": True, "required": True, "candidate": False}


@dataclass(frozen=True, slots=True)
class Seed:
    """One point.

    Attributes
    ----------
    row : int
        Of the table, counted from 1.
    cell : int
        Row in the tiling.
    grid : str
        Code of the grid to be built round it; empty where any will do.
    required : bool
        A candidate is taken only where it serves the balance.
    radius : float, metres
        How far the grid's cells may lie from it; infinite where it does not matter.
    """

    row: int
    cell: int
    grid: str
    required: bool
    radius: float
    name: str
    source: str

    def fault(self, field: str, message: str, cure: str) -> InvalidInput:
        """The error of this row."""
        return InvalidInput(message, source=self.source, row=self.row, field=field, cure=cure)

    def told(self, cell: str, grid: str | None) -> dict[str, Any]:
        """The seed JSON-ready, with its cell's id and the grid which was built round it."""
        radius = self.radius if np.isfinite(self.radius) else None
        kind = "required" if self.required else "candidate"
        return {
            "row": self.row,
            "name": self.name,
            "cell": cell,
            "kind": kind,
            "radius": radius,
            "grid": grid,
        }


def seeds_of(table: Table, tiling: Tiling) -> list[Seed]:
    """Seeds of a table, each with its cell, in the table's order.

    Columns: ``cell``, or ``lon`` and ``lat`` (WGS-84); if wanted ``grid``, ``kind`` (`required`, which it is
    by default, or `candidate`), ``radius`` (metres), ``name``.

    Raises
    ------
    UnknownColumn, InvalidInput, InvalidCoordinate
        A row that names no cell of the tiling, another kind, a radius which is none; two required seeds in
        one cell; two seeds for one grid.
    """
    cells = _cells(table, tiling)
    kinds = [_required(table, row, text) for row, text in enumerate(table.text("kind"))]
    radius = table.numbers("radius", np.inf, least=0.0)
    texts = zip(table.text("grid"), table.text("name"), strict=True)
    found = [
        Seed(row + 1, int(cells[row]), grid, kinds[row], float(radius[row]), name, table.source)
        for row, (grid, name) in enumerate(texts)
    ]
    _require_apart(found, tiling)
    return found


def _required(table: Table, row: int, text: str) -> bool:
    if text.lower() not in _KINDS:
        raise table.fault(row, "kind", f"{text!r} is no kind of seed", "write required or candidate")
    return _KINDS[text.lower()]


def _cells(table: Table, tiling: Tiling) -> NDArray[np.int64]:
    if "cell" in table.columns or not {"lon", "lat"} <= table.columns.keys():
        table.require("cell")
        return table.rows_of("cell", {name: row for row, name in enumerate(tiling.names())})
    if tiling.kind == "polygons" and bool(shapely.is_empty(tiling.geometry).all()):
        raise table.fault(0, "lon", "these cells have no outline to find a point in", "name the cell instead")
    lon, lat = table.numbers("lon", np.nan), table.numbers("lat", np.nan)
    for name, values, most in (("lon", lon, 180.0), ("lat", lat, 90.0)):
        bad = np.flatnonzero(~(np.abs(values) <= most))
        if len(bad):
            raise InvalidCoordinate(
                f"{table.text(name)[bad[0]] or 'nothing'} is not a {name}",
                source=table.source,
                row=int(bad[0]) + 1,
                field=name,
                cure="give degrees",
            )
    rows = Locator(tiling).rows(lon, lat)
    outside = np.flatnonzero(rows < 0)
    if len(outside):
        raise table.fault(
            int(outside[0]), "lon", "the point lies in no cell", "check its coordinates (WGS-84)"
        )
    return rows


def _require_apart(seeds: list[Seed], tiling: Tiling) -> None:
    at: dict[int, int] = {}
    of: dict[str, int] = {}
    for seed in seeds:
        if seed.grid and of.setdefault(seed.grid, seed.row) != seed.row:
            said = f"grid {seed.grid!r} has a seed in row {of[seed.grid]} already"
            raise seed.fault("grid", said, "give each grid one seed")
        if seed.required and at.setdefault(seed.cell, seed.row) != seed.row:
            cell = tiling.names()[seed.cell]
            said = f"rows {at[seed.cell]} and {seed.row} both require a grid round cell {cell}"
            raise seed.fault("cell", said, "keep one of them, or use a finer tiling")
