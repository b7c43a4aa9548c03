"""The grids round an edit, cut out of a plan so that what is done to them costs little."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from gridsvc.balance.arrays import World
from gridsvc.balance.graph import Pairs
from gridsvc.balance.mend import bridge, give_away, main_pieces
from gridsvc.balance.metrics import totals
from gridsvc.balance.part import grids_of
from gridsvc.balance.problem import Past, Problem
from gridsvc.balance.share import combined_load

__all__ = ["Nearby"]

_PRICES = (100.0, 8.0, 1.0)  # of moved load
_SWEEPS = 30
_FEW = 8  # moves; where more are needed another seed may well find fewer
_HEAT = 0.25
_PIECES = 3
_ROUNDING = 1e-9


class Nearby:
    """Some whole grids of a draft, numbered afresh.

    Parameters
    ----------
    pairs : (a, b)
        Cells of the whole which may share a grid.
    labels, draft : int32 array, shape (n,)
        The plan moves are counted from, and what it is with locked cells where they belong.
    region : int64 array, shape (q,), rising
        The grids.
    wanted : int64 array
        Grids to bring inside their limits. Others which are outside may stay so, but not get worse.
    """

    def __init__(
        self,
        problem: Problem,
        pairs: Pairs,
        labels: NDArray[np.int32],
        draft: NDArray[np.int32],
        region: NDArray[np.int64],
        wanted: NDArray[np.int64],
    ) -> None:
        part, self._rows, self._at = grids_of(problem, draft, region)
        self._part = _eased(part, self._at, ~np.isin(region, wanted))
        self._draft, self._region = draft, region
        row, grid = np.full(problem.n, -1, np.int64), np.full(problem.k, -1, np.int32)
        row[self._rows], grid[region] = np.arange(len(self._rows)), np.arange(len(region))
        a, b = row[pairs[0]], row[pairs[1]]
        inner = (a >= 0) & (b >= 0)
        self._pairs = a[inner], b[inner]
        self._home = grid[labels[self._rows]]
        self._anchors = self._part.anchors()
        self._load = combined_load(self._part.weights)

    def repaired(self, main: NDArray[np.bool_]) -> NDArray[np.int32]:
        """The draft with these grids whole, and as near to their limits as few moves bring them.

        Parameters
        ----------
        main : bool array, shape (n,)
            False for the cells of stray pieces which are to be joined or given away.

        Returns
        -------
        int32 array, shape (n,)
            The whole draft.
        """
        ways = self._whole(main[self._rows])
        best = min(ways, key=self._worth)
        if self._worth(best) > (0, 0, 0.0, self._moves(ways[0])):  # outside, or with moves to spare
            best = min(best, self._balanced(ways[0]), key=self._worth)
        result = self._draft.copy()
        result[self._rows] = self._region[best]
        return result

    def _whole(self, main: NDArray[np.bool_]) -> list[NDArray[np.int32]]:
        """The draft without stray pieces, each way there is, that with the fewest moves first."""
        if main.all():
            return [self._at]
        left_alone = self._at[main & ~self._main(self._at)]  # in pieces, but nobody asked
        found = [give_away(self._part, self._pairs, self._at, main)]
        joined = self._at
        for _ in range(_PIECES):
            joined = bridge(self._part, self._pairs, joined, main)
            main = self._main(joined) | np.isin(joined, left_alone)
            found.append(give_away(self._part, self._pairs, joined, main))
            if main.all():
                break
        return sorted(found, key=lambda labels: (self._worth(labels)[0], self._moves(labels)))

    def _main(self, labels: NDArray[np.int32]) -> NDArray[np.bool_]:
        return main_pieces(labels, self._pairs, self._load, self._anchors >= 0)

    def _moves(self, labels: NDArray[np.int32]) -> int:
        return int((labels != self._home).sum())

    def _worth(self, labels: NDArray[np.int32]) -> tuple[int, int, float, int]:
        """Locks broken, grids outside their limits, by how much, and moves: the smaller the better."""
        sums = totals(labels, self._part.weights, self._part.k)
        low, high = self._part.band()
        over = np.maximum(low - sums, sums - high) / np.maximum(self._part.targets, 1e-300)
        over = np.where(over > _ROUNDING, over, 0.0)
        unlocked = (self._anchors >= 0) & (labels != self._anchors)
        return int(unlocked.sum()), int(over.any(axis=1).sum()), float(over.sum()), self._moves(labels)

    def _balanced(self, whole: NDArray[np.int32]) -> NDArray[np.int32]:
        """The best of a few annealings: moves are dear at first, and cheap if that leaves grids outside."""
        from gridsvc.balance.world import build_world  # loads numba, as below

        load = 0.5 + 0.5 * self._part.n * self._load  # of moves, both cells and customers count
        past = Past(home=self._home, load=load, cost=np.ones(self._part.n))
        world, order = build_world(replace(self._part, past=past), self._pairs, whole)
        for price in _PRICES:
            best = self._annealed(world, order, whole, price)
            if self._worth(best)[:2] == (0, 0):
                break
        if price == _PRICES[0] and self._moves(best) > _FEW:
            again = self._annealed(world, order, whole, price, turn=1)
            best = min(best, again, key=self._worth)
        return best

    def _annealed(
        self, world: World, order: NDArray[np.int64], whole: NDArray[np.int32], price: float, turn: int = 0
    ) -> NDArray[np.int32]:
        from gridsvc.balance.anneal import anneal, go_home
        from gridsvc.balance.world import build_state

        own = world.own.copy()
        own[:, 2] *= price
        dear = world._replace(own=own)
        state = build_state(dear, whole[order], self._part.seed + turn)
        anneal(dear, state, _SWEEPS, heat=_HEAT)
        go_home(dear, state)
        found = np.empty_like(whole)
        found[order] = state.labels
        return found


def _eased(part: Problem, labels: NDArray[np.int32], left_alone: NDArray[np.bool_]) -> Problem:
    low, high = part.band()
    sums = totals(labels, part.weights, part.k)
    return replace(
        part,
        low=np.where(left_alone[:, None], np.minimum(low, sums), low),
        high=np.where(left_alone[:, None], np.maximum(high, sums), high),
    )
