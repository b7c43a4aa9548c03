"""A frontier: no plan on it beats another, and balance is paid for in shape."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from gridsvc.balance.frontier import Option, frontier_of, trade_off
from gridsvc.balance.metrics import check
from gridsvc.balance.problem import Solution
from gridsvc.balance.targets import even_targets

FIGURES = st.tuples(st.integers(0, 3), st.integers(0, 3), st.integers(0, 3))


def option(worst, inside, shape):
    figures = {"worst_deviation": {"m": float(worst)}, "inside_share": inside / 3, "shape": float(shape)}
    return Option(np.zeros(1, np.int32), figures), {"of": (worst, inside, shape)}


@given(st.lists(FIGURES, min_size=1, max_size=8), st.integers(0, 7))
def test_what_is_left_out_is_beaten_and_what_is_kept_is_not(values, wanted):
    found = frontier_of([option(*value) for value in values], wanted=wanted if wanted < len(values) else None)
    kept = [
        (o.figures["worst_deviation"]["m"], -o.figures["inside_share"], o.figures["shape"])
        for o in found.options
    ]
    assert len(set(kept)) == len(kept)
    for worst, inside, shape in values:
        mine = (worst, -inside / 3, shape)
        assert any(all(a <= b for a, b in zip(other, mine, strict=True)) for other in kept)
        if mine in kept:
            assert not any(
                other != mine and all(a <= b for a, b in zip(other, mine, strict=True)) for other in kept
            )
    assert [entry["chosen"] for entry in found.report["frontier"]].index(True) == found.chosen


def test_more_compactness_costs_balance_where_measures_drift(make_planar):
    size = {"area": np.full(400, 2500.0), "perimeter": np.full(400, 200.0)}
    problem = make_planar(6, 400, 10, dropped=0.0, tolerance=np.full(2, 0.02), sweeps=150, **size)
    problem.weights[:, 1] *= np.exp(2 * problem.x / 1000)
    found = trade_off(replace(problem, targets=even_targets(problem.weights, problem.k)))
    assert len(found.options) >= 2
    assert all(check(problem, Solution(o.labels)) == [] for o in found.options)
    by_shape = sorted(found.options, key=lambda o: o.figures["shape"])
    worst = [max(o.figures["worst_deviation"].values()) for o in by_shape]
    assert worst[0] == max(worst) and found.report["frontier"][found.chosen]["chosen"]


def test_of_realignments_about_as_round_the_one_that_moves_least_is_chosen():
    def moving(moved, shape, inside=1.0):
        made, report = option(0.05, 3 * inside, shape)
        return replace(made, figures={**made.figures, "moved": moved}), report

    found = [moving(0.0, 1.05, inside=0.5), moving(4.0, 1.2), moving(6.0, 1.103), moving(9.0, 1.1)]
    assert frontier_of(found).chosen == 2
    assert frontier_of([*found[:2], moving(6.0, 1.13), found[3]]).chosen == 3
