"""Carve-outs: cells taken out of the balance and owned apart."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gridsvc.balance.engine import solve
from gridsvc.balance.graph import open_pairs, parts_of
from gridsvc.balance.metrics import check, totals
from gridsvc.balance.problem import Past, Pins, Problem, Solution
from gridsvc.balance.report import describe
from gridsvc.errors import InvalidInput
from gridsvc.progress import Progress, silent

__all__ = ["carve_out", "carved_groups", "describe_carved", "solve_with_carve_outs"]


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
    tail = np.repeat(np.arange(problem.n), np.diff(problem.indptr))
    keep = ~cells[tail] & ~cells[problem.indices]
    number = np.cumsum(~cells) - 1
    indptr = np.zeros(len(rows) + 1, np.int64)
    np.cumsum(np.bincount(number[tail[keep]], minlength=len(rows)), out=indptr[1:])
    whole, weights = problem.weights.sum(axis=0), problem.weights[rows]
    left = weights.sum(axis=0) / np.where(whole > 0, whole, 1.0)
    reduced = replace(
        problem,
        indptr=indptr,
        indices=number[problem.indices[keep]].astype(np.int32),
        border=problem.border[keep],
        x=problem.x[rows],
        y=problem.y[rows],
        area=problem.area[rows],
        perimeter=problem.perimeter[rows],
        weights=weights,
        targets=problem.targets * left,
        parent=None if problem.parent is None else problem.parent[rows],
        start=None if problem.start is None else problem.start[rows],
        anchor=None if problem.anchor is None else problem.anchor[rows],
        pins=None if problem.pins is None else _renumbered(problem.pins, cells, number),
        past=None if problem.past is None else _left(problem.past, rows),
    )
    return reduced, rows


def _renumbered(pins: Pins, cells: NDArray[np.bool_], number: NDArray[np.int64]) -> Pins:
    carved = np.flatnonzero((pins.cell >= 0) & cells[pins.cell])
    if len(carved):
        raise InvalidInput(
            f"the seed of grid {carved[0] + 1} lies in a cell which is carved out",
            field="seeds",
            row=int(carved[0]) + 1,
            cure="take the seed or the carve-out away",
        )
    return replace(pins, cell=np.where(pins.cell >= 0, number[pins.cell], -1))


def _left(past: Past, rows: NDArray[np.int64]) -> Past:
    return replace(past, home=past.home[rows], load=past.load[rows], cost=past.cost[rows])


def carved_groups(problem: Problem, cells: NDArray[np.bool_]) -> NDArray[np.int64]:
    """Connected groups of carved cells (within a parent), -1 elsewhere: int64 array, shape (n,)."""
    a, b = open_pairs(problem)
    both = cells[a] & cells[b]
    _, part = parts_of(problem.n, (a[both], b[both]))
    groups = np.full(problem.n, -1, np.int64)
    groups[cells] = np.unique(part[cells], return_inverse=True)[1]
    return groups


def solve_with_carve_outs(
    problem: Problem, carved: NDArray[np.bool_] | None = None, progress: Progress = silent
) -> tuple[Solution, int]:
    """Balance the cells which are not carved out into k grids; each group of carved ones is a grid more.

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
        solution = solve(problem, progress)
        return replace(solution, report={**solution.report, "carve_outs": []}), problem.k
    reduced, rows = carve_out(problem, carved)
    balanced = solve(reduced, progress)
    groups = carved_groups(problem, carved)
    labels = np.where(carved, problem.k + groups, 0).astype(np.int32)
    labels[rows] = balanced.labels
    links = [
        link | {"a": int(rows[link["a"]]), "b": int(rows[link["b"]])} for link in balanced.report["links"]
    ]
    report = {**balanced.report, "links": links, "carve_outs": _described(problem, labels)}
    solution = Solution(labels, report)
    faults = check(replace(problem, k=problem.k + int(groups.max()) + 1), solution)
    if faults:
        raise RuntimeError(f"carve-outs were put back wrongly: {'; '.join(faults[:5])}")
    return solution, problem.k


def describe_carved(problem: Problem, labels: NDArray[np.int32]) -> dict[str, Any]:
    """The report on labels whose grids 0..k-1 are balanced and whose further grids are carve-outs."""
    reduced, rows = carve_out(problem, labels >= problem.k)
    report = describe(reduced, labels[rows], {}, [])
    return {**report, "carve_outs": _described(problem, labels)}


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
