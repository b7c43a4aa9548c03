"""A real browser, and the real service with London in it."""

from __future__ import annotations

import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import httpx
import pytest
from playwright.sync_api import Browser, ConsoleMessage, Page, Request, sync_playwright

from gridsvc.store import Database
from tests.api import strip as ground
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


@pytest.fixture(scope="session")
def published_file(tmp_path_factory: pytest.TempPathFactory, migrated_file: Path) -> Path:
    """A database with a small territory, published in three grids; for those who need it to be copied."""
    folder = tmp_path_factory.mktemp("published")
    shutil.copy(migrated_file, folder / "strip.db")
    url = f"sqlite:///{folder / 'strip.db'}"
    with serving(url, folder) as base_url, httpx.Client(base_url=base_url, timeout=120) as client:
        ask: Any = client  # answers as the tests' own client does
        ground.make_territory(ask)
        ground.publish(ask, ground.make_tiling(ask))
    _settle(folder / "strip.db")
    return folder / "strip.db"


def _settle(path: Path) -> None:
    """Bring all that was written into the file itself, so that a copy of it has everything."""
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")


@pytest.fixture(scope="module")
def small_service(
    tmp_path_factory: pytest.TempPathFactory, published_file: Path
) -> Iterator[tuple[str, httpx.Client]]:
    """A service with a small territory, published in three grids of team North, and two other teams."""
    if not DIST.is_file():
        missing("the built map page (make web)")
    folder = tmp_path_factory.mktemp("small")
    shutil.copy(published_file, folder / "strip.db")
    url = f"sqlite:///{folder / 'strip.db'}"
    with serving(url, folder) as base_url, httpx.Client(base_url=base_url, timeout=120) as client:
        assert client.put("/v1/territories/strip/roster", json=TEAMS).status_code == 200
        yield base_url, client


@pytest.fixture
def staffed(small_service: tuple[str, httpx.Client]) -> tuple[str, httpx.Client]:
    """The same with its roster as it was at first, whatever other tests have made of it."""
    assert small_service[1].put("/v1/territories/strip/roster", json=TEAMS).status_code == 200
    return small_service


TEAMS = {
    "departments": [{"id": "m", "name": "Marketing", "head": "p"}],
    "people": [
        {"id": "p", "name": "Ann", "department": "m"},
        {"id": "q", "name": "Ben", "department": "m"},
        {"id": "r", "name": "Cleo", "department": "m"},
        {"id": "s", "name": "Dan", "department": "m"},
    ],
    "teams": [
        {"id": "t", "name": "North", "capacity": {"customers": 100}},
        {"id": "u", "name": "South", "capacity": {"customers": 40}},
        {"id": "f", "name": "Duty"},
    ],
    "members": [
        {"team": "t", "person": "p", "role": "lead"},
        {"team": "u", "person": "q", "role": "lead", "time_share": 0.6, "kpi_share": 0.6},
        {"team": "f", "person": "r", "role": "lead"},
    ],
    "fallback": "f",
}


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
