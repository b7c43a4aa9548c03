"""Seeds and locks: whether a plan can keep them all."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from gridsvc.balance.graph import Pairs, links_between_islands, open_pairs, parts_of
from gridsvc.balance.problem import Pins, Problem
from gridsvc.errors import InvalidInput

__all__ = ["require_locks"]

_NAMED = 3  # rows named of each kind


def require_locks(problem: Problem) -> None:
    """Refuse seeds and locks which contradict each other, the parents or the graph.

    Raises
    ------
    InvalidInput
        Out of range; two seeds in one cell; a seed in a cell locked to another grid; a grid held in two
        parents, in two parts which do not touch, or in pieces which others' locks keep apart.
    """
    if problem.anchor is not None:
        _require_anchor(problem, problem.anchor)
    if problem.pins is not None:
        _require_pins(problem, problem.pins)
        _require_seeds_apart(problem, problem.pins.cell)
    anchors = problem.anchors()
    rows = np.flatnonzero(anchors >= 0)
    if len(rows) == len(np.unique(anchors[rows])):
        return
    if problem.parent is not None:
        _require_one(
            anchors, problem.parent.astype(np.int64), "parent", "a grid never crosses parents: lock it in one"
        )
    pairs = open_pairs(problem)
    _, part = parts_of(problem.n, pairs)
    if problem.islands == "attach":
        ends = [(link.a, link.b) for link in links_between_islands(problem, part)]
        a, b = np.array(ends, np.int64).reshape(-1, 2).T
        pairs = np.concatenate([pairs[0], a]), np.concatenate([pairs[1], b])
    else:
        _require_one(
            anchors,
            part,
            "part",
            "lock it in one part, or link parts which do not touch with --islands attach",
        )
    _require_room(anchors, pairs)


def _require_anchor(problem: Problem, anchor: NDArray[np.int32]) -> None:
    if np.shape(anchor) != (problem.n,):
        raise InvalidInput(
            f"locks are given for {len(anchor)} of {problem.n} cells",
            field="locks",
            cure="give a grid or -1 for each cell",
        )
    bad = np.flatnonzero((anchor < -1) | (anchor >= problem.k))
    if len(bad):
        raise InvalidInput(
            f"the cell is locked to grid {anchor[bad[0]] + 1} but there are {problem.k} grids",
            row=int(bad[0]) + 1,
            field="locks",
            cure=f"lock it to one of the grids 1 to {problem.k}",
        )


def _require_pins(problem: Problem, pins: Pins) -> None:
    if np.shape(pins.cell) != (problem.k,) or np.shape(pins.radius) != (problem.k,):
        raise InvalidInput(
            "there is not one seed and one radius for each grid",
            field="seeds",
            cure=f"give {problem.k} cells (-1 for none) and {problem.k} radii",
        )
    bad = np.flatnonzero((pins.cell < -1) | (pins.cell >= problem.n))
    if len(bad):
        raise InvalidInput(
            f"the seed of grid {bad[0] + 1} is in cell {pins.cell[bad[0]] + 1} of {problem.n}",
            row=int(bad[0]) + 1,
            field="seeds",
            cure="place the seed in a cell of the territory",
        )
    bad = np.flatnonzero(~(pins.radius >= 0))
    if len(bad):
        raise InvalidInput(
            f"{pins.radius[bad[0]]} is not a radius for the seed of grid {bad[0] + 1}",
            row=int(bad[0]) + 1,
            field="radius",
            cure="give metres, 0 or more",
        )
    if not (pins.pull >= 0 and np.isfinite(pins.pull)):
        raise InvalidInput(f"{pins.pull} is not a pull", field="pull", cure="give a number of 0 or more")


def _require_seeds_apart(problem: Problem, cell: NDArray[np.int64]) -> None:
    grids = np.flatnonzero(cell >= 0)
    cells, first, times = np.unique(cell[grids], return_index=True, return_counts=True)
    if (times > 1).any():
        shared = cells[np.argmax(times > 1)]
        both = grids[cell[grids] == shared][:_NAMED] + 1
        raise InvalidInput(
            f"the seeds of grids {_listed(both, 'and')} lie in one cell (row {shared + 1})",
            row=int(both[1]),
            field="seeds",
            cure="keep one of them, or use a finer tiling",
            grids=both.tolist(),
            cell_row=int(shared) + 1,
        )
    if problem.anchor is None:
        return
    lock = problem.anchor[cells]
    wrong = np.flatnonzero((lock >= 0) & (lock != grids[first]))
    if len(wrong):
        grid, at = grids[first[wrong[0]]] + 1, cells[wrong[0]] + 1
        raise InvalidInput(
            f"the seed of grid {grid} lies in a cell (row {at}) which is locked to grid {lock[wrong[0]] + 1}",
            row=int(grid),
            field="seeds",
            cure="take the lock away or move the seed",
            grids=[int(grid), int(lock[wrong[0]]) + 1],
            cell_row=int(at),
        )


def _require_one(anchors: NDArray[np.int32], group: NDArray[np.int64], kind: str, cure: str) -> None:
    """Each grid's held cells are in one group."""
    rows = np.flatnonzero(anchors >= 0)
    found = np.unique(np.column_stack([anchors[rows], group[rows]]), axis=0)
    again = np.flatnonzero(found[1:, 0] == found[:-1, 0])
    if not len(again):
        return
    grid = int(found[again[0], 0])
    groups = found[found[:, 0] == grid, 1]
    named = [np.flatnonzero((anchors == grid) & (group == g))[:_NAMED] + 1 for g in groups[:_NAMED]]
    if kind == "parent":
        told = [
            f"parent {g} ({_rows(inside)})" for g, inside in zip(groups[:_NAMED].tolist(), named, strict=True)
        ]
        message = f"locks and seeds hold grid {grid + 1} in {len(groups)} parents: {', '.join(told)}"
    else:
        told = [_rows(inside) for inside in named]
        message = (
            f"locks and seeds hold grid {grid + 1} in {len(groups)} parts which do not hang together: "
            f"{' and '.join(told)}"
        )
    raise InvalidInput(
        message,
        row=int(named[1][0]),
        field="locks",
        cure=cure,
        grid=grid + 1,
        rows=[inside.tolist() for inside in named],
        **({"parents": groups.tolist()} if kind == "parent" else {}),
    )


def _require_room(anchors: NDArray[np.int32], pairs: Pairs) -> None:
    """Each grid's held cells can be joined through cells which no grid holds."""
    n, (a, b) = len(anchors), pairs
    same = anchors[a] == anchors[b]
    _, piece = parts_of(n, (a[same], b[same]))  # free cells form pieces too
    one_free = (anchors[a] < 0) != (anchors[b] < 0)
    held = np.where(anchors[a] >= 0, a, b)[one_free]
    free = np.where(anchors[a] >= 0, b, a)[one_free]
    # A free piece serves each grid on its own: it stands once for each grid that touches it.
    gates, door = np.unique(anchors[held] * np.int64(n) + piece[free], return_inverse=True)
    _, group = parts_of(n + len(gates), (piece[held], n + door))
    rows = np.flatnonzero(anchors >= 0)
    found = np.unique(np.column_stack([anchors[rows], group[piece[rows]]]), axis=0)
    again = np.flatnonzero(found[1:, 0] == found[:-1, 0])
    if not len(again):
        return
    grid = int(found[again[0], 0])
    mine = np.flatnonzero(anchors == grid)
    inside = group[piece[mine]] == group[piece[mine[0]]]
    ours, theirs = mine[inside], mine[~inside]
    reach = np.isin(
        piece, np.unique(np.concatenate([piece[ours], (gates % n)[group[n:] == group[piece[ours[0]]]]]))
    )
    wall = np.unique(np.concatenate([anchors[b[reach[a] & ~reach[b]]], anchors[a[reach[b] & ~reach[a]]]]))
    wall = wall[(wall >= 0) & (wall != grid)] + 1
    raise InvalidInput(
        f"the locked cells of grid {grid + 1} ({_rows(ours[:_NAMED] + 1)}; {_rows(theirs[:_NAMED] + 1)}) "
        f"cannot be joined: locks of grid(s) {_listed(wall[:_NAMED], 'and')} stand between them",
        row=int(theirs[0]) + 1,
        field="locks",
        cure="unlock cells between them",
        grid=grid + 1,
        rows=[(ours + 1).tolist(), (theirs + 1).tolist()],
        between=wall.tolist(),
    )


def _rows(rows: NDArray[np.int64]) -> str:
    return f"row {rows[0]}" if len(rows) == 1 else f"rows {_listed(rows, 'and')}"


def _listed(numbers: NDArray[np.int64], last: str) -> str:
    *before, end = [str(number) for number in numbers.tolist()]
    return f"{', '.join(before)} {last} {end}" if before else end
