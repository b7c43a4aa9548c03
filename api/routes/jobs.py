"""Jobs: long work, where it stands and how it is stopped."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends
from fastapi.responses import FileResponse

from api.deps import Db, Scope
from api.schemas.plans import JobOut
from api.work import job_out
from gridsvc.principal import Principal
from gridsvc.services import exports, jobs

__all__ = ["router"]

router = APIRouter(prefix="/v1/jobs", tags=["jobs"])

_MEDIA = {
    ".geojson": "application/geo+json",
    ".gpkg": "application/geopackage+sqlite3",
    ".fgb": "application/octet-stream",
    ".parquet": "application/vnd.apache.parquet",
    ".csv": "text/csv; charset=utf-8",
}


@router.get("/{job}")
def get_job(job: str, db: Db, who: Annotated[Principal, Depends(Scope("plans:read"))]) -> JobOut:
    """A job and where it stands."""
    return job_out(jobs.get(db, who, job))


@router.delete("/{job}")
def cancel_job(job: str, db: Db, who: Annotated[Principal, Depends(Scope("plans:write"))]) -> JobOut:
    """Ask a job to stop; nothing of it is kept."""
    return job_out(jobs.cancel(db, who, job))


@router.get("/{job}/file", response_class=FileResponse)
def get_file(job: str, db: Db, who: Annotated[Principal, Depends(Scope("plans:read"))]) -> FileResponse:
    """The file which an export has written; it is kept for a day."""
    path = exports.file_of(db, who, job)
    return FileResponse(path, filename=path.name, media_type=_MEDIA.get(path.suffix))
