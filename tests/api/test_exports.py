"""Exports over HTTP: every format, from a plan and from a publication."""

from __future__ import annotations

import io
import zipfile
from typing import Any

import openpyxl
import pyarrow.parquet as pq
import pytest
from fastapi.testclient import TestClient

from gridsvc import exporting

Town = tuple[TestClient, dict[str, Any]]

STARTS = {
    "geojson": b'{"type":"FeatureCollection"',
    "gpkg": b"SQLite format 3",
    "fgb": b"fgb\x03fgb",
    "parquet": b"PAR1",
    "shp": b"PK",
    "kml": b"<?xml",
    "csv": b"code,name",
    "xlsx": b"PK",
}


CHILD = {"gpkg"}
"""Formats for which the tests do start a child; one is enough to see that it works."""


@pytest.fixture
def children(monkeypatch: pytest.MonkeyPatch) -> list[bytes]:
    """What is asked of children, which is done here: the same lines go in and come out, without a start."""
    asked: list[bytes] = []

    def here(url: str, line: bytes) -> bytes:
        asked.append(line)
        return exporting.answer(url, line)

    monkeypatch.setattr(exporting, "_by_a_child", here)
    return asked


def get(town: Town, **asked: Any) -> Any:
    return town[0].get("/v1/publications/1/export", params={"territory": "strip", **asked})


@pytest.mark.parametrize("fmt", STARTS)
def test_a_publication_comes_in_each_format(town: Town, fmt: str, request: pytest.FixtureRequest) -> None:
    asked = None if fmt in CHILD else request.getfixturevalue("children")
    answer = get(town, format=fmt)
    assert answer.status_code == 200, answer.text
    assert answer.content.startswith(STARTS[fmt])
    suffix = "zip" if fmt == "shp" else fmt
    assert f'filename="strip-1-grids.{suffix}"' in answer.headers["content-disposition"]
    if asked is not None:  # the worker pours text itself
        assert len(asked) == (fmt not in {"geojson", "kml", "csv"})
    if fmt == "shp":
        with zipfile.ZipFile(io.BytesIO(answer.content)) as archive:
            assert archive.read("grids.cpg") == b"UTF-8"


def test_files_are_gone_once_they_are_sent(town: Town, children: list[bytes]) -> None:
    get(town, format="gpkg")
    get(town, format="xlsx", layer="moves")
    assert len(children) == 2
    assert list(town[0].app.state.gridsvc.settings.exports.glob("get-*")) == []


@pytest.mark.usefixtures("children")
def test_what_the_files_hold(town: Town) -> None:
    client, told = town
    cells = pq.read_table(io.BytesIO(get(town, format="parquet", layer="cells").content))
    assert cells.num_rows == told["cells"]
    book = openpyxl.load_workbook(io.BytesIO(get(town, format="xlsx", layer="customers").content))
    assert book.worksheets[0].max_row == 1 + 90
    plan = client.get(f"/v1/plans/{told['plan']}/export", params={"layer": "teams", "clip": "territory"})
    assert plan.json()["gridsvc:manifest"]["plan"] == told["plan"]


@pytest.mark.usefixtures("children")
def test_the_manifest_comes_alone_where_a_file_has_no_place_for_it(town: Town) -> None:
    said = get(town, format="csv", layer="cells", manifest=True).json()
    assert (said["format"], said["features"]) == ("csv", town[1]["cells"])


def test_a_csv_for_excel_begins_with_its_mark(town: Town) -> None:
    assert get(town, format="csv", bom=True).content.startswith(b"\xef\xbb\xbf")


@pytest.mark.usefixtures("children")
def test_a_file_in_gcj02_is_called_so(town: Town) -> None:
    answer = get(town, format="gpkg", crs="gcj02")
    assert "strip-1-grids-gcj02.gpkg" in answer.headers["content-disposition"]


@pytest.mark.usefixtures("children")
@pytest.mark.parametrize(
    ("asked", "field"),
    [
        ({"crs": "EPSG:99999"}, "crs"),
        ({"crs": "EPSG:99999", "format": "gpkg"}, "crs"),
        ({"crs": "gcj02", "format": "kml"}, "crs"),
        ({"layer": "moves"}, "layer"),
        ({"layer": "moves", "format": "fgb"}, "layer"),
        ({"format": "dwg"}, "format"),
        ({"clip": "moon"}, "clip"),
    ],
)
def test_a_wrong_wish_names_its_field(town: Town, asked: dict[str, Any], field: str) -> None:
    answer = get(town, **asked)
    assert (answer.status_code, answer.json()["field"]) == (422, field), answer.text


@pytest.mark.usefixtures("children")
def test_nothing_is_exported_of_what_is_not_there(town: Town) -> None:
    client, _ = town
    for fmt in ("geojson", "gpkg"):
        there = {"territory": "strip", "format": fmt}
        assert client.get("/v1/publications/9/export", params=there).status_code == 404
        assert client.get("/v1/plans/none/export", params={"format": fmt}).status_code == 404
