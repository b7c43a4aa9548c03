"""`gridsvc orders`, `check` and `dispute` on a published board."""

from __future__ import annotations

from pathlib import Path

import pytest

from gridsvc.store import Database
from tests.cli.conftest import Run
from tests.services.board import SIDE
from tests.services.series import draft, ground, publish

PLACE = ("--lat", str(0.5 * SIDE / 111_320), "--lon", str(2.5 * SIDE / 111_320))  # in grid b


@pytest.fixture
def published(run: Run, tmp_path: Path) -> Run:
    """Three grids of the teams a, b and c on a board; a is the fallback."""
    (tmp_path / "var").mkdir()
    database = Database.open(f"sqlite:///{tmp_path / 'var' / 'gridsvc.db'}")
    database.upgrade()
    publish(database, draft(database, ground(database), "aabbcc"))
    database.close()
    return run


def test_who_may_order(published: Run) -> None:
    said = published("orders", "p-b")
    assert "p-a Person a (area_manager of a)" in said.out, said.err
    assert published("orders", "p-a", "--work", "other", "--json").json["status"] == "nobody"
    assert "p-a Person a (department_head of m)" in published("orders", "p-b", "--work", "other").out


def test_who_acts_outside(published: Run) -> None:
    assert published("check", "p-b", *PLACE).out.startswith("inside: Person b acts inside: Team B owns it")
    assert published("check", "p-c", *PLACE, "--json").json["verdict"] == "outside"


def test_which_team_is_right(published: Run) -> None:
    said = published("dispute", "b", "a", *PLACE).out.splitlines()
    assert said[0].startswith("Team B is right: ") and said[1].startswith("Team A is not right")
    assert said[2].endswith("Team B by cell, publication 1, roster 1")


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("check", "p-b"), "--customer: neither one customer nor one place"),
        (("dispute", "a", "--lat", "1"), "give --customer, or --lat and --lon"),
        (("dispute", "z", *PLACE), "row 1, team: there is no team 'z'"),
        (("check", "p-z", *PLACE), "no person 'p-z'"),
        (("orders", "p-b", "--grid", "a"), "grid 'a' is of no team"),
        (("orders", "p-b", "--at", "soon"), "'soon' is no date"),
    ],
)
def test_what_is_wrong_is_said_with_its_cure(published: Run, arguments: tuple[str, ...], words: str) -> None:
    said = published(*arguments)
    assert (said.code, words in said.err) == (2, True), said.err
