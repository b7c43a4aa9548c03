"""Teams in a real browser: grids given by drag, keyboard and service; loads, rules and handovers."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.conftest import watched

pytestmark = pytest.mark.browser


@pytest.fixture
def page(browser: Browser, staffed: tuple[str, httpx.Client]) -> Iterator[Page]:
    yield from watched(browser, staffed[0])


def _view(page: Page, name: str) -> None:
    page.get_by_role("radiogroup", name="What to see").get_by_role("radio", name=name).check(force=True)


def _teams(client: httpx.Client, plan: str) -> dict[str, str | None]:
    grids = client.get(f"/v1/plans/{plan}/labels").json()["grids"]
    return {grid["code"]: grid["team"] for grid in grids}


def _customers(client: httpx.Client, plan: str) -> dict[str, int]:
    grids = client.get(f"/v1/plans/{plan}/grids").json()["items"]
    return {grid["code"]: int(grid["measures"]["customers"]) for grid in grids}


def _handovers(client: httpx.Client, kind: str) -> list[dict[str, Any]]:
    items = client.get("/v1/territories/strip/handovers").json()["items"]
    return [item for item in items if item["kind"] == kind]


def test_teams_from_grids_to_handovers(page: Page, staffed: tuple[str, httpx.Client]) -> None:
    _, client = staffed
    page.goto("/?lang=en#/teams")
    expect(page.get_by_text("Start a draft")).to_be_visible(timeout=60_000)
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

    # By drag, with the loads of both teams shown as they would be, against what they can carry.
    page.locator(f'[data-grid="{first}"]').drag_to(south)
    expect(page.get_by_text("To change team: 1")).to_be_visible()
    expect(south.locator(f'[data-grid="{first}"]')).to_be_visible()
    moved, all_of_them = _customers(client, plan)[first], sum(_customers(client, plan).values())
    effects = page.locator(".team-carries li")
    expect(effects).to_have_text(
        [
            re.compile(rf"North, Customers: {all_of_them} → {all_of_them - moved} of 100 \(\d+%\)"),
            re.compile(rf"South, Customers: 0 → {moved} of 40 \(\d+%\)"),
        ]
    )
    # By keyboard.
    page.locator(f'[data-grid="{second}"]').press("Enter")
    page.get_by_label("To team").select_option("u")
    page.get_by_role("button", name="Give").press("Enter")
    expect(page.get_by_text("To change team: 2")).to_be_visible()
    expect(effects.nth(1)).to_contain_text("above capacity")
    expect(south.locator(".team-bar.beyond")).to_have_count(1)
    # A step back, by button and by key, and once more.
    page.get_by_role("button", name="Take back").click()
    expect(page.get_by_text("To change team: 1")).to_be_visible()
    expect(south.locator(f'[data-grid="{second}"]')).to_have_count(0)
    page.locator(f'[data-grid="{second}"]').drag_to(south)
    expect(page.get_by_text("To change team: 2")).to_be_visible()
    page.keyboard.press("Control+z")
    expect(page.get_by_text("To change team: 1")).to_be_visible()
    assert set(_teams(client, plan).values()) == {"t"}  # nothing is saved yet
    page.locator(f'[data-grid="{second}"]').drag_to(south)
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
    # What was saved is taken back at once, and made again.
    page.locator(".teams-told").get_by_role("button", name="Take back").click()
    expect(page.get_by_text("Taken back.")).to_be_visible(timeout=10_000)
    assert _teams(client, plan) == before

    # The service gives them anew, and keeps nothing by hand where nothing was changed.
    page.get_by_text("Assign for me").first.click()
    page.get_by_role("button", name="Assign for me").click()
    expect(page.get_by_text("Saved.")).to_be_visible(timeout=10_000)
    assert None not in _teams(client, plan).values()


def _loads_people_and_scores(page: Page) -> None:
    _view(page, "Loads")
    expect(page.locator(".team-loads tbody tr")).to_have_count(3)
    expect(page.get_by_text(re.compile("the largest is .* times that"))).to_be_visible()
    # Have against capacity: in words, and as a bar in the room there is for it.
    north = page.locator(".team-loads tbody tr", has_text="North")
    expect(north).to_contain_text(re.compile(r"\d+% of 100"))
    expect(north.locator(".team-limit")).to_have_count(1)
    page.locator("#panel").get_by_label("Measure").select_option("area_km2")
    expect(page.locator(".team-loads caption")).to_contain_text("Area")
    _view(page, "People")
    expect(page.locator(".team-members")).to_have_count(3)
    _view(page, "Scorecard")
    expect(page.locator(".team-scores tbody tr")).to_have_count(3)
    page.get_by_role("radiogroup", name="Scorecard of").get_by_role("radio", name="Teams").check(force=True)
    row = page.locator(".team-scores tbody tr")
    expect(row).to_have_count(1)  # North has all three grids
    expect(row).to_contain_text("North")
    expect(row.locator("td").nth(2)).to_have_text("3")
    with page.context.expect_page() as opened:
        page.get_by_role("link", name="Page to print").click()
    expect(opened.value.locator("table").first).to_be_visible()


def _a_handover_is_shown_before_it_is_done(page: Page, client: httpx.Client) -> None:
    _view(page, "Handover")
    page.get_by_label("Who leaves").select_option("p")
    page.get_by_label("Reason").fill("moves away")
    # Without a successor there would be grids of nobody: said in words, with a cure.
    page.get_by_role("button", name="Show what it would do").click()
    expect(page.locator(".fault[role=alert], .problem[role=alert]")).to_contain_text(
        "What to do", timeout=10_000
    )
    page.get_by_label("Successor", exact=True).select_option("r")
    page.get_by_role("button", name="Show what it would do").click()
    expect(page.get_by_text(re.compile("Lead of North: Ann gives to Cleo"))).to_be_visible(timeout=10_000)
    assert _handovers(client, "leaver") == []
    page.get_by_role("button", name="Hand over").click()
    expect(page.get_by_text("Ann leaves")).to_be_visible(timeout=10_000)
    over = page.locator(".teams-room section", has=page.get_by_role("heading", name="Over"))
    expect(over.locator("li")).to_contain_text("done")
    assert len(_handovers(client, "leaver")) == 1


def test_a_grid_is_handed_over_from_a_day_on_and_stands_among_what_runs(
    page: Page, staffed: tuple[str, httpx.Client]
) -> None:
    _, client = staffed
    page.goto("/?lang=en#/teams")
    expect(page.get_by_text("Start a draft")).to_be_visible(timeout=60_000)
    _view(page, "Handover")
    page.get_by_role("radio", name="A grid goes to a team").check(force=True)
    page.locator("select[name=grid]").select_option(index=0)
    code = page.locator("select[name=grid]").input_value()
    page.locator("select[name=team]").select_option("t")
    page.get_by_label("Reason").fill("nearer")
    # It is North's already: said at the team, with what to do.
    page.get_by_role("button", name="Show what it would do").click()
    fault = page.locator("#handover-team-fault")
    expect(fault).to_contain_text("What to do", timeout=10_000)
    expect(page.locator("select[name=team]")).to_have_attribute("aria-invalid", "true")
    expect(page.locator("select[name=team]")).to_be_focused()
    page.locator("select[name=team]").select_option("u")
    expect(fault).to_have_count(0)
    page.locator("input[name=effective_at]").fill("2099-03-01")
    page.get_by_role("button", name="Show what it would do").click()
    expect(page.get_by_text(f"Grid {code}: from North to South, from March 1, 2099")).to_be_visible(
        timeout=10_000
    )
    page.get_by_role("button", name="Hand over").click()
    running = page.locator(".teams-room section", has=page.get_by_role("heading", name="Running"))
    expect(running.locator("li")).to_contain_text("draft", timeout=10_000)
    (made,) = _handovers(client, "grid")
    assert (made["grid"], made["state"]) == (code, "draft")
    page.get_by_role("button", name="Show the draft").click()
    expect(page.locator("#header").get_by_text("Draft")).to_be_visible(timeout=10_000)
