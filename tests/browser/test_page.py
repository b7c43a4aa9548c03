"""The map page in a real browser against the real service."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from gridsvc.store import Database
from tests.browser.conftest import watched
from tests.journey.served import serving

pytestmark = [pytest.mark.browser, pytest.mark.london]


def _open(page: Page) -> None:
    page.goto("/")
    expect(page.locator("table tbody tr")).to_have_count(33, timeout=30_000)


@pytest.fixture(scope="module")
def opened(browser: Browser, service: str) -> Iterator[Page]:
    """A page which is open already, for those who only ask it something."""
    for page in watched(browser, service):
        _open(page)
        yield page


def test_a_publication_is_shown(page: Page) -> None:
    _open(page)
    expect(page.get_by_text("Publication 1")).to_be_visible()
    expect(page.get_by_text("983").first).to_be_visible()
    expect(page.locator("canvas").first).to_be_visible()


def test_a_lookup_is_answered_in_words(opened: Page) -> None:
    opened.locator("input[type=text], input:not([type])").first.fill("51.5074, -0.1278")
    opened.keyboard.press("Enter")
    expect(opened.get_by_text("since publication 1")).to_be_visible(timeout=10_000)


def test_a_place_outside_is_explained(opened: Page) -> None:
    opened.locator("input[type=text], input:not([type])").first.fill("48.85, 2.35")
    opened.keyboard.press("Enter")
    expect(opened.get_by_text("outside the territory").first).to_be_visible(timeout=10_000)


def test_the_language_is_switched(page: Page) -> None:
    _open(page)
    page.get_by_text("中文", exact=True).click()
    expect(page.get_by_text("发布版本").first).to_be_visible()


def test_the_api_describes_itself_without_another_host(page: Page) -> None:
    page.goto("/docs")
    expect(page.get_by_text("/healthz").first).to_be_visible(timeout=30_000)
    for _ in range(100):  # the viewer draws what is in sight, and more as one scrolls
        if page.get_by_text("/v1/owner/batch").count():
            return
        page.mouse.wheel(0, 1500)
        page.wait_for_timeout(100)
    raise AssertionError("the description does not tell of batches")


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
