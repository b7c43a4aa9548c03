"""Measures as customers are now, and how far publications have drifted from what they were."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter
from pydantic import BaseModel, Field

from api.deps import Caller, Db, Key
from api.routes.publications import Number
from api.schemas.common import Request, Slug
from gridsvc.services import drift, refresh

__all__ = ["router"]

router = APIRouter(prefix="/v1", tags=["customers"])


class RefreshedTotal(BaseModel):
    """Total of a measure."""

    before: float | None
    now: float


class Refreshed(BaseModel):
    """What measures came to."""

    tiling: str
    territory: str
    as_of: datetime
    measures: dict[str, RefreshedTotal]


class Deviation(BaseModel):
    """Relative distance from the target; null where the plan had none."""

    then: float | None
    now: float | None


class DriftMeasure(BaseModel):
    """A measure of a grid when the publication took effect, and now; `change` is relative."""

    then: float
    now: float
    change: float
    target: float | None
    deviation: Deviation


class DriftGrid(BaseModel):
    """A grid: customers who came and left, and its measures."""

    grid: str
    name: str
    arrived: int
    left: int
    measures: dict[str, DriftMeasure]
    alarm: bool


class ImportedAt(BaseModel):
    """When the imports went live which were used."""

    then: datetime | None
    now: datetime | None


class Drift(BaseModel):
    """How far a publication has drifted."""

    territory: str
    line: str
    publication: int
    since: datetime
    as_of: datetime
    imported_at: ImportedAt
    threshold: float
    alarm: bool
    grids: list[DriftGrid]


class Threshold(Request):
    """From which relative change on a grid alarms."""

    threshold: Annotated[float, Field(examples=[0.1])]


@router.post("/tilings/{tiling}/measures/refresh", response_model=Refreshed)
def refresh_measures(tiling: str, db: Db, who: Caller, key: Key) -> Any:
    """Measure the customers of a tiling as they are now; plans and their reports go on with that."""
    return refresh.refresh(db, who, tiling, idempotency=key)


@router.get("/publications/{n}/drift", response_model=Drift)
def get_drift(
    n: Number,
    territory: Slug,
    db: Db,
    who: Caller,
    line: str = "base",
) -> Any:
    """Customers and measures of each grid when the publication took effect, and now."""
    return drift.drift(db, who, territory, n, line=line)


@router.put("/territories/{territory}/drift-threshold", response_model=Threshold)
def put_drift_threshold(
    territory: Slug,
    body: Threshold,
    db: Db,
    who: Caller,
) -> Any:
    """Set from which change on grids alarm, and `publication.drifted` is told once for a publication."""
    return {"threshold": drift.put_threshold(db, who, territory, body.threshold)}
