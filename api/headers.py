"""Headers of every answer."""

from __future__ import annotations

import re
import uuid

from starlette.datastructures import Headers as Given
from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from gridsvc import correlation

__all__ = ["Headers"]

_HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:; "
        "connect-src 'self'; worker-src 'self'; font-src 'self'; base-uri 'none'; form-action 'self'; "
        "frame-ancestors 'none'"
    ),
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}

_REQUEST_ID = "X-Request-Id"
_PROPER = re.compile(r"[\w.-]{1,64}", re.ASCII)


class Headers:
    """Adds what keeps browsers careful, unless a route has said otherwise, and names the request.

    The request's id is the caller's, where it is a proper one: the audit holds it, and the answer tells it.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve a request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        given = Given(scope=scope).get(_REQUEST_ID, "")
        served = given if _PROPER.fullmatch(given) else uuid.uuid4().hex

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                headers[_REQUEST_ID] = served
                for name, value in _HEADERS.items():
                    headers.setdefault(name, value)
            await send(message)

        with correlation.serving(served):
            await self._app(scope, receive, send_with_headers)
