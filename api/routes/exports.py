"""Layers of plans and publications as files."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query, Request, Response

from api.deps import Caller, Key, current_app
from api.export import DESCRIBED, WantedExport, export_response
from api.routes.publications import Number
from api.schemas.common import Slug
from api.schemas.jobs import WriteFile
from api.schemas.plans import JobOut
from api.work import job_out
from gridsvc.principal import Principal
from gridsvc.services import exports
from gridsvc.services.exports import Source, Wanted
from gridsvc.store.records import Idempotency

__all__ = ["router"]

router = APIRouter(prefix="/v1", tags=["exports"])

Manifest = Annotated[bool, Query(description="The manifest of the file alone, as JSON.")]


@router.get("/plans/{plan}/export", response_class=Response, responses=DESCRIBED)
def export_plan(
    plan: str, request: Request, who: Caller, wanted: WantedExport, manifest: Manifest = False
) -> Response:
    """A layer of a plan as a file: grids, cells, teams, customers, or its moves against its base."""
    return export_response(current_app(request), who, Source(plan), wanted, manifest=manifest)


@router.get("/publications/{n}/export", response_class=Response, responses=DESCRIBED)
def export_publication(
    n: Number,
    territory: Slug,
    request: Request,
    who: Caller,
    wanted: WantedExport,
    line: str = "base",
    manifest: Manifest = False,
) -> Response:
    """A layer of a publication as a file: grids, cells, teams or customers."""
    source = Source(territory=territory, n=n, line=line)
    return export_response(current_app(request), who, source, wanted, manifest=manifest)


@router.post("/plans/{plan}/exports", status_code=202)
def start_export(
    plan: str,
    request: Request,
    response: Response,
    who: Caller,
    key: Key,
    body: WriteFile | None = None,
) -> JobOut:
    """Start to write a large file; its job's `/file` is the file, for a day."""
    return _started(request, response, who, Source(plan), body or WriteFile(), key)


@router.post("/publications/{n}/exports", status_code=202)
def start_export_of_publication(
    n: Number,
    territory: Slug,
    request: Request,
    response: Response,
    who: Caller,
    key: Key,
    line: str = "base",
    body: WriteFile | None = None,
) -> JobOut:
    """Start to write a large file of a publication; its job's `/file` is the file, for a day."""
    source = Source(territory=territory, n=n, line=line)
    return _started(request, response, who, source, body or WriteFile(), key)


def _started(
    request: Request,
    response: Response,
    who: Principal,
    source: Source,
    wish: WriteFile,
    key: Idempotency | None,
) -> JobOut:
    app = current_app(request)
    wanted = Wanted(wish.layer, wish.format, wish.crs, wish.clip, wish.bom, app.settings.small_count)
    job = exports.start(app.database, who, source, wanted, app.settings.exports, idempotency=key)
    app.supervisor.wake()
    response.headers["Location"] = f"/v1/jobs/{job.id}"
    return job_out(job)
