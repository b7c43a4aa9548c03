"""`gridsvc balance` on an instance written as CSV: the same plan as the library call."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from benchmarks.balance.shared import ROOT

__all__ = ["by_command", "same_grids"]

_GRIDSVC = "from gridsvc.cli import main; main()"


def by_command(inst: Any, k: int, folder: Path) -> NDArray[np.object_]:
    """Grid of each cell, as the command line gives it: object array of str, shape (n,).

    Cells get plain names, so that the command takes their place and size from the file and not from H3.

    Raises
    ------
    subprocess.CalledProcessError
        The command failed; a plan outside a tolerance is no failure.
    """
    names = np.array([f"c{row:07d}" for row in range(inst.n)], object)
    table = inst.cells[["x", "y", "area", "perimeter", *inst.attrs]]
    table.assign(cell=names).to_csv(folder / "cells.csv", index=False)
    passable = inst.open
    edges = {"a": names[inst.u[passable]], "b": names[inst.v[passable]], "length": inst.length[passable]}
    pd.DataFrame(edges).to_csv(folder / "edges.csv", index=False)
    command = [sys.executable, "-c", _GRIDSVC, "balance", str(folder / "cells.csv"), "--grids", str(k)]
    for name in inst.attrs:
        command += ["--measure", f"{name}:{inst.tol}"]
    command += ["--adjacency", str(folder / "edges.csv"), "-o", str(folder / "plan.csv")]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    if not (folder / "plan.csv").exists():
        done.check_returncode()
    plan = pd.read_csv(folder / "plan.csv", dtype=str).set_index("cell")
    grids: NDArray[np.object_] = plan.loc[names, "grid"].to_numpy(object)
    return grids


def same_grids(one: NDArray[Any], other: NDArray[Any]) -> bool:
    """Whether two plans cut the cells alike, whatever their grids are called."""
    pairs = pd.DataFrame({"a": one, "b": other}).drop_duplicates()
    return bool(len(pairs) == pairs["a"].nunique() == pairs["b"].nunique())
