"""Layers as downloads: text as it is made, other formats from a file which a child writes."""

from __future__ import annotations

import secrets
import shutil
from collections.abc import Callable, Iterator, Mapping
from typing import Annotated, Any

from fastapi import Depends, Query, Request
from fastapi.responses import FileResponse, JSONResponse, Response, StreamingResponse
from starlette.background import BackgroundTask

from api.deps import App, current_app
from api.streams import Pieces
from gridsvc import exporting
from gridsvc.crs import normalise
from gridsvc.exchange.clip import Clip
from gridsvc.exchange.geojson import feature_collection
from gridsvc.exchange.layer import Layer
from gridsvc.exchange.layers import ExportLayer
from gridsvc.principal import Principal
from gridsvc.services import exports
from gridsvc.services.exports import Format, Source, Wanted

__all__ = ["DESCRIBED", "MEDIA_TYPES", "WantedExport", "export_response", "geojson_response"]

MEDIA_TYPES: dict[Format, str] = {
    "geojson": "application/geo+json",
    "gpkg": "application/geopackage+sqlite3",
    "fgb": "application/flatgeobuf",
    "parquet": "application/vnd.apache.parquet",
    "shp": "application/zip",
    "kml": "application/vnd.google-earth.kml+xml",
    "csv": "text/csv; charset=utf-8",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
}

DESCRIBED: dict[int | str, dict[str, Any]] = {
    200: {
        "description": "The file, with its manifest inside; for CSV and FlatGeobuf see `manifest`",
        "content": {
            media.partition(";")[0]: {"schema": {"type": "string", "format": "binary"}}
            for media in MEDIA_TYPES.values()
            if "json" not in media
        }
        | {"application/geo+json": {"schema": {"type": "object"}}}
        | {"application/json": {"schema": {"type": "object"}}},
    }
}

_POURED = {"geojson", "kml", "csv"}


def _wanted(
    request: Request,
    layer: ExportLayer = "grids",
    form: Annotated[Format, Query(alias="format")] = "geojson",
    crs: Annotated[str, Query(description="wgs84, gcj02, bd09 or EPSG:n.")] = "wgs84",
    clip: Annotated[
        Clip,
        Query(description="`territory` cuts cells off at its border, each once, and joins the rest."),
    ] = "cells",
    bom: Annotated[bool, Query(description="Begin a CSV with the mark by which Excel knows UTF-8.")] = False,
) -> Wanted:
    return Wanted(layer, form, crs, clip, bom, current_app(request).settings.small_count)


WantedExport = Annotated[Wanted, Depends(_wanted)]
"""A route's dependency: what the file is to be."""


class _Poured(Pieces):
    """Pieces of a file under a name."""

    def __init__(
        self, pieces: Iterator[bytes], media_type: str, name: str, close: Callable[[], None]
    ) -> None:
        self._pieces, self._close = pieces, close
        headers = {"Content-Disposition": f'attachment; filename="{name}"', "Cache-Control": "no-store"}
        StreamingResponse.__init__(self, self._sent(), media_type=media_type, headers=headers)


def export_response(
    app: App, who: Principal, source: Source, wanted: Wanted, *, manifest: bool = False
) -> Response:
    """Send an export, or its manifest: text in pieces as it is made, others once they are written."""
    if wanted.format in _POURED and not manifest:
        name, pieces, close = exports.pieces(app.database, who, source, wanted)
        return _Poured(pieces, MEDIA_TYPES[wanted.format], name, close)
    exports.check(who, wanted)
    folder = app.settings.exports / f"get-{secrets.token_hex(8)}"
    folder.mkdir(parents=True)
    path = folder / f"file.{wanted.format}"
    try:
        told = exporting.written(app.settings.url, who, source, wanted, path)
    except BaseException:
        shutil.rmtree(folder, ignore_errors=True)
        raise
    if manifest:
        shutil.rmtree(folder, ignore_errors=True)
        return JSONResponse(told)
    clear = BackgroundTask(shutil.rmtree, folder, ignore_errors=True)
    stem = source.plan or f"{source.territory}-{source.n}"
    name = exports.file_name(stem, wanted)
    headers = {"Cache-Control": "no-store", "Gridsvc-Features": str(told["features"])}
    return FileResponse(path, 200, headers, MEDIA_TYPES[wanted.format], clear, filename=name)


def geojson_response(layer: Layer, crs: str, name: str, manifest: Mapping[str, Any]) -> StreamingResponse:
    """Stream a layer as GeoJSON, with the manifest as its member `gridsvc:manifest`."""
    system = normalise(crs)  # before the first byte, so that a wrong one is still a 422
    members = {"gridsvc:manifest": manifest}
    return StreamingResponse(
        feature_collection(layer.geometry, layer.rows(), crs=system, members=members),
        media_type="application/geo+json",
        headers={"Content-Disposition": f'attachment; filename="{name}.geojson"'},
    )
