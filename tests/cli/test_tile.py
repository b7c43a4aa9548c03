"""`gridsvc tile` with street blocks, estates and dirty layers, up to who owns what."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any

import geopandas
import numpy as np
import pytest
import shapely

from gridsvc.tiling.cellfile import read_cells
from gridsvc.tiling.coverage import coverage_report
from gridsvc.tiling.locate import Locator
from gridsvc.tiling.read import read_boundary, read_polygons
from tests.cli.conftest import SQUARE, Run, collection, polygon

COUNTY = Path(__file__).parents[2] / "data/samples/county"
ESTATES = ("--atoms", COUNTY / "estates.geojson")


def test_the_county_by_its_streets_and_estates_is_balanced_and_published(run: Run, tmp_path: Path) -> None:
    streets = ("--blocks", COUNTY / "roads.geojson", "--blocks", COUNTY / "rivers.geojson")
    nested = ("--parents", COUNTY / "townships.geojson")
    people = ("--customers", COUNTY / "customers.csv", "--measure", "customers=count")
    outline = ("--boundary", COUNTY / "boundary.geojson")
    tiled = run("tile", *outline, *streets, *nested, *ESTATES, *people, "-o", "cells.parquet", "--json")
    assert tiled.code == 0, tiled.err
    assert tiled.json["kind"] == "blocks"
    assert tiled.json["atoms"]["atoms"] == 46
    assert max(tiled.json["coverage"][part]["km2"] for part in ("gap", "overlap", "outside")) <= 1e-6
    solved = run("balance", "cells.parquet", "--grids", 12, "--measure", "customers:20%", "-o", "grids.csv")
    assert solved.code in {0, 3}, solved.err
    assigned = run("assign", "grids.csv", "cells.parquet", "--teams", COUNTY, "-o", "owners.csv")
    assert assigned.code == 0, assigned.err
    files = ("grids.csv", "cells.parquet", "owners.csv")
    done = run("publish", *files, "--territory", "county", *outline, "--teams", COUNTY)
    assert done.code == 0, done.err
    estates = read_polygons(COUNTY / "estates.geojson", "id", None)
    rng = np.random.default_rng(1)
    points = [
        (name, *(low + (high - low) * rng.random((20, 2))).T)
        for name, (low, high) in zip(
            estates.ids, shapely.bounds(estates.geometry).reshape(-1, 2, 2), strict=True
        )
    ]
    rows = [
        (f"{n}-{i}", y, x) for n, lon, lat in points for i, (x, y) in enumerate(zip(lon, lat, strict=True))
    ]
    with (tmp_path / "points.csv").open("w", newline="") as file:
        csv.writer(file).writerows([("id", "lat", "lon"), *rows])
    found = list(csv.DictReader(run("lookup", "--batch", "points.csv").out.splitlines()))
    grid_of: dict[str, set[str]] = {}
    for (_, lat, lon), answer in zip(rows, found, strict=True):
        for name in estates.ids[shapely.intersects_xy(estates.geometry, lon, lat)]:
            assert answer["cell"] == name
            grid_of.setdefault(name, set()).add(answer["grid"])
    assert len(grid_of) == len(estates.ids)
    assert all(len(grids) == 1 for grids in grid_of.values())


@pytest.mark.parametrize("suffix", ["parquet", "gpkg", "geojson"])
def test_hexagons_with_estates_come_back_from_their_file(run: Run, tmp_path: Path, suffix: str) -> None:
    tiled = run(
        "tile", "--boundary", COUNTY / "boundary.geojson", "--h3-res", 8, *ESTATES, "-o", f"cells.{suffix}"
    )
    assert tiled.code == 0, tiled.err
    assert "46 of them never split" in tiled.out
    made = read_cells(tmp_path / f"cells.{suffix}")
    assert (made.kind, made.resolution) == ("mixed", 8)
    assert made.atoms is not None
    assert made.atoms.sum() == 46
    report = coverage_report(made, read_boundary(COUNTY / "boundary.geojson", None))
    assert report["gap"]["km2"] <= 1e-6
    assert report["components"]["count"] == 1
    estates = read_polygons(COUNTY / "estates.geojson", "id", None)
    lon, lat = shapely.get_coordinates(shapely.point_on_surface(estates.geometry)).T
    assert [made.ids[row] for row in Locator(made).rows(lon, lat)] == estates.ids.tolist()


def dirty(tmp_path: Path) -> Path:
    left, bow = [[x / 2, y] for x, y in SQUARE], [[0.05, 0], [0.1, 0.1], [0.1, 0], [0.05, 0.1], [0.05, 0]]
    path = tmp_path / "dirty.geojson"
    path.write_text(json.dumps(collection(polygon(left, code="b"), polygon(bow, code="a"))))
    return path


def test_faults_are_written_though_the_layer_is_refused_and_repair_shows_what_it_did(
    run: Run, tmp_path: Path
) -> None:
    layer = ("--polygons", dirty(tmp_path), "--id-field", "code")
    refused = run("tile", *layer, "--faults", "faults.geojson", "-o", "cells.parquet")
    assert refused.code == 2
    assert "row 2" in refused.err
    assert not (tmp_path / "cells.parquet").exists()
    faults = json.loads((tmp_path / "faults.geojson").read_text())["features"]
    assert [f["properties"]["kind"] for f in faults] == ["invalid"]
    done = run("tile", *layer, "--repair", "lowest_id", "-o", "cells.parquet", "--json")
    assert done.code == 0, done.err
    (told,) = done.json["layers"]
    assert told["repair"]["made_valid"] == 1
    assert told["repair"]["changed"][0]["id"] == "a"


def test_sub_districts_are_mended_and_balanced(run: Run, shared_data: Path, tmp_path: Path) -> None:
    layer = ("--polygons", shared_data / "beijing_core6_simplified.geojson", "--id-field", "code")
    told = run("tile", *layer, "-o", "asis.parquet", "--faults", "faults.geojson", "--json").json
    assert told["coverage"]["overlap"]["km2"] > 0
    assert len(json.loads((tmp_path / "faults.geojson").read_bytes())["features"]) > 100
    mended = run("tile", *layer, "--repair", "longest_border", "-o", "mended.parquet", "--json").json
    assert mended["coverage"]["overlap"]["km2"] == mended["coverage"]["gap"]["km2"] == 0
    # An exclave which touches nothing here is a component of its own, and all else is another.
    assert sorted(mended["coverage"]["components"]["sizes"]) == [1, 138]
    cells = geopandas.read_parquet(tmp_path / "mended.parquet")
    assert cells["cell"].str.fullmatch(r"\d{12}").all()
    cells.assign(districts=1).to_parquet(tmp_path / "counted.parquet")
    plan = ("--grids", 20, "--measure", "districts:15%", "--islands", "attach")
    solved = run("balance", "counted.parquet", *plan, "-o", "grids.csv")
    assert solved.code == 0, solved.err
    with (tmp_path / "grids.csv").open() as file:
        assert len({row["grid"] for row in csv.DictReader(file)}) == 20


@pytest.fixture
def everything(tmp_path: Path) -> Path:
    """One GeoPackage with all that a tiling may be made of, a layer each."""
    path = tmp_path / "all.gpkg"

    def layer(called: str, /, *shapes: Any, **columns: list[Any]) -> None:
        geopandas.GeoDataFrame(columns, geometry=list(shapes), crs=4326).to_file(path, layer=called)

    west, east = shapely.box(0.3, 0.0, 0.35, 0.1), shapely.box(0.35, 0.0, 0.4, 0.1)
    layer("outline", shapely.box(0.3, 0.0, 0.4, 0.1))
    layer("wards", west, east, code=["01", "02"], name=["West", "East"], people=[1.0, 2.0])
    layer("estates", shapely.box(0.32, 0.02, 0.33, 0.03), id=["E1"])
    layer("streets", shapely.LineString([(0.29, 0.05), (0.41, 0.05)]), name=["High Street"])
    layer("rivers", shapely.LineString([(0.35, -0.01), (0.35, 0.11)]), name=["River"])
    layer("shops", *(shapely.Point(0.31 + i / 100, 0.025) for i in range(8)), id=[f"c{i}" for i in range(8)])
    return path


def test_one_layer_and_some_columns_of_a_file_become_cells(run: Run, everything: Path) -> None:
    wanted = ("--polygons", everything, "--id-field", "code", "-o", "cells.gpkg")
    asked = run("tile", *wanted)
    assert asked.code == 2
    assert "name one with --layer" in asked.err
    done = run("tile", *wanted, "--layer", "wards", "--columns", "people")
    assert done.code == 0, done.err
    cells = geopandas.read_file(everything.parent / "cells.gpkg")
    assert (sorted(cells["cell"]), "people" in cells, "name" in cells) == (["01", "02"], True, False)
    refused = run("tile", *wanted, "--layer", "wards", "--columns", "peeple")
    assert (refused.code, "peeple" in refused.err, "people" in refused.err) == (2, True, True)


def test_each_file_may_be_one_of_several_layers(run: Run, everything: Path) -> None:
    done = run(
        "tile", "--boundary", f"{everything}::outline", "--blocks", f"{everything}::streets",
        "--parents", f"{everything}::wards", "--atoms", f"{everything}::estates",
        "--barriers", f"{everything}::rivers", "--customers", f"{everything}::shops", "--id", "id",
        "-o", "cells.parquet", "--json",
    )  # fmt: skip
    assert done.code == 0, done.err
    assert (done.json["cells"], done.json["placement"]["placed"]) == (5, 8)
    cells = read_cells(everything.parent / "cells.parquet")
    assert "E1" in cells.names()
    hexes = run("tile", "--boundary", everything, "--layer", "outline", "--h3-res", 8, "-o", "h.parquet")
    assert hexes.code == 0, hexes.err
