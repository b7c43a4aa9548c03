"""What the reader of a file may take."""

from __future__ import annotations

import os
import re
import resource
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

__all__ = ["BYTES", "SECONDS", "within_bounds"]

SECONDS, BYTES = 2.0, 300_000_000  # of CPU; of memory, with all that the reader takes to start


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
