"""Who does the jobs that wait in the database: a thread which starts processes and hands them jobs.

There is one in each API worker, and ``gridsvc worker`` is one by itself; no further server is needed. Any
number of them share a queue: each job is claimed by one, and taken up again when that one dies.
"""

from __future__ import annotations

import logging
import os
import signal
import subprocess
import sys
import threading
import time

from gridsvc.bounds import Bounds
from gridsvc.exchange.receivers import Receivers
from gridsvc.liveness import gone, own_name
from gridsvc.outages import Tried
from gridsvc.sealer import Sealer
from gridsvc.sender import Sender
from gridsvc.services import alarms, current, jobs, lead_turns, sessions
from gridsvc.store.database import Database

__all__ = ["COMMAND", "LONG", "QUICK", "Supervisor"]

_log = logging.getLogger("gridsvc.supervisor")

_POLL = 0.1
_IDLE_POLL = 1.0
_BEAT = 5.0
_LOST_AFTER = 30.0
_IDLE_SECONDS = 60.0
_JOBS_A_CHILD = 50

LONG = ("adopt", "assign", "customers", "export", "realign", "solve", "tile")
"""Kinds that may take minutes."""

_NICE = 5
"""How far jobs stand behind requests where both want the processor; from the first import on."""

COMMAND = [sys.executable, "-c", f"import os; os.nice({_NICE}); from gridsvc.jobs import main; main()"]

_NONE = Receivers()

QUICK = ("current-file", "drift", "repair")
"""Kinds which take seconds: they never stand behind a long one."""


class _Child:
    """A process which does one job after another, so that only the first waits for the libraries."""

    def __init__(self, url: str, worker: str) -> None:
        # The URL may hold a password, so it travels in the environment and not in the process list.
        environment = {**os.environ, "GRIDSVC_DATABASE_URL": url, "GRIDSVC_WORKER": worker}
        self._process = subprocess.Popen(  # noqa: S603 - our own module
            COMMAND, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, bufsize=0
        )
        assert self._process.stdout is not None  # noqa: S101 - a pipe, as asked for
        os.set_blocking(self._process.stdout.fileno(), False)
        self.job: str | None = None
        self._given, self._since = 0, time.monotonic()

    def give(self, job: str) -> None:
        self.job = job
        self._given += 1
        assert self._process.stdin is not None  # noqa: S101 - a pipe, as asked for
        try:
            self._process.stdin.write(f"{job}\n".encode())
        except OSError:
            _log.warning("a job process died while it waited")

    def look(self) -> bool:
        """Notice whether the job has ended; gives whether the process lives."""
        assert self._process.stdout is not None  # noqa: S101 - a pipe, as asked for
        if self.job is not None and self._process.stdout.read(1000):
            self.job, self._since = None, time.monotonic()
        return self._process.poll() is None

    @property
    def overdrawn(self) -> bool:
        """Whether the system ended it because its job took more processor time than it may."""
        return self._process.poll() == -signal.SIGXCPU

    @property
    def spent(self) -> bool:
        """Whether it has waited long or done much, and its memory should go back."""
        idle = time.monotonic() - self._since
        return self.job is None and (idle > _IDLE_SECONDS or self._given >= _JOBS_A_CHILD)

    def kill(self) -> None:
        self._process.kill()

    def end(self) -> None:
        self._process.kill()
        self._process.wait()
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe is not None:
                pipe.close()


class _Lane:
    """Processes for some kinds of jobs, at most `slots` at a time."""

    def __init__(self, url: str, worker: str, kinds: tuple[str, ...], slots: int) -> None:
        self._url, self._worker, self._kinds, self._slots = url, worker, kinds, slots
        self.children: list[_Child] = []

    @property
    def busy(self) -> bool:
        return any(child.job is not None for child in self.children)

    def turn(self, database: Database) -> None:
        """Settle what has ended, and hand out what waits."""
        for child in list(self.children):
            self._watch(database, child)
        while sum(child.job is not None for child in self.children) < self._slots:
            job = jobs.claim(database, self._worker, self._kinds)
            if job is None:
                return
            self._free().give(job)

    def _free(self) -> _Child:
        for child in self.children:
            if child.job is None:
                return child
        self.children.append(_Child(self._url, self._worker))
        return self.children[-1]

    def _watch(self, database: Database, child: _Child) -> None:
        if not child.look() or child.spent:
            if child.job is not None and child.overdrawn:
                jobs.fail(database, child.job, self._worker, Bounds.inherited().out_of_time())
            elif child.job is not None:
                jobs.take_back(database, child.job, self._worker)
            child.end()
            self.children.remove(child)
        elif child.job is not None and jobs.overdue_cancel(database, child.job):
            child.kill()

    def end(self, database: Database) -> None:
        """End all processes; their jobs go back to the queue."""
        for child in self.children:
            child.end()
        for child in self.children:
            if child.job is not None:
                jobs.requeue(database, child.job, self._worker)


class Supervisor:
    """Has jobs done, at most `slots` long ones at a time.

    Parameters
    ----------
    url : str
        Database, opened by the supervisor's thread and by each child for itself.
    receivers : Receivers
        Hosts and networks which webhooks may lead to; what is to be told goes out beside the jobs.
    spare : float
        Seconds for which jobs that others left wait, unless one is given before: a server which starts goes
        first.
    """

    def __init__(self, url: str, *, slots: int = 1, receivers: Receivers = _NONE, spare: float = 0.0) -> None:
        self._url, self._name, self._beaten = url, own_name(), -_BEAT
        self._spare, self._given = spare, threading.Event()
        self._lanes = [_Lane(url, self._name, LONG, slots), _Lane(url, self._name, QUICK, 1)]
        self._sender, self._sealer = Sender(url, receivers), Sealer(url)
        self._tried = Tried(_log, "jobs cannot be looked after")
        self._wake, self._stop = threading.Event(), threading.Event()
        self._thread = threading.Thread(target=self._run, name="gridsvc-supervisor", daemon=True)

    def start(self) -> None:
        """Begin to take jobs."""
        self._thread.start()
        self._sender.start()
        self._sealer.start()

    def wake(self) -> None:
        """Look for jobs, and for what is to be told, now instead of at the next poll."""
        self._given.set()
        self._wake.set()
        self._sender.wake()

    def stop(self) -> None:
        """Take no more jobs and end the children; their jobs go back to the queue."""
        self._stop.set()
        self._given.set()
        self._wake.set()
        self._sender.stop()
        self._thread.join()
        self._sealer.stop()

    def _run(self) -> None:
        database = Database.open_existing(self._url)
        self._given.wait(self._spare)
        try:
            while not self._stop.is_set():
                self._turn(database)
                self._wake.wait(_POLL if any(lane.busy for lane in self._lanes) else _IDLE_POLL)
                self._wake.clear()
        finally:
            for lane in self._lanes:
                lane.end(database)
            database.close()

    def _turn(self, database: Database) -> None:
        with self._tried.turn():  # the thread must outlive a database that is away for a while
            if time.monotonic() - self._beaten > _BEAT:
                self._beat(database)
            for lane in self._lanes:
                lane.turn(database)

    def _beat(self, database: Database) -> None:
        if any(lane.busy for lane in self._lanes):
            jobs.beat(database, self._name)
        jobs.take_back_lost(database, gone, _LOST_AFTER)
        current.renew_due(database)
        alarms.look_due(database)
        lead_turns.tell_due(database)
        sessions.sweep(database)
        self._beaten = time.monotonic()
