"""Moves and swaps by chance: never worse, the same again, and no load lost on the way."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from gridsvc.teams import annealing
from gridsvc.teams.annealing import annealed
from gridsvc.teams.greedy import by_regret, nearest
from gridsvc.teams.watch import Watch
from tests.teams.test_assign import random_problem


@settings(deadline=None, max_examples=20)
@given(
    seed=st.integers(0, 10_000),
    n_grids=st.integers(1, 20),
    n_teams=st.integers(1, 5),
    tight=st.floats(0.5, 2),
    barred=st.sampled_from([0.0, 0.4]),
)
def test_it_is_never_dearer_and_gives_no_grid_where_it_may_not_go(seed, n_grids, n_teams, tight, barred):
    problem = random_problem(seed, n_grids, n_teams, tightness=tight, barred=barred)
    start = nearest(problem)
    run = annealing._Run(problem, start.team, 1)
    found = run.best(Watch())
    assert np.isfinite(problem.cost[np.arange(n_grids), found]).all()
    assert problem.price(found) <= problem.price(start.team) + 1e-9
    assert abs(run.least[0] - problem.price(found)) <= 1e-6 * max(1.0, run.least[0])
    assert np.allclose(run.carried, problem.carried(run.team))
    for t in range(n_teams):  # who holds what is kept with who owns it
        assert sorted(run.members[t, : run.count[t]]) == np.flatnonzero(run.team == t).tolist()


def test_tight_teams_are_filled_far_better_than_by_swaps_alone_and_the_same_each_time():
    problem = random_problem(3, 60, 12, tightness=1.05)
    quick = by_regret(problem)
    one, two = annealed(problem, quick), annealed(problem, quick)
    assert one.team.tobytes() == two.team.tobytes()
    assert problem.price(one.team) < 0.95 * problem.price(quick.team)
