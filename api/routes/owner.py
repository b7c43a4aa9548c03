"""Who owns this? One question at a time, or many at once."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal

import numpy as np
import orjson
from fastapi import APIRouter, Depends, Query
from fastapi.responses import Response

from api.deps import Db, Degrees, Language, Scope
from api.schemas.common import Slug
from api.schemas.owner import BatchAnswers, BatchQuery, OwnerAnswer, OwnerQuery
from gridsvc.errors import InvalidInput
from gridsvc.ownership.answer import Answer, Lang
from gridsvc.principal import Principal
from gridsvc.services import ownership
from gridsvc.services.ownership import Asked

__all__ = ["router"]

router = APIRouter(prefix="/v1/owner", tags=["owner"])

OnMiss = Literal["problem", "status"]


def _asked(
    lang: Language,
    territory: Annotated[
        Slug | None, Query(description="Required where several territories are published.")
    ] = None,
    line: str = "base",
    as_of: Annotated[
        datetime | None, Query(description="The time asked about, with an offset; now if not given.")
    ] = None,
    as_known: Annotated[datetime | None, Query(description="Answer as it was known at this time.")] = None,
    on_miss: Annotated[
        OnMiss, Query(description="`status` answers 200 also where nobody owns the place.")
    ] = "problem",
) -> Asked:
    return _state(lang, territory, line, as_of, as_known, on_miss)


def _state(
    lang: Lang,
    territory: str | None,
    line: str,
    as_of: datetime | None,
    as_known: datetime | None,
    on_miss: OnMiss,
) -> Asked:
    for name, time in (("as_of", as_of), ("as_known", as_known)):
        if time is not None and time.tzinfo is None:
            raise InvalidInput("a time without offset", field=name, cure="write 2026-12-01T00:00:00+08:00")
    return Asked(territory, line, as_of, as_known, lang, on_miss == "status")


Question = Annotated[Asked, Depends(_asked)]


def _render(answer: Answer) -> Response:
    return Response(orjson.dumps(answer.as_dict()), media_type="application/json")


@router.get("", response_model=OwnerAnswer)
def owner_of_point(
    lat: Degrees,
    lon: Degrees,
    db: Db,
    who: Annotated[Principal, Depends(Scope("owner:read"))],
    asked: Question,
    crs: Annotated[str, Query(description="wgs84, gcj02, bd09 or EPSG:n.")] = "wgs84",
) -> Any:
    """Owner of a point."""
    return _render(ownership.point(db, who, lon, lat, crs=crs, asked=asked))


@router.get("/cells/{cell}", response_model=OwnerAnswer)
def owner_of_cell(
    cell: str, db: Db, who: Annotated[Principal, Depends(Scope("owner:read"))], asked: Question
) -> Any:
    """Owner of a cell."""
    return _render(ownership.cell(db, who, cell, asked=asked))


@router.get("/customers/{customer:path}", response_model=OwnerAnswer)
def owner_of_customer(
    customer: str, db: Db, who: Annotated[Principal, Depends(Scope("owner:read"))], asked: Question
) -> Any:
    """Owner of a customer."""
    return _render(ownership.customer(db, who, customer, asked=asked))


@router.post("/query", response_model=OwnerAnswer)
def query_owner(
    body: OwnerQuery, db: Db, who: Annotated[Principal, Depends(Scope("owner:read"))], lang: Language
) -> Any:
    """One question in the body, for callers whose proxies log addresses."""
    asked = _state(lang, body.territory, body.line, body.as_of, body.as_known, body.on_miss)
    if body.customer is not None:
        return _render(ownership.customer(db, who, body.customer, asked=asked))
    if body.cell is not None:
        return _render(ownership.cell(db, who, body.cell, asked=asked))
    assert body.lon is not None and body.lat is not None  # noqa: S101 - checked by the schema
    return _render(ownership.point(db, who, body.lon, body.lat, crs=body.crs, asked=asked))


@router.post("/batch", response_model=BatchAnswers)
def batch_owner(
    body: BatchQuery, db: Db, who: Annotated[Principal, Depends(Scope("owner:read"))], lang: Language
) -> Any:
    """Owners of up to 100,000 points; a bad point spoils only its own row unless `strict`."""
    asked = _state(lang, body.territory, body.line, body.as_of, body.as_known, "status")
    lon, lat = (np.array(axis, dtype=np.float64) for axis in (body.lon, body.lat))
    found, answers = ownership.batch(db, who, lon, lat, crs=body.crs, asked=asked)
    if body.strict:
        _refuse_invalid(answers.status)
    document = {
        "territory": found.publication.territory,
        "publication": found.moment.publication,
        "roster": found.moment.roster,
        "seq": found.moment.seq,
        "status": answers.status.tolist(),
        "cell": answers.cell.tolist(),
        "grid": answers.grid.tolist(),
        "team": answers.team.tolist(),
        "rule": answers.rule.tolist(),
    }
    return Response(orjson.dumps(document), media_type="application/json")


def _refuse_invalid(status: np.ndarray[Any, Any]) -> None:
    bad = np.flatnonzero(status == "invalid")
    if len(bad):
        raise InvalidInput(
            f"{len(bad)} of the points are not places",
            row=int(bad[0]) + 1,
            field="lat, lon",
            cure="correct them, or ask without strict",
        )
