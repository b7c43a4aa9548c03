"""What changed between two publications: cells, carve-outs and grids, found on arrays.

Nothing of it is ever stored: two publications never change, so neither does what lies between them. The rows
suffice to make the later publication out of a copy of the earlier one.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, TypeVar

import numpy as np
import shapely
from numpy.typing import NDArray

from gridsvc.ownership.batch import CellNames
from gridsvc.ownership.holdings import Holdings
from gridsvc.ownership.publication import Overlay, rule_of
from gridsvc.plans.plan import Grid

__all__ = ["COLUMNS", "Changes", "Side", "changed"]

_SIDE = ("grid", "name", "team", "rule", "parent")
COLUMNS = ("what", "id", *(f"{when}_{part}" for when in ("before", "after") for part in _SIDE), "outline")
"""Of a row: ``what`` is cell, carve_out or grid, ``outline`` the later shape of a carve-out as GeoJSON."""

_ABSENT = -2
"""Label of a cell which the tiling does not have; -1 is one which no grid has."""

Row = tuple[str | None, ...]
_NOBODY: Row = (None, None, None, "fallback", None)
_NOTHING: Row = (None,) * len(_SIDE)


@dataclass(frozen=True, slots=True)
class Side:
    """A publication as it is compared.

    Attributes
    ----------
    holdings : Holdings
    places : CellNames
        The ids of the cells, by row.
    tiling : str
        Id of the tiling.
    resolution : int or None
        Of H3 cells; those of one resolution mean the same place in every tiling.
    """

    holdings: Holdings
    places: CellNames
    tiling: str
    resolution: int | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Changes:
    """What changed.

    Attributes
    ----------
    cells : object array of str, shape (n,)
        Ids of the cells whose grid or team is another; a cell of two tilings may stand twice, first as gone.
    before, after : int32 arrays, shape (n,)
        Position of their grids in those of each side; -1 where no grid has them, -2 where there is no such
        cell.
    grids : tuple of pairs of Grid or None
        Grids which came, went, or have another name, team, parent or rule; by code.
    overlays : tuple of pairs of Overlay or None
        The same of carve-outs, which may also have another outline.
    sides : pair of tuples of Grid
        What `before` and `after` point into.
    """

    cells: NDArray[np.object_]
    before: NDArray[np.int32]
    after: NDArray[np.int32]
    grids: tuple[tuple[Grid | None, Grid | None], ...]
    overlays: tuple[tuple[Overlay | None, Overlay | None], ...]
    sides: tuple[tuple[Grid, ...], tuple[Grid, ...]]

    def __len__(self) -> int:
        return len(self.grids) + len(self.overlays) + len(self.cells)

    def rows(self, start: int, stop: int) -> Iterator[Row]:
        """Some of all rows, in an order that never changes: grids, carve-outs, cells; see `COLUMNS`."""
        first, second = len(self.grids), len(self.grids) + len(self.overlays)
        for old, new in self.grids[start:stop]:
            yield ("grid", (new or old).code, *_of(old), *_of(new), None)  # type: ignore[union-attr]
        for before, after in self.overlays[max(0, start - first) : max(0, stop - first)]:
            code = (after or before).code  # type: ignore[union-attr]
            yield ("carve_out", code, *_over(before), *_over(after), _outline(after))
        yield from self._cell_rows(max(0, start - second), max(0, stop - second))

    def _cell_rows(self, start: int, stop: int) -> Iterator[Row]:
        old, new = ([*map(_of, grids), _NOTHING, _NOBODY] for grids in self.sides)
        part = slice(start, stop)
        for cell, b, a in zip(
            self.cells[part].tolist(), self.before[part].tolist(), self.after[part].tolist(), strict=True
        ):
            yield ("cell", cell, *old[b], *new[a], None)  # -1 and -2 count from the end


def changed(before: Side, after: Side) -> Changes:
    """What changed from one publication to another of the same territory and line.

    Cells are compared by id where it means the same place: in one tiling, or in two of H3 cells of one
    resolution. Otherwise all cells of the one have gone and all of the other have come.
    """
    cells, old, new = _cells(before, after)
    held = before.holdings, after.holdings
    return Changes(
        cells,
        old,
        new,
        _pairs(held[0].grids, held[1].grids, _same),
        _pairs(held[0].overlays, held[1].overlays, _same_overlay),
        (held[0].grids, held[1].grids),
    )


Labels = NDArray[np.int32]


def _cells(before: Side, after: Side) -> tuple[NDArray[np.object_], Labels, Labels]:
    old, new = (np.asarray(side.holdings.labels).astype(np.int32) for side in (before, after))
    if before.tiling == after.tiling:
        rows = np.flatnonzero(_differ(before, after, old, new))
        return before.places.names(rows), old[rows], new[rows]
    names = [side.places.names(np.arange(len(side.places))) for side in (before, after)]
    if before.resolution is None or before.resolution != after.resolution:
        gone, come = (np.full(len(labels), _ABSENT, np.int32) for labels in (old, new))
        return np.concatenate(names), np.concatenate([old, come]), np.concatenate([gone, new])
    every, rows = np.unique(np.concatenate(names).astype(str), return_inverse=True)
    left, right = (np.full(len(every), _ABSENT, np.int32) for _ in range(2))
    left[rows[: len(old)]], right[rows[len(old) :]] = old, new
    at = np.flatnonzero(_differ(before, after, left, right))
    return every[at].astype(object), left[at], right[at]


def _differ(before: Side, after: Side, old: Labels, new: Labels) -> NDArray[np.bool_]:
    """Whether each cell has another grid or team; bool array, shape (n,)."""
    numbers: dict[Any, int] = {}
    keys = []
    for side in (before, after):
        owners = [*((g.code, g.team) for g in side.holdings.grids), _ABSENT, -1]
        keys.append(np.array([numbers.setdefault(owner, len(numbers)) for owner in owners]))
    differ: NDArray[np.bool_] = keys[0][old] != keys[1][new]  # -1 and -2 count from the end
    return differ


Part = TypeVar("Part", Grid, Overlay)


def _pairs(
    before: tuple[Part, ...], after: tuple[Part, ...], same: Callable[[Part, Part], bool]
) -> tuple[tuple[Part | None, Part | None], ...]:
    old: dict[str, Part] = {part.code: part for part in before}
    new: dict[str, Part] = {part.code: part for part in after}
    found: list[tuple[Part | None, Part | None]] = []
    for code in sorted({*old, *new}):
        b, a = old.get(code), new.get(code)
        if b is None or a is None or not same(b, a):
            found.append((b, a))
    return tuple(found)


def _same(a: Grid, b: Grid) -> bool:
    return a == b


def _same_overlay(a: Overlay, b: Overlay) -> bool:
    # Mapped files leave reasons out; vertex by vertex, for an outline drawn anew is another.
    alike = (a.name, a.team) == (b.name, b.team)
    return alike and bool(shapely.equals_exact(a.polygon, b.polygon, 0.0))


def _of(grid: Grid | None) -> Row:
    return _NOTHING if grid is None else (grid.code, grid.name, grid.team, rule_of(grid), grid.parent)


def _over(overlay: Overlay | None) -> Row:
    return _NOTHING if overlay is None else (overlay.code, overlay.name, overlay.team, "carve_out", None)


def _outline(overlay: Overlay | None) -> str | None:
    return None if overlay is None else str(shapely.to_geojson(overlay.polygon))
