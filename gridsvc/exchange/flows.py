"""Layers with a row a cell or a customer: so many that they pass in parts."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import shapely
from numpy.typing import NDArray

from gridsvc.exchange.layer import PART, Flow, Kind, Made, Part, Shape, in_parts
from gridsvc.plans.plan import Plan

__all__ = ["CUSTOMER", "Outlines", "cells_flow", "customers_flow", "moved_rows", "moves_flow"]

Outlines = Callable[[NDArray[np.int64]], NDArray[np.object_]]
"""Outlines of cells by row, WGS-84."""

CUSTOMER: dict[str, Kind] = {
    "id": "text",
    "premise": "text",
    "cell": "text",
    "grid": "text",
    "grid_name": "text",
    "team": "text",
    "verdict": "text",
}
"""Columns of customers."""


def cells_flow(
    columns: Mapping[str, Sequence[Any]],
    outlines: Outlines,
    shape: Shape,
    rows: NDArray[np.int64] | None = None,
) -> Flow:
    """Cells with what is said of them.

    Parameters
    ----------
    columns : mapping
        As `gridsvc.exchange.layers.what_cells_say` gives them.
    rows : int64 array, ascending, or None
        Of the cells which are wanted; None for all.
    """
    said = list(columns.values())
    if rows is None:
        rows = np.arange(len(columns["cell"]))
    else:
        said = [_picked(values, rows) for values in said]
    kinds: dict[str, Kind] = dict.fromkeys(columns, "number")
    kinds.update(dict.fromkeys(("cell", "grid", "grid_name", "team", "team_name"), "text"))
    return Flow("cells", kinds, shape, in_parts(_drawn(rows, outlines), said))


def _picked(values: Sequence[Any], rows: NDArray[np.int64]) -> Sequence[Any]:
    """What is said of some cells, made as it is asked for."""

    def made(start: int, stop: int) -> list[Any]:
        wanted = rows[start:stop].tolist()
        near = values[wanted[0] : wanted[-1] + 1] if wanted else []
        return [near[row - wanted[0]] for row in wanted]

    return Made(len(rows), made)


def moved_rows(before: Plan, after: Plan) -> NDArray[np.int64]:
    """Rows of the cells whose grid has another code, or which had none or have none now."""
    codes: dict[str | None, int] = {None: 0}
    old, new = (
        np.array([*(codes.setdefault(g.code, len(codes)) for g in plan.grids), 0])[plan.labels]
        for plan in (before, after)
    )
    return np.flatnonzero(old != new).astype(np.int64)


def moves_flow(before: Plan, after: Plan, cells: Sequence[str], outlines: Outlines, shape: Shape) -> Flow:
    """The cells which go from one grid to another.

    Parameters
    ----------
    before, after : Plan
        Of one tiling.
    cells : sequence of str, length n_cells
        Ids.
    """
    rows = moved_rows(before, after)
    sides = [_side(plan, rows) for plan in (before, after)]
    columns = {"cell": [cells[row] for row in rows.tolist()]}
    for end, side in zip(("from", "to"), sides, strict=True):
        columns |= {f"{end}_{what}" if what else end: values for what, values in side.items()}
    kinds: dict[str, Kind] = dict.fromkeys(columns, "text")
    return Flow("moves", kinds, shape, in_parts(_drawn(rows, outlines), list(columns.values())))


def _side(plan: Plan, rows: NDArray[np.int64]) -> dict[str, list[Any]]:
    """Code, name and team of the rows' grids."""
    labels = plan.labels[rows]
    said: dict[str, Sequence[str | None]] = {
        "": [g.code for g in plan.grids],
        "name": [g.name for g in plan.grids],
        "team": [g.team for g in plan.grids],
    }
    return {what: _of_rows(values, labels) for what, values in said.items()}


def _of_rows(of_grids: Sequence[str | None], labels: NDArray[np.int32]) -> list[Any]:
    found: list[Any] = np.array([*of_grids, None], dtype=object)[labels].tolist()
    return found


def _drawn(rows: NDArray[np.int64], outlines: Outlines) -> Iterator[NDArray[np.object_]]:
    for start in range(0, len(rows), PART):
        yield outlines(rows[start : start + PART])


def customers_flow(chunks: Iterable[Sequence[Mapping[str, Any]]]) -> Flow:
    """Customers as points, without geometry where no place is known.

    Parameters
    ----------
    chunks : iterable of sequences of mapping
        With the members of `CUSTOMER`, and ``lon`` and ``lat`` in degrees or None.
    """
    return Flow("customers", CUSTOMER, "Point", map(_customers, chunks), gaps=True)


def _customers(rows: Sequence[Mapping[str, Any]]) -> Part:
    points = np.full(len(rows), None, object)
    known = [at for at, row in enumerate(rows) if row["lon"] is not None and row["lat"] is not None]
    if known:
        points[known] = shapely.points([(rows[at]["lon"], rows[at]["lat"]) for at in known])
    return points, [[row[name] for row in rows] for name in CUSTOMER]
