"""From a plan to its publication in a real browser: solve, compare, ask, decide, publish, look back."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from playwright.sync_api import Browser, Page, expect

from tests.api.strip import make_territory, make_tiling, publish
from tests.browser.conftest import watched
from tests.conftest import LONG_WALK
from tests.journey.served import serving

pytestmark = pytest.mark.browser


@pytest.fixture
def strip(database_url: str, tmp_path: Path) -> Iterator[tuple[str, httpx.Client]]:
    """A service with a small territory, published once in three grids."""
    with serving(database_url, tmp_path) as base_url, httpx.Client(base_url=base_url, timeout=60) as client:
        ask: Any = client  # answers as the tests' own client does
        make_territory(ask)
        publish(ask, make_tiling(ask))
        yield base_url, client


@pytest.fixture
def page(browser: Browser, strip: tuple[str, httpx.Client]) -> Iterator[Page]:
    yield from watched(browser, strip[0])


def _go(page: Page, room: str, **query: str) -> None:
    extra = "".join(f"&{name}={value}" for name, value in query.items())
    page.goto(f"/?lang=en{extra}#/{room}")


@LONG_WALK
def test_from_a_plan_to_its_publication(page: Page, strip: tuple[str, httpx.Client]) -> None:
    _, client = strip
    _go(page, "plans")
    _solve(page)
    plan = _newest(client)
    _compare(page, client, plan)
    _ask_and_decide(page, client, plan)
    _publish(page, client, plan)


def _newest(client: httpx.Client) -> str:
    plans = client.get("/v1/plans", params={"territory": "strip", "limit": 1000}).json()["items"]
    return str(max(plans, key=lambda plan: plan["recorded_at"])["id"])


def _solve(page: Page) -> None:
    page.get_by_label("Name").fill("autumn")
    page.get_by_label("Number of grids").fill("4")
    page.get_by_label("kwh").uncheck()
    page.get_by_role("button", name="Start", exact=True).click()
    expect(page.get_by_text("Done. The plan is on the map.")).to_be_visible(timeout=60_000)
    expect(page.locator("#header").get_by_text("autumn")).to_be_visible()
    expect(page.locator(".plan-list [aria-current=true]")).to_contain_text("autumn")


def _compare(page: Page, client: httpx.Client, plan: str) -> None:
    page.get_by_role("link", name="Compare").click()
    page.get_by_label("Compare with").select_option("publication:1")
    expect(page.get_by_text(re.compile(r"\d+ of \d+ cells? (is|are) in another grid"))).to_be_visible(
        timeout=10_000
    )
    border = page.get_by_role("slider", name="Border between the two plans")
    border.press("End")
    expect(border).to_have_attribute("aria-valuenow", "100")
    border.press("ArrowLeft")
    expect(border).to_have_attribute("aria-valuenow", "98")
    # Who loses whom: as many lines as pairs of grids, each of them shown on the map by its button.
    told = client.get(f"/v1/plans/{plan}/compare/publication:1").json()
    lines = page.locator(".pairs tbody tr")
    expect(lines).to_have_count(len(told["grid_moves"]))
    lines.first.get_by_role("button").click()
    for name, kind in (("workbook", "spreadsheetml"), ("CSV", "text/csv"), ("page", "text/html")):
        href = page.get_by_role("link", name=name, exact=True).get_attribute("href")
        assert href is not None and f"plans/{plan}/compare" in href
        answer = client.get(href)
        assert answer.status_code == 200 and kind in answer.headers["content-type"], name


def _ask_and_decide(page: Page, client: httpx.Client, plan: str) -> None:
    """A request closes the gate until it is decided, and accepting it makes the move."""
    labelled = client.get(f"/v1/plans/{plan}/labels").json()
    codes = [grid["code"] for grid in labelled["grids"]]
    page.get_by_role("link", name="Requests").click()
    page.get_by_role("button", name="Make a request").click()
    box = page.locator("#map").bounding_box()
    assert box is not None
    page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    page.mouse.down()
    page.mouse.up()
    expect(page.get_by_text(re.compile(r"\b[1-9]\d* cells? chosen"))).to_be_visible()
    page.get_by_label("To grid").select_option(codes[-1])
    page.get_by_label("Reason", exact=True).fill("the river lies between")
    page.get_by_role("button", name="Send request").click()
    expect(page.get_by_text(re.compile("Sent. It is due"))).to_be_visible(timeout=10_000)

    page.get_by_role("link", name="Publish").click()
    expect(page.get_by_text("rules stand in the way")).to_be_visible(timeout=10_000)
    page.get_by_role("link", name="Requests").click()
    page.get_by_role("button", name=re.compile(f"to grid {codes[-1]}")).click()
    expect(page.get_by_text("What accepting it would do")).to_be_visible(timeout=10_000)
    page.get_by_placeholder("Reason of the decision").fill("agreed")
    page.get_by_role("button", name="Accept").click()
    expect(page.get_by_text(re.compile("accepted by local: agreed"))).to_be_visible(timeout=10_000)
    assert client.get(f"/v1/plans/{plan}").json()["revision"] > labelled["revision"]


def _publish(page: Page, client: httpx.Client, plan: str) -> None:
    page.get_by_role("link", name="Publish").click()
    expect(page.get_by_text("Team and lead")).to_be_visible(timeout=10_000)
    page.get_by_role("button", name="Publish", exact=True).click()
    # Without teams the gate is closed, in words and with what to do.
    expect(page.get_by_text("Gate closed")).to_be_visible(timeout=10_000)
    tag = client.get(f"/v1/plans/{plan}").headers["ETag"]
    assert client.post(f"/v1/plans/{plan}/teams", headers={"If-Match": tag}).status_code == 200
    for gate in client.get(f"/v1/plans/{plan}/gates").json():
        for offender in gate["offenders"] if gate["name"] == "contiguity" else []:
            body = {"gate": "contiguity", "grid": offender["grid"], "reason": "small"}
            assert client.post(f"/v1/plans/{plan}/waivers", json=body).status_code == 201
    page.get_by_role("button", name="Submit for approval").click()
    expect(page.get_by_text("This plan is: Submitted")).to_be_visible(timeout=10_000)
    page.get_by_role("button", name="Approve").click()
    expect(page.get_by_text("This plan is: Approved")).to_be_visible(timeout=10_000)
    page.get_by_role("button", name="Publish", exact=True).click()
    expect(page.get_by_text("Published as number 2.")).to_be_visible(timeout=20_000)
    expect(page.locator("#header").get_by_text("Publication 2")).to_be_visible()
    page.get_by_role("button", name="Changes since number 1").click()
    expect(page.get_by_text(re.compile(r"Cells and grids: \d+ lines"))).to_be_visible(timeout=10_000)
    page.locator(".timeline li", has_text="Publication 1").get_by_role("button", name="Show").click()
    expect(page.locator("#header").get_by_text("Publication 1")).to_be_visible(timeout=10_000)
