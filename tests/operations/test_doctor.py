"""The doctor says what is missing, and what to do about it."""

from __future__ import annotations

import json
import os
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from click.testing import CliRunner

from gridsvc.cli.main import cli
from gridsvc.config import Settings
from gridsvc.ownership.live import Live
from gridsvc.services import checkup
from gridsvc.watcher import Watcher
from tests.api.odd_places import plain, put_all
from tests.databases import Opener
from tests.store.builders import ANNA, territory


@pytest.fixture
def settings(tmp_path: Path, database_url: str) -> Settings:
    return Settings(data_dir=tmp_path / "data", database_url=database_url)


def found(settings: Settings) -> dict[str, tuple[str, str]]:
    return {finding.name: (finding.state, finding.told) for finding in checkup.look(settings)}


def test_all_is_well(settings: Settings) -> None:
    told = found(settings)
    assert [name for name, (state, _) in told.items() if state == "missing"] == []
    assert told["data folder"][1].startswith("writable, ")
    assert told["lookup files"] == ("note", "none yet; a server makes them when it starts")
    assert "GDAL 3" in told["geodata"][1]


def test_a_folder_which_cannot_be_written(settings: Settings) -> None:
    settings.data_dir.write_text("a file in its place")
    state, told = found(settings)["data folder"]
    assert state == "missing" and "GRIDSVC_DATA_DIR" in told


def test_tables_of_another_version(empty_url: str, tmp_path: Path) -> None:
    told = found(Settings(data_dir=tmp_path, database_url=empty_url))
    assert told["database"][0] == "missing"
    assert "gridsvc db upgrade" in told["database"][1]


def test_a_change_which_was_made_in_the_future(settings: Settings, open_database: Opener) -> None:
    ahead = open_database(clock=lambda: datetime.now(UTC) + timedelta(hours=3))
    with ahead.write(ANNA, "territory.create") as uow:
        uow.territories.create(territory())
        uow.audit("territory/elbe", None, {})
    state, told = found(settings)["clock"]
    assert state == "missing" and "the last change was made 1" in told and "clock" in told


def test_files_of_lookups(settings: Settings) -> None:
    put_all(settings.url, plain())
    watcher, live = Watcher(settings.url, settings.mapped), Live(settings.mapped)
    watcher.start()
    try:
        end = time.monotonic() + 30
        while (state_ := live.state()) is None or not state_.lines:
            assert time.monotonic() < end
            time.sleep(0.05)
    finally:
        watcher.stop()
    state, told = found(settings)["lookup files"]
    assert state == "ok" and " whole, as of change " in told
    file = settings.mapped / sorted(name for name in state_.parts if name.endswith(".own"))[0]
    with file.open("r+b") as damaged:
        damaged.seek(-200, os.SEEK_END)
        damaged.write(bytes(byte ^ 1 for byte in b"?" * 200))
    state, told = found(settings)["lookup files"]
    assert state == "missing" and file.name in told and "delete it" in told


def test_few_open_files(settings: Settings) -> None:
    state, told = found(settings.model_copy(update={"max_connections": 1_000_000}))["open files"]
    assert state == "note" and "ulimit" in told


def test_an_address_which_others_can_reach(settings: Settings) -> None:
    state, told = found(settings.model_copy(update={"host": "0.0.0.0"}))["access"]
    assert state == "note" and "proxy or a firewall" in told


def test_the_command_as_json(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("GRIDSVC_DATABASE_URL", f"sqlite:///{tmp_path / 'none.db'}")
    done = CliRunner().invoke(cli, ["doctor", "--json"])
    assert done.exit_code == 2
    told = json.loads(done.stdout)
    assert told["ok"] is False
    states = {check["name"]: check["state"] for check in told["checks"]}
    assert states["database"] == "missing" and states["data folder"] == "ok"
