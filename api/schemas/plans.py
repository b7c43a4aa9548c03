"""Plans, jobs and publications as they are shown."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import BaseModel, Field

__all__ = [
    "JobOut",
    "PlanGrid",
    "PlanOut",
    "Started",
]


class JobOut(BaseModel):
    """Long work and where it stands."""

    id: str
    kind: str
    territory: str | None
    status: Literal["queued", "running", "done", "failed", "cancelled"]
    share: float
    message: str
    result: dict[str, Any] | None
    problem: dict[str, Any] | None
    recorded_at: datetime


class Started(BaseModel):
    """A plan whose solve has been queued."""

    plan: str
    job: JobOut


class PlanOut(BaseModel):
    """A draft or published plan; its cells and grids have addresses of their own."""

    id: str
    territory: str
    line: str
    level: str
    parent: Annotated[str | None, Field(description="The grid of the level above it is made in.")]
    tiling: str
    name: str
    comment: str | None
    branched_from: str | None
    branched_at: int | None
    base_publication: int | None
    origin: Annotated[
        dict[str, Any] | None, Field(description="The file its grids were taken over from, if they were.")
    ]
    status: str
    revision: int
    seed: int
    engine_version: str
    params: dict[str, Any]
    solved: bool
    grids: int
    created_by: str
    recorded_at: datetime


class PlanGrid(BaseModel):
    """One grid with its totals and shape, and deviations from target where it is balanced.

    `pieces` is the number of connected parts, `shape` 1 for a disc, `pp` Polsby-Popper, `inside` whether all
    limits are kept.
    """

    code: str
    name: str
    team: str | None
    carve_out: bool
    parent: str | None
    cells: int
    area_km2: float
    pieces: int
    shape: float
    pp: float
    measures: dict[str, float]
    targets: dict[str, float] = {}
    deviation: dict[str, float] = {}
    inside: bool | None = None
