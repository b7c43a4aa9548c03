"""The application: routes, pages and what the service owns while it runs."""

from __future__ import annotations

import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from importlib import import_module

from fastapi import Depends, FastAPI

from api import pages, problems
from api.deps import App
from api.feed import Feed
from api.headers import Headers
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
    jobs,
    layers,
    levels,
    lineage,
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
    territories,
    webhooks,
)
from api.stopping import on_stop
from api.text import plain_text
from gridsvc import __version__
from gridsvc.compute import Local, Remote
from gridsvc.config import Settings
from gridsvc.exchange.receivers import Receivers
from gridsvc.guessing import Guesses
from gridsvc.ownership.live import Live
from gridsvc.services.desk import Desk
from gridsvc.services.events import Log
from gridsvc.services.jobs import discard_orphans
from gridsvc.services.keeping import Keeper
from gridsvc.store.database import Database
from gridsvc.supervisor import Supervisor
from gridsvc.watcher import Watcher

__all__ = ["create_app"]

_SOON = "gridsvc.balance.metrics"
"""What the first move needs: it brings scipy, for which neither the start nor the first move should wait."""

_ABANDONED = 3600.0
"""Seconds after which an upload whose request died is taken for waste."""


def create_app(
    settings: Settings | None = None, *, live: Live | None = None, watched: bool = False
) -> FastAPI:
    """Make the application.

    Parameters
    ----------
    settings : Settings or None
        Come from the environment unless given.
    live : Live or None
        The present state, where somebody has it open already.
    watched : bool
        Another process keeps its files up to date; otherwise a thread of this one does.
    """
    chosen = settings or Settings.load()
    receivers = Receivers.parse(chosen.webhook_allow)

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        database = Database.open(chosen.url)
        guesses = Guesses(chosen.customer_misses)
        desk = Desk(database, live or Live(chosen.mapped), Keeper(chosen.mapped), guesses)
        work = Remote(chosen.mapped, Local(desk))
        watcher = None if watched else Watcher(chosen.url, chosen.mapped)
        supervisor = Supervisor(chosen.url, slots=chosen.job_slots, receivers=receivers)
        feed = Feed(Log(database))
        try:
            database.require_version()
            app.state.gridsvc = App(chosen, database, desk, work, supervisor, feed)
            discard_orphans(database, chosen.uploads, _ABANDONED)
            on_stop(feed.close)
            supervisor.start()
            if watcher is not None:
                watcher.start()
            soon = threading.Timer(1.0, import_module, [_SOON])
            soon.start()
            yield
            soon.cancel()
            supervisor.stop()
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
        dependencies=[Depends(plain_text)],
    )
    problems.install(app)
    for module in (
        health,
        territories,
        layers,
        customers,
        arrivals,
        erasures,
        freshness,
        columns,
        plans,
        assignments,
        adoption,
        compare,
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
    app.openapi = lambda: problems.describe(described())  # type: ignore[method-assign]
    app.add_middleware(Headers)
    pages.install(app)
    return app
