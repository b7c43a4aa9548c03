"""What holds for any plan of any planar graph: islands, crowded cells, and cells without area or demand."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gridsvc.balance.engine import solve
from gridsvc.balance.graph import usable_pairs
from gridsvc.balance.metrics import totals
from gridsvc.balance.problem import Problem

CROWD = 100  # neighbours of the crowded cell

PARTS = st.lists(st.integers(5, 40), min_size=1, max_size=4)
SEEDS = st.integers(0, 10_000)


@dataclass
class Land:
    """Islands of Delaunay neighbours, one of them with a cell inside a ring of a hundred others."""

    xy: np.ndarray
    a: np.ndarray
    b: np.ndarray


def crowded(rng: np.random.Generator) -> Land:
    """A hub, a hundred cells in a ring round it, and as many in a ring round these."""
    turn = np.arange(CROWD) * 2 * np.pi / CROWD
    ring = np.column_stack([np.cos(turn), np.sin(turn)])
    xy = np.vstack([np.zeros((1, 2)), 100 * ring, 150 * ring]) + rng.normal(0, 0.5, (2 * CROWD + 1, 2))
    inner, outer = 1 + np.arange(CROWD), 1 + CROWD + np.arange(CROWD)
    a = np.concatenate([np.zeros(CROWD, np.int64), inner, outer, inner])
    b = np.concatenate([inner, np.roll(inner, -1), np.roll(outer, -1), outer])
    return Land(xy, a, b)


def joined_up(lands: list[Land]) -> Land:
    xy, a, b, n = [], [], [], 0
    for place, land in enumerate(lands):
        xy.append(land.xy + np.array([3000.0 * place, 0.0]))
        a.append(land.a + n)
        b.append(land.b + n)
        n += len(land.xy)
    return Land(np.vstack(xy), np.concatenate(a), np.concatenate(b))


@st.composite
def problems(
    draw: st.DrawFn, planar: Callable[..., Problem], make: Callable[..., Problem], **more: Any
) -> Problem:
    """Islands of 5 to 40 cells, in every other problem with a crowd; some cells have no area or no demand."""
    rng = np.random.default_rng(draw(SEEDS))
    lands = [crowded(rng)] if draw(st.booleans()) else []
    for size in draw(PARTS):
        one = planar(int(rng.integers(10_000)), size, 1, dropped=0.0)
        (a, b), _ = usable_pairs(one)
        lands.append(Land(np.column_stack([one.x, one.y]), a, b))
    land = joined_up(lands)
    n, m = len(land.xy), draw(st.integers(1, 3))
    nothing = draw(st.sampled_from([0.0, 0.3, 0.9, 1.0]))
    weights = rng.lognormal(0, draw(st.sampled_from([0.2, 1.0, 2.5])), (n, m)) * (
        rng.random((n, 1)) >= nothing
    )
    flat = rng.random(n) < draw(st.sampled_from([0.0, 0.2, 1.0]))
    return make(
        land.xy, land.a, land.b, weights, draw(st.integers(len(lands), min(n, len(lands) + 12))),
        area=np.where(flat, 0.0, 1e3), perimeter=np.where(flat, 0.0, 130.0),
        tolerance=np.full(m, draw(st.sampled_from([0.0, 0.05, 0.3]))),
        objective=draw(st.sampled_from(["balanced", "inertia", "cut"])),
        compactness=draw(st.sampled_from([0.0, 50.0, 100.0])),
        islands=draw(st.sampled_from(["keep", "attach"])),
        seed=draw(st.integers(0, 50)), sweeps=draw(st.sampled_from([1, 8])), **more,
    )  # fmt: skip


def pieces(problem: Problem, labels: np.ndarray) -> dict[int, int]:
    """Connected pieces of each grid, by breadth-first search over the pairs a grid may hold together."""
    near: list[list[int]] = [[] for _ in range(problem.n)]
    for i, j in zip(*(side.tolist() for side in usable_pairs(problem)[0]), strict=True):
        near[i].append(j)
        near[j].append(i)
    count: dict[int, int] = {}
    seen = [False] * problem.n
    for first in range(problem.n):
        if seen[first]:
            continue
        count[int(labels[first])] = count.get(int(labels[first]), 0) + 1
        queue, seen[first] = deque([first]), True
        while queue:
            for c in near[queue.popleft()]:
                if not seen[c] and labels[c] == labels[first]:
                    seen[c] = True
                    queue.append(c)
    return count


def grown(problem: Problem, rng: np.random.Generator) -> np.ndarray:
    """Any plan: grids grow from random cells, at least one in each part, one random border cell at a time."""
    near: list[list[int]] = [[] for _ in range(problem.n)]
    for i, j in zip(*(side.tolist() for side in usable_pairs(problem)[0]), strict=True):
        near[i].append(j)
        near[j].append(i)
    labels = np.full(problem.n, -1, np.int32)
    order, part, start = rng.permutation(problem.n).tolist(), np.zeros(problem.n, bool), []
    for cell in order:  # the first cell of each part comes first
        if not part[cell]:
            start.append(cell)
            queue = deque([cell])
            part[cell] = True
            while queue:
                for c in near[queue.popleft()]:
                    if not part[c]:
                        part[c] = True
                        queue.append(c)
    start += [cell for cell in order if cell not in set(start)][: problem.k - len(start)]
    labels[start] = np.arange(problem.k)
    open_ = [(cell, c) for cell in start for c in near[cell]]
    while open_:
        cell, c = open_.pop(int(rng.integers(len(open_))))
        if labels[c] < 0:
            labels[c] = labels[cell]
            open_ += [(c, d) for d in near[c]]
    return labels


def outside(problem: Problem, labels: np.ndarray) -> tuple[int, float]:
    """Grids outside their limits, and by how much in all, in shares of the target."""
    low, high = problem.band()
    sums = totals(labels, problem.weights, problem.k)
    unit = np.where(problem.targets > 0, problem.targets, 1.0)
    over = np.maximum(np.maximum(low - sums, sums - high) / unit, 0.0)
    return int((over.max(axis=1) > 1e-9).sum()), float(over.sum())


@settings(deadline=None, max_examples=50, derandomize=True)
@given(data=st.data())
def test_a_plan_is_complete_and_connected_and_loses_nothing(make_planar, make_problem, data):
    problem = data.draw(problems(make_planar, make_problem))
    solution = solve(problem)
    assert pieces(problem, solution.labels) == dict.fromkeys(range(problem.k), 1)
    sums = totals(solution.labels, problem.weights, problem.k).sum(axis=0)
    assert sums == pytest.approx(problem.weights.sum(axis=0), rel=1e-12)
    grids = solution.report["grids"]
    assert sum(grid["cells"] for grid in grids) == problem.n
    for j, name in enumerate(problem.measures):
        assert sum(g["totals"][name] for g in grids) == pytest.approx(problem.weights[:, j].sum(), rel=1e-9)
    assert solve(problem).labels.tobytes() == solution.labels.tobytes()


@settings(deadline=None, max_examples=40, derandomize=True)
@given(data=st.data())
def test_locks_are_kept(make_planar, make_problem, data):
    problem = data.draw(problems(make_planar, make_problem))
    rng = np.random.default_rng(data.draw(SEEDS))
    plan = grown(problem, rng)  # which proves that its locks can be kept
    anchor = np.where(rng.random(problem.n) < data.draw(st.sampled_from([0.05, 0.5, 1.0])), plan, -1)
    solution = solve(replace(problem, anchor=anchor.astype(np.int32)))
    held = anchor >= 0
    assert (solution.labels[held] == anchor[held]).all()
    assert pieces(problem, solution.labels) == dict.fromkeys(range(problem.k), 1)
    assert [g["locked_cells"] for g in solution.report["grids"]] == [
        int((anchor == g).sum()) for g in range(problem.k)
    ]


@settings(deadline=None, max_examples=40, derandomize=True)
@given(data=st.data())
def test_a_plan_is_never_worse_than_its_start(make_planar, make_problem, data):
    problem = data.draw(problems(make_planar, make_problem))
    start = grown(problem, np.random.default_rng(data.draw(SEEDS)))
    assert pieces(problem, start) == dict.fromkeys(range(problem.k), 1)
    after = outside(problem, solve(replace(problem, start=start)).labels)
    before = outside(problem, start)
    assert after[0] <= before[0]
    assert after[0] < before[0] or after[1] <= before[1] * (1 + 1e-9) + 1e-9
