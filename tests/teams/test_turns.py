"""Turns: the moments at which the clock alone gives a team another lead."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from gridsvc.teams.model import Department, Member, Person, Roster, Team
from gridsvc.teams.orphans import InForce
from gridsvc.teams.turns import Turn, turns

T = datetime(2026, 3, 1, tzinfo=UTC)
DAY = timedelta(days=1)
PEOPLE = "pqrs"


def roster(*members: Member) -> Roster:
    teams = tuple(Team(t, t) for t in sorted({m.team for m in members}))
    return Roster((Department("d", "D"),), tuple(Person(p, p, "d") for p in PEOPLE), teams, members)


def lead(person: str, begins: float | None = None, ends: float | None = None, team: str = "A") -> Member:
    return Member(team, person, "lead", valid_from=_day(begins), valid_until=_day(ends))


def _day(number: float | None) -> datetime | None:
    return None if number is None else T + number * DAY


def found(*rosters: InForce, since: datetime = T) -> list[Turn]:
    return list(turns(rosters, since))


def test_a_successor_who_begins_on_a_day_is_a_turn() -> None:
    known = InForce(1, T, roster(lead("p", ends=5), lead("q", 5), lead("r", team="B")))
    assert found(known) == [Turn(T + 5 * DAY, 1, 1, ("A",))]
    assert found(known, since=T + 5 * DAY) == []


def test_who_stands_in_for_a_time_is_a_turn_and_so_is_the_end_of_it() -> None:
    stand_in = Member("A", "q", "member", acting=True, valid_from=T + DAY, valid_until=T + 3 * DAY)
    known = InForce(1, T, roster(lead("p"), stand_in))
    assert [turn.at for turn in found(known)] == [T + DAY, T + 3 * DAY]


def test_other_members_and_leads_who_stay_are_no_turn() -> None:
    again = [lead("p", ends=2), lead("p", 2)]
    guest = Member("A", "q", "vip", valid_from=T + DAY, valid_until=T + 4 * DAY)
    assert found(InForce(1, T, roster(*again, guest))) == []


def test_a_scheduled_roster_turns_the_leads_it_changes_when_it_begins() -> None:
    first = InForce(1, T, roster(lead("p"), lead("r", team="B")))
    second = InForce(2, T + DAY, roster(lead("q"), lead("r", team="B")))
    assert found(first, second) == [Turn(T + DAY, 1, 2, ("A",))]
    assert found(second, since=T) == [Turn(T + DAY, 0, 2, ("A", "B"))]


def test_dates_of_a_roster_which_is_no_longer_in_force_turn_nothing() -> None:
    first = InForce(1, T, roster(lead("p", ends=5), lead("q", 5)))
    second = InForce(2, T + DAY, roster(lead("p")))
    assert found(first, second) == []


def _led(rosters: Sequence[InForce], at: datetime) -> dict[str, tuple[str, bool]]:
    """Who leads each team, counted afresh."""
    begun = [known for known in rosters if known.start <= at]
    if not begun:
        return {}
    members = [m for m in max(begun, key=lambda known: known.r).roster.members if m.counts(at)]
    found: dict[str, tuple[str, bool]] = {}
    for member in sorted(members, key=lambda m: not m.acting):
        if member.acting or member.role == "lead":
            found.setdefault(member.team, (member.person, member.acting))
    return found


@st.composite
def chains(draw: st.DrawFn) -> Roster:
    """One who leads after the other, and somebody who stands in, in each of two teams."""
    members = []
    for team in "AB":
        days = sorted(draw(st.sets(st.integers(-3, 9), max_size=3)))
        for begins, ends in zip([None, *days], [*days, None], strict=True):
            members.append(lead(draw(st.sampled_from(PEOPLE[:3])), begins, ends, team))
        start = draw(st.integers(-3, 9))
        until = _day(start + draw(st.integers(1, 4)))
        member = Member(team, "s", "member", acting=True, valid_from=_day(start), valid_until=until)
        members += [member] if draw(st.booleans()) else []
    return roster(*members)


@given(st.lists(st.tuples(st.integers(-2, 8), chains()), min_size=1, max_size=3), st.integers(-1, 4))
def test_told_one_after_another_turns_give_the_leads_of_every_moment(
    made: list[tuple[int, Roster]], since: int
) -> None:
    rosters = [InForce(r, T + day * DAY, known) for r, (day, known) in enumerate(made, 1)]
    start = T + since * DAY
    told = found(*rosters, since=start)
    known = _led(rosters, start)
    for half_day in range(2 * since, 30):
        at = T + half_day * DAY / 2
        for turn in [t for t in told if at - DAY / 2 < t.at <= at and t.at > start]:
            leads = _led(rosters, turn.at)
            assert {team for team in {*known, *leads} if known.get(team) != leads.get(team)} == {*turn.teams}
            known = leads
        assert known == _led(rosters, at)
