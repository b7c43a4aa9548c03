"""The application: routes, pages and what the service owns while it runs."""

from __future__ import annotations

import threading
from collections.abc import AsyncIterator, Iterable, Iterator
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

from fastapi import Depends, FastAPI
from starlette.routing import BaseRoute, Route

from api import access, pages, problems
from api.bodies import BodyLimit, Overlong, overlong
from api.counting import Front, Routes
from api.deps import App, caller
from api.door import Door
from api.feed import Feed
from api.gate import Gate
from api.headers import Headers
from api.observe import Observe
from api.ogc import core as ogc_core
from api.ogc import items as ogc_items
from api.ogc import tiles as ogc_tiles
from api.routes import (
    adoption,
    arrivals,
    assignments,
    audit,
    changes,
    columns,
    compare,
    customers,
    erasures,
    events,
    exports,
    freshness,
    handovers,
    health,
    identity,
    jobs,
    layers,
    levels,
    lineage,
    maps,
    metrics,
    move_sheets,
    moves,
    orders,
    owner,
    plans,
    publications,
    publishing,
    realign,
    requests,
    retiling,
    review,
    rosters,
    scorecards,
    sessions,
    territories,
    webhooks,
)
from api.stopping import on_stop
from api.text import plain_text
from api.tracing import SILENT, spans
from gridsvc import __version__
from gridsvc.compute import Local, Remote
from gridsvc.config import Settings
from gridsvc.exchange.receivers import Receivers
from gridsvc.guessing import Guesses
from gridsvc.origins import origins_of
from gridsvc.ownership.live import Live
from gridsvc.services.desk import Desk
from gridsvc.services.events import Log
from gridsvc.services.jobs import discard_orphans
from gridsvc.services.keeping import Keeper
from gridsvc.services.keyring import Keyring
from gridsvc.store.database import Database
from gridsvc.supervisor import Supervisor
from gridsvc.watcher import Watcher

if TYPE_CHECKING:
    from gridsvc.openid.company import Company

__all__ = ["create_app"]

_SPARE = 2.0
"""Seconds after a start in which jobs that were left are not taken up yet."""

_ABANDONED = 3600.0
"""Seconds after which an upload whose request died is taken for waste."""


def create_app(
    settings: Settings | None = None,
    *,
    live: Live | None = None,
    front: Front | None = None,
    watched: bool = False,
    door: Door | None = None,
    guesses: Guesses | None = None,
) -> FastAPI:
    """Make the application.

    Parameters
    ----------
    settings : Settings or None
        Come from the environment unless given.
    live : Live or None
        The present state, where somebody has it open already.
    front : Front or None
        Counts lookups, where somebody does so already.
    watched : bool
        Another process keeps its files up to date; otherwise a thread of this one does.
    door : Door or None
        Who is let in, where somebody asks that before this application is asked.
    guesses : Guesses or None
        Counts unknown customers, where somebody does so already.
    """
    chosen = settings or Settings.load()
    receivers = Receivers.parse(chosen.webhook_allow)
    entrance = door or Door(chosen.access, chosen.hosts, origins_of(chosen.cors_origins))
    company = _company(chosen)

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        database = Database.open_existing(chosen.url)
        guessed = guesses or Guesses(chosen.customer_misses)
        desk = Desk(database, live or Live(chosen.mapped), Keeper(chosen.mapped), guessed)
        work = Remote(chosen.mapped, Local(desk))
        watcher = None if watched else Watcher(chosen.url, chosen.mapped)
        supervisor = Supervisor(chosen.url, slots=chosen.job_slots, receivers=receivers, spare=_SPARE)
        feed, counted = Feed(Log(database)), front or Front(chosen.mapped)
        ring, stopping = Keyring(database, entrance.forget), threading.Event()
        try:
            database.require_version()
            app.state.gridsvc = App(
                chosen,
                database,
                desk,
                work,
                supervisor,
                feed,
                entrance,
                counted,
                _watch_over(app, chosen, counted),
                stopping,
                company,
            )
            discard_orphans(database, chosen.uploads, _ABANDONED)
            on_stop(feed.close)
            on_stop(stopping.set)
            if entrance.access == "keys":
                ring.start()
                entrance.ask([ring] if company is None else [ring, company])
            supervisor.start()
            if watcher is not None:
                watcher.start()
            yield
            supervisor.stop()
            if entrance.access == "keys":
                ring.stop()
            if watcher is not None:
                watcher.stop()
        finally:
            feed.end()
            database.close()

    app = FastAPI(
        title="gridsvc",
        version=__version__,
        summary="Balanced sales grids, the teams that own them, and who owns what.",
        lifespan=lifespan,
        docs_url=None,
        redoc_url=None,
        responses=problems.RESPONSES,
        dependencies=[Depends(caller), Depends(plain_text)],
        telemetry=SILENT,
    )
    problems.install(app)
    app.add_exception_handler(Overlong, overlong)
    for module in (
        health,
        metrics,
        identity,
        sessions,
        territories,
        layers,
        maps,
        customers,
        arrivals,
        erasures,
        freshness,
        columns,
        plans,
        assignments,
        adoption,
        compare,
        move_sheets,
        moves,
        realign,
        exports,
        retiling,
        jobs,
        events,
        publications,
        publishing,
        review,
        rosters,
        scorecards,
        requests,
        handovers,
        orders,
        levels,
        lineage,
        owner,
        changes,
        webhooks,
        audit,
        ogc_core,
        ogc_items,
        ogc_tiles,
    ):
        app.include_router(module.router)
    described = app.openapi
    app.openapi = lambda: _described(described(), entrance)  # type: ignore[method-assign]
    app.add_middleware(Gate, door=entrance)
    pages.install(app)
    return app


def _watch_over(app: FastAPI, settings: Settings, front: Front) -> Routes:
    """Count and log requests from now on, and give the numbers."""
    counts = Routes(settings.mapped, _templates(app.routes))
    # Around all that Starlette puts around an application by itself: answers to bugs are seen as well.
    mega = 1_000_000
    limited = BodyLimit(
        app.build_middleware_stack(),
        forms=(settings.max_upload_mb + 1) * mega,  # a form has more than its file
        others=settings.max_json_mb * mega,
    )
    inner = Headers(limited, hosts=settings.base.hosts if settings.base else ())
    app.middleware_stack = Observe(inner, front, counts, settings.log_requests, spans())
    return counts


def _templates(routes: Iterable[BaseRoute]) -> Iterator[tuple[str, str]]:
    """Method and template of each route, also of those in routers."""
    for route in routes:
        if isinstance(route, Route):
            yield from ((method, route.path_format) for method in route.methods or ())
        else:
            yield from _templates(getattr(getattr(route, "original_router", None), "routes", ()))


def _company(settings: Settings) -> Company | None:
    """The company's provider, whose libraries are loaded where there is one."""
    if not settings.oidc_issuer:
        return None
    from gridsvc.openid.company import company_of

    return company_of(settings)


def _described(document: dict[str, Any], door: Door) -> dict[str, Any]:
    """What FastAPI does not know: the form of problems, and who may use what."""
    told = problems.describe(document)
    return access.describe(told) if door.access == "keys" else told
