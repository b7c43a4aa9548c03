"""Cold starts and memory of a service."""

from __future__ import annotations

import shutil
import time
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.lookup.ground import Ground, large
from benchmarks.lookup.questions import MIDDLE, first_question, question
from benchmarks.lookup.running import Running, ask, running
from benchmarks.lookup.sizes import Sizes

__all__ = ["cold_starts", "memory"]

_WORKERS = 2
_MB = 1e6


# --- cold start


def cold_starts(sizes: Sizes, work: Path) -> dict[str, list[float]]:
    """Seconds from starting `gridsvc serve` to the first right answer, by what was there before."""
    found: dict[str, list[float]] = {}
    for name, steps in (("20k cells", min(MIDDLE, sizes.many_cells)), ("1 M cells", sizes.many_cells)):
        folder = work / f"large-{steps}"
        asked = question(large(folder, steps))
        for _ in range(sizes.starts):
            shutil.rmtree(folder / "ownership", ignore_errors=True)
            found.setdefault(f"{name}, no files yet", []).append(_started(folder, *asked))
            found.setdefault(name, []).append(_started(folder, *asked))
    return found


def _started(folder: Path, path: str, grid: str) -> float:
    with running(folder, path, grid) as service:
        return service.seconds


# --- memory


def memory(ground: Ground, sizes: Sizes, work: Path) -> dict[str, Any]:
    """MB of each process of a warm service with 1 M cells, of its files, and of a customers' file."""
    folder = work / f"large-{sizes.many_cells}"
    made = large(folder, sizes.many_cells)
    with running(folder, *question(made), _WORKERS) as service:
        time.sleep(1.0)
        lines = _processes(service)
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
        "london": _london_processes(ground),
    }


def _london_processes(ground: Ground) -> list[dict[str, Any]]:
    with running(ground.folder, *first_question(ground), _WORKERS) as service:
        time.sleep(1.0)
        return _processes(service)


def _processes(service: Running) -> list[dict[str, Any]]:
    """Own and proportional memory; API workers are told by the questions they take."""
    import psutil

    workers = service.worker_connections(_WORKERS)
    for connection in workers.values():
        for _ in range(200):
            ask(connection, "/readyz")
    parent = psutil.Process(service.process.pid)
    told = []
    for process in (parent, *parent.children(recursive=True)):
        used = process.memory_full_info()
        role = "API worker" if process.pid in workers else "parent" if process is parent else "other"
        command = " ".join(process.cmdline()[1:4])[:60]
        told.append({"role": role, "uss": used.uss / _MB, "pss": used.pss / _MB, "command": command})
    return told


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
