"""The process that does jobs: ``python -m gridsvc.jobs``, started and watched by a supervisor.

It is given ids on its standard input, one a line, and answers each with a line when the job has ended. When
the input ends the supervisor has gone, and the process goes too, whatever it is at: that is taken up again by
the next. Children are spawned, never forked, so that no connection is shared.
"""

from __future__ import annotations

import importlib
import logging
import os
import queue
import signal
import threading
import time
from collections.abc import Callable, Mapping
from typing import Any, BinaryIO

from gridsvc import correlation, logs
from gridsvc.bounds import Bounds
from gridsvc.errors import Cancelled, GridsvcError
from gridsvc.principal import Principal
from gridsvc.progress import Progress
from gridsvc.services import jobs as jobs_
from gridsvc.store.database import Database
from gridsvc.store.records import Idempotency

__all__ = ["HANDLERS", "main", "run"]

_log = logging.getLogger("gridsvc.jobs")

Handler = Callable[[Database, Principal, Mapping[str, Any], Idempotency, Progress], dict[str, Any]]

HANDLERS = {
    "adopt": "adoption",
    "assign": "assignments",
    "current-file": "current",
    "customers": "imports",
    "drift": "alarms",
    "export": "exports",
    "realign": "realigning",
    "repair": "repairs",
    "solve": "plans",
    "tile": "tilings",
}
"""Kind of job -> module of the services whose `run_job` does it; each is loaded when it is first needed."""


def _handler(kind: str) -> Handler:
    found: Handler = importlib.import_module(f"gridsvc.services.{HANDLERS[kind]}").run_job
    return found


class _Reporter:
    """Writes progress at most three times a second and stops the work when asked to."""

    def __init__(self, database: Database, job: str, worker: str) -> None:
        self._database, self._job, self._worker, self._last = database, job, worker, 0.0

    def __call__(self, share: float, message: str) -> None:
        now = time.monotonic()
        if now - self._last < 0.3:
            return
        self._last = now
        if jobs_.report(self._database, self._job, self._worker, share, message):
            raise Cancelled("the job was cancelled")


def run(database: Database, job_id: str, worker: str) -> None:
    """Do a job which `worker` has claimed, and save its result or its error."""
    job, who = jobs_.load(database, job_id)
    try:
        result = jobs_.answered(database, who, job_id)
        if result is None:
            reporter = _Reporter(database, job_id, worker)
            with correlation.serving(f"job:{job_id}"):
                result = _handler(job.kind)(database, who, job.params, jobs_.once(job_id), reporter)
    except GridsvcError as error:
        jobs_.fail(database, job_id, worker, error)
    except MemoryError as error:
        jobs_.fail(database, job_id, worker, Bounds.inherited().out_of_memory())
        raise SystemExit(1) from error  # what it holds goes back with the process
    except Exception as error:
        _log.exception("job %s failed unexpectedly", job_id)
        jobs_.fail(database, job_id, worker, GridsvcError("the job failed; nothing was changed"))
        raise SystemExit(1) from error
    else:
        jobs_.finish(database, job_id, worker, result)


def _orders(source: BinaryIO) -> Callable[[], str]:
    """Gives the next id; the process ends with its input."""
    waiting: queue.SimpleQueue[str] = queue.SimpleQueue()

    def read() -> None:
        for line in source:
            waiting.put(line.decode().strip())
        os._exit(0)  # the only way out of a kernel that runs in the main thread

    threading.Thread(target=read, daemon=True).start()
    return waiting.get


def _answers() -> BinaryIO:
    """The standard output, for answers alone: whatever else is printed goes where errors go."""
    answers = os.fdopen(os.dup(1), "wb", buffering=0)
    os.dup2(2, 1)
    return answers


def main() -> None:
    """Do the jobs named on the standard input, against the database named in the environment."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # a stop by hand reaches the supervisor, which ends us
    logs.configure(logs.inherited())
    # Unbuffered: nobody could end in order while a thread waits in a buffered reader.
    answers, orders = _answers(), _orders(os.fdopen(os.dup(0), "rb", buffering=0))
    database = Database.open_existing(os.environ["GRIDSVC_DATABASE_URL"])
    bounds = Bounds.inherited()
    bounds.hold()
    while True:
        job = orders()
        bounds.begin()
        run(database, job, os.environ["GRIDSVC_WORKER"])
        answers.write(b"done\n")


if __name__ == "__main__":
    main()
