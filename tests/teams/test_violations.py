"""The company's rules: each is kept by one roster and broken by another, which is told in words."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from gridsvc.errors import InvalidInput
from gridsvc.teams.company import TeamRules, team_rules_from_dict
from gridsvc.teams.model import Department, Member, Person, Roster, Team
from gridsvc.teams.violations import Violation, check

NOW, LATER = datetime(2026, 3, 1, tzinfo=UTC), datetime(2026, 9, 1, tzinfo=UTC)
HALF = {"time_share": 0.5, "kpi_share": 0.5}
KEPT = Roster(
    (
        Department("m", "Marketing", "c"),
        Department("m1", "Marketing North", "m"),
        Department("e", "Enterprise", "c", head="eve"),
        Department("c", "Company", head="mia"),
    ),
    (
        Person("ann", "Ann", "m1"),
        Person("bo", "Bo", "e", kpi_share=0.5),
        Person("cui", "Cui", "m"),
        Person("mia", "Mia", "m"),
        Person("eve", "Eve", "e"),
    ),
    (Team("a", "A"),),
    (
        Member("a", "ann", "lead"),
        Member("a", "bo", "enterprise", **HALF),
        Member("a", "cui", "member", backup=True),
    ),
)
FACTS = {"01": {"enterprise": 3.0}}


def broken(
    rule: str, members: tuple[Member, ...] = KEPT.members, rules: TeamRules | None = None, **more: Any
) -> list[Violation]:
    roster = replace(KEPT, members=members, **more.pop("roster", {}))
    found = check(roster, rules or TeamRules(), {"01": "a"}, more.get("facts", FACTS), more.get("at", NOW))
    assert {violation.rule for violation in found} <= {rule}
    return found


def test_a_roster_which_keeps_all_rules_breaks_none() -> None:
    assert check(KEPT, TeamRules(), {"01": "a"}, FACTS, NOW) == []


def test_a_lead_comes_from_marketing_or_below() -> None:
    led = (replace(KEPT.members[0], role="member"), replace(KEPT.members[1], role="lead"), KEPT.members[2])
    rules = replace(TeamRules(), required_roles=())
    (found,) = broken("lead_department", led, rules)
    assert (found.team, found.person) == ("a", "bo")
    assert found.sentence[0].startswith("bo leads team a and is of e, not of 市场营销部, Marketing")
    assert "负责人 bo 属于 e" in found.sentence[1] and found.cure[0].startswith("give the team a lead from")
    assert broken("lead_department", led, replace(rules, lead_departments=("e",))) == []


def _without(person: str, **more: Any) -> dict[str, Any]:
    """The roster in which somebody leaves half a year from now."""
    people = tuple(replace(p, valid_until=LATER) if p.id == person else p for p in KEPT.people)
    departments = tuple(replace(d, **more) if d.head == person else d for d in KEPT.departments)
    return {"people": people, "departments": departments}


def test_a_head_who_leaves_is_told_with_who_answers_instead() -> None:
    gone = _without("eve")
    assert broken("department_head", roster=gone) == []
    (found,) = broken("department_head", roster=gone, at=LATER)
    assert (found.person, found.value, found.severity) == ("eve", 1.0, "warn")
    assert found.sentence[0] == (
        "eve, head of e, has left: mia, head of c, gives its member of teams what is not routine"
    )
    assert found.sentence[1].startswith("e 负责人 eve 已离开,由 c 负责人 mia")
    assert found.cure[0] == "name a head of e, or who stands in (acting_head)"


def test_who_stands_in_for_a_head_is_a_head() -> None:
    assert broken("department_head", roster=_without("eve", acting_head="cui"), at=LATER) == []


def test_where_nobody_is_left_up_to_the_root_nobody_answers() -> None:
    (first, second) = broken("department_head", roster=_without("mia"), at=LATER)
    assert first.sentence[0].startswith("neither m nor what is above it has a head: nobody gives its member")
    assert second.sentence[0].startswith("neither m1 nor what is above it has a head: nobody gives")


def test_a_company_without_such_a_department_is_told_once() -> None:
    (found,) = broken("lead_department", rules=replace(TeamRules(), lead_departments=("Sales",)))
    assert found.sentence[0] == "there is no department Sales" and found.team is None


def test_a_required_role_is_there_where_the_grid_needs_it() -> None:
    without = (KEPT.members[0], KEPT.members[2])
    (found,) = broken("required_roles", without)
    assert (found.grid, found.team, found.value) == ("01", "a", 3.0)
    assert found.sentence[0] == "grid 01 has enterprise 3, and team a has nobody for enterprise service"
    assert broken("required_roles", without, facts={"01": {"enterprise": 0.0}}) == []


def test_time_comes_to_at_most_a_whole() -> None:
    twice = (*KEPT.members, Member("a", "cui", "vip", 0.1, 0.0))
    (found,) = broken("time_shares", twice)
    assert (found.person, found.value, found.severity) == ("cui", pytest.approx(1.1), "block")
    assert found.sentence[0] == "cui is given to 2 teams for 110 % of the time"


@pytest.mark.parametrize(("home", "percent"), [(0.6, "110 %"), (0.25, "75 %")])
def test_department_and_teams_share_the_assessment_to_a_whole(home: float, percent: str) -> None:
    people = (KEPT.people[0], replace(KEPT.people[1], kpi_share=home), KEPT.people[2])
    (found,) = broken("kpi_shares", roster={"people": people})
    assert found.person == "bo" and percent in found.sentence[0] and percent in found.sentence[1]


def test_a_grid_has_one_primary_owner() -> None:
    two = (*KEPT.members[:2], replace(KEPT.members[2], role="lead"))
    (found,) = broken("primary", two)
    assert found.sentence[0] == "grid 01 (team a) has 2 leads at once"
    acting = (KEPT.members[0], replace(KEPT.members[1], acting=True), KEPT.members[2])
    assert broken("primary", acting, replace(TeamRules(), lead_departments=())) == []


def test_a_grid_has_a_backup_at_each_date() -> None:
    ending = (*KEPT.members[:2], replace(KEPT.members[2], valid_until=LATER))
    assert broken("backup", ending) == []
    (found,) = broken("backup", ending, at=LATER)
    assert found.sentence == ("grid 01 (team a) has no backup", "网格 01(团队 a)没有后备人员")


def test_a_rule_which_is_off_is_silent() -> None:
    rules = team_rules_from_dict({"severities": {"backup": "off"}})
    assert broken("backup", KEPT.members[:2], rules) == []


def test_rules_come_back_as_they_are_written() -> None:
    where = {"measure": None, "column": "kind", "value": "企业", "least": 2.0}
    given = {"required_roles": [{"role": "vip", "where": where}, {"role": "enterprise", "where": None}]}
    rules = team_rules_from_dict(given)
    assert team_rules_from_dict(rules.as_dict()) == rules
    assert rules.as_dict()["required_roles"] == given["required_roles"]


@pytest.mark.parametrize(
    ("document", "field"),
    [
        ({"colour": 1}, "colour"),
        ({"lead_departments": "Marketing"}, "lead_departments"),
        ({"required_roles": [{"role": "boss"}]}, "required_roles.0.role"),
        ({"required_roles": [{"role": "vip", "where": {"least": 1}}]}, "required_roles.0.where"),
        (
            {"required_roles": [{"role": "vip", "where": {"measure": "x", "least": 0}}]},
            "required_roles.0.where.least",
        ),
        ({"severities": {"backup": "loud"}}, "severities.backup"),
        ({"severities": {"coffee": "off"}}, "severities.coffee"),
        ({"routine_from": "anyone"}, "routine_from"),
    ],
)
def test_rules_of_the_wrong_form_are_refused(document: dict[str, Any], field: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        team_rules_from_dict(document)
    assert refused.value.field == field and refused.value.cure
