"""A peer, once, in a process of its own; arguments METHOD FOLDER K TOLERANCE LIMIT OUTPUT.

Runs the public benchmark's function for it, which stops it after the limit. Prints one line of JSON:
``status``, ``seconds`` without importing the package, ``peak_mb``, ``version`` of the package.
"""

from __future__ import annotations

import importlib
import json
import resource
import shutil
import sys
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from benchmarks.balance.catalogue import NEEDS
from benchmarks.balance.instances import load
from benchmarks.balance.shared import module

__all__ = ["run"]


def run(method: str, folder: Path, k: int, tolerance: float, limit: float, output: Path) -> dict[str, Any]:
    """Figures of one peer; its labels are in `output` where the status is ``ok``."""
    if not _installed(NEEDS[method]):
        return {"status": "not installed"}
    peers = module("peers")
    output.unlink(missing_ok=True)
    row = peers.run_one(method, load(folder, tolerance), k, limit, output)
    peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss
    scale = 2**20 if sys.platform == "darwin" else 2**10
    return {
        "status": row["status"],
        "seconds": float(row["seconds"]),
        "peak_mb": peak / scale,
        "version": _version(NEEDS[method]),
    }


def _installed(name: str) -> bool:
    if name == "gpmetis":
        return shutil.which(name) is not None
    try:
        importlib.import_module(name)  # here, so that its time is not counted
    except ImportError:
        return False
    return True


def _version(name: str) -> str:
    try:
        return f"{name} {version(name)}"
    except PackageNotFoundError:
        return name


if __name__ == "__main__":
    method, folder, k, tolerance, limit, output = sys.argv[1:]
    print(json.dumps(run(method, Path(folder), int(k), float(tolerance), float(limit), Path(output))))
