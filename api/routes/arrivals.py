"""Customers as they come, move and go, one by one or in batches."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request, Response
from starlette.concurrency import run_in_threadpool

from api.bodies import whole_body
from api.deps import Caller, Language, Questions
from api.schemas.arrivals import BATCH_BODY, ONE_BODY, BatchTold, Ended, Told
from api.schemas.common import Slug
from gridsvc.errors import UnknownForm
from gridsvc.services import arrivals

__all__ = ["router"]

router = APIRouter(prefix="/v1/territories/{territory}/customers", tags=["customers"])

_ONE_BYTES = 1 << 20
_MANY_BYTES = 32 << 20
_LINES = {"application/x-ndjson", "application/ndjson", "application/jsonl"}

Crs = Annotated[str, Query(description="Of lon and lat: wgs84, gcj02, bd09 or EPSG:n.")]


@router.post("/batch", response_model=BatchTold, openapi_extra=BATCH_BODY)
async def tell_customers(
    territory: Slug, request: Request, response: Response, desk: Questions, who: Caller, crs: Crs = "wgs84"
) -> Any:
    """Take in up to 10,000 customers; each row has its own verdict, and a bad one spoils no other.

    A row which was told before, or is older than what is known, changes nothing and says so: a batch may be
    repeated as a whole.
    """
    kind = request.headers.get("content-type", "application/json").partition(";")[0].strip().lower()
    if kind not in _LINES | {"application/json"}:
        raise UnknownForm(
            "customers come as JSON",
            field="Content-Type",
            cure="send application/json or application/x-ndjson",
        )
    body = await whole_body(request, _MANY_BYTES)
    response.headers["Cache-Control"] = "no-store"
    return await run_in_threadpool(
        arrivals.put_many, desk, who, territory, body, lines=kind in _LINES, crs=crs
    )


@router.put("/{customer:path}", response_model=Told, openapi_extra=ONE_BODY)
async def tell_customer(
    territory: Slug,
    customer: str,
    request: Request,
    response: Response,
    desk: Questions,
    who: Caller,
    lang: Language,
    crs: Crs = "wgs84",
) -> Any:
    """Take in a customer who came or moved: it is placed at once, and the answer says who owns it."""
    body = await whole_body(request, _ONE_BYTES)
    response.headers["Cache-Control"] = "no-store"
    return await run_in_threadpool(arrivals.put, desk, who, territory, customer, body, crs=crs, lang=lang)


@router.delete("/{customer:path}", response_model=Ended)
def end_customer(
    territory: Slug,
    customer: str,
    desk: Questions,
    who: Caller,
    source_updated_at: Annotated[datetime, Query(description="When the source made the change.")],
    valid_to: Annotated[
        datetime | None, Query(description="When the customer ends; now if not given.")
    ] = None,
) -> Any:
    """Take in that a customer is no more; what was told of it before stays on record."""
    return arrivals.end(desk, who, territory, customer, source_updated_at, valid_to=valid_to)
