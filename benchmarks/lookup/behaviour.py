"""Cold starts and memory of a service."""

from __future__ import annotations

import json
import shutil
import time
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.lookup.caller import Caller
from benchmarks.lookup.ground import Ground, large
from benchmarks.lookup.questions import MIDDLE, first_question, question
from benchmarks.lookup.running import Running, ask, running
from benchmarks.lookup.sizes import Sizes
from gridsvc.ownership.publication import Publication

__all__ = ["cold_starts", "memory"]

_WORKERS = 2
_MB = 1e6


# --- cold start


def cold_starts(sizes: Sizes, work: Path) -> list[dict[str, Any]]:
    """Seconds from starting `gridsvc serve` to the first right answer.

    Returns
    -------
    list of dict
        ``cells``; ``kept``: whether the files which lookups map were there; ``seconds`` of each start.
    """
    found = []
    for steps in (min(MIDDLE, sizes.many_cells), sizes.many_cells):
        folder = work / f"large-{steps}"
        made = large(folder, steps)
        for kept in (False, True):
            seconds = [_started(folder, made, kept=kept) for _ in range(sizes.starts)]
            found.append({"cells": len(made.ids), "kept": kept, "seconds": seconds})
    return found


def _started(folder: Path, made: Publication, *, kept: bool) -> float:
    if not kept:
        shutil.rmtree(folder / "ownership", ignore_errors=True)
    with running(folder, *question(made)) as service:
        return service.seconds


# --- memory


def memory(ground: Ground, sizes: Sizes, work: Path) -> dict[str, Any]:
    """MB of each process of a warm service with 1 M cells, of its files, and of a customers' file."""
    folder = work / f"large-{sizes.many_cells}"
    made = large(folder, sizes.many_cells)
    lines = _processes(folder, *question(made))
    files = {
        str(path.relative_to(folder)): path.stat().st_size / _MB
        for path in sorted((folder / "ownership").rglob("*"))
        if path.is_file() and path.stat().st_size > 10_000
    }
    return {
        "cells": len(made.ids),
        "files": files,
        "processes": lines,
        "customers": sizes.many_customers,
        "customers_mb": _customers_mb(sizes.many_customers, work),
        "london": _processes(ground.folder, *first_question(ground)),
    }


def _processes(folder: Path, path: str, grid: str) -> list[dict[str, Any]]:
    """Own and proportional memory; API workers are told by the questions they take."""
    with running(folder, path, grid, _WORKERS) as service:
        time.sleep(1.0)
        with service.worker_connections(_WORKERS) as workers:
            for connection in workers.values():
                _use(connection, path)
            return _used(service, set(workers))


def _use(connection: Caller, path: str) -> None:
    """Some single questions and a batch."""
    for _ in range(200):
        ask(connection, path)
    body = json.dumps({"lat": [51.5] * 50_000, "lon": [-0.12] * 50_000})
    connection.request("POST", "/v1/owner/batch", body, {"Content-Type": "application/json"})
    connection.getresponse().read()


def _used(service: Running, workers: set[int]) -> list[dict[str, Any]]:
    import psutil

    parent = psutil.Process(service.process.pid)
    told = []
    for process in (parent, *parent.children(recursive=True)):
        used = process.memory_full_info()
        role = "API worker" if process.pid in workers else _name(process.cmdline())
        told.append({"role": role, "uss": used.uss / _MB, "pss": used.pss / _MB})
    return told


def _name(command: list[str]) -> str:
    """What a process is: the module it runs, or one of Python's own helpers."""
    if "-m" in command:
        return command[command.index("-m") + 1]
    return "gridsvc serve" if "serve" in command else "Python's resource tracker"


def _customers_mb(count: int, work: Path) -> float:
    from gridsvc.ownership.accounts import Accounts

    path = work / "customers.map"
    chunks = (_ids(start, min(count, start + 100_000)) for start in range(0, count, 100_000))
    Accounts.of(chunks).write(path)
    size = path.stat().st_size / _MB
    path.unlink()
    return size


def _ids(start: int, end: int) -> tuple[list[str], np.ndarray[Any, Any]]:
    return [f"customer-{i:09d}" for i in range(start, end)], np.arange(start, end, dtype=np.int32)
