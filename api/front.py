"""What the server runs: lookups at once, and all else as soon as the application is loaded.

The application takes a second to import; the mapped files take none. So a server that starts answers lookups
first, and other requests wait for the rest.
"""

from __future__ import annotations

import asyncio
import gc
import logging
import os
import signal
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any, cast

from uvicorn.middleware.proxy_headers import ProxyHeadersMiddleware

from api.at_once import AtOnce, Replies
from api.connections import Guard
from api.cors import opened_to
from api.counting import Front
from api.door import Door
from api.lookup import Lookup
from api.throttle import Throttle
from gridsvc import logs
from gridsvc.config import Settings
from gridsvc.guessing import Guesses
from gridsvc.origins import origins_of
from gridsvc.ownership.live import Live
from gridsvc.store.quick_keys import QuickKeys

if TYPE_CHECKING:
    from fastapi import FastAPI
    from starlette.types import ASGIApp, Receive, Scope, Send

__all__ = ["WATCHED", "create"]

WATCHED = "GRIDSVC_WATCHED"
"""Set where another process keeps the mapped files up to date."""

_log = logging.getLogger("gridsvc.api")


def create() -> ASGIApp:
    """Make what a server runs; settings come from the environment."""
    settings = Settings.load()
    logs.configure(settings.log_format)
    live, front = Live(settings.mapped), Front(settings.mapped)
    AtOnce.guard = Guard(settings.max_connections, front.cut)
    origins = origins_of(settings.cors_origins)
    door = Door(settings.access, settings.hosts, origins)
    door.ask([QuickKeys(settings.url)])  # until the application knows the keys
    guesses = Guesses(settings.customer_misses)
    rest = _Rest(partial(_load, settings, live=live, front=front, door=door, guesses=guesses))
    logged = settings.log_requests == "all"
    lookup = Lookup(rest, live, door, front, logged=logged, guesses=guesses, loaded=rest.is_here)
    throttle = Throttle(lookup, settings.rate, front.refused) if settings.rate else None
    AtOnce.replies = None
    if not origins and (throttle is None or settings.access == "keys"):
        AtOnce.replies = Replies(lookup, None if throttle is None else throttle.take)
    served = lookup if throttle is None else _by_caller(throttle, door)
    return opened_to(origins, served) if origins else served


def _by_caller(throttle: Throttle, door: Door) -> ASGIApp:
    """Hold callers to their rate, by their key; whoever shows none that is known, by their address."""
    by_address = ProxyHeadersMiddleware(cast("Any", throttle), _trusted())

    async def served(scope: Scope, receive: Receive, send: Send) -> None:
        known = door.known(scope) if scope["type"] == "http" else None
        if known is None:
            await by_address(cast("Any", scope), cast("Any", receive), cast("Any", send))
        else:
            await throttle.serve(known.actor, scope, receive, send)

    return served


def _trusted() -> str:
    """Whose word is taken for who asks: proxies in front."""
    return os.environ.get("FORWARDED_ALLOW_IPS", "127.0.0.1")


class _Rest:
    """The application, loaded in the background."""

    def __init__(self, load: Callable[[], FastAPI]) -> None:
        self._load = load
        self._app: ASGIApp | None = None
        self._here, self._stop = asyncio.Event(), asyncio.Event()

    def is_here(self) -> bool:
        """Whether it is loaded."""
        return self._app is not None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve a request, or the server's start and stop."""
        if scope["type"] == "lifespan":
            await self._live_through(receive, send)
            return
        await self._here.wait()
        assert self._app is not None  # noqa: S101 - it is here
        await self._app(scope, receive, send)

    async def _live_through(self, receive: Receive, send: Send) -> None:
        await receive()
        loaded = asyncio.create_task(self._run())
        await send({"type": "lifespan.startup.complete"})
        await receive()
        self._stop.set()
        await loaded
        await send({"type": "lifespan.shutdown.complete"})

    async def _run(self) -> None:
        """Load the application and have it until the server stops; without it the server is of no use."""
        try:
            app = await asyncio.to_thread(self._load)
            async with app.router.lifespan_context(app):
                gc.freeze()  # what is loaded stays: the collector need not walk through it again and again
                self._app = cast("ASGIApp", ProxyHeadersMiddleware(cast("Any", app), _trusted()))
                self._here.set()
                await self._stop.wait()
        except Exception:  # noqa: BLE001 - logged, and the process ends
            _log.exception("the service could not start")
            os.kill(os.getpid(), signal.SIGTERM)


def _load(settings: Settings, **shared: Any) -> FastAPI:
    # All that is made while loading stays: walking through it again and again takes a tenth of the start.
    gc.disable()
    try:
        from api.app import create_app

        return create_app(settings, watched=bool(os.environ.get(WATCHED)), **shared)
    finally:
        gc.enable()
