"""What an assignment of grids to teams should look to."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, Field

from api.schemas.common import Request
from api.schemas.wanted import Above, Amount, Code

__all__ = ["Assign", "Give", "NeedWanted", "PinWanted", "PostWanted", "Seated", "Staff", "StaffingOut"]


class PinWanted(Request):
    """A grid and the team which must own it, or must not."""

    grid: Code
    team: Annotated[str, Field(min_length=1, description="Id of the team.")]
    ban: Annotated[bool, Field(description="The team must not own the grid.")] = False


class NeedWanted(Request):
    """Skills and languages a team must have, for one grid or where a measure is above 0."""

    needs: Annotated[list[str], Field(min_length=1)]
    grid: Code | None = None
    measure: str | None = None


class Assign(Request):
    """How grids go to teams; without a body by capacity and distance alone."""

    today: Annotated[
        Literal["publication", "none"],
        Field(description="Whether the owners of the publication in force stay where they can."),
    ] = "none"
    owners: Annotated[
        dict[str, str] | None, Field(description="Grid -> today's team, instead of the publication's.")
    ] = None
    handover_weight: Annotated[
        Amount, Field(description="What handing over an average grid counts, in usual distances.")
    ] = 1.0
    pins: Annotated[list[PinWanted], Field(default_factory=list)]
    needs: Annotated[list[NeedWanted], Field(default_factory=list)]
    rates: Annotated[
        dict[str, tuple[str, Amount]],
        Field(
            default_factory=dict,
            description="Measures computed from others.",
            examples=[{"visits": ["customers", 0.2]}],
        ),
    ]
    bases: Annotated[
        Literal["team", "people"], Field(description="Distance from the team's base or its people's.")
    ] = "team"
    time_limit: Annotated[
        Above | None,
        Field(description="Seconds after which the best so far is taken; the report then says `truncated`."),
    ] = None


class Give(Request):
    """Grids given to teams by hand; every other grid stays with the team it has."""

    grids: Annotated[
        dict[Code, Annotated[str, Field(min_length=1, max_length=200)] | None],
        Field(
            min_length=1,
            max_length=10_000,
            description="Code of a grid -> id of its team; null leaves it without one.",
            examples=[{"08": "T02"}],
        ),
    ]


class PostWanted(Request):
    """Full posts of a role in one team, or in each: `posts`, or one for `per_post` of a `measure`."""

    role: Annotated[str, Field(examples=["lead"])]
    team: Annotated[str | None, Field(description="Id of the team; each, unless given.")] = None
    posts: Amount | None = None
    measure: str | None = None
    per_post: Amount | None = None
    departments: Annotated[
        list[str], Field(default_factory=list, description="Whose people may do it; all, unless given.")
    ]
    skills: Annotated[
        list[str], Field(default_factory=list, description="Skills and languages they must have.")
    ]


class Seated(Request):
    """A membership which must be."""

    person: str
    team: str
    role: str


class Staff(Request):
    """What people the teams of a plan need."""

    posts: Annotated[list[PostWanted], Field(min_length=1, max_length=2_000)]
    pins: Annotated[list[Seated], Field(default_factory=list, max_length=2_000)]


class StaffingOut(BaseModel):
    """People proposed for the teams of a plan; nothing is stored."""

    plan: str
    base_roster: Annotated[int, Field(description="The roster it starts from.")]
    roster: Annotated[dict[str, Any], Field(description="The roster proposed, as a PUT of it takes it.")]
    report: Annotated[
        dict[str, Any],
        Field(description="Posts needed and given, load of each person, `shortages` and `shortages_zh`."),
    ]
