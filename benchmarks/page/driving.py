"""Drives the page in headless Chromium and takes times inside it."""

from __future__ import annotations

import math
import re
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from playwright.sync_api import Page, sync_playwright

__all__ = ["browser_page", "lassos", "panned", "shown"]

_FLAGS = ["--use-gl=angle", "--use-angle=swiftshader", "--enable-unsafe-swiftshader", "--no-sandbox"]
_BOARD = "performance.getEntriesByName('board')[0]?.startTime ?? null"
_MOVED = re.compile(r"([\d,]+) cells change hands")
_EXPECTED = 500  # cells of a lasso

# A pull of the pointer by three pixels a frame: intervals between frames, the first ones left out.
_PAN = """async (frames) => {
  const canvas = document.querySelector('.maplibregl-canvas');
  const { left, top, width, height } = canvas.getBoundingClientRect();
  const [x, y] = [left + width / 2, top + height / 2];
  const send = (type, dx) => canvas.dispatchEvent(new MouseEvent(type, {
    bubbles: true, cancelable: true, view: window, button: 0, buttons: 1, clientX: x + dx, clientY: y,
  }));
  const took = [];
  send('mousedown', 0);
  let before = null;
  for (let i = 0; i < frames + 10; i++) {
    const now = await new Promise(requestAnimationFrame);
    if (before !== null && i >= 10) took.push(now - before);
    before = now;
    send('mousemove', 3 * (i % 80 < 40 ? i % 80 : 80 - i % 80));
  }
  send('mouseup', 0);
  return took;
}"""

# From the pointer let go to the first frame which has the new numbers.
_WATCH = """() => {
  window.lassos = [];
  const panel = document.querySelector('.effect');
  let begun = null;
  addEventListener('pointerup', () => { begun = performance.now(); }, true);
  new MutationObserver(() => {
    if (begun === null) return;
    const from = begun;
    begun = null;
    requestAnimationFrame(() => setTimeout(() => window.lassos.push(performance.now() - from)));
  }).observe(panel, { childList: true, subtree: true, characterData: true });
}"""


@contextmanager
def browser_page() -> Iterator[Page]:
    """A page of 1440 x 900 pixels in a browser of its own, which draws in software."""
    path = shutil.which("chromium") or shutil.which("chromium-browser")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=_FLAGS)
        yield browser.new_page(viewport={"width": 1440, "height": 900})
        browser.close()


def shown(page: Page, url: str) -> float:
    """Seconds from asking for the page until cells, grids and totals are on the screen."""
    page.goto(url)
    _until(page, f"{_BOARD} !== null", 120)
    return float(page.evaluate(_BOARD)) / 1000


def _until(page: Page, said: str, seconds: float) -> None:
    """Ask again and again from outside, for the page's policy lets nothing be evaluated inside."""
    end = time.monotonic() + seconds
    while not page.evaluate(said):
        if time.monotonic() > end:
            raise TimeoutError(said)
        page.wait_for_timeout(50)


def panned(page: Page, frames: int) -> list[float]:
    """Milliseconds between frames while the map is pulled to and fro."""
    page.wait_for_timeout(1500)
    took: list[float] = page.evaluate(_PAN, frames)
    return took


def lassos(page: Page, url: str, cells: int, count: int) -> dict[str, Any]:
    """Draw loops in the room for redrawing: milliseconds until the numbers are there, and cells caught."""
    page.goto(f"{url}#/redraw")
    page.get_by_text("Nothing chosen yet.").wait_for(timeout=60_000)
    page.get_by_role("radio", name="Lasso").check()
    page.wait_for_timeout(2500)
    page.evaluate(_WATCH)
    caught = [_lasso(page, cells, i) for i in range(count)]
    took: list[float] = page.evaluate("window.lassos")
    return {"ms": took, "cells": caught}


def _lasso(page: Page, cells: int, number: int) -> int:
    box = page.locator("#map").bounding_box()
    assert box is not None
    side = min(box["width"] - 96, box["height"] - 124)  # the disc's diameter on the screen, about
    radius = side / 2 * math.sqrt(_EXPECTED / cells)
    angle = number * 2.4  # a golden turn, so that loops spread
    x = box["x"] + box["width"] / 2 + math.cos(angle) * side / 4
    y = box["y"] + box["height"] / 2 + math.sin(angle) * side / 4
    page.mouse.move(x + radius, y)
    page.mouse.down()
    for step in range(1, 25):
        turn = step / 24 * 2 * math.pi
        page.mouse.move(x + radius * math.cos(turn), y + radius * math.sin(turn))
    page.mouse.up()
    _until(page, f"window.lassos.length > {number}", 20)
    found = _MOVED.search(page.locator(".effect").inner_text())
    page.keyboard.press("Escape")
    page.wait_for_timeout(150)
    return int(found[1].replace(",", "")) if found else 0
