"""The realignment report as files: read back they say the same, and no text of theirs can do anything."""

from __future__ import annotations

import base64
import csv
import hashlib
import io
import re
from datetime import UTC, datetime
from html.parser import HTMLParser
from typing import Any

import numpy as np
import openpyxl
import pytest

from gridsvc.exchange.comparison import page, sheets
from gridsvc.exchange.comparison.report import AREA, CUSTOMERS, Report, Side, TeamName
from gridsvc.exchange.comparison.words import WORDS
from gridsvc.plans.compare import Ground, compare
from gridsvc.plans.plan import Grid, Plan

WILD = '=HYPERLINK("http://x")<script>alert(1)</script>&\x07'


def report(**changes: Any) -> Report:
    """Four cells; one goes from 01 to 02, one from 02 to the new grid."""
    before = Plan(np.array([0, 0, 1, 1], np.int32), (Grid("01", WILD, "t1"), Grid("02", "South", "t2")))
    after = Plan(np.array([0, 1, 1, 2], np.int32), (*before.grids, Grid("@3", "New 新", None)))
    amounts = {
        CUSTOMERS: np.array([1.0, 2.0, 3.0, 4.0]),
        "customers": np.array([1.0, 2.0, 3.0, 4.0]),
        "kwh": np.array([10.5, 20.25, 0.0, 7.0]),
        AREA: np.full(4, 0.5),
    }
    ground = Ground(np.arange(4.0), np.zeros(4), np.full(4, 5e5))
    targets = {code: {"kwh": 10.0} for code in ("01", "02", "@3")}
    given: dict[str, Any] = {
        "territory": "elbe",
        "territory_name": "Elbe <易北>",
        "simulated": True,
        "customers_word": "用户",
        "made_at": datetime(2026, 3, 1, 9, 30, tzinfo=UTC),
        "tiling": "til_1",
        "before": Side("pln_1", "", publication=3, effective_at=datetime(2026, 1, 1, tzinfo=UTC)),
        "after": Side("pln_2", "=next", revision=4, status="draft"),
        "comparison": compare(before, after, amounts, ground, (targets, targets)),
        "measures": ("customers", "kwh"),
        "counted": "customers",
        "teams": {"t1": TeamName("North & co", "Ann"), "t2": TeamName("-South", None)},
        "cells": [("c1", "01", "02"), ("c3", "02", "@3")],
    }
    return Report(**(given | changes))


def test_csv_reads_back_as_what_moved() -> None:
    rows = list(csv.DictReader(io.StringIO(sheets.csv_text(report()))))
    assert [(row["from"], row["to"], row["cells"], row["customers"], row["kwh"]) for row in rows] == [
        ("02", "'@3", "1", "4", "7"),
        ("01", "02", "1", "2", "20.25"),
    ]
    assert [row["area_km2"] for row in rows] == ["0.5", "0.5"]


def test_no_text_of_a_csv_starts_a_formula() -> None:
    cells = [cell for row in csv.reader(io.StringIO(sheets.csv_text(report()))) for cell in row]
    assert any(cell.startswith("'=HYPERLINK") for cell in cells)
    assert not [cell for cell in cells if cell.startswith(("=", "+", "-", "@"))]


def test_excel_is_told_of_utf_8_if_asked() -> None:
    plain, marked = sheets.csv_text(report()), sheets.csv_text(report(), bom=True)
    assert marked.encode().startswith(b"\xef\xbb\xbf")
    assert marked == "\ufeff" + plain


def book(**changes: Any) -> openpyxl.Workbook:
    return openpyxl.load_workbook(io.BytesIO(sheets.workbook(report(**changes), "en")))


def test_a_workbook_reads_back_as_the_report() -> None:
    found = book()
    summary, by_grid, by_team, grids, moved = (found[WORDS["en"][name]] for name in SHEETS)
    assert [cell.value for cell in by_grid[2]] == [
        *("02", "South", "t2", "@3", "New 新", None, 1, 0.5, 4, 7),
    ]
    assert by_team.max_row == 3
    assert [[cell.value for cell in row] for row in moved.iter_rows(min_row=2)] == [
        ["c1", "01", "02"],
        ["c3", "02", "@3"],
    ]
    assert grids.max_row == 4
    texts = [str(cell.value) for row in summary.iter_rows() for cell in row]
    assert WORDS["en"]["simulated"] in texts
    assert "Elbe <易北> (elbe)" in texts


SHEETS = ("summary", "by_grid", "by_team", "each_grid", "moved_cells")


def test_a_workbook_does_not_list_cells_without_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sheets, "_MOST_CELLS", 1)
    rows = [[cell.value for cell in row] for row in book()["Moved cells"].iter_rows(min_row=2)]
    assert rows == [["c1", "01", "02"], ["and 1 more: ask for JSON with its cells", None, None]]


def test_texts_of_a_workbook_are_no_formulas() -> None:
    kinds = {
        cell.data_type
        for sheet in book().worksheets
        for row in sheet.iter_rows()
        for cell in row
        if cell.value
    }
    assert kinds == {"s", "n"}


def test_a_workbook_is_written_in_chinese_too() -> None:
    found = openpyxl.load_workbook(io.BytesIO(sheets.workbook(report(), "zh")))
    assert found.sheetnames == ["概要", "网格间划转", "团队间划转", "各网格调整前后", "划转单元"]
    assert "用户" in [cell.value for cell in found["网格间划转"][1]]


class _Tags(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))


def tags(text: str) -> list[tuple[str, dict[str, str | None]]]:
    parser = _Tags()
    parser.feed(text)
    return parser.found


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_the_page_runs_nothing_and_loads_nothing(lang: Any) -> None:
    text = page.page(report(), lang)
    found = tags(text)
    assert not {"script", "link", "img", "iframe", "object"} & {tag for tag, _ in found}
    names = {name for _, attributes in found for name in attributes}
    assert not [name for name in names if name.startswith("on") or name in {"style", "src", "href"}]
    assert "url(" not in text
    assert "&lt;script&gt;" in text
    assert "Elbe &lt;易北&gt;" in text


def test_the_policy_allows_the_pages_own_style_only() -> None:
    (style,) = re.findall(r"<style>(.*?)</style>", page.page(report()), re.DOTALL)
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    assert f"style-src 'sha256-{digest}'" in page.POLICY
    assert page.POLICY.startswith("default-src 'none'")


def test_the_page_says_what_it_is_about() -> None:
    text = page.page(report(), "zh")
    for words in (
        "网格调整报告",
        "模拟数据",
        "发布版本 3",
        "2026-01-01 00:00 起生效",
        "修订 4",
        "用户",
        "新增",
    ):
        assert words in text
    english = page.page(report(), "en")
    for words in ("Simulated data", "publication 3", "customers", "North &amp; co", "Ann", "+102.5 %"):
        assert words in english, words
    assert "Simulated" not in page.page(report(simulated=False), "en")


def test_the_document_is_whole() -> None:
    found = report().document(cells=True)
    assert found["moved"]["cells"] == 2
    assert found["moved"]["share"] == {
        "cells": 0.5,
        "area_km2": 0.5,
        "customers": 0.6,
        "measures": {"customers": 0.6, "kwh": pytest.approx(27.25 / 37.75, abs=1e-6)},
    }
    assert found["unchanged"]["customers"] == 4
    assert [(flow["from"], flow["to"]) for flow in found["team_moves"]] == [("t2", None), ("t1", "t2")]
    assert found["team_moves"][1]["from_lead"] == "Ann"
    states = {grid["code"]: grid["state"] for grid in found["grids"]}
    assert states == {"01": "kept", "02": "kept", "@3": "new"}
    assert found["cells"] == [
        {"cell": "c1", "from": "01", "to": "02"},
        {"cell": "c3", "from": "02", "to": "@3"},
    ]
    assert "cells" not in report().document()
