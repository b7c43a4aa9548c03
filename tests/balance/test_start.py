"""The first plan: parts get their grids, grids get what they hold, everything is connected."""

from __future__ import annotations

from dataclasses import replace
from time import process_time

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gridsvc.balance.engine import solve
from gridsvc.balance.graph import open_pairs, parts_of
from gridsvc.balance.grow import grow, join_anchors
from gridsvc.balance.metrics import check, deviations, shapes, totals
from gridsvc.balance.problem import Pins, Solution
from gridsvc.balance.share import combined_load, combined_targets, share_out
from gridsvc.balance.start import first_labels
from gridsvc.errors import InvalidInput
from gridsvc.progress import silent

SEEDS = st.integers(0, 10_000)


def begun(problem, mixed=False):
    """Parts and first labels, as the engine makes them."""
    pairs = open_pairs(problem)
    _, part = parts_of(problem.n, pairs)
    parts = share_out(
        problem,
        part,
        combined_load(problem.weights),
        combined_targets(problem.targets),
        join_anchors(problem, pairs),
    )
    labels = first_labels(problem, pairs, parts, mixed=mixed, seed=problem.seed, progress=silent)
    return parts, labels


def clumps(problem, seed, holders, size):
    """Locks of up to `holders` grids, each a connected clump of at most `size` cells."""
    rng = np.random.default_rng(seed)
    anchor = np.full(problem.n, -1, np.int32)
    for g in rng.permutation(problem.k)[:holders]:
        free = np.flatnonzero(anchor < 0)
        if not len(free):
            break
        edge = [int(rng.choice(free))]
        for _ in range(int(rng.integers(1, size + 1))):
            if not edge:
                break
            cell = edge.pop(int(rng.integers(len(edge))))
            anchor[cell] = g
            near = problem.indices[problem.indptr[cell] : problem.indptr[cell + 1]]
            edge = [c for c in {*edge, *near.tolist()} if anchor[c] < 0]
    return anchor


def islands_of(problem):
    return parts_of(problem.n, open_pairs(problem))


@settings(deadline=None, max_examples=150)
@given(
    seed=SEEDS,
    n=st.integers(4, 120),
    dropped=st.floats(0, 0.7),
    part=st.floats(0, 1),
    holders=st.integers(0, 12),
    size=st.sampled_from([1, 3, 30]),
    mixed=st.booleans(),
)
def test_a_start_is_complete_and_connected_and_has_every_lock(
    make_planar, seed, n, dropped, part, holders, size, mixed
):
    problem = make_planar(seed, n, 1 + round(part * (n - 1)), dropped=dropped, seed=seed)
    problem = replace(problem, anchor=clumps(problem, seed, holders, size))
    assert_start_is_valid_or_refused_with_reason(problem, mixed)


@settings(deadline=None, max_examples=40)
@given(seed=SEEDS, n=st.integers(4, 80), k=st.integers(2, 12), parents=st.integers(1, 3))
def test_a_start_keeps_to_parents_and_locks(make_planar, seed, n, k, parents):
    problem = make_planar(seed, max(n, k), k, dropped=0.0, seed=seed)
    parent = np.digitize(problem.x, np.quantile(problem.x, np.arange(1, parents) / parents)).astype(np.int32)
    whole = replace(problem, parent=parent)
    anchor = np.where(np.random.default_rng(seed).random(problem.n) < 0.1, parent, -1).astype(np.int32)
    anchor[anchor >= k] = -1
    assert_start_is_valid_or_refused_with_reason(replace(whole, anchor=anchor), mixed=False)


def assert_start_is_valid_or_refused_with_reason(problem, mixed):
    islands, part = islands_of(problem)
    anchor = problem.anchors()
    held = {int(g) for g in anchor if g >= 0}
    without = islands - len({int(p) for p in part[anchor >= 0]})
    try:
        parts, labels = begun(problem, mixed)
    except InvalidInput as error:
        if problem.k < len(held) + without:
            assert "parts" in error.message or "parents need" in error.message
        else:
            taken = join_anchors(problem, open_pairs(problem))
            assert problem.k > len(held) + int((taken < 0).sum())
        return
    assert check(problem, Solution(labels)) == []
    assert (labels[anchor >= 0] == anchor[anchor >= 0]).all()
    assert sorted(g for p in parts for g in p.grids.tolist()) == list(range(problem.k))
    for p in parts:
        assert set(labels[p.cells].tolist()) == set(p.grids.tolist())


@settings(deadline=None, max_examples=60)
@given(seed=SEEDS, n=st.integers(10, 200), extra=st.integers(0, 8), holders=st.integers(1, 6))
def test_growing_alone_gives_connected_grids_which_keep_what_they_hold(make_planar, seed, n, extra, holders):
    problem = make_planar(seed, n, min(n, holders + extra), dropped=0.1, seed=seed)
    held = clumps(problem, seed, holders, 10)
    pairs = open_pairs(problem)
    _, part = parts_of(n, pairs)
    cells = np.flatnonzero(part == part[np.argmax(held >= 0)])
    own = np.unique(held[cells][held[cells] >= 0])
    others = np.setdiff1d(np.arange(problem.k), held)[: int((held[cells] < 0).sum())]
    grids = np.union1d(own, others)
    xy = np.column_stack([problem.x, problem.y])[cells]
    rng = np.random.default_rng(seed)
    labels = grow(cells, grids, xy, combined_load(problem.weights)[cells], held, pairs, rng)
    assert np.unique(labels).tolist() == grids.tolist()
    assert (labels[held[cells] >= 0] == held[cells][held[cells] >= 0]).all()
    whole = np.full(n, -1)
    whole[cells] = labels
    same = whole[pairs[0]] == whole[pairs[1]]
    pieces = parts_of(n, (pairs[0][same], pairs[1][same]))[1][cells]
    assert len(np.unique(pieces)) == len(grids)


@settings(deadline=None, max_examples=100)
@given(seed=SEEDS, n=st.integers(10, 150), holders=st.integers(1, 4))
def test_locks_of_a_grid_are_joined_where_nothing_is_in_the_way(make_planar, seed, n, holders):
    """Each grid's locks lie in a strip of their own, so that they can always be joined within it."""
    problem = make_planar(seed, n, holders, dropped=0.0, seed=seed)
    strip = np.digitize(problem.x, np.quantile(problem.x, np.arange(1, holders) / holders))
    pairs = open_pairs(problem)
    same = strip[pairs[0]] == strip[pairs[1]]
    inside = parts_of(n, (pairs[0][same], pairs[1][same]))[1]
    main = [np.bincount(inside[strip == s]).argmax() for s in range(holders)]
    rng = np.random.default_rng(seed)
    anchor = np.where(rng.random(n) < 0.3, strip, -1).astype(np.int32)
    anchor[~np.isin(inside, main)] = -1
    problem = replace(problem, anchor=anchor)
    held = join_anchors(problem, (pairs[0][same], pairs[1][same]))
    assert (held[anchor >= 0] == anchor[anchor >= 0]).all()
    ends = held[pairs[0]] == held[pairs[1]]
    pieces = parts_of(n, (pairs[0][ends], pairs[1][ends]))[1]
    for g in np.unique(anchor[anchor >= 0]):
        assert len(np.unique(pieces[held == g])) == 1
    assert ((held < 0) | (held == strip)).all()


def locked(draw, letters, digits=None, **more):
    """A map whose letters are locks (a is grid 0) and whose dots are free cells."""
    rows = [line.strip() for line in letters.strip().splitlines()]
    problem = draw(digits or "\n".join("1" * len(row) for row in rows), **more)
    codes = np.array([ord(c) - ord("a") for row in rows for c in row], np.int32)
    return replace(problem, anchor=np.where(codes >= 0, codes, -1).astype(np.int32))


def test_the_grid_boxed_in_is_joined_first(draw):
    """The shortest way between the two a shuts b in; a must go round below."""
    problem = locked(
        draw,
        """
        ...b...
        a.....a
        .......
        ...b...
        .......
        """,
        k=2,
    )
    held = join_anchors(problem, open_pairs(problem))
    assert check(problem, Solution(begun(problem)[1])) == []
    for g in (0, 1):
        a, b = open_pairs(problem)
        same = (held[a] == g) & (held[b] == g)
        assert len(np.unique(parts_of(problem.n, (a[same], b[same]))[1][held == g])) == 1


def test_paths_which_must_cross_are_refused(draw):
    problem = locked(draw, ".b.\na.a\n.b.", k=2)
    crossing = replace(problem, anchor=np.array([0, -1, 1, -1, -1, -1, 1, -1, 0], np.int32))
    with pytest.raises(InvalidInput, match=r"locks: the locked cells of grid \d \(rows .*without crossing"):
        join_anchors(crossing, open_pairs(crossing))


def test_grids_go_where_their_seeds_are_and_the_rest_by_load(draw):
    problem = draw("999999.99\n999999.99", k=4)
    left = problem.x < 6
    right = np.flatnonzero(~left)
    anchor = np.full(problem.n, -1, np.int32)
    anchor[right[0]], anchor[right[3]] = 2, 3
    parts, labels = begun(replace(problem, anchor=anchor))
    assert [p.grids.tolist() for p in parts] == [[0, 1], [2, 3]]
    assert set(labels[left].tolist()) == {0, 1}


def test_a_held_grid_uses_up_its_target_before_the_rest_are_dealt_out(draw):
    """Both parts weigh 6; the held grid wants 5 of the left one, so the large ones of the rest go right."""
    problem = draw("222.222", k=4, targets=np.array([[5.0], [1.0], [3.0], [3.0]]))
    anchor = np.where(problem.x == 0, 0, -1).astype(np.int32)
    parts, _ = begun(replace(problem, anchor=anchor))
    assert [p.grids.tolist() for p in parts] == [[0, 1], [2, 3]]


@pytest.mark.parametrize("seed", range(8))
def test_grown_grids_share_the_place_evenly(draw, seed):
    problem = draw("\n".join(["1" * 30] * 4), k=5)
    held = np.full(120, -1, np.int32)
    held[[0, 30, 60, 90]] = 0
    xy = np.column_stack([problem.x, problem.y])
    rng = np.random.default_rng(seed)
    labels = grow(np.arange(120), np.arange(5), xy, np.full(120, 1 / 120), held, open_pairs(problem), rng)
    sizes = np.bincount(labels)[1:]
    assert sizes.max() < 2.5 * sizes.min()


def test_too_few_grids_beside_those_held_names_the_parts(draw):
    problem = replace(draw("11.1", k=2), anchor=np.array([0, 1, -1], np.int32))
    with pytest.raises(
        InvalidInput,
        match=r"2 of them are kept .* to 1 part\(s\) and 1 more need a grid .*round row 3.*3 grids",
    ):
        solve(problem)


def test_more_grids_than_locks_leave_room_for_is_refused(draw):
    with pytest.raises(
        InvalidInput, match=r"grids: 4 grids .* leave only 1 cells for the other 3; .*at most 2"
    ):
        solve(locked(draw, "aaaa.", k=4))


def test_seeds_side_by_side_each_get_a_grid(draw):
    problem = draw("\n".join(["1" * 12] * 12), k=4)
    pins = Pins(np.array([65, 66, 77, 78]), np.full(4, np.inf))
    _, labels = begun(replace(problem, pins=pins))
    assert labels[pins.cell].tolist() == [0, 1, 2, 3]
    assert np.bincount(labels).min() > 12


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_a_plan_with_seeds_is_as_balanced_as_one_without(make_planar, seed):
    problem = make_planar(seed, 3000, 15, dropped=0.0, empty=0.2)
    cells = np.full(15, -1)
    cells[:8] = np.random.default_rng(seed).choice(3000, 8, replace=False)
    seeded = replace(problem, pins=Pins(cells, np.full(15, np.inf)))
    plain, labels = begun(problem)[1], begun(seeded)[1]
    assert labels[cells[:8]].tolist() == list(range(8))
    off = np.abs(deviations(totals(labels, problem.weights, 15), problem.targets)).mean()
    assert off < 0.15
    assert shapes(problem, labels, 15).mean() < 1.3 * shapes(problem, plain, 15).mean()


def test_a_plan_almost_all_locked_starts_at_once(make_planar):
    problem = make_planar(1, 20_000, 100, dropped=0.0, m=1)
    old = begun(problem)[1]
    anchor = np.where(np.random.default_rng(1).random(problem.n) < 0.95, old, -1).astype(np.int32)
    realigned = replace(problem, anchor=anchor)
    began = process_time()
    labels = begun(realigned)[1]
    assert process_time() - began < 2
    assert check(problem, Solution(labels)) == []
    assert (labels[anchor >= 0] == anchor[anchor >= 0]).all()


def test_the_same_seed_gives_the_same_start(make_planar):
    problem = make_planar(3, 400, 12, dropped=0.0)
    problem = replace(problem, anchor=clumps(problem, 3, 5, 20))
    assert begun(problem)[1].tobytes() == begun(problem)[1].tobytes()


def test_a_solve_keeps_seeds_and_locks(make_planar):
    problem = make_planar(4, 600, 10, dropped=0.0, sweeps=30)
    anchor = clumps(problem, 4, 4, 8)
    labels = solve(replace(problem, anchor=anchor)).labels
    assert (labels[anchor >= 0] == anchor[anchor >= 0]).all()
