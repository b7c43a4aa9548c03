"""The public benchmark in the folder beside the project: read where it lies, never copied."""

from __future__ import annotations

import importlib
import sys
from pathlib import Path
from types import ModuleType

__all__ = ["CACHE", "FOLDER", "ROOT", "module"]

ROOT = Path(__file__).resolve().parents[2]
FOLDER = ROOT.parent / "shared" / "bench"

# Instances, labels and results; may be deleted at any time.
CACHE = ROOT / "var" / "benchmarks" / "balance"


def module(name: str) -> ModuleType:
    """``territory_bench``, ``peers`` or ``real_instances``.

    Raises
    ------
    FileNotFoundError
        The folder is not there.
    """
    if not (FOLDER / f"{name}.py").exists():
        raise FileNotFoundError(f"the public benchmark ({name}.py) is not in ../shared/bench")
    if str(FOLDER) not in sys.path:
        sys.path.insert(0, str(FOLDER))
    written, sys.dont_write_bytecode = sys.dont_write_bytecode, True  # the folder is not ours
    try:
        return importlib.import_module(name)
    finally:
        sys.dont_write_bytecode = written
