"""Jobs: long work that is queued, claimed by one process, watched and cancelled."""

from __future__ import annotations

import shutil
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from gridsvc.errors import GridsvcError
from gridsvc.principal import SCOPES, Principal
from gridsvc.store.database import Database, UnitOfWork
from gridsvc.store.records import Idempotency, JobRecord

__all__ = [
    "cancel",
    "claim",
    "close_after",
    "discard_files",
    "enqueue",
    "fail",
    "finish",
    "get",
    "load",
    "overdue_cancel",
    "report",
    "requeue",
    "requeue_lost",
    "submit",
]

_SYSTEM = Principal("job-runner", SCOPES)


def submit(
    db: Database,
    who: Principal,
    kind: str,
    territory: str,
    params: Mapping[str, Any],
    *,
    idempotency: Idempotency | None = None,
) -> JobRecord:
    """Queue a job; the same idempotency key gives the job queued the first time.

    The job owns the files in ``params["files"]``: they go when it is done, or here if it is not taken.
    """
    taken = False
    try:
        with db.read() as reader:
            stored = None if idempotency is None else reader.replay(who.actor, idempotency)
            if stored is not None:
                return reader.jobs.get(stored.body["job"])
        with db.write(who, f"job.{kind}", idempotency=idempotency) as uow:
            job = enqueue(uow, who, kind, territory, params)
            uow.respond(202, {"job": job})
        taken = True
    finally:
        if not taken:
            discard_files(map(Path, params.get("files", {}).values()))
    return get(db, who, job)


def enqueue(uow: UnitOfWork, who: Principal, kind: str, territory: str, params: Mapping[str, Any]) -> str:
    """Add a job to a running unit of work; it keeps the caller's name and scopes."""
    caller = {"actor": who.actor, "scopes": sorted(who.scopes)}
    return uow.jobs.create(kind, {**params, "caller": caller}, territory)


def get(db: Database, who: Principal, job: str) -> JobRecord:
    """A job and where it stands."""
    who.require("plans:read")
    with db.read() as reader:
        return reader.jobs.get(job)


def cancel(db: Database, who: Principal, job: str) -> JobRecord:
    """Ask a job to stop; one that is still queued never starts."""
    who.require("plans:write")
    with db.write(who, "job.cancel") as uow:
        uow.jobs.request_cancel(job)
        uow.audit(f"job/{job}", None, {"cancel": True})
    return get(db, who, job)


# --- used by the processes which do the work


def load(db: Database, job: str) -> tuple[JobRecord, Principal]:
    """A job with the principal who asked for it."""
    with db.read() as reader:
        record = reader.jobs.get(job)
    caller = record.params["caller"]
    return record, Principal(caller["actor"], frozenset(caller["scopes"]))


def claim(db: Database, worker: str) -> str | None:
    """Take the oldest queued job."""
    with db.read() as reader:
        if not reader.jobs.any_queued():
            return None
    with db.write(_SYSTEM, "job.claim") as uow:
        return uow.jobs.claim_next(worker)


def report(db: Database, job: str, share: float, message: str) -> bool:
    """Write progress and a sign of life; gives whether the job should stop."""
    with db.write(_SYSTEM, "job.progress") as uow:
        uow.jobs.progress(job, share, message)
        return uow.jobs.cancelled(job)


def discard_files(paths: Iterable[Path]) -> None:
    """Delete what was kept for a job, each file with the folder made for it."""
    for path in paths:
        shutil.rmtree(path.parent, ignore_errors=True)


def finish(db: Database, job: str, result: Mapping[str, Any]) -> None:
    """Save the result."""
    with db.write(_SYSTEM, "job.finish") as uow:
        uow.jobs.finish(job, dict(result))


def fail(db: Database, job: str, error: GridsvcError) -> None:
    """Save the error; a cancelled job ends as cancelled."""
    with db.write(_SYSTEM, "job.fail") as uow:
        uow.jobs.fail(job, error.as_dict())


def overdue_cancel(db: Database, job: str) -> bool:
    """Whether the job was asked to stop more than five seconds ago."""
    with db.read() as reader:
        return reader.jobs.cancel_overdue(job, 5.0)


def close_after(db: Database, job: str, code: int) -> None:
    """Settle a job whose process has ended without saying how (killed, out of memory)."""
    with db.read() as reader:
        if reader.jobs.get(job).status != "running":
            return
    fail(db, job, GridsvcError(f"the job's process ended with code {code}; nothing was changed"))


def requeue(db: Database, job: str) -> None:
    """Put a job that was interrupted back into the queue."""
    with db.write(_SYSTEM, "job.requeue") as uow:
        uow.jobs.requeue(job)


def requeue_lost(db: Database, older_than: float) -> None:
    """Put jobs whose worker died back into the queue."""
    with db.read() as reader:
        if not reader.jobs.any_lost(older_than):
            return
    with db.write(_SYSTEM, "job.requeue") as uow:
        uow.jobs.requeue_abandoned(older_than)
