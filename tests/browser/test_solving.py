"""A plan which takes its time: how far it is, what it looks like by now, and an end to it."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, Response, expect

from tests.browser.conftest import watched
from tests.journey import london
from tests.journey.client import Client

pytestmark = [pytest.mark.browser, pytest.mark.london, pytest.mark.proof]


@pytest.fixture
def page(browser: Browser, service: str) -> Iterator[Page]:
    """The room for plans, with 17,000 hexagons and the meters in them."""
    with Client(service) as client:
        london.import_postcodes(client, london.tile_h3(client, "london", 9)["id"])
    for shown in watched(browser, service):
        shown.goto("/?lang=en#/plans")
        yield shown


def test_progress_and_a_preview_are_shown_until_it_is_cancelled(page: Page, service: str) -> None:
    with Client(service) as client:
        before = len(client.get("/v1/plans", territory="london")["items"])
    previews: list[Response] = []
    page.on("response", lambda answer: previews.append(answer) if "/preview" in answer.url else None)
    hexagons = page.locator("option", has_text="hexagons 9")
    expect(hexagons).to_be_attached(timeout=60_000)
    page.locator("select", has=hexagons).select_option(label=hexagons.inner_text())
    page.get_by_label("Number of grids").fill("300")
    page.get_by_role("button", name="Start", exact=True).click()
    expect(page.get_by_role("progressbar", name="Progress")).to_be_visible()
    expect(page.get_by_text(re.compile(r"Worst deviation.*\d%"))).to_be_visible(timeout=60_000)
    expect(page.get_by_text("The map shows")).to_be_visible()
    page.wait_for_timeout(500)
    page.get_by_role("button", name="Cancel").click()
    expect(page.get_by_text("Cancelled; nothing was changed.")).to_be_visible(timeout=60_000)
    assert any(answer.status == 200 for answer in previews)
    with Client(service) as client:
        plans = client.get("/v1/plans", territory="london")["items"]
    assert len([plan for plan in plans if plan["solved"]]) == before
