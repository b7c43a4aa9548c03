"""Layers of plans and publications: what is in them, and who may see it."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
import shapely
from shapely.geometry import shape

from gridsvc.errors import Forbidden, InvalidInput
from gridsvc.principal import SYSTEM, Principal
from gridsvc.services import exports
from gridsvc.services.exports import Source, Wanted
from gridsvc.store import Database
from tests.conftest import DIALECTS
from tests.databases import copy_postgis
from tests.services.board import ANNA, SIDE, hand_over
from tests.services.series import draft, ground, publish
from tests.services.test_arrivals import put

PUBLISHED = Source(territory="board", n=1)


def out(
    database: Database, path: Path, source: Source, who: Principal = ANNA, **wanted: Any
) -> dict[str, Any]:
    file = path / "out.geojson"
    exports.write(database, who, source, Wanted(**wanted), file)
    return dict(json.loads(file.read_text(encoding="utf-8")))


def rows(document: dict[str, Any]) -> list[dict[str, Any]]:
    return [feature["properties"] for feature in document["features"]]


@dataclass(frozen=True)
class Ground:
    database: Database
    tiling: str
    first: str
    """A draft made before anything was published."""


@pytest.fixture(scope="module", params=DIALECTS)
def laid(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ground]:
    """A publication and a customer who came later; tests change drafts of their own alone."""
    if request.param == "postgis":
        urls = copy_postgis(request.getfixturevalue("postgis_server"), "migrated")
    else:
        file = tmp_path_factory.mktemp("exports") / "board.db"
        shutil.copy(request.getfixturevalue("migrated_file"), file)
        urls = iter([f"sqlite:///{file}"])
    for url in urls:
        database = Database.open(url)
        tiling = ground(database)
        first = draft(database, tiling, "aabbcc")
        publish(database, draft(database, tiling, "aabbcc"))
        put(database, "k1", 3)
        yield Ground(database, tiling, first)
        database.close()


@pytest.fixture
def board(laid: Ground) -> Database:
    return laid.database


def without(*scopes: str) -> Principal:
    return replace(ANNA, scopes=ANNA.scopes - set(scopes))


def test_teams_are_joined_and_led_and_counted(board: Database, tmp_path: Path) -> None:
    found = out(board, tmp_path, PUBLISHED, layer="teams")
    assert [(r["team"], r["team_name"], r["lead_name"], r["members"], r["cells"]) for r in rows(found)] == [
        ("a", "Team A", "Person a", 1, 2),
        ("b", "Team B", "Person b", 1, 2),
        ("c", "Team C", "Person c", 1, 2),
    ]
    assert [row["customers"] for row in rows(found)] == [2.0, 2.0, 2.0]
    shapes = [shape(f["geometry"]) for f in found["features"]]
    assert [round(s.area / (SIDE / 111_320) ** 2, 3) for s in shapes] == [2.0, 2.0, 2.0]
    assert shapely.coverage_is_valid(shapes)


@pytest.mark.parametrize("layer", ["teams", "grids"])
def test_people_are_named_to_who_may_read_rosters(board: Database, tmp_path: Path, layer: Any) -> None:
    found = rows(out(board, tmp_path, PUBLISHED, without("roster:read"), layer=layer))
    assert {(row["lead"], row["lead_name"]) for row in found} == {(None, None)}
    assert found[0]["team_name"] == "Team A"


def test_customers_are_points_with_cell_and_grid(board: Database, tmp_path: Path) -> None:
    (row,) = rows(found := out(board, tmp_path, PUBLISHED, layer="customers"))
    assert (row["id"], row["cell"], row["grid"], row["team"]) == ("k1", "x003y000", "b", "b")
    assert found["features"][0]["geometry"]["type"] == "Point"


def test_customers_are_refused_to_others(board: Database, tmp_path: Path) -> None:
    stranger = without("customers:read")
    with pytest.raises(Forbidden):
        out(board, tmp_path, PUBLISHED, stranger, layer="customers")
    job = exports.start(board, ANNA, PUBLISHED, Wanted("customers"), tmp_path / "kept")
    assert list(tmp_path.glob("*.geojson")) == []
    with pytest.raises(Forbidden):
        exports.start(board, stranger, PUBLISHED, Wanted("customers"), tmp_path / "kept")
    record = replace(job, status="done")
    with pytest.MonkeyPatch.context() as patch, pytest.raises(Forbidden):
        patch.setattr(exports.jobs, "get", lambda *_: record)
        exports.file_of(board, stranger, job.id)


def test_moves_are_those_against_the_publication_it_stands_on(laid: Ground, tmp_path: Path) -> None:
    board, plan = laid.database, draft(laid.database, laid.tiling, "aabbcc")
    assert rows(out(board, tmp_path, Source(plan), layer="moves")) == []
    hand_over(board, plan, 2, "x002y000", "a")
    found = out(board, tmp_path, Source(plan), layer="moves")
    assert [(r["cell"], r["from"], r["to"], r["to_team"]) for r in rows(found)] == [
        ("x002y000", "b", "a", "a")
    ]
    assert found["gridsvc:manifest"]["base"] == {"publication": 1}


def test_moves_of_a_first_draft_are_those_made_by_hand(laid: Ground, tmp_path: Path) -> None:
    hand_over(laid.database, laid.first, 2, "x002y000", "a")
    found = out(laid.database, tmp_path, Source(laid.first), layer="moves")
    assert [(r["from"], r["to"]) for r in rows(found)] == [("b", "a")]
    assert found["gridsvc:manifest"]["base"] == {"revision": 2}


def test_a_publication_has_no_moves(board: Database, tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match="draft"):
        out(board, tmp_path, PUBLISHED, layer="moves")


def test_cells_flow_with_their_grid_and_measures(board: Database, tmp_path: Path) -> None:
    found = rows(out(board, tmp_path, PUBLISHED, layer="cells"))
    assert [(r["cell"], r["grid"], r["team_name"], r["customers"]) for r in found] == [
        (f"x00{i}y000", "aabbcc"[i], f"Team {'AABBCC'[i]}", 1.0) for i in range(6)
    ]


@pytest.mark.parametrize("layer", ["grids", "teams", "cells"])
def test_clipped_layers_are_the_territory(board: Database, tmp_path: Path, layer: Any) -> None:
    with board.read(SYSTEM) as reader:
        territory = reader.territories.get("board").boundary
    found = out(board, tmp_path, PUBLISHED, layer=layer, clip="territory")
    shapes = [shape(feature["geometry"]) for feature in found["features"]]
    assert shapely.union_all(shapes).equals(territory)
    said = found["gridsvc:manifest"]
    assert (said["clip"], said["coordinate_decimals"]) == ("territory", None)


def test_the_manifest_says_of_what_it_is(board: Database, tmp_path: Path) -> None:
    said = out(board, tmp_path, PUBLISHED)["gridsvc:manifest"]
    expected = {"territory": "board", "publication": 1, "layer": "grids", "clip": "cells", "roster": 1}
    assert said | expected == said
    assert (len(said["checksum"]), list(said["as_of"]), said["simulated"]) == (64, ["customers"], False)
