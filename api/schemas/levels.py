"""Schemes of grid codes."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, Field

from api.schemas.common import GeoJson, Request

__all__ = ["CodesOut", "CodesWanted"]

Name = Annotated[str, Field(min_length=1, max_length=200)]


class CodesWanted(Request):
    """How the territory's new grids get their codes."""

    scheme: Annotated[
        Literal["plain", "standard15"],
        Field(
            description="`plain`: 01, 02, ...; `standard15`: 6 digits of the district, 3 of the street, 3 of"
            " the community, 3 of the grid."
        ),
    ]
    column: Annotated[
        Name | None, Field(description="Column of the tiling with area codes of 6, 9 or 12 digits.")
    ] = None
    areas: Annotated[
        GeoJson | None, Field(description="Instead: a FeatureCollection of areas, in WGS-84.")
    ] = None
    property: Annotated[Name, Field(description="Property of `areas` which holds their code.")] = "code"


class CodesOut(BaseModel):
    """How the territory's new grids get their codes."""

    territory: str
    scheme: Literal["plain", "standard15"]
    column: str | None
    areas: Annotated[int | None, Field(description="Number of areas in the layer, where there is one.")]
