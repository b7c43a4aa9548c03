"""A draft as a value: a base assignment, the changes made to it, what they collide with, what can be undone.

A change never alters an array; it gives a new value, so that whoever holds the old one still sees it whole.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

__all__ = ["Change", "Draft", "Entry", "fold", "next_redo", "next_undo"]

_UNDOABLE = {"move", "merge"}


@dataclass(frozen=True, slots=True)
class Change:
    """Cells handed from grid to grid, each cell once.

    Attributes
    ----------
    rows : int32 array, shape (n,)
        Rows of the tiling.
    before, after : int32 arrays, shape (n,)
        Positions among the plan's grids; -1 for none.
    """

    rows: NDArray[np.int32]
    before: NDArray[np.int32]
    after: NDArray[np.int32]

    @classmethod
    def of(cls, labels: NDArray[np.int32], rows: NDArray[np.int32], after: NDArray[np.int32]) -> Change:
        """What it changes to hand `rows` to the grids `after`: cells which are there already stay out."""
        moved = labels[rows] != after
        rows = rows[moved].astype(np.int32)
        return cls(rows, labels[rows], after[moved].astype(np.int32))

    def __len__(self) -> int:
        return len(self.rows)

    def inverse(self) -> Change:
        """The change which takes this one back."""
        return Change(self.rows, self.after, self.before)

    def grids(self) -> NDArray[np.int32]:
        """Positions of the grids which lose or gain cells, ascending; -1 among them if cells had none."""
        return np.unique(np.concatenate([self.before, self.after]))


@dataclass(frozen=True, slots=True)
class Entry:
    """A line of a plan's history without its cells.

    Attributes
    ----------
    reverts : int or None
        The revision which an undo or a redo took back.
    """

    revision: int
    kind: str
    reverts: int | None = None


@dataclass(frozen=True, slots=True)
class Draft:
    """Which grid each cell is in, and when it came there.

    Attributes
    ----------
    labels : int32 array, shape (n_cells,)
        Positions among the plan's grids; -1 for none.
    touched : int32 array, shape (n_cells,)
        The last revision which changed each cell; `since` or less where that was before `since`.
    revision : int
        How far the history has been followed.
    since : int
        From which revision on `touched` knows.
    """

    labels: NDArray[np.int32]
    touched: NDArray[np.int32]
    revision: int
    since: int

    @classmethod
    def opened(cls, labels: NDArray[np.int32], revision: int) -> Draft:
        """The draft at `revision`, of whose past nothing is known."""
        return cls(labels, np.zeros(len(labels), np.int32), revision, revision)

    def changed(self, change: Change, revision: int) -> Draft:
        """The draft after `change`, which made `revision`."""
        labels, touched = self.labels.copy(), self.touched.copy()
        labels[change.rows] = change.after
        touched[change.rows] = revision
        return Draft(labels, touched, revision, self.since)

    def at(self, revision: int) -> Draft:
        """The same cells at a later revision, which changed something else."""
        return replace(self, revision=revision)

    def with_past(self, touched: Iterable[tuple[int, NDArray[np.int32]]], since: int) -> Draft:
        """The draft which also knows the past from `since` on.

        Parameters
        ----------
        touched : iterable of (revision, rows)
            What was changed behind `since`, up to ``self.since``, in order.
        """
        known = np.zeros_like(self.touched)
        for revision, rows in touched:
            known[rows] = revision
        return replace(self, touched=np.maximum(known, self.touched), since=since)

    def changed_after(self, rows: NDArray[np.int32], revision: int) -> NDArray[np.bool_]:
        """Which of `rows` changed after `revision`, which must not lie before `since`: bool, shape (n,)."""
        return np.asarray(self.touched[rows] > revision, np.bool_)


def fold(labels: NDArray[np.int32], changes: Iterable[Change]) -> NDArray[np.int32]:
    """Labels with the changes written over them in their order: int32 array, shape (n_cells,)."""
    out = labels.copy()
    for change in changes:
        out[change.rows] = change.after
    return out


def _stacks(history: Iterable[Entry]) -> tuple[list[int], list[int]]:
    done: list[int] = []
    undone: list[int] = []
    for entry in history:
        if entry.kind in _UNDOABLE:
            done.append(entry.revision)
            undone.clear()
        elif entry.kind == "undo":
            done.remove(entry.reverts or 0)
            undone.append(entry.revision)
        elif entry.kind == "redo":
            undone.remove(entry.reverts or 0)
            done.append(entry.revision)
    return done, undone


def next_undo(history: Iterable[Entry]) -> int | None:
    """The revision which one planner's next undo takes back; None where there is nothing left.

    Parameters
    ----------
    history : iterable of Entry
        All that this planner did to the plan, in order.
    """
    return next(reversed(_stacks(history)[0]), None)


def next_redo(history: Iterable[Entry]) -> int | None:
    """The undo which one planner's next redo takes back; a new move leaves nothing to redo."""
    return next(reversed(_stacks(history)[1]), None)
