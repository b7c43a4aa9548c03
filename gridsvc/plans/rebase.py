"""A plan carried over to a newer publication, and a plan cut down to one branch."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from gridsvc.plans.carveouts import merged
from gridsvc.plans.merge import merge
from gridsvc.plans.plan import Grid, Plan

__all__ = ["Rebased", "assembled", "inside", "rebase", "within"]

Rows = NDArray[np.int64]
Prefer = Literal["mine", "theirs"]
_WORDS = [field.name for field in fields(Grid) if field.name != "code"]


@dataclass(frozen=True, slots=True)
class Rebased:
    """A plan with what others published meanwhile.

    Attributes
    ----------
    plan : Plan
        Whatever only one side changed is as that side has it.
    carried : int64 array, shape (n,)
        Cells which are now as the publication has them and were not in the plan.
    conflicts : int64 array, shape (n_conflicts,)
        Cells which both sides gave to different grids; as `prefer` says, else as in the plan.
    grids : tuple of str
        Codes of grids whose name, team or parent both sides changed, to different values.
    carve_outs : tuple of str
        Codes of carve-outs on which both sides do not agree.
    """

    plan: Plan
    carried: Rows
    conflicts: Rows
    grids: tuple[str, ...]
    carve_outs: tuple[str, ...] = ()

    @property
    def clean(self) -> bool:
        """Whether nobody's work was overwritten."""
        return not len(self.conflicts) and not self.grids and not self.carve_outs


def rebase(base: Plan, mine: Plan, theirs: Plan, prefer: Prefer | None = None) -> Rebased:
    """Replay on `theirs` what `mine` changed since `base`; grids are matched by their codes.

    Parameters
    ----------
    base, mine, theirs : Plan
        Of one tiling: the publication the plan was made on, the plan, the publication there is now.
    prefer : {"mine", "theirs"}, optional
        Whose change counts where both made one.
    """
    found = merge(base, mine, theirs)
    carried = np.union1d(found.rows, found.conflicts) if prefer == "theirs" else found.rows
    former = {grid.code: grid for grid in base.grids}
    own, others = ({grid.code: grid for grid in plan.grids} for plan in (mine, theirs))
    words, clashes = {}, []
    for code in own.keys() & others.keys():
        words[code], clash = _words(former.get(code), own[code], others[code], prefer)
        clashes += [code] * clash
    code_of = _codes(mine)
    code_of[carried] = _codes(theirs)[carried]
    order = [*mine.grids, *(grid for grid in theirs.grids if grid.code not in own)]
    gone = own.keys() & former.keys() - others.keys()  # grids which others gave up
    keep = set(own) - gone
    plan = assembled(code_of, [words.get(grid.code, grid) for grid in order], keep)
    carved, apart = merged(base.carve_outs, mine.carve_outs, theirs.carve_outs, prefer)
    plan = replace(plan, carve_outs=carved)
    return Rebased(plan, carried, found.conflicts, tuple(sorted(clashes)), apart)


def _words(former: Grid | None, mine: Grid, theirs: Grid, prefer: Prefer | None) -> tuple[Grid, bool]:
    """A grid of both sides with what only one of them changed, and whether both changed one thing."""
    chosen, clash = {}, False
    for name in _WORDS:
        was = None if former is None else getattr(former, name)
        here, there = getattr(mine, name), getattr(theirs, name)
        if there in (here, was):
            chosen[name] = here
        elif here == was or here is None:
            chosen[name] = there
        else:
            clash = True
            chosen[name] = there if prefer == "theirs" else here
    return replace(mine, **chosen), clash


def within(mine: Plan, theirs: Plan, parent: str) -> tuple[Plan, Rows]:
    """The plan where it changes only what is nested in one parent, and all else as `theirs` has it.

    Carve-outs are nested in no parent, so they are as `theirs` has them.

    Returns
    -------
    plan : Plan
    ignored : int64 array, shape (n,)
        Cells which the plan changes outside the parent, or over its border.
    """
    code_of, others = _codes(mine), _codes(theirs)
    inside = _nested(mine, parent) & _nested(theirs, parent)
    ignored = np.flatnonzero((code_of != others) & ~inside)
    own = [grid for grid in mine.grids if grid.parent == parent]
    names = {grid.code for grid in own}
    order = [*own, *(grid for grid in theirs.grids if grid.code not in names)]
    plan = assembled(np.where(inside, code_of, others), order, names)
    return replace(plan, carve_outs=theirs.carve_outs), ignored


def inside(found: Rebased, mine: Plan, theirs: Plan, parent: str) -> Rebased:
    """The same with the conflicts inside one parent only."""
    held = _nested(mine, parent) & _nested(theirs, parent)
    own = {grid.code for grid in theirs.grids if grid.parent == parent}
    rows = found.conflicts[held[found.conflicts]]
    return replace(
        found, conflicts=rows, grids=tuple(code for code in found.grids if code in own), carve_outs=()
    )


def assembled(code_of: NDArray[np.object_], grids: Sequence[Grid], keep: set[str] | None = None) -> Plan:
    """A plan of the cells' grid codes; grids without a cell are left off unless in `keep`.

    Parameters
    ----------
    code_of : object array of str, shape (n_cells,)
        Empty for no grid.
    grids : sequence of Grid
        In the order they are to have.
    """
    used = set(np.unique(code_of.astype(str)).tolist()) | (keep or set())
    left = [grid for grid in grids if grid.code in used]
    place = {grid.code: g for g, grid in enumerate(left)} | {"": -1}
    labels = np.fromiter((place[code] for code in code_of.tolist()), np.int32, len(code_of))
    return Plan(labels, tuple(left))


def _codes(plan: Plan) -> NDArray[np.object_]:
    names = np.array([*(grid.code for grid in plan.grids), ""], dtype=object)
    return names[plan.labels]


def _nested(plan: Plan, parent: str) -> NDArray[np.bool_]:
    held = np.array([*(grid.parent == parent for grid in plan.grids), False], np.bool_)
    return held[plan.labels]
