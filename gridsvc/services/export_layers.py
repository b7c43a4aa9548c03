"""The layers of an export: from what lies in the store to rows which flow into a file."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

import numpy as np
import shapely
from numpy.typing import NDArray

from gridsvc.crs import LocalPlane
from gridsvc.customers.verdicts import Verdict
from gridsvc.exchange.antimeridian import EDGE, cut_at_edge
from gridsvc.exchange.clip import Clip, clipped
from gridsvc.exchange.dissolve import dissolve, joined
from gridsvc.exchange.flows import Outlines, cells_flow, customers_flow, moves_flow
from gridsvc.exchange.layer import Flow, Shape, flow_of
from gridsvc.exchange.layers import KINDS, ExportLayer, Layer, grids_layer, teams_layer, what_cells_say
from gridsvc.exchange.style import Style, filled_by
from gridsvc.principal import Principal
from gridsvc.services.export_ground import Ground, base_of_moves
from gridsvc.services.levels import plans_above
from gridsvc.services.small_layers import SMALL, KeptBack, blanked, least_for
from gridsvc.store.database import Reader
from gridsvc.store.records import CustomerRecord
from gridsvc.tiling.tiling import Tiling

__all__ = ["Drawn", "drawn"]

_VERDICTS = {int(verdict): verdict.slug for verdict in Verdict}
_CELLS, _CHUNK = 256, 5000
_NEAR_EDGE = 5.0
"""Degrees; no cell that is used for a territory is as wide."""


@dataclass(frozen=True, slots=True)
class Drawn:
    """A layer ready to be written.

    Attributes
    ----------
    flow : Flow
        Reads on as it is taken, so the reader it came from must still be open.
    style : Style or None
        For formats which carry one.
    said : dict
        What its manifest says beside what is said of the plan.
    """

    flow: Flow
    style: Style | None
    said: dict[str, Any]


def drawn(
    reader: Reader, who: Principal, ground: Ground, layer: ExportLayer, clip: Clip, small: int = SMALL
) -> Drawn:
    """Draw a layer.

    Parameters
    ----------
    small : int
        Counts of customers below this are kept back from callers without ``customers:read``.

    Raises
    ------
    Forbidden
        The layer shows customers, which the caller may not see.
    InvalidInput
        The plan has no such layer.
    """
    if layer == "customers":
        who.require("customers:read")
        return Drawn(customers_flow(_customers(reader, ground)), None, {})
    cells, least = _Cells(reader, ground, clip), least_for(who, small)
    if layer == "cells":
        return _of_cells(reader, ground, cells, least)
    if layer == "moves":
        before, said = base_of_moves(reader, ground)
        flow = moves_flow(before, ground.plan, ground.tiling.names(), cells.some, cells.shape)
        return Drawn(flow, _by_grid(ground, "to"), said)
    found = _whole(who, ground, cells, layer)
    style = _of_grids(found) if layer == "grids" else filled_by(found, "team", "team_name")
    found, said = _kept_back(reader, ground, found, least)
    numbers = [part for name in ground.columns for part in (name, f"{name}_deviation")]
    return Drawn(flow_of(found, {**KINDS, **dict.fromkeys(numbers, "number")}), style, said)


def _of_cells(reader: Reader, ground: Ground, cells: _Cells, least: int | None) -> Drawn:
    measures, said = dict(ground.columns), dict[str, Any]()
    if least is not None:
        hidden = _what_is_kept_back(reader, ground, least).cells()
        measures = {name: np.where(hidden, np.nan, values) for name, values in measures.items()}
        said = _said(least, hidden)
    columns = what_cells_say(ground.plan, cells.tiling, measures, ground.roster)
    flow = cells_flow(columns, cells.some, cells.shape, ground.rows)
    return Drawn(flow, _by_grid(ground, "grid"), said)


def _kept_back(
    reader: Reader, ground: Ground, found: Layer, least: int | None
) -> tuple[Layer, dict[str, Any]]:
    """Grids or teams without small counts, and what the manifest says of them."""
    if least is None:
        return found, {}
    kept, grids = _what_is_kept_back(reader, ground, least), ground.plan.grids
    if found.name == "teams":
        hidden = kept.teams(found.columns, [grid.team for grid in grids])
    else:
        hidden = np.zeros(len(found.geometry), bool)  # polygons which lie over the grids have no sums
        hidden[: len(grids)] = kept.grids()
    return replace(found, columns=blanked(found.columns, ground.columns, hidden)), _said(least, hidden)


def _what_is_kept_back(reader: Reader, ground: Ground, least: int) -> KeptBack:
    record = ground.record
    above = plans_above(reader, record.territory, record.line, record.tiling, datetime.now(UTC))
    return KeptBack((*above, ground.plan), ground.columns, ground.counts, least)


def _said(least: int, hidden: NDArray[np.bool_]) -> dict[str, Any]:
    return {"small_counts": {"below": least, "kept_back": int(hidden.sum())}}


def _whole(who: Principal, ground: Ground, cells: _Cells, layer: ExportLayer) -> Layer:
    """Grids or teams, which are few."""
    people = "roster:read" in who.scopes
    if layer == "teams":
        tiling = cells.with_outlines()
        return teams_layer(ground.plan, tiling, ground.columns, ground.roster, people=people, cells=cells.cut)
    roster = ground.roster if people or ground.roster is None else replace(ground.roster, members=())
    k = len(ground.plan.grids)
    outlines = None if cells.cut is None else joined(cells.cut, ground.plan.labels, k)
    if outlines is None:
        outlines = dissolve(cells.with_outlines(), ground.plan.labels, k)
    return grids_layer(ground.plan, cells.tiling, ground.columns, ground.targets, roster, outlines)


def _of_grids(found: Layer) -> Style:
    """By team; by grid while there are no teams."""
    by_team = any(name is not None for name in found.columns["team_name"])
    return filled_by(found, "team_name" if by_team else "code", "name")


def _by_grid(ground: Ground, column: str) -> Style:
    return Style(column, None, tuple(sorted(grid.code for grid in ground.plan.grids)), 0.1)


class _Cells:
    """Outlines of the cells, read as they are needed, or cut off at the territory's border all at once."""

    def __init__(self, reader: Reader, ground: Ground, clip: Clip) -> None:
        self._reader, self._ground = reader, ground
        self.cut: NDArray[np.object_] | None = None
        self.tiling: Tiling = ground.tiling
        if clip == "territory":
            overlaps: Any = "none" if ground.tiling.kind == "h3" else "lowest"
            self.cut = clipped(self._all(), ground.territory.boundary, overlaps=overlaps)
            area = shapely.area(LocalPlane(*ground.tiling.origin).geometry(self.cut))
            self.tiling = replace(ground.tiling, geometry=self.cut, area=area)

    @property
    def shape(self) -> Shape:
        whole = self._ground.tiling.kind == "h3" and self.cut is None
        return "Polygon" if whole and not self._by_the_edge else "MultiPolygon"

    @property
    def _by_the_edge(self) -> bool:
        """Whether a cell may be cut at the 180th meridian; rather too often yes."""
        west, _, east, _ = self._ground.territory.boundary.bounds
        return bool(min(EDGE - east, west + EDGE) < _NEAR_EDGE)

    @property
    def some(self) -> Outlines:
        """Outlines by row."""
        cut = self.cut
        if cut is not None:
            return lambda rows: cut[rows]
        return self._outlines

    def with_outlines(self) -> Tiling:
        """The tiling with what joining its cells needs."""
        known = self.tiling.kind == "h3" or self.cut is not None
        return self.tiling if known else replace(self.tiling, geometry=self._all())

    def _all(self) -> NDArray[np.object_]:
        return self._outlines(np.arange(len(self._ground.tiling)))

    def _outlines(self, rows: NDArray[np.int64]) -> NDArray[np.object_]:
        return cut_at_edge(self._reader.features.cells(self._ground.record.tiling, rows))


def _customers(reader: Reader, ground: Ground) -> Iterator[Sequence[dict[str, Any]]]:
    """Customers as they are now, cell by cell, those of no cell first; of a part none of these."""
    of, every = _Of(ground), range(-1, len(ground.tiling)) if ground.rows is None else ground.rows.tolist()
    for start in range(0, len(every), _CELLS):
        rows, after = every[start : start + _CELLS], None
        while True:
            found = reader.customers.residents(ground.territory.id, ground.record.tiling, rows, after, _CHUNK)
            yield [of.customer(record) for record in found]
            if len(found) < _CHUNK:
                break
            after = found[-1].id


class _Of:
    """What is said of a customer: its cell, and the grid there; carve-outs go before cells."""

    def __init__(self, ground: Ground) -> None:
        self._plan, self._names = ground.plan, ground.tiling.names()
        self._carved = sorted(ground.plan.carve_outs, key=lambda carved: carved.code)
        for carved in self._carved:
            shapely.prepare(carved.polygon)

    def customer(self, record: CustomerRecord) -> dict[str, Any]:
        owner = self._owner(record)
        return {
            "id": record.id,
            "premise": record.premise,
            "cell": self._names[record.cell] if record.cell >= 0 else None,
            "grid": owner and owner.code,
            "grid_name": owner and owner.name,
            "team": owner and owner.team,
            "verdict": _VERDICTS[record.verdict],
            "lon": record.lon,
            "lat": record.lat,
        }

    def _owner(self, record: CustomerRecord) -> Any:
        if record.lon is not None and record.lat is not None:
            for carved in self._carved:
                if shapely.intersects_xy(carved.polygon, record.lon, record.lat):
                    return carved
        label = self._plan.labels[record.cell] if record.cell >= 0 else -1
        return self._plan.grids[label] if label >= 0 else None
