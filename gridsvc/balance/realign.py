"""Realignment: a new plan made from the one in force, with a bounded share of customers changing owner."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from time import perf_counter
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gridsvc.balance.cache import load_engine, warm_engine
from gridsvc.balance.checks import require
from gridsvc.balance.explanation.fences import least_moved
from gridsvc.balance.frontier import Frontier, Option, frontier_of
from gridsvc.balance.graph import Link, usable_pairs
from gridsvc.balance.mend import mend
from gridsvc.balance.metrics import check
from gridsvc.balance.prices import priced_plans
from gridsvc.balance.problem import Past, Problem, Solution
from gridsvc.balance.report import describe
from gridsvc.errors import InvalidInput
from gridsvc.progress import Progress, silent

__all__ = ["realign"]

_MOVES = "moved", "moved_share", "moved_cells", "by_measure"
_ROUNDING = 1e-9


def realign(problem: Problem, progress: Progress = silent) -> Frontier:
    """Bring a plan in force back within its limits while little of it moves.

    The plan in force is connected first where it has come apart. Then it is annealed several times, moved
    load being dear or cheap, so that there is a frontier to choose from. Grids keep their numbers.

    Parameters
    ----------
    problem : Problem
        With `past`.

    Returns
    -------
    Frontier
        By load moved, the plan in force first. Its report has ``moved`` besides (`by_measure` are shares of
        each measure); ``lower_bound``, what limits and connection force to move whatever the plan; and
        ``enough``, the least load found to bring all grids inside, whatever is allowed, or None.

    Raises
    ------
    InvalidInput
        There is no plan in force, or it cannot be made valid without moving more than is allowed; and what
        `gridsvc.balance.checks.require` refuses.
    """
    past = _required(problem)
    require(problem)
    began = perf_counter()
    pairs, links = usable_pairs(problem)
    labels = mend(problem, pairs, past.home)
    forced = _moved(past, labels)
    _require_enough(past, forced)
    past = replace(past, most=max(past.most, forced))
    seconds = {"graph": perf_counter() - began} | _loaded()
    plans = priced_plans(problem, pairs, past, labels, progress)
    found = [
        _described(problem, past, plan, seconds | plans.seconds, links) for plan in (labels, *plans.labels)
    ]
    front = frontier_of(sorted(found, key=lambda entry: float(entry[0].figures["moved"])))
    taken = front.options[front.chosen].figures
    more = {
        "moved": {name: taken[name] for name in _MOVES},
        "lower_bound": {"moved": least_moved(problem, past), "connecting": forced},
        "enough": plans.enough,
        "truncated": plans.truncated,
    }
    progress(1.0, "plans checked")
    return replace(front, report=front.report | more)


def _loaded() -> dict[str, float]:
    seconds = {"import": load_engine()}
    began = perf_counter()
    warm_engine()
    return seconds | {"compile": perf_counter() - began}


def _described(
    problem: Problem,
    past: Past,
    labels: NDArray[np.int32],
    seconds: dict[str, float],
    links: Sequence[Link],
) -> tuple[Option, dict[str, Any]]:
    report = describe(problem, labels, seconds, links)
    faults = check(problem, Solution(labels, report))
    if faults:
        raise RuntimeError(f"the engine made an invalid plan: {'; '.join(faults[:5])}")
    return Option(labels, _figures(problem, past, labels, report)), report


def _required(problem: Problem) -> Past:
    past = problem.past
    if past is None:
        raise InvalidInput(
            "there is no plan in force to start from",
            field="from",
            cure="give the old plan's cells and grids",
        )
    if past.home.min() < -1 or past.home.max() >= problem.k:
        raise InvalidInput(
            f"the plan in force has grids beyond the {problem.k} asked for",
            field="from",
            cure=f"ask for {past.home.max() + 1} grids",
        )
    return past


def _require_enough(past: Past, forced: float) -> None:
    if forced > past.most * (1 + _ROUNDING):
        whole = float(past.load.sum()) or 1.0
        raise InvalidInput(
            f"connecting the plan in force moves {forced / whole:.1%} already, "
            f"more than the {past.most / whole:.1%} allowed",
            field="max-disruption",
            cure=f"allow at least {np.ceil(1000 * forced / whole) / 10:g}%",
        )


def _moved(past: Past, labels: NDArray[np.int32]) -> float:
    return float(past.load[(past.home >= 0) & (labels != past.home)].sum())


def _figures(
    problem: Problem, past: Past, labels: NDArray[np.int32], report: dict[str, Any]
) -> dict[str, Any]:
    moved = (past.home >= 0) & (labels != past.home)
    load, total = float(past.load[moved].sum()), problem.weights.sum(axis=0)
    shares = problem.weights[moved].sum(axis=0) / np.where(total > 0, total, 1.0)
    overall = report["overall"]
    return {
        "moved": load,
        "moved_share": load / (float(past.load.sum()) or 1.0),
        "moved_cells": int(moved.sum()),
        "by_measure": dict(zip(problem.measures, shares.tolist(), strict=True)),
        **{name: overall[name] for name in ("worst_deviation", "inside_share", "shape")},
    }
