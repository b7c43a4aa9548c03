"""A leaver's places go to successors; nobody takes over from themselves, and no chain goes round."""

from __future__ import annotations

import os
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gridsvc.errors import InvalidInput
from gridsvc.teams.handover import Leave, Passed, Successor, handed_over, require_no_loop, standing_for
from gridsvc.teams.model import Department, Member, Named, Person, Roster, Team
from gridsvc.teams.orphans import InForce, Published, prove
from gridsvc.teams.periods import check_periods

T = datetime(2026, 6, 1, tzinfo=UTC)
DAY = timedelta(days=1)
NAMES = "abcdef"
EXAMPLES = int(os.environ.get("GRIDSVC_PROOF_HANDOVERS", "100"))


def roster(*members: Member) -> Roster:
    return Roster(
        departments=(Department("m", "Marketing", head="a"),),
        people=tuple(Person(name, f"Person {name}", "m") for name in NAMES),
        teams=(Team("t", "Team T"), Team("u", "Team U")),
        members=members,
        fallback="u",
        named=(Named("c", "t", "bank"),),
    )


LEADS = (Member("t", "a", "lead", 0.5, 0.5), Member("u", "b", "lead", 0.5, 0.5))


def lead(of: Roster, team: str, day: float) -> str | None:
    found = of.at(T + day * DAY).lead(team)
    return None if found is None else found.person


def test_the_successor_has_the_place_from_when_the_leaver_goes() -> None:
    made, passed = handed_over(roster(*LEADS), Leave("a", T, (Successor("c"),)))
    assert [lead(made, "t", day) for day in (-1, 0, 100)] == ["a", "c", "c"]
    assert passed == (Passed("t", "lead", "a", T, "c", T),)
    seat = next(m for m in made.members if m.person == "c")
    assert (seat.time_share, seat.kpi_share, seat.valid_from) == (0.5, 0.5, T)


def test_somebody_stands_in_until_a_successor_begins() -> None:
    heir = Successor("c", start=T + 7 * DAY, acting="d")
    made, _ = handed_over(roster(*LEADS), Leave("a", T, (heir,)))
    assert [lead(made, "t", day) for day in (-1, 0, 6.9, 7)] == ["a", "d", "d", "c"]
    stand_in = next(m for m in made.members if m.person == "d")
    assert (stand_in.time_share, stand_in.kpi_share, stand_in.acting) == (0.0, 0.0, True)


def test_who_is_in_the_team_already_changes_role_and_keeps_the_shares() -> None:
    backup = Member("t", "c", "vip", 0.2, 0.1, backup=True)
    made, _ = handed_over(roster(*LEADS, backup), Leave("a", T, (Successor("c"),)))
    before, after = sorted(
        (m for m in made.members if m.person == "c"), key=lambda m: m.valid_from or T - DAY
    )
    assert (before.role, before.valid_until) == ("vip", T)
    assert (after.role, after.time_share, after.kpi_share, after.backup) == ("lead", 0.2, 0.1, False)


def test_who_stands_in_from_within_the_team_goes_on_as_before_afterwards() -> None:
    own = Member("t", "d", "vip", 0.3, 0.3)
    heir = Successor("c", start=T + 7 * DAY, acting="d")
    made, _ = handed_over(roster(*LEADS, own), Leave("a", T, (heir,)))
    periods = sorted(
        (m.valid_from or T - DAY, m.acting, m.time_share) for m in made.members if m.person == "d"
    )
    assert periods == [(T - DAY, False, 0.3), (T, True, 0.3), (T + 7 * DAY, False, 0.3)]


def test_a_lead_of_another_team_gives_what_time_is_left() -> None:
    full = (replace(LEADS[0], time_share=1.0), replace(LEADS[1], time_share=0.7))
    made, _ = handed_over(roster(*full), Leave("a", T, (Successor("b"),)))
    seat = next(m for m in made.members if (m.team, m.person) == ("t", "b"))
    assert (seat.time_share, seat.kpi_share) == (0.3, 0.5)
    check_periods(made)


def test_each_team_may_have_its_own_successor_and_the_rest_one() -> None:
    both = (*LEADS, Member("u", "a", "vip", 0.5, 0.5))
    heirs = (Successor("c"), Successor("d", "u"))
    _, passed = handed_over(roster(*both), Leave("a", T, heirs))
    assert {(given.team, given.to) for given in passed} == {("t", "c"), ("u", "d")}


def test_a_place_nobody_is_named_for_stays_empty_and_is_told() -> None:
    made, passed = handed_over(roster(*LEADS, Member("u", "c", "vip", 0.1, 0.1)), Leave("c", T))
    assert passed == (Passed("u", "vip", "c", T),)
    assert [m.valid_until for m in made.members if m.person == "c"] == [T]


def test_what_begins_later_and_what_is_over_stays_whole() -> None:
    over = Member("u", "a", "vip", 0.1, 0.1, valid_until=T - DAY)
    later = Member("u", "a", "vip", 0.1, 0.1, valid_from=T + 5 * DAY, valid_until=T + 9 * DAY)
    made, _ = handed_over(roster(*LEADS, over, later), Leave("a", T, (Successor("c"),)))
    assert over in made.members
    taken = next(m for m in made.members if (m.team, m.person) == ("u", "c"))
    assert (taken.valid_from, taken.valid_until) == (later.valid_from, later.valid_until)
    assert not any(m.person == "a" and (m.valid_until is None or m.valid_until > T) for m in made.members)


@pytest.mark.parametrize(
    ("leave", "row", "field", "words"),
    [
        (Leave("z", T), None, "person", "no person 'z' in the roster"),
        (Leave("c", T), None, "person", "in no team from"),
        (Leave("a", T, (Successor("z"),)), 1, "person", "no person 'z'"),
        (Leave("a", T, (Successor("a"),)), 1, "person", "the one who leaves"),
        (Leave("a", T, (Successor("b"), Successor("f", "t"))), 2, "person", "left on 2026-05-01"),
        (Leave("a", T, (Successor("b", "u"),)), 1, "team", "no such place"),
        (Leave("a", T, (Successor("b", "t", "vip"),)), 1, "role", "no such place"),
        (Leave("a", T, (Successor("b"), Successor("c"))), 2, "team", "row 1 means the place of lead"),
        (Leave("a", T, (Successor("b", start=T - DAY),)), 1, "from", "before 'a' goes"),
        (Leave("a", T, (Successor("b", acting="c"),)), 1, "acting", "nobody need stand in"),
        (Leave("a", T, (Successor("b", start=T + DAY, acting="a"),)), 1, "acting", "the one who leaves"),
        (Leave("a", T, (Successor("b", start=T + DAY, acting="z"),)), 1, "acting", "no person 'z'"),
    ],
)
def test_what_is_wrong_is_said_with_row_field_and_cure(
    leave: Leave, row: int | None, field: str, words: str
) -> None:
    known = roster(*LEADS)
    people = (*known.people[:-1], replace(known.people[-1], valid_until=T - 31 * DAY))
    with pytest.raises(InvalidInput, match=words) as found:
        handed_over(replace(known, people=people), leave)
    assert (found.value.row, found.value.field) == (row, field)
    assert found.value.cure


def test_only_a_lead_is_stood_in_for() -> None:
    heir = Successor("d", start=T + DAY, acting="e")
    with pytest.raises(InvalidInput, match="leads none of the teams"):
        handed_over(roster(*LEADS, Member("u", "c", "vip", 0.1, 0.1)), Leave("c", T, (heir,)))


def test_a_successor_must_begin_before_the_place_ends() -> None:
    ending = replace(LEADS[0], valid_until=T + 5 * DAY)
    heir = Successor("c", start=T + 5 * DAY, acting="d")
    with pytest.raises(InvalidInput, match="ends at"):
        handed_over(roster(ending, LEADS[1]), Leave("a", T, (heir,)))


# --- heads of departments


def test_the_leaver_has_left_for_good_and_somebody_stands_in_as_head() -> None:
    made, _ = handed_over(roster(*LEADS), Leave("a", T, (Successor("c"),), heads=(("m", "d"),)))
    assert (made.departments[0].head, made.departments[0].acting_head) == ("a", "d")
    assert [made.left_by(T + days * DAY) for days in (-1, 0)] == [set(), {"a"}]


def test_a_head_who_is_in_no_team_leaves_all_the_same() -> None:
    chart = (Department("m", "Marketing", head="f"),)
    made, passed = handed_over(replace(roster(*LEADS), departments=chart), Leave("f", T))
    assert (passed, made.left_by(T)) == ((), {"f"})


@pytest.mark.parametrize(
    ("heads", "field", "words"),
    [
        ((("x", "d"),), "department", "'a' is not the head of 'x'"),
        ((("m", "z"),), "person", "no person 'z'"),
        ((("m", "a"),), "person", "the one who leaves"),
    ],
)
def test_a_wrong_stand_in_for_a_head_is_said_with_row_and_cure(
    heads: tuple[tuple[str, str], ...], field: str, words: str
) -> None:
    with pytest.raises(InvalidInput, match=words) as found:
        handed_over(roster(*LEADS), Leave("a", T, (Successor("c"),), heads))
    assert (found.value.source, found.value.row, found.value.field) == ("heads", 1, field)
    assert found.value.cure


# --- chains


def test_a_place_does_not_go_round_at_one_moment() -> None:
    there, back = Passed("t", "lead", "a", T, "b", T), Passed("t", "lead", "b", T, "a", T)
    require_no_loop([there])
    require_no_loop([there, replace(back, at=T + DAY)])
    require_no_loop([there, replace(back, team="u")])
    with pytest.raises(InvalidInput, match="a -> b -> a"):
        require_no_loop([there, back])
    with pytest.raises(InvalidInput, match="circle"):
        require_no_loop([there, Passed("t", "lead", "b", T, "c", T), Passed("t", "lead", "c", T, "a", T)])


@st.composite
def leaves(draw: st.DrawFn) -> list[Leave]:
    found = []
    for _ in range(draw(st.integers(1, 6))):
        at = T + draw(st.integers(0, 4)) * DAY
        heir = st.builds(
            Successor,
            st.sampled_from(NAMES),
            start=st.none() | st.integers(0, 6).map(lambda day: T + day * DAY),
            acting=st.none() | st.sampled_from(NAMES),
        )
        found.append(Leave(draw(st.sampled_from(NAMES)), at, tuple(draw(st.lists(heir, max_size=1)))))
    return found


@settings(max_examples=EXAMPLES, deadline=None)
@given(said=leaves())
def test_random_handovers_leave_no_orphan_and_no_chain_which_loops(said: list[Leave]) -> None:
    known, passed = roster(*LEADS), list[Passed]()
    published = [Published("base", 1, T - DAY, {"1": "t", "2": "u"})]
    for leave in said:
        try:
            made, given_on = handed_over(known, leave)
            require_no_loop([*passed, *given_on])
            check_periods(made)
        except InvalidInput:
            continue
        if prove([InForce(1, T - DAY, made)], published, T - DAY).orphans:
            continue  # the service refuses those
        known, passed = made, [*passed, *given_on]
    for day in (-1.0, 0.0, 0.5, 1.5, 2.0, 3.5, 9.0):
        at = T + day * DAY
        assert lead(known, "t", day) and lead(known, "u", day)
        for start in passed:
            chain = standing_for(known, passed, start.team, start.role, start.person, at)
            assert len(set(chain)) == len(chain)
            there = {m.person for m in known.members if m.team == start.team and m.counts(at)}
            given_up = [p for p in passed if (p.team, p.person) == (start.team, chain[-1])]
            ended = not given_up or any(p.to is None for p in given_up)
            over = [m for m in known.members if (m.team, m.person) == (start.team, chain[-1])]
            over = [m for m in over if m.valid_until is not None and m.valid_until <= at]
            assert chain[-1] in there or (ended and over) or at < start.at
