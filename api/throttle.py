"""No caller may ask for more than its share: a bucket of tokens for each, in each API worker."""

from __future__ import annotations

import math
from collections.abc import Callable
from time import monotonic

import orjson
from starlette.types import ASGIApp, Receive, Scope, Send

from api.request_id import HEADER, request_id

__all__ = ["BURST_SECONDS", "Buckets", "Throttle", "address_of"]

BURST_SECONDS = 2.0
"""A caller who was silent may ask at once for as much as in so many seconds."""

_MOST = 10_000
_PROBES = {"/healthz", "/readyz"}


class Buckets:
    """Tokens of each caller, as the time at which its bucket is full again.

    Parameters
    ----------
    rate : float
        Tokens a second.
    """

    def __init__(self, rate: float, clock: Callable[[], float] = monotonic) -> None:
        self._each, self._clock = 1.0 / rate, clock
        self._slack = max(BURST_SECONDS - self._each, 0.0)
        self._full: dict[str, float] = {}

    def take(self, caller: str) -> float:
        """Take a token; gives 0, or the seconds after which there will be one."""
        now = self._clock()
        full = self._full.get(caller)
        if full is None and len(self._full) >= _MOST:
            caller, full = self._room(caller, now)
        full = now if full is None or full < now else full
        wait = full - now - self._slack
        if wait > 0:
            return wait
        self._full[caller] = full + self._each
        return 0.0

    def _room(self, caller: str, now: float) -> tuple[str, float | None]:
        """Forget whose buckets are full; where all are in use, newcomers share one."""
        self._full = {name: full for name, full in self._full.items() if full > now}
        return (caller, None) if len(self._full) < _MOST else ("", self._full.get(""))


def address_of(scope: Scope) -> str:
    """The caller's address; of the newer kind the part which is given to one household."""
    client = scope.get("client")
    host = str(client[0]) if client else ""
    return ":".join(host.split(":")[:4]) if ":" in host else host


class Throttle:
    """Refuses who is over the rate before anything is done for them; probes are never refused.

    Parameters
    ----------
    counted : callable
        Told of each refusal.

    Attributes
    ----------
    take : callable
        `Buckets.take` of its callers.
    """

    def __init__(self, app: ASGIApp, rate: float, counted: Callable[[], None]) -> None:
        self._app, self._counted = app, counted
        self.take = Buckets(rate).take

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve a request of somebody known by their address."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
        else:
            await self.serve(address_of(scope), scope, receive, send)

    async def serve(self, caller: str, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve a request of `caller`."""
        if scope["path"] in _PROBES:
            await self._app(scope, receive, send)
            return
        wait = self.take(caller)
        if wait:
            self._counted()
            await _refuse(scope, send, math.ceil(wait))
        else:
            await self._app(scope, receive, send)


async def _refuse(scope: Scope, send: Send, seconds: int) -> None:
    """Answer as `api.problems` would, which is not loaded here."""
    request = request_id(next((value for name, value in scope["headers"] if name == HEADER), None))
    body = orjson.dumps(
        {
            "type": "urn:gridsvc:problem:too-many-requests",
            "title": "Too many requests",
            "status": 429,
            "detail": "more requests than this caller may send",
            "cure": "wait as long as Retry-After says, and ask for many things at once",
            "retry_after": seconds,
            "request_id": request.decode("ascii"),
        }
    )
    headers = [
        (b"content-type", b"application/problem+json"),
        (b"content-length", b"%d" % len(body)),
        (b"retry-after", b"%d" % seconds),
        (b"cache-control", b"no-store"),
        (b"x-content-type-options", b"nosniff"),
        (HEADER, request),
    ]
    await send({"type": "http.response.start", "status": 429, "headers": headers})
    await send({"type": "http.response.body", "body": body})
