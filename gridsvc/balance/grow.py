"""Grids grown from what they hold: locked cells joined, centres for the rest, cells to the nearest."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix
from scipy.sparse.csgraph import dijkstra
from scipy.spatial import cKDTree

from gridsvc.balance.graph import Pairs, parts_of
from gridsvc.balance.problem import Problem
from gridsvc.errors import InvalidInput

__all__ = ["grow", "join_anchors"]

_LLOYD = 8
_REORDERED = 20  # times the order in which grids are joined is changed
_NAMED = 6  # rows named in a message


def join_anchors(problem: Problem, pairs: Pairs) -> NDArray[np.int32]:
    """What each grid holds from the start: its locks and seed, and the cells which join them.

    All grids' pieces spread at once and are joined where they meet (the tree heuristic of Mehlhorn 1988),
    which keeps the paths of different grids apart; what does not meet so is joined one grid at a time round
    what others hold. With a plan to start from, the anchors as they are.

    Parameters
    ----------
    pairs : (a, b)
        Cells which may share a grid, links between islands among them.

    Returns
    -------
    int32 array, shape (n,)
        -1 for cells no grid holds; the cells of one grid are connected.

    Raises
    ------
    InvalidInput
        Paths would have to cross those of other grids.
    """
    anchors = problem.anchors()
    if problem.start is not None or not len(_apart(anchors, pairs)):
        return anchors
    length = _lengths(np.column_stack([problem.x, problem.y]), pairs)
    first: list[int] = []
    for _ in range(_REORDERED):
        held, stuck = _joined(anchors, pairs, length, first)
        if stuck < 0:
            return held
        if first[:1] == [stuck]:
            break
        first = [stuck, *(g for g in first if g != stuck)]
    rows = np.flatnonzero(anchors == stuck)[:_NAMED] + 1
    raise InvalidInput(
        f"the locked cells of grid {stuck + 1} (rows {', '.join(map(str, rows))}) cannot be joined without "
        "crossing what other grids hold",
        field="locks",
        row=int(rows[0]),
        cure="lock the cells between them too, or fewer cells",
        grid=stuck + 1,
    )


def _lengths(xy: NDArray[np.float64], pairs: Pairs) -> NDArray[np.float64]:
    # A little is added, so that steps between cells in one place count too.
    length = np.hypot(*(xy[pairs[0]] - xy[pairs[1]]).T)
    return np.asarray(length + (1e-6 * length.mean() if length.any() else 1.0), np.float64)


def _pieces(held: NDArray[np.int32], pairs: Pairs) -> NDArray[np.int64]:
    """Connected piece of each cell, cells of different grids apart."""
    same = held[pairs[0]] == held[pairs[1]]
    return parts_of(len(held), (pairs[0][same], pairs[1][same]))[1]


def _apart(held: NDArray[np.int32], pairs: Pairs) -> NDArray[np.int64]:
    """Grids whose held cells are in several pieces, ascending."""
    rows = np.flatnonzero(held >= 0)
    if len(rows) == len(np.unique(held[rows])):
        return np.empty(0, np.int64)
    first = rows[np.unique(_pieces(held, pairs)[rows], return_index=True)[1]]
    return np.flatnonzero(np.bincount(held[first]) > 1)


def _joined(
    anchors: NDArray[np.int32], pairs: Pairs, length: NDArray[np.float64], first: list[int]
) -> tuple[NDArray[np.int32], int]:
    """What grids hold when joined, those of `first` before the rest; and the grid that cannot be, or -1."""
    held, waiting = anchors.copy(), list(first)
    while True:
        apart = _apart(held, pairs)
        if not len(apart):
            return held, -1
        waiting = [g for g in waiting if g in apart]
        if not waiting and _meet(held, apart, pairs, length):
            continue
        alone = waiting[0] if waiting else int(apart[0])
        if not _meet(held, np.array([alone]), pairs, length):
            return held, alone


def _meet(
    held: NDArray[np.int32], grids: NDArray[np.int64], pairs: Pairs, length: NDArray[np.float64]
) -> bool:
    """Let the pieces of `grids` spread over free cells and join those which meet; whether any did."""
    source = np.isin(held, grids)
    open_ = source | (held < 0)
    keep = open_[pairs[0]] & open_[pairs[1]]
    a, b, step = pairs[0][keep], pairs[1][keep], length[keep]
    far, before, root = _spread(len(held), (a, b), step, np.flatnonzero(source))
    met = (root[a] >= 0) & (root[b] >= 0)
    a, b, step = a[met], b[met], step[met]
    piece, grid = _pieces(held, pairs)[root], held[root]
    met = (grid[a] == grid[b]) & (piece[a] != piece[b])
    a, b, cost = a[met], b[met], (far[a] + far[b] + step)[met]
    tree = _tree(piece[a], piece[b], cost)
    for e in tree:
        for end in (int(a[e]), int(b[e])):
            g, at = grid[end], end
            while held[at] < 0:
                held[at] = g
                at = int(before[at])
    return bool(tree)


def _spread(
    n: int, pairs: Pairs, length: NDArray[np.float64], sources: NDArray[np.int64]
) -> tuple[NDArray[np.float64], NDArray[np.int32], NDArray[np.int32]]:
    """Distance to the nearest source, the cell before on the way, and that source (-1 where none)."""
    ends = np.concatenate(pairs), np.concatenate(pairs[::-1])
    graph = csr_matrix((np.concatenate([length, length]), ends), shape=(n, n))
    far, before, root = dijkstra(graph, indices=sources, min_only=True, return_predecessors=True)
    return far, before, np.where(root < 0, -1, root)


def _tree(a: NDArray[np.int64], b: NDArray[np.int64], cost: NDArray[np.float64]) -> list[int]:
    """Positions of the cheapest links which join all pieces that can be (Kruskal 1956)."""
    over: dict[int, int] = {}

    def top(piece: int) -> int:
        while piece in over:
            piece = over[piece]
        return piece

    low, high = np.minimum(a, b), np.maximum(a, b)
    order = np.lexsort((np.arange(len(cost)), cost, high, low))
    cheapest = np.ones(len(order), np.bool_)
    cheapest[1:] = (np.diff(low[order]) != 0) | (np.diff(high[order]) != 0)
    chosen = []
    best = order[cheapest]
    for e in best[np.argsort(cost[best], kind="stable")].tolist():
        ours, theirs = top(int(a[e])), top(int(b[e]))
        if ours != theirs:
            over[ours] = theirs
            chosen.append(e)
    return chosen


def grow(
    cells: NDArray[np.int64],
    grids: NDArray[np.int64],
    xy: NDArray[np.float64],
    load: NDArray[np.float64],
    held: NDArray[np.int32],
    pairs: Pairs,
    rng: np.random.Generator,
) -> NDArray[np.int32]:
    """Give connected cells to grids: each to the nearest along the graph.

    Grids that hold nothing start at centres far from the others (k-means++, Arthur and Vassilvitskii 2007,
    weighed by load), moved by a few steps of Lloyd's algorithm between what the others hold.

    Parameters
    ----------
    cells : int64 array, shape (c,)
        Rows; connected by `pairs`.
    grids : int64 array, shape (g,)
        All grids which hold any of the cells, and others, at most as many as there are cells no grid holds.
    xy, load : float64 arrays, shape (c, 2) and (c,)
    held : int32 array, shape (n,)
        What each grid holds, connected; -1 where free.
    pairs : (a, b)
        Of all n cells.

    Returns
    -------
    int32 array, shape (c,)
        Each of `grids` occurs, is connected and has what it held.
    """
    labels = held[cells].copy()
    free = np.setdiff1d(grids, labels)
    if len(free):
        inside = np.flatnonzero(labels < 0)
        taken = labels >= 0
        centres = _centres(xy[inside], load[inside], xy[taken], len(free), rng)
        labels[inside[centres]] = free
    number = np.full(len(held), -1, np.int64)
    number[cells] = np.arange(len(cells))
    a, b = number[pairs[0]], number[pairs[1]]
    keep = (a >= 0) & (b >= 0)
    keep[keep] = (labels[a[keep]] < 0) | (labels[b[keep]] < 0)
    a, b = a[keep], b[keep]
    edge = np.zeros(len(cells), np.bool_)
    edge[a] = edge[b] = True
    if not edge.any():
        return labels
    _, _, root = _spread(len(cells), (a, b), _lengths(xy, (a, b)), np.flatnonzero(edge & (labels >= 0)))
    return np.where(labels < 0, labels[root], labels)


def _centres(
    xy: NDArray[np.float64],
    load: NDArray[np.float64],
    taken: NDArray[np.float64],
    count: int,
    rng: np.random.Generator,
) -> NDArray[np.int64]:
    """Positions of `count` different cells spread over `xy`, away from the points `taken`."""
    near = cKDTree(taken).query(xy)[0] ** 2 if len(taken) else np.ones(len(xy))
    chosen = np.zeros(count, np.int64)
    open_ = np.ones(len(xy), np.bool_)
    for c in range(count):
        chance = np.cumsum(np.where(open_, load * near, 0.0))
        if not chance[-1] > 0:
            chance = np.cumsum(open_)
        chosen[c] = np.searchsorted(chance, rng.random() * chance[-1], side="right")
        open_[chosen[c]] = False
        near = np.minimum(near, ((xy - xy[chosen[c]]) ** 2).sum(axis=1))
    for _ in range(_LLOYD):
        chosen = _moved(xy, load, taken, chosen)
    return chosen


def _moved(
    xy: NDArray[np.float64], load: NDArray[np.float64], taken: NDArray[np.float64], chosen: NDArray[np.int64]
) -> NDArray[np.int64]:
    """One step of Lloyd's: of the cells nearest to each centre, the one nearest to their mean."""
    count = len(chosen)
    owner = cKDTree(np.vstack([xy[chosen], taken])).query(xy)[1]
    owner[chosen] = np.arange(count)
    ours = np.flatnonzero(owner < count)
    owner = owner[ours]
    weight = np.maximum(np.bincount(owner, load[ours], count), 1e-300)
    mean = np.column_stack([np.bincount(owner, load[ours] * xy[ours, c], count) / weight for c in (0, 1)])
    off = ((xy[ours] - mean[owner]) ** 2).sum(axis=1)
    order = np.lexsort((ours, off, owner))
    return ours[order[np.unique(owner[order], return_index=True)[1]]]
