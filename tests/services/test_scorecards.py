"""Scorecards and loads of what is published and of drafts, as they are, were and would be."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from gridsvc.errors import Forbidden, InvalidInput, NotFound, NotYetInForce
from gridsvc.principal import SCOPES, Principal
from gridsvc.services import loads, pack_rules, rosters, scorecards
from gridsvc.services.pack_rules import PackRules
from gridsvc.store import Database
from gridsvc.store.records import MeasureRecord
from gridsvc.teams.model import Member
from gridsvc.teams.scorecard_rules import ScorecardRules, scorecard_rules_from_dict
from tests.services.board import ANNA
from tests.services.series import DAY, draft, ground, people, publish, soon
from tests.services.test_arrivals import ended, message, take_in, tell
from tests.store.builders import DAY_1

STRANGER = Principal("stranger", SCOPES - {"customers:read"})
EARLY = DAY_1 - DAY


@pytest.fixture
def both(database: Database) -> tuple[Database, str]:
    """Six cells with a customer in each, on each kind of database: for what is asked in SQL of its own."""
    return database, ground(database)


@pytest.fixture
def board(migrated_file: Path, tmp_path: Path) -> Iterator[tuple[Database, str]]:
    """The same on the embedded database."""
    shutil.copy(migrated_file, tmp_path / "board.db")
    database = Database.open(f"sqlite:///{tmp_path / 'board.db'}")
    yield database, ground(database)
    database.close()


def measure(database: Database, tiling: str, **columns: list[float]) -> None:
    """Measures as they are from now on."""
    now = datetime.now(UTC)
    records = [MeasureRecord(n, f"{n}=sum:{n}", "", np.array(v, float), now) for n, v in columns.items()]
    with database.write(ANNA, "test") as uow:
        uow.tilings.put_measures(tiling, None, records)


def rule(database: Database, **document: Any) -> None:
    scorecards.put_rules(database, ANNA, scorecard_rules_from_dict(document))


def card(database: Database, n: int = 1, who: Principal = ANNA, **more: Any) -> dict[str, Any]:
    return scorecards.of_publication(database, who, "board", n, **more).document()


def figures(document: dict[str, Any], name: str = "customers") -> dict[str, Any]:
    return {grid["code"]: grid["figures"][name]["value"] for grid in document["grids"]}


def trends(document: dict[str, Any], name: str = "customers") -> dict[str, list[Any]]:
    return {grid["code"]: grid["trend"][name] for grid in document["grids"]}


# --- scorecards


def test_a_publication_by_the_companys_rules(both: tuple[Database, str]) -> None:
    database, tiling = both
    measure(database, tiling, meters=[4, 4, 2, 2, 1, 3], empty=[0, 0, 2, 2, 9, 7])
    rule(
        database,
        parts={"customers": {"of": ["meters"]}, "premises": {"of": ["meters", "empty"]}},
        weights={"penetration": 1, "density": 0},
    )
    publish(database, draft(database, tiling, "aabbcc"))
    found = card(database)
    assert figures(found) == {"a": 8, "b": 4, "c": 4}
    assert figures(found, "penetration") == {"a": 1, "b": 0.5, "c": 0.2}
    stands = {
        g["code"]: (g["figures"]["customers"]["rank"], g["figures"]["customers"]["tied"])
        for g in found["grids"]
    }
    assert stands == {"a": (1, False), "b": (2, True), "c": (2, True)}
    assert [g["score"]["value"] for g in found["grids"]] == [100, 50, 0]
    assert found["parts"]["premises"] == "meters + empty"
    assert found["whole"]["figures"]["penetration"] == pytest.approx(16 / 36)


def test_what_no_measure_plays_is_named_as_absent(board: tuple[Database, str]) -> None:
    database, tiling = board
    rule(database, parts={"sales": {"of": ["income"]}})
    publish(database, draft(database, tiling, "aabbcc"))
    absent = {entry["figure"]: entry["needs"] for entry in card(database)["absent"]}
    assert absent["penetration"] == ["premises"]
    assert absent["white_space"] == ["potential", "sales"]
    assert absent["base_km"] == ["bases"]


def test_the_trend_follows_ground_through_other_codes(both: tuple[Database, str]) -> None:
    database, tiling = both
    publish(database, draft(database, tiling, "aabbcc"))
    measure(database, tiling, customers=[2, 4, 1, 1, 1, 1])
    publish(database, draft(database, tiling, "adeecc"))
    measure(database, tiling, customers=[3, 5, 1, 1, 1, 7])
    found = card(database, 2)
    assert [moment["publication"] for moment in found["moments"]] == [1, 1, 2, 2]
    # a was split by the customers it had when it was: without an import that is by cells
    assert trends(found) == {"a": [1, 3, 2, 3], "c": [2, 2, 2, 8], "d": [1, 3, 4, 5], "e": [2, 2, 2, 2]}
    assert {code: row[-1] for code, row in trends(found).items()} == figures(found)
    assert [sum(column) for column in zip(*trends(found).values(), strict=True)] == [6, 10, 10, 18]


def test_the_trend_goes_through_all_publications_between(board: tuple[Database, str]) -> None:
    database, tiling = board
    for letters in ("aabbcc", "adbbcc", "eeeecc"):
        publish(database, draft(database, tiling, letters))
    measure(database, tiling, customers=[2, 3, 1, 1, 1, 1])
    assert trends(card(database, 3)) == {"c": [2, 2, 2, 2], "e": [4, 4, 4, 7]}


def test_a_past_publication_is_as_it_was_at_its_end(both: tuple[Database, str]) -> None:
    database, tiling = both
    publish(database, draft(database, tiling, "aabbcc"))
    publish(database, draft(database, tiling, "aaabbb"))
    then = datetime.now(UTC)
    measure(database, tiling, customers=[9, 9, 9, 9, 9, 9])
    assert figures(card(database, 1)) == {"a": 2, "b": 2, "c": 2}
    assert figures(card(database, 2)) == {"a": 27, "b": 27}
    found = scorecards.in_force_at(database, ANNA, "board", as_of=then).document()
    assert (found["publication"], figures(found)) == (2, {"a": 3, "b": 3})
    with pytest.raises(NotYetInForce):
        scorecards.in_force_at(database, ANNA, "board", as_of=EARLY)


def test_a_scheduled_publication_is_shown_as_it_would_be_now(board: tuple[Database, str]) -> None:
    database, tiling = board
    publish(database, draft(database, tiling, "aabbcc"))
    publish(database, draft(database, tiling, "aaabbb"), effective_at=soon(2).isoformat())
    found = card(database, 2)
    assert figures(found) == {"a": 3, "b": 3}
    assert trends(found) == {"a": [2 + 1, 3], "b": [1 + 2, 3]}


def test_a_draft_stands_beside_what_is_in_force(board: tuple[Database, str]) -> None:
    database, tiling = board
    publish(database, draft(database, tiling, "aabbcc"))
    measure(database, tiling, customers=[2, 2, 2, 6, 2, 2])
    found = scorecards.of_plan(database, ANNA, draft(database, tiling, "aaabbb")).document()
    assert (found["publication"], found["status"]) == (None, "draft")
    assert figures(found) == {"a": 6, "b": 10}
    assert trends(found)["a"][-1] == 6
    assert [sum(column) for column in zip(*trends(found).values(), strict=True)] == [6, 16, 16]


def test_a_first_draft_has_no_trend_yet(board: tuple[Database, str]) -> None:
    database, tiling = board
    found = scorecards.of_plan(database, ANNA, draft(database, tiling, "aabbcc")).document()
    assert found["moments"] == []
    assert [grid["deviation"] for grid in found["grids"]] == 3 * [{"customers": 0}]


def test_distance_is_from_the_base_of_the_grids_own_team(board: tuple[Database, str]) -> None:
    database, tiling = board
    degree = 100 / 111_320
    placed = tuple(replace(t, lon=degree / 2, lat=degree / 2) if t.id == "a" else t for t in people().teams)
    rosters.put(database, ANNA, "board", replace(people(), teams=placed))
    publish(database, draft(database, tiling, "aabbcc"))
    found = figures(card(database), "base_km")
    assert found["a"] == pytest.approx(0.05, abs=0.002)
    assert found["b"] is None


# --- tiers and small numbers


def tiered(database: Database, tmp_path: Path, tiling: str) -> None:
    """Ten customers of tier 1 in each grid; of tier 2 two in a, twenty in b and c."""
    many = {f"{grid}{i}": 2 * g for g, grid in enumerate("abc") for i in range(10)}
    take_in(database, tmp_path, many)
    rows = [{"id": name, **message(x, 1, values={"kwh": 1})} for name, x in many.items()]
    for grid, cell, number in (("a", 0, 2), ("b", 2, 20), ("c", 4, 20)):
        rows += [{"id": f"{grid}-{i}", **message(cell, 1, values={"kwh": 2})} for i in range(number)]
    tell(database, rows)
    pack_rules.put(database, ANNA, PackRules("kwh"))
    publish(database, draft(database, tiling, "aabbcc"))


def test_tiers_are_counted_with_what_was_told_since_the_import(
    both: tuple[Database, str], tmp_path: Path
) -> None:
    database, tiling = both
    tiered(database, tmp_path, tiling)
    ended(database, "b-0", 2)
    found = {grid["code"]: list(grid["tiers"].values()) for grid in card(database)["grids"]}
    assert found == {"a": [10, 2], "b": [10, 19], "c": [10, 20]}
    pack_rules.put(database, ANNA, PackRules("kwh", ("2",)))  # the company's order, others behind
    assert list(card(database)["grids"][0]["tiers"].items()) == [("2", 2), ("1", 10)]


def test_who_may_not_see_customers_learns_no_small_number(
    board: tuple[Database, str], tmp_path: Path
) -> None:
    database, tiling = board
    tiered(database, tmp_path, tiling)
    found = card(database, who=STRANGER)
    rows = [list(grid["tiers"].values()) for grid in found["grids"]]
    assert rows[0] == [None, None]
    assert sum(None in row for row in rows) == 2  # else the column's sum would tell
    assert list(found["whole"]["tiers"].values()) == [30, 42]
    assert found["kept_back_below"] == scorecards.SMALL
    assert list(card(database, who=STRANGER, small=2)["grids"][0]["tiers"].values()) == [10, 2]


def test_a_grid_of_few_customers_shows_nothing_from_which_their_number_follows(
    board: tuple[Database, str],
) -> None:
    database, tiling = board
    measure(database, tiling, customers=[1, 1, 7, 3, 20, 30], potential=[1, 1, 1, 1, 1, 1])
    publish(database, draft(database, tiling, "aabbcc"))
    measure(database, tiling, customers=[1, 1, 7, 3, 20, 31])
    found = card(database, who=STRANGER)
    a, b, c = found["grids"]
    assert [g["kept_back"] for g in (a, b, c)] == [True, True, False]  # b, so that the whole does not tell
    for grid in (a, b):
        values = [f["value"] for f in grid["figures"].values()] + [
            f["rank"] for f in grid["figures"].values()
        ]
        assert values == [None] * len(values)
        assert grid["score"] is None
        assert set(grid["trend"]["customers"]) == {None}
        assert set(grid["deviation"].values()) == {None}
    assert c["figures"]["customers"]["value"] == 51
    assert found["whole"]["figures"]["customers"] == 63


# --- loads


def report(database: Database, who: Principal = ANNA, **more: Any) -> dict[str, Any]:
    return loads.report(database, who, "board", **more).document()


def test_loads_add_up_from_grids_to_people(board: tuple[Database, str]) -> None:
    database, tiling = board
    both = (*people().members, Member("a", "p-b", "vip", 0.25, 0.0))
    own = tuple(replace(m, time_share=0.75) for m in both[:2])
    rosters.put(database, ANNA, "board", replace(people(), members=(*own, *both[2:])))
    publish(database, draft(database, tiling, "aaabcc"))
    found = report(database)
    teams = {row["id"]: row["loads"] for row in found["teams"]}
    assert {t: (teams[t]["grids"], teams[t]["customers"]) for t in "abcd"} == {
        "a": (1, 3),
        "b": (1, 1),
        "c": (1, 2),
        "d": (0, 0),
    }
    each = {row["id"]: row["loads"]["customers"] for row in found["people"]}
    assert (each["p-a"], each["p-b"], each["p-c"]) == (2.25, 1.75, 2)
    assert sum(each.values()) == 6
    by_role = {row["id"]: row["loads"]["customers"] for row in report(database, split="role")["people"]}
    assert (by_role["p-a"], by_role["p-b"]) == (3, 4)


def test_who_is_above_capacity_is_named(board: tuple[Database, str]) -> None:
    database, tiling = board
    limited = tuple(replace(t, capacity={"customers": 2.0}) for t in people().teams)
    rosters.put(database, ANNA, "board", replace(people(), teams=limited))
    publish(database, draft(database, tiling, "aaabcc"))
    found = report(database)
    assert {row["id"]: row["over"] for row in found["teams"] if row["over"]} == {"a": ["customers"]}
    assert [row["id"] for row in found["people"] if row["over"]] == ["p-a"]


def test_a_draft_and_another_publication_stand_beside(board: tuple[Database, str]) -> None:
    database, tiling = board
    publish(database, draft(database, tiling, "aabbcc"))
    publish(database, draft(database, tiling, "aaabcc"))
    found = report(database, before=1)
    a = found["teams"][0]
    assert (a["loads"]["customers"], a["before"]["loads"]["customers"]) == (3, 2)
    assert (found["publication"], found["before"]["publication"]) == (2, 1)
    drawn = report(database, plan=draft(database, tiling, "abbbcc"))
    assert (drawn["publication"], drawn["before"]["publication"]) == (None, 2)
    assert drawn["teams"][0]["loads"]["customers"] == 1


def test_grids_of_no_team_are_a_row_of_their_own(board: tuple[Database, str]) -> None:
    database, tiling = board
    rosters.put(
        database,
        ANNA,
        "board",
        replace(people(), teams=people().teams[:2], members=people().members[:2], people=people().people[:2]),
    )
    found = report(database, plan=draft(database, tiling, "aabbcc"))
    assert [(row["id"], row["loads"]["customers"]) for row in found["teams"]] == [
        ("a", 2),
        ("b", 2),
        (None, 2),
    ]


def test_loads_of_few_customers_are_kept_back_with_their_people(board: tuple[Database, str]) -> None:
    database, tiling = board
    measure(database, tiling, customers=[1, 1, 7, 3, 20, 30])
    publish(database, draft(database, tiling, "aabbcc"))
    found = report(database, STRANGER)
    shown = {row["id"]: row["loads"]["customers"] for row in found["teams"]}
    assert (shown["a"], shown["b"], shown["c"]) == (None, None, 50)
    assert {row["id"]: row["loads"]["customers"] for row in found["people"]}["p-a"] is None
    assert found["fairness"]["departments"]["m"]["customers"] is None


def test_visits_follow_from_tiers(board: tuple[Database, str], tmp_path: Path) -> None:
    database, tiling = board
    tiered(database, tmp_path, tiling)
    tiers = list(card(database)["whole"]["tiers"])
    rule(database, visits=dict(zip(tiers, (1, 4), strict=True)))
    visits = {row["id"]: row["loads"]["visits"] for row in report(database)["teams"]}
    assert (visits["a"], visits["b"]) == (10 + 8, 10 + 80)


def test_what_cannot_be_told_is_refused(board: tuple[Database, str]) -> None:
    database, tiling = board
    with pytest.raises(NotYetInForce):
        report(database)
    publish(database, draft(database, tiling, "aabbcc"))
    with pytest.raises(NotFound):
        card(database, 7)
    with pytest.raises(NotFound):
        report(database, before=7)
    with pytest.raises(Forbidden):
        report(database, Principal("p", frozenset({"plans:read"})))
    with pytest.raises(Forbidden):
        card(database, who=Principal("p", frozenset({"roster:read"})))
    with pytest.raises(Forbidden):
        scorecards.put_rules(database, Principal("p", frozenset({"plans:read"})), ScorecardRules())
    with pytest.raises(InvalidInput):
        rule(database, parts={"sales": {"of": []}})
    assert scorecards.get_rules(database, ANNA) == (0, ScorecardRules())
