"""The main job in one go: from files to published owners."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import shapely
from numpy.typing import NDArray

from gridsvc.customers.columns import Columns
from gridsvc.customers.measures import parse_measure
from gridsvc.errors import NotFound
from gridsvc.plans.carveouts import SOURCE, CarveOut
from gridsvc.principal import Principal
from gridsvc.progress import Progress, silent, span
from gridsvc.services import (
    assignments,
    carveouts,
    imports,
    pack_rules,
    plans,
    publications,
    publishing,
    rosters,
    staffing,
    team_rules,
    territories,
    tilings,
)
from gridsvc.services.files import Balanced, plan_from_labels, with_owners
from gridsvc.services.imports import ImportOptions
from gridsvc.services.pack_rules import PackRules
from gridsvc.services.request import SolveRequest
from gridsvc.services.series import Wanted
from gridsvc.services.team_rules import Judged
from gridsvc.store.database import Database
from gridsvc.store.records import PlanRecord, PublicationRecord
from gridsvc.teams.company import RequiredRole, TeamRules, Where
from gridsvc.teams.model import Roster
from gridsvc.teams.read import read_roster
from gridsvc.teams.wish_files import read_demand
from gridsvc.tiling.barriers import read_barriers
from gridsvc.tiling.check import union
from gridsvc.tiling.read import read_boundary, read_polygons
from gridsvc.tiling.tiling import Tiling

__all__ = ["SAMPLE_TERRITORY", "Done", "FileJob", "publish_files", "run_sample", "sample_done"]

SAMPLE_TERRITORY = "sample-county"


@dataclass(frozen=True, slots=True)
class Done:
    """What the main job did.

    Attributes
    ----------
    placement : mapping
        Summary of the customers' import, placement rate first.
    staffing : mapping or None
        Report of the people proposed for the teams; None where the sample names no posts.
    staffed : Judged
        How the teams stand to the company's rules.
    """

    publication: PublicationRecord
    tiling: Mapping[str, Any]
    placement: Mapping[str, Any]
    plan: PlanRecord
    staffing: Mapping[str, Any] | None
    staffed: Judged


def run_sample(
    db: Database, who: Principal, folder: Path, progress: Progress = silent, *, grids: int = 30
) -> Done:
    """Do the whole job on a sample made by `gridsvc sample`."""
    boundary = read_boundary(folder / "boundary.geojson", None)
    progress(0.0, "territory")
    place = json.loads((folder / "manifest.json").read_bytes())["place"]
    _ensure_territory(db, who, SAMPLE_TERRITORY, place, "Asia/Shanghai", boundary, simulated=True)
    _put_rules(db, who)
    options = ImportOptions(
        measures=(parse_measure("customers=count"), parse_measure("kwh=sum:kwh")),
        columns=Columns(code="area_code", place_key="premise"),
        areas=read_polygons(folder / "townships.geojson", "code", None),
    )
    table = imports.read_file(folder / "customers.csv", options)
    made, params = tilings.make_h3(
        boundary,
        None,
        for_grids=grids,
        points=(table.lon, table.lat, table.crs),
        barriers=read_barriers(folder / "barriers.geojson"),
        progress=span(progress, 0.05, 0.3),
    )
    tiling = tilings.save(db, who, SAMPLE_TERRITORY, made, params)
    placement = imports.put_file(
        db, who, tiling.id, folder / "customers.csv", options, progress=span(progress, 0.3, 0.6)
    )
    rosters.put(db, who, SAMPLE_TERRITORY, read_roster(folder), reason="sample")
    request = SolveRequest(
        grids=grids, measures=(("customers", 0.10), ("kwh", 0.10)), carve_out="large", islands="attach"
    )
    plan = plans.create(db, who, tiling.id, request, name="Sample")
    plan = plans.solve(db, who, plan.id, span(progress, 0.6, 0.9))
    plan = assignments.assign(db, who, plan.id, plan.revision, span(progress, 0.9, 0.95))
    people = _staff(db, who, plan.id, folder / "posts.csv")
    record = publishing.publish(db, who, plan.id, plan.revision, Wanted(reason="sample"))
    staffed = team_rules.violations(db, who, SAMPLE_TERRITORY)
    progress(1.0, "published")
    return Done(record, {"cells": tiling.n_cells, **tiling.params}, placement, plan, people, staffed)


def _staff(db: Database, who: Principal, plan: str, posts: Path) -> Mapping[str, Any] | None:
    """Give the teams of a plan people, as few of them new as can be; a roster is put where any is."""
    if not posts.exists():
        return None
    _, proposed, report = staffing.staff(db, who, plan, read_demand(posts))
    if report["new"] or report["ended"]:
        rosters.put(db, who, SAMPLE_TERRITORY, proposed, reason="sample, staffed")
    return report


def _put_rules(db: Database, who: Principal) -> None:
    """What the sample's company wants: who has industrial customers has enterprise service, too."""
    enterprise = RequiredRole("enterprise", Where(column="kind", value="industrial"))
    if not team_rules.get(db, who)[0]:
        team_rules.put(db, who, TeamRules(required_roles=(enterprise,)))
    if not pack_rules.get(db, who)[0]:
        pack_rules.put(
            db, who, PackRules("kind", ("industrial", "commercial", "agricultural", "residential"))
        )


def sample_done(db: Database, who: Principal) -> PublicationRecord | None:
    """The newest publication of the sample, if the job was done before."""
    return publications.latest(db, who, SAMPLE_TERRITORY)


@dataclass(frozen=True, slots=True)
class FileJob:
    """Files which together make a publication.

    Attributes
    ----------
    codes : object array of str, shape (n_cells,)
        Grid code of each cell.
    owners : mapping of grid code to team id
    balanced : Balanced
        The measures the grids were balanced on, and which of them are carve-outs.
    customers : Path or None
        File of customers, so that they can be looked up by id.
    carve_outs : tuple of CarveOut
        Polygons owned apart.
    carve_outs_source : str
        Name of their file, for errors.
    """

    territory: str
    name: str
    time_zone: str
    boundary: shapely.MultiPolygon | None
    tiling: Tiling
    codes: NDArray[np.object_]
    owners: Mapping[str, str]
    roster: Roster
    balanced: Balanced = field(default_factory=Balanced)
    customers: Path | None = None
    options: ImportOptions | None = None
    carve_outs: tuple[CarveOut, ...] = ()
    carve_outs_source: str = SOURCE


def publish_files(
    db: Database, who: Principal, job: FileJob, progress: Progress = silent
) -> PublicationRecord:
    """Bring a tiling, its plan and its people into the database and publish them."""
    boundary = union(job.tiling.geometry) if job.boundary is None else job.boundary
    _ensure_territory(db, who, job.territory, job.name, job.time_zone, boundary)
    names = tuple(name for name, _ in job.balanced.measures)
    progress(0.1, "saving cells")
    numbers = {n: c for n, c in job.tiling.columns.items() if np.issubdtype(c.dtype, np.number)}
    scores = {score.name: score.values(numbers) for score in job.balanced.scores}
    cells = replace(job.tiling, columns={**job.tiling.columns, **scores})
    tiling = tilings.save(db, who, job.territory, cells, {"kind": cells.kind}, columns=names)
    if job.customers is not None and job.options is not None:
        imports.put_file(db, who, tiling.id, job.customers, job.options, progress=span(progress, 0.2, 0.8))
    rosters.put(db, who, job.territory, job.roster, reason="from files")
    plan = with_owners(plan_from_labels(job.codes, job.balanced.carved), job.owners, "owners")
    balanced, targets = job.balanced.measures, job.balanced.targets
    record = plans.put(db, who, tiling.id, plan, balanced, name="from files", targets=targets)
    progress(0.9, "publishing")
    if job.carve_outs:
        record = carveouts.put(
            db, who, record.id, record.revision, job.carve_outs, source=job.carve_outs_source
        )
    return publishing.publish(db, who, record.id, record.revision, Wanted(reason="from files"))


def _ensure_territory(
    db: Database,
    who: Principal,
    territory: str,
    name: str,
    time_zone: str,
    boundary: shapely.MultiPolygon,
    *,
    simulated: bool = False,
) -> None:
    try:
        territories.get(db, who, territory)
    except NotFound:
        territories.create(
            db,
            who,
            territory=territory,
            name=name,
            boundary=boundary,
            time_zone=time_zone,
            simulated=simulated,
        )
