"""What others did, as one stream of server-sent events a page."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Annotated, get_args

import orjson
from fastapi import APIRouter, Header, Query, Request
from fastapi.responses import StreamingResponse
from starlette.concurrency import run_in_threadpool

from api.deps import Caller, Db, current_app
from api.schemas.common import Slug
from gridsvc.errors import GridsvcError, InvalidInput
from gridsvc.services import events
from gridsvc.services.events import TOPICS, Told, Topic

__all__ = ["router"]

router = APIRouter(prefix="/v1", tags=["events"])

_HEADERS = {"Cache-Control": "no-cache", "X-Accel-Buffering": "no"}
"""Caches must not keep a stream, and proxies not hold it back."""

EventId = Annotated[
    int | None, Query(ge=0, lt=2**63, description="Go on behind this event; the header counts more.")
]


@router.get("/events", response_class=StreamingResponse)
async def stream_events(
    request: Request,
    db: Db,
    who: Caller,
    topics: Annotated[
        str | None, Query(description=f"Some of {', '.join(TOPICS)}; else all you may read.")
    ] = None,
    plan: str | None = None,
    territory: Slug | None = None,
    last_event_id: EventId = None,
    resumed: Annotated[int | None, Header(alias="Last-Event-ID", ge=0, lt=2**63)] = None,
) -> StreamingResponse:
    """Events as they happen (`text/event-stream`); `Last-Event-ID` goes on where a stream broke off."""
    named = None if topics is None else _topics(topics)
    wanted = await run_in_threadpool(events.wanted, db, who, named, plan, territory)
    last = last_event_id if resumed is None else resumed
    told = current_app(request).feed.stream(wanted, last)
    return StreamingResponse(
        _lines(_while_known(told, request)), media_type="text/event-stream", headers=_HEADERS
    )


def _topics(text: str) -> frozenset[Topic]:
    known = {str(topic): topic for topic in get_args(Topic)}
    named = {name.strip() for name in text.split(",")} - {""}
    if not named or named - set(known):
        raise InvalidInput(
            f"there is no topic {min(named - set(known), default='')!r}",
            field="topics",
            cure=f"name some of {', '.join(known)}, with commas between them",
        )
    return frozenset(known[name] for name in named)


async def _while_known(stream: AsyncIterator[Told | None], request: Request) -> AsyncIterator[Told | None]:
    """What a stream tells, until its caller's key is good no more."""
    door = current_app(request).door
    async for told in stream:
        try:
            await door.caller(request.scope)
        except GridsvcError:
            return
        yield told


async def _lines(stream: AsyncIterator[Told | None]) -> AsyncIterator[bytes]:
    yield b"retry: 1000\n\n"
    async for told in stream:
        yield b": still here\n\n" if told is None else _event(told)


def _event(told: Told) -> bytes:
    number = b"" if told.id is None else b"id: %d\n" % told.id
    return b"%sevent: %s\ndata: %s\n\n" % (number, told.kind.encode(), orjson.dumps(told.payload))
