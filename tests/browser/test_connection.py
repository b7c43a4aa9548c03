"""The service away for a while: it is told, what is on the screen stays, and others' moves come after."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, expect

from tests.journey.client import Client

pytestmark = [pytest.mark.browser, pytest.mark.london]

LOST = "The service cannot be reached"


@pytest.fixture
def plan(service: str) -> Iterator[str]:
    """A draft of the plan in force."""
    with Client(service) as client:
        published = client.get("/v1/publications", territory="london")["items"][0]
        yield client.post(f"/v1/plans/{published['plan']}/branch", {"name": "away"})["id"]


def test_a_break_is_told_and_what_happened_meanwhile_comes_after(page: Page, service: str, plan: str) -> None:
    page.goto(f"/?lang=en&plan={plan}#/redraw")
    expect(page.get_by_text("Nothing chosen yet.")).to_be_visible(timeout=30_000)
    page.wait_for_timeout(500)
    page.context.set_offline(True)
    told = page.locator("#connection")
    expect(told).to_contain_text(LOST, timeout=10_000)
    # What is worked out in the page goes on.
    page.get_by_label("Give to grid").select_option(label="20 Grid 20")
    box = page.locator("#map").bounding_box()
    assert box is not None
    page.mouse.click(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    expect(page.locator(".effect tbody tr").first).to_be_visible()
    page.get_by_role("button", name="Save move").click()
    expect(page.locator("#panel .problem")).to_be_visible(timeout=10_000)
    expect(page.locator(".effect tbody tr").first).to_be_visible()
    with Client(service) as client:
        labelled = client.get(f"/v1/plans/{plan}/labels")
        cells = client.get(f"/v1/tilings/{labelled['tiling']}/cells")["cells"]
        body = {"base_revision": 1, "cells": [cells[0]], "to": "21", "reason": "meanwhile"}
        client.post(f"/v1/plans/{plan}/moves", body)
    page.context.set_offline(False)
    expect(told).to_contain_text("Connected again", timeout=15_000)
    expect(told).to_be_hidden(timeout=10_000)
    expect(page.get_by_text("local moved 1 cell")).to_be_visible(timeout=20_000)
    page.get_by_role("button", name="Save move").click()
    expect(page.get_by_text("Nothing chosen yet.")).to_be_visible(timeout=15_000)


def test_a_plan_which_cannot_be_read_is_explained_in_every_room(page: Page, plan: str) -> None:
    refusal = {
        "title": "Invalid input",
        "detail": "no measure 'kwh' on these cells",
        "cure": "import it again",
    }
    page.route("**/labels", lambda route: route.fulfill(status=422, json=refusal))
    for room in ("see", "redraw", "plans", "publish"):
        page.goto("about:blank")
        page.goto(f"/?lang=en&plan={plan}#/{room}")
        expect(page.get_by_text("no measure 'kwh' on these cells").first).to_be_visible(timeout=20_000)
        expect(page.get_by_text("import it again").first).to_be_visible()
