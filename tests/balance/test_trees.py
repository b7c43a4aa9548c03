"""Pairs of grids joined and cut anew along random trees."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gridsvc.balance.anneal import standing
from gridsvc.balance.cycles import refine
from gridsvc.balance.engine import solve
from gridsvc.balance.graph import open_pairs
from gridsvc.balance.kernels import recount
from gridsvc.balance.metrics import check
from gridsvc.balance.problem import Past, Solution
from gridsvc.balance.trees import recombine
from gridsvc.balance.world import build_state, build_world
from gridsvc.progress import silent

SEEDS = st.integers(0, 10_000)


def at_work(problem, labels):
    world, order = build_world(problem, open_pairs(problem), labels)
    return world, build_state(world, labels[order], problem.seed), order


def in_rows(labels, order):
    result = np.empty_like(labels)
    result[order] = labels
    return result


@settings(deadline=None, max_examples=25)
@given(seed=SEEDS, n=st.integers(10, 120), k=st.integers(2, 6), heat=st.sampled_from([1e-3, 0.1, 10.0]))
def test_grids_stay_connected_and_sums_in_step(make_planar, seed, n, k, heat):
    problem = make_planar(seed, n, k, dropped=0.1, sweeps=1)
    first = solve(replace(problem, islands="attach"))
    if first.report["links"]:
        return
    world, state, order = at_work(problem, first.labels)
    recombine(world, state, heat, heat, 200, True, False)
    assert check(problem, Solution(in_rows(state.labels, order))) == []
    moved = [a.copy() for a in (state.tally, state.foreign, state.size, state.price)]
    recount(world, state)
    for kept, fresh in zip(moved, (state.tally, state.foreign, state.size, state.price), strict=True):
        assert kept == pytest.approx(fresh, abs=1e-6)


def test_every_way_to_cut_a_ladder_is_found_when_it_is_hot(draw):
    problem = draw("""
        111
        111
    """, k=2)  # fmt: skip
    world, state, order = at_work(problem, np.array([0, 0, 1, 0, 0, 1], np.int32))
    seen = set()
    for _ in range(2000):
        recombine(world, state, 1e6, 1e6, 1, False, False)
        labels = in_rows(state.labels, order)
        seen.add(tuple((labels != labels[0]).tolist()))
    valid = {
        tuple(bool(mask >> i & 1) for i in range(6))
        for mask in range(2, 64, 2)
        if check(problem, Solution(np.array([mask >> i & 1 for i in range(6)], np.int32))) == []
    }
    assert seen == valid


def test_locked_cells_keep_their_grids(make_planar):
    problem = make_planar(3, 150, 5, dropped=0.0, sweeps=20)
    labels = solve(problem).labels
    rng = np.random.default_rng(1)
    anchor = np.where(rng.random(150) < 0.1, labels, -1).astype(np.int32)
    world, state, order = at_work(replace(problem, anchor=anchor), labels)
    changed = recombine(world, state, 100.0, 100.0, 2000, False, False)
    result = in_rows(state.labels, order)
    assert changed > 20 and (result[anchor >= 0] == anchor[anchor >= 0]).all()


def test_no_more_than_the_allowance_moves(make_planar):
    problem = make_planar(3, 150, 5, dropped=0.0, sweeps=20)
    labels = solve(problem).labels
    past = Past(home=labels, load=np.ones(150), cost=np.ones(150), most=12.0, price=0.01)
    world, state, order = at_work(replace(problem, past=past), labels)
    assert recombine(world, state, 100.0, 100.0, 3000, False, False) > 0
    moved = int((in_rows(state.labels, order) != labels).sum())
    assert 0 < moved <= 12 and state.gone[0] == moved


@pytest.mark.parametrize("objective", ["inertia", "cut"])
def test_cycles_never_end_worse_than_they_began(make_planar, objective):
    problem = make_planar(8, 120, 4, dropped=0.0, empty=0.0, objective=objective, sweeps=200)
    world, state, _ = at_work(problem, solve(problem).labels)
    before = standing(world, state)
    refine(problem, world, state, silent)
    after = standing(world, state)
    assert (after.outside, after.excess) <= (before.outside, before.excess)


def test_lumpy_cells_are_balanced_where_single_moves_cannot(draw):
    # Only one cut in half keeps both sides whole and even: 9 + 1 against 5 + 5.
    problem = draw("""
        915
        ..5
    """, k=2, objective="cut", tolerance=np.array([0.01]))  # fmt: skip
    labels = solve(problem).labels
    assert labels[0] == labels[1] != labels[2] == labels[3]


def test_fewest_cuts_are_found_in_a_field(draw):
    # 36 cells in four grids: four squares of nine cut 12 pairs, the least there is.
    problem = draw("\n".join(["111111"] * 6), k=4, objective="cut", sweeps=1000)
    a, b = open_pairs(problem)
    labels = solve(problem).labels
    assert int((labels[a] != labels[b]).sum()) == 12
