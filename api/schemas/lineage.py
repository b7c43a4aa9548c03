"""Grid codes at a time, and what became of them."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal

from pydantic import BaseModel, Field

__all__ = ["GridOut", "GridTeam", "StepOut", "SuccessorOut"]

Kind = Literal["new", "kept", "renamed", "split", "merged", "retired", "revived", "gone"]


class GridTeam(BaseModel):
    """The team which owns a grid."""

    id: str
    name: str


class SuccessorOut(BaseModel):
    """A grid which has part of another one's ground."""

    code: Annotated[str | None, Field(description="Null for ground without a grid.")]
    name: str | None
    share: Annotated[
        float,
        Field(description="Of the customers there, or of the cells where there are none; they add to 1."),
    ]
    exact: Annotated[str, Field(description="The share as a fraction.", examples=["2/3"])]
    cells: int
    customers: int


class GridOut(BaseModel):
    """A grid code as of a time."""

    code: str
    name: Annotated[str, Field(description="Its last name, if it has ended.")]
    status: Literal["in-force", "ended"]
    territory: str
    line: str
    publication: int
    valid_from: datetime
    valid_to: datetime | None
    parent: str | None
    team: GridTeam | None
    carve_out: bool
    cells: int | None
    fate: Annotated[
        Kind | None,
        Field(description="What this publication did to it; null where that was before lineage was kept."),
    ]
    ended: Annotated[int | None, Field(description="The publication which ended it.")]
    last: Annotated[int | None, Field(description="The last publication which had it.")]
    how: Annotated[Kind | None, Field(description="What became of it then.")]
    successors: Annotated[list[SuccessorOut], Field(description="Who has its ground, if it has ended.")]


class StepOut(BaseModel):
    """What one publication did to a grid code."""

    publication: int
    follows: int | None
    effective_at: datetime
    status: Literal["in-force", "ended"]
    fate: Kind
    name: str
    successors: Annotated[list[SuccessorOut], Field(description="Where its former ground is from then on.")]
    origins: Annotated[list[SuccessorOut], Field(description="Where its ground was before.")]
