"""The application: routes, pages and what the service owns while it runs."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

from fastapi import FastAPI, Request, Response

from api import pages, problems
from api.deps import App
from api.routes import (
    adoption,
    compare,
    customers,
    health,
    jobs,
    moves,
    owner,
    plans,
    publications,
    publishing,
    territories,
)
from gridsvc import __version__
from gridsvc.config import Settings
from gridsvc.store.database import Database
from gridsvc.supervisor import Supervisor

__all__ = ["create_app"]

_HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:; "
        "connect-src 'self'; worker-src 'self'; font-src 'self'; base-uri 'none'; form-action 'self'; "
        "frame-ancestors 'none'"
    ),
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}


def create_app(settings: Settings | None = None) -> FastAPI:
    """Make the application; settings come from the environment unless given."""
    chosen = settings or Settings.load()

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        database = Database.open(chosen.url)
        supervisor = Supervisor(chosen.url, slots=chosen.job_slots)
        try:
            database.require_version()
            app.state.gridsvc = App(chosen, database, supervisor)
            supervisor.start()
            yield
            supervisor.stop()
        finally:
            database.close()

    app = FastAPI(
        title="gridsvc",
        version=__version__,
        summary="Balanced sales grids, the teams that own them, and who owns what.",
        lifespan=lifespan,
        docs_url=None,
        redoc_url=None,
        responses=problems.RESPONSES,
    )
    problems.install(app)
    for module in (
        health,
        territories,
        customers,
        plans,
        adoption,
        compare,
        moves,
        jobs,
        publications,
        publishing,
        owner,
    ):
        app.include_router(module.router)
    described = app.openapi
    app.openapi = lambda: problems.describe(described())  # type: ignore[method-assign]
    app.middleware("http")(_add_headers)
    pages.install(app)
    return app


async def _add_headers(request: Request, call_next: Callable[[Request], Awaitable[Response]]) -> Response:
    response = await call_next(request)
    for name, value in _HEADERS.items():
        response.headers.setdefault(name, value)
    return response
