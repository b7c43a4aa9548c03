"""People go to teams by role, skill, time and way; what is short is said."""

from __future__ import annotations

from dataclasses import replace
from itertools import product

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gridsvc.errors import InvalidInput
from gridsvc.teams.model import Department, Member, Person, Roster, Team
from gridsvc.teams.staffing import Ground, Post, propose

DEPARTMENTS = (
    Department("m", "marketing"),
    Department("m1", "marketing west", "m"),
    Department("n", "network maintenance"),
)


def roster_of(people, teams=("a", "b"), members=()):
    found = tuple(Person(name, name, department, **more) for name, department, more in people)
    return Roster(DEPARTMENTS, found, tuple(Team(t, f"area {t}") for t in teams), tuple(members))


LEAD = Post("lead", posts=0.5, departments=("m",))
NET = Post("maintenance", posts=1.0, departments=("n",))


def test_leads_come_from_the_departments_below_too_and_each_team_has_one():
    roster = roster_of([("p", "m1", {}), ("q", "n", {})])
    found = propose(roster, [LEAD, replace(NET, posts=0.5)])
    by = {(m.team, m.role): m for m in found.members}
    assert {(m.team, m.person) for m in found.members if m.role == "lead"} == {("a", "p"), ("b", "p")}
    assert by["a", "maintenance"].time_share == 0.5 and by["a", "maintenance"].backup
    assert found.report["shortages"] == [] and found.report["new"] == 4


def test_a_shortage_is_said_in_people_and_in_both_languages():
    roster = roster_of([("p", "m", {}), ("q", "n", {"capacity": 0.6})])
    report = propose(roster, [LEAD, replace(NET, team="b", posts=2.0)]).report
    assert "network maintenance is short of 1.4 people in area b" in report["shortages"]
    assert "area b的network maintenance缺1.4人" in report["shortages_zh"]
    assert "area a has no backup for its lead" in report["shortages"]


def test_a_team_nobody_can_lead_is_told():
    report = propose(roster_of([("q", "n", {})]), [LEAD]).report
    assert "area a has no lead: nobody who may lead has time" in report["shortages"]


def test_posts_may_follow_the_load_and_need_skills():
    roster = roster_of(
        [("p", "m", {}), ("q", "n", {"skills": ("metering",), "languages": ("en",)}), ("r", "n", {})]
    )
    post = Post("maintenance", None, None, "customers", 1000.0, ("n",), ("metering", "en"))
    ground = Ground(loads={"a": {"customers": 320.0}, "b": {"customers": 0.0}})
    found = propose(roster, [LEAD, post], ground)
    mine = [m for m in found.members if m.role == "maintenance"]
    assert [(m.team, m.person, m.time_share) for m in mine] == [("a", "q", 0.4)]


def test_the_nearer_person_goes_unless_the_other_is_there_already():
    people = [("p", "m", {}), ("near", "n", {}), ("far", "n", {})]
    ground = Ground({"a": (0, 0), "b": (1000, 0)}, {"near": (0, 0), "far": (900, 0)})
    post = replace(NET, team="a", posts=0.3)
    fresh = propose(roster_of(people), [post], ground)
    assert [m.person for m in fresh.members if m.role == "maintenance"] == ["near"]
    held = propose(roster_of(people, members=(Member("a", "far", "maintenance"),)), [post], ground)
    assert [m.person for m in held.members if m.role == "maintenance"] == ["far"]


def test_a_pinned_membership_stays():
    roster = roster_of([("p", "m", {}), ("q", "m", {})])
    found = propose(roster, [LEAD], pins=[("q", "a", "lead"), ("q", "b", "lead")])
    assert {m.person for m in found.members} == {"q"}


@settings(deadline=None, max_examples=15)
@given(
    capacities=st.lists(st.sampled_from([0.2, 0.5, 1.0]), min_size=1, max_size=3),
    needs=st.tuples(st.integers(0, 12), st.integers(0, 12)),
)
def test_no_more_is_short_than_must_be_and_no_share_exceeds(capacities, needs):
    people = [(f"p{i}", "n", {"capacity": c}) for i, c in enumerate(capacities)]
    posts = [replace(NET, team=t, posts=n / 10) for t, n in zip("ab", needs, strict=True)]
    found = propose(roster_of(people), posts)
    for i, capacity in enumerate(capacities):
        assert sum(m.time_share for m in found.members if m.person == f"p{i}") <= capacity + 1e-9
    rooms = [int(10 * c) for c in capacities]
    every = product(*[[(x, y) for x in range(r + 1) for y in range(r + 1 - x)] for r in rooms])
    least = min(
        sum(abs(max(0, n - sum(s[t] for s in split))) for t, n in enumerate(needs)) for split in every
    )
    short = sum(p["needed"] - p["given"] for p in found.report["posts"])
    assert round(10 * short) == least


@pytest.mark.parametrize(
    ("posts", "said"),
    [
        ([Post("boss", posts=1)], "posts, row 1, role: there is no role 'boss'"),
        ([LEAD, Post("vip", "z", 1)], "posts, row 2, team: there is no team 'z'"),
        ([Post("vip", posts=-1)], "row 1, posts: not a number of at least 0"),
        ([Post("vip", posts=float("nan"))], "row 1, posts: not a number of at least 0"),
        ([Post("vip")], "row 1, posts: give either posts or a measure"),
        ([Post("vip", measure="m", per_post=0)], "row 1, per_post: not a number above 0"),
        ([Post("vip", posts=1, departments=("x",))], "row 1, departments: there is no department 'x'"),
        ([LEAD, LEAD], "row 2, role: role 'lead' of team 'a' is in row 1 already"),
    ],
)
def test_a_post_nobody_can_read_is_refused_with_its_row(posts, said):
    with pytest.raises(InvalidInput) as error:
        propose(roster_of([("p", "m", {})]), posts)
    assert said in str(error.value) and error.value.cure
