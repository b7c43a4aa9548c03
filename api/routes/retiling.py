"""Plans carried onto another tiling."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import BaseModel, Field

from api.deps import Caller, Db, Key, PageLimit
from api.schemas.common import Page, Request
from gridsvc.services import retiling

__all__ = ["router"]

router = APIRouter(prefix="/v1/plans", tags=["plans"])


class CarryOnto(Request):
    """Where a plan is to be carried."""

    tiling: str
    name: str = ""


class Walked(BaseModel):
    """The crosswalk in numbers: pairs of cells, and customers in either tiling."""

    pairs: int
    customers: int


class Carried(BaseModel):
    """The draft on the other tiling; `cells` says how many came to their grids by what."""

    plan: str
    revision: int
    source: Annotated[str, Field(description="The plan it was made from.")]
    tiling: str
    cells: dict[str, int]
    crosswalk: Walked
    empty: Annotated[list[str], Field(description="Grids which have no cell there.")]
    changed: Annotated[int, Field(description="Customers whose grid is another.")]


class ChangedCustomer(BaseModel):
    """A customer whose grid is another; null where it is in none."""

    id: str
    before: str | None
    after: str | None


@router.post("/{plan}/carry", status_code=201)
def carry_plan(plan: str, body: CarryOnto, db: Db, who: Caller, key: Key) -> Carried:
    """Make a draft on another tiling: each cell goes with its customers, else with its ground."""
    made = retiling.carry_onto(db, who, plan, body.tiling, name=body.name, idempotency=key)
    return Carried(source=made.pop("from"), **made)


@router.get("/{plan}/carried-customers")
def carried_customers(
    plan: str,
    to: Annotated[str, Query(description="A plan on another tiling of the territory.")],
    db: Db,
    who: Caller,
    after: str | None = None,
    limit: PageLimit = 100,
) -> Page[ChangedCustomer]:
    """Customers whose grid in the other plan is another than in this one."""
    rows = retiling.changed_customers(db, who, plan, to, after, limit)
    items = [ChangedCustomer(id=name, before=before, after=now) for name, before, now in rows]
    return Page(items=items, next=rows[-1][0] if len(rows) == limit else None)
