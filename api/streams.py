"""Long answers: which form is wanted, and how one is sent until its end or until nobody listens."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Callable, Iterator
from functools import partial
from typing import Annotated, Literal

from anyio import CancelScope, to_thread
from fastapi import Depends, Header, Query
from fastapi.responses import StreamingResponse
from starlette.types import Message, Receive, Scope, Send

from gridsvc.exchange.streams import MEDIA_TYPES, StreamForm

__all__ = ["Pieces", "Wanted", "WantedForm", "described"]

Wanted = Literal["ndjson", "csv", "arrow", "parquet", "json"]  # one list: a wrong form is refused by its name
Close = Callable[[], None]

_FORMS: dict[str, Wanted] = {
    "application/json": "json",
    "*/*": "json",
    "application/*": "json",
    "text/*": "csv",
    **{media_type: form for form, media_type in MEDIA_TYPES.items()},
}

_PATIENCE = 30.0
"""Seconds in which a client must have taken a piece: until then it keeps a state of the database alive."""

_log = logging.getLogger("gridsvc.api")


def _wanted(
    accept: Annotated[str, Header()] = "*/*",
    form: Annotated[
        Wanted | None,
        Query(
            alias="format",
            description="`json` comes in pages, all others whole; goes before the header Accept.",
        ),
    ] = None,
) -> Wanted:
    if form is not None:
        return form
    ranges = [_range(text) for text in accept.split(",")]
    known = [(weight, _FORMS[name]) for name, weight in ranges if name in _FORMS and weight > 0]
    return max(known, key=lambda entry: entry[0], default=(0.0, "json"))[1]


def _range(text: str) -> tuple[str, float]:
    """A media range and its weight."""
    name, *parameters = (part.strip().lower() for part in text.split(";"))
    weight = next((p[2:] for p in parameters if p.startswith("q=")), "1")
    return name, float(weight) if weight.replace(".", "", 1).isdecimal() and weight.isascii() else 0.0


WantedForm = Annotated[Wanted, Depends(_wanted)]
"""A route's dependency: the form asked for by `format=`, else by the header Accept."""


def described(columns: str) -> dict[int | str, dict[str, object]]:
    """What a route says in its description about the forms beside JSON."""
    text = {"schema": {"type": "string"}}
    binary = {"schema": {"type": "string", "format": "binary"}}
    forms = {media: text if form in {"ndjson", "csv"} else binary for form, media in MEDIA_TYPES.items()}
    said = f"A page as JSON; or all of them as a stream of rows with {columns}"
    return {200: {"description": said, "content": forms}}


class Pieces(StreamingResponse):
    """Bytes sent as they are made, by a thread; `close` is called however the sending ends."""

    def __init__(
        self, pieces: Iterator[bytes], form: StreamForm, name: str, close: Callable[[], None]
    ) -> None:
        self._pieces, self._close = pieces, close
        suffix = "arrows" if form == "arrow" else form
        headers = {
            "Cache-Control": "no-store",
            "Content-Disposition": f'attachment; filename="{name}.{suffix}"',
            "Vary": "Accept",
        }
        super().__init__(self._sent(), media_type=MEDIA_TYPES[form], headers=headers)

    async def _sent(self) -> AsyncIterator[bytes]:
        while (piece := await to_thread.run_sync(partial(next, self._pieces, None))) is not None:
            if piece:
                yield piece

    async def stream_response(self, send: Send) -> None:
        """Send all pieces, none to a client which takes nothing more."""

        async def send_in_time(message: Message) -> None:
            async with asyncio.timeout(_PATIENCE):
                await send(message)

        try:
            await super().stream_response(send_in_time)
        except TimeoutError:
            # The server then breaks the connection off, so that the client cannot take it for the end.
            _log.warning("a stream was given up: its client took nothing for %.0f s", _PATIENCE)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve the stream."""
        try:
            await super().__call__(scope, receive, send)
        finally:
            with CancelScope(shield=True):
                await to_thread.run_sync(self._close)
