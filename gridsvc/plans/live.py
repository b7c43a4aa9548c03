"""Running sums of a draft's grids: a change costs what it moves and the grids it touches, not all cells.

Totals move by inflow minus outflow (as in GerryChain's tally updater); shapes follow from sums of area times
position and its square, outlines from the lengths of borders inside grids. Only the pieces of the grids which
were touched are counted again.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gridsvc.plans.draft import Change

__all__ = ["Ground", "Live", "Reach"]

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Labels = NDArray[np.int32]

_ROUNDING = 1e-9
_AHEAD = 3  # sums in front of those of area and measures: cells, area ** 2, perimeter


@dataclass(frozen=True, slots=True)
class Reach:
    """How far a grid's cells may lie from its seed.

    Attributes
    ----------
    row : int
        The seed's cell.
    radius : float, metres
    """

    row: int
    radius: float


@dataclass(frozen=True, slots=True)
class Ground:
    """What stays while a draft changes.

    Attributes
    ----------
    x, y : float64 arrays, shape (n,), metres
        About their mean, so that sums of squares keep their digits.
    area, perimeter : float64 arrays, shape (n,), square metres and metres
    weights : float64 array, shape (n, m), the measures' units
    indptr : int64 array, shape (n + 1,)
    indices : int32 array, shape (2 * n_pairs,)
    border : float64 array, shape (2 * n_pairs,), metres
        Adjacency in compressed sparse row form, barriers removed.
    links : int64 array, shape (n_links, 2)
        Cells of different islands which the plan takes as connected.
    """

    x: Floats
    y: Floats
    area: Floats
    perimeter: Floats
    weights: Floats
    indptr: Ints
    indices: Labels
    border: Floats
    links: Ints

    def columns(self, rows: NDArray[np.integer] | slice) -> Floats:
        """What is summed over cells, one column a sum: float64 array, shape (n_rows, 3 + 4 * (1 + m))."""
        x, y = self.x[rows, None], self.y[rows, None]
        area = self.area[rows, None]
        loads = np.hstack([area, self.weights[rows]])
        ahead = [np.ones_like(area), area**2, self.perimeter[rows, None]]
        return np.hstack([*ahead, loads, loads * x, loads * y, loads * (x**2 + y**2)])

    def edges(self, rows: NDArray[np.integer]) -> tuple[Ints, Labels, Floats]:
        """Each neighbour of each row: position in `rows`, neighbour's row, length of the border."""
        counts = self.indptr[rows + 1] - self.indptr[rows]
        own = np.repeat(np.arange(len(rows)), counts)
        first = np.repeat(self.indptr[rows] - (np.cumsum(counts) - counts), counts)
        at = first + np.arange(len(own))
        return own, self.indices[at], self.border[at]


@dataclass(frozen=True, slots=True)
class Live:
    """Running sums of the grids of a draft; behind the last grid stands 'no grid'.

    Attributes
    ----------
    balanced : bool array, shape (k + 1,)
        Grids which are no carve-outs; False for 'no grid'.
    sums : float64 array, shape (k + 1, 3 + 4 * (1 + m))
    inner : float64 array, shape (k + 1,), metres
        Borders inside each grid, each twice.
    cut, open : int
        Pairs of neighbours in balanced grids (each twice): those in different ones, and all.
    pieces : int64 array, shape (k + 1,)
        Connected pieces; not kept for 'no grid'.
    members : tuple of int32 arrays, one a grid
        Rows of its cells, in no order.
    far : int64 array, shape (k + 1,)
        Cells beyond the reach of their grid's seed.
    """

    balanced: NDArray[np.bool_]
    sums: Floats
    inner: Floats
    cut: int
    open: int
    pieces: Ints
    members: tuple[Labels, ...]
    far: Ints
    reach: Mapping[int, Reach]

    @classmethod
    def opened(
        cls, ground: Ground, labels: Labels, balanced: Sequence[bool], reach: Mapping[int, Reach]
    ) -> Live:
        """Sums over all cells.

        Parameters
        ----------
        labels : int32 array, shape (n,)
        balanced : sequence of k bool
        reach : mapping of grid to Reach
            Grids with a seed whose radius counts.
        """
        k = len(balanced)
        rows = np.arange(len(labels), dtype=np.int32)
        groups = np.split(
            np.argsort(labels, kind="stable").astype(np.int32),
            np.cumsum(np.bincount(labels + 1, minlength=k + 1))[:-1],
        )
        live = cls(
            np.append(np.array(balanced, np.bool_), False),
            _summed(labels, ground.columns(slice(None)), k),
            np.zeros(k + 1),
            0,
            0,
            np.zeros(k + 1, np.int64),
            tuple(groups[1:]),
            np.zeros(k + 1, np.int64),
            reach,
        )
        own, other, border = ground.edges(rows)
        return live._with_edges(labels[own], labels[other], border, 1)._counted(ground, labels, range(k))

    def grown(self, balanced: Sequence[bool]) -> Live:
        """The same with more grids, still without cells, behind the others.

        Parameters
        ----------
        balanced : sequence of bool
            Which of them are no carve-outs.
        """
        k, more = len(self.members), len(balanced)

        def wider(array: NDArray[Any]) -> NDArray[Any]:
            return np.insert(array, [k] * more, 0, axis=0)

        return replace(
            self,
            balanced=np.insert(self.balanced, [k] * more, balanced),
            sums=wider(self.sums),
            inner=wider(self.inner),
            pieces=wider(self.pieces),
            far=wider(self.far),
            members=(*self.members, *[np.zeros(0, np.int32)] * more),
        )

    def changed(self, ground: Ground, change: Change, before: Labels, after: Labels) -> Live:
        """The sums after `change`, which made labels `after` of `before`; no cell may stay in its grid."""
        if not len(change):
            return self
        touched = change.grids()
        flow = ground.columns(change.rows)
        sums = self.sums.copy()
        sums[touched] += (
            _summed(np.searchsorted(touched, change.after), flow, len(touched))
            - _summed(np.searchsorted(touched, change.before), flow, len(touched))
        )[:-1]
        own, other, border = ground.edges(change.rows)
        still = before[other] == after[other]  # such a pair is met from one end only
        weight = np.where(still, 2, 1)
        live = replace(self, sums=sums, members=self._members(change, after))
        live = live._with_edges(change.before[own], before[other], border, -weight)
        live = live._with_edges(change.after[own], after[other], border, weight)
        return live._counted(ground, after, [g for g in touched.tolist() if g >= 0])

    def _members(self, change: Change, after: Labels) -> tuple[Labels, ...]:
        members = list(self.members)
        order = np.argsort(change.after, kind="stable")
        arrived, first = np.unique(change.after[order], return_index=True)
        come = dict(zip(arrived.tolist(), np.split(change.rows[order], first[1:]), strict=True))
        for g in change.grids().tolist():
            if g >= 0:
                maybe = np.concatenate([members[g], come.get(g, change.rows[:0])])
                members[g] = maybe[after[maybe] == g]
        return tuple(members)

    def _with_edges(self, own: Labels, other: Labels, border: Floats, weight: Ints | int) -> Live:
        """With pairs added (or taken away, by negative weight), one row an end."""
        same, both = own == other, self.balanced[own] & self.balanced[other]
        weight = np.broadcast_to(weight, own.shape)
        inner = np.bincount(own[same] + 1, border[same] * weight[same], len(self.inner))
        return replace(
            self,
            inner=self.inner + np.roll(inner, -1),  # 'no grid' stands last
            cut=self.cut + int(weight[both & ~same].sum()),
            open=self.open + int(weight[both].sum()),
        )

    def _counted(self, ground: Ground, labels: Labels, grids: Sequence[int]) -> Live:
        """With the pieces, and the cells out of reach, of these grids counted anew."""
        pieces, far = self.pieces.copy(), self.far.copy()
        pieces[list(grids)] = _pieces(ground, labels, [self.members[g] for g in grids])
        for g in self.reach.keys() & set(grids):
            rows, seed = self.members[g], self.reach[g]
            metres = np.hypot(ground.x[rows] - ground.x[seed.row], ground.y[rows] - ground.y[seed.row])
            far[g] = np.count_nonzero(metres > seed.radius * (1 + _ROUNDING))
        return replace(self, pieces=pieces, far=far)

    # What the sums mean: one value a grid, 'no grid' left off.

    @property
    def cells(self) -> Ints:
        """Number of cells: int64 array, shape (k,)."""
        return np.rint(self.sums[:-1, 0]).astype(np.int64)

    @property
    def loads(self) -> Floats:
        """Area (square metres) and measures: float64 array, shape (k, 1 + m)."""
        return self._block(0)

    def _block(self, which: int) -> Floats:
        wide = (self.sums.shape[1] - _AHEAD) // 4
        return self.sums[:-1, _AHEAD + which * wide : _AHEAD + (which + 1) * wide]

    def inertia(self, share: Floats) -> Floats:
        """Inertia about the grids' centres of a mixture of area and measures: float64 array, shape (k,).

        Parameters
        ----------
        share : float64 array, shape (1 + m,)
            How much of each is in the mixture.
        """
        total, x, y, squared = (self._block(which) @ share for which in range(4))
        about = squared - (x**2 + y**2) / np.where(total > 0, total, 1.0)
        return np.asarray(np.where(total > 0, np.maximum(about, 0.0), 0.0), np.float64)

    def shape(self) -> Floats:
        """Area inertia over that of a disc, as in `gridsvc.balance.metrics.shapes`: shape (k,)."""
        area, own = self.loads[:, 0], self.sums[:-1, 1] / (2 * np.pi)
        only_area = np.zeros(self.loads.shape[1])
        only_area[0] = 1.0
        disc = np.where(area > 0, area**2 / (2 * np.pi), 1.0)
        return np.asarray(np.where(area > 0, (self.inertia(only_area) + own) / disc, 1.0), np.float64)

    def polsby_popper(self) -> Floats:
        """4 pi area / outline ** 2 (Polsby and Popper 1991), 0 where there is no outline: shape (k,)."""
        outline = np.maximum(self.sums[:-1, 2] - self.inner[:-1], 0.0)
        known = outline > _THIN * self.sums[:-1, 2]
        ratio = 4 * np.pi * self.loads[:, 0] / np.where(known, outline, 1.0) ** 2
        return np.asarray(np.where(known, ratio, 0.0), np.float64)


_THIN = 1e-9  # of the cells' perimeters: what rounding leaves of an outline of length 0


def _summed(labels: NDArray[np.integer], columns: Floats, k: int) -> Floats:
    """Sums of columns by label, those of label -1 last: float64 array, shape (k + 1, n_columns)."""
    sums = [np.bincount(labels + 1, column, k + 1) for column in columns.T]
    return np.roll(np.column_stack(sums), -1, axis=0)


def _pieces(ground: Ground, labels: Labels, members: Sequence[Labels]) -> Ints:
    """Number of connected pieces of each of some grids (0 without cells), given all their cells."""
    rows = np.concatenate([np.zeros(0, np.int32), *members])
    grid = np.repeat(np.arange(len(members)), [len(m) for m in members])
    order = np.argsort(rows)
    rows, grid = rows[order], grid[order]
    own, other, _ = ground.edges(rows)
    inside = labels[rows[own]] == labels[other]
    tail, head = own[inside], np.searchsorted(rows, other[inside])
    a, b = _linked(ground.links, labels, rows)
    tail, head = np.concatenate([tail, a]), np.concatenate([head, b])
    from scipy.sparse import csr_matrix  # which no server should wait for when it starts
    from scipy.sparse.csgraph import connected_components

    matrix = csr_matrix((np.ones(len(tail), np.int8), (tail, head)), shape=(len(rows), len(rows)))
    _, part = connected_components(matrix, directed=False)
    first = np.unique(part, return_index=True)[1]
    return np.bincount(grid[first], minlength=len(members)).astype(np.int64)


def _linked(links: Ints, labels: Labels, rows: Labels) -> tuple[Ints, Ints]:
    """The links inside the grids which `rows` (ascending) make up, as positions in `rows`."""
    at = np.searchsorted(rows, links)
    there = np.isin(links, rows).all(axis=1) & (labels[links[:, 0]] == labels[links[:, 1]])
    return at[there, 0], at[there, 1]
