"""Data in and out in a real browser: a layer as a file, customers and a roster from files."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from playwright.sync_api import Browser, Page, expect

from tests.api.strip import ROWS
from tests.browser.conftest import watched
from tests.journey.served import serving

pytestmark = pytest.mark.browser


@pytest.fixture
def strip(tmp_path: Path, published_file: Path) -> Iterator[tuple[str, httpx.Client]]:
    """A service with a small territory, published in three grids."""
    shutil.copy(published_file, tmp_path / "strip.db")
    url = f"sqlite:///{tmp_path / 'strip.db'}"
    with serving(url, tmp_path) as base_url, httpx.Client(base_url=base_url, timeout=60) as client:
        yield base_url, client


@pytest.fixture
def page(browser: Browser, strip: tuple[str, httpx.Client]) -> Iterator[Page]:
    yield from watched(browser, strip[0])


def _dialog(page: Page, name: str) -> None:
    page.get_by_role("radio", name=name, exact=True).check(force=True)


def test_data_go_out_and_come_in(page: Page, strip: tuple[str, httpx.Client], tmp_path: Path) -> None:
    _, client = strip
    page.goto("/?lang=en#/data")
    _out(page, tmp_path)
    _customers_in(page, client)
    _roster_in(page, client)


def _out(page: Page, folder: Path) -> None:
    """The manifest is shown first; the file then holds what it said."""
    expect(page.get_by_text("Of publication 1")).to_be_visible(timeout=20_000)
    page.locator("#panel").get_by_label("Format").select_option("geojson")
    page.locator("#panel").get_by_label("Border").select_option("territory")
    page.get_by_role("button", name="Show what it will hold").click()
    expect(page.locator(".data-told dd").first).to_have_text("3", timeout=20_000)
    with page.expect_download() as fetched:
        page.get_by_role("link", name="Download").click()
    fetched.value.save_as(folder / "grids.geojson")
    assert len(json.loads((folder / "grids.geojson").read_text())["features"]) == 3
    # Another wish needs another look.
    page.locator("#panel").get_by_label("Layer").select_option("cells")
    expect(page.get_by_role("link", name="Download")).to_have_count(0)


def _customers_in(page: Page, client: httpx.Client) -> None:
    """A row outside and one without a place are told of, and the first is on the map."""
    _dialog(page, "Import customers")
    text = ROWS.replace("id,lon,lat,kwh", "number,x,y,kwh") + "out,0.45,0.05,1\nnowhere,,,1\n"
    file = {"name": "customers.csv", "mimeType": "text/csv", "buffer": text.encode()}
    page.locator("#panel").get_by_label("File", exact=True).set_input_files(files=[file])  # type: ignore[list-item]
    page.locator("#panel").get_by_label("Column of the customer id").fill("number")
    page.locator("#panel").get_by_label("Column of the longitude").fill("x")
    page.locator("#panel").get_by_label("Column of the latitude").fill("y")
    # What the plan is of is found by its name.
    expect(page.locator("#panel").get_by_label("Column to add up as kwh")).to_have_value("kwh")
    page.locator("#panel").get_by_label("Refuse the file where fewer").fill("99")
    page.get_by_role("button", name="Import", exact=True).click()
    # Too few are placed: refused, with what to do about it.
    expect(page.locator("#panel").get_by_role("alert")).to_be_visible(timeout=20_000)
    page.locator("#panel").get_by_label("Refuse the file where fewer").fill("90")
    page.get_by_role("button", name="Import", exact=True).click()
    expect(page.get_by_text("90 of 92 rows placed")).to_be_visible(timeout=20_000)
    expect(page.locator(".data-bad li")).to_have_count(2)
    expect(page.get_by_text("1 of them has a place")).to_be_visible()
    page.get_by_role("button", name=re.compile(r"Show row \d+ on the map")).click()
    expect(page.locator(".mark")).to_be_visible()
    newest = client.get("/v1/territories/strip/tilings").json()["items"][0]
    assert newest["measures"]["kwh"]["total"] == sum(range(90))


def _roster_in(page: Page, client: httpx.Client) -> None:
    """Checked first; a row which is wrong is named, and nothing is taken then."""
    _dialog(page, "Import teams")

    def give(text: str) -> None:
        file = {"name": "people.csv", "mimeType": "text/csv", "buffer": text.encode()}
        page.locator("#panel").get_by_label("File", exact=True).set_input_files(files=[file])  # type: ignore[list-item]
        page.get_by_role("button", name="Check the rows").click()

    give("id,name,department\np,Ann,m\nq,Ben,nowhere\n")
    expect(page.locator("#panel").get_by_text("refused", exact=False).first).to_be_visible(timeout=20_000)
    expect(page.get_by_role("button", name="Take over")).to_have_count(0)
    give("id,name,department\np,Ann,m\nq,Ben,m\n")
    expect(page.get_by_text("Checked; nothing has been changed yet.")).to_be_visible(timeout=20_000)
    before = len(client.get("/v1/territories/strip/roster").json()["people"])
    assert before == 1
    page.get_by_role("button", name="Take over").click()
    expect(page.get_by_text(re.compile("Taken over as roster"))).to_be_visible(timeout=20_000)
    assert len(client.get("/v1/territories/strip/roster").json()["people"]) == 2
