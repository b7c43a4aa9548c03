"""Who owns this? One question at a time, or many at once."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from typing import Annotated, Any, Literal

import orjson
from fastapi import APIRouter, Depends, Header, Query, Request
from fastapi.responses import Response
from starlette.concurrency import run_in_threadpool

from api.bodies import whole_body
from api.deps import Batches, Caller, Degrees, Language, Questions
from api.lookup import CACHE_CONTROL
from api.schemas.batch import BATCH_BODY, BATCH_RESPONSES
from api.schemas.common import Slug
from api.schemas.owner import OwnerAnswer, OwnerQuery
from api.text import said_once
from gridsvc.errors import InvalidInput
from gridsvc.ownership.answer import Answer
from gridsvc.ownership.points import MAX_BYTES
from gridsvc.services import ownership
from gridsvc.services.desk import Asked

__all__ = ["router"]

router = APIRouter(prefix="/v1/owner", tags=["owner"], dependencies=[Depends(said_once)])

OnMiss = Literal["problem", "status"]
Crs = Annotated[str, Query(description="wgs84, gcj02, bd09 or EPSG:n.")]


def _state(
    lang: Language,
    territory: Annotated[
        Slug | None, Query(description="Required where several territories are published.")
    ] = None,
    line: Annotated[str, Query(description="Line of business.")] = "base",
    as_of: Annotated[
        datetime | None,
        Query(description="The time asked about, past or future, with an offset; now if not given."),
    ] = None,
    as_known: Annotated[datetime | None, Query(description="Answer as it was known at this time.")] = None,
    min_seq: Annotated[
        int,
        Query(ge=0, lt=2**63, description="Answer with nothing older than this `seq`, which you have seen."),
    ] = 0,
) -> Asked:
    return _checked(Asked(territory, line, as_of, as_known, lang, min_seq=min_seq))


State = Annotated[Asked, Depends(_state)]


def _question(
    asked: State,
    on_miss: Annotated[
        OnMiss, Query(description="`status` answers 200 also where nobody owns the place.")
    ] = "problem",
) -> Asked:
    return replace(asked, on_miss_status=on_miss == "status")


Question = Annotated[Asked, Depends(_question)]


def _checked(asked: Asked) -> Asked:
    for name, time in (("as_of", asked.as_of), ("as_known", asked.as_known)):
        if time is not None and time.tzinfo is None:
            raise InvalidInput("a time without offset", field=name, cure="write 2026-12-01T00:00:00+08:00")
    return asked


class _Told:
    """Gives an answer, or says that the caller has it already."""

    def __init__(self, if_none_match: Annotated[str | None, Header()] = None) -> None:
        self._has = if_none_match

    def __call__(self, answer: Answer) -> Response:
        tag = f'"{answer.publication}-{answer.roster or 0}-{answer.seq}"'
        headers = {"ETag": tag, "Cache-Control": CACHE_CONTROL, "Vary": "Accept-Language"}
        if self._has == tag:
            return Response(None, 304, headers)
        return Response(orjson.dumps(answer.as_dict()), 200, headers, "application/json")


Told = Annotated[_Told, Depends(_Told)]


@router.get("", response_model=OwnerAnswer)
def owner_of_point(
    lat: Degrees,
    lon: Degrees,
    desk: Questions,
    who: Caller,
    asked: Question,
    told: Told,
    crs: Crs = "wgs84",
) -> Any:
    """Owner of a point."""
    return told(ownership.point(desk, who, lon, lat, crs=crs, asked=asked))


@router.get("/cells/{cell:path}", response_model=OwnerAnswer)
def owner_of_cell(cell: str, desk: Questions, who: Caller, asked: Question, told: Told) -> Any:
    """Owner of a cell: a finer H3 cell is answered by its centre, a coarser one by the cells in it."""
    return told(ownership.cell(desk, who, cell, asked=asked))


@router.get("/customers/{customer:path}", response_model=OwnerAnswer)
def owner_of_customer(customer: str, desk: Questions, who: Caller, asked: Question, told: Told) -> Any:
    """Owner of a customer."""
    return told(ownership.customer(desk, who, customer, asked=asked))


@router.post("/query", response_model=OwnerAnswer)
def query_owner(body: OwnerQuery, desk: Questions, who: Caller, lang: Language, told: Told) -> Any:
    """One question in the body, for callers whose proxies log addresses."""
    named = {name: getattr(body, name) for name in ("territory", "line", "as_of", "as_known", "min_seq")}
    asked = _checked(Asked(**named, lang=lang, on_miss_status=body.on_miss == "status"))
    if body.customer is not None:
        return told(ownership.customer(desk, who, body.customer, asked=asked))
    if body.cell is not None:
        return told(ownership.cell(desk, who, body.cell, asked=asked))
    assert body.lon is not None and body.lat is not None  # noqa: S101 - checked by the schema
    return told(ownership.point(desk, who, body.lon, body.lat, crs=body.crs, asked=asked))


@router.post("/batch", response_class=Response, responses=BATCH_RESPONSES, openapi_extra=BATCH_BODY)
async def batch_owner(
    request: Request,
    work: Batches,
    who: Caller,
    asked: State,
    crs: Crs = "wgs84",
    strict: Annotated[bool, Query(description="Refuse the whole batch when one point is no place.")] = False,
) -> Response:
    """Owners of up to 100,000 points; a bad point spoils only its own row unless `strict`.

    Points come as JSON columns, as a list of JSON objects or as an Arrow table with the columns `lat` and
    `lon`, and the answers in the same form, in the order of the points. What a JSON object says beside its
    points counts more than the query.
    """
    body = await whole_body(request, MAX_BYTES)
    options = {
        "territory": asked.territory,
        "line": asked.line,
        "as_of": asked.as_of and asked.as_of.isoformat(),
        "as_known": asked.as_known and asked.as_known.isoformat(),
        "min_seq": asked.min_seq,
        "crs": crs,
        "strict": strict,
    }
    kind = request.headers.get("content-type", "application/json")
    media_type, answer = await run_in_threadpool(work.batch, who, body, kind, options)
    return Response(answer, media_type=media_type, headers={"Cache-Control": "no-store"})
