"""A first plan: each connected part is cut in two, and again, until every piece is one grid."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from gridsvc.balance.cuts import whole_sides
from gridsvc.balance.graph import Pairs
from gridsvc.balance.grow import grow
from gridsvc.balance.problem import Problem
from gridsvc.balance.share import Part, combined_load, combined_targets
from gridsvc.progress import Progress

__all__ = ["first_labels"]

_ANGLES = 4  # directions tried for each cut where only the shape matters
_MIXED_ANGLES = 48
_TRIED = 8  # promising cuts which are made
_ERROR_PRICE = 20.0  # a load error of 5 % weighs as much as a doubled border
_SHARES = (0.5, 0.375, 0.625, 0.25, 0.75)  # of the load, where seeds and locks may lie to one side
_GOOD = 0.1  # load error below which no other shares are tried
_DENSE = 0.5  # share of cells held from which growing is quicker and as good


@dataclass(frozen=True, slots=True)
class _Piece:
    """Connected cells (rows) and the grids they are to become."""

    cells: NDArray[np.int64]
    grids: NDArray[np.int64]


def first_labels(
    problem: Problem,
    pairs: Pairs,
    parts: list[Part],
    *,
    mixed: bool,
    seed: int,
    progress: Progress,
) -> NDArray[np.int32]:
    """Cut each part by straight lines into connected pieces of about the wanted loads.

    Recursive bisection; of several directions the one with the shortest border and the smallest error in
    load is taken. If `mixed`, more directions and shares are tried and each measure must be split well,
    else their mean. What a line leaves disconnected goes to the other side, so that both sides are connected
    whatever the graph looks like, and each has at least as many cells as grids.

    What a grid holds from the start goes to one side whole. Where no line does that, or most cells are held,
    the grids are grown from what they hold.

    Returns
    -------
    int32 array, shape (n,)
        Every grid 0..k-1 occurs, is connected and has the cells it held.
    """
    rng = np.random.default_rng(seed)
    loads, wanted = _loads(problem, mixed)
    cutter = _Cutter(problem, pairs, parts, loads, wanted, _MIXED_ANGLES if mixed else _ANGLES, rng)
    labels = np.full(problem.n, -1, np.int32)
    stack = [_Piece(part.cells, part.grids) for part in parts]
    done = 0
    while stack:
        piece = stack.pop()
        halves = [] if len(piece.grids) == 1 else cutter.halves(piece)
        stack.extend(halves)
        if not halves:
            labels[piece.cells] = piece.grids[0] if len(piece.grids) == 1 else cutter.grown(piece)
            done += len(piece.grids)
            progress(done / problem.k, "cutting the territory")
    return labels


def _loads(problem: Problem, mixed: bool) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Shares of the load and of the wanted load, a column a measure if `mixed`, else one column."""
    if not mixed:
        return combined_load(problem.weights)[:, None], combined_targets(problem.targets)[:, None]
    loads = [combined_load(column[:, None]) for column in problem.weights.T]
    return np.column_stack(loads), np.column_stack([combined_targets(t[:, None]) for t in problem.targets.T])


class _Cutter:
    """Cuts pieces of one problem in two."""

    def __init__(
        self,
        problem: Problem,
        pairs: Pairs,
        parts: list[Part],
        loads: NDArray[np.float64],
        wanted: NDArray[np.float64],
        angles: int,
        rng: np.random.Generator,
    ) -> None:
        self.x, self.y, self.pairs = problem.x, problem.y, pairs
        self.loads, self.wanted, self.angles, self.rng = loads, wanted, angles, rng
        self.held = np.full(problem.n, -1, np.int32)
        for part in parts:
            self.held[part.cells] = part.held
        self.holds = np.zeros(problem.k, np.bool_)
        self.holds[self.held[self.held >= 0]] = True
        self.load: NDArray[np.float64] = loads.mean(axis=1)
        tail, head = np.concatenate(pairs), np.concatenate(pairs[::-1])
        self.indptr = np.zeros(problem.n + 1, np.int64)
        np.cumsum(np.bincount(tail, minlength=problem.n), out=self.indptr[1:])
        self.indices = head[np.argsort(tail, kind="stable")].astype(np.int32)
        self.mark, self.room, self.clock = (
            np.zeros(problem.n, np.int64),
            np.zeros((2, problem.n), np.int64),
            0,
        )

    def grown(self, piece: _Piece) -> NDArray[np.int32]:
        """The grid of each cell of a piece, grown from what the grids hold."""
        xy = np.column_stack([self.x, self.y])[piece.cells]
        return grow(piece.cells, piece.grids, xy, self.load[piece.cells], self.held, self.pairs, self.rng)

    def halves(self, piece: _Piece) -> list[_Piece]:
        """The two sides of the best cut; empty where there is none."""
        keep = bool(self.holds[piece.grids].any())
        held = self.held[piece.cells] if keep else None
        if held is not None and np.count_nonzero(held >= 0) > _DENSE * len(held):
            return []
        load, loads = self.load[piece.cells], self.loads[piece.cells]
        found: list[tuple[float, int, NDArray[np.bool_], NDArray[np.int64], NDArray[np.int64]]] = []
        for turn, (along, share) in enumerate(self._promising(piece, keep)):
            if keep and turn % _ANGLES == 0 and found and min(entry[0] for entry in found) < _GOOD:
                break
            first, between = self._cut(piece, along, load, share, held)
            dealt = self._dealt(piece, first, loads, held)
            if dealt is not None:
                found.append((dealt[0], between, first, *dealt[1:]))
        if not found:
            return []
        least = max(1, min(entry[1] for entry in found))
        *_, first, ours, theirs = min(found, key=lambda entry: _ERROR_PRICE * entry[0] + entry[1] / least)
        return [_Piece(piece.cells[~first], theirs), _Piece(piece.cells[first], ours)]

    def _cut(
        self,
        piece: _Piece,
        along: NDArray[np.float64],
        load: NDArray[np.float64],
        share: float,
        held: NDArray[np.int32] | None,
    ) -> tuple[NDArray[np.bool_], int]:
        """Two connected sides, the first with about `share` of the load, and the pairs between them.

        What a grid holds goes to the side where most of it lies.
        """
        order = np.argsort(along, kind="stable")
        sums = np.cumsum(load[order])
        at = int(np.clip(np.searchsorted(sums, share * sums[-1]), 1, len(load) - 1))
        side = np.zeros(len(load), np.int64)
        side[order[:at]] = 1
        if held is not None:
            kept = held >= 0
            votes = np.bincount(held[kept], 2 * side[kept] - 1)
            side[kept] = votes[held[kept]] > 0
        self.clock += 2
        self.mark[piece.cells] = self.clock + side
        between = whole_sides(
            piece.cells, self.clock, self.load, self.indptr, self.indices, self.mark, self.room
        )
        return self.mark[piece.cells] > self.clock, between

    def _dealt(
        self,
        piece: _Piece,
        first: NDArray[np.bool_],
        loads: NDArray[np.float64],
        held: NDArray[np.int32] | None,
    ) -> tuple[float, NDArray[np.int64], NDArray[np.int64]] | None:
        """Worst error in load, and the grids of the first and second side; None where they do not fit.

        Each side needs as many cells that are not held as it gets grids which hold none.
        """
        k, grids = len(piece.grids), piece.grids
        room = int(np.count_nonzero(first))
        rest, ours, theirs = len(first) - room, 0, 0
        if not room or not rest:
            return None
        if held is not None:
            mine = np.zeros(len(self.holds) + 1, np.bool_)  # the last is for cells no grid holds
            mine[held[first]] = True
            rank = np.where(mine[grids], 0, np.where(self.holds[grids], 2, 1))
            grids = grids[np.argsort(rank, kind="stable")]
            ours, theirs = int((rank == 0).sum()), int((rank == 2).sum())
            room, rest = (int(np.count_nonzero(held[side] < 0)) for side in (first, ~first))
        low, high = max(1, ours, k - theirs - rest), min(k - 1, k - theirs, ours + room)
        if low > high:
            return None
        wanted = np.cumsum(self.wanted[grids], axis=0)
        shares = wanted / np.maximum(wanted[-1], 1e-300)
        share = loads[first].sum(axis=0) / np.maximum(loads.sum(axis=0), 1e-300)
        count = low + int(np.argmin(np.abs(shares[low - 1 : high] - share).max(axis=1)))
        target = shares[count - 1]
        error = np.abs(share - target) / np.maximum(np.minimum(target, 1 - target), 1e-12)
        return float(error.max()), grids[:count], grids[count:]

    def _promising(self, piece: _Piece, keep: bool) -> list[tuple[NDArray[np.float64], float]]:
        """Directions and shares worth a cut."""
        turns = self.rng.uniform(0, np.pi) + np.pi * np.arange(self.angles) / self.angles
        x, y, wanted = self.x[piece.cells], self.y[piece.cells], self.wanted[piece.grids]
        ways = [x * np.cos(turn) + y * np.sin(turn) for turn in turns]
        if keep:
            return [(along, share) for share in _SHARES for along in ways[:: max(1, len(ways) // _ANGLES)]]
        if len(turns) <= _ANGLES:
            half = wanted[: len(wanted) // 2].sum(axis=0) / np.maximum(wanted.sum(axis=0), 1e-300)
            return [(along, float(half.mean())) for along in ways]
        return _best_mixed(ways, self.loads[piece.cells], wanted)


def _best_mixed(
    ways: list[NDArray[np.float64]], loads: NDArray[np.float64], wanted: NDArray[np.float64]
) -> list[tuple[NDArray[np.float64], float]]:
    """Directions and shares of the cuts which split all measures best, as if nothing were in the way.

    A line which halves two measures at once always exists (the ham sandwich theorem, Stone and Tukey 1942);
    with lumpy cells and uneven halves the best of several directions comes near.
    """
    k = len(wanted)
    whole = np.cumsum(wanted, axis=0) / np.maximum(wanted.sum(axis=0), 1e-300)
    firsts = range(max(1, k // 2 - min(3, k // 6)), k // 2 + 1)
    heavy = loads.sum(axis=1) > 2e-6 / max(1, len(loads)) * loads.sum()
    picked = np.flatnonzero(heavy) if heavy.sum() > 1 else np.arange(len(loads))
    found: list[tuple[float, int, NDArray[np.float64], float]] = []
    for along in ways:
        sums = np.cumsum(loads[picked[np.argsort(along[picked], kind="stable")]], axis=0)
        sums /= np.maximum(sums[-1], 1e-300)
        middle = sums.mean(axis=1)
        for first in firsts:
            for sign in (1, -1):
                share = whole[first - 1]
                part = share if sign > 0 else 1 - share
                at = min(int(np.searchsorted(middle, part.mean())), len(middle) - 1)
                off = np.abs(sums[at] - part).max() / min(share.min(), (1 - share).min())
                found.append((float(off), len(found), sign * along, float(share.mean())))
    found.sort(key=lambda entry: entry[:2])
    return [(along, share) for _, _, along, share in found[:_TRIED]]
