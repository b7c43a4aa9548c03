"""The rules of the scorecard."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, Field

from api.schemas.common import Request

__all__ = ["PartForm", "ScorecardIn", "ScorecardOut"]

Name = Annotated[str, Field(min_length=1, max_length=100)]
Amount = Annotated[float, Field(ge=0, le=1e6)]
PartName = Literal["customers", "potential", "served", "premises", "sales", "competition", "visits"]
Figure = Literal[
    "customers",
    "potential",
    "penetration",
    "white_space",
    "competition",
    "density",
    "base_km",
    "outlet_km",
]


class PartForm(Request):
    """The measures which play a part."""

    of: Annotated[
        list[Name], Field(min_length=1, max_length=50, description="Added up over the cells of a grid.")
    ]
    by: Annotated[
        Name | None,
        Field(description="Where the measure is a share: the one by which its mean is weighed."),
    ] = None


class ScorecardIn(Request):
    """What a scorecard is made of; what is left out is as by default."""

    parts: Annotated[
        dict[PartName, PartForm],
        Field(default_factory=dict, description="A part which no measure plays leaves its figures out."),
    ]
    weights: Annotated[
        dict[Figure, Amount] | None,
        Field(description="What each figure counts in the score; 0 where it is not named."),
    ] = None
    better: Annotated[
        dict[Figure, Literal["high", "low"]],
        Field(default_factory=dict, description="Which end is the good one, where it is unusual."),
    ]
    visits: Annotated[
        dict[Name, Amount],
        Field(
            default_factory=dict,
            max_length=50,
            description="Visits a month which a customer of a tier (`/v1/pack-rules`) needs.",
        ),
    ]


class ScorecardOut(BaseModel):
    """What a scorecard is made of."""

    revision: Annotated[int, Field(description="0 while nobody has put one.")]
    parts: dict[str, PartForm]
    weights: dict[str, float]
    better: dict[str, str]
    visits: dict[str, float]
