"""Jobs: a queue in the database, so that work outlives the process which asked for it."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, exists, func, insert, literal, or_, select, update

from gridsvc.errors import Conflict, NotFound
from gridsvc.store.handle import Handle
from gridsvc.store.ids import new_id
from gridsvc.store.records import JobRecord, JobStatus
from gridsvc.store.tables import jobs
from gridsvc.store.types import UtcDateTime

__all__ = ["ATTEMPTS", "JobReader", "JobWriter"]

ATTEMPTS = 3
"""How often a job is taken up whose process dies before it is left as failed."""

_OPEN = "queued", "running"


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
        self,
        territory: str | None = None,
        after: str | None = None,
        limit: int = 100,
        status: JobStatus | None = None,
    ) -> list[JobRecord]:
        """Jobs, oldest first, of one territory or all; at most `limit`, behind `after`."""
        rows = select(jobs).order_by(jobs.c.id).limit(limit)
        for column, wanted in ((jobs.c.territory, territory), (jobs.c.status, status)):
            rows = rows if wanted is None else rows.where(column == wanted)
        if after is not None:
            rows = rows.where(jobs.c.id > after)
        return [JobRecord(**row._mapping) for row in self._handle.connection.execute(rows)]

    def running(self) -> Sequence[JobRecord]:
        """Jobs that are being done, oldest first."""
        return self.list(limit=1000, status="running")

    def params_of_open(self) -> Sequence[dict[str, Any]]:
        """What the jobs were given which wait or run."""
        found = select(jobs.c.params).where(jobs.c.status.in_(_OPEN))
        return self._handle.connection.execute(found).scalars().all()

    def newest(self, kind: str, territory: str | None = None) -> JobRecord | None:
        """The last job of a kind to be queued, of one territory or all; None if there was none."""
        rows = select(jobs).where(jobs.c.kind == kind)
        rows = rows if territory is None else rows.where(jobs.c.territory == territory)
        found = self._handle.connection.execute(rows.order_by(jobs.c.id.desc()).limit(1)).first()
        return None if found is None else JobRecord(**found._mapping)

    def cancelled(self, job_id: str) -> bool:
        """Whether someone asked that the job stop."""
        return self.get(job_id).cancel_requested_at is not None

    def cancel_overdue(self, job_id: str, seconds: float) -> bool:
        """Whether someone asked that the job stop more than `seconds` ago."""
        asked = self.get(job_id).cancel_requested_at
        return asked is not None and asked < self._ago(seconds)

    def any_queued(self, kinds: Collection[str]) -> bool:
        """Whether a job of one of these kinds waits for a worker."""
        waiting = exists().where(jobs.c.status == "queued", jobs.c.kind.in_(kinds))
        return self._handle.connection.execute(select(waiting)).scalar_one()

    def workers(self) -> set[str]:
        """Workers which are on record as doing a job."""
        found = select(jobs.c.worker).where(jobs.c.status == "running").distinct()
        return {name for name in self._handle.connection.execute(found).scalars() if name}

    def lost(self, gone: Collection[str], seconds: float) -> Sequence[tuple[str, str]]:
        """Running jobs, with their workers, which are `gone` or gave no sign of life for `seconds`."""
        silent = or_(jobs.c.worker.in_(gone), jobs.c.heartbeat < self._ago(seconds))
        found = select(jobs.c.id, jobs.c.worker).where(jobs.c.status == "running", silent).order_by(jobs.c.id)
        return [(job, worker or "") for job, worker in self._handle.connection.execute(found)]

    def _ago(self, seconds: float) -> datetime:
        return self._handle.clock() - timedelta(seconds=seconds)


class JobWriter(JobReader):
    """Writes jobs.

    A running job is its worker's: what another writes to it is refused, so that a worker which was taken for
    dead cannot spoil what its successor does.
    """

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

    def claim_next(self, worker: str, kinds: Collection[str]) -> str | None:
        """Take up the oldest queued job of one of these kinds, and return its id; None if there is none."""
        waiting = jobs.c.status == "queued", jobs.c.kind.in_(kinds)
        oldest = select(jobs.c.id).where(*waiting).order_by(jobs.c.id).limit(1)
        found = self._handle.connection.execute(oldest.with_for_update(skip_locked=True)).scalar()
        return found if found is not None and self.claim(found, worker) else None

    def beat(self, worker: str) -> None:
        """Note that a worker lives."""
        self._update(jobs.c.worker == worker, jobs.c.status == "running", heartbeat=self._handle.clock())

    def progress(self, job_id: str, worker: str, share: float, message: str) -> None:
        """Note how far a running job is, and that its worker lives."""
        self._running(job_id, worker, share=share, message=message, heartbeat=self._handle.clock())

    def finish(self, job_id: str, worker: str, result: Any) -> None:
        """Close a running job with its result."""
        self._close(job_id, worker, "done", share=1.0, message="done", result=result)

    def fail(self, job_id: str, worker: str, problem: Mapping[str, Any]) -> JobStatus:
        """Close a running job with the reason it ended; as cancelled, if someone asked that it stop."""
        asked = self._locked(job_id).cancel_requested_at is not None
        status: JobStatus = "cancelled" if asked else "failed"
        self._close(job_id, worker, status, problem=problem)
        return status

    def request_cancel(self, job_id: str) -> JobStatus:
        """Ask that a job stop: at once if it is queued, else when its worker next looks.

        Raises
        ------
        Conflict
            It has ended otherwise.
        """
        now = self._handle.clock()
        queued = jobs.c.id == job_id, jobs.c.status == "queued"
        if self._update(*queued, status="cancelled", cancel_requested_at=now, finished_at=now):
            return "cancelled"
        asked = func.coalesce(jobs.c.cancel_requested_at, literal(now, UtcDateTime))
        if self._update(jobs.c.id == job_id, jobs.c.status == "running", cancel_requested_at=asked):
            return "running"
        status = self.get(job_id).status
        if status != "cancelled":
            raise self._ended(status)
        return status

    def requeue(self, job_id: str, worker: str) -> JobStatus:
        """Queue again a running job which its own worker laid down; it does not count as an attempt."""
        return self._reset(job_id, worker, attempts=jobs.c.attempts - 1)

    def take_back(self, job_id: str, worker: str, problem: Mapping[str, Any]) -> JobStatus:
        """Queue again a running job whose process died; after `ATTEMPTS` close it with `problem`."""
        if self._locked(job_id).attempts >= ATTEMPTS:
            return self.fail(job_id, worker, problem)
        return self._reset(job_id, worker)

    def _reset(self, job_id: str, worker: str, **values: Any) -> JobStatus:
        """Queue again, but close what was asked to stop."""
        if self._locked(job_id).cancel_requested_at is not None:
            self._close(job_id, worker, "cancelled")
            return "cancelled"
        self._running(job_id, worker, status="queued", worker=None, share=0.0, message="", **values)
        return "queued"

    def _locked(self, job_id: str) -> JobRecord:
        """The job, held until the end of the transaction."""
        self._handle.connection.execute(select(jobs.c.id).where(jobs.c.id == job_id).with_for_update())
        return self.get(job_id)

    def _close(self, job_id: str, worker: str, status: JobStatus, **values: Any) -> None:
        self._running(job_id, worker, status=status, finished_at=self._handle.clock(), **values)

    def _running(self, job_id: str, by: str, **values: Any) -> None:
        own = jobs.c.id == job_id, jobs.c.status == "running", jobs.c.worker == by
        if not self._update(*own, **values):
            raise self._ended(self.get(job_id).status)

    @staticmethod
    def _ended(status: JobStatus) -> Conflict:
        what = "taken up by another worker" if status == "running" else status
        return Conflict(f"the job is {what}", field="job", cure="start a new one")

    def _update(self, *where: ColumnElement[bool], **values: Any) -> int:
        return self._handle.connection.execute(update(jobs).where(*where).values(**values)).rowcount
