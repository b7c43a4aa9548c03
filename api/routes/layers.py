"""Layers of any format, uploaded once and then named wherever a request takes GeoJSON."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Annotated, Any

from fastapi import APIRouter, File, Form, Request, UploadFile
from fastapi.responses import FileResponse
from pydantic import BaseModel, ConfigDict
from starlette.concurrency import run_in_threadpool

from api.deps import Caller, Db, KeyHeader, current_app
from api.work import keep_upload, upload_digest
from gridsvc.crs import normalise
from gridsvc.services import uploads
from gridsvc.services.uploads import Wanted
from gridsvc.store.records import Idempotency
from gridsvc.tiling.sources.rows import Choice

__all__ = ["LayerOut", "router"]

router = APIRouter(prefix="/v1", tags=["layers"])


class LayerOut(BaseModel):
    """What a layer holds: rows, kinds of geometry, columns, coordinates, and hints of what looks wrong."""

    model_config = ConfigDict(extra="allow")

    id: str
    expires_at: str
    source: str
    layer: str
    features: int
    geometry: dict[str, int]
    vertices: int
    columns: list[dict[str, Any]]
    crs: dict[str, Any]
    extent: list[float] | None
    extent_wgs84: list[float] | None
    hints: list[dict[str, Any]]


@router.post("/layers", status_code=201)
async def upload_layer(
    request: Request,
    db: Db,
    who: Caller,
    file: Annotated[
        UploadFile,
        File(
            description="GeoJSON, GeoPackage, Shapefile (zip), FlatGeobuf, GeoParquet, KML/KMZ, or CSV or "
            ".xlsx with coordinates or WKT."
        ),
    ],
    layer: Annotated[str | None, Form(description="Its name, where the file has several.")] = None,
    columns: Annotated[
        list[str] | None, Form(description="Columns to keep; repeat for several. All if not given.")
    ] = None,
    lon: Annotated[str | None, Form(description="Of a table: column of the longitude or easting.")] = None,
    lat: Annotated[str | None, Form(description="Of a table: column of the latitude or northing.")] = None,
    wkt: Annotated[str | None, Form(description="Of a table: column of well-known text.")] = None,
    crs: Annotated[
        str | None, Form(description="wgs84, gcj02, bd09 or EPSG:n; else what the file says.")
    ] = None,
    crs_parameters: Annotated[
        str | None, Form(description="dx,dy,dz,rx,ry,rz,scale of the datum, where nobody has published it.")
    ] = None,
    key: KeyHeader = None,
) -> LayerOut:
    """Read a layer and keep it for a week; name it as `{"layer": ID}` where GeoJSON is taken."""
    app = current_app(request)
    named = None if crs is None and crs_parameters is None else normalise(crs or "wgs84", crs_parameters)
    choice = Choice(layer, None if columns is None else tuple(columns), lon, lat, wkt)
    asked = {"layer": layer, "columns": columns, "lon": lon, "lat": lat, "wkt": wkt, "crs": named}
    once = None
    if key is not None:
        once = Idempotency(key, await run_in_threadpool(upload_digest, asked, {"file": file}))
    path = Path(await run_in_threadpool(keep_upload, app.settings, file))
    try:
        told = await run_in_threadpool(
            uploads.keep, db, who, app.settings.layers, path, Wanted(choice, named), idempotency=once
        )
    finally:
        await run_in_threadpool(shutil.rmtree, path.parent, ignore_errors=True)
    return LayerOut(**told)


@router.get("/layers/{layer}")
def get_layer(layer: str, request: Request, who: Caller) -> LayerOut:
    """What an uploaded layer holds."""
    return LayerOut(**uploads.get(who, current_app(request).settings.layers, layer))


@router.get("/layers/{layer}/features", response_class=FileResponse)
def get_features(layer: str, request: Request, who: Caller) -> FileResponse:
    """The features of an uploaded layer as GeoJSON in WGS-84, so that some of them can be chosen."""
    path = uploads.file_of(who, current_app(request).settings.layers, layer)
    return FileResponse(path, media_type="application/geo+json")
