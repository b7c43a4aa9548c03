"""Grids that exist already, taken over as a plan."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, File, Form, Request, Response, UploadFile
from pydantic import BaseModel
from starlette.concurrency import run_in_threadpool

from api.deps import Caller, Db, KeyHeader, current_app
from api.probing import probe_grids
from api.work import Prefer, answer_when_done, keep_upload, upload_digest
from gridsvc.services import jobs, tilings
from gridsvc.store.records import Idempotency

__all__ = ["AdoptedOut", "router"]

router = APIRouter(prefix="/v1", tags=["plans"])


class AdoptedOut(BaseModel):
    """The plan made, where its grids came from, what is wrong with them, and the cells to look at again."""

    plan: str
    revision: int
    origin: dict[str, Any]
    adoption: dict[str, Any]


@router.post("/plans/adopt", status_code=201, responses={202: {"description": "Queued as a job"}})
async def adopt_grids(
    request: Request,
    db: Db,
    who: Caller,
    tiling: Annotated[str, Form(description="Whose cells the grids are put on.")],
    file: Annotated[
        UploadFile,
        File(
            description="Polygons (GeoPackage, GeoJSON, zipped Shapefile, FlatGeobuf, GeoParquet, KML), or a "
            "list `cell,grid` or `customer,grid` (CSV, .xlsx)."
        ),
    ],
    grid_field: Annotated[str, Form(description="Column which tells the grids apart.")] = "grid",
    code_field: Annotated[str | None, Form(description="Column of the code; else a usual name.")] = None,
    name_field: Annotated[str | None, Form(description="Column of the name; else a usual name.")] = None,
    lead_field: Annotated[str | None, Form(description="Column of the lead; else a usual name.")] = None,
    crs: Annotated[
        str | None, Form(description="wgs84, gcj02, bd09 or EPSG:n; else what the file says.")
    ] = None,
    name: Annotated[str, Form(max_length=200, description="Of the plan; else the file's.")] = "",
    line: Annotated[str, Form(max_length=40, description="Line of business.")] = "base",
    measure: Annotated[
        list[str], Form(description="What to balance, NAME[:TOL]; all measures of the tiling if not given.")
    ] = [],  # noqa: B006 - pydantic copies defaults
    fill: Annotated[
        bool, Form(description="Cells no grid touches go to the neighbour with the longest border.")
    ] = True,
    sliver: Annotated[float, Form(ge=0, description="m2: smaller defects are only counted.")] = 1000.0,
    key: KeyHeader = None,
    prefer: Prefer = None,
) -> Response:
    """Take existing grids over as a draft: defects first, then each cell to the grid with most of it."""
    app = current_app(request)
    record = await run_in_threadpool(tilings.get, db, who, tiling)
    params: dict[str, Any] = {
        "tiling": tiling,
        "fields": {"grid": grid_field, "code": code_field, "name": name_field, "lead": lead_field},
        "crs": crs,
        "name": name,
        "line": line,
        "measures": measure,
        "fill": fill,
        "sliver": sliver,
    }
    uploads = {"file": file}
    once = None if key is None else Idempotency(key, await run_in_threadpool(upload_digest, params, uploads))
    params["files"] = {"file": await run_in_threadpool(keep_upload, app.settings, file)}
    await probe_grids(params["files"]["file"])
    job = await run_in_threadpool(jobs.submit, db, who, "adopt", record.territory, params, idempotency=once)
    return await answer_when_done(app, who, job, prefer, lambda result: AdoptedOut(**result))
