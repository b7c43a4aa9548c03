"""Our engine as the benchmark runs it."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from benchmarks.balance.ours import _smallest, labels_of
from gridsvc.balance.engine import solve
from gridsvc.balance.problem import Past, Problem


@pytest.fixture
def row() -> Problem:
    """A strip whose plan in force has a column too many in its western grid."""
    problem: Problem = _smallest()
    home = np.searchsorted([5.0, 7.0], problem.x, side="right").astype(np.int32)
    return replace(problem, past=Past(home, np.full(60, 1 / 60), np.ones(60), most=0.4))


def test_a_plan_in_force_is_realigned_and_not_solved_afresh(row: Problem) -> None:
    assert row.past is not None
    labels = labels_of(row, solve)
    moved = (labels != row.past.home).mean()
    assert 0 < moved <= 0.4 and set(np.bincount(labels)) <= {19, 20, 21}


def test_without_a_plan_in_force_the_problem_is_solved(row: Problem) -> None:
    fresh = replace(row, past=None)
    assert (labels_of(fresh, solve) == solve(fresh).labels).all()
