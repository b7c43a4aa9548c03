"""What to solve: the body of a new plan."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Literal

from pydantic import Field, model_validator

from api.schemas.common import GeoJson, Request, Slug

__all__ = [
    "Above",
    "Code",
    "LockWanted",
    "MeasureWanted",
    "NewPlan",
    "ScoreWanted",
    "SeedWanted",
    "Share",
    "TargetWanted",
]

Amount = Annotated[float, Field(ge=0, allow_inf_nan=False)]
Above = Annotated[float, Field(gt=0, allow_inf_nan=False)]
Share = Annotated[float | str, Field(description='`0.05` or `"5%"`.')]
Code = Annotated[str, Field(min_length=1, max_length=100, description="Code of a grid.")]


class MeasureWanted(Request):
    """A measure to balance and how far a grid may be off its target."""

    name: str
    tolerance: Share = "10%"
    weight: Annotated[Above, Field(description="How much its deviations count beside the others'.")] = 1.0
    min: Annotated[Amount | None, Field(description="Least a grid must have, for the tolerance.")] = None
    max: Annotated[Amount | None, Field(description="Most a grid may have, for the tolerance.")] = None
    capacity: Annotated[Above | None, Field(description="Most a grid's team can carry.")] = None

    @model_validator(mode="after")
    def _ordered(self) -> MeasureWanted:
        if self.min is not None and self.max is not None and self.min > self.max:
            raise ValueError("min is above max")
        return self


class ScoreWanted(Request):
    """A measure made of others: 1000 over the territory, dealt out by their weighed shares."""

    name: Annotated[str, Field(min_length=1)]
    weights: Annotated[
        dict[str, Above], Field(min_length=1, description="Measure and weight.", examples=[{"kwh": 0.6}])
    ]


class SeedWanted(Request):
    """A point a grid is built round: a cell, or a longitude and latitude."""

    cell: str | None = None
    lon: Annotated[float | None, Field(ge=-180, le=180)] = None
    lat: Annotated[float | None, Field(ge=-90, le=90)] = None
    grid: Code | None = None
    kind: Literal["required", "candidate"] = "required"
    radius: Annotated[Above | None, Field(description="Metres from it within which the grid must lie.")] = (
        None
    )
    name: str | None = None

    @model_validator(mode="after")
    def _placed(self) -> SeedWanted:
        if (self.cell is None) == (self.lon is None) or (self.lon is None) != (self.lat is None):
            raise ValueError("give either cell, or lon and lat")
        return self


class LockWanted(Request):
    """A cell that must be in a grid, or stay in the one it has in `from_plan`."""

    cell: str
    grid: Code | None = None
    reason: str | None = None
    until: Annotated[date | None, Field(description="Last day it holds.")] = None


class TargetWanted(Request):
    """What one grid should have, and may have at least and at most, by measure."""

    grid: Code | None = None
    values: dict[str, Amount]
    min: Annotated[dict[str, Amount], Field(default_factory=dict)]
    max: Annotated[dict[str, Amount], Field(default_factory=dict)]


class NewPlan(Request):
    """What to solve."""

    tiling: str
    name: Annotated[str, Field(max_length=200)] = ""
    line: Annotated[Slug, Field(description="Line of business; `base` must cover everything.")] = "base"
    level: Annotated[Slug | None, Field(description="Level to divide; the lowest if not given.")] = None
    parent: Annotated[
        Code | None, Field(description="Grid of the level above: only its cells are dealt out anew.")
    ] = None
    grids: Annotated[
        Annotated[int, Field(ge=1, lt=2**31)] | Literal["auto"],
        Field(description="`auto` takes it from `from_plan`, `targets`, a capacity or `nest_in`."),
    ]
    measures: Annotated[list[MeasureWanted], Field(min_length=1)]
    score: Annotated[
        list[ScoreWanted],
        Field(default_factory=list, description="Balanced at 10 % unless `measures` names them."),
    ]
    targets: Annotated[list[TargetWanted] | None, Field(min_length=1, description="One a grid.")] = None
    seeds: Annotated[list[SeedWanted] | None, Field(min_length=1)] = None
    seed_pull: Annotated[Amount, Field(description="How much centres are drawn to seeds.")] = 1.0
    locks: Annotated[list[LockWanted] | None, Field(min_length=1)] = None
    nest_in: Annotated[
        str | None, Field(description="Column of the tiling whose areas no grid may cross.")
    ] = None
    carve_out: Annotated[
        tuple[str, ...] | Literal["large"],
        Field(description="Cells owned apart; `large` takes each cell above half of a grid's target."),
    ] = ()
    islands: Literal["keep", "attach"] = "keep"
    barriers: GeoJson | None = None
    from_plan: Annotated[
        str | None, Field(description="Solved plan of this tiling to realign; its grids keep their codes.")
    ] = None
    max_disruption: Annotated[
        Share, Field(description="Share of the first measure that may move, with `from_plan`.")
    ] = "10%"
    move_cost: Annotated[
        str | None, Field(description="Measure or column which says how much dearer each move is.")
    ] = None
    objective: Literal["balanced", "inertia", "cut"] = "balanced"
    compactness: Annotated[float, Field(ge=0, le=100)] = 50.0
    sweeps: Annotated[int | None, Field(ge=1, lt=2**31, description="Budget, whatever the machine.")] = None
    time_limit: Annotated[Above | None, Field(description="Seconds.")] = None
    seed: Annotated[int, Field(ge=0, lt=2**32)] = 1
