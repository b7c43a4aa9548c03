"""`gridsvc adopt` and `gridsvc compare` on files."""

from __future__ import annotations

import csv
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import geopandas
import openpyxl
import pytest

from gridsvc.sample import COUNTY, DEFAULT_SEED, generate_scale
from tests.cli.conftest import Run, collection, polygon


def strip(west: float, east: float, **properties: Any) -> dict[str, Any]:
    return polygon([[west, 0.0], [east, 0.0], [east, 0.1], [west, 0.1], [west, 0.0]], **properties)


@pytest.fixture
def cells(run: Run, square: Path, customers: Path, tmp_path: Path) -> Path:
    path = tmp_path / "cells.parquet"
    said = run("tile", "--boundary", square, "--h3-res", 8, "--customers", customers, "-o", path)
    assert said.code == 0, said.err
    return path


@pytest.fixture
def old(tmp_path: Path) -> Path:
    """Two grids with a gap of 0.01 degree from 0.04 to 0.05, in it two rows of 20 customers."""
    path = tmp_path / "old.geojson"
    drawn = collection(
        strip(0.0, 0.04, code="W", name="West", lead="Bo"), strip(0.05, 0.1, code="E", name="East", lead="Cy")
    )
    path.write_text(json.dumps(drawn))
    return path


def rows(path: Path) -> list[dict[str, str]]:
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


def test_defects_come_first_then_cells(
    run: Run, cells: Path, old: Path, square: Path, customers: Path, tmp_path: Path
) -> None:
    said = run(
        *("adopt", "--grids", old, "--grid-field", "code", "--boundary", square, "--customers", customers),
        *(cells, "--report", "r.json", "--defects", "d.gpkg", "-o", "grids.csv"),
    )
    assert said.code == 0, said.err
    assert said.out.splitlines()[0] == "2 grids from old.geojson (2 rows, polygons)"
    assert "with 40 customers, 1 listed" in said.out.splitlines()[1]
    report = json.loads((tmp_path / "r.json").read_bytes())
    assert (report["gap_customers"], report["customers_at"]) == (40, "points")
    assert report["gaps"][0]["bbox"] == pytest.approx([0.04, 0.0, 0.05, 0.1], abs=1e-5)
    assert report["gap_km2"] == pytest.approx(12.3, abs=0.1)
    assert [(g["code"], g["name"], g["lead"]) for g in report["grids"]] == [
        ("W", "West", "Bo"),
        ("E", "East", "Cy"),
    ]
    layer = geopandas.read_file(tmp_path / "d.gpkg")
    assert layer["id"].tolist() == ["gap-1"]
    assert layer.total_bounds.tolist() == pytest.approx([0.04, 0.0, 0.05, 0.1], abs=1e-5)
    made = rows(tmp_path / "grids.csv")
    assert {row["cell"] for row in made} == set(geopandas.read_parquet(cells)["cell"])
    assert {row["grid"] for row in made} == {"W", "E"}


def test_without_boundary_and_customers_the_cells_do(
    run: Run, cells: Path, old: Path, tmp_path: Path
) -> None:
    said = run("adopt", "--grids", old, "--grid-field", "code", cells, "-o", "grids.csv", "--json")
    assert said.code == 0, said.err
    found = said.json
    assert found["customers_at"] == "middles of cells"
    assert found["gap_customers"] > 0
    assert found["gaps"][0]["km2"] == pytest.approx(12, abs=1)  # cut short where cells hang over the border
    assert found["gaps"][0]["grids"] == ["W", "E"]
    assert found["by"]["customers"] == 0
    assert found["edge_km2"] > 0


def test_cells_nobody_touches_are_left_out_if_asked(run: Run, cells: Path, tmp_path: Path) -> None:
    (tmp_path / "w.geojson").write_text(json.dumps(collection(strip(0.0, 0.04, grid="W"))))
    said = run("adopt", "--grids", "w.geojson", "--no-fill", cells, "-o", "some.csv")
    assert said.code == 0, said.err
    assert run("adopt", "--grids", "w.geojson", cells, "-o", "all.csv").code == 0
    assert len(rows(tmp_path / "some.csv")) < len(rows(tmp_path / "all.csv"))


def test_a_list_in_a_workbook(run: Run, cells: Path, old: Path, tmp_path: Path) -> None:
    assert run("adopt", "--grids", old, "--grid-field", "code", cells, "-o", "grids.csv").code == 0
    book = openpyxl.Workbook()
    book.active.append(["单元", "网格"])
    for row in rows(tmp_path / "grids.csv"):
        book.active.append([row["cell"], row["grid"]])
    book.save(tmp_path / "list.xlsx")
    said = run("adopt", "--grids", "list.xlsx", "--grid-field", "网格", cells, "-o", "again.csv", "--json")
    assert said.code == 0, said.err
    assert (said.json["gap_km2"], said.json["overlap_km2"], said.json["minority"]) == (0, 0, [])
    assert (tmp_path / "again.csv").read_bytes() == (tmp_path / "grids.csv").read_bytes()


def test_wrong_input_is_refused_in_one_line(refused: Any, cells: Path, old: Path, tmp_path: Path) -> None:
    (tmp_path / "l.csv").write_text("cell,grid\nzz,A\n")
    adopt = ("adopt", cells, "-o", "x.csv", "--grids")
    assert "take one of: code, name, lead" in refused(*adopt, old, "--grid-field", "nope")
    assert "l.csv, row 1, cell: there is no cell 'zz'" in refused(*adopt, "l.csv")
    assert "cannot be opened" in refused(*adopt, "gone.gpkg", "--grid-field", "code")
    assert "--defects" in refused(*adopt, old, "--grid-field", "code", "--defects", "d.doc")
    assert "is the output too" in refused(*adopt, old, "--grid-field", "code", "--report", "x.csv")


def test_the_countys_planted_defects_are_named(run: Run, tmp_path: Path) -> None:
    generate_scale(replace(COUNTY, customers=3_700), DEFAULT_SEED, tmp_path / "county")
    tiled = run("tile", "--boundary", "county/boundary.geojson", "--h3-res", 8, "-o", "cells.parquet")
    assert tiled.code == 0, tiled.err
    said = run(
        *("adopt", "--grids", "county/drawn_grids_last_year.geojson", "--grid-field", "code"),
        *("--boundary", "county/boundary.geojson", "--customers", "county/customers.csv"),
        *("cells.parquet", "-o", "grids.csv", "--json"),
    )
    assert said.code == 0, said.err
    truth = json.loads((tmp_path / "county" / "truth.json").read_bytes())["drawn_grids"]
    for kind in ("gaps", "overlaps"):
        for planted in truth[kind]:
            assert any(is_at(spot, planted) for spot in said.json[kind]), (kind, planted)
    assert len(said.json["apart"]) == truth["detached_parts"]


def is_at(spot: dict[str, Any], planted: dict[str, float]) -> bool:
    west, south, east, north = spot["bbox"]
    inside = west <= planted["lon"] <= east and south <= planted["lat"] <= north
    return inside and spot["km2"] == pytest.approx(planted["km2"], rel=0.02, abs=3e-4)


# --- compare


@pytest.fixture
def two(cells: Path, tmp_path: Path) -> tuple[str, str]:
    """A plan of two grids, and one in which the first cell has changed."""
    names = sorted(geopandas.read_parquet(cells)["cell"])
    for name, first in (("old.csv", "A"), ("new.csv", "B")):
        grids = [first, *("A" if i < 10 else "B" for i in range(1, len(names)))]
        lines = [f"{cell},{grid}" for cell, grid in zip(names, grids, strict=True)]
        (tmp_path / name).write_text("\n".join(["cell,grid", *lines]) + "\n")
    return "old.csv", "new.csv"


@pytest.mark.parametrize("form", ["json", "csv", "xlsx", "html"])
def test_what_moves_is_told_and_written(
    run: Run, cells: Path, two: tuple[str, str], form: str, tmp_path: Path
) -> None:
    said = run("compare", *two, cells, "-o", f"report.{form}")
    assert said.code == 0, said.err
    assert "1 of " in said.out
    assert "A -> B: 1 cells" in said.out
    content = (tmp_path / f"report.{form}").read_bytes()
    assert content.startswith(
        {"json": b"{", "csv": b"from,", "xlsx": b"PK", "html": b"<!doctype html>"}[form]
    )


def test_a_comparison_for_programs(run: Run, cells: Path, two: tuple[str, str]) -> None:
    found = run("compare", *two, cells, "--json").json
    assert (found["before"]["name"], found["after"]["name"]) == two
    assert [(flow["from"], flow["to"], flow["cells"]) for flow in found["grid_moves"]] == [("A", "B", 1)]
    assert found["total"]["customers"] == 400


def test_wrong_comparisons_are_refused(
    refused: Any, cells: Path, two: tuple[str, str], tmp_path: Path
) -> None:
    (tmp_path / "other.csv").write_text("cell,grid\n8828308281fffff,A\n")
    assert "tells no form of a report" in refused("compare", *two, cells, "-o", "report.doc")
    assert "is no column of numbers" in refused("compare", *two, cells, "--measure", "nope")
    assert "gives no grid to any of these cells" in refused("compare", "other.csv", two[1], cells)
