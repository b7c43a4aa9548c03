"""What a collection of features holds at one version: properties as columns, outlines of all but cells."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import cached_property
from typing import Any, Literal

import numpy as np
import shapely
from numpy.typing import NDArray

from gridsvc.exchange.antimeridian import cut_at_edge
from gridsvc.exchange.filters.values import Column, Kind, column_of
from gridsvc.exchange.layers import Layer, cells_layer, grids_layer
from gridsvc.exchange.tiles.attributes import Attribute
from gridsvc.exchange.tiles.rings import Rings
from gridsvc.ownership.publication import unpack
from gridsvc.plans.plan import Plan
from gridsvc.services.drafts import Draft, draft
from gridsvc.services.kept import Kept
from gridsvc.services.levels import plans_above
from gridsvc.services.small_layers import KeptBack, blanked, counts_in
from gridsvc.services.subtrees import SubTrees, plan_seen
from gridsvc.store.database import Reader
from gridsvc.store.records import PublicationRecord
from gridsvc.teams.model import Roster

__all__ = ["IDS", "FeatureKind", "Shelf", "Sight", "Table", "table_of"]

FeatureKind = Literal["grids", "cells", "teams"]
IDS: dict[FeatureKind, str] = {"grids": "code", "cells": "cell", "teams": "team"}
"""The property which tells features of a kind apart."""

_MOST_ROWS = 400_000
_KINDS: dict[type, Kind] = {bool: "truth", int: "number", float: "number", str: "text"}


@dataclass(frozen=True)
class Table:
    """Features without what can be had from the database.

    Attributes
    ----------
    columns : mapping of str to list of length n
        Properties as they are shown.
    kinds : mapping of str to kind
        Of each column, as filters see it.
    geometry : object array of shapely geometries, shape (n,), WGS-84, or None
        None for cells: their outlines are read when they are wanted.
    over : bool array, shape (n,)
        Lie over the others rather than beside them.
    tiling : str
    seen : bool array, shape (n,)
        Which features who asks sees. Others are there for the place of their row, and of no grid.
    finest : float, metres
        The smallest detail of an outline.
    several : bool
        Outlines are told as multipolygons, whatever each of them is: programs take the type of a layer from
        its first page. Only whole hexagons are polygons for certain.
    drawn : Kept
        What was made of the outlines for drawing; filled by whoever draws.
    told : Kept
        The same of the properties.
    """

    kind: FeatureKind
    columns: Mapping[str, list[Any]]
    kinds: Mapping[str, Kind]
    geometry: NDArray[np.object_] | None
    over: NDArray[np.bool_]
    tiling: str
    seen: NDArray[np.bool_]
    finest: float
    several: bool = True
    drawn: Kept[Rings] = field(default_factory=Kept)
    told: Kept[dict[str, Attribute]] = field(default_factory=Kept)

    def __len__(self) -> int:
        return len(self.over)

    @property
    def ids(self) -> list[str]:
        """What tells the features apart."""
        return self.columns[IDS[self.kind]]

    @cached_property
    def places(self) -> dict[str, int]:
        """Row of each id that is seen."""
        return {
            name: row
            for row, (name, seen) in enumerate(zip(self.ids, self.seen.tolist(), strict=True))
            if seen
        }

    @cached_property
    def compared(self) -> dict[str, Column]:
        """Columns in the form in which filters compare them."""
        return {name: column_of(self.kinds[name], values) for name, values in self.columns.items()}


class Shelf(Kept[Table]):
    """Keeps the last few tables."""

    def __init__(self) -> None:
        super().__init__(_MOST_ROWS)


@dataclass(frozen=True, slots=True)
class Sight:
    """What is seen, and when.

    Attributes
    ----------
    at : datetime
    least : int or None
        Counts of customers below this are kept back; see `gridsvc.services.small_layers`.
    part : SubTrees or None
        What of the territory is seen; None for the whole.
    """

    at: datetime
    least: int | None = None
    part: SubTrees | None = None


def table_of(
    reader: Reader,
    source: PublicationRecord | str,
    kind: FeatureKind,
    roster: Roster | None,
    more: Mapping[str, str | int],
    sight: Sight,
) -> Table:
    """Make the table of a publication, or of the plan of that id.

    Parameters
    ----------
    more : mapping of str to value
        Properties which all features share.
    """
    drawn = None if isinstance(source, str) else _published_outlines(reader, source)
    found = draft(reader, source) if isinstance(source, str) else _published(reader, source)
    found = found if sight.part is None else _seen(reader, found, sight.part)
    plan = found.plan
    if kind == "cells":
        layer = cells_layer(plan, found.tiling, found.columns, roster)
    else:
        layer = grids_layer(
            plan, found.tiling, found.columns, _targets(found), roster, _in_order(drawn, plan)
        )
    over = np.arange(len(layer.geometry)) >= (len(plan.grids) if kind != "cells" else len(layer.geometry))
    grids = layer.columns
    if kind == "teams":
        layer, over = _teams(layer, over, roster, list(found.columns))
    n = len(layer.geometry)
    columns = {name: list(values[:]) for name, values in layer.columns.items()}  # at once, not one by one
    columns |= {name: [value] * n for name, value in more.items()}
    kinds = {name: _kind(name, values) for name, values in columns.items()}
    if sight.least is not None:
        where = found.record.territory, found.record.line, found.record.tiling
        plans = (*plans_above(reader, *where, sight.at), plan)
        kept = KeptBack(plans, found.columns, counts_in(found.measures), sight.least)
        hidden = _hidden(kind, kept, columns, _owners(grids, roster))
        columns = {name: list(values) for name, values in blanked(columns, found.columns, hidden).items()}
    return Table(
        kind,
        columns,
        kinds,
        None if kind == "cells" else cut_at_edge(layer.geometry),
        over,
        found.record.tiling,
        np.ones(n, np.bool_) if sight.part is None or kind != "cells" else plan.labels >= 0,
        float(np.sqrt(np.median(found.tiling.area))) / 4,
        kind != "cells" or found.tiling.kind != "h3",
    )


def _seen(reader: Reader, found: Draft, part: SubTrees) -> Draft:
    """A draft with what of it is seen."""
    plan = plan_seen(reader, found.plan, part.tiling, part.cells(reader))
    own = replace(found.record, labels=plan.labels, grids=plan.grids, carve_outs=plan.carve_outs)
    return replace(found, record=own)


def _hidden(
    kind: FeatureKind, kept: KeptBack, columns: Mapping[str, list[Any]], owners: Sequence[str | None]
) -> NDArray[np.bool_]:
    """Which features are kept back; `owners` are the teams of the grids, where these are shown or joined."""
    if kind == "cells":
        return kept.cells()
    if kind == "teams":
        return kept.teams(columns, owners)
    hidden = np.zeros(len(owners), bool)  # polygons which lie over the grids have no sums
    hidden[: len(kept.plans[-1].grids)] = kept.grids()
    return hidden


def _kind(name: str, values: list[Any]) -> Kind:
    if name == "valid_from":
        return "instant"
    known = next((value for value in values if value is not None), None)
    if known is None:
        return "number" if name.endswith(("_target", "_deviation")) else "text"
    return _KINDS[type(known)]


def _published(reader: Reader, record: PublicationRecord) -> Draft:
    whole = reader.publications.get(record.territory, record.line, record.n)
    made_of = reader.plans.bare(record.plan)
    drawn = unpack(whole.payload).plan
    as_published = replace(made_of, labels=drawn.labels, grids=drawn.grids, carve_outs=drawn.carve_outs)
    tiling = reader.tilings.plain(record.tiling)
    return Draft(as_published, tiling, reader.tilings.measures(record.tiling, record.customers_import))


def _published_outlines(reader: Reader, record: PublicationRecord) -> dict[str, Any]:
    return reader.features.outlines(record.territory, record.line, record.n)


def _in_order(drawn: dict[str, Any] | None, plan: Plan) -> NDArray[np.object_] | None:
    if drawn is None:
        return None
    found = np.empty(len(plan.grids), object)
    found[:] = [drawn[grid.code] for grid in plan.grids]
    return found


def _targets(found: Draft) -> dict[str, Any]:
    grids = (found.record.report or {}).get("grids", [])
    return {entry["code"]: entry.get("targets", {}) for entry in grids}


def _teams(
    grids: Layer, over: NDArray[np.bool_], roster: Roster | None, measures: list[str]
) -> tuple[Layer, NDArray[np.bool_]]:
    """One feature a team: its grids as one, with their sums; grids without a team are the fallback's."""
    owners = _owners(grids.columns, roster)
    teams = sorted({team for team in owners if team is not None})
    members = [[row for row, owner in enumerate(owners) if owner == team] for team in teams]
    known = {} if roster is None else roster.team_by_id
    people = {} if roster is None else roster.person_by_id
    members_of = {} if roster is None else roster.members_by_team
    leads = [None if roster is None or team not in known else roster.lead(team) for team in teams]
    columns: dict[str, Any] = {
        "team": teams,
        "team_name": [known[team].name if team in known else None for team in teams],
        "lead": [None if lead is None else lead.person for lead in leads],
        "lead_name": [None if lead is None else people[lead.person].name for lead in leads],
        "members": [
            None if roster is None else len({m.person for m in members_of.get(t, ())}) for t in teams
        ],
        "grids": [len(rows) for rows in members],
    }
    for name in ("cells", "area_km2", *measures):
        values = grids.columns[name]
        sums = [sum(values[row] or 0 for row in rows) for rows in members]
        columns[name] = [
            total if isinstance(total, int) and name == "cells" else round(total, 6) for total in sums
        ]
    outlines = np.empty(len(teams), object)
    outlines[:] = [_joined(grids.geometry, over, np.array(rows)) for rows in members]
    return Layer("teams", outlines, columns), np.zeros(len(teams), np.bool_)


def _owners(grids: Mapping[str, Any], roster: Roster | None) -> list[str | None]:
    """The team of each grid; the fallback's where it has none."""
    fallback = None if roster is None else roster.fallback
    return [team or fallback for team in grids["team"]]


def _joined(geometry: NDArray[np.object_], over: NDArray[np.bool_], rows: NDArray[np.intp]) -> Any:
    """Outlines as one; those beside each other share their borders, which makes that quick."""
    beside, above = geometry[rows[~over[rows]]], geometry[rows[over[rows]]]
    try:
        joined = shapely.coverage_union_all(beside)
    except shapely.GEOSException:
        joined = None
    if joined is None or not shapely.is_valid(joined):
        joined = shapely.union_all(beside)
    return shapely.union_all([joined, *above]) if len(above) else joined
