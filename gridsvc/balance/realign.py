"""Realignment: a new plan made from the one in force, with a bounded share of customers changing owner."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gridsvc.balance.engine import solve
from gridsvc.balance.explanation.fences import least_moved
from gridsvc.balance.frontier import Frontier, Option, frontier_of
from gridsvc.balance.graph import usable_pairs
from gridsvc.balance.mend import mend
from gridsvc.balance.problem import Past, Problem
from gridsvc.balance.report import describe
from gridsvc.errors import InvalidInput
from gridsvc.progress import Progress, silent, span

__all__ = ["realign"]

_PRICES = (8.0, 3.0, 1.0, 0.3)  # of moved load; the dearer, the less of the allowance is used
_ROUNDING = 1e-9


def realign(problem: Problem, progress: Progress = silent) -> Frontier:
    """Bring a plan in force back within its limits while little of it moves.

    The plan in force is connected first where it has come apart. Then it is annealed several times, moved
    load being dear at first and cheaper each time, so that there is a frontier to choose from. Grids keep
    their numbers.

    Parameters
    ----------
    problem : Problem
        With `past`.

    Returns
    -------
    Frontier
        By load moved, the plan in force first. Its report has ``moved`` and ``lower_bound`` besides: what
        limits and connection force to move whatever the plan.

    Raises
    ------
    InvalidInput
        There is no plan in force, or it cannot be made valid without moving more than is allowed; and as
        `gridsvc.balance.engine.solve`.
    """
    past = _required(problem)
    pairs, links = usable_pairs(problem)
    labels = mend(problem, pairs, past.home)
    forced = _moved(past, labels)
    _require_enough(past, forced)
    found = [(labels, describe(problem, labels, {}, links))]
    past = replace(past, most=max(past.most, forced))
    for turn, price in enumerate(_PRICES):
        now = replace(past, price=price * past.price)
        part = span(progress, turn / len(_PRICES), (turn + 1) / len(_PRICES))
        solution = solve(replace(problem, start=labels, past=now), part)
        found.append((solution.labels, solution.report))
    options = [(Option(labels, _figures(past, labels, report)), report) for labels, report in found]
    front = frontier_of(sorted(options, key=lambda entry: float(entry[0].figures["moved"])))
    taken = front.options[front.chosen].figures
    more = {
        "moved": {name: taken[name] for name in ("moved", "moved_share", "moved_cells")},
        "lower_bound": {"moved": least_moved(problem, past), "connecting": forced},
    }
    return replace(front, report=front.report | more)


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


def _figures(past: Past, labels: NDArray[np.int32], report: dict[str, Any]) -> dict[str, Any]:
    moved = (past.home >= 0) & (labels != past.home)
    load = float(past.load[moved].sum())
    overall = report["overall"]
    return {
        "moved": load,
        "moved_share": load / (float(past.load.sum()) or 1.0),
        "moved_cells": int(moved.sum()),
        **{name: overall[name] for name in ("worst_deviation", "inside_share", "shape")},
    }
