"""Teams in a real browser: grids given by drag, keyboard and service; loads, rules and handovers."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from playwright.sync_api import Browser, Page, expect

from tests.api.strip import ROSTER, make_territory, make_tiling, publish
from tests.browser.conftest import watched
from tests.journey.served import serving

pytestmark = pytest.mark.browser

TWO_TEAMS = {
    **ROSTER,
    "people": [
        {"id": "p", "name": "Ann", "department": "m"},
        {"id": "q", "name": "Ben", "department": "m"},
        {"id": "r", "name": "Cleo", "department": "m"},
    ],
    "teams": [{"id": "t", "name": "North"}, {"id": "u", "name": "South"}, {"id": "f", "name": "Duty"}],
    "members": [
        {"team": "t", "person": "p", "role": "lead"},
        {"team": "u", "person": "q", "role": "lead"},
        {"team": "f", "person": "r", "role": "lead"},
    ],
    "fallback": "f",
}


@pytest.fixture
def strip(tmp_path: Path, migrated_file: Path) -> Iterator[tuple[str, httpx.Client]]:
    """A service with a small territory, published in three grids, and two teams."""
    shutil.copy(migrated_file, tmp_path / "strip.db")
    url = f"sqlite:///{tmp_path / 'strip.db'}"
    with serving(url, tmp_path) as base_url, httpx.Client(base_url=base_url, timeout=60) as client:
        ask: Any = client
        make_territory(ask)
        publish(ask, make_tiling(ask))
        assert client.put("/v1/territories/strip/roster", json=TWO_TEAMS).status_code == 200
        yield base_url, client


@pytest.fixture
def page(browser: Browser, strip: tuple[str, httpx.Client]) -> Iterator[Page]:
    yield from watched(browser, strip[0])


def _view(page: Page, name: str) -> None:
    page.get_by_role("radiogroup", name="What to see").get_by_role("radio", name=name).check(force=True)


def _teams(client: httpx.Client, plan: str) -> dict[str, str | None]:
    grids = client.get(f"/v1/plans/{plan}/labels").json()["grids"]
    return {grid["code"]: grid["team"] for grid in grids}


def test_teams_from_grids_to_handovers(page: Page, strip: tuple[str, httpx.Client]) -> None:
    _, client = strip
    page.goto("/?lang=en#/teams")
    expect(page.get_by_text("Start a draft")).to_be_visible(timeout=20_000)
    _loads_people_and_scores(page)
    _view(page, "Assign")
    _grids_go_to_teams(page, client)
    _a_handover_is_shown_before_it_is_done(page, client)


def _grids_go_to_teams(page: Page, client: httpx.Client) -> None:
    page.get_by_role("button", name="Start a draft").click()
    expect(page.locator("#header").get_by_text("Draft")).to_be_visible(timeout=10_000)
    plans = client.get("/v1/plans", params={"territory": "strip"}).json()["items"]
    plan = max(plans, key=lambda found: found["recorded_at"])["id"]
    before = _teams(client, plan)
    assert set(before.values()) == {"t"}
    first, second, third = sorted(before)
    south = page.locator('[data-team="u"]')

    # By drag, with the load shown as it would be.
    page.locator(f'[data-grid="{first}"]').drag_to(south)
    expect(page.get_by_text("To change team: 1")).to_be_visible()
    expect(south.locator(f'[data-grid="{first}"]')).to_be_visible()
    # By keyboard.
    page.locator(f'[data-grid="{second}"]').press("Enter")
    page.get_by_label("To team").select_option("u")
    page.get_by_role("button", name="Give").press("Enter")
    expect(page.get_by_text("To change team: 2")).to_be_visible()
    # A team onto the map: the grid in its middle, whichever that is.
    page.locator('[data-team="t"] .team-title').drag_to(page.locator("#map"))
    page.locator('[data-team="u"] .team-title').drag_to(page.locator("#map"))

    wanted = {
        code: "u" if south.locator(f'[data-grid="{code}"]').count() else "t"
        for code in (first, second, third)
    }
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_text(re.compile(r"Saved\. Grids with another team: [23]\."))).to_be_visible(
        timeout=10_000
    )
    assert _teams(client, plan) == wanted
    assert sorted(wanted.values()).count("u") >= 2

    # The service gives them anew, and keeps nothing by hand where nothing was changed.
    page.get_by_text("Assign for me").first.click()
    page.get_by_role("button", name="Assign for me").click()
    expect(page.get_by_text("Saved.")).to_be_visible(timeout=10_000)
    assert None not in _teams(client, plan).values()


def _loads_people_and_scores(page: Page) -> None:
    _view(page, "Loads")
    expect(page.locator(".team-loads tbody tr")).to_have_count(3)
    expect(page.get_by_text(re.compile("the largest is .* times that"))).to_be_visible()
    page.locator("#panel").get_by_label("Measure").select_option("area_km2")
    expect(page.locator(".team-loads caption")).to_contain_text("Area")
    _view(page, "People")
    expect(page.locator(".team-members")).to_have_count(3)
    expect(page.locator(".team-members").first).to_contain_text("Ann")
    _view(page, "Scorecard")
    expect(page.locator(".team-scores tbody tr")).to_have_count(3)
    with page.context.expect_page() as opened:
        page.get_by_role("link", name="Page to print").click()
    expect(opened.value.locator("table").first).to_be_visible()


def _a_handover_is_shown_before_it_is_done(page: Page, client: httpx.Client) -> None:
    _view(page, "Handover")
    page.get_by_label("Who leaves").select_option("p")
    page.get_by_label("Reason").fill("moves away")
    # Without a successor there would be grids of nobody: said in words, with a cure.
    page.get_by_role("button", name="Show what it would do").click()
    expect(page.get_by_role("alert")).to_be_visible(timeout=10_000)
    page.get_by_label("Successor", exact=True).select_option("r")
    page.get_by_role("button", name="Show what it would do").click()
    expect(page.get_by_text(re.compile("Lead of North: Ann gives to Cleo"))).to_be_visible(timeout=10_000)
    assert client.get("/v1/territories/strip/handovers").json()["items"] == []
    page.get_by_role("button", name="Hand over").click()
    expect(page.get_by_text("Ann leaves")).to_be_visible(timeout=10_000)
    assert len(client.get("/v1/territories/strip/handovers").json()["items"]) == 1
