"""``python -m tests.browser.pictures``: the page's main views into docs/img/page, on the sample county."""

from __future__ import annotations

import argparse
import io
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import h3
import httpx
from PIL import Image
from playwright.sync_api import Browser, Page, sync_playwright

from gridsvc.store import Database
from tests.browser.conftest import FLAGS
from tests.journey.served import serving

_ROOT = Path(__file__).resolve().parents[2]
_FOLDER = _ROOT / "docs" / "img" / "page"
_COLOURS = 64
"""Of a picture: a page has few, and files stay small."""

_SIZES = {1440: 900, 1024: 768}
_LOOKS = (("en", "light", 1440), ("en", "dark", 1024), ("zh", "light", 1024), ("zh", "dark", 1440))
"""Each two of language, colours and size meet."""
_TERRITORY = "sample-county"
_PATIENCE = 180_000
"""Milliseconds; a browser without a graphics card takes its time for 80,000 cells."""


def main() -> None:
    """Take all pictures, or those of the views named."""
    parser = argparse.ArgumentParser(prog="python -m tests.browser.pictures", description=__doc__)
    parser.add_argument("views", nargs="*", help="all unless named")
    parser.add_argument("--data", type=Path, help="a data folder in which gridsvc demo was run")
    arguments = parser.parse_args()
    wanted = arguments.views or list(VIEWS)
    with tempfile.TemporaryDirectory() as made, _browser() as browser:
        folder = Path(made)
        if "begin" in wanted:
            with serving(_empty(folder), folder) as url:
                _take(browser, url, ["begin"], "")
        rest = [view for view in wanted if view != "begin"]
        if not rest:
            return
        sample = _sample(folder / "sample", arguments.data)
        with serving(f"sqlite:///{sample / 'gridsvc.db'}", sample) as url:
            _take(browser, url, rest, _prepare(url))


@contextmanager
def _browser() -> Iterator[Browser]:
    path = shutil.which("chromium") or shutil.which("chromium-browser")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=FLAGS)
        yield browser
        browser.close()


def _empty(folder: Path) -> str:
    url = f"sqlite:///{folder / 'empty.db'}"
    database = Database.open(url)
    database.upgrade()
    database.close()
    return url


def _sample(folder: Path, made: Path | None) -> Path:
    """A folder with the main job done on the sample; a copy, for what is tried in it is not meant to stay."""
    if made is not None:
        shutil.copytree(made, folder, ignore=shutil.ignore_patterns("ownership", "uploads"))
        return folder
    folder.mkdir()
    command = [sys.executable, "-c", "from gridsvc.cli import main; main()", "demo"]
    environment = {"GRIDSVC_DATA_DIR": str(folder), "PATH": "/usr/bin:/bin", "PYTHONPATH": str(_ROOT)}
    subprocess.run(command, env=environment, check=True, cwd=_ROOT)
    return folder


def _prepare(url: str) -> str:
    """A draft in which some cells have moved, and a district's request on it; gives the draft."""
    with httpx.Client(base_url=url, timeout=60) as client:

        def ask(method: str, path: str, **more: Any) -> Any:
            answer = client.request(method, path, **more)
            answer.raise_for_status()
            return answer.json()

        published = ask("GET", "/v1/publications", params={"territory": _TERRITORY})["items"][0]
        plan = ask("POST", f"/v1/plans/{published['plan']}/branch", json={"name": "2027"})["id"]
        labelled = ask("GET", f"/v1/plans/{plan}/labels")
        cells = ask("GET", f"/v1/tilings/{labelled['tiling']}/cells")["cells"]
        codes = [grid["code"] for grid in labelled["grids"]]
        grid_of = {cell: codes[label] for cell, label in zip(cells, labelled["labels"], strict=True)}
        body = {"cells": _near(grid_of, "27", "26", 12), "to": "26", "reason": "the valley is one"}
        ask("POST", f"/v1/plans/{plan}/moves", json={"base_revision": 1, **body})
        wish = {
            "territory": _TERRITORY,
            "plan": plan,
            "kind": "move",
            "cells": _near(grid_of, "30", "29", 6),
            "to": "29",
            "reason": "the road leads there",
        }
        answer = client.post("/v1/requests", json=wish)
        assert answer.status_code in {200, 201}, answer.text
        return str(plan)


def _near(grid_of: dict[str, str], of: str, to: str, rings: int) -> list[str]:
    """Cells of a grid round the first which lies beside another grid."""
    own = [cell for cell, grid in grid_of.items() if grid == of]
    beside = (cell for cell in own if any(grid_of.get(near) == to for near in h3.grid_ring(cell, 1)))
    return [cell for cell in h3.grid_disk(next(beside), rings) if grid_of.get(cell) == of]


def _take(browser: Browser, url: str, views: list[str], draft: str) -> None:
    """The views in each look; what is on the map is read once for all rooms which show the same."""
    for language, scheme, width in _LOOKS:
        page = browser.new_page(
            color_scheme=scheme,  # type: ignore[arg-type]
            viewport={"width": width, "height": _SIZES[width]},
        )
        page.set_default_timeout(_PATIENCE)
        shown = None
        for view in views:
            room, query, show = VIEWS[view]
            if query != shown:
                page.goto(f"{url}/?lang={language}{query.format(draft=draft)}#/{room}")
                if view != "begin":
                    page.locator("#search").wait_for()
            else:
                page.evaluate(f"location.hash = '#/{room}'")
            shown = query
            page.wait_for_timeout(2500)
            show(page)
            page.wait_for_timeout(2000)
            _keep(page, _FOLDER / f"{view}-{language}-{scheme}-{width}.png")
        page.close()


def _keep(page: Page, path: Path) -> None:
    picture = Image.open(io.BytesIO(page.screenshot())).convert("RGB")
    picture.quantize(_COLOURS, dither=Image.Dither.NONE).save(path, optimize=True)
    print(f"{path.relative_to(_ROOT)}  {path.stat().st_size // 1000} kB", flush=True)


# --- what is done in a view before its picture is taken


def _nothing(page: Page) -> None:
    """As it is when one comes in."""


def _card(page: Page) -> None:
    page.locator("#search").fill("26")
    page.locator("#search").press("Enter")
    page.locator("#layers summary").click()


def _paint(page: Page) -> None:
    page.locator("#redraw-to").select_option(index=12)
    box = page.locator("#map").bounding_box()
    assert box is not None
    x, y = box["x"] + box["width"] * 0.55, box["y"] + box["height"] * 0.62
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(x + 70, y + 25, steps=6)
    page.mouse.up()


def _compare(page: Page) -> None:
    page.keyboard.press("Escape")
    page.locator("#panel select").first.select_option("publication:1")
    page.locator(".pairs tbody tr").first.wait_for(timeout=20_000)


def _measure(page: Page) -> None:
    page.locator("#layers summary").click()
    page.locator("#controls label").nth(3).click()


def _grids(page: Page) -> None:
    page.locator("#controls label").first.click()


def _deal(page: Page) -> None:
    """Give a grid to a team which cannot carry it."""
    page.locator('[data-team="T01"] [data-grid]').first.drag_to(page.locator('[data-team="T02"]'))


def _members(page: Page) -> None:
    """A share which would be too much for the person."""
    page.locator(".teams-views input").nth(2).check(force=True)
    page.locator('[data-team="T01"] tr[data-person="P039"] .icon').click()
    page.locator("input[name=time_share]").fill("80")
    page.locator('[data-team="T01"]').scroll_into_view_if_needed()


def _loads(page: Page) -> None:
    page.locator(".teams-views input").nth(1).check(force=True)
    page.locator(".team-loads").wait_for()


def _handover(page: Page) -> None:
    """What it would do if a lead left on a day, with a successor."""
    page.locator(".teams-views input").nth(4).check(force=True)
    page.locator("select[name=person]").select_option("P026")
    page.locator("select[name=successor]").select_option("P015")
    page.locator("input[name=effective_at]").fill("2027-03-01")
    page.locator("input[name=reason]").fill("2027")
    page.locator(".teams-room form [type=submit]").click()
    page.locator(".team-effect").wait_for()


def _request(page: Page) -> None:
    page.locator("#panel ul button").first.click()


VIEWS: dict[str, tuple[str, str, Callable[[Page], None]]] = {
    "begin": ("plans", "", _nothing),
    "see": ("see", "", _card),
    "measure": ("see", "", _measure),
    "plans": ("plans", "", _grids),
    "data": ("data", "", _nothing),
    "redraw": ("redraw", "&plan={draft}", _paint),
    "compare": ("compare", "&plan={draft}", _compare),
    "teams": ("teams", "&plan={draft}", _deal),
    "teams-loads": ("teams", "&plan={draft}", _loads),
    "teams-people": ("teams", "&plan={draft}", _members),
    "teams-handover": ("teams", "&plan={draft}", _handover),
    "requests": ("requests", "&plan={draft}", _request),
    "publish": ("publish", "&plan={draft}", _nothing),
    "paper": ("paper", "&plan={draft}", _nothing),
}
"""Name of a view: the room, what the address adds, and what is done there first."""


if __name__ == "__main__":
    main()
