"""How long it takes from publishing until all workers answer from it."""

from __future__ import annotations

import shutil
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.lookup.ground import add, opened, versions
from benchmarks.lookup.questions import MIDDLE, question
from benchmarks.lookup.running import Running, ask, running
from benchmarks.lookup.sizes import Sizes

__all__ = ["visible"]

_WORKERS = 2


def visible(sizes: Sizes, work: Path) -> dict[str, Any]:
    """Milliseconds from a publication's commit until every worker answers from it."""
    folder = work / "visible"
    made = versions(min(MIDDLE, sizes.many_cells))
    first = next(made)
    database = opened(folder)
    add(database, first)
    path, grid = question(first)
    pause = np.random.default_rng(1)
    took: list[float] = []
    with running(folder, path, grid, _WORKERS) as service, _watched(service, path) as seen:
        for publication in (next(made) for _ in range(sizes.publishes)):
            time.sleep(pause.uniform(0.05, 0.15))  # so as not to keep step with anybody's clock
            n = add(database, publication)
            committed = time.perf_counter()
            took.append(1e3 * (seen.all_at(n) - committed))
    database.close()
    shutil.rmtree(folder)
    return {"cells": len(first.ids), "workers": _WORKERS, "ms": took}


class _Seen:
    """When each worker was first seen to answer from a publication."""

    def __init__(self, workers: int) -> None:
        self._workers, self._changed = workers, threading.Condition()
        self._at: dict[int, dict[int, float]] = {}

    def tell(self, worker: int, n: int) -> None:
        with self._changed:
            if n not in self._at.setdefault(worker, {}):
                self._at[worker][n] = time.perf_counter()
                self._changed.notify_all()

    def all_at(self, n: int, seconds: float = 30.0) -> float:
        """When the last worker had it."""
        with self._changed:
            if not self._changed.wait_for(lambda: len(self._times(n)) == self._workers, seconds):
                raise RuntimeError(f"publication {n} was not seen by every worker within {seconds:g} s")
            return max(self._times(n))

    def _times(self, n: int) -> list[float]:
        return [times[n] for times in self._at.values() if n in times]


@contextmanager
def _watched(service: Running, path: str) -> Iterator[_Seen]:
    """Ask each worker again and again."""
    seen, stop = _Seen(_WORKERS), threading.Event()

    def watch(worker: int, connection: Any) -> None:
        while not stop.is_set():
            seen.tell(worker, ask(connection, path)["publication"])
            time.sleep(0.001)

    with service.worker_connections(_WORKERS) as connections:
        threads = [threading.Thread(target=watch, args=pair, daemon=True) for pair in connections.items()]
        for thread in threads:
            thread.start()
        try:
            yield seen
        finally:
            stop.set()
            for thread in threads:
                thread.join()
