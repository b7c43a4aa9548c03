"""Jobs: long work that is queued, claimed by one process, watched and cancelled."""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable, Collection, Iterable, Mapping
from pathlib import Path
from typing import Any

from gridsvc.errors import GridsvcError
from gridsvc.principal import SCOPES, Principal
from gridsvc.store.database import Database, UnitOfWork
from gridsvc.store.records import Idempotency, JobRecord, JobStatus

__all__ = [
    "answered",
    "beat",
    "cancel",
    "claim",
    "discard_files",
    "discard_orphans",
    "enqueue",
    "fail",
    "finish",
    "get",
    "load",
    "once",
    "overdue_cancel",
    "report",
    "requeue",
    "submit",
    "take_back",
    "take_back_lost",
]

_SYSTEM = Principal("job-runner", SCOPES)

_MAKING_PLANS = {"solve", "realign"}
"""Kinds whose `plan` is a draft made for the job, and worth nothing without it."""


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

    The job owns the files in ``params["files"]``: they go when it has ended, or here if it is not taken.
    """
    taken = False
    try:
        with db.read(who) as reader:
            stored = None if idempotency is None else reader.replay(who.actor, idempotency)
            if stored is not None:
                return reader.jobs.get(stored.body["job"])
        with db.write(who, f"job.{kind}", idempotency=idempotency) as uow:
            job = enqueue(uow, who, kind, territory, params)
            uow.respond(202, {"job": job})
        taken = True
    finally:
        if not taken:
            discard_files(_files(params))
    return get(db, who, job)


def enqueue(
    uow: UnitOfWork, who: Principal, kind: str, territory: str | None, params: Mapping[str, Any]
) -> str:
    """Add a job to a running unit of work; it keeps the caller's name, scopes and branches."""
    caller = who.as_dict()
    job = uow.jobs.create(kind, {**params, "caller": caller}, territory)
    _tell(uow, job, "queued")
    return job


def get(db: Database, who: Principal, job: str) -> JobRecord:
    """A job and where it stands."""
    who.require("plans:read")
    with db.read(who) as reader:
        return reader.jobs.get(job)


def cancel(db: Database, who: Principal, job: str) -> JobRecord:
    """Ask a job to stop; one that is still queued never starts.

    Raises
    ------
    Conflict
        It has ended otherwise.
    """
    who.require("plans:write")
    with db.write(who, "job.cancel") as uow:
        before = uow.jobs.get(job).status
        status = uow.jobs.request_cancel(job)
        uow.audit(f"job/{job}", None, {"cancel": True})
        if status != before:
            _ended(uow, job, status)
    record = get(db, who, job)
    _clear(record)
    return record


def _tell(uow: UnitOfWork, job: str, event: str) -> None:
    record = uow.jobs.get(job)
    payload = {"job": job, "kind": record.kind, "territory": record.territory}
    uow.emit(f"job.{event}", payload | {"plan": record.params.get("plan")})


def _ended(uow: UnitOfWork, job: str, status: JobStatus) -> None:
    """Tell that a job ended without a result, or waits again, and clear away what it left half done."""
    _tell(uow, job, status)
    record = uow.jobs.get(job)
    if record.kind == "customers":
        uow.customers.discard_of(job)
    if status != "queued" and record.kind in _MAKING_PLANS:
        uow.plans.abandon(record.params["plan"])


def _files(params: Mapping[str, Any]) -> list[Path]:
    return [Path(path) for path in params.get("files", {}).values()]


def _clear(record: JobRecord) -> None:
    if record.status not in {"queued", "running"}:
        discard_files(_files(record.params))


def discard_orphans(db: Database, folder: Path, seconds: float) -> None:
    """Delete what was kept in `folder` more than `seconds` ago for a job that never came to be."""
    if not folder.is_dir():
        return
    with db.read(_SYSTEM) as reader:
        owned = {path.parent for params in reader.jobs.params_of_open() for path in _files(params)}
    old = [made for made in folder.iterdir() if time.time() - made.stat().st_mtime > seconds]
    discard_files(made / "any" for made in old if made not in owned)


def discard_files(paths: Iterable[Path]) -> None:
    """Delete what was kept for a job, each file with the folder made for it."""
    for path in paths:
        shutil.rmtree(path.parent, ignore_errors=True)


# --- used by the processes which do the work


def load(db: Database, job: str) -> tuple[JobRecord, Principal]:
    """A job with the principal who asked for it."""
    with db.read(_SYSTEM) as reader:
        record = reader.jobs.get(job)
    return record, Principal.of(record.params["caller"])


def once(job: str) -> Idempotency:
    """The key under which a job writes what it made: whatever dies in between, it is made once."""
    return Idempotency(job, "job", "job")


def answered(db: Database, who: Principal, job: str) -> dict[str, Any] | None:
    """What a former attempt at the job has made and saved, or None."""
    with db.read(who) as reader:
        stored = reader.replay(who.actor, once(job))
    return None if stored is None else dict(stored.body)


def claim(db: Database, worker: str, kinds: Collection[str]) -> str | None:
    """Take the oldest queued job of one of these kinds."""
    with db.read(_SYSTEM) as reader:
        if not reader.jobs.any_queued(kinds):
            return None
    with db.write(_SYSTEM, "job.claim") as uow:
        job = uow.jobs.claim_next(worker, kinds)
        if job is not None:
            _tell(uow, job, "started")
        return job


def beat(db: Database, worker: str) -> None:
    """Note that a worker lives and does its jobs."""
    with db.write(_SYSTEM, "job.beat") as uow:
        uow.jobs.beat(worker)


def report(db: Database, job: str, worker: str, share: float, message: str) -> bool:
    """Write progress and a sign of life; gives whether the job should stop."""
    with db.write(_SYSTEM, "job.progress") as uow:
        uow.jobs.progress(job, worker, share, message)
        return uow.jobs.cancelled(job)


def finish(db: Database, job: str, worker: str, result: Mapping[str, Any]) -> None:
    """Save the result."""
    with db.write(_SYSTEM, "job.finish") as uow:
        uow.jobs.finish(job, worker, dict(result))
        _tell(uow, job, "done")
    _clear(load(db, job)[0])


def fail(db: Database, job: str, worker: str, error: GridsvcError) -> None:
    """Save the error; a cancelled job ends as cancelled."""
    with db.write(_SYSTEM, "job.fail") as uow:
        _ended(uow, job, uow.jobs.fail(job, worker, error.as_dict()))
    _clear(load(db, job)[0])


def overdue_cancel(db: Database, job: str) -> bool:
    """Whether the job was asked to stop more than five seconds ago."""
    with db.read(_SYSTEM) as reader:
        return reader.jobs.cancel_overdue(job, 5.0)


def requeue(db: Database, job: str, worker: str) -> None:
    """Put a job which its worker lays down back into the queue."""
    with db.write(_SYSTEM, "job.requeue") as uow:
        if _runs(uow, job, worker):
            _ended(uow, job, uow.jobs.requeue(job, worker))


def take_back(db: Database, job: str, worker: str) -> None:
    """Settle a job whose process ended without saying how (killed, out of memory): it is tried again."""
    with db.write(_SYSTEM, "job.take-back") as uow:
        if _runs(uow, job, worker):
            _take_back(uow, job, worker)
    _clear(load(db, job)[0])


def take_back_lost(db: Database, gone: Callable[[str], bool], seconds: float) -> None:
    """Settle the jobs of workers that are `gone`, or gave no sign of life for `seconds`."""
    with db.read(_SYSTEM) as reader:
        dead = [worker for worker in reader.jobs.workers() if gone(worker)]
        lost = reader.jobs.lost(dead, seconds)
    for job, worker in lost:
        take_back(db, job, worker)


def _runs(uow: UnitOfWork, job: str, worker: str) -> bool:
    record = uow.jobs.get(job)
    return (record.status, record.worker) == ("running", worker)


def _take_back(uow: UnitOfWork, job: str, worker: str) -> None:
    attempts = uow.jobs.get(job).attempts
    error = GridsvcError(
        f"the job's process died {attempts} times; nothing was changed",
        cure="see in the log why (often too little memory), and start it again",
    )
    _ended(uow, job, uow.jobs.take_back(job, worker, error.as_dict()))
