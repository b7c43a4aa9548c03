"""The file of what is in force, for GIS programs."""

from __future__ import annotations

import sqlite3
import time
import xml.etree.ElementTree as ET
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from gridsvc.errors import (
    InvalidInput,
)
from gridsvc.principal import SYSTEM
from gridsvc.services import (
    current,
    publishing,
)
from gridsvc.services.publishing import Wanted
from gridsvc.store import Database
from tests.services.board import ANNA
from tests.services.series import draft, ground, publish, soon


def test_the_file_has_a_styled_layer_for_each_line_and_no_customer(
    database: Database, tmp_path: Path
) -> None:
    import pyogrio

    tiling = ground(database)
    folder = tmp_path / "made" / "published"
    publish(database, draft(database, tiling, "aabbcc"))
    publish(database, draft(database, tiling, "..dd..", line="special"))
    told = current.write(database, ANNA, folder)
    assert told["publications"] == [["board", "base", 1], ["board", "special", 1]]
    path = folder / "current.gpkg"
    names = {name for name, kind in pyogrio.list_layers(path).tolist() if kind is not None}
    assert names == {f"board_{line}_{layer}" for line in ("base", "special") for layer in ("grids", "cells")}
    grids = pyogrio.read_dataframe(path, layer="board_base_grids").set_index("code")
    assert grids.crs.to_epsg() == 4326
    assert grids["team_name"].to_dict() == {"a": "Team A", "b": "Team B", "c": "Team C"}
    assert (grids["customers"].to_dict(), set(grids["publication"])) == ({"a": 2.0, "b": 2.0, "c": 2.0}, {1})
    assert grids.geometry.is_valid.all()
    cells = pyogrio.read_dataframe(path, layer="board_special_cells")
    assert cells.set_index("cell")["grid"].dropna().to_dict() == {"x002y000": "d", "x003y000": "d"}
    names_and_measures = {"grid_name", "team_name", "area_km2", "customers", "publication"}
    assert set(cells) == {"cell", "grid", "team", "geometry"} | names_and_measures
    with closing(sqlite3.connect(path)) as file:
        columns = [row for name in names for row in file.execute(f'PRAGMA table_info("{name}")')]
        assert {row[2] for row in columns if row[1] in {"code", "name", "team", "cell", "grid"}} == {"TEXT"}
        styles = file.execute("SELECT f_table_name, styleQML, useAsDefault FROM layer_styles").fetchall()
        assert file.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    assert {name for name, _, default in styles if default} == names
    for _, style, _ in styles:
        assert ET.fromstring(style).tag == "qgis"
    assert [entry.name for entry in folder.iterdir()] == ["current.gpkg"]


def test_the_file_is_renewed_by_a_job_and_again_when_a_scheduled_one_takes_effect(
    database: Database, tmp_path: Path
) -> None:
    tiling = ground(database)
    plan = draft(database, tiling, "aabbcc")
    publishing.publish(database, ANNA, plan, 2, Wanted(), folder=tmp_path)
    assert _run_queued(database)["publications"] == [["board", "base", 1]]
    current.renew_due(database)
    assert _queued(database) == []
    plan = draft(database, tiling, "aaabcc")
    due = datetime.now(UTC) + timedelta(seconds=5)
    publishing.publish(database, ANNA, plan, 2, Wanted(effective_at=due), folder=tmp_path)
    assert _run_queued(database)["publications"] == [["board", "base", 1]]
    time.sleep(max(0.0, (due - datetime.now(UTC)).total_seconds()) + 0.1)
    current.renew_due(database)
    assert _run_queued(database)["publications"] == [["board", "base", 2]]
    current.renew_due(database)
    assert _queued(database) == []


def test_before_anything_is_in_force_there_is_no_file(database: Database, tmp_path: Path) -> None:
    tiling = ground(database)
    publish(database, draft(database, tiling, "aabbcc"), effective_at=soon(3))
    assert current.write(database, ANNA, tmp_path / "published")["publications"] == []
    assert list((tmp_path / "published").iterdir()) == []
    (tmp_path / "file").touch()
    with pytest.raises(InvalidInput, match="GRIDSVC_PUBLISHED_DIR"):
        current.write(database, ANNA, tmp_path / "file" / "published")


def _queued(database: Database) -> list[str]:
    with database.read(SYSTEM) as reader:
        return [job.id for job in reader.jobs.list() if job.status == "queued"]


def _run_queued(database: Database) -> dict[str, Any]:
    from gridsvc import jobs as runner
    from gridsvc.services import jobs

    job = jobs.claim(database, "w", (current.KIND,))
    assert job is not None
    runner.run(database, job, "w")
    found = jobs.get(database, ANNA, job)
    assert found.status == "done", found.problem
    return dict(found.result)
