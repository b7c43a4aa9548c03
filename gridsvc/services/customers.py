"""Customers: who lives in a cell or a grid, for callers who may see them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from gridsvc.customers.verdicts import Verdict
from gridsvc.errors import NotFound
from gridsvc.principal import Principal
from gridsvc.services.ownership import Asked, snapshot
from gridsvc.store.database import Database

__all__ = ["Placed", "in_cell", "in_grid"]

_VERDICTS = {int(verdict): verdict for verdict in Verdict}


@dataclass(frozen=True, slots=True)
class Placed:
    """A customer as the API shows it, with its cell and verdict in words."""

    id: str
    premise: str | None
    cell: str | None
    verdict: str
    lon: float | None
    lat: float | None


def in_cell(
    db: Database, who: Principal, territory: str | None, cell: str, after: str | None, limit: int
) -> list[Placed]:
    """Customers of a cell of the publication in force, by id."""
    who.require("customers:read")
    with db.read() as reader:
        found = snapshot(db, reader, Asked(territory))
        row = found.publication.row_of(cell)
        if row is None:
            raise NotFound(f"no cell {cell!r} in the publication in force", field="cell", cure="check its id")
        return _customers(reader, found, [row], after, limit)


def in_grid(
    db: Database, who: Principal, territory: str | None, code: str, after: str | None, limit: int
) -> list[Placed]:
    """Customers of a grid of the publication in force, by id."""
    who.require("customers:read")
    with db.read() as reader:
        found = snapshot(db, reader, Asked(territory))
        codes = [grid.code for grid in found.publication.grids]
        if code not in codes:
            raise NotFound(
                f"no grid {code!r} in the publication in force", field="grid", cure="check its code"
            )
        rows = np.flatnonzero(found.publication.labels == codes.index(code)).tolist()
        return _customers(reader, found, rows, after, limit)


def _customers(reader: Any, found: Any, rows: Sequence[int], after: str | None, limit: int) -> list[Placed]:
    live = reader.customers.live_import(found.publication.territory, found.tiling)
    if live is None:
        return []
    records = reader.customers.in_cells(live.id, rows, after, limit)
    return [
        Placed(r.id, r.premise, found.publication.name_of(r.cell), _VERDICTS[r.verdict].slug, r.lon, r.lat)
        for r in records
    ]
