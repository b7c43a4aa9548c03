"""Handovers and rules of packs: what is asked and what is answered."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import BaseModel, Field, model_validator

from api.schemas.common import Request

__all__ = ["HandoverOut", "HeirIn", "NewHandover", "PackRulesIn", "PackRulesOut"]

Name = Annotated[str, Field(min_length=1, max_length=200)]
When = Annotated[
    str, Field(min_length=1, max_length=40, examples=["2026-12-01", "2026-12-01T08:00:00+08:00"])
]
Share = Annotated[float | None, Field(ge=0, le=1)]


class HeirIn(Request):
    """Who takes over which places; without `team` and `role` all for which no narrower entry stands."""

    person: Name
    team: Name | None = None
    role: Literal["lead", "enterprise", "vip", "maintenance", "member"] | None = None
    from_: Annotated[
        When | None, Field(alias="from", description="When they begin; else when the leaver goes.")
    ] = None
    acting: Annotated[Name | None, Field(description="Who leads in between.")] = None
    time_share: Share = None
    kpi_share: Share = None


class StandInIn(Request):
    """Who stands in for the head of a department which the leaver heads, from then on."""

    department: Name
    person: Name


class NewHandover(Request):
    """A leaver (`person`, `successors`, `heads`), or a grid which goes to another team (`grid`, `team`)."""

    kind: Literal["leaver", "grid"]
    reason: Annotated[str, Field(max_length=500)]
    effective_at: Annotated[When | None, Field(description="A date is 00:00 there; else now.")] = None
    dry_run: Annotated[bool, Field(description="Show the effect and write nothing; answered with 200.")] = (
        False
    )
    person: Name | None = None
    successors: Annotated[list[HeirIn], Field(default_factory=list, max_length=1000)]
    heads: Annotated[list[StandInIn], Field(default_factory=list, max_length=1000)]
    base_roster: Annotated[
        int | None, Field(ge=1, lt=2**31, description="The roster you have seen; another one is a 409.")
    ] = None
    grid: Name | None = None
    team: Name | None = None
    line: Annotated[str, Field(min_length=1, max_length=64)] = "base"
    publish: Annotated[bool, Field(description="Of a grid: publish the draft at once.")] = False

    @model_validator(mode="after")
    def _one_kind(self) -> NewHandover:
        if self.kind == "leaver":
            if self.person is None or self.grid is not None or self.team is not None or self.publish:
                raise ValueError("a leaver needs person, and neither grid, team nor publish")
        elif (
            self.grid is None or self.team is None or self.person is not None or self.successors or self.heads
        ):
            raise ValueError("a grid needs grid and team, and neither person, successors nor heads")
        return self


class HandoverOut(BaseModel):
    """A handover; `id` is null where it was only shown."""

    id: str | None
    territory: str
    kind: Literal["leaver", "grid"]
    state: Annotated[
        Literal["shown", "draft", "scheduled", "acting", "done", "undone"],
        Field(description="`draft`: the grid's plan waits for publication."),
    ]
    effective_at: datetime
    reason: str
    person: str | None
    line: str | None
    grid: str | None
    roster: Annotated[int | None, Field(description="The roster which a leaver's handover wrote.")]
    plan: Annotated[str | None, Field(description="The draft which a grid's handover wrote.")]
    effect: Annotated[
        dict[str, Any],
        Field(
            description="Of a leaver `passed` (each place and who has it next), `vacant`, `heads`"
            " (departments the leaver headed), `answering` (who answers for these) and `teams`; of a grid"
            " `team_before`, `team_after`, `publication`."
        ),
    ]
    proof: Annotated[
        dict[str, Any],
        Field(description="`before` and `after`: the moments looked at, and what was nobody's at each."),
    ]
    refused: Annotated[
        dict[str, Any] | None, Field(description="Why the grid's draft was not published.")
    ] = None
    recorded_by: str | None
    recorded_at: datetime | None


class PackRulesIn(Request):
    """What handover packs show; what is left out is as by default."""

    tier_column: Annotated[
        Name | None, Field(description="The customers' column which holds their tier.")
    ] = None
    tiers: Annotated[
        list[Name],
        Field(default_factory=list, max_length=100, description="In the order in which they are shown."),
    ]


class PackRulesOut(BaseModel):
    """The rules of packs; revision 0 are those by default."""

    revision: int
    tier_column: str | None
    tiers: list[str]
