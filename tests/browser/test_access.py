"""The page for everybody: by keyboard, for readers of the screen, on small screens, and light to load."""

from __future__ import annotations

import gzip
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from tests.browser.conftest import watched
from tests.databases import missing
from tests.journey.client import Client

pytestmark = [pytest.mark.browser, pytest.mark.london]

AXE = Path(__file__).resolve().parents[2] / "api/web/node_modules/axe-core/axe.min.js"
LOADED_FIRST = 600_000
"""Bytes, compressed: what a browser must have before the map is drawn."""

_JUDGE = """async () => (await axe.run(document, { resultTypes: ['violations'] })).violations
    .filter(({ impact }) => impact === 'serious' || impact === 'critical')
    .flatMap(({ id, nodes }) => nodes.map(({ html, failureSummary }) => [id, html, failureSummary]))"""


@pytest.fixture
def draft(service: str) -> str:
    """A draft of the plan in force, so that rooms which need one are open."""
    with Client(service) as client:
        published = client.get("/v1/publications", territory="london")["items"][0]
        return str(client.post(f"/v1/plans/{published['plan']}/branch", {"name": "access"})["id"])


@pytest.fixture(params=[("en", "light", 1440), ("zh", "dark", 768)], ids=["day", "night, small"])
def seen(request: pytest.FixtureRequest, browser: Browser, service: str, draft: str) -> Iterator[Page]:
    language, scheme, width = request.param
    for page in watched(browser, service):
        page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
        page.set_viewport_size({"width": width, "height": 900})
        page.goto(f"/?lang={language}&plan={draft}")
        expect(page.locator("table tbody tr")).to_have_count(33, timeout=30_000)
        yield page


def _judge(page: Page) -> list[Any]:
    """What axe-core finds serious or critical."""
    if not AXE.is_file():
        missing("axe-core (npm ci in api/web)")
    # Through the inspector, for the page itself may load no script from elsewhere.
    page.evaluate(AXE.read_text())
    found: list[Any] = page.evaluate(_JUDGE)
    return found


def _rooms(page: Page) -> list[str]:
    links = page.locator("#rail a").all()
    return [str(link.get_attribute("href")) for link in links]


def test_no_room_shuts_anybody_out(seen: Page) -> None:
    rooms = _rooms(seen)
    assert {"#/see", "#/plans", "#/redraw", "#/compare", "#/requests", "#/publish"} <= set(rooms)
    for room in rooms:
        seen.locator(f'#rail a[href="{room}"]').click()
        expect(seen.locator(f'#rail a[href="{room}"]')).to_have_attribute("aria-current", "page")
        expect(seen.locator("#panel > :visible").first).to_be_visible()
        seen.wait_for_timeout(600)
        assert (room, _judge(seen)) == (room, [])
        wider = "document.scrollingElement.scrollWidth - innerWidth"
        assert (room, seen.evaluate(wider)) == (room, 0)
    seen.locator("#layers summary").click()
    seen.keyboard.press("/")
    seen.keyboard.type("1")
    expect(seen.locator("#found")).to_be_visible()
    assert _judge(seen) == []


def test_what_axe_is_asked_would_be_found(page: Page) -> None:
    page.goto("/")
    expect(page.locator("table tbody tr")).to_have_count(33, timeout=30_000)
    page.evaluate("document.querySelector('#panel').append(document.createElement('select'))")
    assert [issue[0] for issue in _judge(page)] == ["select-name"]


def test_a_grid_is_picked_by_keyboard_alone(page: Page) -> None:
    page.goto("/?lang=en")
    expect(page.locator("table tbody tr")).to_have_count(33, timeout=30_000)
    page.wait_for_timeout(500)  # the map fits the territory
    for _ in range(30):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.matches('.maplibregl-canvas')"):
            break
    expect(page.locator("#hover")).to_be_visible()
    page.keyboard.press("Enter")
    expect(page.locator("#card")).to_contain_text("Lead", timeout=10_000)
    under = page.locator("#hover strong")
    first = under.inner_text()
    page.keyboard.press("Escape")
    expect(page.locator("#card")).to_be_hidden()
    for _ in range(12):
        page.keyboard.press("ArrowUp")
        if _settled(page, under) != first:
            break
    there = _settled(page, under)
    assert there != first
    page.keyboard.press("Enter")
    expect(page.locator("#card h2")).to_contain_text(there.split()[0], timeout=10_000)


def _settled(page: Page, under: Locator) -> str:
    """What is under the middle once the map has come to rest."""
    seen: list[str] = []
    while len(seen) < 4 or len(set(seen[-3:])) > 1:
        page.wait_for_timeout(250)
        seen.append(under.inner_text())
    return seen[-1]


def test_cells_are_given_away_by_keyboard_alone(page: Page, draft: str) -> None:
    page.goto(f"/?lang=en&plan={draft}#/redraw")
    expect(page.get_by_text("Nothing chosen yet.")).to_be_visible(timeout=30_000)
    page.wait_for_timeout(500)
    page.get_by_label("Give to grid").select_option(label="20 Grid 20")
    page.locator(".maplibregl-canvas").focus()
    page.keyboard.press("Enter")
    expect(page.get_by_text("cells change hands")).to_be_visible()


def test_the_page_is_light_to_load(page: Page) -> None:
    sizes: dict[str, int] = {}
    page.on("response", lambda answer: sizes.update({answer.url: -1}) if "/v1/" not in answer.url else None)
    page.goto("/")
    expect(page.locator("table tbody tr")).to_have_count(33, timeout=30_000)
    for url in sizes:
        sizes[url] = len(gzip.compress(page.request.get(url).body()))
    assert any("maplibre-gl-worker" in url for url in sizes)
    assert sum(sizes.values()) < LOADED_FIRST, sizes
