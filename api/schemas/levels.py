"""Schemes of grid codes, and levels."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal

from pydantic import BaseModel, Field

from api.schemas.common import GeoJson, Request, Slug

__all__ = ["CodesOut", "CodesWanted", "LevelOut", "LevelWanted", "LevelsOut", "LevelsWanted", "UnitOut"]

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


class Names(Request):
    """What people call it."""

    zh: Annotated[str, Field(min_length=1, max_length=100)]
    en: Annotated[str, Field(min_length=1, max_length=100)]


class LevelWanted(Request):
    """A level, below the one it names."""

    id: Slug
    names: Names
    parent: Annotated[
        Slug | None, Field(description="The level above; none for the top one, the whole territory.")
    ] = None


class LevelsWanted(Request):
    """The levels of a territory, in any order."""

    levels: Annotated[list[LevelWanted], Field(min_length=2, max_length=20)]


class LevelOut(BaseModel):
    """A level with what is in force of it."""

    id: str
    names: dict[str, str]
    parent: str | None
    line: Annotated[str, Field(description="The line under which it is published and looked up.")]
    publication: int | None
    valid_from: datetime | None
    grids: Annotated[int | None, Field(description="Null where nothing of it is in force.")]
    totals: Annotated[
        dict[str, float] | None, Field(description="Sums over its grids: the same at each level.")
    ]


class LevelsOut(BaseModel):
    """The levels of a territory, from the top down."""

    territory: str
    levels: list[LevelOut]


class UnitOut(BaseModel):
    """A grid of a level with its sums."""

    code: str
    name: str
    parent: Annotated[str | None, Field(description="The grid of the level above it lies in.")]
    team: str | None
    cells: int
    totals: dict[str, float]
