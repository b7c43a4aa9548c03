"""Two teams claim one customer: each date's owner, by which rule; and who acts outside their grid."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
import shapely

from gridsvc.customers.arrivals import Arrival
from gridsvc.errors import InvalidInput, NotFound
from gridsvc.plans.carveouts import CarveOut
from gridsvc.principal import SYSTEM
from gridsvc.services import conduct, disputes, ownership, rosters, team_rules
from gridsvc.services import orders as orders_
from gridsvc.services.conduct import Place
from gridsvc.services.desk import Asked, Desk
from gridsvc.store import Database
from gridsvc.teams.company import TeamRules
from gridsvc.teams.model import Department, Named
from tests.services.board import ANNA, SIDE
from tests.services.boards import BOTH, copied, laid_once
from tests.services.series import draft, ground, people, publish, soon
from tests.store.builders import DAY_1

CELL = SIDE / 111_320  # degrees
MIDDLE = Place(lon=2.5 * CELL, lat=0.5 * CELL)  # of the third cell


def lay(database: Database) -> None:
    """From now on grid b has the third cell, in five days a, in ten days c by a carve-out; k lives there."""
    tiling = ground(database)
    publish(database, draft(database, tiling, "aabbcc"))
    told = [Arrival("k", DAY_1, DAY_1, None, 2, 0, 2.5 * CELL, 0.5 * CELL)]
    with database.write(ANNA, "test") as uow:
        uow.changes.begin()
        uow.changes.append("board", tiling, told)
    publish(database, draft(database, tiling, "aaabcc"), effective_at=soon(5))
    made = draft(database, tiling, "aaabcc")
    square = shapely.box(2 * CELL, 0, 3 * CELL, CELL)
    with database.write(ANNA, "test") as uow:
        uow.plans.set_carve_outs(made, [CarveOut("X", "Mill", "c", "key enterprise", square)], 2)
    publish(database, made, 3, effective_at=soon(10))


@pytest.fixture(scope="module")
def laid(migrated_file: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return laid_once(migrated_file, tmp_path_factory.mktemp("board") / "laid.db", lay)


@pytest.fixture
def board(request: pytest.FixtureRequest, laid: Path, tmp_path: Path) -> Iterator[Database]:
    yield from copied(request, laid, tmp_path, lay)


def name(database: Database, team: str, until: datetime | None) -> None:
    roster = replace(rosters.get(database, ANNA, "board")[1], named=(Named("k", team, "bank", until),))
    rosters.put(database, ANNA, "board", roster)


def argue(database: Database, days: float, *teams: str, place: Place | None = None, **more: Any) -> Any:
    asked = place or Place("k")
    return disputes.dispute(Desk(database), ANNA, "board", asked, teams, at=soon(days), **more)


@BOTH
def test_the_rule_of_the_date_decides(board: Database) -> None:
    dates = ((1, "b", "cell"), (6, "a", "cell"), (11, "c", "carve_out"))
    for place, (days, team, rule) in itertools.product((Place("k"), MIDDLE), dates):
        found = argue(board, days, "a", "b", "c", place=place)
        assert [claim["team"]["id"] for claim in found["claims"] if claim["right"]] == [team]
        assert [r["rule"] for r in found["rules"]] == ["name_list", "carve_out", "cell", "fallback"]
        decides = next(r for r in found["rules"] if r["decides"])
        assert (decides["rule"], decides["team"]["id"]) == (rule, team)
        assert (found["owner"]["rule"], found["owner"]["team"]["id"]) == (rule, team)
        owners = [(h["team"]["id"], h["publication"]) for h in found["history"]]
        assert owners == [("b", 1), ("a", 2), ("c", 3)]


def test_a_name_list_goes_before_all_else_until_it_ends(board: Database) -> None:
    name(board, "d", soon(7))
    found = argue(board, 6, "d", "a")
    first = found["rules"][0]
    assert (first["decides"], first["reason"]) == (True, "bank")
    assert [claim["right"] for claim in found["claims"]] == [True, False]
    owners = [(h["team"]["id"], h["rule"], h["reason"]) for h in found["history"]]
    assert owners == [
        ("b", "cell", None),
        ("d", "name_list", "bank"),
        ("a", "cell", None),
        ("c", "carve_out", None),
    ]
    after = argue(board, 8, "d", "a")
    assert (after["rules"][0]["applies"], after["rules"][0]["until"]) == (False, first["until"])
    assert "no longer" in after["claims"][0]["why"]


@BOTH
def test_each_date_of_the_history_is_what_lookups_say(board: Database) -> None:
    name(board, "d", soon(7))
    for held in argue(board, 1, "a", "b")["history"]:
        asked = Asked("board", as_of=datetime.fromisoformat(held["from"]))
        assert ownership.customer(Desk(board), ANNA, "k", asked=asked).team == held["team"]


def test_claims_are_answered_in_words_of_both_languages(board: Database) -> None:
    found = argue(board, 6, "a", "b", "c", "h")
    said = [claim["why"] for claim in found["claims"]]
    assert said[0].startswith("Team A is right: Cell")
    assert "no longer at that date; Team A does" in said[1]
    assert "not right yet" in said[2] and "owned it at no date" in said[3]
    assert "有理" in argue(board, 6, "a", lang="zh")["claims"][0]["why"]


def test_what_is_unknown_or_outside_is_nobodys_by_no_rule(board: Database) -> None:
    for place in (Place("stranger"), Place(lon=99.0, lat=9.0)):
        found = argue(board, 1, "a", place=place)
        assert [r["decides"] for r in found["rules"]] == [False] * 4
        assert "nobody does" in found["claims"][0]["why"]


def test_a_dispute_without_ground_is_refused(board: Database) -> None:
    wrong = ((Place(), ("a",), "customer"), (Place("k"), (), "team"), (Place("k"), ("a", "z"), "team"))
    for place, teams, field in wrong:
        with pytest.raises(InvalidInput) as found:
            argue(board, 1, *teams, place=place)
        assert found.value.field == field
        assert found.value.cure
        assert "'k'" not in str(found.value)


# --- check and orders


def check(database: Database, person: str, days: float, place: Place | None = None, **more: Any) -> Any:
    return conduct.check(Desk(database), ANNA, "board", person, place or Place("k"), at=soon(days), **more)


@BOTH
def test_whether_somebody_acts_outside_depends_on_the_date(board: Database) -> None:
    lead = {1: "p-b", 6: "p-a", 11: "p-c"}
    for person, days, verdict in (
        ("p-b", 1, "inside"),
        ("p-b", 6, "outside"),
        ("p-a", 6, "inside"),
        ("p-c", 11, "inside"),
    ):
        found = check(board, person, days)
        assert found["verdict"] == verdict
        assert found["owner"]["lead"]["id"] == lead[days]
        assert check(board, person, days, MIDDLE)["verdict"] == verdict


def test_a_member_of_the_team_on_the_name_list_acts_by_name(board: Database) -> None:
    name(board, "d", soon(7))
    assert [check(board, "p-d", days)["verdict"] for days in (6, 8)] == ["by_name", "outside"]
    assert "by name" in check(board, "p-d", 6)["why"]
    assert "越出" in check(board, "p-d", 8, lang="zh")["why"]


def test_somebody_unknown_or_a_date_before_the_roster_is_refused(board: Database) -> None:
    with pytest.raises(InvalidInput, match="no person 'z'"):
        check(board, "z", 1)
    with pytest.raises(NotFound, match="was in force then"):
        check(board, "p-b", -40_000)


@BOTH
def test_orders_come_from_the_lead_of_what_lies_above(board: Database) -> None:
    found = orders_.orders(board, ANNA, "board", "p-b", "routine", at=soon(1))
    assert (found["rule"], [g["person"]["id"] for g in found["by"]]) == ("area_manager", ["p-a"])  # fallback
    with pytest.raises(InvalidInput, match="is of no team"):
        orders_.orders(board, ANNA, "board", "p-b", "routine", grid="a")
    tiling = board_tiling(board)
    upper = draft(board, tiling, "EEEEWW", line="base@area")
    with board.write(ANNA, "test") as uow:
        grids = [replace(g, team={"E": "e", "W": "f"}[g.code]) for g in uow.plans.get(upper).grids]
        uow.plans.save_teams(upper, grids, None, 2)
    publish(board, upper, 3, effective_at=soon(20))
    later = orders_.orders(board, ANNA, "board", "p-b", "routine", grid="b", at=soon(21))
    assert [(g["person"]["id"], g["area"]) for g in later["by"]] == [("p-e", "E")]


def test_nobody_may_order_where_the_chart_has_no_head(board: Database) -> None:
    headless = replace(people(), departments=(Department("m", "Marketing"),))
    rosters.put(board, ANNA, "board", headless)
    found = orders_.orders(board, ANNA, "board", "p-b", "other")
    assert (found["status"], found["by"]) == ("nobody", [])
    assert found["why"].startswith("Nobody:")
    assert "无人" in orders_.orders(board, ANNA, "board", "p-b", "other", lang="zh")["why"]


def test_the_companys_rules_decide_who_orders(board: Database) -> None:
    team_rules.put(board, ANNA, TeamRules(lead_departments=("elsewhere",), routine_from="department_head"))
    roster = rosters.get(board, ANNA, "board")[1]
    headed = replace(roster, departments=(replace(roster.departments[0], head="p-h"),))
    rosters.put(board, ANNA, "board", headed)
    found = orders_.orders(board, ANNA, "board", "p-b", "routine")
    assert [g["person"]["id"] for g in found["by"]] == ["p-h"]
    team_rules.put(board, ANNA, TeamRules(lead_departments=("Marketing",)))
    assert orders_.orders(board, ANNA, "board", "p-b", "other")["rule"] == "own_line"
    assert orders_.orders(board, ANNA, "board", "p-b", "routine")["rule"] == "area_manager"


def board_tiling(database: Database) -> str:
    with database.read(SYSTEM) as reader:
        return reader.publications.newest("board", "base").tiling  # type: ignore[union-attr]
