"""The frame round the map: what opens over it stays out of the way, and goes when the pointer does."""

from __future__ import annotations

from collections.abc import Iterator

import httpx
import pytest
from playwright.sync_api import Browser, FloatRect, Locator, Page, expect

from tests.browser.conftest import watched

pytestmark = pytest.mark.browser


@pytest.fixture
def page(browser: Browser, staffed: tuple[str, httpx.Client]) -> Iterator[Page]:
    yield from watched(browser, staffed[0])


def _open(page: Page, language: str = "en") -> None:
    page.goto(f"/?lang={language}#/see")
    expect(page.locator("#grids tbody tr")).to_have_count(3, timeout=60_000)
    page.wait_for_timeout(500)  # the map fits the territory


def _box(found: Locator) -> FloatRect:
    box = found.bounding_box()
    assert box is not None
    return box


def test_what_a_search_finds_lies_beside_the_maps_buttons(page: Page) -> None:
    for width, language in [(1440, "en"), (1440, "zh"), (1024, "en"), (1024, "zh")]:
        page.set_viewport_size({"width": width, "height": 768})
        _open(page, language)
        # Nobody has to sign in here, which the header says; that must not push the list over the map.
        expect(page.locator("#header .badge")).to_have_count(1)
        page.keyboard.press("/")
        page.keyboard.type("0")
        found = page.locator("#found")
        expect(found).to_be_visible()
        listed, last = _box(found), page.evaluate("innerWidth")
        assert listed["x"] + listed["width"] <= last, (width, language)
        for name in ("#layers", "#zoom"):
            button = _box(page.locator(name))
            assert button["x"] + button["width"] <= listed["x"], (name, width, language)


def _over_the_middle(page: Page) -> None:
    box = _box(page.locator("#map"))
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    page.mouse.move(x - 3, y)
    page.mouse.move(x, y)
    expect(page.locator("#hover")).to_be_visible()


def test_the_card_beside_the_pointer_goes_when_the_pointer_leaves_or_another_room_opens(page: Page) -> None:
    _open(page)
    card, panel = page.locator("#hover"), _box(page.locator("#panel"))
    _over_the_middle(page)
    page.mouse.move(panel["x"] + 60, panel["y"] + 300)
    expect(card).to_be_hidden()
    # Where the map is worked by keyboard its card stands in the middle; the pointer elsewhere takes it away.
    for _ in range(30):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.matches('.maplibregl-canvas')"):
            break
    expect(card).to_be_visible()
    page.mouse.move(30, 300)
    expect(card).to_be_hidden()
    # The pointer rests where it is, and another room opens.
    page.locator(".maplibregl-canvas").blur()
    _over_the_middle(page)
    page.evaluate("location.hash = '#/teams'")
    expect(page.locator(".teams-room")).to_be_visible()
    expect(card).to_be_hidden()
