"""Local repair: few moves near a planner's edit make the draft whole and balanced."""

from __future__ import annotations

from dataclasses import replace
from time import process_time

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gridsvc.balance.engine import solve
from gridsvc.balance.graph import open_pairs
from gridsvc.balance.mend import bridge, main_pieces, mend
from gridsvc.balance.metrics import components_of, totals
from gridsvc.balance.repair import repair
from gridsvc.errors import InvalidInput


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
    pairs = open_pairs(problem)
    main = main_pieces(labels, pairs, np.ones(problem.n), np.zeros(problem.n, bool))
    joined = bridge(problem, pairs, labels, main)
    assert (joined != labels).sum() == 1 and whole(problem, joined)
    given_away = mend(problem, pairs, labels)
    assert whole(problem, given_away) and (given_away != labels).sum() > 1
    free = replace(problem, targets=np.full((2, 1), 9.0), tolerance=np.array([1.0]))
    assert len(repair(free, labels).cells) == 1


def strip_through(problem, labels, grid):
    """The cells of a grid in a band through its middle, and a neighbour they are painted over to."""
    mine = labels == grid
    middle = problem.x[mine].mean()
    band = mine & (np.abs(problem.x - middle) < np.sqrt(problem.area.mean()))
    a, b = open_pairs(problem)
    ends = np.concatenate([labels[b[band[a] & ~mine[b]]], labels[a[band[b] & ~mine[a]]]])
    return band, int(ends[0])


def test_a_grid_cut_in_two_is_joined_again_with_fewer_moves_than_undoing_the_cut(town):
    problem, labels = town
    moved, painted, cut = 0, 0, 0
    for grid in range(problem.k):
        band, other = strip_through(problem, labels, grid)
        draft = np.where(band, other, labels).astype(np.int32)
        found = repair(problem, draft)
        assert whole(problem, found.labels)
        cut += grid in found.broken
        moved, painted = moved + len(found.cells), painted + int(band.sum())
    assert moved < painted and cut > problem.k / 2


def test_a_hole_is_filled_again(town):
    problem, labels = town
    for grid in range(problem.k):
        mine = np.flatnonzero(labels == grid)
        from_middle = np.hypot(
            problem.x[mine] - problem.x[mine].mean(), problem.y[mine] - problem.y[mine].mean()
        )
        draft = labels.copy()
        draft[mine[np.argsort(from_middle)[:3]]] = (grid + 1) % problem.k
        assert len(repair(problem, draft).cells) <= 3


def test_a_neighbour_outside_its_limits_before_does_not_get_worse_nor_is_it_mended_unasked(town):
    problem, labels = town
    band, other = strip_through(problem, labels, 0)
    draft = np.where(band, other, labels).astype(np.int32)
    # Grids which were fine are all too light now, but for the two in question.
    targets = np.where(np.isin(np.arange(problem.k), [0, other])[:, None], 1.0, 1.5) * problem.targets
    harder = replace(problem, targets=targets)
    asked = np.array(sorted([0, other]))
    found = repair(harder, draft, near=asked)
    assert whole(problem, found.labels) and not np.isin(asked, found.still_outside).any()
    before, after = (totals(x, problem.weights, problem.k) for x in (draft, found.labels))
    others = np.setdiff1d(np.arange(problem.k), asked)
    assert (after[others] >= before[others] * (1 - 1e-9)).all()
    assert len(found.cells) < band.sum() + 5


def test_locked_cells_are_put_where_they_belong(town):
    problem, labels = town
    band, other = strip_through(problem, labels, 0)
    draft = np.where(band, other, labels).astype(np.int32)
    held = replace(problem, anchor=np.where(band, 0, -1).astype(np.int32))
    found = repair(held, draft)
    assert (found.labels[band] == 0).all() and whole(problem, found.labels)


def test_a_grid_without_cells_is_named(town):
    problem, labels = town
    draft = np.where(labels == 4, 5, labels).astype(np.int32)
    with pytest.raises(InvalidInput, match=r"\(5\)"):
        repair(problem, draft)


@pytest.fixture(scope="module")
def checkerboard(make_problem):
    """19,600 square cells in 196 square grids, all alike."""
    x, y = (at.ravel() for at in np.meshgrid(np.arange(140), np.arange(140)))
    row = np.arange(140 * 140).reshape(140, 140)
    a = np.concatenate([row[:, :-1].ravel(), row[:-1].ravel()])
    b = np.concatenate([row[:, 1:].ravel(), row[1:].ravel()])
    problem = make_problem(np.column_stack([x, y]).astype(float), a, b, np.ones((19600, 2)), 196)
    return problem, (x // 10 + 14 * (y // 10)).astype(np.int32)


def test_twenty_thousand_cells_are_repaired_in_a_tenth_of_a_second(checkerboard):
    problem, labels = checkerboard
    repair(problem, np.where(problem.x + problem.y < 3, 1, labels).astype(np.int32))  # loads the kernels
    spent = []
    for grid in np.random.default_rng(1).choice(196 - 14, 20, replace=False):
        column = 10 * (grid % 14) + grid % 8 + 1
        cut = (labels == grid) & ((problem.x == column) | (grid % 2 & (problem.y % 10 == 4)))
        began = process_time()
        found = repair(problem, np.where(cut, grid + 14, labels).astype(np.int32))
        spent.append(process_time() - began)
        assert whole(problem, found.labels) and len(found.still_outside) == 0
        assert np.abs(problem.x[found.cells] // 10 - grid % 14).max() <= 2
        assert np.abs(problem.y[found.cells] // 10 - grid // 14).max() <= 3
    assert np.median(spent) < 0.1
