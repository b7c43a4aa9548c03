"""Grids on paper in a real browser: one page a grid as PDF, and as a picture."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from openpyxl import load_workbook
from PIL import Image
from playwright.sync_api import Browser, Page, expect

from tests.browser.conftest import watched
from tests.journey.served import serving

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def served(
    tmp_path_factory: pytest.TempPathFactory, published_file: Path
) -> Iterator[tuple[str, httpx.Client]]:
    """A service with a small territory, published in three grids."""
    folder = tmp_path_factory.mktemp("paper")
    shutil.copy(published_file, folder / "strip.db")
    url = f"sqlite:///{folder / 'strip.db'}"
    with serving(url, folder) as base_url, httpx.Client(base_url=base_url, timeout=60) as client:
        yield base_url, client


@pytest.fixture
def strip(served: tuple[str, httpx.Client]) -> tuple[str, str]:
    """Its address, and a draft of what is published in which a cell has moved; each test has its own."""
    base_url, client = served
    (published,) = client.get("/v1/publications", params={"territory": "strip"}).json()["items"]
    draft = client.post(f"/v1/plans/{published['plan']}/branch", json={"name": "spring"}).json()["id"]
    labels = client.get(f"/v1/plans/{draft}/labels").json()
    codes = [grid["code"] for grid in labels["grids"]]
    cells = client.get(f"/v1/tilings/{labels['tiling']}/cells").json()["cells"]
    row = labels["labels"].index(0)
    body = {"base_revision": 1, "moves": [{"cells": [cells[row]], "to": codes[1]}]}
    moved = client.post(f"/v1/plans/{draft}/moves", json=body)
    assert moved.status_code in {200, 201}, moved.text
    return base_url, draft


@pytest.fixture
def page(browser: Browser, strip: tuple[str, str]) -> Iterator[Page]:
    yield from watched(browser, strip[0])


def _pages(pdf: bytes) -> int:
    return len(re.findall(rb"/Type\s*/Page\b", pdf))


def test_a_page_for_each_grid(page: Page, strip: tuple[str, str], tmp_path: Path) -> None:
    # What the printer would be given stays, for a printer to look at.
    page.add_init_script("window.print = () => {}")
    page.goto(f"/?lang=en&plan={strip[1]}#/paper")
    panel = page.locator("#panel")
    expect(panel.get_by_role("img")).to_be_visible(timeout=20_000)
    with page.expect_download() as fetched:
        panel.get_by_role("button", name="PNG of this grid").click()
    fetched.value.save_as(tmp_path / "grid.png")
    with Image.open(tmp_path / "grid.png") as picture:
        assert picture.size == (1240, 1754)
        assert len(picture.convert("RGB").getcolors(1 << 20) or []) > 20

    panel.get_by_role("radiogroup", name="Pages").get_by_role("radio", name="All grids").check(force=True)
    panel.get_by_role("button", name="Print or save as PDF (3)").click()
    sheets = page.locator(".paper-page")
    expect(sheets).to_have_count(3)
    page.emulate_media(media="print")
    expect(sheets.first).to_be_visible()
    expect(sheets.first.locator(".paper-mark")).to_have_text("DRAFT")
    expect(sheets.first).to_contain_text("Ann")
    expect(sheets.first).to_contain_text(re.compile(r"to grid .*: \d+ customers?, 1 cell"))
    expect(page.locator("#header")).to_be_hidden()
    assert _pages(page.pdf(format="A4")) == 3
    page.evaluate("dispatchEvent(new Event('afterprint'))")
    expect(sheets).to_have_count(0)


def test_moves_marked_in_a_sheet_come_back_with_verdicts(
    page: Page, strip: tuple[str, str], tmp_path: Path
) -> None:
    page.goto(f"/?lang=en&plan={strip[1]}#/paper")
    panel = page.locator("#panel")
    with page.expect_download(timeout=20_000) as fetched:
        panel.get_by_role("link", name="Download the sheet").click()
    path = tmp_path / "marked.xlsx"
    fetched.value.save_as(path)
    book = load_workbook(path)
    rows = list(book.worksheets[0].iter_rows(min_row=2))
    home = str(rows[0][3].value)
    beside = next(row for row in rows if row[4].value)
    beside[-1].value = str(beside[4].value).split()[0]
    wrong = next(row for row in rows if row is not beside)
    wrong[-1].value = "nowhere"
    book.save(path)

    panel.get_by_label("Marked sheet").set_input_files(path)
    panel.get_by_label("Reason (optional)").fill("walked it")
    panel.get_by_role("button", name="Check the sheet").click()
    expect(panel).to_contain_text("1 marked cell can be moved", timeout=10_000)
    expect(panel.locator(".verdicts li")).to_contain_text("names no grid of this plan")
    expect(panel.locator(".measures tbody tr")).to_have_count(2)
    panel.get_by_role("button", name="Make these moves (1)").click()
    expect(panel).to_contain_text("Done: 1 cell moved", timeout=10_000)
    with httpx.Client(base_url=strip[0]) as client:
        (last,) = client.get(f"/v1/plans/{strip[1]}/moves", params={"order": "newest", "limit": 1}).json()[
            "items"
        ]
    assert (last["reason"], last["cells"], last["grids"][0]["from"]) == ("walked it", 1, home)
