"""Gates, waivers and publications as they are shown, and what publishing and rebasing ask."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import BaseModel, Field

from api.schemas.common import Request

__all__ = ["GateOut", "PublicationOut", "Publish", "Rebase", "RebaseOut", "Republish", "Waiver", "WaiverOut"]

When = Annotated[
    str | None, Field(max_length=40, examples=["2026-12-01", "2026-12-01T08:00:00+08:00"], min_length=1)
]


class GateOut(BaseModel):
    """A rule and who offends against it; each offender says where to look (`at`, `bbox`)."""

    name: str
    passed: bool
    blocking: bool
    message: str
    cure: str | None
    offenders: Annotated[list[dict[str, Any]], Field(description="The first 1,000.")]
    total: Annotated[int, Field(description="How many offenders there are.")]
    waived: Annotated[list[dict[str, Any]], Field(description="Offenders excused, with reason and actor.")]


class Waiver(Request):
    """A grid to be excused from a gate."""

    gate: Annotated[str, Field(description="`contiguity` or `requests`; no other can be waived.")]
    grid: Annotated[
        str,
        Field(min_length=1, max_length=100, description="Code of the grid; for `requests` a request's id."),
    ]
    reason: Annotated[str, Field(max_length=500)]


class WaiverOut(BaseModel):
    """A grid excused from a gate: by whom, when and why."""

    gate: str
    grid: str
    reason: str
    actor: str
    recorded_at: datetime


class Rebase(Request):
    """What to do with cells which plan and publications both changed."""

    prefer: Annotated[
        Literal["mine", "theirs"] | None,
        Field(description="Whose change counts; without it such cells are listed and nothing changes."),
    ] = None
    reason: Annotated[str | None, Field(max_length=500)] = None


class RebaseOut(BaseModel):
    """What a rebase did."""

    revision: int
    base_publication: int
    carried: Annotated[int, Field(description="Cells taken over from what was published meanwhile.")]
    conflicts: Annotated[int, Field(description="Cells both had changed, settled by `prefer`.")]
    grids: Annotated[list[str], Field(description="Grids whose name or team both had changed, likewise.")]
    carve_outs: Annotated[list[str], Field(description="Carve-outs both had changed, likewise.")] = []


class Republish(Request):
    """When an earlier publication comes into force again."""

    effective_at: Annotated[
        When,
        Field(
            description="With an offset, or a date: 00:00 in the territory's time zone. Now if not given;"
            " never before the one in force."
        ),
    ] = None
    reason: Annotated[str | None, Field(max_length=500)] = None
    supersedes: Annotated[
        int | None,
        Field(
            ge=1,
            lt=2**31,
            description="The scheduled publication it takes the place of; the last of several.",
        ),
    ] = None
    scope: Annotated[
        str | None,
        Field(min_length=1, max_length=200, description="Code of a parent: only grids nested in it change."),
    ] = None
    transition_until: Annotated[
        When, Field(description="Until then customers who changed owner may stay with the former one.")
    ] = None


class Publish(Republish):
    """When and how the plan comes into force."""


class PublicationOut(BaseModel):
    """An immutable version of who owns which cell."""

    territory: str
    line: str
    n: int
    plan: str
    tiling: str
    grids: int
    cells: int
    effective_at: datetime
    valid_to: Annotated[datetime | None, Field(description="When a later number takes its place.")]
    state: Annotated[
        Literal["scheduled", "in-force", "past", "set-aside"],
        Field(description="`set-aside`: a later number takes effect no later, so it never comes into force."),
    ]
    recorded_at: datetime
    published_by: str
    checksum: str
    base_publication: int | None
    supersedes: int | None
    republishes: int | None
    scope: str | None
    transition_until: datetime | None
    summary: dict[str, Any]
