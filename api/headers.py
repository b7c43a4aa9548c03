"""Headers of every answer."""

from __future__ import annotations

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.request_id import HEADER, request_id
from gridsvc import correlation

__all__ = ["Headers"]

_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:; "
    "connect-src {asked}; worker-src 'self'; font-src 'self'; base-uri 'none'; form-action 'self'; "
    "frame-ancestors 'none'"
)


class Headers:
    """Adds what keeps browsers careful, unless a route has said otherwise, and names the request.

    The request's id is the caller's, where it is a proper one: logs and audit hold it, the answer tells it.

    Parameters
    ----------
    hosts : tuple of str
        Origins which the page may ask besides this service: those of the base map.
    """

    def __init__(self, app: ASGIApp, hosts: tuple[str, ...] = ()) -> None:
        self._app = app
        self._headers = {
            "Content-Security-Policy": _POLICY.format(asked=" ".join(["'self'", *hosts])),
            "Cross-Origin-Opener-Policy": "same-origin",
            "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
            "Referrer-Policy": "no-referrer",
            "X-Content-Type-Options": "nosniff",
        }

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve a request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        given = next((value for name, value in scope["headers"] if name == HEADER), None)
        served = request_id(given).decode("ascii")

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                headers[HEADER.decode("ascii")] = served
                for name, value in self._headers.items():
                    headers.setdefault(name, value)
            await send(message)

        with correlation.serving(served):
            await self._app(scope, receive, send_with_headers)
