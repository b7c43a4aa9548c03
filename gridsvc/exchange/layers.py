"""The layers others open: grids and cells, each as outlines with one flat row of properties."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import shapely
from numpy.typing import NDArray

from gridsvc.crs import LocalPlane
from gridsvc.exchange.dissolve import dissolve
from gridsvc.plans.carveouts import CarveOut
from gridsvc.plans.plan import Grid, Plan
from gridsvc.teams.model import Roster
from gridsvc.tiling.tiling import Tiling

__all__ = ["LAYERS", "Layer", "LayerName", "carve_outs_layer", "cells_layer", "grids_layer"]

LayerName = Literal["grids", "cells"]
LAYERS: tuple[LayerName, ...] = ("grids", "cells")


@dataclass(frozen=True, slots=True)
class Layer:
    """Outlines with properties.

    Attributes
    ----------
    name : str
        What the layer is called in files that hold several.
    geometry : object array of shapely geometries, shape (n,), WGS-84
    columns : mapping of str to sequence of length n
        Flat values: GIS programs show them as they are.
    """

    name: str
    geometry: NDArray[np.object_]
    columns: Mapping[str, Any]

    def __post_init__(self) -> None:
        uneven = [name for name, values in self.columns.items() if len(values) != len(self.geometry)]
        if uneven:
            raise ValueError(f"columns {uneven} are not as long as the geometry")

    def rows(self) -> Iterator[dict[str, Any]]:
        """Properties, one dict a feature."""
        names = list(self.columns)
        for values in zip(*self.columns.values(), strict=True):
            yield dict(zip(names, values, strict=True))


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
    teams = _teams(plan.grids, roster)
    columns: dict[str, Any] = {
        "cell": tiling.names(),
        "grid": _spread(plan, [grid.code for grid in plan.grids]),
        "grid_name": _spread(plan, [grid.name for grid in plan.grids]),
        "team": _spread(plan, teams["team"]),
        "team_name": _spread(plan, teams["team_name"]),
        "area_km2": np.round(tiling.area / 1e6, 6).tolist(),
        **{name: values.tolist() for name, values in measures.items()},
    }
    return Layer("cells", tiling.geometry, columns)


def _spread(plan: Plan, of_grids: Sequence[str | None]) -> list[str | None]:
    """What is said of grids, cell by cell; None for cells without a grid."""
    found: list[str | None] = np.array([*of_grids, None], dtype=object)[plan.labels].tolist()
    return found
