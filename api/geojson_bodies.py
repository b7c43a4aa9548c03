"""Bodies which hold GeoJSON: looked at before they are parsed, which may take thirty times their size."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Coroutine
from typing import Any

from fastapi import Request
from fastapi.responses import Response
from fastapi.routing import APIRoute

from api.bodies import whole_body
from gridsvc.errors import InvalidGeometry, UnreadableFile
from gridsvc.tiling.sources.repeats import RepeatError, once

__all__ = ["POSITIONS", "GeoJsonRoute"]

POSITIONS = 300_000
"""Of a body; larger layers are uploaded."""

_BYTES = 32_000_000
_FEATURE = re.compile(rb'"Feature"')
_UPLOAD = 'upload it with POST /v1/layers and name it here: {"layer": ID}'

Handler = Callable[[Request], Coroutine[Any, Any, Response]]


class GeoJsonRoute(APIRoute):
    """A route whose body may hold GeoJSON: of bounded size, with each member once."""

    def get_route_handler(self) -> Handler:
        """As the framework's, with the body looked at first."""
        handler = super().get_route_handler()

        async def handle(request: Request) -> Response:
            if request.method in {"POST", "PUT", "PATCH"}:
                request = await _read(request)
            return await handler(request)

        return handle


async def _read(request: Request) -> Request:
    body = await whole_body(request, _BYTES)
    _check_positions(body)
    return _Read(request, body)


class _Read(Request):
    """A request whose body has been read."""

    def __init__(self, request: Request, body: bytes) -> None:
        super().__init__(request.scope, request.receive)
        self._body = body
        try:
            self._json = json.loads(body, object_pairs_hook=once)
        except RepeatError as error:
            raise UnreadableFile(
                "this member stands twice in one object",
                field=error.args[0][:60],
                cure="give each member once: which of the two is meant cannot be told",
            ) from None
        except (ValueError, RecursionError):
            return  # no JSON: who needs it to be says so


def _check_positions(body: bytes) -> None:
    """Each position opens a bracket, and so does each ring."""
    if body.count(b"[") <= POSITIONS * 3 // 2:
        return
    seen = at = 0
    while seen <= POSITIONS * 3 // 2:
        at = body.index(b"[", at) + 1
        seen += 1
    raise InvalidGeometry(
        f"up to here the body has more than {POSITIONS:,} vertices",
        row=len(_FEATURE.findall(body, 0, at)) or 1,
        field="geometry",
        cure=_UPLOAD,
    )
