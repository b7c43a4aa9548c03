"""What is wrong with a list of who has which cells or customers: some in no grid, some in several."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from gridsvc.balance.graph import parts_of
from gridsvc.errors import InvalidInput
from gridsvc.plans.claims import Claims
from gridsvc.plans.drawn import Listed
from gridsvc.plans.survey import Spot, Survey
from gridsvc.tiling.tiling import Tiling

__all__ = ["Roll", "survey_list"]

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class Roll:
    """The customers there are.

    Attributes
    ----------
    ids : object array of str, shape (n,)
    cell : int64 array, shape (n,)
        Row of the cell each belongs to.
    """

    ids: NDArray[np.object_]
    cell: Ints


def survey_list(
    listed: Listed, tiling: Tiling, roll: Roll | None, heads: Floats | None
) -> tuple[Survey, list[int]]:
    """Look at a list for cells or customers in no grid and in several.

    Parameters
    ----------
    heads : float64 array, shape (n_cells,), or None
        Number of customers in each cell.

    Returns
    -------
    survey : Survey
        Its spots are groups of cells which touch. In a list of customers a cell is a gap when it has
        customers and none of them is listed.
    unknown : list of int
        Rows, counted from 1, of customers whom nobody knows.

    Raises
    ------
    InvalidInput
        A cell there is not; no customers are known to look the list's up; none of the list's is known.
    """
    if listed.by == "cell":
        return _of_cells(listed, tiling, heads), []
    if roll is None:
        raise InvalidInput(
            "a list of customers needs to know where they live",
            source=listed.source,
            cure="give --customers, or import customers on the tiling first",
        )
    return _of_customers(listed, tiling, roll)


def _rows_of(listed: Listed, known: Mapping[str, int]) -> Ints:
    return np.array([known.get(key, -1) for key in listed.keys], np.int64)


def _of_cells(listed: Listed, tiling: Tiling, heads: Floats | None) -> Survey:
    cells = _rows_of(listed, {name: row for row, name in enumerate(tiling.names())})
    strange = np.flatnonzero(cells < 0)
    if len(strange):
        raise InvalidInput(
            f"there is no cell {listed.keys[strange[0]]!r} ({len(strange)} of {len(cells)} rows name none)",
            source=listed.source,
            row=int(strange[0]) + 1,
            field=listed.column,
            cure="give the grids of these cells, or adopt the grids' outlines",
        )
    n, k = len(tiling), len(listed.grids)
    pair = np.unique(cells * k + listed.grid)
    cell, grid = pair // k, (pair % k).astype(np.int32)
    count = np.zeros(n) if heads is None else heads
    times = np.bincount(cell, minlength=n)
    free = times == 0
    claims = Claims(cell, grid, count[cell], tiling.area[cell], count * free, tiling.area * free)
    place = _Place(tiling, heads, claims)
    return Survey(
        place.spots(np.flatnonzero(free)),
        place.spots(np.flatnonzero(times > 1)),
        place.apart(),
        None if heads is None else int(heads[free].sum()),
        None if heads is None else int(heads[times > 1].sum()),
        0.0,
        0.0,
        claims,
    )


def _of_customers(listed: Listed, tiling: Tiling, roll: Roll) -> tuple[Survey, list[int]]:
    person = _rows_of(listed, {name: row for row, name in enumerate(roll.ids.tolist())})
    known = person >= 0
    if not known.any():
        raise InvalidInput(
            "none of its customers is known",
            source=listed.source,
            field=listed.column,
            cure="give the list with the ids of the customers' file",
        )
    n, k = len(tiling), len(listed.grids)
    who = np.unique(person[known] * k + listed.grid[known])
    pair, heads = np.unique(roll.cell[who // k] * k + who % k, return_counts=True)
    cell, grid = pair // k, (pair % k).astype(np.int32)
    times = np.bincount(who // k, minlength=len(roll.ids))
    lost = np.bincount(roll.cell[times == 0], minlength=n).astype(np.float64)
    twice = np.bincount(roll.cell[times > 1], minlength=n).astype(np.float64)
    blank = np.bincount(cell, minlength=n) == 0
    claims = Claims(
        cell, grid, heads.astype(np.float64), np.zeros(len(cell)), lost, np.where(blank, tiling.area, 0.0)
    )
    found = Survey(
        _Place(tiling, lost, claims).spots(np.flatnonzero(blank & (lost > 0))),
        _Place(tiling, twice, claims).spots(np.flatnonzero(twice > 0)),
        (),
        int((times == 0).sum()),
        int((times > 1).sum()),
        0.0,
        0.0,
        claims,
    )
    return found, (np.flatnonzero(~known) + 1).tolist()


@dataclass(frozen=True, slots=True)
class _Place:
    """Makes spots of cells; `heads` are the customers that count in them, shape (n_cells,)."""

    tiling: Tiling
    heads: Floats | None
    claims: Claims

    def spots(self, cells: Ints) -> tuple[Spot, ...]:
        """Groups of cells which touch and have the same grids."""
        claimed = self._grids()
        kinds: dict[tuple[int, ...], int] = {}
        label = np.full(len(self.tiling), -1, np.int64)
        for cell in cells.tolist():
            label[cell] = kinds.setdefault(claimed.get(cell, ()), len(kinds))
        found = [self._spot(group, claimed) for group in self._groups(label)]
        return tuple(sorted(found, key=lambda spot: (-(spot.customers or 0), -spot.area)))

    def apart(self) -> tuple[Spot, ...]:
        """Groups of each grid's cells but the largest; cells of several grids count with the first."""
        label = np.full(len(self.tiling), -1, np.int64)
        label[self.claims.cell[::-1]] = self.claims.grid[::-1]
        groups: dict[int, list[Ints]] = {}
        for group in self._groups(label):
            groups.setdefault(int(label[group[0]]), []).append(group)
        claimed = self._grids()
        return tuple(
            self._spot(group, claimed, (grid,))
            for grid, found in groups.items()
            for group in sorted(found, key=lambda g: -float(self.tiling.area[g].sum()))[1:]
        )

    def _grids(self) -> dict[int, tuple[int, ...]]:
        found: dict[int, tuple[int, ...]] = {}
        for cell, grid in zip(self.claims.cell.tolist(), self.claims.grid.tolist(), strict=True):
            found[cell] = (*found.get(cell, ()), grid)
        return found

    def _groups(self, label: Ints) -> list[Ints]:
        graph = self.tiling.adjacency
        tail = np.repeat(np.arange(len(label)), np.diff(graph.indptr))
        same = (label[tail] >= 0) & (label[tail] == label[graph.indices])
        part = parts_of(len(label), (tail[same], graph.indices[same].astype(np.int64)))[1]
        rows = np.flatnonzero(label >= 0)
        order = rows[np.argsort(part[rows], kind="stable")]
        return np.split(order, np.flatnonzero(np.diff(part[order])) + 1) if len(order) else []

    def _spot(self, cells: Ints, claimed: Mapping[int, tuple[int, ...]], first: tuple[int, ...] = ()) -> Spot:
        tiling, graph = self.tiling, self.tiling.adjacency
        x, y = tiling.x[cells], tiling.y[cells]
        middle = int(np.argmin((x - x.mean()) ** 2 + (y - y.mean()) ** 2))
        reach = np.sqrt(tiling.area[cells] / np.pi)
        around = {
            int(b) for a in cells.tolist() for b in graph.indices[graph.indptr[a] : graph.indptr[a + 1]]
        }
        own = claimed.get(int(cells[0]), ())
        grids = own or {grid for cell in around for grid in claimed.get(cell, ())}
        rest = tuple(sorted(set(grids) - set(first)))
        return Spot(
            float(tiling.area[cells].sum()),
            None if self.heads is None else int(self.heads[cells].sum()),
            (*first, *rest),
            (float(x[middle]), float(y[middle])),
            (
                float((x - reach).min()),
                float((y - reach).min()),
                float((x + reach).max()),
                float((y + reach).max()),
            ),
            cells=cells,
        )
