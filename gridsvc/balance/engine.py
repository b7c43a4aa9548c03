"""Solve a problem: a complete plan of connected grids, whatever the graph looks like."""

from __future__ import annotations

from time import perf_counter

import numpy as np

from gridsvc.balance.graph import Link, csr_of, links_between_islands, open_pairs, parts_of
from gridsvc.balance.metrics import check
from gridsvc.balance.moves import improve
from gridsvc.balance.problem import Problem, Solution
from gridsvc.balance.report import describe
from gridsvc.balance.share import combined_load, combined_targets, share_out
from gridsvc.balance.start import first_labels
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
        A weight, target or tolerance is negative or not a number; fewer grids than parts or parents.
    """
    _require_numbers(problem)
    began = perf_counter()
    pairs = open_pairs(problem)
    _, part = parts_of(problem.n, pairs)
    links: list[Link] = []
    if problem.islands == "attach":
        links = links_between_islands(problem, part)
        ends = np.array([(link.a, link.b) for link in links], np.int64).reshape(-1, 2)
        pairs = np.concatenate([pairs[0], ends[:, 0]]), np.concatenate([pairs[1], ends[:, 1]])
        _, part = parts_of(problem.n, pairs)
    load, wanted = combined_load(problem.weights), combined_targets(problem.targets)
    parts = share_out(problem, part, load, wanted)
    labels = first_labels(problem, pairs, parts, load, wanted, progress=_span(progress, 0.0, 0.3))
    started = perf_counter()
    from gridsvc.balance.anneal import anneal

    labels = anneal(problem, pairs, labels, _span(progress, 0.3, 1.0))
    seconds = {"start": started - began, "moves": perf_counter() - started}
    solution = Solution(labels, describe(problem, labels, seconds, links))
    faults = check(problem, solution)
    if faults:
        raise RuntimeError(f"the engine made an invalid plan: {'; '.join(faults[:5])}")
    progress(1.0, "plan checked")
    return solution


def _span(progress: Progress, start: float, end: float) -> Progress:
    def part(share: float, message: str) -> None:
        progress(start + (end - start) * share, message)

    return part


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
