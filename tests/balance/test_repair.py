"""Local repair: few moves near a planner's edit make the draft whole and balanced."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gridsvc.balance.engine import solve
from gridsvc.balance.graph import open_pairs
from gridsvc.balance.mend import bridge, mend
from gridsvc.balance.metrics import components_of, totals
from gridsvc.balance.repair import repair


@pytest.fixture(scope="module")
def town(make_planar):
    size = {"area": np.full(900, 1100.0), "perimeter": np.full(900, 130.0)}
    problem = make_planar(8, 900, 12, dropped=0.0, empty=0.1, **size)
    return problem, solve(problem).labels


def paint(problem, labels, centre, cells):
    """A planner's brush: the cells nearest to one go to the grid of the next cell beyond."""
    near = np.argsort(np.hypot(problem.x - problem.x[centre], problem.y - problem.y[centre]))
    other = near[cells:][labels[near[cells:]] != labels[centre]][0]
    draft = labels.copy()
    draft[near[:cells]] = labels[other]
    return draft


def whole(problem, labels):
    return components_of(labels, problem.indptr, problem.indices, problem.k).max() == 1


@settings(deadline=None, max_examples=40)
@given(centre=st.integers(0, 899), cells=st.integers(1, 30))
def test_a_painted_draft_becomes_whole_and_nothing_far_away_moves(town, centre, cells):
    problem, labels = town
    draft = paint(problem, labels, centre, cells)
    if np.bincount(draft, minlength=problem.k).min() == 0:
        return
    found = repair(problem, draft)
    assert whole(problem, found.labels)
    assert (found.labels[found.cells] == found.grids).all() and (draft[found.cells] != found.grids).all()
    assert (np.delete(found.labels, found.cells) == np.delete(draft, found.cells)).all()
    low, high = problem.band()
    sums = totals(found.labels, problem.weights, problem.k)
    inside = ((sums >= low * (1 - 1e-9)) & (sums <= high * (1 + 1e-9))).all(axis=1)
    touched = set(found.broken) | set(found.outside) | set(found.grids) | set(draft[found.cells])
    assert set(np.flatnonzero(~inside)) & touched == set(found.still_outside)


def test_a_draft_that_needs_nothing_gets_nothing(town):
    problem, labels = town
    assert len(repair(problem, labels).cells) == 0


def test_most_edits_can_be_balanced_again_and_an_edit_may_be_held(town):
    problem, labels = town
    balanced = 0
    for centre in range(0, 900, 45):
        draft = paint(problem, labels, centre, 6)
        painted = draft != labels
        held = replace(problem, anchor=np.where(painted, draft, -1).astype(np.int32))
        found = repair(held, draft)
        assert (found.labels[painted] == draft[painted]).all()
        balanced += len(found.still_outside) == 0
    assert balanced >= 16


def test_only_the_grids_asked_for_are_looked_after(town):
    problem, labels = town
    low_left, top_right = int(np.argmin(problem.x + problem.y)), int(np.argmax(problem.x + problem.y))
    draft = paint(problem, paint(problem, labels, low_left, 25), top_right, 25)
    bad = repair(problem, draft)
    alone = repair(problem, draft, near=np.array([draft[low_left]]))
    assert 0 < len(alone.cells) < len(bad.cells)


def test_a_stray_piece_is_joined_by_a_path_where_that_moves_less(draw):
    # Grid 1 is the right-hand block and a large piece on the left, one cell of grid 0 between them.
    problem = draw("111011\n111111\n000000", 2)
    labels = np.array([1, 1, 1, 0, 1, 1, 1, 1, 1, 0, 1, 1, 0, 0, 0, 0, 0, 0], np.int32)
    joined = bridge(problem, open_pairs(problem), labels)
    assert (joined != labels).sum() == 1 and whole(problem, joined)
    given_away = mend(problem, open_pairs(problem), labels)
    assert whole(problem, given_away) and (given_away != labels).sum() > 1
    free = replace(problem, targets=np.full((2, 1), 9.0), tolerance=np.array([1.0]))
    assert len(repair(free, labels).cells) == 1
