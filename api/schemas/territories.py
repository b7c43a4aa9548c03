"""Territories and their tilings."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from api.schemas.common import GeoJson, Request, Slug

__all__ = ["CustomersAsOf", "NewTerritory", "NewTiling", "TerritoryDetail", "TerritoryOut", "TilingOut"]


class NewTerritory(Request):
    """An area to be covered."""

    id: Slug
    name: Annotated[str, Field(min_length=1, max_length=200)]
    boundary: GeoJson
    crs: Annotated[str, Field(description="wgs84, gcj02, bd09 or EPSG:n of the boundary.")] = "wgs84"
    time_zone: str = "Asia/Shanghai"
    customers_word: Annotated[str, Field(max_length=40)] = "customers"
    simulated: Annotated[bool, Field(description="The data is made up; pages say so.")] = False


class TerritoryOut(BaseModel):
    """A territory."""

    id: str
    name: str
    time_zone: str
    customers_word: str
    simulated: bool
    recorded_at: datetime


class TerritoryDetail(TerritoryOut):
    """A territory with its outline."""

    boundary: GeoJson


class NewTiling(Request):
    """How to cut the territory: into H3 cells (`resolution`), polygons of a layer, or blocks by lines."""

    kind: Literal["h3", "polygons", "blocks"]
    resolution: Annotated[int, Field(ge=0, le=15)] | Literal["auto"] | None = None
    for_grids: Annotated[
        int | None, Field(ge=1, lt=2**31, description="With resolution auto: the number of grids meant.")
    ] = None
    polygons: GeoJson | None = None
    id_field: Annotated[str | None, Field(description="Property that names the cells.")] = None
    crs: str = "wgs84"
    measures: Annotated[tuple[str, ...], Field(description="Number properties to balance.")] = ()
    lines: Annotated[
        GeoJson | None, Field(description="With kind blocks: roads, rivers, railways, borders.")
    ] = None
    parents: Annotated[
        GeoJson | None, Field(description="With kind blocks: areas which no block may cross.")
    ] = None
    parent_field: Annotated[str, Field(description="Property that names the parents.")] = "code"
    least_m2: Annotated[
        float | None,
        Field(ge=0, description="With kind blocks: smaller ones are merged; else a quarter of the median."),
    ] = None
    atoms: Annotated[
        GeoJson | None, Field(description="Estates and campuses: cells of their own, never split.")
    ] = None
    atom_field: Annotated[str, Field(description="Property that names the atoms.")] = "id"
    repair: Annotated[
        Literal["lowest_id", "largest", "longest_border"] | None,
        Field(description="Repair polygons, parents and atoms; ground of several goes to the one named."),
    ] = None
    barriers: Annotated[
        GeoJson | None, Field(description="Lines no grid may cross; points are crossings (bridges).")
    ] = None


class CustomersAsOf(BaseModel):
    """Of what time the customers of a tiling are."""

    model_config = ConfigDict(serialize_by_alias=True)

    import_: Annotated[str, Field(serialization_alias="import", description="The live import.")]
    imported_at: Annotated[datetime | None, Field(description="When it went live.")]
    told_at: Annotated[
        datetime | None,
        Field(description="When the last message about a customer came in since; null if none."),
    ]


class TilingOut(BaseModel):
    """A tiling with its proof of coverage."""

    id: str
    territory: str
    kind: Literal["h3", "polygons", "mixed"]
    resolution: int | None
    cells: int
    params: dict[str, Any]
    coverage: dict[str, Any]
    measures: dict[str, dict[str, Any]]
    customers: Annotated[
        CustomersAsOf | None,
        Field(description="Of what time its customers are; null before an import on it."),
    ]
    recorded_at: datetime
