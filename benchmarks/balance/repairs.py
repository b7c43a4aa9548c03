"""``python -m benchmarks.balance.repairs``: local repair after a planner's edits, without peers."""

from __future__ import annotations

import argparse
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.balance.edits import EDITS, drafts
from benchmarks.balance.instances import load, prepare
from benchmarks.balance.ours import started
from benchmarks.balance.problems import problem
from benchmarks.balance.shared import CACHE, ROOT
from benchmarks.report import circumstances, put_section

__all__ = ["CASES", "Line", "main", "measure", "text"]

CASES = (("city20k", 200), ("beijing20k", 200))
BAR_MS = 100.0
_COUNT, _SEED = 50, 1
_LIBRARIES = ("numpy", "scipy", "numba")
_LEGEND = f"""A planner paints some cells of one grid over to a neighbour, and `repair` proposes moves which
make the grids whole and bring them back inside 5 %. Milliseconds are CPU time of the call, everything loaded,
over {_COUNT} different edits of each kind; the bar is {BAR_MS:g} ms."""


@dataclass(frozen=True, slots=True)
class Line:
    """One kind of edit.

    Attributes
    ----------
    ms : float array, shape (n_edits,)
        CPU time.
    painted, moves : int arrays, shape (n_edits,)
        Cells.
    whole, inside : bool arrays, shape (n_edits,)
        Whether all grids are in one piece, and all that were touched inside their limits.
    """

    case: str
    edit: str
    ms: NDArray[np.float64]
    painted: NDArray[np.int64]
    moves: NDArray[np.int64]
    whole: NDArray[np.bool_]
    inside: NDArray[np.bool_]


def measure(name: str, k: int, cache: Path = CACHE, count: int = _COUNT) -> list[Line]:
    """Our plan of an instance, edited and repaired `count` times in each way."""
    inst = load(prepare(name, cache), 0.05)
    solve, _ = started()
    asked = problem(inst, k)
    labels = solve(asked).labels
    return [_line(inst, asked, labels, f"{name} / {k}", edit, count) for edit in EDITS]


def _line(inst: Any, asked: Any, labels: NDArray[np.int32], case: str, edit: str, count: int) -> Line:
    from gridsvc.balance.metrics import components_of
    from gridsvc.balance.repair import repair

    rows = []
    for draft in drafts(inst, labels, EDITS[edit], count, _SEED):
        began = time.process_time()
        found = repair(asked, draft)
        spent = time.process_time() - began
        pieces = components_of(found.labels, asked.indptr, asked.indices, asked.k)
        painted = np.count_nonzero(draft != labels)
        rows.append(
            (1000 * spent, painted, len(found.cells), pieces.max() == 1, not len(found.still_outside))
        )
    ms, painted_, moves, whole, inside = (np.array(column) for column in zip(*rows, strict=True))
    return Line(case, edit, ms, painted_, moves, whole, inside)


def text(lines: Sequence[Line]) -> str:
    """The table."""
    head = [
        "| case | edit | CPU ms, median | worst | cells painted | cells moved, median | most | whole "
        "| inside |",
        "|---|---|--:|--:|--:|--:|--:|--:|--:|",
    ]
    return "\n".join(head + [_row(line) for line in lines])


def _row(line: Line) -> str:
    worst = f"{line.ms.max():.0f}" if line.ms.max() <= BAR_MS else f"**{line.ms.max():.0f}**"
    return (
        f"| {line.case} | {line.edit} | {np.median(line.ms):.0f} | {worst} | {np.median(line.painted):.0f} "
        f"| {np.median(line.moves):.0f} | {line.moves.max()} | {line.whole.sum()} of {len(line.whole)} "
        f"| {line.inside.sum()} of {len(line.inside)} |"
    )


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.balance.repairs", description=__doc__)
    parser.add_argument("--out", type=Path, default=ROOT / "docs", help="folder for the page (docs)")
    options = parser.parse_args(arguments)
    lines = [line for name, k in CASES for line in measure(name, k)]
    how = circumstances(f"{sum(len(line.ms) for line in lines)} repairs", _LIBRARIES)
    body = f"## Local repair\n\n{how}\n\n{_LEGEND}\n\n{text(lines)}"
    put_section(options.out / "benchmarks.md", "repairs", body)
    print(body)


if __name__ == "__main__":
    main()
