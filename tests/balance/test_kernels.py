"""The compiled kernels against plain ones on small graphs."""

from __future__ import annotations

from dataclasses import replace
from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numba import njit

from gridsvc.balance.anneal import anneal, settle, standing
from gridsvc.balance.arrays import RINGED
from gridsvc.balance.engine import solve
from gridsvc.balance.graph import open_pairs, parts_of
from gridsvc.balance.kernels import _may, _try, recount, ring_masks, sweep
from gridsvc.balance.metrics import check, deviations, totals
from gridsvc.balance.order import hilbert_order
from gridsvc.balance.problem import Solution
from gridsvc.balance.world import build_state, build_world
from gridsvc.errors import InvalidInput

SEEDS = st.integers(0, 10_000)


@njit
def may_leave(i, world, state):
    return _may(i, 1 - state.labels[i], world, state)


@njit
def price_of(i, b, world, state):
    return _try(i, b, world, state)


def world_of(problem, labels):
    world, order = build_world(problem, open_pairs(problem), labels)
    return world._replace(thorough=True), build_state(world, labels[order], problem.seed), order


def halves(problem):
    """A connected plan of two grids, or None: what lies left of the middle cell, and the rest."""
    labels = (problem.x > np.median(problem.x)).astype(np.int32)
    return labels if check(problem, Solution(labels)) == [] else None


@settings(deadline=None, max_examples=60)
@given(seed=SEEDS, n=st.integers(6, 60))
def test_a_cell_may_leave_exactly_when_its_grid_stays_in_one_piece(make_planar, seed, n):
    problem = make_planar(seed, n, 2, dropped=0.1)
    labels = halves(problem)
    if labels is None:
        return
    world, state, order = world_of(problem, labels)
    for i, row in enumerate(order):
        without = labels.copy()
        without[row] = 1 - labels[row]
        stays = np.flatnonzero(without == labels[row])
        a, b = open_pairs(problem)
        both = (without[a] == labels[row]) & (without[b] == labels[row])
        part = parts_of(n, (a[both], b[both]))[1]
        whole = len(stays) > 0 and len(set(part[stays].tolist())) == 1
        assert may_leave(i, world, state) == whole


@settings(deadline=None, max_examples=30)
@given(seed=SEEDS, n=st.integers(6, 60))
def test_the_price_of_a_move_is_the_difference_of_fresh_sums(make_planar, seed, n):
    problem = make_planar(seed, n, 2, dropped=0.0)
    labels = (problem.x > np.median(problem.x)).astype(np.int32)
    world, state, _ = world_of(problem, labels)
    before = state.price[:, :2].sum(axis=0)
    for i in range(0, n, 5):
        told = price_of(i, int(1 - state.labels[i]), world, state)
        state.labels[i] = 1 - state.labels[i]
        recount(world, state)
        assert state.price[:, :2].sum(axis=0) - before == pytest.approx(told, abs=1e-6)
        state.labels[i] = 1 - state.labels[i]
        recount(world, state)


@settings(deadline=None, max_examples=30)
@given(seed=SEEDS, n=st.integers(20, 200), k=st.integers(2, 8))
def test_moves_keep_grids_connected_and_sums_in_step_and_are_never_worse_in_the_end(make_planar, seed, n, k):
    problem = make_planar(seed, n, k, dropped=0.1, islands="attach", sweeps=1)
    first = solve(problem)
    if first.report["links"]:
        return
    world, state, order = world_of(problem, first.labels)
    sweep(world, state, 0.1, 0.01, 5, True, np.zeros(0), np.zeros((0, 3)))
    sweep(world, state, 1.0, 1.0, 2, False, np.zeros(0), np.column_stack([np.zeros((k, 2)), np.ones(k)]))
    kept = state.tally.copy(), state.foreign.copy()
    recount(world, state)
    for moved, fresh in zip(kept, (state.tally, state.foreign), strict=True):
        assert moved == pytest.approx(fresh, abs=1e-6)
    settle(world, state)
    before = standing(world, state)
    assert anneal(world, state, 20) <= before
    result = np.empty_like(state.labels)
    result[order] = state.labels
    assert check(problem, Solution(result, first.report)) == []


@pytest.mark.parametrize("seed", range(8))
def test_small_graphs_come_near_the_best_balance_there_is(make_planar, seed):
    problem = make_planar(seed, 10, 2, dropped=0.0, empty=0.0, m=1, tolerance=np.array([0.01]), sweeps=None)
    best = min(
        np.abs(deviations(totals(labels, problem.weights, 2), problem.targets)).max()
        for labels in (np.array((0, *rest), np.int32) for rest in product((0, 1), repeat=9))
        if check(problem, Solution(labels)) == []
    )
    found = solve(problem).report["overall"]["worst_deviation"]["m0"]
    assert found <= max(best, 0.01) + 0.02


def test_neighbours_in_a_closed_ring_are_known_from_those_at_a_gap():
    # A wheel of six round cell 0, and the same with one rim pair missing.
    rim = [(1, 2), (2, 3), (3, 4), (4, 5), (5, 6), (6, 1)]
    for missing, closed in ((0, True), (1, False)):
        pairs = [(0, i) for i in range(1, 7)] + rim[missing:]
        tail, head = np.array(pairs + [(b, a) for a, b in pairs]).T
        turn = np.lexsort((head, tail))
        indptr = np.concatenate([[0], np.cumsum(np.bincount(tail))])
        masks, flags = np.zeros(len(head), np.int64), np.zeros(7, np.uint8)
        ring_masks(indptr, head[turn].astype(np.int32), masks, flags, np.full(7, -1))
        assert (flags[0] == RINGED) == closed and masks[0] == (0b100010 if closed else 0b100000)


def test_the_curve_visits_each_cell_once_and_steps_to_the_next(draw):
    side = np.arange(16)
    x, y = (grid.ravel().astype(float) for grid in np.meshgrid(side, side))
    order = hilbert_order(x, y)
    assert sorted(order.tolist()) == list(range(256))
    assert np.hypot(np.diff(x[order]), np.diff(y[order])).max() == 1


def test_locked_cells_keep_their_grid(make_planar):
    problem = make_planar(4, 300, 6, dropped=0.0)
    start = solve(problem).labels
    fixed = problem.x < 400
    anchor = np.where(fixed, start, -1).astype(np.int32)
    again = solve(replace(problem, start=start, anchor=anchor, seed=9, compactness=80.0))
    assert (again.labels[fixed] == start[fixed]).all() and check(problem, again) == []


def test_a_start_must_be_a_plan(make_planar):
    problem = make_planar(4, 60, 2, dropped=0.0)
    with pytest.raises(InvalidInput, match="start: the plan to start from is not valid"):
        solve(replace(problem, start=np.zeros(60, np.int32)))


def test_objectives_and_compactness_pull_the_way_they_say(make_planar):
    area = np.full(800, 1e6 / 800)
    problem = make_planar(
        5, 800, 8, dropped=0.0, tolerance=np.full(2, 0.1), area=area, perimeter=4 * np.sqrt(area)
    )
    overall = {
        name: solve(replace(problem, objective=name, sweeps=400)).report["overall"]
        for name in ("balanced", "inertia", "cut")
    }
    assert overall["cut"]["cut_share"] == min(o["cut_share"] for o in overall.values())
    assert overall["inertia"]["wmoi"] <= overall["cut"]["wmoi"]
    loose, round_ = (solve(replace(problem, compactness=c)).report["overall"]["shape"] for c in (0.0, 100.0))
    assert round_ < loose
