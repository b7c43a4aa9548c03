"""A service which publishes and answers for a long time keeps its memory, its files and its connections."""

from __future__ import annotations

import os
import signal
import threading
import time
import uuid
from collections.abc import Callable
from http.client import HTTPException
from pathlib import Path

import numpy as np
import pytest

from tests.conftest import LONG_WALK
from tests.databases import missing
from tests.journey.crash import KIT, SLUG, Driver, columns

SECONDS = int(os.environ.get("GRIDSVC_PROOF_SOAK", "20"))
PUBLICATIONS = max(10, SECONDS // 3)
PROOF = SECONDS >= 600
SETTLED = 0.25  # share of the time after which what is loaded once is loaded
SLOPE = 1.0  # MB a minute
KEPT = 64  # states which a process keeps open, so that questions about other days are answered at once

Record = Callable[[str, object], None]


@pytest.fixture
def driver(database_url: str, tmp_path: Path) -> Driver:
    if not KIT.is_dir():
        missing("../shared/kit")
    return Driver(database_url, tmp_path, workers=2)


def lasting(root: int) -> list[Path]:
    """The processes of a server which stay: all but those which do jobs."""
    found, parents = {root}, {}
    for path in Path("/proc").glob("[0-9]*"):
        try:
            parents[int(path.name)] = int((path / "stat").read_text().rpartition(")")[2].split()[1])
        except OSError:
            continue
    while more := {pid for pid, parent in parents.items() if parent in found} - found:
        found |= more
    kept = [Path(f"/proc/{pid}") for pid in sorted(found)]
    return [path for path in kept if not _passing(path)]


def _passing(path: Path) -> bool:
    try:
        command = (path / "cmdline").read_bytes()
    except OSError:
        return True
    return any(name in command for name in (b"gridsvc.jobs", b"gridsvc.exporting", b"gridsvc.warm"))


def memory(processes: list[Path]) -> float:
    """Their own memory in MB: what is mapped from files goes back by itself."""
    return sum(_own(path) for path in processes) / 1024


def _own(path: Path) -> int:
    lines = (path / "status").read_text().splitlines()
    return sum(int(line.split()[1]) for line in lines if line.startswith(("RssAnon:", "RssShmem:")))


def files(processes: list[Path]) -> list[int]:
    return [len(list((path / "fd").iterdir())) for path in processes]


@LONG_WALK
def test_memory_files_and_connections_stay(driver: Driver, record_property: Record) -> None:
    process = driver.start()
    stop, answered, late, faults = threading.Event(), [0], [0], list[str]()

    def look() -> None:
        path = f"/v1/owner/cells/{columns(0, 1)[0]}?territory={SLUG}"
        while not stop.is_set():
            try:
                connection = driver.http()
                for _ in range(20):
                    driver._call(connection, "GET", path)
                    answered[0] += 1
                driver.snapshot(connection, 0)
                connection.close()
            except TimeoutError:
                late[0] += 1  # a busy machine; what is wrong shows in the answers which come
            except (OSError, ValueError, AssertionError, HTTPException) as error:
                faults.append(repr(error))
                return
            time.sleep(0.02)

    try:
        _until_ready(driver)
        path = f"/v1/plans/{driver.published}/publish"
        patient(
            lambda: driver._call(driver.http(), "POST", path, {}, {"If-Match": '"2"', "Idempotency-Key": "1"})
        )
        publish(driver, 1)
        readers = [threading.Thread(target=look) for _ in range(2)]
        for reader in readers:
            reader.start()
        samples, before = [], None
        began = time.monotonic()
        for number in range(2, PUBLICATIONS + 2):
            publish(driver, number)
            processes = lasting(process.pid)
            spent = time.monotonic() - began
            samples.append((spent / 60, memory(processes)))
            if before is None and spent > SETTLED * SECONDS and number > (KEPT if PROOF else 0):
                before = processes, files(processes)
            time.sleep(max(0.0, number * SECONDS / PUBLICATIONS - spent))
        stop.set()
        for reader in readers:
            reader.join()
        time.sleep(6)  # connections which wait for another request are let go after five seconds
        assert before is not None
        after = files(before[0])
        keeping = [path for path in before[0] if b"gridsvc.node" in (path / "cmdline").read_bytes()]
        assert len(keeping) == 1
    finally:
        os.killpg(process.pid, signal.SIGTERM)
        process.wait(120)
    assert faults == []
    assert lasting(process.pid)[1:] == []
    minutes, megabytes = np.array([s for s in samples if s[0] * 60 > SETTLED * SECONDS]).T
    slope = float(np.polyfit(minutes, megabytes, 1)[0])
    record_property("publications", len(samples))
    record_property("lookups", answered[0])
    record_property("lookups which took more than ten seconds", late[0])
    record_property("memory at first and last, MB", [round(float(m), 1) for m in megabytes[[0, -1]]])
    record_property("slope, MB a minute", round(slope, 2))
    record_property("open files of each process, before and after", [before[1], after])
    pairs = zip(before[0], before[1], after, strict=True)
    grown = [late - early for path, early, late in pairs if PROOF or path not in keeping]
    assert max(grown) <= 2, (before[1], after)
    if PROOF:
        assert slope < SLOPE


def publish(driver: Driver, number: int) -> None:
    """Publish, with as many attempts under one key as that takes."""
    key = str(uuid.uuid4())
    patient(lambda: driver.publish(driver.http(), number, key))


def patient(ask: Callable[[], object]) -> None:
    for _ in range(20):
        try:
            ask()
        except OSError:
            time.sleep(0.2)
        else:
            return
    raise TimeoutError


def _until_ready(driver: Driver) -> None:
    end = time.monotonic() + 300
    while time.monotonic() < end:
        try:
            if driver.ready():
                return
        except OSError:
            time.sleep(0.05)
    raise TimeoutError
