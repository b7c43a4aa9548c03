"""Layers for branches: live features, tiles and exports tell of their sub-trees and of nothing else."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import geopandas
import numpy as np
import pytest
import shapely

from gridsvc.errors import Forbidden, NotFound
from gridsvc.exchange.tiles.mercator import Tile
from gridsvc.plans.carveouts import CarveOut
from gridsvc.principal import Principal
from gridsvc.services import carveouts, exports, feature_search, features, tiles
from gridsvc.services.export_ground import Source
from gridsvc.services.exports import Wanted
from gridsvc.services.feature_search import Query
from gridsvc.services.feature_tables import Shelf, Table
from gridsvc.services.tile_files import TileFiles
from gridsvc.store import Database
from tests.conftest import DIALECTS
from tests.databases import shared
from tests.services.board import ANNA
from tests.services.districts import SECRET, settle_in
from tests.services.series import draft, ground, publish

DEGREE = 100 / 111_320
MINE, OTHERS = "board/e", "board/f"


def of(*branches: str) -> Principal:
    return replace(ANNA, actor="branch", branches=frozenset(branches))


@pytest.fixture(scope="module", params=DIALECTS)
def database(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Database]:
    """Two areas in force, grids in them, a carve-out in each, and a customer in the third cell::

    areas       eeeeffff
    grids       aabbccdd
    carve-outs   K    L
    """
    with shared(request, tmp_path_factory) as made:
        tiling = ground(made, 8)
        settle_in(made, tiling)
        publish(made, draft(made, tiling, "eeeeffff", line="base@area"))
        plan = draft(made, tiling, "aabbccdd")
        given = [_carved("K", 1), _carved("L", 6)]
        revision = carveouts.put(made, ANNA, plan, 2, given).revision
        publish(made, plan, revision)
        yield made


def _carved(code: str, x: float) -> CarveOut:
    west = (x + 0.2) * DEGREE
    return CarveOut(
        code, code, "h", "key account", shapely.box(west, 0.2 * DEGREE, west + 0.5 * DEGREE, 0.5 * DEGREE)
    )


@pytest.fixture(scope="module")
def a_draft(database: Database) -> str:
    with database.read(ANNA) as reader:
        begun = reader.publications.begun("board", "base")
    assert begun is not None
    return draft(database, begun[1], "aabbccdd")


def table(database: Database, who: Principal, name: str, shelf: Shelf | None = None) -> Table:
    state = features.version(database, who, features.collection(database, who, name))
    assert state is not None
    return features.table(database, shelf or Shelf(), state)


def ids(database: Database, who: Principal, name: str, shelf: Shelf | None = None) -> list[str]:
    """Ids of the features a search for everything finds."""
    found = table(database, who, name, shelf)
    return [found.ids[row] for row in feature_search.search(database, found, Query())]


@pytest.mark.parametrize(
    ("kind", "mine", "others"),
    [
        ("grids", ["a", "b", "K"], ["c", "d", "L"]),
        ("cells", [f"x{x:03d}y000" for x in range(4)], [f"x{x:03d}y000" for x in range(4, 8)]),
        ("teams", ["a", "b", "h"], ["c", "d", "h"]),
    ],
)
@pytest.mark.parametrize("of_draft", [False, True])
def test_features_are_those_of_the_sub_tree(
    database: Database, a_draft: str, kind: str, mine: list[str], others: list[str], of_draft: bool
) -> None:
    name, shelf = f"plan.{a_draft}.{kind}" if of_draft else f"board.base.{kind}", Shelf()
    if of_draft:  # it has no carve-outs
        mine, others = ([i for i in found if i not in "KLh"] for found in (mine, others))
    assert ids(database, of(MINE), name, shelf) == mine
    assert ids(database, of(OTHERS), name, shelf) == others
    assert set(ids(database, ANNA, name, shelf)) == {*mine, *others}
    assert ids(database, of("board/none"), name, shelf) == []


def test_what_is_seen_says_what_it_says_to_everybody(database: Database) -> None:
    for kind in ("grids", "cells"):
        mine, everybodys = (table(database, who, f"board.base.{kind}") for who in (of(MINE), ANNA))
        for name in set(mine.ids) & set(everybodys.ids) if kind == "grids" else mine.places:
            row, same = mine.places[name], everybodys.places[name]
            for column, values in mine.columns.items():
                assert values[row] == everybodys.columns[column][same], (name, column)


def test_a_team_has_what_it_has_in_the_sub_tree(database: Database) -> None:
    found = table(database, of(MINE), "board.base.teams")
    assert dict(zip(found.ids, found.columns["grids"], strict=True)) == {"a": 1, "b": 1, "h": 1}


def test_no_value_tells_of_the_rest(database: Database) -> None:
    """Also not of rows which are there only to keep the places of others."""
    for kind in ("grids", "cells", "teams"):
        told = table(database, of(MINE), f"board.base.{kind}").columns
        for column in ("code", "grid", "team", "name", "grid_name", "team_name"):
            assert not {"c", "d", "L", "Grid c", "Grid d", "Team C", "Team D"} & set(told.get(column, ()))


def test_collections_are_listed_with_the_place_of_the_sub_tree(database: Database) -> None:
    listed = {found.id: found for found in features.collections(database, of(MINE))}
    assert {"board.base.grids", "board.base@area.grids"} <= listed.keys()
    assert listed["board.base.grids"].box == pytest.approx((0, 0, 4 * DEGREE, DEGREE), abs=1e-9)
    whole = features.collection(database, ANNA, "board.base.grids").box
    assert whole == pytest.approx((0, 0, 8 * DEGREE, DEGREE), abs=1e-9)
    assert ids(database, of(MINE), "board.base@area.grids") == ["e"]


def test_features_elsewhere_are_not_found_by_place_or_id(database: Database) -> None:
    found = table(database, of(MINE), "board.base.cells")
    everywhere = feature_search.Window((-1.0, -1.0, 1.0, 1.0))
    assert len(feature_search.search(database, found, Query((everywhere,)))) == 4
    there = feature_search.Window((5 * DEGREE, 0.0, 6 * DEGREE, DEGREE))
    assert len(feature_search.search(database, found, Query((there,)))) == 0
    assert "x005y000" not in found.places


@pytest.mark.parametrize("kind", ["grids", "cells", "teams"])
def test_tiles_draw_the_sub_tree_alone(database: Database, tmp_path: Path, kind: str) -> None:
    """Whoever asked first: what is kept for one is not shown to another."""
    shelf, files = Shelf(), TileFiles(tmp_path)
    wanted = Tile(14, 8191, 8192)  # north-east of the origin
    drawn = {}
    for who in (ANNA, of(MINE), of(OTHERS), of(MINE)):
        state = features.named_version(database, who, f"board.base.{kind}")
        assert state is not None
        drawn[who.branches] = tiles.tile(database, shelf, files, state, wanted)
    mine, others = drawn[of(MINE).branches], drawn[of(OTHERS).branches]
    assert b"Team A" in mine
    assert b"Team C" not in mine
    assert b"Team C" in others
    assert b"Team A" not in others
    if kind == "cells":
        assert b"x003y000" in mine
        assert b"x004y000" not in mine


# --- exports


def exported(database: Database, who: Principal, source: Source, **wanted: Any) -> list[dict[str, str]]:
    _, pieces, close = exports.pieces(database, who, source, Wanted(format="csv", **wanted))
    try:
        return list(csv.DictReader(io.StringIO(b"".join(pieces).decode())))
    finally:
        close()


PUBLISHED = Source(territory="board", n=1)


@pytest.mark.parametrize(
    ("layer", "key", "mine", "others"),
    [
        ("grids", "code", ["a", "b", "K"], ["c", "d", "L"]),
        ("cells", "cell", [f"x{x:03d}y000" for x in range(4)], [f"x{x:03d}y000" for x in range(4, 8)]),
        ("teams", "team", ["a", "b"], ["c", "d"]),
        ("customers", "id", [SECRET], []),
    ],
)
def test_exports_are_of_the_sub_tree(
    database: Database, layer: Any, key: str, mine: list[str], others: list[str]
) -> None:
    for who, rows in ((of(MINE), mine), (of(OTHERS), others), (of("board/none"), [])):
        assert [row[key] for row in exported(database, who, PUBLISHED, layer=layer)] == rows
    whole = {row[key]: row for row in exported(database, ANNA, PUBLISHED, layer=layer)}
    assert exported(database, of(MINE), PUBLISHED, layer=layer) == [whole[name] for name in mine]


@pytest.mark.parametrize("format_", ["gpkg", "parquet", "fgb"])
@pytest.mark.parametrize("clip", ["cells", "territory"])
def test_files_of_cells_are_of_the_sub_tree(
    database: Database, tmp_path: Path, format_: Any, clip: Any
) -> None:
    path = tmp_path / f"cells.{format_}"
    told = exports.write(database, of(OTHERS), PUBLISHED, Wanted("cells", format_, clip=clip), path)
    found = geopandas.read_parquet(path) if format_ == "parquet" else geopandas.read_file(path, layer="cells")
    assert told["features"] == 4
    assert sorted(found["cell"]) == [f"x{x:03d}y000" for x in range(4, 8)]
    assert np.allclose(sorted(found.geometry.bounds["minx"]), np.arange(4, 8) * DEGREE, atol=1e-6)


def test_exports_of_drafts_are_of_the_sub_tree(database: Database, a_draft: str) -> None:
    assert [row["code"] for row in exported(database, of(MINE), Source(a_draft))] == ["a", "b"]


def test_moves_are_for_those_who_see_all(database: Database, a_draft: str) -> None:
    with pytest.raises(Forbidden, match="moves tell where cells came from"):
        exported(database, of(MINE), Source(a_draft), layer="moves")


def test_other_territories_are_not_there(database: Database) -> None:
    for ask in (
        lambda: features.collection(database, of("oder/e"), "board.base.grids"),
        lambda: exported(database, of("oder/e"), PUBLISHED),
    ):
        with pytest.raises(NotFound):
            ask()
