"""Solve a problem: a complete plan of connected grids, whatever the graph looks like."""

from __future__ import annotations

from time import perf_counter

from gridsvc.balance.cache import load_engine
from gridsvc.balance.checks import require
from gridsvc.balance.graph import parts_of, usable_pairs
from gridsvc.balance.grow import join_anchors
from gridsvc.balance.metrics import check
from gridsvc.balance.problem import Problem, Solution
from gridsvc.balance.report import describe
from gridsvc.balance.share import combined_load, combined_targets, share_out
from gridsvc.progress import Progress, Watch, blind, silent

__all__ = ["solve"]


def solve(problem: Problem, progress: Progress = silent, watch: Watch = blind) -> Solution:
    """Give each cell to one of k connected, about equally loaded grids.

    The answer depends on the problem and its seed alone, unless a time limit ends the search. Parts which do
    not touch are solved apart, as are parents; a plan outside the limits is returned all the same and its
    report says so.

    Parameters
    ----------
    problem : Problem
    progress : Progress
        May raise to stop the work.
    watch : Watch
        May look at the labels while borders move; while they are hot, at those it began with.

    Returns
    -------
    Solution
        `report` as `gridsvc.balance.report.describe` writes it, and ``truncated``.

    Raises
    ------
    InvalidInput
        What `gridsvc.balance.checks.require` refuses; fewer grids than parts or parents; more grids than
        locks leave room for.
    """
    require(problem)
    began = perf_counter()
    pairs, links = usable_pairs(problem)
    _, part = parts_of(problem.n, pairs)
    load, wanted = combined_load(problem.weights), combined_targets(problem.targets)
    parts = share_out(problem, part, load, wanted, join_anchors(problem, pairs))
    seconds = {"graph": perf_counter() - began, "import": load_engine()}
    # These load numba, which a process that never solves does not need.
    from gridsvc.balance.exact import best_plan
    from gridsvc.balance.search import Found, search

    best = best_plan(problem, pairs)
    found = search(problem, pairs, parts, progress, watch) if best is None else Found(best)
    report = describe(problem, found.labels, seconds | found.seconds, links)
    solution = Solution(found.labels, report | {"truncated": found.truncated})
    faults = check(problem, solution)
    if faults:
        raise RuntimeError(f"the engine made an invalid plan: {'; '.join(faults[:5])}")
    progress(1.0, "plan checked")
    return solution
