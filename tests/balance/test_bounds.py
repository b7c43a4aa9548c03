"""No proof may claim more than the truth: every plan of small maps is tried."""

from __future__ import annotations

from dataclasses import replace
from itertools import product

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from gridsvc.balance.explanation.bounds import prove
from gridsvc.balance.explanation.fences import least_moved
from gridsvc.balance.explanation.relax import joined
from gridsvc.balance.metrics import deviations, totals
from gridsvc.balance.problem import Past, Pins


def every_plan(problem):
    """Labels of every valid plan, shape (plans, n), by trying all there are."""
    n, k = problem.n, problem.k
    (a, b), _ = joined(problem)
    near = np.zeros(n, np.int64)
    for i, j in zip(a.tolist(), b.tolist(), strict=True):
        near[i] |= 1 << j
        near[j] |= 1 << i
    connected = np.array([_connected(mask, near) for mask in range(1 << n)])
    labels = np.array(list(product(range(k), repeat=n)), np.int32)
    good = np.ones(len(labels), bool)
    for g in range(k):
        good &= connected[((labels == g) << np.arange(n)).sum(axis=1)]
    anchor = problem.anchors()
    good &= ((labels == anchor) | (anchor < 0)).all(axis=1)
    if problem.pins is not None:
        far = np.zeros((k, n), bool)
        for g in np.flatnonzero(problem.pins.cell >= 0):
            seed = problem.pins.cell[g]
            far[g] = (
                np.hypot(problem.x - problem.x[seed], problem.y - problem.y[seed]) > problem.pins.radius[g]
            )
        good &= ~far[labels, np.arange(n)].any(axis=1)
    return labels[good]


def _connected(mask, near):
    if mask == 0:
        return False
    reached = mask & -mask
    while True:
        more = reached
        for i in range(len(near)):
            if reached >> i & 1:
                more |= int(near[i]) & mask
        if more == reached:
            return reached == mask
        reached = more


def figures(problem, plans):
    """Totals (plans, k, m) and absolute deviations of every plan."""
    sums = np.stack([totals(labels, problem.weights, problem.k) for labels in plans])
    return sums, np.abs(np.stack([deviations(s, problem.targets) for s in sums]))


def inside(problem, sums):
    low, high = problem.band()
    unit = problem.targets.mean(axis=0) * 1e-7
    return ((sums >= low - unit) & (sums <= high + unit)).all(axis=(1, 2))


SEEDS = st.integers(0, 10_000)


@st.composite
def small_problems(draw, make):
    n, k, m = draw(st.integers(2, 8)), draw(st.integers(1, 3)), draw(st.integers(1, 2))
    assume(k <= n)
    rng = np.random.default_rng(draw(st.integers(0, 10_000)))
    problem = make(
        int(rng.integers(10_000)), max(n, 4), k, m=m, dropped=draw(st.sampled_from([0.0, 0.3, 0.7]))
    )
    n = problem.n
    weights = rng.integers(0, 10, (n, m)) * 10.0 ** rng.integers(0, draw(st.integers(1, 3)), (n, m))
    assume((weights.sum(axis=0) > 0).all())
    shares = rng.dirichlet(np.ones(k), m).T if draw(st.booleans()) else np.full((k, m), 1 / k)
    if draw(st.integers(0, 5)) == 0:
        shares[0] = 0.0
    more = {
        "weights": weights,
        "targets": shares * weights.sum(axis=0) * draw(st.sampled_from([1.0, 1.0, 1.3, 0.8])),
        "tolerance": np.full(m, draw(st.sampled_from([0.0, 0.05, 0.2, 0.5]))),
        "islands": draw(st.sampled_from(["keep", "attach"])),
    }
    if draw(st.booleans()):
        more["parent"] = (rng.random(n) < 0.4).astype(np.int32)
    if draw(st.booleans()):
        more["anchor"] = np.where(rng.random(n) < 0.4, rng.integers(0, k, n), -1).astype(np.int32)
    elif draw(st.booleans()):
        cell = rng.permutation(n)[:k]
        radius = np.where(rng.random(k) < 0.8, rng.uniform(200, 900, k), np.inf)
        more["pins"] = Pins(np.where(rng.random(k) < 0.8, cell, -1), radius)
    if draw(st.integers(0, 3)) == 0:
        mean = weights.sum(axis=0) / k
        more["low"] = mean * rng.uniform(0.2, 1.0, (k, m))
        more["high"] = mean * rng.uniform(1.0, 2.0, (k, m))
    return replace(problem, **more)


@settings(deadline=None, max_examples=250, derandomize=True)
@given(data=st.data())
def test_no_plan_is_better_than_a_bound_and_none_is_inside_what_is_excluded(make_planar, data):
    problem = data.draw(small_problems(make_planar))
    plans = every_plan(problem)
    assume(len(plans))
    sums, off = figures(problem, plans)
    possible = inside(problem, sums).any()
    for proof in prove(problem, *joined(problem)):
        if proof.bound is not None:
            best = off[:, :, list(proof.measures)].max(axis=(1, 2)).min()
            assert proof.bound <= best + 1e-6, (proof, best)
        assert not (proof.excludes and possible), proof


@settings(deadline=None, max_examples=60, derandomize=True)
@given(data=st.data())
def test_no_plan_inside_the_limits_moves_less_than_the_least_that_has_to_move(make_planar, data):
    problem = data.draw(small_problems(make_planar))
    plans = every_plan(problem)
    assume(len(plans))
    good = plans[inside(problem, figures(problem, plans)[0])]
    assume(len(good))
    rng = np.random.default_rng(data.draw(SEEDS))
    home = np.where(rng.random(problem.n) < 0.8, plans[rng.integers(len(plans))], -1).astype(np.int32)
    past = Past(home, rng.random(problem.n), np.ones(problem.n))
    moved = ((good != home) & (home >= 0)) @ past.load
    assert least_moved(problem, past) <= moved.min() + 1e-6


ROW = "1111111111"


@pytest.mark.parametrize(
    ("text", "k", "more", "rule", "bound", "cells"),
    [
        ("9111", 3, {}, "large", 9 / 4 - 1, [0]),
        ("9119", 4, {}, "crowd", 1 - 2 / (2 * 5), [0, 3]),
        ("5555", 3, {}, "few", 10 / (20 / 3) - 1, [2, 3]),
        ("3331113", 2, {"tolerance": np.array([0.01])}, "large", 0.0, []),
        ("1915", 4, {"targets": np.full((4, 1), 5.0)}, "stuck", 0.8, [0, 2]),
        (ROW, 2, {"targets": np.full((2, 1), 4.0)}, "highs", 0.25, []),
        (ROW, 2, {"targets": np.full((2, 1), 8.0)}, "lows", 0.375, []),
        ("111.111111", 4, {}, "part", 1 / 3, [0, 1, 2]),
        (
            "11111.1111",
            2,
            {"anchor": np.array([0, 0, 0, 0, -1, -1, -1, -1, -1], np.int32)},
            "locked",
            0.0,
            [],
        ),
        ("1111111111", 2, {"anchor": np.array([0] * 8 + [-1] * 2, np.int32)}, "locked", 0.6, [*range(8)]),
        ("1111111111", 2, {"anchor": np.array([-1] * 7 + [0, 1, -1], np.int32)}, "pocket", 0.6, [7]),
        ("1111111111", 2, {"anchor": np.array([-1, 0, 1] + [-1] * 7, np.int32)}, "fenced", 0.6, [1]),
        (ROW, 2, {"pins": Pins(np.array([0, 9]), np.array([2.0, 9.0]))}, "small", 0.4, []),
        (ROW, 2, {"pins": Pins(np.array([0, 9]), np.array([2.0, 3.0]))}, "uncovered", None, [3, 4, 5]),
    ],
)
def test_each_rule_finds_what_one_sees(draw, text, k, more, rule, bound, cells):
    problem = draw(text, k, **more)
    found = [proof for proof in prove(problem, *joined(problem)) if proof.rule == rule]
    best = max(found, key=lambda proof: proof.bound or 0.0)
    assert best.bound == (None if bound is None else pytest.approx(bound, abs=1e-6))
    assert sorted(best.cells.tolist()) == cells
    assert best.excludes == bool(cells or rule in ("highs", "lows", "small"))


def test_a_part_which_suits_one_measure_with_another_number_of_grids(make_problem):
    # Two parts of three cells and four grids: the first measure wants 1 and 3, the second 2 and 2.
    weights = np.array([[1, 2], [1, 1], [1, 1], [3, 2], [3, 1], [3, 1]], float)
    xy = np.column_stack([np.arange(6), np.zeros(6)]).astype(float)
    problem = make_problem(xy, np.array([0, 1, 3, 4]), np.array([1, 2, 4, 5]), weights, 4)
    proofs = [p for p in prove(problem, *joined(problem)) if p.excludes and p.kind == "component"]
    assert [proof.rule for proof in proofs] == ["together"]
    assert proofs[0].measures == (0, 1) and proofs[0].bound is None


def test_a_cell_rich_in_one_measure_cannot_gather_enough_of_another(make_problem):
    # The middle holds a whole target of b; its neighbours hold so much b that it must stay alone, without a.
    weights = np.array([[5, 2], [5, 2], [0, 8], [5, 2], [5, 2]], float)
    xy = np.column_stack([np.arange(5), np.zeros(5)]).astype(float)
    problem = make_problem(xy, np.arange(4), np.arange(1, 5), weights, 2, tolerance=np.full(2, 0.1))
    found = [
        proof for proof in prove(problem, *joined(problem)) if proof.rule == "mixture" and proof.excludes
    ]
    assert [(proof.measures, proof.cells.tolist()) for proof in found] == [((1, 0), [2])]
    # With a deviation of d its grid has b left for (8 (1 + d) - 8) / 2 of a neighbour: 20 d of a, and needs
    # 10 (1 - d); so 1 / 3.
    assert found[0].bound == pytest.approx(1 / 3, abs=1e-5)
    assert found[0].facts == {"rich": 1.0, "poor": 0.0}
