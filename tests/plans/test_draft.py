"""A draft as a value: changes, what collides, what can be taken back."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from gridsvc.plans.draft import Change, Draft, Entry, fold, next_redo, next_undo
from gridsvc.plans.merge import merge
from gridsvc.plans.plan import Grid, Plan

CELLS, GRIDS = 8, 4
labelled = st.lists(st.integers(-1, GRIDS - 1), min_size=CELLS, max_size=CELLS).map(
    lambda values: np.array(values, np.int32)
)
moved = st.tuples(
    st.lists(st.integers(0, CELLS - 1), unique=True).map(lambda rows: np.array(rows, np.int32)),
    st.integers(-1, GRIDS - 1),
)


def _change(labels: np.ndarray, rows: np.ndarray, to: int) -> Change:
    return Change.of(labels, rows, np.full(len(rows), to, np.int32))


@given(labelled, moved)
def test_a_change_holds_only_cells_which_go_elsewhere(labels: np.ndarray, move: tuple) -> None:
    rows, to = move
    change = _change(labels, rows, to)
    assert set(change.rows.tolist()) == {row for row in rows.tolist() if labels[row] != to}
    assert change.before.tolist() == labels[change.rows].tolist()
    assert set(change.after.tolist()) <= {to}
    assert set(change.grids().tolist()) == set(change.before.tolist()) | set(change.after.tolist())


@given(labelled, st.lists(moved, max_size=6))
def test_a_draft_is_its_base_with_the_changes_written_over(labels: np.ndarray, moves: list) -> None:
    before = labels.copy()
    draft, changes, expected = Draft.opened(labels, 1), [], labels.tolist()
    for revision, (rows, to) in enumerate(moves, 2):
        changes.append(_change(draft.labels, rows, to))
        draft = draft.changed(changes[-1], revision)
        for row in rows.tolist():
            expected[row] = to
    assert draft.labels.tolist() == fold(labels, changes).tolist() == expected
    back = fold(draft.labels, [change.inverse() for change in reversed(changes)])
    assert back.tolist() == before.tolist() == labels.tolist()


@given(labelled, st.lists(moved, max_size=8), st.integers(1, 9), st.integers(1, 9))
def test_a_draft_knows_which_cells_changed_since(
    labels: np.ndarray, moves: list, base: int, opened: int
) -> None:
    """Also where it was opened late and was told of its past afterwards."""
    draft, history = Draft.opened(labels, 1), []
    for revision, (rows, to) in enumerate(moves, 2):
        history.append((revision, _change(draft.labels, rows, to)))
        draft = draft.changed(history[-1][1], revision)
    late = Draft.opened(fold(labels, [c for r, c in history if r <= opened]), opened)
    for revision, change in history:
        if revision > opened:
            late = late.changed(change, revision)
    late = late.with_past(((r, c.rows) for r, c in history if r <= opened), 1)
    touched = {row for revision, change in history if revision > base for row in change.rows.tolist()}
    everywhere = np.arange(CELLS, dtype=np.int32)
    for known in (draft, late):
        assert set(np.flatnonzero(known.changed_after(everywhere, base)).tolist()) == touched


def test_undo_and_redo_walk_ones_own_moves() -> None:
    history = [Entry(2, "move"), Entry(4, "merge"), Entry(5, "rebase"), Entry(9, "move")]
    assert (next_undo(history), next_redo(history)) == (9, None)
    history.append(Entry(10, "undo", 9))
    history.append(Entry(11, "undo", 4))
    assert (next_undo(history), next_redo(history)) == (2, 11)
    history.append(Entry(12, "redo", 11))
    assert (next_undo(history), next_redo(history)) == (12, 10)
    history.append(Entry(13, "undo", 12))
    assert (next_undo(history), next_redo(history)) == (2, 13)
    history.append(Entry(14, "move"))
    assert (next_undo(history), next_redo(history)) == (14, None)
    assert (next_undo([]), next_redo([])) == (None, None)


def _plan(labels: str, codes: str) -> Plan:
    """A letter a cell, ``.`` for none; grids in the order of `codes`."""
    grids = tuple(Grid(code, code) for code in codes)
    return Plan(np.array([codes.find(c) if c != "." else -1 for c in labels], np.int32), grids)


def test_a_merge_takes_what_only_the_other_changed() -> None:
    base, mine, theirs = _plan("AABB.", "AB"), _plan("ABBA.", "AB"), _plan("ACBCB", "BCA")
    found = merge(base, mine, theirs)
    assert found.rows.tolist() == [4]
    assert found.conflicts.tolist() == [1, 3]
    same = merge(base, theirs, theirs)
    assert (same.rows.tolist(), same.conflicts.tolist()) == ([], [])
