"""Scorecard and load report as files: read back they say the same, and no text of theirs can do anything."""

from __future__ import annotations

import base64
import csv
import hashlib
import io
import re
from dataclasses import replace
from datetime import UTC, datetime
from html.parser import HTMLParser
from typing import Any

import numpy as np
import openpyxl
import pytest

from gridsvc.exchange.scorecards import card_page, load_page, sheets
from gridsvc.exchange.scorecards.charts import Bar, bars, spark
from gridsvc.exchange.scorecards.frame import POLICY
from gridsvc.exchange.scorecards.load_report import LoadReport, State
from gridsvc.exchange.scorecards.report import HIDDEN, About, Card, Tiers
from gridsvc.exchange.scorecards.words import _EN, _ZH, MARK, WORDS
from gridsvc.services.small_counts import with_small_counts_kept_back
from gridsvc.teams.fairness import fairness
from gridsvc.teams.loads import Distances, Loads
from gridsvc.teams.scorecard import ranked, scored
from gridsvc.teams.scorecard_rules import FIGURES, PARTS, ScorecardRules
from gridsvc.teams.trend import Moment, Trend

WILD = '=HYPERLINK("http://x")<script>alert(1)</script>&\x07'
NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
ABOUT = About(
    "elbe",
    "Elbe <易北>",
    True,
    "用户",
    "base",
    NOON,
    NOON,
    "pln_1",
    publication=3,
    effective_at=NOON,
    roster=2,
)


def card() -> Card:
    """Three grids; the last is carved out."""
    figures = {"customers": np.array([4.0, 90.0, 60.0]), "penetration": np.array([0.25, np.nan, 0.5])}
    counted = np.array([True, True, False])
    ranks = {name: ranked(v, "high", counted) for name, v in figures.items()}
    rules = ScorecardRules()
    counts = np.array([[1, 3], [40, 50], [30, 30]])
    return Card(
        ABOUT,
        rules,
        ["=1", "02", "03"],
        [WILD, "South", "Mill"],
        [("t1", WILD), None, ("t2", "Team")],
        ~counted,
        np.full(3, 5.0),
        np.full(3, 2.5),
        {"customers": "meters"},
        {"meters": NOON},
        {"competition": ("competition",)},
        figures,
        {"customers": 154.0, "penetration": 0.4},
        ranks,
        scored(ranks, rules),
        {"meters": np.array([0.1, -0.05, np.nan])},
        np.zeros(3, bool),
        Tiers(("", WILD), np.vstack([counts, counts.sum(axis=0)])),
        Trend(
            [Moment(NOON, 1), Moment(NOON, 3)],
            {"customers": np.array([[2.0, 80, 60], [4, 90, 60]])},
            {"customers": np.zeros(2)},
        ),
    )


def loads() -> LoadReport:
    """Two teams; one carries more than it can."""
    found = Loads(
        ("grids", "customers"),
        np.array([[1.0, 120], [1, 30], [0, 0]]),
        np.array([[1.0, 120], [1, 30]]),
        np.array([1.5, 0.5]),
        np.array([[np.inf, 100], [np.inf, 100]]),
        np.array([[np.inf, 100], [np.inf, np.inf]]),
    )
    even = {name: fairness(found.teams[:-1, j]) for j, name in enumerate(found.measures)}
    km = Distances(np.array([1.5, np.nan]), np.array([2.5, np.nan]))
    state = State(ABOUT, found, km, km, even, even, {"d": even})
    return LoadReport(
        [("t1", WILD), ("t2", "Team")],
        [("p1", WILD, "d", "Marketing", "One"), ("p2", "Bo", "d", "Marketing", "Team")],
        "team",
        {"customers": "meters"},
        state,
        replace(state, loads=replace(found, teams=found.teams / 2)),
        np.zeros(3, bool),
        np.zeros(2, bool),
    )


def table(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text)))


# --- CSV


def test_a_scorecards_csv_reads_back() -> None:
    first, second, third = table(sheets.card_csv(card()))
    assert (first["customers"], first["customers_rank"], first["penetration"]) == ("4", "2", "0.25")
    assert (second["customers_rank"], second["penetration"], second["team"]) == ("1", "", "")
    assert (third["carve_out"], third["customers"], third["customers_rank"]) == ("yes", "60", "")
    assert (first["tier_none"], first["meters_deviation"]) == ("1", "0.1")


def test_a_load_reports_csv_reads_back() -> None:
    rows = table(sheets.load_csv(loads()))
    assert [
        (r["kind"], r["id"], r["customers"], r["customers_before"], r["used"], r["over"]) for r in rows
    ] == [
        ("team", "t1", "120", "60", "1.2", "customers"),
        ("team", "t2", "30", "15", "0.3", ""),
        ("person", "p1", "120", "120", "1.2", "customers time"),
        ("person", "p2", "30", "30", "", ""),
    ]


@pytest.mark.parametrize("text", [sheets.card_csv(card()), sheets.load_csv(loads())])
def test_no_text_of_a_csv_starts_a_formula(text: str) -> None:
    cells = [cell for row in csv.reader(io.StringIO(text)) for cell in row]
    assert any(cell.startswith("'=HYPERLINK") for cell in cells)
    assert not [cell for cell in cells if cell.startswith(("=", "+", "@"))]


# --- workbooks


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_workbooks_hold_texts_and_numbers_but_no_formula(lang: Any) -> None:
    for content in (sheets.card_workbook(card(), lang), sheets.load_workbook(loads(), lang)):
        book = openpyxl.load_workbook(io.BytesIO(content))
        cells = [
            cell for sheet in book for row in sheet.iter_rows() for cell in row if cell.value is not None
        ]
        assert {cell.data_type for cell in cells} <= {"s", "n"}
        assert any(str(cell.value).startswith("=HYPERLINK") for cell in cells)


def test_the_workbook_lists_the_best_grid_first() -> None:
    book = openpyxl.load_workbook(io.BytesIO(sheets.card_workbook(card())))
    assert [row[0].value for row in book["grids"].iter_rows(min_row=2)] == ["02", "=1", "03"]
    assert [sheet.title for sheet in book] == ["All grids together", "grids", "score", "trend"]


# --- pages


class _Tags(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.seen: list[str] = []
        self.attributes: list[tuple[str, str | None]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen.append(tag)
        self.attributes += attrs


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_pages_can_do_nothing_and_load_nothing(lang: Any) -> None:
    for text in (card_page.page(card(), lang), load_page.page(loads(), lang)):
        tags = _Tags()
        tags.feed(text)
        assert not {"script", "img", "link", "iframe", "form", "object"} & set(tags.seen)
        assert not [
            name for name, _ in tags.attributes if name.startswith("on") or name in {"style", "href", "src"}
        ]
        (style,) = re.findall(r"<style>(.*?)</style>", text, re.DOTALL)
        assert base64.b64encode(hashlib.sha256(style.encode()).digest()).decode() in POLICY
        assert "&lt;script&gt;" in text
        assert WORDS[lang]["simulated"] in text


def test_pages_say_what_counts_who_is_tied_and_who_is_above_capacity() -> None:
    text = card_page.page(card())
    assert "100 beats all others" in text
    assert "competition (competition)" in text
    assert text.count("<polyline") == 3  # customers of each grid
    assert "120 %" in load_page.page(loads())


def test_each_language_has_all_words() -> None:
    assert set(_EN) == set(_ZH)
    assert {*FIGURES, *PARTS} - {"customers"} <= set(_EN)


# --- charts


def test_bars_are_as_long_as_their_parts() -> None:
    drawn = bars("t", [Bar("<a>", [25.0, 50.0, float("nan")], "75", tick=100.0)], 100.0)
    widths = [float(w) for w in re.findall(r'class="k\d+"[^>]* width="([0-9.]+)"', drawn)]
    track = float(re.findall(r'class="track"[^>]* width="([0-9.]+)"', drawn)[0])
    assert widths == pytest.approx([track / 4, track / 2, 0])
    assert "&lt;a&gt;" in drawn


def test_a_line_breaks_where_nothing_is_known_and_is_level_where_nothing_changes() -> None:
    assert spark(np.array([1.0, np.nan]), "t") == ""
    assert spark(np.array([1.0, 2, np.nan, 3, 4]), "t").count("<polyline") == 2
    heights = {point.split(",")[1] for point in re.findall(r"[0-9.]+,[0-9.]+", spark(np.full(3, 7.0), "t"))}
    assert len(heights) == 1


# --- kept back


def test_what_is_kept_back_is_in_no_form() -> None:
    shut = with_small_counts_kept_back(card(), 5, np.zeros(len(card().codes), bool))
    assert (shut.tiers is not None) and (shut.tiers.counts[0] == HIDDEN).all()
    first = table(sheets.card_csv(shut))[0]
    assert (first["customers"], first["penetration"], first["score"], first["tier_none"]) == (
        "",
        "",
        "",
        MARK,
    )
    assert first["cells"] == "5"
    assert "Numbers below 5" in card_page.page(shut)
    assert shut.document()["grids"][0]["trend"]["customers"] == [None, None]
