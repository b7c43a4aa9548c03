"""What teams and people carry: each share once, nothing lost, and how evenly."""

from __future__ import annotations

import os

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gridsvc.teams.fairness import fairness
from gridsvc.teams.loads import Places, crew_of, distances, fair_by, loads_of
from gridsvc.teams.model import Department, Member, Person, Roster, Team

EXAMPLES = int(os.environ.get("GRIDSVC_PROOF_SCORECARDS", "30"))
INF = np.inf


def roster(*members: tuple[str, str, str, float], posts: dict[str, float] | None = None) -> Roster:
    """Members as (team, person, role, share of time)."""
    people = sorted({m[1] for m in members})
    return Roster(
        (Department("d", "D"),),
        tuple(Person(p, p.upper(), "d", capacity=(posts or {}).get(p, 1.0)) for p in people),
        tuple(Team(t, t.upper()) for t in sorted({m[0] for m in members})),
        tuple(Member(team, person, role, time) for team, person, role, time in members),  # type: ignore[arg-type]
    )


def carry(people: Roster, owner: list[int], totals: list[float], split: str = "team", most: float = INF):
    crew = crew_of(people)
    capacity = np.full((len(crew.teams), 1), most)
    carried = {"customers": np.array(totals, float)}
    return crew, loads_of(crew, np.array(owner, np.int64), carried, capacity, split)


def test_a_teams_load_is_shared_by_time() -> None:
    people = roster(("x", "ann", "lead", 0.6), ("x", "bob", "vip", 0.2), ("y", "bob", "lead", 0.8))
    _, found = carry(people, [0, 0, 1, -1], [30, 10, 7, 5])
    assert found.teams[:, 0].tolist() == [40, 7, 5]
    np.testing.assert_allclose(found.people[:, 0], [30, 17])
    np.testing.assert_allclose(found.time, [0.6, 1.0])


def test_by_role_each_role_carries_all_of_it() -> None:
    people = roster(("x", "ann", "lead", 0.1), ("x", "bob", "vip", 0.3), ("x", "cat", "vip", 0.1))
    _, found = carry(people, [0], [40], "role")
    np.testing.assert_allclose(found.people[:, 0], [40, 30, 10])


def test_where_nobody_gives_time_all_carry_the_same() -> None:
    _, found = carry(roster(("x", "ann", "lead", 0.0), ("x", "bob", "vip", 0.0)), [0], [40])
    assert found.people[:, 0].tolist() == [20, 20]


def test_a_half_post_with_a_full_share_is_above_capacity() -> None:
    people = roster(("x", "ann", "lead", 1.0), ("x", "bob", "vip", 1.0), posts={"bob": 0.5})
    _, found = carry(people, [0], [60], most=75)
    teams, each = found.used()
    assert teams[:, 0].tolist() == [0.8]
    np.testing.assert_allclose(found.posts[:, 0], [50, 25])
    np.testing.assert_allclose(each[:, 0], [0.6, 1.2])


def test_an_unlimited_team_uses_nothing_up_and_one_which_can_nothing_all() -> None:
    people = roster(("x", "ann", "lead", 1.0), ("y", "bob", "lead", 0.0))
    assert carry(people, [0], [60])[1].used()[1][:, 0].tolist() == [0, 0]
    assert carry(people, [0], [60], most=0)[1].used()[0][:, 0].tolist() == [INF, 0]


MEMBERS = st.lists(
    st.tuples(
        st.sampled_from("xyz"),
        st.sampled_from("abcd"),
        st.sampled_from(["lead", "vip", "member"]),
        st.sampled_from([0.0, 0.2, 0.5, 1.0]),
    ),
    min_size=1,
    max_size=8,
    unique_by=lambda m: m[:3],
)


@settings(deadline=None, max_examples=EXAMPLES)
@given(
    MEMBERS,
    st.lists(st.tuples(st.integers(-1, 2), st.integers(0, 500)), max_size=8),
    st.sampled_from(["team", "role"]),
)
def test_nothing_is_lost_from_grids_to_teams_to_people(members, grids, split) -> None:
    people = roster(*members)
    owner = [min(t, len(people.teams) - 1) for t, _ in grids]
    crew, found = carry(people, owner, [v for _, v in grids], split)
    assert found.teams.sum() == pytest.approx(sum(v for _, v in grids))
    share = crew.shares(split)
    expected = dict.fromkeys(crew.people, 0.0)
    for t, team in enumerate(people.teams):
        load = sum(v for (_, v), at in zip(grids, owner, strict=True) if at == t)
        assert found.teams[t, 0] == pytest.approx(load)
        own = [m for m in people.members if m.team == team.id]
        for m in own:  # by hand
            beside = [o for o in own if split == "team" or o.role == m.role]
            time = sum(o.time_share for o in beside)
            expected[m.person] += load * (m.time_share / time if time else 1 / len(beside))
        groups = 1 if split == "team" else len({m.role for m in own})
        assert share[crew.team == t].sum() == pytest.approx(groups)
    np.testing.assert_allclose(found.people[:, 0], list(expected.values()))
    if split == "team":
        assert found.people.sum() == pytest.approx(found.teams[:-1].sum())


# --- distances


@settings(deadline=None, max_examples=EXAMPLES)
@given(st.lists(st.tuples(st.integers(0, 9), st.integers(0, 9), st.integers(0, 5)), min_size=1, max_size=12))
def test_distances_are_those_of_a_list_of_all_customers(cells) -> None:
    x, y, heads = (np.array(column, float) for column in zip(*cells, strict=True))
    crew = crew_of(roster(("x", "ann", "lead", 1.0)))
    places = Places(x, y, heads, np.zeros(len(x), np.int64))
    (teams, people) = distances(crew, places, np.array([[0.0, 0.0]]), np.array([[3.0, 4.0]]))
    for found, base in ((teams, (0, 0)), (people, (3, 4))):
        each = sorted(np.repeat(np.hypot(x - base[0], y - base[1]), heads.astype(int)).tolist())
        if not each:
            assert np.isnan(found.mean[0]) and np.isnan(found.far[0])
            continue
        assert found.mean[0] == pytest.approx(np.mean(each))
        assert found.far[0] == pytest.approx(each[-(-9 * len(each) // 10) - 1])


def test_people_without_base_set_out_from_their_teams() -> None:
    crew = crew_of(roster(("x", "ann", "lead", 0.5), ("y", "ann", "vip", 0.5)))
    places = Places(np.array([3.0, 8.0]), np.zeros(2), np.ones(2), np.array([0, 1]))
    _, people = distances(crew, places, np.array([[0.0, 0.0], [9.0, 0.0]]), np.full((1, 2), np.nan))
    assert people.mean.tolist() == [2.0]


# --- evenness


def test_even_and_uneven() -> None:
    even, all_to_one = fairness(np.full(4, 2.5)), fairness(np.array([0.0, 8.0, 0.0, 0.0]))
    assert even is not None and all_to_one is not None
    assert (even.spread, even.gini, even.jain) == pytest.approx((1, 0, 1))
    assert (all_to_one.spread, all_to_one.gini, all_to_one.jain) == pytest.approx((4, 0.75, 0.25))
    assert fairness(np.zeros(3)) is None
    assert fairness(np.zeros(0)) is None


@settings(deadline=None, max_examples=EXAMPLES)
@given(st.lists(st.integers(0, 1000), min_size=1, max_size=10).filter(any), st.floats(1e-200, 1e200))
def test_indices_are_their_definitions_at_any_scale(numbers: list[int], scale: float) -> None:
    found = fairness(np.array(numbers, float) * scale)
    assert found is not None
    n, mean = len(numbers), sum(numbers) / len(numbers)
    assert found.spread == pytest.approx(max(numbers) / mean)
    assert found.gini == pytest.approx(
        sum(abs(a - b) for a in numbers for b in numbers) / (2 * n * n * mean), abs=1e-9
    )
    assert found.jain == pytest.approx(sum(numbers) ** 2 / (n * sum(v * v for v in numbers)))


def test_each_group_is_judged_by_itself() -> None:
    found = fair_by(np.array([1.0, 3.0, 5.0, 9.0]), ["a", "b", "a", None])
    assert {name: fair and fair.mean for name, fair in found.items()} == {"a": 3, "b": 3}
