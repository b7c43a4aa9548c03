"""Who may order what of a member of a virtual team, and through whom."""

from __future__ import annotations

from dataclasses import replace

import pytest

from gridsvc.teams.conduct import judge
from gridsvc.teams.model import Department, Member, Person, Roster, Team
from gridsvc.teams.orders import Area, OrderRules, who_orders

#            company (boss)
#            /            \
#     marketing (mara)    upkeep (uwe)
#         |                  |
#     station (stan)      lines (nobody)
ROSTER = Roster(
    departments=(
        Department("company", "Company", head="boss"),
        Department("marketing", "Marketing", "company", "mara"),
        Department("station", "Station", "marketing", "stan"),
        Department("upkeep", "Upkeep", "company", "uwe"),
        Department("lines", "Lines", "upkeep"),
    ),
    people=tuple(
        Person(name, name.title(), department)
        for name, department in {
            "boss": "company",
            "mara": "marketing",
            "stan": "station",
            "amy": "station",
            "uwe": "upkeep",
            "max": "lines",
            "ida": "company",
        }.items()
    ),
    teams=(Team("t", "Team"), Team("area", "Area team", level="area")),
    members=(
        Member("t", "amy", "lead", 0.5, 0.5),
        Member("t", "max", "maintenance", 0.5, 0.5),
        Member("t", "uwe", "member", 0.1, 0.1),
        Member("area", "stan", "lead", 0.5, 0.5),
    ),
    fallback="area",
)
AREAS = (Area("A1", "area"),)


def by(person: str, work: str, roster: Roster = ROSTER, **more: object) -> tuple[str, list[str]]:
    found = who_orders(roster, person, work, AREAS, **more)  # type: ignore[arg-type]
    return found.rule, [giver.person for giver in found.givers]


def test_routine_work_comes_from_the_area_manager() -> None:
    assert by("max", "routine") == ("area_manager", ["stan"])
    giver = who_orders(ROSTER, "max", "routine", AREAS).givers[0]
    assert (giver.role, giver.team, giver.area) == ("area_manager", "area", "A1")


def test_who_stands_in_for_the_area_manager_gives_routine_work() -> None:
    stand_in = Member("area", "amy", "member", acting=True)
    assert by("max", "routine", replace(ROSTER, members=(*ROSTER.members, stand_in)))[1] == ["amy"]


def test_anything_else_goes_through_the_head_of_the_home_department_up_the_tree() -> None:
    found = who_orders(ROSTER, "max", "other", AREAS)
    assert (found.rule, found.givers[0].person) == ("department_head", "uwe")
    assert [(s.department, s.skipped) for s in found.path] == [("lines", "no_head"), ("upkeep", None)]


def test_a_head_hears_from_the_head_above() -> None:
    assert by("uwe", "other") == ("department_head", ["boss"])


def test_a_head_who_has_left_gives_no_order() -> None:
    assert by("max", "other", left={"uwe"})[1] == ["boss"]


def test_who_stands_in_for_a_head_who_has_left_gives_the_order_and_is_told_as_such() -> None:
    chart = tuple(replace(d, acting_head="ida") if d.id == "upkeep" else d for d in ROSTER.departments)
    roster = replace(ROSTER, departments=chart)
    assert by("max", "other", roster)[1] == ["uwe"]
    found = who_orders(roster, "max", "other", AREAS, left={"uwe"})
    assert (found.givers[0].person, found.givers[0].acting, found.givers[0].department) == (
        "ida",
        True,
        "upkeep",
    )
    assert (found.path[-1].skipped, found.path[-1].acting) == ("left", "ida")
    assert by("max", "other", roster, left={"uwe", "ida"})[1] == ["boss"]


def test_nobody_stands_in_for_a_head_above_themselves() -> None:
    chart = tuple(
        replace(d, head=None, acting_head="max") if d.id == "lines" else d for d in ROSTER.departments
    )
    assert by("max", "other", replace(ROSTER, departments=chart))[1] == ["uwe"]


def test_members_of_the_leading_department_hear_from_their_own_line() -> None:
    assert by("amy", "other") == ("own_line", ["stan"])
    assert by("amy", "other", rules=OrderRules(lead_departments={"upkeep"}))[0] == "department_head"


def test_an_area_manager_hears_of_routine_work_from_their_own_line() -> None:
    assert by("stan", "routine") == ("own_line", ["mara"])


def test_a_conflict_is_for_the_head_in_common() -> None:
    assert by("max", "conflict") == ("common_head", ["boss"])
    assert by("amy", "conflict") == ("common_head", ["mara"])  # station's head is a party


def test_the_head_in_common_may_be_the_root_only_or_nobody() -> None:
    headless = replace(ROSTER.departments[0], head=None)
    found = replace(ROSTER, departments=(headless, *ROSTER.departments[1:]))
    assert by("max", "conflict", found) == ("common_head", [])
    assert by("ida", "other", found) == ("department_head", [])


def test_somebody_in_no_team_hears_from_the_head_only() -> None:
    found = who_orders(ROSTER, "ida", "routine", ())
    assert (found.rule, [giver.person for giver in found.givers]) == ("no_team", ["boss"])


def test_the_companys_rules_decide() -> None:
    strict = OrderRules(routine_from="department_head")
    assert by("max", "routine", rules=strict) == ("department_head", ["uwe"])
    loose = OrderRules(otherwise="area_manager")
    assert by("max", "other", rules=loose) == ("area_manager", ["stan"])


def test_each_area_has_its_own_manager() -> None:
    areas = (Area("A1", "area"), Area("A2", "t"))
    assert [g.person for g in who_orders(ROSTER, "max", "routine", areas).givers] == ["stan", "amy"]


# --- acting inside or outside


@pytest.mark.parametrize(
    ("person", "owner", "rule", "verdict"),
    [
        ("max", "t", "cell", "inside"),
        ("max", "area", "cell", "outside"),
        ("max", "t", "name_list", "by_name"),
        ("max", None, None, "nobodys"),
        ("ida", "t", "cell", "no_membership"),
        ("sub", "t", "cell", "acting"),
    ],
)
def test_who_acts_where(person: str, owner: str | None, rule: str | None, verdict: str) -> None:
    members = (*ROSTER.members, Member("t", "sub", "member", acting=True))
    assert judge(replace(ROSTER, members=members), person, owner, rule) == verdict
