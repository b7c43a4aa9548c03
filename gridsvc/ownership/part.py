"""A part of a snapshot: what is left for a caller who sees some sub-trees of a territory.

A branch of a territory is a grid of an upper level with all below it. Which cells and grids that is gets
worked out once for a publication; a lookup then reads the cell's place in one array, as ever, and what is not
of the part is not there: its cells lie outside, and its grids, their names and their teams are left out.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import replace
from functools import cached_property, lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gridsvc.ownership.answer import Answer, Lang
from gridsvc.ownership.holdings import Holdings
from gridsvc.ownership.residents import rows_under
from gridsvc.ownership.snapshot import Snapshot
from gridsvc.plans.plan import Plan
from gridsvc.tiling.places import Places

__all__ = ["Part", "Upper", "grids_within", "part_of", "plan_within", "within"]

Held = Holdings | Plan
"""Who holds which cell: `labels` and `grids`."""

Upper = tuple[str, Holdings]
"""A level and who holds which cell on it; all of one tiling."""

_KEPT = 32


def within(uppers: Sequence[tuple[str, Held]], codes: Collection[str], n_cells: int) -> NDArray[np.bool_]:
    """Which cells lie in the sub-trees: bool array, shape (n_cells,).

    Parameters
    ----------
    codes : collection of str
        ``CODE``, or ``LEVEL:CODE``. A code of several levels says too little, and names none.
    """
    found = np.zeros(n_cells, np.bool_)
    owners = [grid.code for _, held in uppers for grid in held.grids]
    for level, held in uppers:
        named = [
            f"{level}:{grid.code}" in codes or (grid.code in codes and owners.count(grid.code) == 1)
            for grid in held.grids
        ]
        found |= np.array([*named, False])[held.labels]  # -1, for a cell without grid, finds the last
    return found


def grids_within(held: Held, cells: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Which grids have cells, and all of them in the sub-trees: bool array, shape (n_grids,)."""
    placed = held.labels >= 0
    count, inside = (
        np.bincount(held.labels[rows], minlength=len(held.grids)) for rows in (placed, placed & cells)
    )
    found: NDArray[np.bool_] = (count > 0) & (count == inside)
    return found


def plan_within(plan: Plan, cells: NDArray[np.bool_]) -> Plan:
    """A plan with those of its grids which lie on some cells alone; all other cells are in no grid."""
    own = grids_within(plan, cells)
    grids = tuple(grid for grid, mine in zip(plan.grids, own.tolist(), strict=True) if mine)
    return replace(plan, labels=_renumbered(own, -1)[plan.labels], grids=grids)


def _renumbered(own: NDArray[np.bool_], other: int) -> NDArray[np.int32]:
    """New number of each grid, `other` for those left out; -1, for a cell without grid, finds the last."""
    return np.append(np.where(own, np.cumsum(own) - 1, other), other).astype(np.int32)


class Part(Snapshot):
    """As a snapshot of the whole, without what lies elsewhere."""

    def customer(
        self,
        customer: str,
        row: int | None,
        lon: float | None = None,
        lat: float | None = None,
        *,
        known: bool = True,
        lang: Lang = "en",
    ) -> Answer:
        """Owner of a customer; who is in no cell of the part is unknown, also on the name list."""
        if row is None:
            row = self.places.row(lon, lat) if lon is not None and lat is not None else -1
        over = self.overlay(lon, lat) if lon is not None and lat is not None else -1
        if not known or (over < 0 and (row < 0 or not self.places.seen[row])):
            return self.teller.unknown_customer(lang)
        return super().customer(customer, row, lon, lat, known=known, lang=lang)

    places: _Places


class _Places(Places):
    """The places of a tiling without the cells of other parts: points there are in no cell.

    Attributes
    ----------
    seen : bool array, shape (n_cells + 1,)
        False behind the last cell, where -1 looks.
    """

    def __init__(self, whole: Places, cells: NDArray[np.bool_]) -> None:
        super().__init__(whole.resolution, whole.arrays())
        self.seen = np.append(cells, False)
        self._whole, row, seen = whole, whole.row, self.seen.tobytes()

        def seen_row(lon: float, lat: float) -> int:
            found = row(lon, lat)
            return found if seen[found] else -1

        self.row = seen_row

    def rows(self, lon: Any, lat: Any, *, compiled: bool = False) -> NDArray[np.int64]:
        """Row of each point's cell, -1 where none of the part has it."""
        return self._kept(super().rows(lon, lat, compiled=compiled))

    def find(self, cell: str) -> int:
        """Row of a cell given by its id, -1 where the part has none of that id."""
        found = super().find(cell)
        return found if self.seen[found] else -1

    def holder(self, place: int) -> int:
        """Row of what has the ground of an H3 cell, -1 where that is not of the part."""
        found = super().holder(place)
        return found if self.seen[found] else -1

    def inside(self, lon: float, lat: float, row: int) -> bool:
        """Whether a point lies in the territory and in a cell of the part."""
        return row >= 0 and super().inside(lon, lat, row)

    def covers(self, lon: Any, lat: Any) -> NDArray[np.bool_]:  # noqa: ARG002 - as it is declared
        """No point without cell lies in the part."""
        return np.zeros(len(lon), np.bool_)

    @cached_property
    def atoms(self) -> tuple[NDArray[np.int64], NDArray[np.object_]]:
        """Rows of the unsplittable polygons of the part and their outlines."""
        rows, shapes = self._whole.atoms
        kept = self.seen[rows]
        return rows[kept], shapes[kept]

    def _kept(self, rows: NDArray[np.int64]) -> NDArray[np.int64]:
        return np.where(self.seen[rows], rows, -1)


def part_of(found: Snapshot, uppers: Sequence[Upper], codes: Collection[str]) -> Part:
    """A snapshot as it is for whoever sees the sub-trees of some grids."""
    held, places = _compiled(found.holdings, found.places, tuple(uppers), frozenset(codes))
    # The grid a cell came from may be of another part.
    return Part(held, places, found.tiling, found.roster, found.moment, None)


@lru_cache(_KEPT)
def _compiled(
    held: Holdings, places: Places, uppers: tuple[Upper, ...], codes: frozenset[str]
) -> tuple[Holdings, _Places]:
    """The grids and the cells of a part, worked out once for a publication."""
    own = grids_within(held, within(uppers, codes, len(held.labels)))
    cells = np.append(own, False)[held.labels]
    overlays = tuple(over for over in held.overlays if cells[rows_under(places, over.polygon)].any())
    grids = tuple(grid for grid, mine in zip(held.grids, own.tolist(), strict=True) if mine)
    outside = len(grids) + len(overlays) + 1
    narrowed = replace(held, labels=_renumbered(own, outside)[held.labels], grids=grids, overlays=overlays)
    return narrowed, _Places(places, cells)
