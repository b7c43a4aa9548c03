"""`gridsvc handover`: tried, done, listed, and the pack written."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from gridsvc.store import Database
from tests.cli.conftest import Run
from tests.services.series import draft, ground, publish


@pytest.fixture
def published(run: Run, tmp_path: Path) -> Run:
    """Three grids of the teams a, b and c on a board."""
    (tmp_path / "var").mkdir()
    database = Database.open(f"sqlite:///{tmp_path / 'var' / 'gridsvc.db'}")
    database.upgrade()
    publish(database, draft(database, ground(database), "aabbcc"))
    database.close()
    return run


WHY = ("--reason", "retires", "--at", "2099-01-01")


def test_a_leaver_is_tried_handed_over_and_listed(published: Run) -> None:
    command = ("handover", "leaver", "p-a", "--successor", "a=p-d@2099-02-01@acting=p-b", *WHY)
    tried = published(*command, "--dry-run")
    assert (tried.code, "(not written)  shown" in tried.out) == (0, True), tried.err
    assert "nothing was handed over" in published("handover", "list").out
    done = published(*command, "--json").json
    assert (done["state"], done["told"]["passed"][0]["to"], done["roster"]) == ("scheduled", "p-d", 2)
    assert done["effective_at"] == "2098-12-31T16:00:00+00:00"  # a date is that of the territory
    listed = published("handover", "list", "--territory", "board").out
    assert done["id"] in listed and "p-a leaves: retires" in listed


def test_a_grid_is_given_to_another_team(published: Run) -> None:
    done = published("handover", "grid", "b", "--to", "d", "--publish", *WHY, "--json")
    assert (done.code, done.json["state"]) == (0, "scheduled"), done.err
    waiting = published("handover", "grid", "c", "--to", "d", "--reason", "x", "--at", "2098-01-01")
    assert (waiting.code, "scheduled" in waiting.err) == (2, True)  # not before what is scheduled


@pytest.mark.parametrize("suffix", ["html", "xlsx", "json"])
def test_a_pack_is_written_for_its_owner_only(published: Run, tmp_path: Path, suffix: str) -> None:
    path, items = tmp_path / f"pack.{suffix}", tmp_path / "items.csv"
    items.write_text("grid,what\na,pole\nb,bill\n")
    said = published("handover", "pack", "a", "--open-items", items, "-o", path, "--json")
    assert said.json["files"] == {"items.csv": {"taken": 1, "other_grid": 1}}, said.err
    assert path.stat().st_mode & 0o077 == 0
    if suffix == "json":
        assert json.loads(path.read_text())["extras"][0]["rows"] == [{"grid": "a", "what": "pole"}]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("leaver", "p-a", "--successor", "=", *WHY), "row 1, --successor: '=' names no successor"),
        (("leaver", "p-z", "--successor", "p-d", *WHY), "person: there is no person 'p-z'"),
        (("leaver", "p-a", *WHY), "would be nobody's"),
        (("leaver", "p-a", "--reason", "x", "--at", "soon"), "effective_at: 'soon' is no date"),
        (("grid", "z", "--to", "d", *WHY), "grid: there is no grid 'z'"),
        (("pack", "a", "-o", "pack.pdf"), "--output: pack.pdf tells no form"),
        (("pack", "a", "--contacts", "none.csv", "-o", "pack.html"), "none.csv"),
    ],
)
def test_what_is_wrong_is_said_in_one_line(published: Run, refused: Any, arguments: Any, words: str) -> None:
    assert words in refused("handover", *arguments)
