"""The page before a service which wants keys."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.conftest import DIST, watched
from tests.databases import missing
from tests.journey.served import serving

pytestmark = pytest.mark.browser


@pytest.fixture
def closed(
    tmp_path: Path, published_file: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[tuple[str, str]]:
    """A service with a publication, and its administrator's key."""
    if not DIST.is_file():
        missing("the built map page (make web)")
    shutil.copy(published_file, tmp_path / "strip.db")
    monkeypatch.setenv("GRIDSVC_ACCESS", "keys")
    with serving(f"sqlite:///{tmp_path / 'strip.db'}", tmp_path) as base_url:
        (key,) = re.findall(r"gsk_[\w-]{43}", (tmp_path / "serve.log").read_text())
        yield base_url, key


def _watched(browser: Browser, closed: tuple[str, str]) -> Iterator[Page]:
    yield from watched(browser, closed[0])


def test_a_key_opens_the_page_and_no_script_can_read_it(browser: Browser, closed: tuple[str, str]) -> None:
    for page in _watched(browser, closed):
        page.goto("/?lang=en")
        form = page.locator("#notice form")
        expect(form).to_contain_text("This service wants a key", timeout=30_000)
        form.locator("input").fill("gsk_wrong")
        form.locator("button").click()
        expect(form.get_by_role("alert")).to_contain_text("unknown, expired or revoked")
        form.locator("input").fill(closed[1])
        form.locator("button").click()
        expect(page.locator("#header")).to_contain_text("Publication 1", timeout=30_000)
        expect(page.locator("#header")).not_to_contain_text("Open")
        assert closed[1] not in page.evaluate("document.cookie")
        assert closed[1] not in page.evaluate("JSON.stringify({...localStorage, ...sessionStorage})")
        page.reload()
        expect(page.locator("table tbody tr")).to_have_count(3, timeout=30_000)
        page.get_by_role("button", name="Sign out administrator").click()
        expect(form).to_contain_text("This service wants a key", timeout=30_000)
        assert page.context.cookies() == []
