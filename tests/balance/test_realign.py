"""Realignment: little moves, grids keep their numbers, and there is a frontier to choose from."""

from __future__ import annotations

from dataclasses import replace
from itertools import product

import numpy as np
import pytest

from gridsvc.balance.engine import solve
from gridsvc.balance.metrics import check
from gridsvc.balance.problem import Past, Solution
from gridsvc.balance.realign import realign
from gridsvc.balance.targets import even_targets
from gridsvc.errors import InvalidInput


def drifted(problem, sigma, seed=1):
    """The problem after its measures have changed cell by cell, with its old plan in force."""
    labels = solve(problem).labels
    weights = problem.weights * np.random.default_rng(seed).lognormal(0, sigma, problem.weights.shape)
    past = Past(home=labels, load=weights[:, 0].copy(), cost=np.ones(problem.n))
    return replace(problem, weights=weights, targets=even_targets(weights, problem.k), past=past)


@pytest.fixture(scope="module")
def moved_town(make_planar):
    size = {"area": np.full(500, 2000.0), "perimeter": np.full(500, 180.0)}
    return drifted(make_planar(3, 500, 8, dropped=0.0, empty=0.0, sweeps=150, **size), 0.8)


def within(problem, share):
    return replace(problem, past=replace(problem.past, most=share * problem.past.load.sum()))


def test_the_allowance_is_never_exceeded_and_the_plan_in_force_is_the_first_option(moved_town):
    for share in (0.02, 0.1):
        problem = within(moved_town, share)
        found = realign(problem)
        for option in found.options:
            away = option.labels != problem.past.home
            assert problem.past.load[away].sum() <= problem.past.most * (1 + 1e-9)
            assert option.figures["moved"] == pytest.approx(problem.past.load[away].sum())
            assert check(problem, Solution(option.labels)) == []
        assert found.options[0].figures["moved_cells"] == 0


def test_the_frontier_has_no_plan_beaten_in_everything(moved_town):
    options = realign(within(moved_town, 0.15)).options
    assert 3 <= len(options) <= 5
    value = [
        (f["moved"], -f["inside_share"], max(f["worst_deviation"].values()), f["shape"])
        for f in (option.figures for option in options)
    ]
    assert value == sorted(value)
    for one, other in product(value, value):
        assert one == other or any(a < b for a, b in zip(one, other, strict=True))


def test_more_is_balanced_than_was_with_far_less_moved_than_from_scratch(moved_town):
    found = realign(within(moved_town, 0.2))
    before, after = found.report["frontier"][0], found.options[found.chosen].figures
    assert after["inside_share"] > before["inside_share"]
    scratch = solve(replace(moved_town, past=None, seed=5)).labels
    assert after["moved_cells"] < (scratch != moved_town.past.home).sum()
    assert found.report["moved"]["moved"] >= found.report["lower_bound"]["moved"]


def test_cells_that_moved_lately_stay_rather_than_others(moved_town):
    first = realign(within(moved_town, 0.2))
    lately = np.random.default_rng(2).random(moved_town.n) < 0.5
    dear = replace(moved_town, past=replace(moved_town.past, cost=np.where(lately, 20.0, 1.0)))
    again = realign(within(dear, 0.2))
    away = [found.options[found.chosen].labels != moved_town.past.home for found in (first, again)]
    assert lately[away[1]].mean() < 0.6 * lately[away[0]].mean()


def test_cells_new_to_the_territory_join_a_grid_free_of_charge(moved_town):
    home = moved_town.past.home.copy()
    home[:40] = -1
    found = realign(within(replace(moved_town, past=replace(moved_town.past, home=home)), 0.1))
    first = found.options[0]
    kept = (first.labels[40:] == home[40:]).mean()
    assert kept > 0.97 and first.figures["moved"] == pytest.approx(found.report["lower_bound"]["connecting"])
    assert first.figures["moved_cells"] < 15


def test_a_plan_in_force_that_came_apart_is_connected_and_told(moved_town):
    home = moved_town.past.home.copy()
    far = int(np.argmax(np.hypot(*(np.array([moved_town.x, moved_town.y]).T - [0, 0]).T)))
    home[far] = home[int(np.argmin(moved_town.x + moved_town.y))]
    broken = replace(moved_town, past=replace(moved_town.past, home=home))
    found = realign(within(broken, 0.1))
    assert found.report["lower_bound"]["connecting"] == pytest.approx(moved_town.past.load[far])
    with pytest.raises(InvalidInput, match=r"max-disruption: connecting .* already.* allow at least"):
        realign(within(broken, 0.0))


def test_a_plan_in_force_with_too_many_or_empty_grids_is_told(moved_town):
    with pytest.raises(InvalidInput, match="ask for 8 grids"):
        realign(replace(moved_town, k=7, targets=moved_town.targets[:7]))
    home = np.where(moved_town.past.home == 3, 2, moved_town.past.home).astype(np.int32)
    with pytest.raises(InvalidInput, match=r"no cell any more \(4\)"):
        realign(replace(moved_town, past=replace(moved_town.past, home=home)))
    with pytest.raises(InvalidInput, match="no plan in force"):
        realign(replace(moved_town, past=None))


def loosely_drifted(make_planar, seed=3):
    size = {"area": np.full(500, 2000.0), "perimeter": np.full(500, 180.0)}
    return drifted(make_planar(seed, 500, 8, dropped=0.0, empty=0.0, sweeps=150, **size), 0.5)


def test_the_chosen_plan_is_inside_and_moves_no_more_of_any_measure_than_allowed(make_planar):
    problem = within(loosely_drifted(make_planar), 0.25)
    found = realign(problem)
    chosen = found.options[found.chosen]
    assert chosen.figures["inside_share"] == 1
    away = chosen.labels != problem.past.home
    shares = problem.weights[away].sum(axis=0) / problem.weights.sum(axis=0)
    assert list(chosen.figures["by_measure"].values()) == pytest.approx(shares)
    assert shares.max() <= 0.25 * (1 + 1e-9)
    assert found.report["moved"]["by_measure"] == chosen.figures["by_measure"]


def test_no_plan_that_moves_less_is_as_balanced_and_as_compact_as_the_chosen_one(make_planar):
    found = realign(within(loosely_drifted(make_planar), 0.25))
    chosen = found.options[found.chosen].figures
    for option in (o.figures for o in found.options):
        if option["inside_share"] == chosen["inside_share"] and option["moved"] < chosen["moved"]:
            assert option["shape"] > chosen["shape"]


def test_what_would_be_enough_is_told_where_the_allowance_is_too_small(make_planar):
    problem = loosely_drifted(make_planar)
    found = realign(within(problem, 0.01))
    enough = found.report["enough"]
    assert found.report["overall"]["inside_share"] < 1 and enough > 0.01 * problem.past.load.sum()
    assert found.report["lower_bound"]["moved"] <= enough
    again = realign(within(problem, 1.01 * enough / problem.past.load.sum()))
    assert again.report["overall"]["inside_share"] == 1


def test_an_allowance_too_small_buys_the_most_balance_it_can(make_planar):
    problem = loosely_drifted(make_planar)
    front = realign(within(problem, 0.03))
    inside = [option.figures["inside_share"] for option in front.options]
    assert len(front.options) >= 3 and inside[front.chosen] == max(inside) > inside[0]


def test_a_time_limit_is_kept_and_told(moved_town):
    found = realign(replace(within(moved_town, 0.1), time_limit=1e-6))
    assert found.report["truncated"] and found.report["moved"]["moved_cells"] == 0
    assert not realign(within(moved_town, 0.1)).report["truncated"]


def test_the_same_seed_gives_the_same_plans(moved_town):
    one, other = (realign(within(moved_town, 0.1)) for _ in range(2))
    for mine, theirs in zip(one.options, other.options, strict=True):
        assert (mine.labels == theirs.labels).all()


def test_islands_keep_their_grids_or_may_be_linked(make_problem):
    # Two squares of 6 x 6 cells, two grids each; on the eastern one demand has doubled in the north.
    x, y = np.divmod(np.arange(36), 6)
    xy = np.concatenate([np.column_stack([x, y]), np.column_stack([x + 20, y])]).astype(float)
    near = np.hypot(*(xy[:, None] - xy[None]).transpose(2, 0, 1)) == 1
    a, b = np.nonzero(np.triu(near))
    home = ((xy[:, 0] > 10) * 2 + (xy[:, 1] >= 3)).astype(np.int32)
    weights = np.where(home == 3, 2.0, 1.0)[:, None]
    past = Past(home=home, load=weights[:, 0].copy(), cost=np.ones(72), most=20.0)
    targets = np.array([[18.0], [18.0], [27.0], [27.0]])
    for islands in ("keep", "attach"):
        problem = make_problem(xy, a, b, weights, 4, past=past, targets=targets, islands=islands)
        found = realign(problem)
        assert found.report["overall"]["inside_share"] == 1
        labels = found.options[found.chosen].labels
        assert (labels[:36] == home[:36]).all() and set(labels[36:]) == {2, 3}
        assert found.report["moved"]["moved"] >= found.report["lower_bound"]["moved"] > 0


def test_an_allowance_of_one_measure_holds_for_another_which_lies_alike(make_planar):
    problem = loosely_drifted(make_planar)
    noise = np.random.default_rng(4).lognormal(0, 0.05, problem.n)
    weights = np.column_stack([problem.weights[:, 0], problem.weights[:, 0] * noise])
    problem = replace(problem, weights=weights, targets=even_targets(weights, problem.k))
    for share in (0.01, 0.02):
        for option in realign(within(problem, share)).options:
            assert max(option.figures["by_measure"].values()) <= share * (1 + 1e-9)
