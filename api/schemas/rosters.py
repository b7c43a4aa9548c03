"""Changes of rosters, imports, violations, and the company's rules for teams."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import BaseModel, Field

from api.schemas.common import Request

__all__ = [
    "ChangesIn",
    "ChangesOut",
    "MissingOut",
    "RosterHead",
    "RosterImportOut",
    "RowOut",
    "TeamRulesIn",
    "TeamRulesOut",
    "ViolationOut",
    "ViolationsOut",
]


class ChangesIn(Request):
    """Operations on a roster, done in their order: all of them, or none."""

    base_roster: Annotated[
        int | None,
        Field(
            ge=0, lt=2**31, description="`newest` of the roster as it was seen; 428 without, 409 if stale."
        ),
    ] = None
    operations: Annotated[
        list[dict[str, Any]],
        Field(
            max_length=1000,
            description="`op` is add, change or end; `what` is department, person, team, member, named or"
            " fallback; `entry` holds the members of the roster's entry.",
            examples=[
                [
                    {
                        "op": "change",
                        "what": "member",
                        "entry": {"team": "t", "person": "p", "backup": True},
                    }
                ]
            ],
        ),
    ]
    valid_from: Annotated[
        datetime | None, Field(description="From when it counts; now unless given. The past needs a reason.")
    ] = None
    reason: Annotated[str | None, Field(max_length=500)] = None


class ChangesOut(BaseModel):
    """The rosters appended: that which counts from the change on, and those scheduled behind it."""

    territory: str
    rosters: list[int]
    newest: int


class RosterHead(BaseModel):
    """A version of the roster: from when it counts, who told it, when and why."""

    roster: int
    valid_from: datetime
    recorded_at: datetime
    recorded_by: str
    reason: str | None


class RowOut(BaseModel):
    """What became of a row; `row` is as a spreadsheet shows it, the header being 1."""

    source: str
    row: int
    verdict: Literal["added", "changed", "same", "refused"]
    field: str | None
    reason: str | None
    cure: str | None


class MissingOut(BaseModel):
    """Entries of a list which are not in its table; the first 1,000 by id, customers without."""

    total: int
    ids: list[str]


class RosterImportOut(BaseModel):
    """What an import came to; `roster` is null of a dry run, and where nothing changed."""

    territory: str
    roster: int | None
    base_roster: int
    rows: dict[str, int]
    refused: list[RowOut]
    verdicts: Annotated[list[RowOut], Field(description="The first 1,000 rows, refused or not.")]
    missing: dict[str, MissingOut]


class ViolationOut(BaseModel):
    """A break of one of the company's rules for teams, in words."""

    rule: str
    severity: Literal["block", "warn"]
    team: str | None
    person: str | None
    grid: str | None
    value: float | None
    sentence: dict[str, str]
    cure: dict[str, str]


class NeededOut(BaseModel):
    """Where a role is required; of a fact which is not `known` nothing is known, so no grid needs it."""

    role: str
    fact: str | None
    grids: int
    known: bool


class ViolationsOut(BaseModel):
    """Where the roster in force at a moment breaks the rules; `total` counts also what is not listed."""

    territory: str
    roster: int | None
    total: int
    items: list[ViolationOut]
    needed: list[NeededOut]


class TeamRulesIn(Request):
    """The company's rules for teams; what is left out is as by default."""

    lead_departments: Annotated[
        list[str] | None, Field(description="Ids or names of the departments from which leads come.")
    ] = None
    required_roles: Annotated[
        list[dict[str, Any]] | None,
        Field(
            description="`role`, and `where`: a `measure`, or a customers' `column` and `value`, of which a"
            " grid must have `least` for the role to be needed.",
            examples=[[{"role": "enterprise", "where": {"column": "kind", "value": "industrial"}}]],
        ),
    ] = None
    routine_from: Literal["area_manager", "department_head"] | None = None
    otherwise: Literal["area_manager", "department_head"] | None = None
    severities: Annotated[
        dict[str, Literal["block", "warn", "off"]] | None,
        Field(
            description="Of lead_department, department_head, required_roles, time_shares, kpi_shares,"
            " primary, backup."
        ),
    ] = None


class TeamRulesOut(BaseModel):
    """The company's rules for teams; revision 0 are those by default."""

    revision: int
    lead_departments: list[str]
    required_roles: list[dict[str, Any]]
    routine_from: str
    otherwise: str
    severities: dict[str, str]
