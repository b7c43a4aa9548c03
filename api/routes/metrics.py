"""Measurements for Prometheus."""

from __future__ import annotations

from collections.abc import Iterator

from fastapi import APIRouter, Request
from fastapi.responses import PlainTextResponse

from api.deps import App, current_app
from gridsvc import __version__, processes
from gridsvc.exposition import MEDIA_TYPE, Family, text
from gridsvc.services import gauges

__all__ = ["router"]

router = APIRouter(tags=["health"])


class _Measurements(PlainTextResponse):
    media_type = "text/plain"


@router.get("/metrics", response_class=_Measurements)
def metrics(request: Request) -> _Measurements:
    """How the service does, for Prometheus: requests, lookups, jobs, publications, processes; no customer."""
    told = text(_families(current_app(request)))
    return _Measurements(told, headers={"Content-Type": MEDIA_TYPE, "Cache-Control": "no-store"})


def _families(app: App) -> Iterator[Family]:
    version = Family("gridsvc_info", "gauge", "The version which runs.")
    version.add(1, version=__version__)
    yield version
    yield from app.front.families()
    yield from app.routes.families(app.front)
    yield _snapshot(app)
    yield from gauges.families(app.database)
    yield from processes.families()


def _snapshot(app: App) -> Family:
    seq = Family(
        "gridsvc_snapshot_seq", "gauge", "What lookups answer from; nothing while the database must."
    )
    state = None if app.desk.live is None else app.desk.live.state()
    if state is not None:
        seq.add(state.seq)
    return seq
