"""Carve-outs: cells taken out of the balance and owned apart."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gridsvc.balance.engine import solve
from gridsvc.balance.explanation.explain import relocated
from gridsvc.balance.graph import open_pairs, parts_of
from gridsvc.balance.metrics import check, totals
from gridsvc.balance.part import part_of
from gridsvc.balance.problem import Pins, Problem, Solution
from gridsvc.balance.report import describe
from gridsvc.errors import InvalidInput
from gridsvc.progress import Progress, silent

__all__ = ["carve_out", "carved_groups", "describe_carved", "put_back", "solve_with_carve_outs"]


def carve_out(problem: Problem, cells: NDArray[np.bool_]) -> tuple[Problem, NDArray[np.int64]]:
    """Take cells out of a problem.

    Targets shrink, measure by measure, by the share of the total that leaves.

    Parameters
    ----------
    cells : bool array, shape (n,)
        True where a cell is taken out.

    Returns
    -------
    reduced : Problem
    rows : int64 array, shape (n_left,)
        Row in `problem` of each cell of `reduced`.

    Raises
    ------
    InvalidInput
        Fewer cells are left than grids are wanted.
    """
    rows = np.flatnonzero(~cells)
    if problem.pins is not None:
        _require_seeds(problem.pins, cells)
    whole = problem.weights.sum(axis=0)
    left = problem.weights[rows].sum(axis=0) / np.where(whole > 0, whole, 1.0)
    return replace(part_of(problem, rows), targets=problem.targets * left), rows


def _require_seeds(pins: Pins, cells: NDArray[np.bool_]) -> None:
    carved = np.flatnonzero((pins.cell >= 0) & cells[pins.cell])
    if len(carved):
        raise InvalidInput(
            f"the seed of grid {carved[0] + 1} lies in a cell which is carved out",
            field="seeds",
            row=int(carved[0]) + 1,
            cure="take the seed or the carve-out away",
        )


def carved_groups(problem: Problem, cells: NDArray[np.bool_]) -> NDArray[np.int64]:
    """Connected groups of carved cells (within a parent), -1 elsewhere: int64 array, shape (n,)."""
    a, b = open_pairs(problem)
    both = cells[a] & cells[b]
    _, part = parts_of(problem.n, (a[both], b[both]))
    groups = np.full(problem.n, -1, np.int64)
    groups[cells] = np.unique(part[cells], return_inverse=True)[1]
    return groups


def put_back(problem: Problem, carved: NDArray[np.bool_], left: NDArray[np.int32]) -> NDArray[np.int32]:
    """Labels of all cells from those of the cells left: each group of carved ones is a grid more.

    Parameters
    ----------
    carved : bool array, shape (n,)
    left : int32 array, shape (n_left,)

    Returns
    -------
    int32 array, shape (n,)
    """
    labels = (problem.k + carved_groups(problem, carved)).astype(np.int32)
    labels[~carved] = left
    return labels


def solve_with_carve_outs(
    problem: Problem,
    carved: NDArray[np.bool_] | None = None,
    progress: Progress = silent,
    engine: Callable[[Problem, Progress], Solution] = solve,
) -> tuple[Solution, int]:
    """Balance the cells which are not carved out into k grids; each group of carved ones is a grid more.

    Parameters
    ----------
    engine : callable
        What solves the problem of the cells left.

    Returns
    -------
    solution : Solution
        Grids 0..k-1 are balanced, then one grid for each connected group of carved cells. The report is
        that of the balanced cells, its links name rows of `problem`, and ``carve_outs`` lists the rest.
    n_balanced : int
        k.

    Raises
    ------
    InvalidInput
        As `gridsvc.balance.engine.solve`, for the cells left.
    """
    if carved is None or not carved.any():
        solution = engine(problem, progress)
        return replace(solution, report={**solution.report, "carve_outs": []}), problem.k
    reduced, rows = carve_out(problem, carved)
    balanced = engine(reduced, progress)
    labels = put_back(problem, carved, balanced.labels)
    links = [
        link | {"a": int(rows[link["a"]]), "b": int(rows[link["b"]])} for link in balanced.report["links"]
    ]
    report = {
        **balanced.report,
        "links": links,
        "explanation": relocated(balanced.report["explanation"], rows),
        "carve_outs": _described(problem, labels),
    }
    solution = Solution(labels, report)
    faults = check(replace(problem, k=int(labels.max()) + 1), solution)
    if faults:
        raise RuntimeError(f"carve-outs were put back wrongly: {'; '.join(faults[:5])}")
    return solution, problem.k


def describe_carved(problem: Problem, labels: NDArray[np.int32]) -> dict[str, Any]:
    """The report on labels whose grids 0..k-1 are balanced and whose further grids are carve-outs."""
    reduced, rows = carve_out(problem, labels >= problem.k)
    report = describe(reduced, labels[rows], {}, [])
    explanation = relocated(report["explanation"], rows)
    return {**report, "explanation": explanation, "carve_outs": _described(problem, labels)}


def _described(problem: Problem, labels: NDArray[np.int32]) -> list[dict[str, Any]]:
    k = int(labels.max()) + 1
    sums, cells = totals(labels, problem.weights, k), np.bincount(labels)
    area = np.bincount(labels, problem.area) / 1e6
    return [
        {
            "grid": g,
            "cells": int(cells[g]),
            "area_km2": float(area[g]),
            "totals": {name: float(v) for name, v in zip(problem.measures, sums[g], strict=True)},
        }
        for g in range(problem.k, k)
    ]
