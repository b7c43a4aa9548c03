"""What changed between two rosters: applied to a copy of the earlier, the changes make the later one."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gridsvc.teams.difference import RosterChange, roster_changes
from gridsvc.teams.document import roster_from_dict, roster_to_dict
from gridsvc.teams.model import Department, Member, Named, Person, Roster, Team

NOW = datetime(2026, 3, 1, tzinfo=UTC)
DAY = timedelta(days=1)
KEYS = {
    "departments": ("id",),
    "people": ("id",),
    "teams": ("id",),
    "members": ("team", "person"),
    "named": ("customer",),
}
LISTS = {
    "department": "departments",
    "person": "people",
    "team": "teams",
    "member": "members",
    "named": "named",
}


@st.composite
def rosters(draw: st.DrawFn) -> Roster:
    teams = draw(st.lists(st.sampled_from("ABC"), min_size=1, unique=True))
    people = "pqrs"
    names = st.sampled_from(["one", "two"])
    ends = st.sampled_from([None, NOW, NOW + DAY])
    some = st.lists(st.tuples(st.sampled_from(people), st.booleans()), unique_by=lambda m: m[0])
    members = [
        Member(
            team,
            person,
            "lead" if person == lead else draw(st.sampled_from(["vip", "member"])),
            acting=acting,
            valid_until=draw(ends),
        )
        for team in teams
        for lead in [draw(st.sampled_from(people))]
        for person, acting in [*draw(some), (lead, False)]
    ]
    once = {(m.team, m.person): m for m in members}
    again = [replace(m, role="member", valid_from=m.valid_until, valid_until=None) for m in once.values()]
    return Roster(
        (Department("d", draw(names)),),
        tuple(
            Person(p, draw(names), "d", tuple(draw(st.lists(names, max_size=1))), languages=("zh",))
            for p in people
        ),
        tuple(Team(t, draw(names), capacity=draw(st.sampled_from([{}, {"customers": 9.0}]))) for t in teams),
        (*once.values(), *(m for m in again if m.valid_from and draw(st.booleans()))),
        draw(st.sampled_from([None, *teams])),
        tuple(Named(c, draw(st.sampled_from(teams)), "bank") for c in draw(st.sets(st.sampled_from("xyz")))),
    )


def by_key(document: dict[str, Any]) -> dict[str, Any]:
    def key(entry: dict[str, Any], names: tuple[str, ...]) -> tuple[str, ...]:
        since = entry.get("valid_from")
        return (*(entry[name] for name in names), *([since] if since else []))

    return {name: {key(e, keys): e for e in document.get(name, [])} for name, keys in KEYS.items()} | {
        "fallback": document.get("fallback")
    }


def apply(copy: dict[str, Any], changes: list[RosterChange]) -> dict[str, Any]:
    """Knows nothing but the changes."""
    for change in changes:
        if change.what == "fallback":
            if change.after is not None:
                copy["fallback"] = change.after["team"]
            elif copy["fallback"] == (change.before or {})["team"]:
                copy["fallback"] = None
        elif change.what != "lead":
            part = copy[LISTS[change.what]]
            if change.after is None:
                del part[change.key]
            else:
                part[change.key] = change.after
    return copy


def plain(roster: Roster) -> dict[str, Any]:
    document = roster_to_dict(roster)
    document["named"] = [{**e, "until": e.get("until")} for e in document.get("named", [])]
    return by_key(document)


@settings(max_examples=100, suppress_health_check=[HealthCheck.too_slow])
@given(rosters(), rosters())
def test_applied_to_a_copy_of_the_earlier_they_make_the_later(before: Roster, after: Roster) -> None:
    assert apply(plain(before), roster_changes(before, after, NOW, NOW)) == plain(after)


@settings(max_examples=100)
@given(rosters(), rosters())
def test_leads_are_told_as_each_roster_has_them(before: Roster, after: Roster) -> None:
    told = {
        c.key[0]: c.after and c.after["person"]
        for c in roster_changes(before, after, NOW, NOW)
        if c.what == "lead"
    }
    leads = {t: m.person for r in (before, after) for t in r.team_by_id if (m := r.at(NOW).lead(t))}
    for team in after.team_by_id:
        now = after.at(NOW).lead(team)
        assert told.get(team, leads.get(team)) == (now and now.person)


DOCUMENT = {
    "departments": [{"id": "d", "name": "Sales"}],
    "people": [{"id": p, "name": p.upper(), "department": "d"} for p in "pq"],
    "teams": [{"id": "A", "name": "Team A"}],
    "members": [{"team": "A", "person": "p", "role": "lead"}],
    "fallback": "A",
}


def told(**changes: Any) -> list[tuple[str, tuple[str, ...], bool, bool]]:
    found = roster_changes(roster_from_dict(DOCUMENT), roster_from_dict({**DOCUMENT, **changes}), NOW, NOW)
    return [(c.what, c.key, c.before is not None, c.after is not None) for c in found]


def test_joining_leading_and_leaving_are_told() -> None:
    lead = {"team": "A", "person": "q", "role": "lead"}
    assert told(members=[lead]) == [
        ("member", ("A", "p"), True, False),
        ("member", ("A", "q"), False, True),
        ("lead", ("A",), True, True),
    ]


def test_another_role_is_one_change() -> None:
    both = [*DOCUMENT["members"], {"team": "A", "person": "q", "role": "vip"}]  # type: ignore[misc]
    before = roster_from_dict({**DOCUMENT, "members": both})
    after = roster_from_dict({**DOCUMENT, "members": [both[0], {**both[1], "role": "maintenance"}]})
    (change,) = roster_changes(before, after, NOW, NOW)
    assert (change.what, change.key) == ("member", ("A", "q"))
    assert [part and part["role"] for part in (change.before, change.after)] == ["vip", "maintenance"]


def test_a_later_place_in_the_team_is_one_of_its_own() -> None:
    first = {**DOCUMENT["members"][0], "valid_until": "2027-01-01T00:00:00+00:00"}  # type: ignore[index]
    second = {**first, "role": "vip", "valid_from": first["valid_until"], "valid_until": None}
    assert told(members=[first, second]) == [
        ("member", ("A", "p"), True, True),
        ("member", ("A", "p", "2027-01-01T00:00:00+00:00"), False, True),
    ]


def test_the_fallback_and_the_name_list_are_told_and_customers_not_shown() -> None:
    before = roster_from_dict(DOCUMENT)
    named = [{"customer": "secret-1", "team": "A", "reason": "bank"}]
    found = roster_changes(before, roster_from_dict({**DOCUMENT, "named": named, "fallback": None}), NOW, NOW)
    assert [(c.what, c.after is None) for c in found] == [("named", False), ("fallback", True)]
    assert "secret" not in repr(found)


def test_nothing_changed_between_a_roster_and_itself() -> None:
    assert told() == []
