"""Uploads and long work behind a request: keep the input, queue a job, answer when it is done."""

from __future__ import annotations

import asyncio
import hashlib
import re
import shutil
import time
import uuid
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Annotated, Any

import orjson
from fastapi import Header, UploadFile
from fastapi.responses import Response
from pydantic import BaseModel
from starlette.concurrency import run_in_threadpool

from api.deps import App
from api.schemas.plans import JobOut
from gridsvc import errors
from gridsvc.config import Settings
from gridsvc.principal import Principal
from gridsvc.services import jobs
from gridsvc.services.desk import settle
from gridsvc.store.records import JobRecord

__all__ = [
    "Prefer",
    "answer_when_done",
    "at_once",
    "job_out",
    "keep_json",
    "keep_room",
    "keep_upload",
    "upload_digest",
]

_PATIENCE = 300.0
"""Seconds a request waits for its job; after that it answers 202 and the client asks for the job."""

Prefer = Annotated[
    str | None, Header(description="`respond-async` answers 202 with the job at once (RFC 7240).")
]


def keep_room(settings: Settings, name: str) -> Path:
    """A path in a folder of its own, so that a job can name the file as its sender does."""
    folder = settings.uploads / uuid.uuid4().hex
    folder.mkdir(parents=True)
    kept = re.sub(r"[^\w.() -]", "_", Path(name.replace("\\", "/")).name)[-100:].lstrip(".")
    return folder / (kept or "upload")


def keep_json(settings: Settings, value: Mapping[str, Any]) -> str:
    """Keep a JSON part of a request for its job; gives the file's path."""
    path = keep_room(settings, "part.json")
    path.write_bytes(orjson.dumps(value))
    return str(path)


def keep_upload(settings: Settings, upload: UploadFile) -> str:
    """Keep an uploaded file for its job, in a folder of its own; gives the file's path.

    Raises
    ------
    TooLarge
        More than the operator allows.
    """
    limit = settings.max_upload_mb * 1_000_000
    if (upload.size or 0) > limit:
        raise errors.TooLarge(
            f"the file is larger than {settings.max_upload_mb} MB",
            field="file",
            cure="split it, or ask for a higher limit",
        )
    path = keep_room(settings, upload.filename or "")
    with path.open("wb") as target:
        shutil.copyfileobj(upload.file, target, 1 << 20)
    return str(path)


def upload_digest(params: Mapping[str, Any], uploads: Mapping[str, UploadFile]) -> str:
    """Digest of a form by what it says: its bytes differ from one sending to the next."""
    digest = hashlib.sha256(orjson.dumps(params, option=orjson.OPT_SORT_KEYS))
    for name, upload in sorted(uploads.items()):
        digest.update(f"\n{name} {upload.size}\n".encode())
        while block := upload.file.read(1 << 20):
            digest.update(block)
        upload.file.seek(0)
    return digest.hexdigest()


def job_out(job: JobRecord) -> JobOut:
    """A job as the API shows it; parameters stay inside, since they name files."""
    return JobOut(
        id=job.id,
        kind=job.kind,
        territory=job.territory,
        status=job.status,
        share=job.share,
        message=job.message,
        result=job.result,
        problem=job.problem,
        recorded_at=job.recorded_at,
    )


def at_once(prefer: str | None) -> bool:
    """Whether the caller wants the job itself and not its result."""
    return prefer is not None and "respond-async" in prefer


def _json(body: BaseModel, status: int, job: str) -> Response:
    return Response(
        body.model_dump_json(), status, {"Location": f"/v1/jobs/{job}"}, media_type="application/json"
    )


async def answer_when_done(
    app: App,
    who: Principal,
    job: JobRecord,
    prefer: str | None,
    render: Callable[[dict[str, Any]], BaseModel],
    *,
    patience: float = _PATIENCE,
    status: int = 201,
) -> Response:
    """Wait for `job` and render its result with `status`.

    The answer is 202 with the job if that is preferred, if it takes long, or if the service is told to stop.

    Parameters
    ----------
    patience : float
        Seconds to wait.

    Raises
    ------
    GridsvcError
        What the job failed with.
    """
    app.supervisor.wake()
    deadline, pause = time.monotonic() + (0.0 if at_once(prefer) else patience), 0.05
    while job.status in {"queued", "running"} and time.monotonic() < deadline and not app.stopping.is_set():
        await asyncio.sleep(pause)
        pause = min(pause * 1.5, 0.5)
        job = await run_in_threadpool(jobs.get, app.database, who, job.id)
    if job.status in {"queued", "running"}:
        return _json(job_out(job), 202, job.id)
    if job.status != "done" or job.result is None:
        raise errors.from_dict(job.problem or {"code": "cancelled", "message": "the job was cancelled"})
    await run_in_threadpool(settle, app.desk)
    return _json(await run_in_threadpool(render, job.result), status, job.id)
