"""`gridsvc scorecard` and `gridsvc loads` on a published board."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from click.testing import CliRunner

from gridsvc.cli.main import cli
from gridsvc.errors import InvalidInput
from gridsvc.store import Database
from tests.services.series import draft, ground, publish


@pytest.fixture
def url(migrated_file: Path, tmp_path: Path) -> str:
    """Six customers in three grids, published."""
    shutil.copy(migrated_file, tmp_path / "board.db")
    found = f"sqlite:///{tmp_path / 'board.db'}"
    database = Database.open(found)
    publish(database, draft(database, ground(database), "aaabcc"))
    database.close()
    return found


def run(*arguments: str) -> str:
    return CliRunner().invoke(cli, arguments, catch_exceptions=False, standalone_mode=False).output


@pytest.mark.parametrize("form", ["json", "csv", "xlsx", "html"])
@pytest.mark.parametrize("command", ["scorecard", "loads"])
def test_each_form_is_written_by_the_name_of_the_file(
    url: str, tmp_path: Path, command: str, form: str
) -> None:
    file = tmp_path / f"out.{form}"
    said = run(command, "--database", url, "-o", str(file))
    assert "publication 1" in said
    assert file.stat().st_size > 100


def test_programs_get_json(url: str) -> None:
    card = json.loads(run("scorecard", "--publication", "1", "--database", url, "--json"))
    assert {grid["code"]: grid["figures"]["customers"]["value"] for grid in card["grids"]} == {
        "a": 3,
        "b": 1,
        "c": 2,
    }
    loads = json.loads(run("loads", "--share", "role", "--database", url, "--json"))
    assert loads["share"] == "role"


@pytest.mark.parametrize(
    ("arguments", "field"),
    [
        (("scorecard", "-o", "card.pdf"), "--output"),
        (("loads", "--at", "noon"), "--at"),
        (("loads", "--at", "2026-01-01T00:00:00"), "--at"),
    ],
)
def test_wrong_options_name_themselves(
    url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, arguments: tuple[str, ...], field: str
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(InvalidInput) as caught:
        run(*arguments, "--database", url)
    assert caught.value.field == field
