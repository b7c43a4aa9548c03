"""A job which wants too much ends alone, is told why, and the next one is done."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator

import pytest

from gridsvc import supervisor as supervisor_
from gridsvc.bounds import CPU_MINUTES, MEMORY_MB
from gridsvc.services import jobs
from gridsvc.store import Database
from gridsvc.store.records import JobRecord
from gridsvc.supervisor import Supervisor
from tests.services.board import ANNA

GREEDY = """
import sys, time, types
from gridsvc import jobs

def run_job(database, who, params, once, progress):
    if params["wants"] == "memory":
        return {"held": len(bytearray(10**9))}
    began = time.process_time()
    while params["wants"] == "time" or (params["wants"] == "much" and time.process_time() < began + 4):
        sum(range(100_000))
    return {"used": "little"}

module = types.ModuleType("gridsvc.services.greedy")
module.run_job = run_job
sys.modules[module.__name__] = module
jobs.HANDLERS["tile"] = "greedy"
jobs.main()
"""


@pytest.fixture
def supervised(database: Database, database_url: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Database]:
    monkeypatch.setenv(MEMORY_MB, "700")
    monkeypatch.setenv(CPU_MINUTES, "0.1")
    monkeypatch.setattr(supervisor_, "COMMAND", [sys.executable, "-c", GREEDY])
    supervisor = Supervisor(database_url)
    supervisor.start()
    yield database
    supervisor.stop()


def done(database: Database, wants: str) -> JobRecord:
    job = jobs.submit(database, ANNA, "tile", "nowhere", {"wants": wants}).id
    end = time.monotonic() + 90
    while time.monotonic() < end:
        record = jobs.get(database, ANNA, job)
        if record.status not in {"queued", "running"}:
            return record
        time.sleep(0.1)
    raise TimeoutError


@pytest.mark.parametrize(
    ("wants", "says"),
    [
        ("memory", "this needs more than 700 MB of memory; nothing was changed"),
        ("time", "this needs more than 6 seconds of processor time; nothing was changed"),
    ],
)
def test_a_job_which_wants_too_much(supervised: Database, wants: str, says: str) -> None:
    greedy = done(supervised, wants)
    assert (greedy.status, greedy.attempts) == ("failed", 1)
    assert greedy.problem is not None
    assert (greedy.problem["code"], greedy.problem["message"]) == ("too-large", says)
    assert "GRIDSVC_JOB_" in greedy.problem["cure"]
    assert done(supervised, "little").result == {"used": "little"}


def test_each_job_has_its_time_to_itself(supervised: Database) -> None:
    """Two after another in one process take more together than one may."""
    for _ in range(2):
        assert done(supervised, "much").status == "done"
