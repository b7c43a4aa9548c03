"""Exports: files too large for a request, written by a job, fetched from it, and deleted after a day."""

from __future__ import annotations

import shutil
import time
import uuid
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from gridsvc.crs import from_wgs84, normalise
from gridsvc.errors import Conflict, NotFound
from gridsvc.exchange.layers import LayerName
from gridsvc.principal import Principal
from gridsvc.progress import Progress
from gridsvc.services import jobs
from gridsvc.services.drafts import solved
from gridsvc.store.database import Database
from gridsvc.store.records import Idempotency, JobRecord

__all__ = ["file_of", "run_job", "start", "sweep"]

_KEPT_SECONDS = 24 * 3600.0


def start(
    db: Database,
    who: Principal,
    plan: str,
    layer: LayerName,
    fmt: str,
    crs: str,
    folder: Path,
    *,
    idempotency: Idempotency | None = None,
) -> JobRecord:
    """Queue the writing of a layer of a plan into `folder`, which `gridsvc worker`s must see, too.

    Raises
    ------
    Conflict
        The plan is not solved yet.
    InvalidInput
        There is no such coordinate system.
    """
    who.require("plans:read")
    system = normalise(crs)
    from_wgs84(0.0, 0.0, system)  # refuses what is no system before the job is queued
    with db.read() as reader:
        record = reader.plans.get(plan)
    solved(record)
    sweep(folder, _KEPT_SECONDS)
    path = folder.resolve() / uuid.uuid4().hex / f"{plan}-{layer}.{fmt}"
    params = {"plan": plan, "layer": layer, "format": fmt, "crs": system, "output": str(path)}
    return jobs.submit(db, who, "export", record.territory, params, idempotency=idempotency)


def run_job(
    db: Database, who: Principal, params: Mapping[str, Any], _once: Idempotency, progress: Progress
) -> dict[str, Any]:
    """Do a queued export; a second attempt writes the file anew."""
    from gridsvc.exchange.files import write_layer
    from gridsvc.services import plans, publications

    path = Path(params["output"])
    progress(0.0, "drawing outlines")
    record = plans.get(db, who, params["plan"])
    found = publications.plan_layer(db, who, params["plan"], params["layer"])
    progress(0.5, "writing the file")
    manifest = {"plan": record.id, "revision": record.revision, "status": record.status, "layer": found.name}
    path.parent.mkdir(parents=True, exist_ok=True)
    members = {"gridsvc:manifest": {**manifest, "crs": params["crs"]}}
    write_layer(path, found, params["format"], crs=params["crs"], members=members)
    return {**manifest, "file": path.name, "bytes": path.stat().st_size, "format": params["format"]}


def file_of(db: Database, who: Principal, job: str) -> Path:
    """The file an export has written.

    Raises
    ------
    Conflict
        It is not written yet, or never will be.
    NotFound
        The job is no export, or its file was deleted after a day.
    """
    record = jobs.get(db, who, job)
    if record.kind != "export":
        raise NotFound(f"a job of kind {record.kind} has no file", field="job", cure="name an export")
    if record.status != "done":
        raise Conflict(f"the export is {record.status}", field="job", cure="wait until its job is done")
    path = Path(record.params["output"])
    if not path.is_file():
        raise NotFound("the file was deleted after a day", field="job", cure="start the export again")
    return path


def sweep(folder: Path, seconds: float) -> None:
    """Delete what was written into `folder` more than `seconds` ago."""
    if not folder.is_dir():
        return
    for made in folder.iterdir():
        if time.time() - made.stat().st_mtime > seconds:
            shutil.rmtree(made, ignore_errors=True)
