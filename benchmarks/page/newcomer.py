"""``python -m benchmarks.page.newcomer``: a newcomer goes from the sample to a plan in force, in Chromium.

The sample is served by ``make run``. Before each step the newcomer reads for some seconds, as somebody would
who has the page of the path in front of them; the browser draws in software.
"""

from __future__ import annotations

import argparse
import re
import time
from collections.abc import Callable
from pathlib import Path

from playwright.sync_api import Page, expect

from benchmarks.page.driving import browser_page

__all__ = ["main"]

_PATIENCE = 60_000
_BESIDE = (0.854, 0.473)
"""A place of the map in the grid which is to grow, and"""
_BORDER = (0.888, 0.544)
"""one on its border, as shares of the map at 1440 x 900, where a stroke cuts no grid in two."""


def main() -> None:
    """Walk, and print a line a step with the seconds since the first."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.page.newcomer", description=__doc__)
    parser.add_argument("--url", default="http://127.0.0.1:8000")
    parser.add_argument("--reading", type=float, default=5.0, help="seconds before each step")
    parser.add_argument("--pictures", type=Path, help="a folder for one picture a step")
    told = parser.parse_args()
    with browser_page() as page:
        page.set_default_timeout(_PATIENCE)
        expect.set_options(timeout=_PATIENCE)
        began = time.monotonic()
        page.goto(f"{told.url}/?lang=en")
        for number, (said, step) in enumerate(_STEPS, 1):
            page.wait_for_timeout(told.reading * 1000)
            step(page)
            print(f"{time.monotonic() - began:6.1f} s  {said}", flush=True)
            if told.pictures is not None:
                page.screenshot(path=told.pictures / f"{number}.png")


def _look(page: Page) -> None:
    x, y = _place(page, _BESIDE)
    page.mouse.click(x, y)
    expect(page.locator("#panel").get_by_text(re.compile("Team")).first).to_be_visible()


def _start(page: Page) -> None:
    page.get_by_role("link", name="Redraw").click()
    page.get_by_role("button", name="Start a draft").click()
    expect(page.get_by_text("Nothing chosen yet.")).to_be_visible()


def _paint(page: Page) -> None:
    page.mouse.click(*_place(page, _BESIDE), button="right")
    x, y = _place(page, _BORDER)
    page.mouse.move(x, y - 10)
    page.mouse.down()
    page.mouse.move(x, y + 10, steps=6)
    page.mouse.up()
    expect(page.get_by_text(re.compile(r"[1-9]\d* cells change hands"))).to_be_visible()


def _save(page: Page) -> None:
    page.get_by_role("button", name="Save move").click()
    expect(page.get_by_text(re.compile(r"move, \d+ cells"))).to_be_visible()


def _compare(page: Page) -> None:
    page.get_by_role("link", name="Compare").click()
    page.get_by_label("Compare with").select_option("publication:1")
    expect(
        page.get_by_text(re.compile(r"[1-9]\d* of [\d,]+ cells? (is|are) in another grid"))
    ).to_be_visible()


def _submit(page: Page) -> None:
    page.get_by_role("link", name="Publish").click()
    page.get_by_role("button", name="Submit for approval").click()
    expect(page.get_by_text("This plan is: Submitted")).to_be_visible()


def _approve(page: Page) -> None:
    page.get_by_role("button", name="Approve").click()
    expect(page.get_by_text("This plan is: Approved")).to_be_visible()


def _publish(page: Page) -> None:
    page.get_by_role("button", name="Publish", exact=True).click()
    expect(page.get_by_text("Published as number 2.")).to_be_visible()


def _place(page: Page, share: tuple[float, float]) -> tuple[float, float]:
    box = page.locator("#map").bounding_box()
    assert box is not None
    return box["x"] + box["width"] * share[0], box["y"] + box["height"] * share[1]


_STEPS: tuple[tuple[str, Callable[[Page], None]], ...] = (
    ("the map is there, and a grid says whose it is", _look),
    ("Redraw: a draft of what is in force", _start),
    ("a stroke over a border, with what it would do", _paint),
    ("the move is saved", _save),
    ("Compare: who loses what to whom", _compare),
    ("Publish: submitted", _submit),
    ("approved", _approve),
    ("published as number 2", _publish),
)


if __name__ == "__main__":
    main()
