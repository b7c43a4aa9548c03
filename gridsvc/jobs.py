"""Long work in processes of its own: the child that does a job, and the supervisor which starts children.

A job lives in the database. A supervisor (one thread in each API worker, no extra server) claims queued jobs
and starts ``python -m gridsvc.jobs JOB`` for each; the child writes progress, watches for cancellation and
saves the result. Children are spawned, never forked, so that no connection is shared.
"""

from __future__ import annotations

import logging
import os
import subprocess
import sys
import threading
import time
import uuid
from collections.abc import Callable, Mapping
from typing import Any

from gridsvc.balance.cache import prepare_cache, warm_engine
from gridsvc.errors import Cancelled, GridsvcError
from gridsvc.principal import Principal
from gridsvc.progress import Progress
from gridsvc.services import imports, plans, tilings
from gridsvc.services import jobs as jobs_
from gridsvc.store.database import Database

__all__ = ["HANDLERS", "Supervisor", "main", "run", "warm_in_background"]

_log = logging.getLogger("gridsvc.jobs")

_POLL = 0.1
_LOST_AFTER = 60.0
_WARM = "--warm"

Handler = Callable[[Database, Principal, Mapping[str, Any], Progress], dict[str, Any]]

HANDLERS: dict[str, Handler] = {
    "customers": imports.run_job,
    "solve": plans.run_job,
    "tile": tilings.run_job,
}
"""Kind of job -> the use case which does it."""


class _Reporter:
    """Writes progress at most three times a second and stops the work when asked to."""

    def __init__(self, database: Database, job: str) -> None:
        self._database, self._job, self._last = database, job, 0.0

    def __call__(self, share: float, message: str) -> None:
        now = time.monotonic()
        if now - self._last < 0.3:
            return
        self._last = now
        if jobs_.report(self._database, self._job, share, message):
            raise Cancelled("the job was cancelled")


def run(database: Database, job_id: str) -> None:
    """Do a claimed job and save its result or its error."""
    job, who = jobs_.load(database, job_id)
    try:
        result = HANDLERS[job.kind](database, who, job.params, _Reporter(database, job_id))
    except GridsvcError as error:
        jobs_.fail(database, job_id, error)
    except Exception as error:
        _log.exception("job %s failed unexpectedly", job_id)
        jobs_.fail(database, job_id, GridsvcError("the job failed; nothing was changed"))
        raise SystemExit(1) from error
    else:
        jobs_.finish(database, job_id, result)


class Supervisor:
    """Starts a child for each queued job, at most `slots` at a time.

    Parameters
    ----------
    url : str
        Database, opened by the supervisor's thread and by each child for itself.
    """

    def __init__(self, url: str, *, slots: int = 1) -> None:
        self._url, self._slots = url, slots
        self._name = f"{os.getpid()}-{uuid.uuid4().hex[:8]}"
        self._children: dict[str, subprocess.Popen[bytes]] = {}
        self._wake, self._stop = threading.Event(), threading.Event()
        self._thread = threading.Thread(target=self._loop, name="gridsvc-supervisor", daemon=True)

    def start(self) -> None:
        """Begin to take jobs."""
        self._thread.start()

    def wake(self) -> None:
        """Look for jobs now instead of at the next poll."""
        self._wake.set()

    def stop(self) -> None:
        """Take no more jobs and end the children; their jobs go back to the queue."""
        self._stop.set()
        self._wake.set()
        self._thread.join()

    def _loop(self) -> None:
        database = Database.open(self._url)
        try:
            while not self._stop.is_set():
                self._turn(database)
                self._wake.wait(_POLL if self._children else 1.0)
                self._wake.clear()
        finally:
            self._end_children(database)
            database.close()

    def _turn(self, database: Database) -> None:
        try:
            self._reap(database)
            jobs_.requeue_lost(database, _LOST_AFTER)
            while len(self._children) < self._slots:
                job = jobs_.claim(database, self._name)
                if job is None:
                    return
                self._children[job] = _spawn(self._url, job)
        except Exception:  # noqa: BLE001 - logged, and tried again
            # The thread must outlive a database that is away for a while.
            _log.exception("the job supervisor could not reach the database; it will try again")

    def _reap(self, database: Database) -> None:
        for job, child in list(self._children.items()):
            if child.poll() is None:
                if jobs_.overdue_cancel(database, job):
                    child.kill()
                continue
            del self._children[job]
            jobs_.close_after(database, job, child.returncode)

    def _end_children(self, database: Database) -> None:
        for child in self._children.values():
            child.kill()
        for job, child in self._children.items():
            child.wait()
            jobs_.requeue(database, job)


def _spawn(url: str, job: str) -> subprocess.Popen[bytes]:
    # The URL may hold a password, so it travels in the environment and not in the process list.
    environment = {**os.environ, "GRIDSVC_DATABASE_URL": url}
    return subprocess.Popen([sys.executable, "-m", "gridsvc.jobs", job], env=environment)  # noqa: S603 - our own module


def warm_in_background() -> None:
    """Compile the engine in a process of its own, so that the first solve need not wait for it.

    The place of the compiled code is settled here and handed on in the environment.
    """
    prepare_cache()
    # In a session of its own a stop by hand does not reach it; it ends by itself within seconds.
    command = [sys.executable, "-m", "gridsvc.jobs", _WARM]
    subprocess.Popen(command, start_new_session=True)  # noqa: S603 - our own module


def main() -> None:
    """Run the job named on the command line against the database named in the environment."""
    logging.basicConfig(level=logging.INFO, format="%(levelname)s %(name)s %(message)s")
    if sys.argv[1] == _WARM:
        warm_engine()
        return
    database = Database.open(os.environ["GRIDSVC_DATABASE_URL"])
    try:
        run(database, sys.argv[1])
    finally:
        database.close()


if __name__ == "__main__":
    main()
