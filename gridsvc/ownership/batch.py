"""Answers for many points at once, as columns."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from gridsvc.ownership.publication import Publication, rule_of

__all__ = ["BatchAnswer", "batch_answer"]


@dataclass(frozen=True, slots=True)
class BatchAnswer:
    """Answers for many points as columns.

    Attributes
    ----------
    status : object array of str, shape (n,)
    cell, grid, team : object array of str or None, shape (n,)
    rule : object array of str or None, shape (n,)
    """

    status: NDArray[np.object_]
    cell: NDArray[np.object_]
    grid: NDArray[np.object_]
    team: NDArray[np.object_]
    rule: NDArray[np.object_]


def batch_answer(
    publication: Publication,
    fallback: str | None,
    rows: NDArray[np.int64],
    *,
    valid: NDArray[np.bool_],
    inside: NDArray[np.bool_],
) -> BatchAnswer:
    """Owners of points whose cells are known.

    Parameters
    ----------
    fallback : str or None
        Team which owns what no cell covers.
    rows : int64 array, shape (n,)
        Row of each point's cell in the publication; -1 where it has none.
    valid, inside : bool arrays, shape (n,)
        Whether it is a place at all; whether it lies in the territory though in no cell.
    """
    label = np.where(rows >= 0, publication.labels[np.maximum(rows, 0)], -1)
    hit = label >= 0
    inside = inside | ((rows >= 0) & ~hit)  # a cell which no grid of this line covers
    status = np.where(hit, "owned", np.where(inside, "fallback", np.where(valid, "outside", "invalid")))
    grids = publication.grids
    # One more entry at the end, reached by -1, stands for no grid.
    codes, teams, rules = (
        np.array([*column, None], dtype=object)
        for column in ([g.code for g in grids], [g.team for g in grids], [rule_of(g) for g in grids])
    )
    team, rule = teams[label], rules[label]
    team[~hit & inside], rule[~hit & inside] = fallback, "fallback"
    return BatchAnswer(status.astype(object), _names(publication, rows, rows >= 0), codes[label], team, rule)


def _names(publication: Publication, rows: NDArray[np.int64], hit: NDArray[np.bool_]) -> NDArray[np.object_]:
    cells = np.full(len(rows), None, dtype=object)
    distinct, back = np.unique(rows[hit], return_inverse=True)
    cells[hit] = np.array([publication.name_of(int(row)) for row in distinct], dtype=object)[back]
    return cells
