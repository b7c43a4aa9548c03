"""Publications."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Header, Path, Query, Response
from fastapi.responses import FileResponse

from api.deps import Caller, Db, PageLimit, Questions
from api.lookup import CACHE_CONTROL
from api.schemas.common import Page, Slug
from api.schemas.publications import PublicationOut
from gridsvc.principal import Principal
from gridsvc.services import ownership, publications
from gridsvc.services.publications import Standing
from gridsvc.store.database import Database
from gridsvc.store.records import PublicationRecord

__all__ = ["Number", "publication_out", "router"]

router = APIRouter(prefix="/v1", tags=["publications"])

SNAPSHOT = "application/vnd.gridsvc.snapshot"
BINARY = {"type": "string", "format": "binary"}

Number = Annotated[int, Path(ge=1, lt=2**31, description="Publication number.")]


def publication_out(db: Database, who: Principal, record: PublicationRecord) -> PublicationOut:
    """A publication as the API shows it."""
    return _out(record, publications.standing(db, who, record))


def _out(record: PublicationRecord, standing: Standing) -> PublicationOut:
    return PublicationOut(
        territory=record.territory,
        line=record.line,
        n=record.n,
        plan=record.plan,
        tiling=record.tiling,
        grids=record.meta["grids"],
        cells=record.meta["cells"],
        effective_at=record.effective_at,
        valid_to=standing.valid_to,
        state=standing.state,
        recorded_at=record.recorded_at,
        published_by=record.published_by,
        checksum=record.checksum,
        base_publication=record.base_publication,
        supersedes=record.supersedes,
        republishes=record.republishes,
        scope=record.scope,
        transition_until=record.transition_until,
        summary={name: value for name, value in record.meta.items() if name not in {"grids", "cells"}},
    )


@router.get("/publications")
def list_publications(
    territory: Slug,
    db: Db,
    who: Caller,
    line: str = "base",
    after: Annotated[int | None, Query(ge=1, lt=2**31, description="Go on below this number.")] = None,
    limit: PageLimit = 100,
) -> Page[PublicationOut]:
    """Publications of a territory, newest first."""
    found = publications.listing(db, who, territory, line, after, limit)
    standings = publications.standings(db, who, territory, line, found)
    items = [_out(record, standing) for record, standing in zip(found, standings, strict=True)]
    return Page(items=items, next=str(found[-1].n) if len(found) == limit else None)


@router.get("/publications/{n}")
def get_publication(
    n: Number,
    territory: Slug,
    db: Db,
    who: Caller,
    line: str = "base",
) -> PublicationOut:
    """One publication."""
    return publication_out(db, who, publications.get(db, who, territory, n, line=line))


@router.get(
    "/publications/{n}/snapshot",
    response_class=FileResponse,
    responses={200: {"description": "The file", "content": {SNAPSHOT: {"schema": BINARY}}}},
)
def snapshot_of_publication(
    n: Number,
    territory: Slug,
    desk: Questions,
    who: Caller,
    line: str = "base",
    if_none_match: Annotated[str | None, Header()] = None,
) -> Response:
    """The publication as a file for lookups elsewhere: `gridsvc.ownership.open` reads it.

    It has cells, grids and teams, but neither customers nor people.
    """
    path = ownership.bundle(desk, who, territory, n, line=line)
    tag = f'"{path.stem}"'
    headers = {"ETag": tag, "Cache-Control": CACHE_CONTROL}
    if if_none_match == tag:
        return Response(None, 304, headers)
    return FileResponse(path, 200, headers, SNAPSHOT, filename=f"{territory}-{line}-{n}.snapshot")
