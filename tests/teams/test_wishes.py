"""What a company wishes of an assignment is read with care."""

from __future__ import annotations

import numpy as np
import pytest

from gridsvc.errors import InvalidInput
from gridsvc.teams.model import Department, Member, Person, Roster, Team
from gridsvc.teams.wish_files import read_demand, read_owners, read_pins
from gridsvc.teams.wishes import Need, Pin, Wishes, derived, parse_need, parse_rate, ties_of

ROSTER = Roster(
    (Department("d", "D"),),
    (Person("p", "P", "d", skills=("vip",), languages=("en",)), Person("q", "Q", "d")),
    (Team("a", "A"), Team("b", "B")),
    (Member("a", "p", "lead"), Member("b", "q", "lead")),
)
GRIDS = ("01", "02")
AMOUNTS = {"keys": np.array([0.0, 3.0])}


def ties(**wishes):
    return ties_of(Wishes(**wishes), GRIDS, ROSTER, AMOUNTS, None)


def test_pins_bans_and_owners_become_positions():
    found = ties(pins=(Pin("02", "a"), Pin("01", "a", ban=True)), today={"01": "b", "02": "gone"})
    assert found.pins == {1: 0} and found.bans == {(0, 0)}
    assert found.today.tolist() == [1, -1]


def test_needs_are_met_by_skills_and_languages_of_the_team_together():
    found = ties(needs=(Need(("vip", "en"), measure="keys"), Need(("fr",), grid="01")))
    assert found.unfit.tolist() == [[True, True], [False, True]]


@pytest.mark.parametrize(
    ("wishes", "said"),
    [
        ({"pins": (Pin("01", "a"), Pin("02", "z"))}, "pins, row 2, team: there is no team 'z'"),
        ({"pins": (Pin("09", "a"),)}, "pins, row 1, grid: there is no grid '09'"),
        (
            {"pins": (Pin("01", "a"), Pin("01", "b"))},
            "pins, row 2, grid: grid '01' is pinned already in row 1",
        ),
        (
            {"pins": (Pin("01", "a"), Pin("01", "a", ban=True))},
            "row 1, team: the grid is banned from the same",
        ),
        ({"needs": (Need(("x",), measure="no"),)}, "needs, row 1, measure: there is no measure 'no'"),
        ({"handover_weight": -1.0}, "handover_weight: not a number of at least 0"),
        ({"handover_weight": float("nan")}, "handover_weight: not a number of at least 0"),
    ],
)
def test_a_wish_nobody_can_read_is_refused_with_its_row(wishes, said):
    with pytest.raises(InvalidInput) as error:
        ties(**wishes)
    assert said in str(error.value) and error.value.cure


def test_measures_are_computed_from_others():
    assert parse_rate("visits=0.2*customers") == ("visits", ("customers", 0.2))
    assert derived({"customers": np.array([10.0])}, {"visits": ("customers", 0.2)})["visits"] == [2.0]
    assert parse_need("keys=vip; en") == Need(("vip", "en"), None, "keys")
    for text in ("visits", "visits=x*customers", "visits=-1*customers", "visits=nan*customers"):
        with pytest.raises(InvalidInput, match="is no rate"):
            parse_rate(text)
    with pytest.raises(InvalidInput, match="there is no measure 'gone'"):
        derived({}, {"visits": ("gone", 1.0)})


def test_files_of_wishes_name_their_rows(tmp_path):
    pins = tmp_path / "pins.csv"
    pins.write_text("grid,team,ban\n01,a,\n02,b,true\n")
    assert read_pins(pins) == (Pin("01", "a"), Pin("02", "b", ban=True))
    owners = tmp_path / "owners.csv"
    owners.write_text("grid,team\n01,a\n01,b\n")
    with pytest.raises(InvalidInput, match=r"owners.csv, row 2, grid"):
        read_owners(owners)
    staff = tmp_path / "staff.csv"
    staff.write_text("role,posts,departments\nlead,1,d\nvip,nought,\n")
    with pytest.raises(InvalidInput, match=r"staff.csv, row 2, posts: 'nought' is not a number"):
        read_demand(staff)
