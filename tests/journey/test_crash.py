"""The server and its workers are killed again and again: nothing acknowledged is lost, torn or doubled."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from gridsvc.principal import SYSTEM
from gridsvc.services import jobs, plans
from gridsvc.services.request import SolveRequest
from gridsvc.store import Database
from tests.conftest import LONG_WALK
from tests.databases import missing
from tests.journey.crash import KIT, Driver, crashkit
from tests.services.board import ANNA, board, lay, loads

KILLS = int(os.environ.get("GRIDSVC_PROOF_KILLS", "3"))
PROOF = KILLS >= 50
RESTART = 1.5  # seconds, median; held to where the machine does nothing else
PACKAGES = "fastapi, uvicorn, sqlalchemy.orm, numpy, shapely"
START_OVER_PACKAGES = 3.0
HEAVY = ("numba", "llvmlite", "pyogrio", "pandas", "pyarrow", "ortools")

Record = Callable[[str, object], None]


@pytest.fixture
def driver(database_url: str, tmp_path: Path) -> Driver:
    if not KIT.is_dir():
        missing("../shared/kit")
    return Driver(database_url, tmp_path)


@contextmanager
def running(driver: Driver) -> Iterator[subprocess.Popen[bytes]]:
    process = driver.start()
    try:
        _until(lambda: _ready(driver))
        yield process
    finally:
        _kill(process)


def _kill(process: subprocess.Popen[bytes]) -> None:
    """The server with all it has started, as a machine does that loses its power."""
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def _ready(driver: Driver) -> bool:
    try:
        return driver.ready()
    except OSError:
        return False


def _until(condition: Callable[[], Any], seconds: float = 60) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "waited in vain"
        time.sleep(0.02)


def test_nothing_acknowledged_is_lost_torn_or_doubled(driver: Driver, record_property: Record) -> None:
    quiet = os.getloadavg()[0] < 1.0
    with running(driver):
        path = f"/v1/plans/{driver.published}/publish"
        driver._call(driver.http(), "POST", path, {}, {"If-Match": '"2"'})
        life = max(1.5, 6 * pace(driver))
    figures, samples, bad = crashkit().run(lambda: driver, KILLS, writers=3, readers=2, lo=life, hi=2 * life)
    for name, value in figures.items():
        record_property(name, value)
    assert not bad, (figures, samples)
    record_property("the machine did nothing else", quiet)
    if PROOF and quiet:
        assert figures["restart_p50_s"] < RESTART


@LONG_WALK
def test_a_start_takes_little_work(driver: Driver, record_property: Record) -> None:
    """Against the same packages loaded and left alone, round by round: seconds depend on the machine."""
    ratios = []
    for _ in range(3):
        bare = _work_of_packages()
        with running(driver) as process:
            ratios.append(_work_so_far(process.pid) / bare)
    record_property("work until ready over work to import its packages", ratios)
    assert min(ratios) < START_OVER_PACKAGES, ratios


def pace(driver: Driver) -> float:
    """Seconds a publication takes this machine now; it takes longer while others write and read, too."""
    began = time.monotonic()
    driver.publish(driver.http(60), 1, "pace")
    return time.monotonic() - began


def _work_of_packages() -> float:
    before = os.times()
    subprocess.run([sys.executable, "-c", f"import {PACKAGES}"], check=True)
    after = os.times()
    return after.children_user - before.children_user + after.children_system - before.children_system


def _work_so_far(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


@LONG_WALK
def test_a_start_loads_nothing_heavy(driver: Driver) -> None:
    with running(driver) as process:
        mapped = Path(f"/proc/{process.pid}/maps").read_text()
    assert "shapely" in mapped
    assert not [name for name in HEAVY if f"/{name}" in mapped]


# --- workers


def _children(pid: int) -> list[int]:
    """Processes below `pid` which do jobs."""
    found = []
    for path in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            fields = (path / "stat").read_text().rpartition(")")[2].split()
            if int(fields[1]) == pid and b"gridsvc.jobs" in (path / "cmdline").read_bytes():
                found.append(int(path.name))
    return found


@pytest.fixture
def solving(driver: Driver, database: Database) -> Callable[[], tuple[str, str]]:
    """Queues a solve which takes some seconds; gives the plan and the job."""
    tiling = board(40, 40)
    made = lay(database, tiling, loads(tiling), "wide")

    def start() -> tuple[str, str]:
        request = SolveRequest(6, (("customers", 0.1), ("potential", 0.1)), sweeps=8_000)
        plan, job = plans.start(database, ANNA, made, request)
        return plan.id, job.id

    return start


def _runs(database: Database, job: str) -> bool:
    record = jobs.get(database, ANNA, job)
    assert record.status in {"queued", "running"}, record
    return record.status == "running" and record.share > 0


def _done_once(database: Database, plan: str, job: str) -> None:
    _until(lambda: jobs.get(database, ANNA, job).status not in {"queued", "running"})
    record = jobs.get(database, ANNA, job)
    assert (record.status, record.result) == ("done", {"plan": plan, "revision": 2}), record
    assert plans.get(database, ANNA, plan).revision == 2
    with database.read(SYSTEM) as reader:
        solved = [event for event in reader.outbox(limit=1000) if event.kind == "plan.solved"]
        done = [event for event in reader.outbox(limit=1000) if event.kind == "job.done"]
    assert [event.payload["plan"] for event in solved] == [plan]
    assert [event.payload["job"] for event in done] == [job]


@LONG_WALK
def test_a_job_whose_process_is_killed_is_done_by_another(
    driver: Driver, database: Database, solving: Callable[[], tuple[str, str]]
) -> None:
    with running(driver) as process:
        plan, job = solving()
        _until(lambda: _runs(database, job))
        (child,) = _children(process.pid)
        os.kill(child, signal.SIGKILL)
        _done_once(database, plan, job)
        assert jobs.get(database, ANNA, job).attempts == 2


def test_a_job_whose_server_is_killed_is_taken_up_by_the_next_at_once(
    driver: Driver, database: Database, solving: Callable[[], tuple[str, str]]
) -> None:
    with running(driver):
        plan, job = solving()
        _until(lambda: _runs(database, job))
    with running(driver):
        _until(lambda: jobs.get(database, ANNA, job).attempts == 2, seconds=10)
        _done_once(database, plan, job)


@LONG_WALK
def test_a_child_does_not_outlive_its_server(
    driver: Driver, database: Database, solving: Callable[[], tuple[str, str]]
) -> None:
    with running(driver) as process:
        _plan, job = solving()
        _until(lambda: _runs(database, job))
        (child,) = _children(process.pid)
        os.kill(process.pid, signal.SIGKILL)
        process.wait()
        _until(lambda: not Path(f"/proc/{child}").exists(), seconds=10)


def test_a_job_whose_process_dies_each_time_fails_and_says_so(
    driver: Driver, database: Database, solving: Callable[[], tuple[str, str]]
) -> None:
    with running(driver) as process:
        plan, job = solving()
        for attempt in range(1, 4):
            _until(lambda n=attempt: jobs.get(database, ANNA, job).attempts == n)
            _until(lambda: _children(process.pid))
            for child in _children(process.pid):
                os.kill(child, signal.SIGKILL)
        _until(lambda: jobs.get(database, ANNA, job).status == "failed")
        problem = jobs.get(database, ANNA, job).problem or {}
        assert "died 3 times" in problem["message"]
        assert problem["cure"]
        assert plans.get(database, ANNA, plan).status == "cancelled"


@LONG_WALK
def test_a_server_that_is_stopped_lays_its_jobs_down(
    driver: Driver, database: Database, solving: Callable[[], tuple[str, str]]
) -> None:
    with running(driver) as process:
        plan, job = solving()
        _until(lambda: _runs(database, job))
        process.terminate()
        process.wait(5)
        record = jobs.get(database, ANNA, job)
        assert (record.status, record.attempts, record.worker) == ("queued", 0, None)
    with running(driver):
        _done_once(database, plan, job)


def test_workers_beside_each_other_do_each_job_once(
    driver: Driver, database_url: str, database: Database
) -> None:
    tiling = board(8, 8)
    made = lay(database, tiling, loads(tiling), "small")
    wanted = [
        plans.start(database, ANNA, made, SolveRequest(2, (("customers", 0.5),), sweeps=5)) for _ in range(6)
    ]
    command = [sys.executable, "-c", "from gridsvc.cli import main; main()", "worker"]
    workers = [subprocess.Popen([*command, "--database", database_url]) for _ in range(2)]
    try:
        for plan, job in wanted:
            _until(lambda j=job: jobs.get(database, ANNA, j.id).status == "done")
            record = jobs.get(database, ANNA, job.id)
            assert (record.attempts, record.result) == (1, {"plan": plan.id, "revision": 2})
    finally:
        for worker in workers:
            worker.terminate()
        assert [worker.wait(10) for worker in workers] == [0, 0]
