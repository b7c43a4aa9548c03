"""Review, the calendar and requests of districts: what is asked and what is answered."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import BaseModel, Field

from api.schemas.common import Request, Slug

__all__ = [
    "Accept",
    "CalendarIn",
    "CalendarOut",
    "CommentIn",
    "CommentOut",
    "Decide",
    "NewRequest",
    "RequestLine",
    "RequestOut",
    "ReviewOut",
    "RulesIn",
    "RulesOut",
    "Said",
]

Kind = Literal["move", "customer", "lead"]
State = Literal["open", "accepted", "rejected", "withdrawn"]
Reason = Annotated[str, Field(max_length=2000)]
Name = Annotated[str | None, Field(max_length=200)]
Days = Annotated[list[str], Field(examples=[["2026-10-01"]])]


class Said(Request):
    """Why a step of review is taken; a rejection needs it."""

    reason: Annotated[str | None, Field(max_length=2000)] = None


class ReviewOut(BaseModel):
    """A step of a plan's review; `revision` is the one it made."""

    revision: int
    action: str
    before: str
    after: str
    actor: str
    reason: str | None
    recorded_at: datetime


class RulesIn(Request):
    """Who may do what; what is left out is as by default."""

    steps: Annotated[
        dict[str, Any],
        Field(
            default_factory=dict,
            description="`submit`, `approve`, `reject`, `recall`, `publish`: `scopes` of which one is needed,"
            " and maybe `actors`.",
            examples=[{"approve": {"scopes": ["plans:review"], "actors": ["anna"]}}],
        ),
    ]
    approval: Annotated[
        Literal["optional", "required"], Field(description="Whether drafts may be published without.")
    ] = "optional"
    own_approval: Annotated[
        list[str],
        Field(
            default_factory=lambda: ["local"],
            description="Who may approve what they submitted; `*` is everybody.",
        ),
    ]


class RulesOut(BaseModel):
    """The rules of review; revision 0 are those by default."""

    revision: int
    steps: dict[str, Any]
    approval: str
    own_approval: list[str]


class CalendarIn(Request):
    """The days a company works; what is left out is as by default."""

    weekend: Annotated[
        list[str],
        Field(default_factory=lambda: ["sat", "sun"], description="Of mon, tue, wed, thu, fri, sat, sun."),
    ]
    holidays: Annotated[Days, Field(default_factory=list, description="Free whatever their weekday.")]
    workdays: Annotated[
        Days, Field(default_factory=list, description="Worked whatever their weekday (调休).")
    ]


class CalendarOut(BaseModel):
    """The calendar; revision 0 is that by default."""

    revision: int
    weekend: list[str]
    holidays: list[str]
    workdays: list[str]


class NewRequest(Request):
    """What a district asks for: `cells` and `to`, or `customer` and `team`, or `team` and `person`."""

    territory: Slug
    kind: Kind
    reason: Reason
    line: Annotated[str, Field(min_length=1, max_length=64, description="Of a move.")] = "base"
    plan: Annotated[Name, Field(description="Draft to make a move on; the decider may name another.")] = None
    cells: Annotated[list[str], Field(default_factory=list, description="Ids; at most 10,000.")]
    to: Annotated[Name, Field(description="Code of a grid.")] = None
    customer: Annotated[Name, Field(description="Id; kept private.")] = None
    team: Name = None
    person: Name = None


class CommentIn(Request):
    """What somebody says to a request."""

    text: Reason


class CommentOut(BaseModel):
    """A comment; `number` counts from 1."""

    number: int
    actor: str
    text: str
    recorded_at: datetime


class RequestLine(BaseModel):
    """A request as lists show it.

    `customer` is null for those who may not read customers, unless they asked themselves.
    """

    id: str
    territory: str
    line: str | None
    kind: Kind
    state: State
    plan: str | None
    cell_count: int
    to: str | None
    customer: str | None
    team: str | None
    person: str | None
    reason: str
    asked_by: str
    recorded_at: datetime
    due_at: Annotated[datetime, Field(description="The end of the third working day behind the request's.")]
    overdue: bool
    decided_by: str | None
    decided_at: datetime | None
    decision: Annotated[str | None, Field(description="The decider's reason.")]
    result: Annotated[
        dict[str, Any] | None, Field(description="`plan` and `revision` of the move made, or `roster`.")
    ]


class RequestOut(RequestLine):
    """A request with its cells, comments and, while it is open, its effect."""

    cells: list[str]
    comments: list[CommentOut]
    effect: Annotated[
        dict[str, Any] | None,
        Field(
            description="Of a move `plan`, `revision`, `moved` and the grids' figures `before` and `after`;"
            " else who owns or leads `before` and `after`. `problem` where it is no longer possible."
        ),
    ]


class Decide(Request):
    """Why a request is rejected or withdrawn; a rejection needs it."""

    reason: Annotated[str | None, Field(max_length=2000)] = None


class Accept(Request):
    """Why a request is accepted, and for a move the draft and the revision of it you have seen."""

    reason: Reason
    plan: Annotated[Name, Field(description="Draft to make the move on, if not the request's.")] = None
    base_revision: Annotated[
        int | None, Field(strict=True, ge=1, lt=2**31, description="Without it a move is answered 428.")
    ] = None
