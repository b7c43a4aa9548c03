"""Exports and layers for who may not see customers: no small count in them, nor what would tell one."""

from __future__ import annotations

import csv
import json
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import numpy as np
import openpyxl
import pyarrow.parquet as pq
import pyogrio
import pytest

from gridsvc.customers.measures import parse_measure
from gridsvc.plans.levels import Level
from gridsvc.principal import SCOPES, Principal
from gridsvc.services import exports, features, imports, levels, plans, rosters, scorecards
from gridsvc.services.exports import Source, Wanted
from gridsvc.services.feature_tables import Shelf
from gridsvc.services.imports import ImportOptions
from gridsvc.store import Database
from gridsvc.store.records import MeasureRecord
from tests.conftest import DIALECTS
from tests.databases import shared
from tests.services import series
from tests.services.board import ANNA, SIDE, board, lay
from tests.store.builders import DAY_1

VIEWER = Principal("viewer", SCOPES - {"customers:read"})
LEAST = 5
COUNTS = (1, 2, 30, 40, 50, 60, 3, 0, 0, 9, 0, 70)
LETTERS = "aaabbbccddff"
SHELF = Shelf()
SECRET = 812.25
"""What the customer in the first cell uses; its cell has no other."""


@pytest.fixture(scope="module", params=DIALECTS)
def database(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Database]:
    """One for all tests: what they write are files."""
    with shared(request, tmp_path_factory) as found:
        yield found


@pytest.fixture(scope="module")
def plan(database: Database) -> str:
    """Twelve cells in a row; grid c has 3 customers, d 9, all others many."""
    tiling = board(12, 1)
    made = lay(database, tiling, {})
    with database.write(ANNA, "test") as uow:
        kwh = np.where(np.arange(12) == 0, SECRET, np.array(COUNTS) * 10.0)
        counted = MeasureRecord("customers", "customers=count", "", np.array(COUNTS, np.float64), DAY_1)
        uow.tilings.put_measures(made, None, [counted, MeasureRecord("kwh", "kwh=sum:kwh", "", kwh, DAY_1)])
    rosters.put(database, ANNA, "board", series.people())
    balanced = (("customers", 0.9), ("kwh", 0.9))
    plan = plans.put(database, ANNA, made, series.drawn(LETTERS), balanced).id
    series.publish(database, plan)
    return plan


def exported(database: Database, plan: str, path: Path, layer: Any, form: Any, who: Principal) -> None:
    exports.write(database, who, Source(plan), Wanted(layer, form, small=LEAST), path)


def rows(
    database: Database, plan: str, folder: Path, layer: Any, who: Principal = VIEWER
) -> list[dict[str, Any]]:
    path = folder / "out.geojson"
    exported(database, plan, path, layer, "geojson", who)
    return [feature["properties"] for feature in json.loads(path.read_bytes())["features"]]


def test_grids_with_few_are_kept_back_and_one_more_with_them(
    database: Database, plan: str, tmp_path: Path
) -> None:
    found = {row["code"]: row for row in rows(database, plan, tmp_path, "grids")}
    assert {code for code, row in found.items() if row["customers"] is None} == {"c", "d"}
    for code in ("c", "d"):
        assert found[code]["kwh"] is None and found[code]["kwh_deviation"] is None
        assert found[code]["cells"] == 2
    assert found["a"]["customers"] == 33


def test_no_sum_of_a_grid_above_tells_a_grid(database: Database, tmp_path: Path) -> None:
    """Layers of upper levels are published, too: in each of their grids at least two below are kept back::

    areas  eeeeeeeegggg
    grids  aaabbbccddff
    """
    made = lay(database, board(12, 1), {}, slug="oder")
    with database.write(ANNA, "test") as uow:
        counted = MeasureRecord("customers", "customers=count", "", np.array(COUNTS, np.float64), DAY_1)
        uow.tilings.put_measures(made, None, [counted])
    rosters.put(database, ANNA, "oder", series.people())
    before = series.publish(database, series.draft(database, made, LETTERS))
    assert _kept_back(database, before.plan, tmp_path) == {"c", "d"}
    series.publish(database, series.draft(database, made, "eeeeeeeegggg", line="base@area"))
    assert _kept_back(database, before.plan, tmp_path) == {"a", "c"}
    card = scorecards.of_publication(database, VIEWER, "oder", before.n, small=LEAST)
    assert card.hidden is not None
    hidden = {code for code, kept in zip(card.codes, card.hidden.tolist(), strict=True) if kept}
    assert hidden >= {"a", "c"}  # or a scorecard would tell what a layer does not


def test_what_is_kept_back_above_is_not_to_be_had_by_adding_up(database: Database, tmp_path: Path) -> None:
    """Zone y has many, and is kept back for the sake of x; so are areas, grids and cells in it::

    zones   xxxxxxyyyyyyzz
    areas   mmmmmmnnnnoopp
    grids   aaabbbccddeeff
    """
    made = lay(database, board(14, 1), {}, slug="low")
    counts = np.array([1.0, 0, 0, 2, 0, 0, 20, 0, 30, 0, 40, 50, 200, 300])
    with database.write(ANNA, "test") as uow:
        counted = MeasureRecord("customers", "customers=count", "", counts, DAY_1)
        uow.tilings.put_measures(made, None, [counted])
    rosters.put(database, ANNA, "low", series.people())
    chain = (("whole", None), ("zone", "whole"), ("area", "zone"), ("grid", "area"))
    levels.put(database, ANNA, "low", [Level(i, {"zh": i, "en": i}, above) for i, above in chain])

    def hidden(letters: str, line: str) -> set[str]:
        plan = _published(database, made, letters, line)
        return {row["code"] for row in rows(database, plan, tmp_path, "grids") if row["customers"] is None}

    assert hidden("xxxxxxyyyyyyzz", "base@zone") == {"x", "y"}
    assert hidden("mmmmmmnnnnoopp", "base@area") == {"m", "n", "o"}
    assert hidden("aaabbbccddeeff", "base") == {"a", "b", "c", "d", "e"}
    (grids,) = (c for c in features.collections(database, VIEWER) if c.id == "low.base.cells")
    state = features.version(database, VIEWER, grids, small=LEAST)
    assert state is not None
    cells = features.table(database, SHELF, state).columns["customers"]
    assert [told is None for told in cells] == [0 < count < 200 for count in counts.tolist()]


def _published(database: Database, tiling: str, letters: str, line: str) -> str:
    """Each letter a grid, and all of one team."""
    plan = series.drawn(letters)
    plan = replace(plan, grids=tuple(replace(grid, team="a") for grid in plan.grids))
    made = plans.put(database, ANNA, tiling, plan, (("customers", 0.9),), line=line).id
    series.publish(database, made)
    return made


def test_customers_which_were_imported_are_counted(database: Database, tmp_path: Path) -> None:
    tiling = lay(database, board(4, 1), {}, slug="told")
    step = SIDE / 111_320
    many = [cell for cell, count in enumerate((3, 9, 30, 40)) for _ in range(count)]
    lines = [f"k{i},{(cell + 0.5) * step},{0.5 * step}" for i, cell in enumerate(many)]
    path = tmp_path / "customers.csv"
    path.write_text("\n".join(["id,lon,lat", *lines]), encoding="utf-8")
    imports.put_file(database, ANNA, tiling, path, ImportOptions((parse_measure("customers=count"),)))
    plan = plans.put(database, ANNA, tiling, series.drawn("abcd"), (("customers", 0.9),)).id
    found = {row["code"]: row["customers"] for row in rows(database, plan, tmp_path, "grids")}
    assert found == {"a": None, "b": None, "c": 30, "d": 40}


def _kept_back(database: Database, plan: str, folder: Path) -> set[str]:
    """Codes of the grids whose customers are not told, by an export and by the live layer."""
    exported = {row["code"] for row in rows(database, plan, folder, "grids") if row["customers"] is None}
    state = features.version(
        database, VIEWER, features.collection(database, VIEWER, "oder.base.grids"), small=LEAST
    )
    assert state is not None
    told = features.table(database, SHELF, state).columns
    live = {
        code for code, customers in zip(told["code"], told["customers"], strict=True) if customers is None
    }
    assert live == exported
    return live


def test_no_sum_of_a_grid_tells_a_cell(database: Database, plan: str, tmp_path: Path) -> None:
    shown = defaultdict(list)
    for row, count in zip(rows(database, plan, tmp_path, "cells"), COUNTS, strict=True):
        shown[row["grid"]].append((row["customers"], count))
        assert row["customers"] in (None, count)
        assert (row["kwh"] is None) == (row["customers"] is None)
    for code, cells in shown.items():
        hidden = [count for told, count in cells if told is None]
        assert all(count == 0 or count >= LEAST for told, count in cells if told is not None)
        if code in {"c", "d"}:  # whose sums are kept back, too, and not to be had by adding cells up
            assert hidden == [count for _, count in cells if count > 0]
        elif hidden:
            assert len(hidden) > 1 and sum(hidden) >= LEAST


def test_no_team_tells_its_grid(database: Database, plan: str, tmp_path: Path) -> None:
    found = {row["team"]: row["customers"] for row in rows(database, plan, tmp_path, "teams")}
    assert {team for team, customers in found.items() if customers is None} == {"c", "d"}


@pytest.mark.parametrize("layer", ["grids", "cells", "teams"])
def test_who_may_see_customers_sees_all(database: Database, plan: str, tmp_path: Path, layer: str) -> None:
    found = rows(database, plan, tmp_path, layer, ANNA)
    assert sum(row["customers"] for row in found) == sum(COUNTS)


@pytest.mark.parametrize("layer", ["grids", "cells", "teams"])
@pytest.mark.parametrize("form", ["geojson", "csv", "gpkg", "fgb", "parquet", "xlsx", "shp", "kml"])
def test_each_format_keeps_them_back(
    database: Database, plan: str, tmp_path: Path, layer: str, form: str
) -> None:
    path = tmp_path / f"out.{'zip' if form == 'shp' else form}"
    exported(database, plan, path, layer, form, VIEWER)
    told = _customers(path, form)
    assert len(told) == {"grids": 5, "cells": 12, "teams": 5}[layer]
    assert not {1.0, 2.0, 3.0} & set(told)
    assert any(value is None for value in told) and 70.0 in told
    assert str(SECRET).encode() not in path.read_bytes()


def _customers(path: Path, form: str) -> list[float | None]:
    if form == "csv":
        with path.open(encoding="utf-8", newline="") as file:
            found: list[Any] = [row["customers"] for row in csv.DictReader(file)]
    elif form == "parquet":
        found = pq.read_table(path)["customers"].to_pylist()
    elif form == "xlsx":
        head, *lines = openpyxl.load_workbook(path).worksheets[0].iter_rows(values_only=True)
        found = [line[head.index("customers")] for line in lines]
    elif form == "kml":
        marks = ElementTree.parse(path).getroot().iter("{http://www.opengis.net/kml/2.2}Placemark")
        found = [_simple(mark) for mark in marks]
    else:
        layers = pyogrio.list_layers(path)[:, 0].tolist()
        name = next(layer for layer in layers if layer in {"grids", "cells", "teams"} or len(layers) == 1)
        found = pyogrio.read_dataframe(path, layer=name, read_geometry=False)["customers"].tolist()
    numbers = [None if value in (None, "") else float(value) for value in found]
    return [None if value is None or value != value else value for value in numbers]


def _simple(mark: ElementTree.Element) -> str | None:
    for element in mark.iter():
        if element.get("name") == "customers":
            return "".join(element.itertext()).strip()
    return None


@pytest.mark.parametrize("kind", ["grids", "cells", "teams"])
def test_live_layers_keep_them_back_too(database: Database, plan: str, kind: str) -> None:
    shelf, told = Shelf(), dict[str, list[Any]]()
    for name, who in (("viewer", VIEWER), ("anna", ANNA), ("viewer again", VIEWER)):
        (found,) = [c for c in features.collections(database, who) if c.id == f"board.base.{kind}"]
        state = features.version(database, who, found)
        assert state is not None
        told[name] = features.table(database, shelf, state).columns["customers"]
    assert told["viewer"] == told["viewer again"]
    assert sum(told["anna"]) == sum(COUNTS)
    assert None in told["viewer"] and not {1.0, 2.0, 3.0} & set(told["viewer"])


def test_the_manifest_says_so(database: Database, plan: str, tmp_path: Path) -> None:
    wanted = Wanted("grids", "geojson", small=LEAST)
    manifest = exports.write(database, VIEWER, Source(plan), wanted, tmp_path / "out.geojson")
    assert manifest["small_counts"] == {"below": LEAST, "kept_back": 2}
    assert "small_counts" not in exports.write(database, ANNA, Source(plan), wanted, tmp_path / "out.geojson")
