"""Levels: each divides the one above it, so that every cell has one chain of parents and sums agree."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from gridsvc.errors import InvalidInput
from gridsvc.plans.plan import Plan

__all__ = [
    "COMMON",
    "Crossing",
    "Level",
    "crossings",
    "level_of",
    "ordered",
    "parents_of",
    "rows_above",
    "series_of",
    "sums_of",
    "uppers_of",
]

_AT = "@"  # stands in no line's name, so that a level's series cannot be mistaken for a line
Rows = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Level:
    """One level of a territory's organisation.

    Attributes
    ----------
    id : str
    names : mapping of "zh" and "en" to str
    parent : str or None
        The level above; None for the top one, which is the territory as a whole.
    """

    id: str
    names: Mapping[str, str]
    parent: str | None = None


COMMON = (
    Level("company", {"zh": "公司", "en": "Company"}),
    Level("branch", {"zh": "区县分公司", "en": "District branch"}, "company"),
    Level("area", {"zh": "片区", "en": "Area"}, "branch"),
    Level("main", {"zh": "主网格", "en": "Main grid"}, "area"),
    Level("grid", {"zh": "子网格", "en": "Sub-grid"}, "main"),
)
"""What a territory has as long as nothing else is said."""


def ordered(levels: Sequence[Level]) -> tuple[Level, ...]:
    """The levels from the top down.

    Raises
    ------
    InvalidInput
        There are fewer than two; an id stands twice; a level's parent is not there, is the parent of
        another, or the level is above itself; or there is not just one at the top.
    """
    known: dict[str, Level] = {}
    for row, level in enumerate(levels, 1):
        if level.id in known:
            raise _fault(f"level {level.id!r} stands twice", "name each level once", row)
        known[level.id] = level
    _require_parents(levels, known)
    below = {level.parent: level for level in levels}
    if len(levels) < 2 or None not in below:
        raise _fault("a territory has a top level and at least one below it", "leave one without parent")
    chain = [below[None]]
    while (next_ := below.get(chain[-1].id)) is not None:
        chain.append(next_)
    return tuple(chain)


def _require_parents(levels: Sequence[Level], known: Mapping[str, Level]) -> None:
    seen: dict[str | None, str] = {}
    for row, level in enumerate(levels, 1):
        if level.parent is not None and level.parent not in known:
            there = ", ".join(known)
            raise _fault(
                f"level {level.id!r} lies below {level.parent!r}, which is none", f"name one of {there}", row
            )
        if _above_itself(level, known):
            raise _fault(f"level {level.id!r} lies above itself", "let each level name the one above it", row)
        if level.parent in seen:
            other = seen[level.parent]
            said = "both lie at the top" if level.parent is None else f"both lie below {level.parent!r}"
            raise _fault(f"levels {other!r} and {level.id!r}: {said}", "put them one below the other", row)
        seen[level.parent] = level.id


def _above_itself(level: Level, known: Mapping[str, Level]) -> bool:
    at, steps = level.parent, 0
    while at is not None and at in known and at != level.id and steps <= len(known):
        at, steps = known[at].parent, steps + 1
    return at == level.id


def _fault(said: str, cure: str, row: int | None = None) -> InvalidInput:
    return InvalidInput(said, field="levels", row=row, cure=cure)


# --- series: a level's publications run apart from those of other levels


def series_of(line: str, level: str, levels: Sequence[Level]) -> str:
    """The line under which a level is published: the line itself for the lowest, ``base@area`` for others."""
    return line if level == levels[-1].id else f"{line}{_AT}{level}"


def level_of(series: str, levels: Sequence[Level]) -> tuple[str, str]:
    """Line and level of a series."""
    line, at, level = series.partition(_AT)
    return line, level if at else levels[-1].id


def uppers_of(series: str, there: Iterable[str]) -> list[tuple[str, str]]:
    """Upper levels of a line, each with its series, among the series there are."""
    line = series.partition(_AT)[0]
    return [(level, name) for name in there for own, at, level in [name.partition(_AT)] if at and own == line]


# --- nesting


@dataclass(frozen=True, slots=True)
class Crossing:
    """A grid which does not lie in one grid of the level above.

    Attributes
    ----------
    grid : str or None
        None for cells of `parents` which no grid has.
    parents : tuple of str
        Grids of the level above it has cells in.
    rows : int64 array
        Its cells, but those in the parent with most of them.
    """

    grid: str | None
    parents: tuple[str, ...]
    rows: Rows


def crossings(children: Plan, parents: Plan) -> list[Crossing]:
    """Where a level does not divide the one above it, cell by cell; both of one tiling."""
    found = []
    codes = [grid.code for grid in parents.grids]
    for place, grid in enumerate(children.grids):
        rows = np.flatnonzero(children.labels == place)
        above, count = np.unique(parents.labels[rows], return_counts=True)
        if len(above) > 1 or -1 in above:
            main = -2 if -1 in above and len(above) == 1 else above[np.argmax(np.where(above < 0, -1, count))]
            named = tuple(codes[p] for p in above.tolist() if p >= 0)
            found.append(Crossing(grid.code, named, rows[parents.labels[rows] != main]))
    left = np.flatnonzero((children.labels < 0) & (parents.labels >= 0))
    if len(left):
        named = tuple(codes[p] for p in np.unique(parents.labels[left]).tolist())
        found.append(Crossing(None, named, left))
    return found


def rows_above(children: Plan, parents: Plan) -> NDArray[np.int64]:
    """Row of the grid above each grid of a level which divides the one above: int64 array, shape (n_grids,).

    One without cells, and one above which there is none, has -1.
    """
    above = np.full(len(children.grids), -1, np.int64)
    placed = np.flatnonzero(children.labels >= 0)
    above[children.labels[placed][::-1]] = parents.labels[placed][::-1]  # that of its first cell stays
    return above


def parents_of(children: Plan, parents: Plan) -> list[str | None]:
    """Code of the grid above each grid; None where `rows_above` has -1."""
    above = rows_above(children, parents).tolist()
    return [parents.grids[row].code if row >= 0 else None for row in above]


def sums_of(plan: Plan, amounts: Mapping[str, NDArray[np.float64]]) -> dict[str, NDArray[np.float64]]:
    """What the grids of a level have: float64 arrays, shape (n_grids,), by name.

    Parameters
    ----------
    amounts : mapping of str to float64 array, shape (n_cells,)
    """
    held, k = plan.labels >= 0, len(plan.grids)
    return {
        name: np.bincount(plan.labels[held], column[held], k).astype(np.float64)
        for name, column in amounts.items()
    }
