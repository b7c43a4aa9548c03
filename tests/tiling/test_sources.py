"""Every format in: the same rows, text and ids; what is to be chosen is asked; hints change nothing."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import shapely

from gridsvc import crs
from gridsvc.errors import InvalidInput, UnknownColumn, UnreadableFile
from gridsvc.tiling.read import read_polygons
from gridsvc.tiling.sources.guard import read_into, survey
from gridsvc.tiling.sources.hints import hints_of, zone_of
from gridsvc.tiling.sources.reading import layers_of, read
from gridsvc.tiling.sources.rows import Choice, Limits, Rows
from tests.tiling.hostile.case import BOX, EAST, features, frame, shapefile, zipped
from tests.tiling.hostile.tables import KML

NAMES = ["海淀区", "朝阳区"]
Make = Callable[[Path], None]


def table() -> Any:
    return frame(BOX, EAST, code=["0101", "0102"], name=NAMES)


def shp_zip(path: Path, folder: str = "", encoding: str = "UTF-8", *, cpg: bool = True) -> None:
    parts = shapefile(path.parent, table(), encoding=encoding)
    kept = {suffix: content for suffix, content in parts.items() if cpg or suffix != ".cpg"}
    zipped(path, *((f"{folder}网格{suffix}", content) for suffix, content in kept.items()))


def kml(path: Path) -> None:
    places = "".join(
        f"<Placemark><name>{name}</name><ExtendedData><Data name='code'><value>{code}</value></Data>"
        f"</ExtendedData><Polygon><outerBoundaryIs><LinearRing><coordinates>"
        + " ".join(f"{x},{y},0" for x, y in shapely.get_coordinates(shape))
        + "</coordinates></LinearRing></outerBoundaryIs></Polygon></Placemark>"
        for shape, name, code in zip((BOX, EAST), NAMES, ("0101", "0102"), strict=True)
    )
    path.write_text(KML.format(head="", body=places), encoding="utf-8")


def kmz(path: Path) -> None:
    kml(path.with_suffix(".kml"))
    zipped(path, ("doc.kml", path.with_suffix(".kml").read_bytes()))


def lines(path: Path) -> None:
    rows = json.loads(table().to_json())["features"]
    path.write_text("\n".join("\x1e" + json.dumps(row, ensure_ascii=False) for row in rows), encoding="utf-8")


def wkt(path: Path) -> None:
    rows = [f'{c},{n},"{g.wkt}"' for c, n, g in zip(("0101", "0102"), NAMES, (BOX, EAST), strict=True)]
    path.write_text("\n".join(["code,name,wkt", *rows]), encoding="utf-8")


def workbook(path: Path) -> None:
    import openpyxl

    book = openpyxl.Workbook()
    sheet = book.active
    assert sheet is not None
    for row in [("code", "name", "WKT"), ("0101", NAMES[0], BOX.wkt), ("0102", NAMES[1], EAST.wkt)]:
        sheet.append(row)
    book.save(path)


MADE: dict[str, Make] = {
    "a.geojson": lambda path: table().to_file(path),
    "a.geojsonl": lines,
    "a.gpkg": lambda path: table().to_file(path),
    "a.fgb": lambda path: table().to_file(path),
    "a.parquet": lambda path: table().to_parquet(path),
    "a.shp": lambda path: table().to_file(path),
    "flat.zip": shp_zip,
    "folder.zip": lambda path: shp_zip(path, "数据/"),
    "gbk.zip": lambda path: shp_zip(path, encoding="GBK"),
    "gbk-unsaid.zip": lambda path: shp_zip(path, encoding="GBK", cpg=False),
    "a.kml": kml,
    "a.kmz": kmz,
    "a.csv": wkt,
    "a.xlsx": workbook,
}


@pytest.mark.parametrize("name", MADE)
def test_every_format_gives_the_same_rows(tmp_path: Path, name: str) -> None:
    MADE[name](tmp_path / name)
    rows = read(tmp_path / name)
    column = "Name" if "Name" in rows.columns else "name"
    order = np.argsort(rows.columns["code"])  # FlatGeobuf sorts its rows by place
    assert [rows.columns["code"][i] for i in order] == ["0101", "0102"]
    assert [rows.columns[column][i] for i in order] == NAMES
    assert shapely.equals(rows.geometry[order], [BOX, EAST]).all()
    assert rows.source == name


@pytest.mark.parametrize("name", ["a.kmz", "flat.zip", "a.csv"])
def test_each_can_become_cells(tmp_path: Path, name: str) -> None:
    MADE[name](tmp_path / name)
    assert sorted(read_polygons(tmp_path / name, "code", None).ids.tolist()) == ["0101", "0102"]


def test_guessed_text_is_said(tmp_path: Path) -> None:
    shp_zip(tmp_path / "a.zip", encoding="GBK", cpg=False)
    assert [note["code"] for note in read(tmp_path / "a.zip").notes] == ["text-encoding"]
    shp_zip(tmp_path / "b.zip")
    assert read(tmp_path / "b.zip").notes == ()


def test_points_come_from_columns_named_or_guessed(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text("编号,经度,纬度,e,n\n007,116.1,39.1,1,2\n008,,,3,4\n", encoding="gbk")
    rows = read(path)
    assert shapely.get_coordinates(rows.geometry).tolist() == [[116.1, 39.1]]
    assert rows.geometry[1] is None
    assert rows.columns["编号"] == ["007", "008"]
    named = read(path, Choice(lon="e", lat="n"))
    assert shapely.get_coordinates(named.geometry).tolist() == [[1, 2], [3, 4]]


def test_layers_are_listed_and_chosen(tmp_path: Path) -> None:
    path = tmp_path / "two.gpkg"
    frame(BOX).to_file(path, layer="街道")
    frame(EAST, EAST).to_file(path, layer="社区", mode="a")
    assert layers_of(path) == ["街道", "社区"]
    with pytest.raises(
        InvalidInput, match=r"several layers; name one with --layer, or as .*: 街道, 社区"
    ) as caught:
        read(path)
    assert caught.value.details["layers"] == ["街道", "社区"]
    assert len(read(path, Choice("社区")).geometry) == 2
    assert len(read(tmp_path / "two.gpkg::社区").geometry) == 2
    with pytest.raises(InvalidInput, match="has no layer '区县'"):
        read(path, Choice("区县"))


def test_sheets_are_listed_and_chosen(tmp_path: Path) -> None:
    import openpyxl

    book = openpyxl.Workbook()
    for name, code in (("一", "007"), ("二", "008")):
        sheet = book.create_sheet(name)
        for row in (("code", "lon", "lat"), (code, 116.5, 39.5)):
            sheet.append(row)
    del book["Sheet"]
    path = tmp_path / "two.xlsx"
    book.save(path)
    first = read(path)
    assert (first.layer, first.columns["code"], [n["code"] for n in first.notes]) == (
        "一",
        ["007"],
        ["first-sheet"],
    )
    second = read(tmp_path / "two.xlsx::二")
    assert (second.layer, second.columns["code"], second.notes) == ("二", ["008"], ())
    with pytest.raises(InvalidInput, match="has no layer '三'"):
        read(path, Choice("三"))


def test_columns_are_chosen(tmp_path: Path) -> None:
    MADE["a.gpkg"](tmp_path / "a.gpkg")
    assert list(read(tmp_path / "a.gpkg", Choice(columns=("name",))).columns) == ["name"]
    with pytest.raises(UnknownColumn, match="no column 'kode'; take one of: code, name"):
        read(tmp_path / "a.gpkg", Choice(columns=("kode",)))


@pytest.mark.parametrize("code", [4490, 4528, 4549, 32650])
def test_a_shapefile_says_its_system(tmp_path: Path, code: int) -> None:
    path = tmp_path / "a.zip"
    parts = shapefile(tmp_path, table().to_crs(code))
    zipped(path, *((f"a{suffix}", content) for suffix, content in parts.items()))
    assert read(path).crs == f"EPSG:{code}"


def test_a_layer_far_beyond_the_limits_names_the_row(tmp_path: Path) -> None:
    path = tmp_path / "a.geojson"
    path.write_text(features(BOX, EAST))
    with pytest.raises(InvalidInput) as caught:
        read(path, limits=Limits(vertices=7))
    assert caught.value.row == 2
    with pytest.raises(InvalidInput, match=r"has 2 rows, more than 1"):
        read(path, limits=Limits(features=1))
    with pytest.raises(InvalidInput, match=r"larger than 0 MB"):
        read(path, limits=Limits(size=10))


# --- in a process of its own


def test_a_layer_becomes_geojson_in_wgs84_with_its_account(tmp_path: Path) -> None:
    path = tmp_path / "a.gpkg"
    table().to_crs(4549).to_file(path)
    told = read_into(path, tmp_path / "out.geojson")
    assert told["crs"]["name"] == "EPSG:4549"
    assert told["crs"]["accuracy_m"] == 1.0
    assert told["geometry"] == {"Polygon": 2}
    out = read(tmp_path / "out.geojson")
    assert out.columns["name"] == NAMES
    assert shapely.hausdorff_distance(out.geometry, [BOX, EAST]).max() < 1e-8


def test_every_layer_is_surveyed(tmp_path: Path) -> None:
    path = tmp_path / "two.gpkg"
    frame(BOX).to_file(path, layer="a")
    frame(EAST, EAST).to_file(path, layer="b", mode="a")
    assert [(told["layer"], told["features"]) for told in survey(path)] == [("a", 1), ("b", 2)]


@pytest.mark.parametrize(
    ("attribute", "value", "what"),
    [("memory", 1_000_000, "of memory to read"), ("seconds", 0.001, "takes longer than")],
)
def test_who_overruns_the_budget_is_ended(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, attribute: str, value: float, what: str
) -> None:
    import gridsvc.tiling.sources.guard as guard

    class Small(guard.Budget):
        def __init__(self, size: int) -> None:
            super().__init__(size)
            setattr(self, attribute, value)

    monkeypatch.setattr(guard, "Budget", Small)
    path = tmp_path / "a.geojson"
    path.write_text(features(*[BOX] * 20_000))
    with pytest.raises(UnreadableFile, match=what):
        read_into(path, tmp_path / "out.geojson")


# --- hints


def told(x: Any, y: Any, system: str | None = None, source: str = "a.csv") -> dict[str, str]:
    rows = Rows(np.asarray(shapely.points(x, y), object), {}, None, source)
    return {hint["code"]: hint["message"] for hint in hints_of(rows, system)}


LON, LAT = np.array([114.0, 114.1]), np.array([22.5, 22.6])


def test_what_is_right_gets_no_hint() -> None:
    assert told(LON, LAT) == {}
    assert told(*crs.from_wgs84(LON, LAT, "EPSG:4526"), "EPSG:4526") == {}
    assert told([-0.1, 0.2], [51.4, 51.5]) == {}


@pytest.mark.parametrize("name", ["a.geojson", "a.json"])
def test_a_ring_without_its_end_is_closed_and_told(tmp_path: Path, name: str) -> None:
    whole = [[0.0, 0.0], [1.0, 0.0], [1.0, 1.0], [0.0, 1.0], [0.0, 0.0]]
    rows = [
        {"type": "Feature", "properties": {}, "geometry": {"type": "Polygon", "coordinates": [ring]}}
        for ring in (whole, whole[:-1], whole)
    ]
    (tmp_path / name).write_text(json.dumps({"type": "FeatureCollection", "features": rows}))
    found = read(tmp_path / name)
    assert shapely.equals(found.geometry, found.geometry[0]).all()
    assert [(note["code"], "first: row 2" in note["message"]) for note in found.notes] == [
        ("rings-closed", True)
    ]
    (tmp_path / name).write_text(json.dumps({"type": "FeatureCollection", "features": rows[::2]}))
    assert read(tmp_path / name).notes == ()


def test_exchanged_axes_are_seen() -> None:
    assert set(told(LAT, LON)) == {"swapped-axes"}


@pytest.mark.parametrize("code", [4526, 4528, 4513, 4533, 4491, 4501])
def test_the_zone_number_in_an_easting_names_the_system(code: int) -> None:
    middle = {4526: 114.0, 4528: 120.0, 4513: 75.0, 4533: 135.0, 4491: 75.0, 4501: 135.0}[code]
    x, y = crs.from_wgs84([middle + 0.3], [30.0], f"EPSG:{code}")
    assert zone_of(float(x[0])) == code
    assert f"EPSG:{code}" in told(x, y)["metres-as-degrees"]
    assert f"EPSG:{code}" in told(y, x)["survey-axes"]  # as surveyors write them


def test_a_system_nobody_can_convert_gets_no_hint_of_axes() -> None:
    assert told([2_500_000.0], [500_000.0], "EPSG:2383") == {}


@pytest.mark.parametrize(
    ("code", "named"),
    [(4528, "EPSG:4527 or EPSG:4528"), (4526, "EPSG:4526"), (4547, ""), (4549, "")],
)
def test_surveyors_axes_are_seen_also_far_from_the_middle_of_a_zone(code: int, named: str) -> None:
    x, y = crs.from_wgs84(np.array([114.02, 114.05]), np.array([22.51, 22.55]), f"EPSG:{code}")
    for declared in (f"EPSG:{code}", *([None] if code != 4549 else [])):  # one without sign or number is none
        hints = told(y, x, declared)
        assert set(hints) == {"survey-axes"}
        assert named in hints["survey-axes"]
        assert "survey-axes" not in told(x, y, declared)


def test_an_easting_without_zone_number_leaves_the_choice() -> None:
    x, y = crs.from_wgs84(LON, LAT, "EPSG:4547")
    assert "EPSG:4534 (75 E) to EPSG:4554" in told(x, y)["metres-as-degrees"]
    assert re.search("exchange", told(y, x, "EPSG:4526").get("survey-axes", "exchange"))


def test_degrees_in_a_system_of_metres_are_seen() -> None:
    assert set(told(LON, LAT, "EPSG:4549")) == {"degrees-as-metres"}


def test_a_name_which_speaks_of_gcj02_is_heard() -> None:
    assert set(told(LON, LAT, source="stations_gcj02.csv")) == {"named-gcj02"}
    assert set(told(LON, LAT, source="百度坐标.csv")) == {"named-bd09"}
    assert told(LON, LAT, "gcj02", source="stations_gcj02.csv") == {}
