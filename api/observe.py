"""Counts, times and logs each request by the template of its route, never by what is asked for."""

from __future__ import annotations

import logging
from time import perf_counter
from typing import Literal

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.counting import LEFT, OTHER, Front, Routes
from api.tracing import Tell
from gridsvc.logs import FIELDS

__all__ = ["ACTOR", "Logged", "Observe"]

ACTOR = "gridsvc.actor"
"""Where a scope says who asks, once that is known."""

Logged = Literal["none", "most", "all"]

_QUIET = {"/healthz", "/readyz", "/metrics"}
_LOOKUPS = "/v1/owner"

_log = logging.getLogger("gridsvc.requests")


class Observe:
    """Stands around the whole application.

    Parameters
    ----------
    logged : {"none", "most", "all"}
        Which requests are logged; most are all but probes.
    traced : callable or None
        Told of each request but probes.
    """

    def __init__(
        self, app: ASGIApp, front: Front, routes: Routes, logged: Logged, traced: Tell | None = None
    ) -> None:
        self._app, self._front, self._routes, self._logged = app, front, routes, logged
        self._traced = traced

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve a request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        began, status, name = perf_counter(), LEFT, ""

        async def send_seen(message: Message) -> None:
            nonlocal status, name
            if message["type"] == "http.response.start":
                status = message["status"]
                name = next((v.decode("latin-1") for k, v in message["headers"] if k == b"x-request-id"), "")
            await send(message)

        try:
            await self._app(scope, receive, send_seen)
        finally:
            self._note(scope, status, name, perf_counter() - began)

    def _note(self, scope: Scope, status: int, name: str, seconds: float) -> None:
        template = getattr(scope.get("route"), "path_format", OTHER)
        self._routes.count(scope["method"], template, status, seconds)
        if template.startswith(_LOOKUPS):
            self._front.lookup(seconds)
        if self._traced is not None and template not in _QUIET:
            self._traced(scope, template, status, seconds, name)
        if self._logged == "all" or (self._logged == "most" and template not in _QUIET):
            log_request(scope["method"], template, status, seconds, scope.get(ACTOR, "-"), name)


def log_request(method: str, template: str, status: int, seconds: float, actor: str, name: str) -> None:
    """Write a line of the requests' log."""
    values = (method, template, status, round(1000 * seconds, 3), actor, name)
    named = dict(zip(("method", "route", "status", "ms", "actor", "request_id"), values, strict=True))
    _log.info("%s %s %d %.1f ms %s %s", *values, extra={FIELDS: named})
