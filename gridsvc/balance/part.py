"""A part of a problem: some of its cells, or some whole grids of a plan."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from gridsvc.balance.problem import Past, Pins, Problem

__all__ = ["grids_of", "part_of"]


def part_of(problem: Problem, rows: NDArray[np.int64]) -> Problem:
    """The problem with some of its cells alone; grids, targets and limits stay.

    Parameters
    ----------
    rows : int64 array, shape (n_left,), rising
        Seeds lie in them.
    """
    number = np.full(problem.n, -1, np.int64)
    number[rows] = np.arange(len(rows))
    tail = np.repeat(np.arange(problem.n), np.diff(problem.indptr))
    keep = (number[tail] >= 0) & (number[problem.indices] >= 0)
    indptr = np.zeros(len(rows) + 1, np.int64)
    np.cumsum(np.bincount(number[tail[keep]], minlength=len(rows)), out=indptr[1:])
    return replace(
        problem,
        indptr=indptr,
        indices=number[problem.indices[keep]].astype(np.int32),
        border=problem.border[keep],
        x=problem.x[rows],
        y=problem.y[rows],
        area=problem.area[rows],
        perimeter=problem.perimeter[rows],
        weights=problem.weights[rows],
        parent=None if problem.parent is None else problem.parent[rows],
        start=None if problem.start is None else problem.start[rows],
        anchor=None if problem.anchor is None else problem.anchor[rows],
        pins=None if problem.pins is None else _moved_pins(problem.pins, number),
        past=None if problem.past is None else _left_past(problem.past, rows),
    )


def grids_of(
    problem: Problem, labels: NDArray[np.int32], grids: NDArray[np.int64]
) -> tuple[Problem, NDArray[np.int64], NDArray[np.int32]]:
    """The problem of some whole grids of a plan, numbered afresh.

    Parameters
    ----------
    labels : int32 array, shape (n,)
    grids : int64 array, shape (q,), rising

    Returns
    -------
    part : Problem
        With q grids, grid ``grids[0]`` being 0.
    rows : int64 array, shape (n_left,)
        Row in `problem` of each cell.
    labels : int32 array, shape (n_left,)
    """
    number = np.full(problem.k, -1, np.int32)
    number[grids] = np.arange(len(grids))
    rows = np.flatnonzero(number[labels] >= 0)
    low, high = problem.band()
    part = part_of(replace(problem, anchor=problem.anchors(), pins=None, past=None, start=None), rows)
    pins = None
    if problem.pins is not None:
        at = np.searchsorted(rows, problem.pins.cell[grids])
        cell = np.where(problem.pins.cell[grids] >= 0, at, -1)
        pins = replace(problem.pins, cell=cell, radius=problem.pins.radius[grids])
    anchor = np.where(part.anchors() >= 0, number[part.anchors()], -1).astype(np.int32)
    part = replace(
        part, k=len(grids), targets=problem.targets[grids], low=low[grids], high=high[grids],
        anchor=anchor, pins=pins,
    )  # fmt: skip
    return part, rows, number[labels[rows]]


def _moved_pins(pins: Pins, number: NDArray[np.int64]) -> Pins:
    return replace(pins, cell=np.where(pins.cell >= 0, number[pins.cell], -1))


def _left_past(past: Past, rows: NDArray[np.int64]) -> Past:
    return replace(past, home=past.home[rows], load=past.load[rows], cost=past.cost[rows])
