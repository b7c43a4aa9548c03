"""The cell graph as pairs: what may be connected, which parts hang together, links between islands."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix
from scipy.sparse.csgraph import connected_components
from scipy.spatial import cKDTree

from gridsvc.balance.problem import Problem

__all__ = ["Link", "Pairs", "links_between_islands", "open_pairs", "parts_of", "usable_pairs"]

Pairs = tuple[NDArray[np.int64], NDArray[np.int64]]


@dataclass(frozen=True, slots=True)
class Link:
    """A connection made up between two cells which do not touch, `metres` apart."""

    a: int
    b: int
    metres: float


def open_pairs(problem: Problem) -> Pairs:
    """Adjacent cells which may share a grid: each pair once, none across parents.

    Returns
    -------
    (a, b) : int64 arrays, shape (n_pairs,)
        Rows of the two cells, ``a < b``.
    """
    tail = np.repeat(np.arange(problem.n, dtype=np.int64), np.diff(problem.indptr))
    head = problem.indices.astype(np.int64)
    keep = tail < head
    if problem.parent is not None:
        keep &= problem.parent[tail] == problem.parent[head]
    return tail[keep], head[keep]


def parts_of(n: int, pairs: Pairs) -> tuple[int, NDArray[np.int64]]:
    """Number of connected parts, and each cell's part (int64, shape (n,)) in order of first cell."""
    matrix = csr_matrix((np.ones(len(pairs[0]), np.int8), pairs), shape=(n, n))
    count, part = connected_components(matrix, directed=False)
    return int(count), np.asarray(part, np.int64)


def links_between_islands(problem: Problem, part: NDArray[np.int64]) -> list[Link]:
    """Join the parts of each parent (or of all cells) by the shortest links, a spanning tree.

    Prim's algorithm over parts: the largest part is reached first, then whichever part lies nearest to
    the cells reached so far.
    """
    parent = np.zeros(problem.n, np.int32) if problem.parent is None else problem.parent
    links: list[Link] = []
    for code in np.unique(parent):
        cells = np.flatnonzero(parent == code)
        if np.ptp(part[cells]) > 0:
            links += _tree(np.column_stack([problem.x, problem.y])[cells], part[cells], cells)
    return links


def usable_pairs(problem: Problem) -> tuple[Pairs, list[Link]]:
    """Pairs which may share a grid, with the links between islands where these are to be attached.

    Returns
    -------
    pairs : (a, b)
        As `open_pairs` gives them, then the links.
    links : list of Link
    """
    pairs = open_pairs(problem)
    if problem.islands != "attach":
        return pairs, []
    links = links_between_islands(problem, parts_of(problem.n, pairs)[1])
    ends = np.array([(link.a, link.b) for link in links], np.int64).reshape(-1, 2)
    return (np.concatenate([pairs[0], ends[:, 0]]), np.concatenate([pairs[1], ends[:, 1]])), links


def _tree(xy: NDArray[np.float64], part: NDArray[np.int64], rows: NDArray[np.int64]) -> list[Link]:
    names, sizes = np.unique(part, return_counts=True)
    new = np.flatnonzero(part == names[np.argmax(sizes)])
    rest = np.flatnonzero(part != names[np.argmax(sizes)])
    best = np.full(len(rest), np.inf)
    via = np.zeros(len(rest), np.int64)
    links = []
    while len(rest):
        metres, near = cKDTree(xy[new]).query(xy[rest])
        closer = metres < best
        best[closer], via[closer] = metres[closer], new[near[closer]]
        i = int(np.argmin(best))
        links.append(Link(int(rows[rest[i]]), int(rows[via[i]]), float(best[i])))
        joined = part[rest] == part[rest[i]]
        new, rest, best, via = rest[joined], rest[~joined], best[~joined], via[~joined]
    return links
