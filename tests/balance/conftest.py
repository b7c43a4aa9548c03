"""Builders of problems: random planar graphs with islands, and maps drawn in text."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from scipy.spatial import Delaunay

from gridsvc.balance.problem import Problem
from gridsvc.balance.targets import even_targets
from gridsvc.tiling.tiling import Adjacency


def problem_of(
    xy: np.ndarray, a: np.ndarray, b: np.ndarray, weights: np.ndarray, k: int, **more: Any
) -> Problem:
    n = len(xy)
    graph = Adjacency.from_pairs(n, a, b, np.ones(len(a)))
    fields: dict[str, Any] = {
        "area": np.ones(n),
        "perimeter": np.full(n, 4.0),
        "measures": tuple(f"m{j}" for j in range(weights.shape[1])),
        "targets": even_targets(weights, max(k, 1)),
        "tolerance": np.full(weights.shape[1], 0.05),
        "sweeps": 100 if n < 200 else None,  # properties hold at any budget
    }
    return Problem(
        indptr=graph.indptr,
        indices=graph.indices,
        border=graph.length,
        x=xy[:, 0].copy(),
        y=xy[:, 1].copy(),
        weights=weights,
        k=k,
        **(fields | more),
    )


def planar(
    world: int, n: int, k: int, *, dropped: float = 0.2, empty: float = 0.3, m: int = 2, **more: Any
) -> Problem:
    """Delaunay neighbours of n random points, less a share of the pairs; a share of cells weighs nothing."""
    rng = np.random.default_rng(world)
    xy = rng.random((n, 2)) * 1000
    corners = Delaunay(xy).simplices
    pairs = np.unique(
        np.sort(np.vstack([corners[:, [0, 1]], corners[:, [1, 2]], corners[:, [0, 2]]]), axis=1), axis=0
    )
    a, b = pairs[rng.random(len(pairs)) >= dropped].T
    weights = rng.lognormal(0, 1, (n, m)) * (rng.random((n, 1)) >= empty)
    return problem_of(xy, a, b, weights, k, **more)


def drawn(text: str, k: int, **more: Any) -> Problem:
    """Cells at digits (their weight, one measure); neighbours share a side; dots are holes."""
    lines = [line.strip() for line in text.strip().splitlines()]
    at = {(x, -y): int(c) for y, line in enumerate(lines) for x, c in enumerate(line) if c != "."}
    row = {place: i for i, place in enumerate(at)}
    pairs = [(i, row[q]) for (x, y), i in row.items() for q in ((x + 1, y), (x, y - 1)) if q in row]
    a, b = np.array(pairs, np.int64).reshape(-1, 2).T
    return problem_of(np.array(list(at), float), a, b, np.array([list(at.values())], float).T, k, **more)


@pytest.fixture(scope="session")
def make_planar() -> Callable[..., Problem]:
    return planar


@pytest.fixture(scope="session")
def draw() -> Callable[..., Problem]:
    return drawn


@pytest.fixture(scope="session")
def make_problem() -> Callable[..., Problem]:
    return problem_of
