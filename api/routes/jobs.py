"""Jobs: long work, where it stands and how it is stopped."""

from __future__ import annotations

from pathlib import Path

import orjson
from fastapi import APIRouter, Response
from fastapi.responses import FileResponse

from api.deps import Caller, Db
from api.export import MEDIA_TYPES
from api.schemas.plans import JobOut
from api.work import job_out
from gridsvc.exchange.files import SUFFIXES
from gridsvc.services import exports, jobs, previews

__all__ = ["router"]

router = APIRouter(prefix="/v1/jobs", tags=["jobs"])


@router.get("/{job}")
def get_job(job: str, db: Db, who: Caller) -> JobOut:
    """A job and where it stands."""
    return job_out(jobs.get(db, who, job))


@router.delete("/{job}")
def cancel_job(job: str, db: Db, who: Caller) -> JobOut:
    """Ask a job to stop; nothing of it is kept."""
    return job_out(jobs.cancel(db, who, job))


@router.get("/{job}/file", response_class=FileResponse)
def get_file(job: str, db: Db, who: Caller) -> FileResponse:
    """The file which an export has written; it is kept for a day."""
    path = exports.file_of(db, who, job)
    return FileResponse(path, filename=path.name, media_type=_media_of(path))


@router.get("/{job}/preview", response_class=Response)
def get_preview(job: str, db: Db, who: Caller) -> Response:
    """The plan of a solve as it comes about: `labels` by row of the tiling, -1 for none, or null."""
    labels = previews.labels_of(db, who, job)
    body = orjson.dumps({"labels": labels}, option=orjson.OPT_SERIALIZE_NUMPY)
    return Response(body, media_type="application/json", headers={"Cache-Control": "no-store"})


def _media_of(path: Path) -> str | None:
    by_suffix = {SUFFIXES[form]: media for form, media in MEDIA_TYPES.items()}
    return by_suffix.get(path.suffix.removeprefix("."))
