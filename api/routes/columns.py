"""Cells and labels as columns: all that is needed to draw a plan, in two answers."""

from __future__ import annotations

from typing import Annotated, Any

import numpy as np
import orjson
from fastapi import APIRouter, Header, Query, Response

from api.deps import Caller, Db, etag
from gridsvc.exchange.geojson import geometry_dict
from gridsvc.services import columns

__all__ = ["router"]

router = APIRouter(prefix="/v1")

_JSON = "application/json"
Seen = Annotated[str | None, Header(alias="If-None-Match")]


@router.get("/tilings/{tiling}/cells", response_class=Response, tags=["territories"])
def get_cells(
    tiling: str,
    db: Db,
    who: Caller,
    seen: Seen = None,
) -> Response:
    """Cells of a tiling by row, with measures and the `outlines` of those which are no whole H3 cells.

    `areas` names the columns whose areas grids can be nested in, with how many areas each has.
    """
    tag = f'"{columns.cells_version(db, who, tiling)}"'
    headers = {"ETag": tag, "Cache-Control": "no-cache"}
    if seen is not None and tag in seen:
        return Response(status_code=304, headers=headers)
    found = columns.cells(db, who, tiling)
    answer = {
        "tiling": tiling,
        "kind": found.kind,
        "resolution": found.resolution,
        "cells": found.names,
        "area_km2": np.round(found.area / 1e6, 6),
        "measures": dict(found.measures),
        "outlines": {str(row): _multi(geometry_dict(shape)) for row, shape in found.outlines.items()},
        "areas": dict(found.areas),
    }
    return Response(
        orjson.dumps(answer, option=orjson.OPT_SERIALIZE_NUMPY), media_type=_JSON, headers=headers
    )


def _multi(shape: dict[str, Any]) -> list[Any]:
    """Coordinates as those of a MultiPolygon."""
    return [shape["coordinates"]] if shape["type"] == "Polygon" else list(shape["coordinates"])


@router.get("/plans/{plan}/labels", response_class=Response, tags=["plans"])
def get_labels(
    plan: str,
    db: Db,
    who: Caller,
    revision: Annotated[int | None, Query(ge=1, lt=2**31, description="Look back to this revision.")] = None,
    seen: Seen = None,
) -> Response:
    """Which grid each cell of a plan is in: `labels`, by row of the tiling, point into `grids` or are -1."""
    found = columns.labels(db, who, plan, revision)
    tag = etag(found.revision)
    if seen is not None and tag in seen:
        return Response(status_code=304, headers={"ETag": tag})
    answer = {
        "plan": plan,
        "tiling": found.tiling,
        "revision": found.revision,
        "grids": [
            {"code": g.code, "name": g.name, "team": g.team, "carve_out": g.carve_out, "parent": g.parent}
            for g in found.grids
        ],
        "labels": found.labels,
        "locked": found.locked,
    }
    body = orjson.dumps(answer, option=orjson.OPT_SERIALIZE_NUMPY)
    return Response(body, media_type=_JSON, headers={"ETag": tag, "Cache-Control": "no-cache"})
