"""Names which look like formulas stay names, in every table, and come back as they were."""

from __future__ import annotations

import csv
import io
import re
import zipfile
from pathlib import Path

import numpy as np
import openpyxl
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from gridsvc.exchange.files import write_export
from gridsvc.exchange.layer import Layer, flow_of
from gridsvc.exchange.outgoing import Outgoing
from gridsvc.exchange.shapefile import short_names
from gridsvc.exchange.spreadsheet import csv_pieces
from gridsvc.exchange.texts import as_meant, from_workbook, inert, workbook_text

WILD = [
    '=HYPERLINK("http://x")',
    "'=1",
    "''@a",
    "+86 10",
    "-",
    "＝1+1",
    "\t=1",
    "@SUM(A1)",
    "a\rb",
    "_x0041_",
    "-5",
]


def active(text: str) -> str:
    """What a reader does who follows the rule."""
    return text[1:] if re.match(r"'+[=+\-@\t\r\n＝＋－＠]", text) else text


@given(st.text(alphabet="'=+-@\t\r\n＝1.a中", max_size=6))
def test_no_text_is_a_formula_and_none_is_lost(text: str) -> None:
    shown = inert(text)
    assert active(shown) == as_meant(shown) == text
    assert not re.match(r"[=@\t\r\n＝＋－＠]", shown)
    assert not re.match(r"[+-]", shown) or re.fullmatch(r"[+-]\d+(\.\d+)?", shown)


def points(names: list[str]) -> Layer:
    return Layer("x", shapely.points(np.zeros((len(names), 2))), {"name": names})


def test_a_csv_with_wild_names_reads_back(tmp_path: Path) -> None:
    text = b"".join(csv_pieces(Outgoing(flow_of(points(WILD))), bom=True))
    assert text.startswith(b"\xef\xbb\xbf")
    rows = list(csv.DictReader(io.StringIO(text.decode("utf-8-sig"), newline="")))
    assert [active(row["name"]) for row in rows] == WILD


def test_a_workbook_with_wild_names_reads_back(tmp_path: Path) -> None:
    path = tmp_path / "x.xlsx"
    names = [*WILD, "bell\x07"]
    write_export(path, flow_of(points(names)), "xlsx")
    cells = [row[0] for row in openpyxl.load_workbook(path).worksheets[0].iter_rows(min_row=2)]
    assert {cell.data_type for cell in cells} == {"s"}
    unescaped = [re.sub("_x([0-9A-F]{4})_", lambda m: chr(int(m[1], 16)), cell.value) for cell in cells]
    assert unescaped == names
    with zipfile.ZipFile(path) as archive:
        assert b"<f>" not in b"".join(archive.read(name) for name in archive.namelist())


def test_what_looks_escaped_is_escaped() -> None:
    assert workbook_text("_x0041_\x07") == "_x005F_x0041__x0007_"


@given(st.text(alphabet="_x0041FD\x07\r\n中", max_size=16))
def test_a_cell_of_a_workbook_says_what_was_written(text: str) -> None:
    assert from_workbook(workbook_text(text)) == text


@settings(max_examples=60)
@given(st.lists(st.text(alphabet="abcAB_ 中文é-", max_size=14), min_size=1, max_size=12, unique=True))
def test_short_names_are_short_and_different(names: list[str]) -> None:
    short = short_names(names)
    assert all(0 < len(name.encode()) <= 10 for name in short)
    taken = [name for name in names if name in short]
    lower = [name.lower() for name in short]
    assert len(set(lower)) == len(lower) or len({n.lower() for n in taken}) < len(taken)


def test_short_names_are_like_the_given_ones() -> None:
    assert short_names(["code", "customers_target", "customers_deviation", "网格负责人姓名", "Code"]) == [
        "code",
        "customers_",
        "customer_2",
        "网格负",
        "Code_2",
    ]


def test_long_texts_of_a_shapefile_are_cut_between_characters_and_told(tmp_path: Path) -> None:
    told = {}
    path = tmp_path / "x.zip"
    told = write_export(path, flow_of(points(["中" * 100, "short"])), "shp")
    import pyogrio

    assert pyogrio.read_dataframe(f"/vsizip/{path}")["name"].tolist() == ["中" * 84, "short"]
    assert told["columns"]["name"]["cut"] == 1


def test_a_style_with_wild_names_is_still_xml() -> None:
    import xml.etree.ElementTree as ET

    from gridsvc.exchange.geopackage import _qml
    from gridsvc.exchange.style import Style

    root = ET.fromstring(_qml(Style("na<me", 'na"me', ('<&"\x07', "中"))).split(">", 1)[1])
    assert [c.get("value") for c in root.iter("category")][:2] == ['<&"\ufffd', "中"]


@pytest.mark.parametrize("fmt", ["geojson", "gpkg", "fgb", "parquet", "csv", "kml", "xlsx", "shp"])
def test_a_layer_without_rows_is_still_a_file(tmp_path: Path, fmt: str) -> None:
    path = tmp_path / f"x.{'zip' if fmt == 'shp' else fmt}"
    told = write_export(path, flow_of(Layer("x", np.zeros(0, object), {"a": []})), fmt)
    assert (told["features"], told["bbox"], path.stat().st_size > 0) == (0, None, True)
