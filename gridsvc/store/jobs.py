"""Jobs: a queue in the database, so that work outlives the process which asked for it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, case, exists, func, insert, literal, select, update

from gridsvc.errors import Conflict, NotFound
from gridsvc.store.handle import Handle
from gridsvc.store.ids import new_id
from gridsvc.store.records import JobRecord
from gridsvc.store.tables import jobs
from gridsvc.store.types import UtcDateTime

__all__ = ["JobReader", "JobWriter"]


class JobReader:
    """Reads jobs."""

    def __init__(self, handle: Handle) -> None:
        self._handle = handle

    def get(self, job_id: str) -> JobRecord:
        """Return the job.

        Raises
        ------
        NotFound
            No job has this id.
        """
        found = self._handle.connection.execute(select(jobs).where(jobs.c.id == job_id)).first()
        if found is None:
            raise NotFound(f"there is no job {job_id!r}", field="job", cure="list the jobs there are")
        return JobRecord(**found._mapping)

    def list(
        self, territory: str | None = None, after: str | None = None, limit: int = 100
    ) -> list[JobRecord]:
        """Jobs, oldest first, of one territory or all; at most `limit`, behind `after`."""
        rows = select(jobs).order_by(jobs.c.id).limit(limit)
        if territory is not None:
            rows = rows.where(jobs.c.territory == territory)
        if after is not None:
            rows = rows.where(jobs.c.id > after)
        return [JobRecord(**row._mapping) for row in self._handle.connection.execute(rows)]

    def cancelled(self, job_id: str) -> bool:
        """Whether someone asked that the job stop."""
        return self.get(job_id).cancel_requested_at is not None

    def cancel_overdue(self, job_id: str, seconds: float) -> bool:
        """Whether someone asked that the job stop more than `seconds` ago."""
        asked = self.get(job_id).cancel_requested_at
        return asked is not None and asked < self._ago(seconds)

    def any_queued(self) -> bool:
        """Whether a job waits for a worker."""
        return self._any(jobs.c.status == "queued")

    def any_lost(self, seconds: float) -> bool:
        """Whether a job runs without a sign of life for `seconds`."""
        return self._any(*self._lost(seconds))

    def _any(self, *where: ColumnElement[bool]) -> bool:
        return self._handle.connection.execute(select(exists().where(*where))).scalar_one()

    def _lost(self, seconds: float) -> tuple[ColumnElement[bool], ...]:
        return jobs.c.status == "running", jobs.c.heartbeat < self._ago(seconds)

    def _ago(self, seconds: float) -> datetime:
        return self._handle.clock() - timedelta(seconds=seconds)


class JobWriter(JobReader):
    """Writes jobs."""

    def create(self, kind: str, params: Mapping[str, Any], territory: str | None = None) -> str:
        """Queue a job, and return its id."""
        made = new_id("job")
        row = {
            "id": made,
            "kind": kind,
            "territory": territory,
            "params": params,
            "status": "queued",
            "share": 0.0,
            "message": "",
            "attempts": 0,
            "created_by": self._handle.actor,
            "recorded_at": self._handle.clock(),
        }
        self._handle.connection.execute(insert(jobs).values(row))
        return made

    def claim(self, job_id: str, worker: str) -> bool:
        """Take up a queued job; False if it is not queued any more."""
        now = self._handle.clock()
        taken = {
            "status": "running",
            "worker": worker,
            "started_at": now,
            "heartbeat": now,
            "attempts": jobs.c.attempts + 1,
        }
        return self._update(jobs.c.id == job_id, jobs.c.status == "queued", **taken) == 1

    def claim_next(self, worker: str) -> str | None:
        """Take up the oldest queued job, and return its id; None if there is none."""
        oldest = select(jobs.c.id).where(jobs.c.status == "queued").order_by(jobs.c.id).limit(1)
        found = self._handle.connection.execute(oldest.with_for_update(skip_locked=True)).scalar()
        return found if found is not None and self.claim(found, worker) else None

    def progress(self, job_id: str, share: float, message: str) -> None:
        """Note how far a running job is, and that its worker lives."""
        self._running(job_id, share=share, message=message, heartbeat=self._handle.clock())

    def finish(self, job_id: str, result: Any) -> None:
        """Close a running job with its result."""
        self._close(job_id, "done", share=1.0, message="done", result=result)

    def fail(self, job_id: str, problem: Mapping[str, Any]) -> None:
        """Close a running job with the reason it ended; as cancelled, if someone asked that it stop."""
        self._close(job_id, "cancelled" if self.cancelled(job_id) else "failed", problem=problem)

    def request_cancel(self, job_id: str) -> None:
        """Ask that a job stop: at once if it is queued, else when its worker next looks."""
        now = self._handle.clock()
        queued = jobs.c.id == job_id, jobs.c.status == "queued"
        if not self._update(*queued, status="cancelled", cancel_requested_at=now, finished_at=now):
            self._running(
                job_id,
                cancel_requested_at=func.coalesce(jobs.c.cancel_requested_at, literal(now, UtcDateTime)),
            )

    def requeue(self, job_id: str) -> bool:
        """Queue again a running job which was interrupted; False if it does not run any more."""
        return bool(self._reset(jobs.c.id == job_id, jobs.c.status == "running"))

    def requeue_abandoned(self, seconds: float) -> list[str]:
        """Queue again what runs without a sign of life for `seconds`; return the ids."""
        return self._reset(*self._lost(seconds))

    def _reset(self, *where: ColumnElement[bool]) -> list[str]:
        """Queue again, but close as cancelled what was asked to stop."""
        stopping = jobs.c.cancel_requested_at.is_not(None)
        reset = {
            "status": case((stopping, "cancelled"), else_="queued"),
            "finished_at": case((stopping, literal(self._handle.clock(), UtcDateTime))),
            "worker": None,
            "share": 0.0,
        }
        rows = self._handle.connection.execute(
            update(jobs).where(*where).values(reset).returning(jobs.c.id, jobs.c.status)
        )
        return sorted(job for job, status in rows.fetchall() if status == "queued")

    def _close(self, job_id: str, status: str, **values: Any) -> None:
        self._running(job_id, status=status, finished_at=self._handle.clock(), **values)

    def _running(self, job_id: str, **values: Any) -> None:
        if not self._update(jobs.c.id == job_id, jobs.c.status == "running", **values):
            status = self.get(job_id).status
            raise Conflict(f"the job is {status}, not running", field="job", cure="start a new one")

    def _update(self, *where: ColumnElement[bool], **values: Any) -> int:
        return self._handle.connection.execute(update(jobs).where(*where).values(**values)).rowcount
