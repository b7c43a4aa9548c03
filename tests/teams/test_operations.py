"""Single changes of a roster: each does what it says to one entry, and all of them or none."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from gridsvc.errors import InvalidInput
from gridsvc.teams.document import roster_from_dict, roster_to_dict
from gridsvc.teams.model import Roster
from gridsvc.teams.operations import apply_operations

NOW = datetime(2026, 3, 1, tzinfo=UTC)
LATER = NOW + timedelta(days=30)
ROSTER = roster_from_dict(
    {
        "departments": [{"id": "m", "name": "Marketing"}, {"id": "v", "name": "VIP", "parent": "m"}],
        "people": [{"id": p, "name": p.upper(), "department": "m"} for p in ("ann", "bo", "cui")],
        "teams": [{"id": "a", "name": "A"}, {"id": "b", "name": "B"}],
        "members": [
            {"team": "a", "person": "ann", "role": "lead"},
            {"team": "b", "person": "bo", "role": "lead", "time_share": 0.5, "kpi_share": 0.5},
            {"team": "a", "person": "bo", "role": "vip", "time_share": 0.5, "kpi_share": 0.5},
        ],
        "named": [{"customer": "secret-1", "team": "a", "reason": "bank"}],
    }
)


def done(*operations: tuple[str, str, dict[str, Any]]) -> Roster:
    steps = [{"op": op, "what": what, "entry": entry} for op, what, entry in operations]
    return apply_operations(ROSTER, steps, NOW)


def test_a_person_joins_a_team_in_two_operations() -> None:
    made = done(
        ("add", "person", {"id": "dai", "name": "Dai", "department": "v", "languages": ["zh"]}),
        ("add", "member", {"team": "b", "person": "dai", "role": "member", "backup": True}),
    )
    assert made.person_by_id["dai"].languages == ("zh",)
    assert [m.person for m in made.members_by_team["b"]] == ["bo", "dai"]


def test_a_change_says_only_what_it_changes() -> None:
    made = done(("change", "member", {"team": "a", "person": "bo", "role": "maintenance"}))
    assert [(m.role, m.time_share) for m in made.members if (m.team, m.person) == ("a", "bo")] == [
        ("maintenance", 0.5)
    ]
    same = roster_to_dict(done(("change", "department", {"id": "v", "head": "cui"})))
    same["departments"][1]["head"] = None
    assert same == roster_to_dict(ROSTER)


def test_who_goes_takes_the_memberships_along_at_once_or_at_a_date() -> None:
    hand_over = ("add", "member", {"team": "b", "person": "cui", "role": "lead"})
    assert [m.person for m in done(hand_over, ("end", "person", {"id": "bo"})).members] == ["ann", "cui"]
    until = LATER.isoformat()
    made = done(hand_over, ("end", "person", {"id": "bo", "valid_until": until}))
    assert {m.valid_until for m in made.members if m.person == "bo"} == {LATER}
    assert made.person_by_id["bo"].valid_until == LATER


def test_nobody_is_in_a_team_behind_the_day_on_which_they_leave() -> None:
    with pytest.raises(InvalidInput, match="'bo' leaves at 2026-03-31T00:00Z but is in team 'b'") as found:
        done(("change", "person", {"id": "bo", "valid_until": LATER.isoformat()}))
    assert (found.value.source, found.value.field) == ("members", "valid_until")
    assert "end the place by then" in found.value.cure


def test_a_named_account_comes_ends_and_goes() -> None:
    made = done(("add", "named", {"customer": "secret-2", "team": "b", "reason": "hospital"}))
    assert [entry.team for entry in made.named] == ["a", "b"]
    ended = done(("end", "named", {"customer": "secret-1", "until": LATER.isoformat()}))
    assert [entry.until for entry in ended.named] == [LATER]
    assert done(("end", "named", {"customer": "secret-1"})).named == ()


def test_of_two_periods_the_one_of_now_is_meant_unless_said() -> None:
    first = {"team": "a", "person": "bo", "valid_until": LATER.isoformat()}
    again = {"team": "a", "person": "bo", "role": "member", "time_share": 0.5, "kpi_share": 0.5}
    two = (("change", "member", first), ("add", "member", {**again, "valid_from": LATER.isoformat()}))
    ids = {"team": "a", "person": "bo", "backup": True}
    for extra, expected in (({}, [True, False]), ({"valid_from": LATER.isoformat()}, [False, True])):
        made = done(*two, ("change", "member", {**ids, **extra}))
        assert [m.backup for m in made.members if (m.team, m.person) == ("a", "bo")] == expected


@pytest.mark.parametrize(
    ("operation", "place", "said"),
    [
        (("move", "person", {"id": "ann"}), "operations, row 1, op", "use one of add, change, end"),
        (("add", "boss", {"id": "ann"}), "operations, row 1, what", "use one of department"),
        (("add", "person", {"id": "ann"}), "operations, row 1, entry.id", "use the operation change"),
        (("change", "person", {"id": "zoe"}), "operations, row 1, entry.id", "no such person"),
        (("change", "person", {"name": "x"}), "operations, row 1, entry.id", "which entry is meant"),
        (("change", "person", {"id": "ann", "age": 3}), "operations, row 1, entry.age", "no such member"),
        (("add", "member", {"team": "b", "person": "cui"}), "members, row 4, role", "without role"),
        (
            ("add", "member", {"team": "a", "person": "bo", "role": "vip"}),
            "members, row 4, person",
            "'bo' is in team 'a' already",
        ),
        (
            ("change", "member", {"team": "a", "person": "bo", "time_share": 0.51}),
            "members, row 3, time_share",
            "101 %",
        ),
        (("end", "person", {"id": "ann"}), "teams, row 1, lead", "has no lead"),
        (("end", "department", {"id": "m"}), "departments, row 1, parent", "not in the list"),
        (("change", "department", {"id": "m", "parent": "v"}), "departments, row 1, parent", "above itself"),
        (("change", "person", {"id": "ann", "department": "x"}), "people, row 1, department", "not in the"),
        (("change", "named", {"customer": "secret-9"}), "operations, row 1, entry.customer", "no such named"),
    ],
)
def test_a_fault_names_the_operation_or_the_row_and_the_cure(
    operation: tuple[str, str, dict[str, Any]], place: str, said: str
) -> None:
    with pytest.raises(InvalidInput) as refused:
        done(operation)
    assert str(refused.value).startswith(f"{place}: ")
    assert said in str(refused.value) and refused.value.cure and "secret" not in str(refused.value)
