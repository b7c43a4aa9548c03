"""Cells of a tiling and labels of a plan as columns: what a map page or a program draws by."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import shapely
from numpy.typing import NDArray

from gridsvc.plans.plan import Grid
from gridsvc.principal import Principal
from gridsvc.services.drafts import solved
from gridsvc.services.live import current, kept_of
from gridsvc.store.database import Database
from gridsvc.tiling.hexes import corners
from gridsvc.tiling.hexes import outlines as hex_outlines
from gridsvc.tiling.tiling import Tiling

__all__ = ["CellColumns", "Labels", "areas_of", "cells", "cells_version", "labels"]


@dataclass(frozen=True, slots=True)
class CellColumns:
    """The cells of a tiling by row.

    Attributes
    ----------
    names : list of str, n_cells
    area : float64 array, shape (n_cells,), square metres
    measures : mapping of str to float64 array, shape (n_cells,)
    outlines : mapping of row to (multi)polygon, WGS-84
        Of the cells which are no whole H3 cells; the others follow from their names.
    areas : mapping of str to int
        Columns whose areas grids can be nested in, with the number of areas: of text, filled in for each
        cell, and fewer areas than cells.
    """

    kind: str
    resolution: int | None
    names: list[str]
    area: NDArray[np.float64]
    measures: Mapping[str, NDArray[np.float64]]
    outlines: Mapping[int, shapely.Geometry]
    areas: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class Labels:
    """Which grid each cell of a plan is in.

    Attributes
    ----------
    labels : int32 array, shape (n_cells,)
        An index into `grids` or -1.
    locked : tuple of int
        Rows of cells which may not change hands as the plan is now.
    """

    plan: str
    tiling: str
    revision: int
    grids: tuple[Grid, ...]
    labels: NDArray[np.int32]
    locked: tuple[int, ...]


def cells_version(db: Database, who: Principal, tiling: str) -> str:
    """What changes when `cells` would give something new; needs none of the arrays.

    Raises
    ------
    NotFound
        There is no such tiling.
    """
    who.require("territories:read")
    with db.read(who) as reader:
        record = reader.tilings.get(tiling)
        newest = max(reader.tilings.measure_ids(tiling), default=0)
    return f"{record.id}-{newest}"


def cells(db: Database, who: Principal, tiling: str) -> CellColumns:
    """The cells of a tiling with its measures.

    Raises
    ------
    NotFound
        There is no such tiling.
    """
    who.require("territories:read")
    with db.read(who) as reader:
        record = reader.tilings.get(tiling)
        # Outlines of whole H3 cells follow from their ids, and reading them would take most of the time.
        whole = record.kind == "h3"
        found = reader.tilings.plain(tiling) if whole else reader.tilings.load(tiling)
        measures = {name: m.values for name, m in reader.tilings.measures(tiling).items()}
    drawn = () if whole else _drawn(found).tolist()
    outlines: dict[int, Any] = {row: found.geometry[row] for row in drawn}
    names, areas = found.names(), areas_of(found)
    return CellColumns(found.kind, found.resolution, names, found.area, measures, outlines, areas)


def _drawn(tiling: Tiling) -> NDArray[np.int64]:
    """Rows of cells whose outlines do not follow from their names."""
    rows = np.arange(len(tiling))
    if tiling.kind != "mixed" or tiling.atoms is None:
        return rows
    hexes = np.flatnonzero(~tiling.atoms)
    ids = np.array([int(name, 16) for name in tiling.ids[hexes]], np.uint64)
    whole = shapely.equals_exact(tiling.geometry[hexes], hex_outlines(*corners(ids)))
    return np.setdiff1d(rows, hexes[whole])


def areas_of(tiling: Tiling) -> dict[str, int]:
    """Columns whose areas grids can be nested in, and how many areas each has."""
    found: dict[str, int] = {}
    for name, column in tiling.columns.items():
        if np.issubdtype(column.dtype, np.number) or "" in (texts := set(column.tolist())):
            continue
        if 1 < len(texts) < len(tiling):
            found[name] = len(texts)
    return found


def labels(db: Database, who: Principal, plan: str, at: int | None = None) -> Labels:
    """Which grid each cell of a solved plan is in, now or at an earlier revision.

    Raises
    ------
    InvalidInput
        The plan has not come to that revision yet.
    Conflict
        It is not solved yet, or was solved anew since.
    """
    who.require("plans:read")
    with db.read(who) as reader:
        opened = current(kept_of(db), reader, plan)
        past = None if at is None else reader.plans.at(plan, at)
    tiling, locked = opened.head.tiling, tuple(sorted(opened.locks))
    if past is None:
        return Labels(plan, tiling, opened.head.revision, opened.grids, opened.draft.labels, locked)
    return Labels(plan, tiling, past.revision, past.grids, solved(past).labels, locked)
