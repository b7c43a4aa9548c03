"""Who may order what of whom, who acts where, and who is right when two teams claim one customer."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, Query

from api.deps import Caller, Db, Degrees, Language, Questions
from api.schemas.common import Slug
from api.schemas.orders import CheckOut, DisputeOut, OrdersOut
from gridsvc.services import conduct, disputes, orders
from gridsvc.services.conduct import Place

__all__ = ["router"]

router = APIRouter(prefix="/v1", tags=["orders"])

Person = Annotated[str, Query(min_length=1, max_length=200)]
Line = Annotated[str, Query(min_length=1, max_length=64)]
At = Annotated[
    str | None,
    Query(max_length=40, description="A time with its offset, or a date in the territory; else now."),
]
Teams = Annotated[
    list[str], Query(alias="team", max_length=20, description="Repeat for each which claims it.")
]


@dataclass(frozen=True, slots=True)
class _Where:
    """A customer or a point, from the query."""

    customer: Annotated[str | None, Query(max_length=200)] = None
    lat: Annotated[Degrees | None, Query()] = None
    lon: Annotated[Degrees | None, Query()] = None
    crs: Annotated[Literal["wgs84", "gcj02", "bd09"], Query()] = "wgs84"

    def place(self) -> Place:
        return Place(self.customer, self.lon, self.lat, self.crs)


Where = Annotated[_Where, Depends(_Where)]


@router.get("/territories/{territory}/orders", response_model=OrdersOut)
def get_orders(
    territory: Slug,
    person: Person,
    work: Literal["routine", "other", "conflict"],
    db: Db,
    who: Caller,
    lang: Language,
    grid: Annotated[str | None, Query(max_length=200, description="Else all of the member's grids.")] = None,
    line: Line = "base",
    at: At = None,
) -> Any:
    """Who may give a member an order of this kind, and through whom."""
    return orders.orders(db, who, territory, person, work, grid=grid, line=line, at=at, lang=lang)


@router.get("/territories/{territory}/check", response_model=CheckOut)
def check_conduct(
    territory: Slug,
    person: Person,
    where: Where,
    desk: Questions,
    who: Caller,
    lang: Language,
    line: Line = "base",
    at: At = None,
) -> Any:
    """Whether a person acts inside their grid for a customer or at a place; the owner is told."""
    return conduct.check(desk, who, territory, person, where.place(), line=line, at=at, lang=lang)


@router.get("/territories/{territory}/disputes", response_model=DisputeOut)
def get_dispute(
    territory: Slug,
    where: Where,
    desk: Questions,
    who: Caller,
    lang: Language,
    team: Teams,
    line: Line = "base",
    at: At = None,
) -> Any:
    """Who is right where teams claim one customer or place: rules, publications, rosters and dates."""
    return disputes.dispute(desk, who, territory, where.place(), team, line=line, at=at, lang=lang)
