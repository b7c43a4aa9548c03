"""What is too large to balance is found, and may be taken out."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gridsvc.balance.carve import carve_out, carved_groups, describe_carved, solve_with_carve_outs
from gridsvc.balance.large import oversize
from gridsvc.balance.metrics import components_of
from gridsvc.errors import InvalidInput


def test_cells_above_half_a_target_are_listed_largest_first(draw):
    problem = draw("1191\n1611", k=3)  # 21 in all, a target of 7
    found = oversize(problem)
    assert [(entry["cell_row"], entry["value"], entry["kind"]) for entry in found] == [
        (2, 9.0, "cell"),
        (5, 6.0, "cell"),
    ]
    assert found[0] == {
        "cell_row": 2,
        "measure": "m0",
        "value": 9.0,
        "target": 7.0,
        "share": pytest.approx(9 / 7),
        "kind": "cell",
        "offer": "carve-out",
    }


def test_single_accounts_are_listed_beside_their_cell(draw):
    problem = draw("1191\n1611", k=3)
    accounts = np.array([[1.0], [1], [8], [1], [1], [3], [1], [1]])
    assert [(e["cell_row"], e["kind"]) for e in oversize(problem, accounts)] == [
        (2, "cell"),
        (2, "account"),
        (5, "cell"),
    ]


def test_a_measure_nobody_has_lists_nothing(make_planar):
    assert oversize(make_planar(1, 20, 3, empty=1.0)) == []


def test_targets_are_of_what_is_left(draw):
    problem = draw("1191\n1611", k=3)
    reduced, rows = carve_out(problem, problem.weights[:, 0] > 5)
    assert rows.tolist() == [0, 1, 3, 4, 6, 7]
    assert reduced.targets.ravel().tolist() == pytest.approx([2.0, 2.0, 2.0])
    assert reduced.n == 6 and reduced.indptr[-1] == len(reduced.indices) == len(reduced.border) == 8


def test_groups_are_connected_carved_cells(draw):
    problem = draw("99.1\n1199", k=1)
    groups = carved_groups(problem, problem.weights[:, 0] == 9)
    assert groups.tolist() == [0, 0, -1, -1, -1, 1, 1]


@settings(deadline=None, max_examples=40)
@given(seed=st.integers(0, 10_000), n=st.integers(20, 80), k=st.integers(1, 6), share=st.floats(0, 0.5))
def test_carved_cells_become_connected_grids_after_the_balanced_ones(make_planar, seed, n, k, share):
    problem = make_planar(seed, n, k, dropped=0.1, islands="attach")
    carved = np.random.default_rng(seed).random(n) < share
    solution, n_balanced = solve_with_carve_outs(problem, carved)
    labels, grids = solution.labels, int(solution.labels.max()) + 1
    assert n_balanced == k
    assert ((labels >= k) == carved).all()
    assert set(labels.tolist()) == set(range(grids))
    assert (components_of(labels, problem.indptr, problem.indices, grids)[k:] == 1).all()
    assert [entry["grid"] for entry in solution.report["carve_outs"]] == list(range(k, grids))
    told = [*solution.report["grids"], *solution.report["carve_outs"]]
    assert sum(entry["totals"]["m0"] for entry in told) == pytest.approx(problem.weights[:, 0].sum())


def test_without_carve_outs_the_plan_is_the_plain_one(draw):
    solution, n_balanced = solve_with_carve_outs(draw("1111", k=2), np.zeros(4, np.bool_))
    assert (n_balanced, solution.report["carve_outs"], sorted(solution.labels.tolist())) == (
        2,
        [],
        [0, 0, 1, 1],
    )


def test_links_name_rows_of_the_whole_problem(draw):
    problem = draw("1911", k=2, islands="attach")
    links = solve_with_carve_outs(problem, problem.weights[:, 0] == 9)[0].report["links"]
    assert [(link["a"], link["b"]) for link in links] == [(0, 2)]


def test_what_a_carve_out_splits_needs_enough_grids(draw):
    problem = draw("1911", k=1)
    with pytest.raises(InvalidInput, match="2 parts"):
        solve_with_carve_outs(problem, problem.weights[:, 0] == 9)
    with pytest.raises(InvalidInput, match="only 0 cells"):
        solve_with_carve_outs(problem, np.ones(4, np.bool_))


def test_a_plan_that_balances_nothing_is_described_all_the_same(draw):
    problem = draw("1111", k=2)
    bare = replace(
        problem, weights=np.zeros((4, 0)), measures=(), targets=np.zeros((2, 0)), tolerance=np.zeros(0)
    )
    report = describe_carved(bare, np.array([0, 0, 1, 1], np.int32))
    assert (report["overall"]["inside_share"], report["explanation"]["feasible"]) == (1.0, True)
    assert [entry["cells"] for entry in report["grids"]] == [2, 2]
