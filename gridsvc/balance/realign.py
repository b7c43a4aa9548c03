"""Realignment: a new plan made from the one in force, with a bounded share of customers changing owner."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gridsvc.balance.engine import solve
from gridsvc.balance.fences import least_moved
from gridsvc.balance.graph import usable_pairs
from gridsvc.balance.mend import mend
from gridsvc.balance.problem import Past, Problem
from gridsvc.balance.report import describe
from gridsvc.errors import InvalidInput
from gridsvc.progress import Progress, silent, span

__all__ = ["Option", "Realigned", "realign"]

_PRICES = (8.0, 3.0, 1.0, 0.3)  # of moved load; the dearer, the less of the allowance is used
_ROUNDING = 1e-9


@dataclass(frozen=True, slots=True)
class Option:
    """One plan of the frontier.

    Attributes
    ----------
    labels : int32 array, shape (n,)
    figures : dict
        ``moved`` (load), ``moved_share``, ``moved_cells``, ``worst_deviation`` a measure,
        ``inside_share`` and ``shape``.
    """

    labels: NDArray[np.int32]
    figures: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Realigned:
    """Plans to choose from, none better than another in everything, by load moved.

    Attributes
    ----------
    options : tuple of Option
    chosen : int
        The most compact of those with the fewest grids outside.
    report : dict
        That of the chosen plan, as `gridsvc.balance.report.describe` writes it, and ``moved``,
        ``lower_bound`` and ``frontier`` (the options' figures).
    """

    options: tuple[Option, ...]
    chosen: int
    report: dict[str, Any]


def realign(problem: Problem, progress: Progress = silent) -> Realigned:
    """Bring a plan in force back within its limits while little of it moves.

    The plan in force is connected first where it has come apart. Then it is annealed several times, moved
    load being dear at first and cheaper each time, so that there is a frontier to choose from. Grids keep
    their numbers.

    Parameters
    ----------
    problem : Problem
        With `past`.

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
    options = [Option(labels, _figures(past, labels, report)) for labels, report in found]
    front = _front(options)
    chosen = min(range(len(front)), key=lambda i: _rank(options[front[i]].figures))
    figures = [options[i].figures for i in front]
    report = {
        **found[front[chosen]][1],
        "moved": {name: figures[chosen][name] for name in ("moved", "moved_share", "moved_cells")},
        "lower_bound": {"moved": least_moved(problem, past), "connecting": forced},
        "frontier": [entry | {"chosen": i == chosen} for i, entry in enumerate(figures)],
    }
    return Realigned(tuple(options[i] for i in front), chosen, report)


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


def _rank(figures: dict[str, Any]) -> tuple[float, float]:
    return (-figures["inside_share"], figures["shape"])


def _front(options: list[Option]) -> list[int]:
    """Options none of the others is at least as good as in load moved, grids inside, deviation and shape."""
    value = np.array([
        [f["moved"], -f["inside_share"], max(f["worst_deviation"].values()), f["shape"]]
        for f in (option.figures for option in options)
    ])  # fmt: skip
    kept = []
    for i, mine in enumerate(value):
        as_good = (value <= mine).all(axis=1)
        better = as_good & (value < mine).any(axis=1)
        same_before = as_good[:i] & (value[:i] == mine).all(axis=1)
        if not better.any() and not same_before.any():
            kept.append(i)
    return sorted(kept, key=lambda i: float(value[i, 0]))
