"""A named account more, or another lead: a new roster which keeps all rules, and all else."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gridsvc.errors import InvalidInput
from gridsvc.teams.changes import with_lead, with_named
from gridsvc.teams.model import Department, Member, Named, Person, Roster, Team
from gridsvc.teams.rules import check_roster

NOW = datetime(2026, 3, 1, tzinfo=UTC)
HALF = {"time_share": 0.5, "kpi_share": 0.5}
ROSTER = Roster(
    departments=(Department("m", "Marketing"),),
    people=tuple(Person(p, p.upper(), "m") for p in ("ann", "bo", "cui")),
    teams=(Team("t1", "One"), Team("t2", "Two")),
    members=(
        Member("t1", "ann", "lead"),
        Member("t1", "bo", "vip", **HALF, acting=True),
        Member("t2", "bo", "lead", **HALF),
    ),
    named=(Named("k1", "t1", "bank"),),
)


def lead(roster: Roster, team: str) -> str | None:
    found = roster.lead(team)
    return None if found is None else found.person


def test_another_lead_takes_the_place_of_lead_and_stand_in() -> None:
    made = with_lead(ROSTER, "t1", "cui", NOW)
    assert (lead(ROSTER, "t1"), lead(made, "t1"), lead(made, "t2")) == ("bo", "cui", "bo")
    assert [(m.person, m.role, m.acting) for m in made.members_by_team["t1"]] == [
        ("ann", "member", False),
        ("bo", "vip", False),
        ("cui", "lead", False),
    ]


def test_a_member_may_become_the_lead_and_the_lead_the_lead_without_stand_in() -> None:
    assert lead(with_lead(ROSTER, "t1", "bo", NOW), "t1") == "bo"
    made = with_lead(ROSTER, "t1", "ann", NOW)
    assert lead(made, "t1") == "ann" and len(made.members) == len(ROSTER.members)


def test_a_customer_has_one_team_by_name() -> None:
    made = with_named(with_named(ROSTER, "k2", "t1", "asked"), "k1", "t2", "asked")
    assert {entry.customer: entry.team for entry in made.named} == {"k1": "t2", "k2": "t1"}
    assert replace(made, named=()) == replace(ROSTER, named=())


@given(st.lists(st.tuples(st.sampled_from(["t1", "t2"]), st.sampled_from(["ann", "bo", "cui"])), max_size=6))
def test_whoever_leads_whatever_in_turn_the_roster_stays_sound(turns: list[tuple[str, str]]) -> None:
    roster, leads = ROSTER, {"t1": "bo", "t2": "bo"}
    for team, person in turns:
        roster = with_lead(roster, team, person, NOW)
        leads[team] = person
        check_roster(roster)
        assert {t: lead(roster, t) for t in leads} == leads
        assert sum(m.role == "lead" or m.acting for m in roster.members_by_team[team]) == 1


def test_a_lead_from_a_day_on_leaves_what_was_before_and_has_no_end() -> None:
    """::

    ann  lead ========|
    cui       vip ====|==== vip until later
                     NOW
    """
    later = NOW + timedelta(days=9)
    past = Member("t1", "ann", "lead", valid_until=NOW)
    guest = Member("t1", "cui", "vip", valid_until=later)
    made = with_lead(replace(ROSTER, members=(past, guest, *ROSTER.members[1:])), "t1", "cui", NOW)
    assert past in made.members
    assert [made.at(t).lead("t1").person for t in (NOW, later)] == ["cui", "cui"]  # type: ignore[union-attr]


def test_who_joins_to_lead_gives_what_time_the_others_leave() -> None:
    busy = replace(ROSTER, members=(*ROSTER.members, Member("t2", "cui", "vip", 0.75, 0.25)))
    lead = with_lead(busy, "t1", "cui", NOW).lead("t1")
    assert lead is not None and (lead.time_share, lead.kpi_share) == (0.25, 0.75)


@pytest.mark.parametrize(
    ("team", "person", "field"), [("t9", "ann", "team"), ("t1", "dora", "person"), ("", "ann", "team")]
)
def test_who_is_not_in_the_roster_is_refused(team: str, person: str, field: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        with_lead(ROSTER, team, person, NOW)
    assert refused.value.field == field
    assert "name one of" in str(refused.value)


def test_a_refusal_does_not_quote_the_customer() -> None:
    with pytest.raises(InvalidInput) as refused:
        with_named(ROSTER, "secret-1", "t9", "asked")
    assert "secret" not in str(refused.value)
