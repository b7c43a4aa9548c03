"""Files made to hurt: the right answer, or a refusal which names the feature; and nothing else falls."""

from __future__ import annotations

import os
import re
import resource
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from gridsvc.errors import InvalidInput
from gridsvc.tiling.sources import guard
from gridsvc.tiling.sources.rows import STRANGE
from tests.tiling.hostile import CASES, Case

SECONDS, BYTES = 2.0, 300_000_000  # of CPU; of memory, with all that the reader takes to start
ALL = bool(os.environ.get("GRIDSVC_PROOF_HOSTILE"))
FEW = {
    "ten-million-vertices",
    "a-geoparquet-of-ten-million-vertices",
    "a-text-whose-second-geometry-is-huge",
    "a-header-of-a-million-commas",
    "one-large-feature-by-itself",
}
INSIDE = [case for case in CASES if not case.child_only]
OUTSIDE = [case for case in CASES if ALL or case.child_only or case.name in FEW]


def read_plain(case: Case, path: Path) -> int:
    """As an upload is read, in this process."""
    from gridsvc.tiling.sources import listing, plain, reading

    rows = reading.read(path, limits=STRANGE)
    plain.write_plain(rows, rows.crs or "wgs84", path.with_name("out.json"))
    return int(listing.listing(rows)["features"])


def judge(case: Case, outcome: int | InvalidInput, folder: Path) -> None:
    if case.rows is not None:
        assert outcome == case.rows, str(outcome)
        return
    assert isinstance(outcome, InvalidInput), f"{outcome} rows"
    assert re.search(case.fault or "", str(outcome)), str(outcome)
    assert outcome.row == case.row
    assert outcome.cure
    assert outcome.source == case.file  # the file's name, not where it lies
    assert str(folder) not in str(outcome)
    assert "/etc" not in str(outcome)


class Highest(threading.Thread):
    """The most memory which a process started by this one has had, in bytes."""

    def __init__(self) -> None:
        super().__init__(daemon=True)
        self.bytes, self._done = 0, threading.Event()

    def run(self) -> None:
        while not self._done.wait(0.004):
            for pid in Path(f"/proc/{os.getpid()}/task").glob("*/children"):
                for child in pid.read_text().split():
                    self._look(Path("/proc") / child)

    def _look(self, process: Path) -> None:
        try:
            if b"sources.reader" in (process / "cmdline").read_bytes():
                found = re.search(r"VmHWM:\s+(\d+)", (process / "status").read_text())
                self.bytes = max(self.bytes, int(found[1]) * 1024 if found else 0)
        except OSError:
            return  # it has just ended

    def stop(self) -> None:
        self._done.set()
        self.join()


def cpu() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


@contextmanager
def within_bounds(record: Any) -> Iterator[None]:
    """Neither time nor memory beyond what a file may take."""
    highest, before = Highest(), cpu()
    highest.start()
    yield
    highest.stop()
    seconds = cpu() - before
    record("cpu seconds", round(seconds, 2))
    record("memory, MB", round(highest.bytes / 1e6))
    assert seconds < SECONDS
    assert 0 < highest.bytes < BYTES


def test_there_are_at_least_sixty() -> None:
    assert len({case.name for case in CASES}) == len(CASES) >= 120


@pytest.mark.parametrize("case", INSIDE, ids=lambda case: case.name)
def test_each_is_read_right_or_refused_by_name(case: Case, tmp_path: Path) -> None:
    path = tmp_path / case.file
    case.make(path)
    began = time.process_time()
    try:
        outcome: int | InvalidInput = read_plain(case, path)
    except InvalidInput as error:
        outcome = error
    assert time.process_time() - began < SECONDS
    judge(case, outcome, tmp_path)


@pytest.mark.parametrize("case", OUTSIDE, ids=lambda case: case.name)
def test_each_ends_nothing_but_its_own_process(case: Case, tmp_path: Path, record_property: Any) -> None:
    path = tmp_path / case.file
    case.make(path)
    with within_bounds(record_property):
        try:
            outcome: int | InvalidInput = int(guard.read_into(path, tmp_path / "out.json")["features"])
        except InvalidInput as error:
            outcome = error
    judge(case, outcome, tmp_path)
