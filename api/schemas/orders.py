"""Orders, checks and disputes as they are answered."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import BaseModel, Field

__all__ = ["CheckOut", "DisputeOut", "OrdersOut"]

Kind = Literal["area_manager", "department_head", "own_line", "common_head", "no_team"]


class OrdersOut(BaseModel):
    """Who may give the order (`by`), by which rule, and the departments on the way up (`path`)."""

    person: Annotated[dict[str, Any], Field(description="`id`, `name` and home `department`.")]
    work: Literal["routine", "other", "conflict"]
    grid: str | None
    at: datetime
    territory: str
    roster: int
    status: Annotated[Literal["known", "nobody"], Field(description="`nobody`: the chart names no head.")]
    rule: Kind
    by: Annotated[
        list[dict[str, Any]],
        Field(
            description="`person`, `as` (area_manager or department_head), `acting`, `team`, `area`,"
            " `department`."
        ),
    ]
    path: Annotated[
        list[dict[str, Any]],
        Field(
            description="`department`, `head`, why it was `skipped` (no_head, self or left), and who"
            " stands in (`acting`)."
        ),
    ]
    why: str


class CheckOut(BaseModel):
    """Whether somebody acts inside their grid, and whose it is."""

    verdict: Literal["inside", "acting", "by_name", "outside", "no_membership", "nobodys"]
    person: dict[str, Any]
    at: datetime
    territory: str
    memberships: list[dict[str, Any]]
    owner: dict[str, Any]
    why: str


class DisputeOut(BaseModel):
    """Who owns it at the date (`owner`) and at every other (`history`), and what each claim is worth."""

    territory: str
    line: str
    at: datetime
    owner: dict[str, Any]
    rules: Annotated[
        list[dict[str, Any]],
        Field(description="What each rule says at the date, the strongest first; one `decides`."),
    ]
    claims: Annotated[
        list[dict[str, Any]], Field(description="Each team: `right` or not, when it `owned` it, and `why`.")
    ]
    history: list[dict[str, Any]]
    left_off: Annotated[int, Field(description="Dates too far back to be looked at.")]
