"""What lies round the cells: a base map where the operator names one, and the company's own layers."""

from __future__ import annotations

import io
import json
import shutil
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import Browser, Page, expect

from tests.browser.conftest import watched
from tests.browser.tiles import tile_host
from tests.journey.served import serving

pytestmark = pytest.mark.browser

GREEN = (0, 200, 0)
RIVER = {
    "type": "FeatureCollection",
    "features": [
        {
            "type": "Feature",
            "properties": {"name": "Long river"},
            "geometry": {"type": "LineString", "coordinates": [[0.3, 0.02], [0.4, 0.08]]},
        }
    ],
}


@pytest.fixture
def ready(tmp_path: Path, published_file: Path) -> str:
    """A database with a small publication, and a river of the company's own."""
    shutil.copy(published_file, tmp_path / "strip.db")
    (tmp_path / "map").mkdir()
    (tmp_path / "map" / "rivers.geojson").write_text(json.dumps(RIVER))
    return f"sqlite:///{tmp_path / 'strip.db'}"


@pytest.fixture(params=["wgs84", "gcj02", "style"])
def mapped(
    request: pytest.FixtureRequest, ready: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[tuple[str, str, list[str]]]:
    """A service with a base map: its address, that of the tiles' host, and what the host is asked."""
    with tile_host(GREEN) as (host, asked):
        styled = request.param == "style"
        monkeypatch.setenv("GRIDSVC_BASE_MAP", host + ("/t.json" if styled else "/t/{z}/{x}/{y}.png"))
        monkeypatch.setenv("GRIDSVC_BASE_MAP_CRS", "wgs84" if styled else request.param)
        monkeypatch.setenv("GRIDSVC_BASE_MAP_CREDIT", "© Intranet maps")
        with serving(ready, tmp_path) as base_url:
            yield base_url, host, asked


def _open(page: Page, base_url: str) -> None:
    page.goto(f"{base_url}/?lang=en")
    expect(page.locator("#grids tbody tr")).to_have_count(3, timeout=30_000)


def _pixel(page: Page) -> tuple[int, int, int]:
    """The colour of the map near its lower left, beside the territory."""
    page.wait_for_timeout(1000)  # the map draws what came last
    box = page.locator("#map").bounding_box()
    assert box is not None
    clip = {"x": box["x"] + 6, "y": box["y"] + box["height"] / 2, "width": 4, "height": 4}
    shot = Image.open(io.BytesIO(page.screenshot(clip=clip)))  # type: ignore[arg-type]
    found: tuple[int, int, int] = shot.convert("RGB").getpixel((1, 1))  # type: ignore[assignment]
    return found


def test_a_base_map_lies_under_the_cells(browser: Browser, mapped: tuple[str, str, list[str]]) -> None:
    base_url, host, asked = mapped
    context = browser.new_context(locale="en-GB", viewport={"width": 1440, "height": 900})
    page = context.new_page()
    said: list[str] = []
    foreign: list[str] = []
    page.on("console", lambda m: said.append(m.text) if m.type in {"error", "warning"} else None)
    page.on(
        "request",
        lambda r: None if r.url.startswith((base_url, host, "blob:", "data:")) else foreign.append(r.url),
    )
    _open(page, base_url)
    expect(page.get_by_text("© Intranet maps")).to_be_visible()
    assert _pixel(page) == GREEN
    assert asked and all(path.startswith(("/t/", "/t.json")) for path in asked)
    page.locator("#layers summary").click()
    page.get_by_label("Base map").uncheck()
    assert _pixel(page) != GREEN
    expect(page.get_by_text("© Intranet maps")).to_be_hidden()
    # The choice is kept, and a page opened with it asks the host for nothing.
    asked.clear()
    _open(page, base_url)
    assert _pixel(page) != GREEN
    assert asked == []
    assert (said, foreign) == ([], [])
    context.close()


def test_a_host_which_does_not_answer_is_told_of(
    browser: Browser, ready: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with tile_host(GREEN) as (host, _):
        gone = host
    monkeypatch.setenv("GRIDSVC_BASE_MAP", gone + "/{z}/{x}/{y}.png")
    with serving(ready, tmp_path) as base_url:
        page = browser.new_page(locale="en-GB")
        _open(page, base_url)
        expect(page.get_by_text("The base map cannot be reached")).to_be_visible(timeout=10_000)
        page.close()


def test_own_layers_are_drawn_and_switched(browser: Browser, ready: str, tmp_path: Path) -> None:
    with serving(ready, tmp_path) as base_url:
        for page in watched(browser, base_url):
            with page.expect_response("**/v1/map/layers/rivers"):
                _open(page, base_url)
            page.locator("#layers summary").click()
            river = page.get_by_label("Rivers")
            expect(river).to_be_checked()
            with_river = _blue(page)
            river.uncheck()
            assert _blue(page) < with_river / 2


def _blue(page: Page) -> int:
    """How many pixels of the map have the colour of rivers."""
    page.wait_for_timeout(1000)
    shot = np.asarray(Image.open(io.BytesIO(page.locator("#map").screenshot())).convert("RGB"), np.int32)
    return int((np.abs(shot - (0x3F, 0x8F, 0xD6)).sum(axis=2) < 60).sum())
