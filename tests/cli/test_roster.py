"""`gridsvc roster` as a person uses it: export, edit, try, import, check."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import shapely

from gridsvc.principal import LOCAL
from gridsvc.services import rosters, territories
from gridsvc.store import Database
from gridsvc.teams.document import roster_from_dict
from tests.api.strip import ROSTER
from tests.cli.conftest import Run

AT = ("--territory", "strip")


@pytest.fixture
def strip(run: Run, tmp_path: Path) -> Run:
    """Runs commands on a database with a small territory and its people."""
    assert run("db", "upgrade").code == 0
    database = Database.open(f"sqlite:///{next((tmp_path / 'var').glob('*.db'))}")
    square = shapely.MultiPolygon([shapely.box(0.3, 0.0, 0.4, 0.1)])
    territories.create(
        database, LOCAL, territory="strip", name="Strip", boundary=square, time_zone="Asia/Shanghai"
    )
    rosters.put(database, LOCAL, "strip", roster_from_dict(ROSTER))
    database.close()
    return run


def test_a_roster_is_written_edited_tried_and_taken(strip: Run, tmp_path: Path) -> None:
    assert strip("roster", "export", *AT, "-o", "r.xlsx").code == 0
    assert "nothing changed" in strip("roster", "import", "r.xlsx", *AT).out
    (tmp_path / "people.csv").write_text("工号,姓名,部门\np,Ann,m\nbo,Bo,m\n", encoding="utf-8-sig")
    (tmp_path / "members.csv").write_text("团队,工号,角色,后备\nt,bo,VIP,是\n", encoding="gb18030")
    tried = strip("roster", "import", ".", *AT, "--dry-run")
    assert "dry run, nothing stored" in tried.out and "not in the file, members (1): t/p" in tried.out
    assert strip("roster", "import", ".", *AT, "--json").json["roster"] == 2
    shown = strip("roster", "show", *AT)
    assert "t Team: p; bo vip (backup)" in shown.out


def test_a_bad_row_is_named_as_the_spreadsheet_shows_it(strip: Run, tmp_path: Path) -> None:
    (tmp_path / "people.csv").write_text("id,name,department\np,Ann,m\nbo,Bo,zz\n")
    refused = strip("roster", "import", "people.csv", *AT)
    assert refused.code == 2 and "people.csv, row 3, department: 'zz'" in refused.err
    assert strip("roster", "show", *AT, "--json").json["newest"] == 1


def test_operations_come_from_a_file_and_say_on_what_they_were_made(strip: Run, tmp_path: Path) -> None:
    entry = {"id": "bo", "name": "Bo", "department": "m"}
    steps = [{"op": "add", "what": "person", "entry": entry}]
    (tmp_path / "o.json").write_text(json.dumps(steps))
    assert "base_roster" in strip("roster", "change", "o.json", *AT).err
    assert strip("roster", "change", "o.json", *AT, "--base-roster", 1).code == 0
    past = strip("roster", "change", "o.json", *AT, "--base-roster", 2, "--valid-from", "2020-01-01")
    assert past.code == 2 and "needs a reason" in past.err
    (tmp_path / "o.json").write_text("{}")
    assert "not a list of operations" in strip("roster", "change", "o.json", *AT, "--base-roster", 2).err


def test_check_tells_that_all_rules_are_kept(strip: Run) -> None:
    assert strip("roster", "check", *AT).out == "every rule is kept\n"
    assert "--at: 'noon' is no time" in strip("roster", "check", *AT, "--at", "noon").err
