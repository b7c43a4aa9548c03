"""Redrawing borders in a real browser: choose, see the effect, save, take back, and meet another planner."""

from __future__ import annotations

import io
import re
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image
from playwright.sync_api import Browser, Page, expect

from tests.journey.client import Client

pytestmark = [pytest.mark.browser, pytest.mark.london]

MOVED = re.compile(r"(\d+) cells change hands")


@pytest.fixture
def plan(service: str) -> Iterator[str]:
    """A draft of the plan in force."""
    with Client(service) as client:
        published = client.get("/v1/publications", territory="london")["items"][0]
        made = client.post(f"/v1/plans/{published['plan']}/branch", {"name": "spring"})
        yield made["id"]


def _open(page: Page, plan: str) -> None:
    page.goto(f"/?lang=en&plan={plan}#/redraw")
    expect(page.get_by_text("Nothing chosen yet.")).to_be_visible(timeout=30_000)
    page.wait_for_timeout(500)  # the map fits the territory


def _paint(page: Page, grid: str, *, at: tuple[float, float] = (0.5, 0.5)) -> int:
    """Give what lies round a place of the map to a grid; tells how many cells that would move."""
    page.get_by_label("Give to grid").select_option(label=grid)
    box = page.locator("#map").bounding_box()
    assert box is not None
    x, y = box["x"] + box["width"] * at[0], box["y"] + box["height"] * at[1]
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(x + 25, y + 10, steps=4)
    page.mouse.up()
    told = page.get_by_text(MOVED)
    expect(told).to_be_visible()
    found = MOVED.search(told.inner_text())
    assert found is not None
    return int(found[1])


def _labels(client: Client, plan: str) -> dict[str, Any]:
    found: dict[str, Any] = client.get(f"/v1/plans/{plan}/labels")
    return found


def test_a_move_is_seen_saved_and_taken_back(page: Page, service: str, plan: str) -> None:
    _open(page, plan)
    cells = _paint(page, "20 Grid 20")
    assert cells > 0
    expect(page.locator(".effect tbody tr").first).to_be_visible()
    with Client(service) as client:
        before = _labels(client, plan)
        page.get_by_role("button", name="Save move").click()
        expect(page.get_by_text(f"move, {cells} cells")).to_be_visible(timeout=10_000)
        after = _labels(client, plan)
        changed = sum(a != b for a, b in zip(before["labels"], after["labels"], strict=True))
        assert (changed, after["revision"]) == (cells, before["revision"] + 1)
        page.keyboard.press("Control+z")
        expect(page.get_by_text(f"undo, {cells} cells")).to_be_visible(timeout=10_000)
        assert _labels(client, plan)["labels"] == before["labels"]


def test_a_stroke_is_taken_back_before_it_is_saved(page: Page, service: str, plan: str) -> None:
    _open(page, plan)
    first = _paint(page, "20 Grid 20")
    more = _paint(page, "20 Grid 20", at=(0.45, 0.6))
    assert more > first
    page.keyboard.press("Control+z")
    expect(page.get_by_text(f"{first} cells change hands")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.get_by_text("Nothing chosen yet.")).to_be_visible()
    with Client(service) as client:
        assert _labels(client, plan)["revision"] == 1


def test_a_lasso_chooses_what_lies_in_it_and_the_map_shows_it_as_long_as_it_is_chosen(
    page: Page, plan: str
) -> None:
    """While a loop grows the cells stand still, and are not drawn again: then they must be."""
    _open(page, plan)
    page.get_by_role("radio", name="Lasso").check()
    page.wait_for_timeout(1500)  # the drawing tool is loaded when first used
    box = page.locator("#map").bounding_box()
    assert box is not None
    x, y = box["x"] + box["width"] * 0.4, box["y"] + box["height"] * 0.4

    def look() -> NDArray[np.uint8]:
        """The map inside the loop, with the pointer elsewhere and all drawn."""
        page.mouse.move(box["x"] + box["width"] + 50, 20)
        page.wait_for_timeout(1000)
        clip: Any = {"x": x + 20, "y": y + 20, "width": 50, "height": 50}
        return np.asarray(Image.open(io.BytesIO(page.screenshot(clip=clip))).convert("RGB"))

    before = look()
    page.mouse.move(x, y)
    page.mouse.down()
    for dx, dy in ((90, 0), (90, 90), (0, 90), (0, 8)):
        page.mouse.move(x + dx, y + dy, steps=6)
    page.mouse.up()
    expect(page.get_by_text(MOVED)).to_be_visible(timeout=10_000)
    changed = (look() != before).any(axis=2).mean()
    assert changed > 0.9  # each cell, and not only names
    page.keyboard.press("Escape")
    expect(page.get_by_text("Nothing chosen yet.")).to_be_visible()
    assert (look() == before).all()


def test_two_planners_on_one_draft(page: Page, browser: Browser, service: str, plan: str) -> None:
    _open(page, plan)
    chosen = _paint(page, "20 Grid 20")
    with Client(service) as client:
        labelled = _labels(client, plan)
        cells = client.get(f"/v1/tilings/{labelled['tiling']}/cells")["cells"]
        codes = [grid["code"] for grid in labelled["grids"]]
        # The other gives all cells to a grid of their own, so also those which were chosen here.
        target = codes.index("21")
        others = [cell for cell, label in zip(cells, labelled["labels"], strict=True) if label != target][
            :900
        ]
        body = {"base_revision": labelled["revision"], "cells": others, "to": "21", "reason": "by another"}
        client.post(f"/v1/plans/{plan}/moves", body)
        expect(page.get_by_text(re.compile("local moved 900 cells"))).to_be_visible(timeout=10_000)
        # What is chosen stays chosen, now against what the other did.
        expect(page.get_by_text(f"{chosen} cells change hands")).to_be_visible(timeout=10_000)
        page.get_by_role("button", name="Save move").click()
        expect(page.get_by_text(f"move, {chosen} cells")).to_be_visible(timeout=10_000)
