"""The engine's plans are always complete and connected."""

from __future__ import annotations

import json
from collections import deque
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gridsvc.balance.engine import solve
from gridsvc.balance.metrics import check
from gridsvc.errors import Cancelled, InvalidInput

SEEDS = st.integers(0, 10_000)


def pieces_by_hand(problem, labels, links=()):
    """Connected pieces of each grid by breadth-first search: the oracle for the engine's own check."""
    near = [
        set(problem.indices[problem.indptr[i] : problem.indptr[i + 1]].tolist()) for i in range(problem.n)
    ]
    for link in links:
        near[link["a"]].add(link["b"])
        near[link["b"]].add(link["a"])
    count, seen = {}, set()
    for start in range(problem.n):
        if start in seen:
            continue
        count[labels[start]] = count.get(labels[start], 0) + 1
        queue = deque([start])
        seen.add(start)
        while queue:
            for c in near[queue.popleft()] - seen:
                if labels[c] == labels[start]:
                    seen.add(c)
                    queue.append(c)
    return count


@settings(deadline=None, max_examples=60)
@given(seed=SEEDS, n=st.integers(4, 90), part=st.floats(0, 1), dropped=st.floats(0, 0.8))
def test_any_graph_gets_exactly_k_connected_grids_when_islands_are_attached(
    make_planar, seed, n, part, dropped
):
    k = 1 + round(part * (n - 1))
    problem = make_planar(seed, n, k, dropped=dropped, islands="attach", seed=seed)
    solution = solve(problem)
    count = pieces_by_hand(problem, solution.labels.tolist(), solution.report["links"])
    assert count == dict.fromkeys(range(k), 1)
    assert solution.labels.dtype == np.int32 and solution.labels.shape == (n,)


@settings(deadline=None, max_examples=40)
@given(seed=SEEDS, n=st.integers(4, 90), dropped=st.floats(0, 0.8), more=st.integers(-3, 10))
def test_islands_which_are_kept_get_grids_of_their_own_or_are_named(make_planar, seed, n, dropped, more):
    islands = len(set(pieces_of_whole(make_planar(seed, n, 1, dropped=dropped))))
    k = min(n, max(1, islands + more))
    problem = make_planar(seed, n, k, dropped=dropped)
    if k < islands:
        with pytest.raises(InvalidInput, match=f"into {islands} parts .*--islands attach"):
            solve(problem)
        return
    solution = solve(problem)
    assert pieces_by_hand(problem, solution.labels.tolist()) == dict.fromkeys(range(k), 1)
    assert solution.report["links"] == []


def pieces_of_whole(problem):
    count = pieces_by_hand(problem, [0] * problem.n)[0]
    return range(count)


@settings(deadline=None, max_examples=40)
@given(seed=SEEDS, n=st.integers(10, 90), parents=st.integers(1, 4), k=st.integers(4, 10))
def test_grids_never_cross_parents(make_planar, seed, n, parents, k):
    parent = np.random.default_rng(seed).integers(0, parents, n).astype(np.int32)
    problem = make_planar(seed, n, k, parent=parent, islands="attach")
    solution = solve(problem)
    assert all(len(set(parent[solution.labels == g].tolist())) == 1 for g in range(k))
    assert max(pieces_by_hand(problem, solution.labels, solution.report["links"]).values()) == 1


@settings(deadline=None, max_examples=20)
@given(seed=SEEDS, n=st.integers(10, 60), k=st.integers(1, 8))
def test_totals_are_conserved_and_the_report_is_plain_json(make_planar, seed, n, k):
    problem = make_planar(seed, n, k, islands="attach")
    report = json.loads(json.dumps(solve(problem).report, allow_nan=False))
    for j, name in enumerate(problem.measures):
        total = sum(grid["totals"][name] for grid in report["grids"])
        assert total == pytest.approx(problem.weights[:, j].sum())
    assert sum(grid["cells"] for grid in report["grids"]) == n
    assert report["parameters"]["grids"] == k


def test_the_same_seed_gives_the_same_bytes_and_another_seed_another_plan(make_planar):
    problem = make_planar(3, 150, 6, dropped=0.0, seed=5)
    first, again = solve(problem), solve(problem)
    assert first.labels.tobytes() == again.labels.tobytes()
    other = solve(make_planar(3, 150, 6, dropped=0.0, seed=6))
    assert first.labels.tobytes() != other.labels.tobytes()


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_an_ordinary_city_is_balanced_in_both_measures(make_planar, seed):
    problem = make_planar(seed, 3000, 15, dropped=0.0, empty=0.2)
    assert max(solve(problem).report["overall"]["worst_deviation"].values()) < 0.05


def test_uneven_targets_are_met_by_the_grid_they_belong_to(make_planar):
    problem = make_planar(1, 2000, 4, dropped=0.0, m=1)
    shares = np.array([[0.1], [0.4], [0.2], [0.3]])
    uneven = make_planar(1, 2000, 4, dropped=0.0, m=1, targets=shares * problem.weights.sum())
    assert solve(uneven).report["overall"]["worst_deviation"]["m0"] < 0.05


def test_grids_are_shared_out_over_islands_by_weight(draw):
    problem = draw("999999.99\n999999.99", k=4)
    left = problem.x < 6
    labels = solve(problem).labels
    assert len(set(labels[left].tolist())) == 3 and len(set(labels[~left].tolist())) == 1


def test_an_attached_island_is_linked_to_the_nearest_cell_and_the_link_is_told(draw):
    problem = draw("1111..1\n1111...", k=2, islands="attach")
    links = solve(problem).report["links"]
    assert [(problem.x[link["a"]], problem.x[link["b"]], link["metres"]) for link in links] == [(6, 3, 3.0)]


def test_a_cell_with_a_hundred_neighbours_and_leaves_only(make_problem):
    n = 101  # a star: every grid but one is a single leaf
    star = make_problem(
        np.random.default_rng(1).random((n, 2)), np.zeros(100, int), np.arange(1, n), np.ones((n, 1)), 30
    )
    solution = solve(star)
    assert check(star, solution) == []
    assert sorted(np.bincount(solution.labels))[-1] == n - 29


def test_cells_without_any_weight_and_all_in_one_place_are_no_trouble(make_planar):
    empty = make_planar(2, 50, 7, dropped=0.0, empty=1.0)
    heap = replace(empty, x=np.zeros(50), y=np.zeros(50), area=np.zeros(50), perimeter=np.zeros(50))
    assert check(empty, solve(empty)) == []
    assert check(heap, solve(heap)) == []


def test_as_many_grids_as_cells_and_one_grid(make_planar):
    assert sorted(solve(make_planar(1, 30, 30, islands="attach")).labels.tolist()) == list(range(30))
    assert set(solve(make_planar(1, 30, 1, islands="attach")).labels.tolist()) == {0}


def test_too_few_grids_for_nested_parents_names_them(make_planar):
    parent = (np.arange(40) % 5).astype(np.int32)
    with pytest.raises(
        InvalidInput, match=r"3 grids asked for but 5 parents need 5.*ask for at least 5 grids"
    ):
        solve(make_planar(1, 40, 3, parent=parent, islands="attach"))


def test_an_island_too_many_names_the_smallest(draw):
    with pytest.raises(
        InvalidInput, match=r"grids: 1 grids asked for .* into 2 parts .*1 cell\(s\) round row 4"
    ):
        solve(draw("111.1", k=1))


@pytest.mark.parametrize("bad", [-1.0, float("nan"), float("inf")])
def test_a_weight_which_is_no_quantity_is_named_with_row_and_measure(make_planar, bad):
    problem = make_planar(1, 20, 3)
    problem.weights[6, 1] = bad
    with pytest.raises(InvalidInput, match=r"row 7, m1: .* is not a quantity") as caught:
        solve(problem)
    assert (caught.value.row, caught.value.field) == (7, "m1")


@pytest.mark.parametrize(("k", "said"), [(0, "at least 1"), (21, "only 20 cells")])
def test_an_impossible_number_of_grids_is_refused(make_planar, k, said):
    targets = np.ones((max(k, 1), 2))
    with pytest.raises(InvalidInput, match=said):
        make_planar(1, 20, k, targets=targets)


@pytest.mark.parametrize("field", ["targets", "tolerance"])
def test_targets_and_tolerances_must_be_numbers(make_planar, field):
    wrong = {"targets": np.full((3, 2), np.nan), "tolerance": np.array([0.1, -0.1])}[field]
    with pytest.raises(InvalidInput, match=field):
        solve(make_planar(1, 20, 3, islands="attach", **{field: wrong}))


def test_progress_rises_to_one_and_may_stop_the_work(make_planar):
    problem = make_planar(1, 500, 10, islands="attach")
    told = []
    solve(problem, lambda share, message: told.append(share))
    assert told == sorted(told) and told[-1] == 1.0

    def stop(share, message):
        if share > 0.3:
            raise Cancelled("stopped on request")

    with pytest.raises(Cancelled):
        solve(problem, stop)
