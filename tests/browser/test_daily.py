"""The frame as a daily tool: search, layers over the map, and the map on paper."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Page, expect

from tests.journey.client import Client

pytestmark = [pytest.mark.browser, pytest.mark.london]


def _open(page: Page, query: str = "") -> None:
    page.goto(f"/?lang=en{query}")
    expect(page.locator("#grids tbody tr")).to_have_count(33, timeout=30_000)


def test_a_search_finds_grids_places_and_customers(page: Page, service: str) -> None:
    _open(page)
    page.keyboard.press("/")
    page.keyboard.type("grid 12")
    expect(page.locator("#found [aria-selected=true]")).to_contain_text("12 Grid 12")
    page.keyboard.press("Enter")
    expect(page.locator("#card h2")).to_contain_text("12")
    box = page.get_by_role("combobox", name="Search places")
    box.fill("51.5074, -0.1278")
    box.press("Enter")
    expect(page.locator("#card")).to_contain_text("since publication 1", timeout=10_000)
    box.fill("nobody-has-this-id")
    box.press("Enter")
    expect(page.locator("#found")).to_contain_text(re.compile("customer", re.IGNORECASE), timeout=10_000)
    expect(page.locator("#found").get_by_role("option")).to_have_attribute("aria-disabled", "true")
    with Client(service) as client:
        known = client.get("/v1/grids/12/customers", territory="london", limit=1)["items"]
    if known:
        box.fill(known[0]["id"])
        box.press("Enter")
        expect(page.locator("#card h2")).to_contain_text("12", timeout=10_000)


def test_layers_are_drawn_when_they_are_asked_for(page: Page) -> None:
    _open(page)
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.locator("#layers summary").click()
    with page.expect_response(re.compile("/roster$")):
        page.get_by_label("Team bases").check()
    with page.expect_response(re.compile("/carve-outs$")):
        page.get_by_label("Drawn carve-outs").check()
    page.get_by_label("Customers", exact=True).check()
    # All London has too many to be read one by one, which is said.
    expect(page.locator("#layers")).to_contain_text("Zoom in")
    assert not any("/customers" in url for url in asked)
    page.wait_for_timeout(500)  # what is drawn wrongly would be told on the console


def test_a_draft_on_paper_says_that_it_is_one(page: Page, service: str) -> None:
    with Client(service) as client:
        published = client.get("/v1/publications", territory="london")["items"][0]
        plan = client.post(f"/v1/plans/{published['plan']}/branch", {"name": "winter"})["id"]
    page.add_init_script("window.print = () => { window.printed = true; }")
    for query, mark in ((f"&plan={plan}", 1), ("", 0)):
        _open(page, query)
        page.get_by_role("button", name="Print the map").click()
        page.locator("#paper img").wait_for(state="attached")
        page.emulate_media(media="print")
        expect(page.locator("#paper h1")).to_be_visible()
        expect(page.locator("#header")).to_be_hidden()
        expect(page.locator("#paper .watermark", has_text="Draft")).to_have_count(mark)
        # The picture shows the map: it has more than one colour.
        assert page.locator("#paper img").evaluate("image => image.src.length") > 20_000
        assert page.evaluate("window.printed") is True
        page.emulate_media(media="screen")
