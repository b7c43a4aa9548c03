"""Real layers out and in again by programs of others: outlines, codes and names come back as they went."""

from __future__ import annotations

import csv
import json
import shutil
import sqlite3
import subprocess
import zipfile
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import geopandas
import numpy as np
import openpyxl
import pyarrow.parquet as pq
import pyogrio
import pytest
import shapely

from gridsvc.crs import geometry_from_wgs84
from gridsvc.errors import InvalidInput
from gridsvc.exchange.files import BESIDE, SUFFIXES, Wish, write_export
from gridsvc.exchange.geojson import DECIMALS
from gridsvc.exchange.layer import PART, Layer, flow_of
from gridsvc.exchange.shapefile import short_names
from gridsvc.exchange.style import PALETTE, filled_by
from gridsvc.tiling.read import read_polygons

MANIFEST = {"publication": 7, "checksum": "ab12", "simulated": False, "clip": "cells"}


@pytest.fixture(scope="module", params=["london", "beijing"])
def layer(request: pytest.FixtureRequest, shared_data: Path) -> Layer:
    """Areas as they are published, with a code which begins with a zero and numbers with gaps."""
    name = {"london": "london_msoa_electricity_2019", "beijing": "beijing_core6_simplified"}[request.param]
    found = read_polygons(shared_data / f"{name}.geojson", "code", None)
    n = len(found.ids)
    columns = {
        "code": found.ids.tolist(),
        "name": [str(value) for value in found.columns["name"]],
        "zero": [f"{i:012d}" for i in range(n)],
        "customers": list(range(n)),
        "customers_deviation": [None if i % 5 == 0 else i / 7 for i in range(n)],
        "网格负责人姓名": [None if i % 3 == 0 else f"员工{i:03d}" for i in range(n)],
        "carve_out": [i % 2 == 0 for i in range(n)],
    }
    return Layer(request.param, found.geometry, columns)


@pytest.fixture
def written(layer: Layer, tmp_path: Path) -> Callable[..., tuple[Path, dict[str, Any]]]:
    def write(fmt: str, **options: Any) -> tuple[Path, dict[str, Any]]:
        path = tmp_path / f"out.{SUFFIXES[fmt]}"
        wish = Wish(filled_by(layer, "name", "name"))
        return path, write_export(path, flow_of(layer), fmt, manifest=MANIFEST, wish=wish, **options)

    return write


def read(path: Path, fmt: str) -> geopandas.GeoDataFrame:
    if fmt == "parquet":
        return geopandas.read_parquet(path)
    if fmt == "csv":
        with path.open(encoding="utf-8", newline="") as file:
            rows = list(csv.DictReader(file))
        return geopandas.GeoDataFrame(
            {name: [row[name] or None for row in rows] for name in rows[0]},
            geometry=shapely.from_wkt([row["wkt"] for row in rows]),
        )
    place = f"/vsizip/{path}" if fmt == "shp" else path
    return pyogrio.read_dataframe(place, layer=pyogrio.list_layers(place)[0, 0])


@pytest.mark.parametrize("fmt", [fmt for fmt in SUFFIXES if fmt != "xlsx"])
def test_a_layer_comes_back_as_it_went(layer: Layer, written: Any, fmt: str) -> None:
    path, told = written(fmt)
    back = read(path, fmt)
    assert len(back) == told["features"] == len(layer.geometry)
    # Its reader keeps no other letters than ASCII in names of fields.
    names = {"name": "Name", "网格负责人姓名": 21 * "_"} if fmt == "kml" else {}
    if fmt == "shp":
        names = dict(zip(layer.columns, short_names(list(layer.columns)), strict=True))
    by_code = back.set_index(names.get("code", "code")).loc[layer.columns["code"]]  # an index may reorder
    for name in ("name", "zero", "网格负责人姓名"):
        found = [v if isinstance(v, str) and v else None for v in by_code[names.get(name, name)]]
        assert found == layer.columns[name], name
    for name in ("customers", "customers_deviation"):
        expected = np.array([np.nan if v is None else v for v in layer.columns[name]], float)
        found = np.array(
            [np.nan if v is None or v == "" else v for v in by_code[names.get(name, name)]], float
        )
        assert np.allclose(found, expected, rtol=1e-13, atol=0, equal_nan=True), name
    step = 10.0**-DECIMALS if fmt == "geojson" else 1e-13
    distance = shapely.hausdorff_distance(by_code.geometry.to_numpy(), layer.geometry)
    assert distance.max() <= step
    assert shapely.area(by_code.geometry.to_numpy()) == pytest.approx(shapely.area(layer.geometry), rel=1e-4)


def test_a_workbook_has_the_rows_and_a_point_inside_each(layer: Layer, written: Any) -> None:
    path, told = written("xlsx")
    book = openpyxl.load_workbook(path, read_only=True)
    header, *rows = book.worksheets[0].iter_rows(values_only=True)
    assert header == (*layer.columns, "lon", "lat")
    for at, row in enumerate(rows):
        for value, values in zip(row, layer.columns.values(), strict=False):
            number = isinstance(value, float)
            assert value == (pytest.approx(values[at], rel=1e-15) if number else values[at])
        assert shapely.intersects_xy(layer.geometry[at], *row[-2:])
    said = dict(book["manifest"].iter_rows(values_only=True))
    assert (said["checksum"], said["features"]) == ("ab12", str(told["features"]))


def carried(path: Path, fmt: str) -> dict[str, Any]:
    """The manifest in a file, or beside it."""
    if fmt in BESIDE:
        return dict(json.loads(path.with_name(f"{path.name}.manifest.json").read_text(encoding="utf-8")))
    if fmt == "geojson":
        return dict(json.loads(path.read_text(encoding="utf-8"))["gridsvc:manifest"])
    if fmt == "parquet":
        return dict(json.loads(pq.read_metadata(path).metadata[b"gridsvc:manifest"]))
    if fmt == "gpkg":
        with closing(sqlite3.connect(path)) as connection:
            joined = "gpkg_metadata JOIN gpkg_metadata_reference ON md_file_id = id"
            return dict(json.loads(connection.execute(f"SELECT metadata FROM {joined}").fetchone()[0]))
    if fmt == "shp":
        with zipfile.ZipFile(path) as archive:
            return dict(json.loads(archive.read(next(n for n in archive.namelist() if "manifest" in n))))
    text = path.read_text(encoding="utf-8")
    return dict(json.loads(text.split('<Data name="gridsvc:manifest"><value>')[1].split("</value>")[0]))


@pytest.mark.parametrize("fmt", [fmt for fmt in SUFFIXES if fmt != "xlsx"])
def test_each_file_tells_the_same_of_itself(layer: Layer, written: Any, fmt: str) -> None:
    path, told = written(fmt)
    found = carried(path, fmt)
    assert found | MANIFEST == found
    assert (found["crs"], found["features"], found["format"]) == ("wgs84", len(layer.geometry), fmt)
    assert list(found["columns"]) == list(layer.columns)
    box = list(shapely.total_bounds(layer.geometry))
    assert found["bbox"] == told["bbox"] == pytest.approx(box, abs=1e-7)


@pytest.mark.parametrize("fmt", ["geojson", "gpkg", "fgb", "parquet", "shp"])
@pytest.mark.parametrize("crs", ["EPSG:4490", "EPSG:3857"])
def test_another_system_is_told_and_kept(layer: Layer, written: Any, fmt: str, crs: str) -> None:
    back = read(written(fmt, crs=crs)[0], fmt)
    assert back.crs.equals(crs, ignore_axis_order=True)
    expected = shapely.total_bounds(geometry_from_wgs84(layer.geometry, crs))
    assert back.total_bounds == pytest.approx(expected, abs=1e-6)


@pytest.mark.parametrize("fmt", ["gpkg", "fgb", "parquet", "shp", "geojson", "csv"])
@pytest.mark.parametrize("crs", ["gcj02", "bd09"])
def test_what_has_no_code_never_passes_for_wgs84(written: Any, fmt: str, crs: str) -> None:
    path, told = written(fmt, crs=crs)
    assert "not WGS-84" in told["crs_note"]
    if fmt == "geojson":  # which knows no other system: its members tell
        document = json.loads(path.read_text(encoding="utf-8"))
        assert (document["gridsvc:crs"], document["name"].endswith(crs)) == (crs, True)
    elif fmt == "csv":
        assert set(read(path, fmt)["crs"]) == {crs}
    else:
        system = read(path, fmt).crs
        assert system is None or not (system.is_geographic or system.to_epsg())


def test_kml_in_another_system_is_refused(written: Any) -> None:
    with pytest.raises(InvalidInput, match="always WGS-84"):
        written("kml", crs="gcj02")


@pytest.mark.parametrize("fmt", ["gpkg", "fgb", "geojson", "kml", "shp"])
def test_an_older_gdal_reads_it_too(layer: Layer, written: Any, fmt: str) -> None:
    if shutil.which("ogrinfo") is None:
        pytest.skip("ogrinfo is not here")
    path, _ = written(fmt)
    place = f"/vsizip/{path}" if fmt == "shp" else str(path)
    told = subprocess.run(["ogrinfo", "-so", "-al", place], capture_output=True, text=True, check=True)
    assert f"Feature Count: {len(layer.geometry)}" in told.stdout
    assert "ERROR" not in told.stderr


def test_ogr2ogr_takes_kml_as_it_was_meant(layer: Layer, written: Any, tmp_path: Path) -> None:
    """Names, outlines and the colour of each, as GDAL's own program understands them."""
    if shutil.which("ogr2ogr") is None:
        pytest.skip("ogr2ogr is not here")
    path, _ = written("kml")
    turned = tmp_path / "turned.geojson"
    command = ["ogr2ogr", "-f", "GeoJSON", "-lco", "COORDINATE_PRECISION=15", str(turned), str(path)]
    told = subprocess.run(command, capture_output=True, text=True, check=True)
    assert "ERROR" not in told.stderr
    features = json.loads(turned.read_text(encoding="utf-8"))["features"]
    assert [feature["properties"]["Name"] for feature in features] == layer.columns["name"]
    found = shapely.force_2d(shapely.from_geojson([json.dumps(f["geometry"]) for f in features]))
    assert shapely.hausdorff_distance(found, layer.geometry).max() < 1e-12
    document = path.read_text(encoding="utf-8")
    red, green, blue = (f"{int(part):02x}" for part in PALETTE[0].split(","))
    first = document.split('<Style id="s0">')[1].split("</Style>")[0]
    assert f"<PolyStyle><color>80{blue}{green}{red}</color>" in first  # KML counts backwards
    lowest = min(layer.columns["name"])
    assert f"<name>{lowest}</name><styleUrl>#s0</styleUrl>" in document


@pytest.mark.parametrize("fmt", ["geojson", "gpkg", "parquet", "csv"])
def test_rows_which_pass_in_several_parts_keep_their_places(tmp_path: Path, fmt: str) -> None:
    n = 2 * PART + 3
    points = shapely.points(np.column_stack([np.arange(n) / 1000, np.zeros(n)]))
    path = tmp_path / f"out.{fmt}"
    told = write_export(path, flow_of(Layer("many", points, {"code": [f"{i:05d}" for i in range(n)]})), fmt)
    back = read(path, fmt)
    assert told["features"] == len(back) == n
    assert back["code"].tolist() == [f"{i:05d}" for i in range(n)]
    assert (shapely.get_x(back.geometry.to_numpy()) * 1000).round().tolist() == list(range(n))
