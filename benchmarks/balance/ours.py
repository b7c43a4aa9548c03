"""Our engine, once, in a process of its own; see `main` for the arguments.

Prints one line of JSON: ``seconds`` of `solve` alone, or of `realign` where a plan is in force, ``import_s``
and ``load_s`` (numba's kernels, from its cache or compiled), ``peak_mb``.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from benchmarks.balance.instances import load
from benchmarks.balance.problems import problem
from benchmarks.memory import forget_peak, memory_mb

__all__ = ["labels_of", "main", "started", "write_labels"]


def started() -> tuple[Callable[[Any], Any], dict[str, float]]:
    """`solve` with its kernels at hand, and what importing it and loading them took (seconds)."""
    began = time.perf_counter()
    from gridsvc.balance.engine import solve

    imported = time.perf_counter()
    solve(_smallest())
    return solve, {"import_s": imported - began, "load_s": time.perf_counter() - imported}


def labels_of(asked: Any, solve: Callable[[Any], Any]) -> NDArray[np.int32]:
    """The plan `gridsvc balance` would write: with a plan in force, the one chosen of a realignment."""
    labels: NDArray[np.int32]
    if asked.past is None:
        labels = solve(asked).labels
        return labels
    from gridsvc.balance.realign import realign

    found = realign(asked)
    labels = found.options[found.chosen].labels
    return labels


def _smallest() -> Any:
    """Sixty cells in a row of squares, 6 by 10, to be cut in three."""
    from gridsvc.balance.problem import Problem
    from gridsvc.balance.targets import even_targets
    from gridsvc.tiling.tiling import Adjacency

    row, column = np.divmod(np.arange(60), 10)
    east, south = np.flatnonzero(column < 9), np.flatnonzero(row < 5)
    tail, head = np.concatenate([east, south]), np.concatenate([east + 1, south + 10])
    graph = Adjacency.from_pairs(60, tail, head, np.ones(len(tail)))
    weights = np.ones((60, 2))
    return Problem(
        indptr=graph.indptr,
        indices=graph.indices,
        border=graph.length,
        x=column.astype(float),
        y=row.astype(float),
        area=np.ones(60),
        perimeter=np.full(60, 4.0),
        weights=weights,
        measures=("customers", "sales"),
        k=3,
        targets=even_targets(weights, 3),
        tolerance=np.full(2, 0.05),
    )


def write_labels(file: Path, cells: Any, labels: Any) -> None:
    """Labels in the form the public scorer reads."""
    pd.DataFrame({"cell_id": cells, "grid_id": labels}).to_csv(file, index=False)


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.balance.ours", description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("k", type=int)
    parser.add_argument("tolerance", type=float)
    parser.add_argument("output", type=Path)
    parser.add_argument("--compactness", type=float, default=50.0)
    parser.add_argument("--home", type=Path, help="labels of the plan in force")
    options = parser.parse_args(arguments)
    inst = load(options.folder, options.tolerance)
    home = None if options.home is None else pd.read_csv(options.home)["grid_id"].to_numpy(np.int32)
    solve, starting = started()
    asked = problem(inst, options.k, compactness=options.compactness, home=home)
    forget_peak()
    began = time.perf_counter()
    labels = labels_of(asked, solve)
    seconds = time.perf_counter() - began
    figures = {"status": "ok", "seconds": seconds, **starting, "peak_mb": memory_mb("VmHWM")}
    write_labels(options.output, inst.cells["cell_id"], labels)
    print(json.dumps(figures))


if __name__ == "__main__":
    main()
