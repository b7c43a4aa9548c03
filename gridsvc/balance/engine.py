"""Solve a problem: a complete plan of connected grids, whatever the graph looks like."""

from __future__ import annotations

from time import perf_counter

import numpy as np

from gridsvc.balance.graph import parts_of, usable_pairs
from gridsvc.balance.metrics import check
from gridsvc.balance.problem import Problem, Solution
from gridsvc.balance.report import describe
from gridsvc.balance.share import combined_load, combined_targets, share_out
from gridsvc.errors import InvalidInput
from gridsvc.progress import Progress, silent

__all__ = ["solve"]


def solve(problem: Problem, progress: Progress = silent) -> Solution:
    """Give each cell to one of k connected, about equally loaded grids.

    The answer depends on the problem and its seed alone. Parts which do not touch are solved apart, as are
    parents; a plan outside the tolerances is returned all the same and its report says so.

    Parameters
    ----------
    problem : Problem
    progress : Progress
        May raise to stop the work.

    Returns
    -------
    Solution
        `report` as `gridsvc.balance.report.describe` writes it.

    Raises
    ------
    InvalidInput
        A weight, target or tolerance is negative or not a number; fewer grids than parts or parents; a
        start which is no valid plan.
    """
    _require_numbers(problem)
    _require_start(problem)
    began = perf_counter()
    pairs, links = usable_pairs(problem)
    _, part = parts_of(problem.n, pairs)
    parts = share_out(problem, part, combined_load(problem.weights), combined_targets(problem.targets))
    prepared, began = perf_counter() - began, perf_counter()
    from gridsvc.balance.search import search  # loads numba, which a process that never solves does not need

    seconds = {"graph": prepared, "import": perf_counter() - began}
    found = search(problem, pairs, parts, progress)
    report = describe(problem, found.labels, seconds | found.seconds, links)
    solution = Solution(found.labels, report | {"truncated": found.truncated})
    faults = check(problem, solution)
    if faults:
        raise RuntimeError(f"the engine made an invalid plan: {'; '.join(faults[:5])}")
    progress(1.0, "plan checked")
    return solution


def _require_numbers(problem: Problem) -> None:
    bad = np.argwhere(~(np.isfinite(problem.weights) & (problem.weights >= 0)))
    if len(bad):
        row, column = bad[0]
        raise InvalidInput(
            f"{problem.weights[row, column]} is not a quantity",
            row=int(row) + 1,
            field=problem.measures[column],
            cure="give a number of 0 or more for each cell",
        )
    shapes_fit = problem.targets.shape == (problem.k, len(problem.measures))
    if not shapes_fit or not np.isfinite(problem.targets).all() or (problem.targets < 0).any():
        raise InvalidInput(
            "the targets are not one number of 0 or more for each grid and measure",
            field="targets",
            cure=f"give {problem.k} x {len(problem.measures)} numbers",
        )
    if problem.tolerance.shape != (len(problem.measures),) or not (problem.tolerance >= 0).all():
        raise InvalidInput(
            "the tolerances are not one number of 0 or more for each measure",
            field="tolerance",
            cure="write 5% or 0.05",
        )


def _require_start(problem: Problem) -> None:
    if problem.start is None:
        return
    if problem.islands == "keep":
        faults = check(problem, Solution(problem.start))
        if faults:
            raise InvalidInput(
                f"the plan to start from is not valid: {'; '.join(faults[:5])}",
                field="start",
                cure="give a plan whose grids are complete and connected",
            )
