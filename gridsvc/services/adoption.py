"""Adoption: grids somebody drew or listed, taken over as a plan."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import shapely
from numpy.typing import NDArray

from gridsvc import __version__
from gridsvc.balance.targets import DEFAULT_TOLERANCE, parse_measure_tolerance
from gridsvc.crs import LocalPlane
from gridsvc.errors import InvalidInput
from gridsvc.exchange.dissolve import dissolve
from gridsvc.plans.adopt import Adopted, adopt_drawn, adopt_listed
from gridsvc.plans.drawn import Drawn, Fields, Listed, read_drawn
from gridsvc.plans.findings import SLIVER, findings
from gridsvc.plans.plan import Grid, Plan
from gridsvc.plans.roll import Roll
from gridsvc.plans.survey import People, Sketch
from gridsvc.principal import Principal
from gridsvc.progress import Progress, silent
from gridsvc.services.asking import counting_at
from gridsvc.services.checking import check_request
from gridsvc.services.drafts import base_of, stamped
from gridsvc.services.request import SolveRequest, params_of
from gridsvc.store.database import Database, Reader
from gridsvc.store.records import Idempotency, PlanRecord
from gridsvc.teams.model import Roster
from gridsvc.tiling.check import union
from gridsvc.tiling.plane import flatten
from gridsvc.tiling.tiling import Tiling

__all__ = ["AdoptOptions", "Customers", "adopt", "origin_of", "run_job", "take_over"]

_FINE = 0.001  # degrees: an edge cut to 100 metres departs from its chord by 0.3 mm
_STORED = 5_000  # entries of each list kept with a plan; the job's result has all


@dataclass(frozen=True, slots=True)
class AdoptOptions:
    """How a file of grids is read and taken over.

    Attributes
    ----------
    crs : str or None
        Of polygons; None takes the file's word.
    fill : bool
        Cells which no grid touches go to the neighbour with the longest border.
    sliver : float, square metres
        Smaller defects without customers are only counted.
    """

    fields: Fields
    crs: str | None = None
    fill: bool = True
    sliver: float = SLIVER


@dataclass(frozen=True, slots=True, eq=False)
class Customers:
    """Customers placed on the tiling: ids, rows of cells, lon and lat (NaN where unknown), shape (n,)."""

    ids: NDArray[np.object_]
    cell: NDArray[np.int64]
    lon: NDArray[np.float64]
    lat: NDArray[np.float64]


def take_over(
    path: Path,
    tiling: Tiling,
    options: AdoptOptions,
    *,
    boundary: shapely.MultiPolygon | None = None,
    customers: Customers | None = None,
    progress: Progress = silent,
) -> tuple[Drawn | Listed, Adopted]:
    """Read a file of grids and put its grids on a tiling's cells.

    Parameters
    ----------
    boundary : MultiPolygon, optional
        The territory, WGS-84; else the cells' ground counts, without what cells of its edge may hang over.

    Raises
    ------
    UnreadableFile, UnknownColumn, InvalidGeometry, InvalidInput
        Naming the row, the field and the cure.
    """
    progress(0.1, "reading the grids")
    source = read_drawn(path, options.fields, options.crs)
    gaps = "fill" if options.fill else "keep"
    progress(0.3, "looking for gaps and overlaps")
    if isinstance(source, Listed):
        roll = None if customers is None else Roll(customers.ids, customers.cell)
        return source, adopt_listed(source, tiling, roll, _heads(tiling, customers), gaps=gaps)
    sketch = _sketch(source, tiling, boundary)
    return source, adopt_drawn(source, sketch, tiling, _people(tiling, customers), gaps=gaps)


def _sketch(drawn: Drawn, tiling: Tiling, boundary: shapely.MultiPolygon | None) -> Sketch:
    if shapely.is_empty(tiling.geometry).all():
        raise InvalidInput(
            "outlines cannot be laid over cells without any",
            source=drawn.source,
            cure="give cells with geometry, or a list cell,grid",
        )
    plane = LocalPlane(*tiling.origin)
    shapes, cells = _traced(plane, drawn.shapes), flatten(plane, tiling.geometry)
    bent = ~shapely.is_valid(shapes)  # borders which nearly touch may cross once they are projected
    shapes[bent] = shapely.make_valid(shapes[bent], method="structure")
    ground = _ground(tiling) if boundary is None else boundary
    flat = _traced(plane, np.array([ground], object))[0]
    # Hexagons hang over the border; polygons are their own territory.
    rim = _rim(cells, flat) if boundary is None and tiling.kind == "h3" else None
    return Sketch(shapes, cells, flat, rim)


def _traced(plane: LocalPlane, geoms: NDArray[np.object_]) -> NDArray[np.object_]:
    """WGS-84 geometries in the plane, edges bent to the millimetre: along a line drawn twice, with corners in
    other places, coarser ones would leave gaps and overlaps.
    """
    return plane.geometry(shapely.segmentize(geoms, _FINE))


def _ground(tiling: Tiling) -> shapely.MultiPolygon:
    if tiling.kind == "h3":
        found: shapely.MultiPolygon = dissolve(tiling, np.zeros(len(tiling), np.int32), 1)[0]
        return found
    return union(tiling.geometry)


def _rim(cells: NDArray[np.object_], ground: Any) -> NDArray[np.bool_]:
    rim = np.zeros(len(cells), bool)
    rim[shapely.STRtree(cells).query(shapely.boundary(ground), predicate="intersects")] = True
    return rim


def _heads(tiling: Tiling, customers: Customers | None) -> NDArray[np.float64] | None:
    """Number of customers in each cell: those known, else what the cells' column ``customers`` says."""
    if customers is not None:
        return np.bincount(customers.cell, minlength=len(tiling)).astype(np.float64)
    column = tiling.columns.get("customers")
    if column is None or not np.issubdtype(column.dtype, np.number):
        return None
    return np.nan_to_num(np.asarray(column, np.float64)).clip(0)


def _people(tiling: Tiling, customers: Customers | None) -> People | None:
    if customers is None:
        heads = _heads(tiling, None)
        if heads is None:
            return None
        rows = np.repeat(np.arange(len(tiling)), np.rint(heads).astype(np.int64))
        return People(tiling.x[rows], tiling.y[rows], rows, exact=False)
    known = np.flatnonzero(np.isfinite(customers.lon) & np.isfinite(customers.lat))
    x, y = LocalPlane(*tiling.origin).project(customers.lon[known], customers.lat[known])
    return People(x, y, customers.cell[known])


def origin_of(path: Path, source: Drawn | Listed, now: datetime) -> dict[str, Any]:
    """Where grids came from: file, checksum, date, fields, and who led them."""
    return {
        "file": source.source,
        "sha256": hashlib.sha256(path.read_bytes()).hexdigest(),
        "adopted_at": now.isoformat(timespec="seconds"),
        "kind": "polygons" if isinstance(source, Drawn) else f"list of {source.by}s",
        "crs": source.crs if isinstance(source, Drawn) else None,
        "rows": source.rows,
        "grid_field": source.fields.grid,
        "code_field": source.fields.code,
        "name_field": source.fields.name,
        "lead_field": source.fields.lead,
        "leads": {grid.code: grid.lead for grid in source.grids if grid.lead},
    }


# --- into the database


def adopt(
    db: Database,
    who: Principal,
    tiling_id: str,
    path: Path,
    options: AdoptOptions,
    *,
    name: str = "",
    line: str = "base",
    measures: tuple[str, ...] = (),
    idempotency: Idempotency | None = None,
    progress: Progress = silent,
) -> dict[str, Any]:
    """Take a file of grids over as a draft of the tiling.

    A grid is given to the team of the roster in force whose lead it had, by id or name, if there is one.

    Parameters
    ----------
    measures : tuple of str
        What the plan's report balances, ``NAME[:TOL]``; all measures of the tiling if none is named.

    Returns
    -------
    dict
        ``plan``, ``revision``, ``origin`` and ``adoption`` (`gridsvc.plans.findings.findings`).
    """
    who.require("plans:write")
    now = datetime.now(UTC)
    with db.read(who) as reader:
        record = reader.tilings.get(tiling_id)
        request = _request(reader, tiling_id, measures)
        tiling = reader.tilings.load(tiling_id)
        there = reader.tilings.measures(tiling_id)
        boundary = reader.territories.get(record.territory).boundary
        customers = _live(reader, record.territory, tiling_id)
        roster = counting_at(reader, record.territory, now)
        base = base_of(reader, record.territory, line)
    source, adopted = take_over(
        path, tiling, options, boundary=boundary, customers=customers, progress=progress
    )
    origin = origin_of(path, source, now)
    plan = _with_teams(adopted.plan, origin["leads"], None if roster is None else roster[1])
    found = findings(adopted, tiling, sliver=options.sliver)
    progress(0.9, "saving the plan")
    request = replace(request, grids=len(plan.grids))
    values = {measure: record.values for measure, record in there.items()}
    report = stamped({**_report(tiling, values, plan, request), "adoption": _shortened(found)}, there)
    draft = PlanRecord(
        territory=record.territory,
        tiling=tiling_id,
        name=name or source.source,
        line=line,
        base_publication=base,
        params=params_of(request, None, None),
        labels=plan.labels,
        grids=plan.grids,
        report=report,
        origin=origin,
        engine_version=__version__,
    )
    with db.write(who, "plan.adopt", idempotency=idempotency) as uow:
        made = uow.plans.create(draft)
        uow.audit(f"plan/{made}", None, {"tiling": tiling_id, "grids": len(plan.grids), **_short(origin)})
        uow.emit("plan.created", {"plan": made, "adopted": origin["file"]})
        result = {"plan": made, "revision": 1, "origin": origin, "adoption": found}
        uow.respond(201, result)
    return result


def _request(reader: Reader, tiling: str, measures: tuple[str, ...]) -> SolveRequest:
    there = reader.tilings.measures(tiling)
    wanted = tuple(parse_measure_tolerance(text) for text in measures)
    request = SolveRequest(1, wanted or tuple((name, DEFAULT_TOLERANCE) for name in there))
    check_request(request, there, 1)
    return request


def _live(reader: Reader, territory: str, tiling: str) -> Customers | None:
    live = reader.customers.live_import(territory, tiling)
    if live is None:
        return None
    ids, cells = reader.customers.index(live.id)
    lon, lat = reader.customers.points(live.id)
    placed = cells >= 0
    return Customers(ids[placed], cells[placed].astype(np.int64), lon[placed], lat[placed])


def _with_teams(plan: Plan, leads: Mapping[str, str], roster: Roster | None) -> Plan:
    """Each grid with the one team its lead leads."""
    led: dict[str, list[str]] = {}
    for team in () if roster is None else roster.teams:
        lead = roster.lead(team.id) if roster else None
        if lead is not None and roster is not None:
            for known in {lead.person, roster.person_by_id[lead.person].name}:
                led.setdefault(known, []).append(team.id)
    teams = {code: led[lead][0] for code, lead in leads.items() if len(led.get(lead, ())) == 1}
    return replace(plan, grids=tuple(replace(grid, team=teams.get(grid.code)) for grid in plan.grids))


def _report(
    tiling: Tiling, values: Mapping[str, NDArray[np.float64]], plan: Plan, request: SolveRequest
) -> dict[str, Any]:
    """How well the grids balance; cells without a grid are left out as if they were carved out."""
    from gridsvc.services.solving import describe_plan

    bare = plan.labels < 0
    if not bare.any():
        return describe_plan(tiling, values, plan, request)
    nobody = Grid("", "", carve_out=True)
    whole = Plan(np.where(bare, len(plan.grids), plan.labels).astype(np.int32), (*plan.grids, nobody))
    report = describe_plan(tiling, values, whole, request)
    return {**report, "grids": [entry for entry in report["grids"] if entry["code"]]}


def _shortened(found: dict[str, Any]) -> dict[str, Any]:
    return {name: value[:_STORED] if isinstance(value, list) else value for name, value in found.items()}


def _short(origin: Mapping[str, Any]) -> dict[str, Any]:
    return {name: origin[name] for name in ("file", "sha256", "kind")}


def run_job(
    db: Database, who: Principal, params: Mapping[str, Any], once: Idempotency, progress: Progress
) -> dict[str, Any]:
    """Do a queued adoption."""
    options = AdoptOptions(Fields(**params["fields"]), params["crs"], params["fill"], params["sliver"])
    return adopt(
        db,
        who,
        params["tiling"],
        Path(params["files"]["file"]),
        options,
        name=params["name"],
        line=params["line"],
        measures=tuple(params["measures"]),
        idempotency=once,
        progress=progress,
    )
