"""What the page draws beside the plans: a base map and the company's own layers."""

from __future__ import annotations

from dataclasses import asdict

from fastapi import APIRouter, Request
from fastapi.responses import FileResponse
from pydantic import BaseModel

from api.deps import Caller, current_app
from gridsvc.basemap import Shift
from gridsvc.services import map_layers

__all__ = ["router"]

router = APIRouter(prefix="/v1/map", tags=["map"])


class BaseMapOut(BaseModel):
    """Picture tiles or a style, which browsers fetch for themselves."""

    tiles: list[str]
    style: str | None
    crs: Shift
    credit: str


class OwnLayerOut(BaseModel):
    """A layer of the company's own, by name."""

    name: str
    bytes: int


class MapOut(BaseModel):
    """What lies under and over the cells; `base` is null unless the operator names one."""

    base: BaseMapOut | None
    layers: list[OwnLayerOut]


@router.get("")
def get_map(request: Request, who: Caller) -> MapOut:
    """The base map, and the names of the company's own layers."""
    settings = current_app(request).settings
    base = settings.base
    shown = None if base is None else BaseMapOut(**{**asdict(base), "tiles": list(base.tiles)})
    return MapOut(
        base=shown,
        layers=[OwnLayerOut(**asdict(each)) for each in map_layers.listed(who, settings.map_layers)],
    )


@router.get("/layers/{name}", response_class=FileResponse)
def get_own_layer(name: str, request: Request, who: Caller) -> FileResponse:
    """A layer of the company's own as GeoJSON in WGS-84."""
    path = map_layers.file_of(who, current_app(request).settings.map_layers, name)
    return FileResponse(path, media_type="application/geo+json", headers={"Cache-Control": "no-cache"})
