"""The layers others open: grids, cells and teams, each as outlines with one flat row of properties."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Any, Literal

import numpy as np
import shapely
from numpy.typing import NDArray

from gridsvc.crs import LocalPlane
from gridsvc.exchange.dissolve import dissolve, joined
from gridsvc.exchange.layer import Kind, Layer, Made
from gridsvc.plans.carveouts import CarveOut
from gridsvc.plans.plan import Grid, Plan
from gridsvc.teams.model import Roster
from gridsvc.tiling.tiling import Tiling

__all__ = [
    "KINDS",
    "LAYERS",
    "ExportLayer",
    "Layer",
    "LayerName",
    "carve_outs_layer",
    "cells_layer",
    "grids_layer",
    "teams_layer",
    "what_cells_say",
]

LayerName = Literal["grids", "cells"]
ExportLayer = Literal["grids", "cells", "teams", "customers", "moves"]
LAYERS: tuple[LayerName, ...] = ("grids", "cells")

KINDS: dict[str, Kind] = {
    "parent": "text",
    "team": "text",
    "team_name": "text",
    "lead": "text",
    "lead_name": "text",
}
"""Columns which may be empty all through."""


def grids_layer(
    plan: Plan,
    tiling: Tiling,
    measures: Mapping[str, NDArray[np.float64]],
    targets: Mapping[str, Mapping[str, float]],
    roster: Roster | None,
    outlines: NDArray[np.object_] | None = None,
) -> Layer:
    """Grids with their team, lead, totals, and `<measure>_target` and `<measure>_deviation` where balanced.

    Carve-outs drawn as polygons come behind the grids, which they lie over; they have no cells and no totals.

    Parameters
    ----------
    targets : mapping of grid code to mapping of measure to target
        Carve-outs have none.
    outlines : object array of shapely geometries, shape (n_grids,), or None
        Of the grids, where they are at hand; else their cells are joined.
    """
    k, placed = len(plan.grids), plan.labels >= 0
    labels = plan.labels[placed]
    carved, area = _outlines(plan.carve_outs), np.bincount(labels, tiling.area[placed], k)
    over = shapely.area(LocalPlane(*tiling.origin).geometry(carved))
    none = [None] * len(carved)
    owned = [*plan.grids, *(Grid(c.code, c.name, c.team, carve_out=True) for c in plan.carve_outs)]
    columns: dict[str, Any] = {
        "code": [grid.code for grid in owned],
        "name": [grid.name for grid in owned],
        "parent": [grid.parent for grid in owned],
        "carve_out": [grid.carve_out for grid in owned],
        **_teams(owned, roster),
        "cells": [*np.bincount(labels, minlength=k).tolist(), *(0 for _ in carved)],
        "area_km2": np.round(np.concatenate([area, over]) / 1e6, 6).tolist(),
    }
    for name, values in measures.items():
        totals = np.round(np.bincount(labels, values[placed], k), 6)  # sums of floats end in noise
        wanted = [targets.get(grid.code, {}).get(name) for grid in plan.grids]
        deviations = [_deviation(t, w) for t, w in zip(totals.tolist(), wanted, strict=True)]
        columns[name] = totals.tolist() + none
        columns[f"{name}_target"] = [None if w is None else round(w, 6) for w in wanted] + none
        columns[f"{name}_deviation"] = deviations + none
    drawn = dissolve(tiling, plan.labels, k) if outlines is None else outlines
    return Layer("grids", np.concatenate([drawn, carved]), columns)


def carve_outs_layer(carve_outs: Sequence[CarveOut]) -> Layer:
    """Carve-outs drawn as polygons, as `gridsvc.plans.carveouts` reads them."""
    names = ("code", "name", "team", "reason")
    columns = {name: [getattr(carved, name) for carved in carve_outs] for name in names}
    return Layer("carve_outs", _outlines(carve_outs), columns)


def _outlines(carve_outs: Sequence[CarveOut]) -> NDArray[np.object_]:
    found = np.empty(len(carve_outs), dtype=object)
    found[:] = [carved.polygon for carved in carve_outs]
    return found


def _teams(owned: Sequence[Grid], roster: Roster | None) -> dict[str, list[str | None]]:
    teams = {} if roster is None else roster.team_by_id
    people = {} if roster is None else roster.person_by_id
    leads = [None if roster is None or grid.team is None else roster.lead(grid.team) for grid in owned]
    return {
        "team": [grid.team for grid in owned],
        "team_name": [teams[grid.team].name if grid.team in teams else None for grid in owned],
        "lead": [None if lead is None else lead.person for lead in leads],
        "lead_name": [None if lead is None else people[lead.person].name for lead in leads],
    }


def _deviation(total: float, target: float | None) -> float | None:
    return round(total / target - 1, 6) if target else None


def cells_layer(
    plan: Plan, tiling: Tiling, measures: Mapping[str, NDArray[np.float64]], roster: Roster | None = None
) -> Layer:
    """Cells with their grid, its team and the cell's measures."""
    return Layer("cells", tiling.geometry, what_cells_say(plan, tiling, measures, roster))


def what_cells_say(
    plan: Plan, tiling: Tiling, measures: Mapping[str, NDArray[np.float64]], roster: Roster | None = None
) -> dict[str, Sequence[Any]]:
    """The columns of cells; texts are made as they are asked for, so that many cells need little memory."""
    teams = _teams(plan.grids, roster)
    return {
        "cell": Made(len(tiling), lambda start, stop: _names(tiling, start, stop)),
        "grid": _spread(plan, [grid.code for grid in plan.grids]),
        "grid_name": _spread(plan, [grid.name for grid in plan.grids]),
        "team": _spread(plan, teams["team"]),
        "team_name": _spread(plan, teams["team_name"]),
        "area_km2": Made(len(tiling), lambda a, b: np.round(tiling.area[a:b] / 1e6, 6).tolist()),
        **{name: Made(len(tiling), partial(_listed, values)) for name, values in measures.items()},
    }


def _names(tiling: Tiling, start: int, stop: int) -> list[str]:
    """Ids of some cells as text."""
    ids = tiling.ids[start:stop].tolist()
    return [f"{cell:x}" for cell in ids] if tiling.kind == "h3" else [str(cell) for cell in ids]


def _listed(values: NDArray[np.float64], start: int, stop: int) -> list[float]:
    listed: list[float] = values[start:stop].tolist()
    return listed


def _spread(plan: Plan, of_grids: Sequence[str | None]) -> Sequence[str | None]:
    """What is said of grids, cell by cell; None for cells without a grid."""
    said = np.array([*of_grids, None], dtype=object)
    return Made(len(plan.labels), lambda start, stop: said[plan.labels[start:stop]].tolist())


def teams_layer(
    plan: Plan,
    tiling: Tiling,
    measures: Mapping[str, NDArray[np.float64]],
    roster: Roster | None,
    *,
    people: bool,
    cells: NDArray[np.object_] | None = None,
) -> Layer:
    """Teams with the outline of all their grids, totals, how many members they have, and who leads them.

    Parameters
    ----------
    people : bool
        Whether leads are named.
    cells : object array, shape (n_cells,), or None
        The outlines to join, if others than the tiling's.
    """
    teams = sorted({grid.team for grid in plan.grids if grid.team is not None})
    k, of_grid = len(teams), [-1 if g.team is None else teams.index(g.team) for g in plan.grids]
    labels = np.array([*of_grid, -1], np.int32)[plan.labels]
    placed = labels >= 0
    owned = [Grid(team, team, team) for team in teams]
    members = {} if roster is None else roster.members_by_team
    columns: dict[str, Any] = {
        **_teams(owned, roster if people else None if roster is None else replace(roster, members=())),
        "members": [None if roster is None else len({m.person for m in members.get(t, ())}) for t in teams],
        "grids": np.bincount([at for at in of_grid if at >= 0], minlength=k).tolist(),
        "cells": np.bincount(labels[placed], minlength=k).tolist(),
        "area_km2": np.round(np.bincount(labels[placed], tiling.area[placed], k) / 1e6, 6).tolist(),
    }
    for name, values in measures.items():
        columns[name] = np.round(np.bincount(labels[placed], values[placed], k), 6).tolist()
    outlines = dissolve(tiling, labels, k) if cells is None else joined(cells, labels, k)
    return Layer("teams", outlines, columns)
