"""The owner answer, batches of it, and rosters."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import BaseModel, Field, model_validator

from api.schemas.common import Request

__all__ = ["CustomerOut", "OwnerAnswer", "OwnerQuery", "RosterIn", "RosterOut"]


class Named(BaseModel):
    """An id with its name."""

    id: str
    name: str


class OwnerGrid(BaseModel):
    """The owning grid."""

    code: str
    name: str
    line: str


class Lead(Named):
    """Who leads the team today."""

    acting: bool


class RoleHolder(Named):
    """Another member of the team."""

    role: str
    backup: bool


class Transition(BaseModel):
    """The former owner, with whom customers may stay for a while."""

    until: datetime
    from_grid: OwnerGrid
    from_team: Named | None


class CellOwner(BaseModel):
    """One of the cells in a coarser one."""

    cell: str
    status: Literal["owned", "fallback"]
    grid: OwnerGrid | None
    team: Named | None
    rule: Literal["carve_out", "cell", "fallback"] | None


class OwnerAnswer(BaseModel):
    """Who owns it, by which rule, according to which publication and roster."""

    status: Literal["owned", "fallback", "outside", "unplaced", "unknown_customer", "invalid"]
    cell: str | None
    grid: OwnerGrid | None
    team: Named | None
    lead: Lead | None
    roles: list[RoleHolder]
    rule: Literal["name_list", "carve_out", "cell", "fallback"] | None
    why: str
    territory: str
    publication: int
    roster: int | None
    seq: int
    valid_from: datetime | None
    valid_to: datetime | None
    inside_territory: bool | None
    crs: str | None
    via: str | None
    transition: Annotated[
        Transition | None, Field(description="A member only while customers may stay with a former owner.")
    ] = None
    cells: Annotated[
        list[CellOwner] | None,
        Field(description="A member only for a coarser cell: the cells in it, each with its owner."),
    ] = None


class OwnerQuery(Request):
    """One question: a point, a cell or a customer."""

    territory: str | None = None
    line: str = "base"
    lat: float | None = None
    lon: float | None = None
    cell: str | None = None
    customer: str | None = None
    crs: str = "wgs84"
    as_of: datetime | None = None
    as_known: datetime | None = None
    min_seq: Annotated[int, Field(ge=0, le=2**62)] = 0
    on_miss: Literal["problem", "status"] = "problem"

    @model_validator(mode="after")
    def _one_question(self) -> OwnerQuery:
        asked = [
            self.lat is not None or self.lon is not None,
            self.cell is not None,
            self.customer is not None,
        ]
        if sum(asked) != 1:
            raise ValueError("give lat and lon, or a cell, or a customer")
        if asked[0] and (self.lat is None or self.lon is None):
            raise ValueError("lat and lon go together")
        return self


class CustomerOut(BaseModel):
    """A customer as placed; for callers with the scope to see them."""

    id: str
    premise: str | None
    cell: str | None
    verdict: str
    lon: float | None
    lat: float | None


class RosterIn(Request):
    """Departments, people, teams, members and the name list; the whole of them, as one version."""

    departments: list[dict[str, Any]]
    people: list[dict[str, Any]]
    teams: list[dict[str, Any]]
    members: list[dict[str, Any]]
    fallback: Annotated[str | None, Field(description="Team which owns what no grid team does.")] = None
    named: list[dict[str, Any]] = Field(
        default_factory=list,
        description="Customers owned by name: `customer`, `team`, `reason`, and `until` if it ends.",
    )
    valid_from: datetime | None = None
    reason: Annotated[str | None, Field(max_length=500)] = None


class RosterOut(BaseModel):
    """A version of the roster."""

    territory: str
    roster: int
    newest: Annotated[int, Field(description="The newest there is, in force or not: the base of a change.")]
    departments: list[dict[str, Any]]
    people: list[dict[str, Any]]
    teams: list[dict[str, Any]]
    members: list[dict[str, Any]]
    fallback: str | None
    named: list[dict[str, Any]]
