"""A real browser, and the real service with London in it."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, ConsoleMessage, Page, Request, sync_playwright

from gridsvc.store import Database
from tests.databases import missing
from tests.journey import london
from tests.journey.client import Client
from tests.journey.served import serving

DIST = Path(__file__).resolve().parents[2] / "api" / "web" / "dist" / "index.html"
FLAGS = [
    "--use-gl=angle",
    "--use-angle=swiftshader",
    "--enable-unsafe-swiftshader",
    "--no-sandbox",
    "--disable-background-networking",
]


@pytest.fixture(scope="session")
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


@pytest.fixture(scope="module")  # while it is there an event loop runs, which other tests must not meet
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
    yield from watched(browser, service)


def watched(browser: Browser, service: str) -> Iterator[Page]:
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
