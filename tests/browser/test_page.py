"""The map page in a real browser against the real service."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, ConsoleMessage, Page, Request, expect, sync_playwright

from gridsvc.store import Database
from tests.databases import missing
from tests.journey import london
from tests.journey.client import Client
from tests.journey.served import serving

pytestmark = [pytest.mark.browser, pytest.mark.london, pytest.mark.xdist_group("browser")]

DIST = Path(__file__).resolve().parents[2] / "api" / "web" / "dist" / "index.html"
FLAGS = [
    "--use-gl=angle",
    "--use-angle=swiftshader",
    "--enable-unsafe-swiftshader",
    "--no-sandbox",
    "--disable-background-networking",
]


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory, shared_data: Path) -> Iterator[str]:
    """A service with the 983 areas of London published in 33 grids."""
    assert shared_data == london.DATA
    if not DIST.is_file():
        missing("the built map page (make web)")
    folder = tmp_path_factory.mktemp("page")
    url = f"sqlite:///{folder / 'gridsvc.db'}"
    database = Database.open(url)
    database.upgrade()
    database.close()
    with serving(url, folder) as base_url:
        with Client(base_url) as client:
            london.prepare(client, "london")
            london.publish(client, london.tile_polygons(client, "london")["id"], 33, ["meters", "kwh"])
        yield base_url


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    path = shutil.which("chromium") or shutil.which("chromium-browser")
    if path is None:
        missing("Chromium")
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=path, args=FLAGS)
        yield started
        started.close()


@pytest.fixture
def page(browser: Browser, service: str) -> Iterator[Page]:
    """A page which must neither complain nor ask another host."""
    context = browser.new_context(locale="en-GB", viewport={"width": 1440, "height": 900}, base_url=service)
    found = context.new_page()
    said: list[str] = []
    foreign: list[str] = []

    def hear(message: ConsoleMessage) -> None:
        # Chromium itself notes each 4xx answer; the page explains those to the reader.
        if message.type in {"error", "warning"} and "Failed to load resource" not in message.text:
            said.append(message.text)

    def watch(request: Request) -> None:
        if not request.url.startswith((service, "blob:", "data:")):
            foreign.append(request.url)

    found.on("console", hear)
    found.on("pageerror", lambda error: said.append(str(error)))
    found.on("request", watch)
    yield found
    context.close()
    assert said == []
    assert foreign == []


def _open(page: Page) -> None:
    page.goto("/")
    expect(page.locator("table tbody tr")).to_have_count(33, timeout=30_000)


def test_a_publication_is_shown(page: Page) -> None:
    _open(page)
    expect(page.get_by_text("Publication 1")).to_be_visible()
    expect(page.get_by_text("983").first).to_be_visible()
    expect(page.locator("canvas").first).to_be_visible()


def test_a_lookup_is_answered_in_words(page: Page) -> None:
    _open(page)
    page.locator("input[type=text], input:not([type])").first.fill("51.5074, -0.1278")
    page.keyboard.press("Enter")
    expect(page.get_by_text("since publication 1")).to_be_visible(timeout=10_000)


def test_a_place_outside_is_explained(page: Page) -> None:
    _open(page)
    page.locator("input[type=text], input:not([type])").first.fill("48.85, 2.35")
    page.keyboard.press("Enter")
    expect(page.get_by_text("outside the territory").first).to_be_visible(timeout=10_000)


def test_the_language_is_switched(page: Page) -> None:
    _open(page)
    page.get_by_text("中文", exact=True).click()
    expect(page.get_by_text("发布版本").first).to_be_visible()


def test_the_api_describes_itself_without_another_host(page: Page) -> None:
    page.goto("/docs")
    expect(page.get_by_text("/v1/owner/batch").first).to_be_visible(timeout=20_000)


def test_nothing_published_yet_says_what_to_do(browser: Browser, tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'empty.db'}"
    database = Database.open(url)
    database.upgrade()
    database.close()
    with serving(url, tmp_path) as base_url:
        empty = browser.new_page(locale="en-GB")
        empty.goto(base_url)
        expect(empty.get_by_text("make run").first).to_be_visible(timeout=20_000)
        empty.close()
