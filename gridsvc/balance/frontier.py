"""Plans to choose from where goals pull apart, none of them better than another in everything."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gridsvc.balance.engine import solve
from gridsvc.balance.problem import Problem
from gridsvc.progress import Progress, silent, span

__all__ = ["Frontier", "Option", "frontier_of", "trade_off"]

_COMPACTNESS = (0.0, 25.0, 50.0, 75.0, 100.0)
_BALANCE = "worst_deviation", "inside_share", "shape"
_AS_ROUND = 1.005  # shapes nearer to each other are not worth a customer who changes grids


@dataclass(frozen=True, slots=True)
class Option:
    """One plan of a frontier.

    Attributes
    ----------
    labels : int32 array, shape (n,)
    figures : dict
        ``worst_deviation`` a measure, ``inside_share`` and ``shape``; ``moved`` (load), ``moved_share`` and
        ``moved_cells`` of a realignment, else ``compactness``.
    """

    labels: NDArray[np.int32]
    figures: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Frontier:
    """Plans to choose from, and the one that is taken unless somebody does.

    Attributes
    ----------
    options : tuple of Option
    chosen : int
    report : dict
        That of the chosen plan, as `gridsvc.balance.report.describe` writes it, and ``frontier``, the
        options' figures.
    """

    options: tuple[Option, ...]
    chosen: int
    report: dict[str, Any]


def trade_off(problem: Problem, progress: Progress = silent) -> Frontier:
    """Balance against compactness: the problem solved from balance only to shape first.

    Where measures drift apart over a territory, or cells are coarse, no plan is both balanced and compact,
    and a planner must see what either costs. The plan for the compactness asked for is chosen, or if others
    beat it, the most compact of those with the fewest grids outside.

    Raises
    ------
    InvalidInput
        As `gridsvc.balance.engine.solve`.
    """
    values = sorted({*_COMPACTNESS, problem.compactness})
    found = []
    for turn, compactness in enumerate(values):
        part = span(progress, turn / len(values), (turn + 1) / len(values))
        solution = solve(replace(problem, compactness=compactness), part)
        figures = {name: solution.report["overall"][name] for name in _BALANCE}
        option = Option(solution.labels, {"compactness": compactness, **figures})
        found.append((option, solution.report))
    return frontier_of(found, wanted=values.index(problem.compactness))


def frontier_of(found: Sequence[tuple[Option, dict[str, Any]]], wanted: int | None = None) -> Frontier:
    """The options none of the others is at least as good as in everything, in the order given.

    Parameters
    ----------
    found : sequence of (Option, report)
    wanted : int, optional
        Position of the option to choose if nothing beats it. By default, and if it is beaten, the most
        compact of those with the fewest grids outside, or one as good as that which moves less.
    """
    value = np.array([_value(option.figures) for option, _ in found])
    kept = [i for i in range(len(found)) if not _beaten(value, i)]
    chosen = kept.index(wanted) if wanted in kept else _best([found[i][0].figures for i in kept])
    options = tuple(found[i][0] for i in kept)
    figures = [option.figures | {"chosen": i == chosen} for i, option in enumerate(options)]
    return Frontier(options, chosen, {**found[kept[chosen]][1], "frontier": figures})


def _value(figures: dict[str, Any]) -> tuple[float, ...]:
    worst = max(figures["worst_deviation"].values())
    return figures.get("moved", 0.0), -figures["inside_share"], worst, figures["shape"]


def _beaten(value: NDArray[np.float64], i: int) -> bool:
    as_good = (value <= value[i]).all(axis=1)
    better = as_good & (value < value[i]).any(axis=1)
    return bool(better.any() or as_good[:i].any())


def _best(figures: list[dict[str, Any]]) -> int:
    inside = max(f["inside_share"] for f in figures)
    shape = min(f["shape"] for f in figures if f["inside_share"] == inside)
    shape *= _AS_ROUND if "moved" in figures[0] else 1.0
    good = [i for i, f in enumerate(figures) if f["inside_share"] == inside and f["shape"] <= shape]
    return min(good, key=lambda i: (figures[i].get("moved", 0.0), figures[i]["shape"]))
