"""From an empty server to a first plan, and a plan with seeds, locks, barriers and nesting."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.conftest import watched
from tests.journey.served import serving

pytestmark = pytest.mark.browser

WIDE = 0.05  # degrees


def _box(x: float, y: float, **told: Any) -> dict[str, Any]:
    ring = [[x, y], [x + WIDE, y], [x + WIDE, y + WIDE], [x, y + WIDE], [x, y]]
    return {"type": "Feature", "properties": told, "geometry": {"type": "Polygon", "coordinates": [ring]}}


def _file(name: str, *features: dict[str, Any]) -> Any:
    text = json.dumps({"type": "FeatureCollection", "features": features})
    return {"name": name, "mimeType": "application/geo+json", "buffer": text.encode()}


# Three districts of which two are wanted; two grids drawn with a gap between them.
DISTRICTS = _file(
    "districts.geojson",
    _box(0.3, 0.0, code="1", name="West"),
    _box(0.35, 0.0, code="2", name="Middle"),
    _box(0.4, 0.0, code="3", name="East"),
)
GRIDS = _file("old.geojson", _box(0.295, 0.0, grid="A"), _box(0.355, 0.0, grid="B"))
CUSTOMERS = "id,lon,lat,kwh\n" + "".join(f"{i:03},{0.302 + i * 0.001:.3f},0.025,{i}\n" for i in range(96))


@pytest.fixture
def empty(tmp_path: Path, migrated_file: Path) -> Iterator[tuple[str, httpx.Client]]:
    """A service with nothing in it."""
    shutil.copy(migrated_file, tmp_path / "empty.db")
    with (
        serving(f"sqlite:///{tmp_path / 'empty.db'}", tmp_path) as base_url,
        httpx.Client(base_url=base_url, timeout=60) as client,
    ):
        yield base_url, client


@pytest.fixture
def page(browser: Browser, empty: tuple[str, httpx.Client]) -> Iterator[Page]:
    yield from watched(browser, empty[0])


def test_an_empty_server_leads_to_grids_which_are_there_already(
    page: Page, empty: tuple[str, httpx.Client]
) -> None:
    _, client = empty
    page.goto("/?lang=en")
    page.get_by_role("link", name="Begin with your own data").click()
    page.get_by_role("button", name="Show me the sample").click()
    expect(page.get_by_text("gridsvc demo", exact=True).locator("visible=true")).to_be_visible()
    page.get_by_role("button", name="Back to the three ways").click()
    page.get_by_role("button", name="I have grids").click()
    _territory(page, client)
    _hexagons(page)
    _customers(page)

    page.get_by_label("The grids: polygons").set_input_files(GRIDS)
    page.get_by_role("button", name="Take the grids over").click()
    expect(page.get_by_text("2 grids were taken over as a draft.")).to_be_visible(timeout=60_000)
    page.locator("summary", has_text="In no grid: ").click()
    expect(page.locator(".spots button").first).to_have_text(
        re.compile(r"^A · B: [\d.]+ km², \d+ customers$")
    )
    page.locator(".spots button").first.click()
    page.get_by_role("button", name="To the plan").click()
    expect(page.locator(".plan-list [aria-current=true]")).to_contain_text("old.geojson")
    (plan,) = client.get("/v1/plans", params={"territory": "south-bank"}).json()["items"]
    grids = client.get(f"/v1/plans/{plan['id']}/grids").json()["items"]
    assert [grid["code"] for grid in grids] == ["A", "B"]


def _territory(page: Page, client: httpx.Client) -> None:
    """Two of three districts, one of them left out by a click on the map."""
    page.get_by_label("Name of the territory").fill("South Bank")
    page.get_by_label("Its boundary, or the districts").set_input_files(DISTRICTS)
    expect(page.get_by_text("Districts which belong to it: 3 of 3")).to_be_visible(timeout=30_000)
    page.get_by_label("East").uncheck()
    expect(page.get_by_text("Districts which belong to it: 2 of 3")).to_be_visible()
    # The middle of the map is the middle district: a click takes it out, another takes it back.
    box = page.locator("#map").bounding_box()
    assert box is not None
    for left in (1, 2):
        page.mouse.click(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
        expect(page.get_by_text(f"Districts which belong to it: {left} of 3")).to_be_visible()
        page.wait_for_timeout(400)  # two quick clicks would zoom
    page.get_by_role("button", name="Create the territory").click()
    expect(page.locator("#header")).to_contain_text("South Bank", timeout=30_000)
    outline = client.get("/v1/territories/south-bank").json()["boundary"]
    west, east = 0.3, 0.4
    xs = [x for part in outline["coordinates"] for ring in part for x, _ in ring]
    assert (min(xs), max(xs)) == pytest.approx((west, east))


def _hexagons(page: Page) -> None:
    page.get_by_label("Size of the hexagons").select_option("8")
    page.get_by_role("button", name="Cut the territory").click()
    expect(page.get_by_text(re.compile(r"\d+ cells \(hexagons 8\)"))).to_be_visible(timeout=60_000)


def _customers(page: Page) -> None:
    page.get_by_label("List of customers").set_input_files(
        {"name": "customers.csv", "mimeType": "text/csv", "buffer": CUSTOMERS.encode()}
    )
    page.get_by_role("button", name="kwh", exact=True).click()
    page.get_by_role("button", name="Place the customers").click()
    expect(page.get_by_text("96 (100%)").or_(page.get_by_text("96 of 96 customers placed"))).to_be_visible(
        timeout=60_000
    )


def test_a_plan_from_scratch_keeps_seeds_locks_barriers_and_wards(
    page: Page, empty: tuple[str, httpx.Client]
) -> None:
    _, client = empty
    page.goto("/?lang=en#/plans")
    page.get_by_role("button", name="From scratch").click()
    wards = [
        _box(0.3 + WIDE * i, WIDE * j, code=f"{i}{j}", ward="ab"[i // 2], homes=10)
        for i in range(4)
        for j in range(4)
    ]
    page.get_by_label("Name of the territory").fill("Wards")
    page.get_by_label("Its boundary, or the districts").set_input_files(_file("wards.geojson", *wards))
    expect(page.get_by_text("Districts which belong to it: 16 of 16")).to_be_visible(timeout=30_000)
    page.get_by_role("button", name="Create the territory").click()
    page.get_by_role("radio", name="polygons of a file").check()
    page.locator(".begin input[type=file]").set_input_files(_file("wards.geojson", *wards))
    expect(page.get_by_label("Column which names the polygons")).to_have_value("code")
    page.get_by_label("Columns of numbers to balance").fill("homes")
    page.get_by_role("button", name="Cut the territory").click()
    page.get_by_role("button", name="Without customers").click(timeout=60_000)
    page.get_by_role("button", name="Next").click()

    # Nested in the two wards and with a seed picked on the map.
    page.get_by_label("Number of grids").fill("4")
    page.get_by_label("Keep within").select_option(label="ward (2 areas)")
    page.locator("summary", has_text="More").click()
    page.get_by_role("button", name="Pick points on the map").click()
    box = page.locator("#map").bounding_box()
    assert box is not None
    page.mouse.click(box["x"] + box["width"] / 2 + 40, box["y"] + box["height"] / 2 + 40)
    expect(page.get_by_label("Build grids round these points")).to_have_value(
        re.compile(r"^0\.4\d+, 0\.0\d+$")
    )
    _start(page)
    first = _newest(client)
    assert (first["params"]["nest_in"], len(first["params"]["seeds"])) == ("ward", 1)

    # Again, with a grid locked and a line which no grid may cross.
    line = {"type": "LineString", "coordinates": [[0.4, -0.01], [0.4, 0.21]]}
    page.get_by_label("Build grids round these points").fill("")
    page.get_by_label("Barriers no grid may cross").set_input_files(
        _file("river.geojson", {"type": "Feature", "properties": {}, "geometry": line})
    )
    expect(page.get_by_text("1 barrier, drawn on the map")).to_be_visible(timeout=30_000)
    expect(page.get_by_label("Number of grids")).to_have_value("4")  # what was asked for stays
    page.get_by_role("button", name="Lock it").click()
    locked = page.locator(".locked li")
    expect(locked).to_have_text(re.compile(r"Grid .+: \d+ cells?"))
    page.get_by_role("button", name="Lock grids on the map").click()
    page.mouse.click(box["x"] + box["width"] / 2 + 40, box["y"] + box["height"] / 2 + 40)
    page.get_by_role("button", name="Lock grids on the map").click()
    _start(page)
    second = _newest(client)
    assert second["id"] != first["id"]
    assert second["params"]["barriers"] is True
    assert second["params"]["locks"]


def _start(page: Page) -> None:
    page.get_by_role("button", name="Start", exact=True).click()
    expect(page.get_by_text("Done. The plan is on the map.")).to_be_visible(timeout=60_000)


def _newest(client: httpx.Client) -> dict[str, Any]:
    plans = client.get("/v1/plans", params={"territory": "wards"}).json()["items"]
    return dict(max(plans, key=lambda plan: plan["recorded_at"]))
