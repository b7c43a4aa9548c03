"""Codes with signs of their own in addresses, in filters and on pages."""

from __future__ import annotations

import re
from html import unescape
from urllib.parse import quote, urlsplit

import numpy as np
import pytest

from gridsvc.plans.plan import Grid, Plan
from gridsvc.services import plans
from tests.ogc.conftest import HEIGHT, WIDTH, Town
from tests.services.board import ANNA

CODES = ["北区/01", "a b?c#d&e", "<i>'007'</i>", "100%"]


@pytest.fixture(scope="module")
def grids(town: Town) -> str:
    """Four grids of two columns or more; gives the collection's id."""
    labels = np.repeat(np.arange(WIDTH) * len(CODES) // WIDTH, HEIGHT).astype(np.int32)
    drawn = Plan(labels, tuple(Grid(code, code, "a") for code in CODES))
    return f"plan.{plans.put(town.database, ANNA, town.tiling, drawn, (('customers', 0.5),)).id}.grids"


def path_of(address: str) -> str:
    parts = urlsplit(address)
    return f"{parts.path}?{parts.query}"


@pytest.mark.parametrize("code", CODES)
def test_a_feature_is_found_by_its_code_whatever_is_in_it(town: Town, grids: str, code: str) -> None:
    answer = town.client.get(f"/ogc/collections/{grids}/items/{quote(code, safe='')}")
    assert (answer.status_code, answer.json()["id"]) == (200, code)
    own = next(entry["href"] for entry in answer.json()["links"] if entry["rel"] == "self")
    assert town.client.get(path_of(own)).json()["id"] == code
    assert town.ids(grids, code=code) == [code]
    doubled = code.replace("'", "''")
    assert town.ids(grids, filter=f"code = '{doubled}'") == [code]


def test_pages_lead_to_each_feature_and_show_codes_as_text(town: Town, grids: str) -> None:
    page = town.get(f"/collections/{grids}/items", f="html").text
    assert "<i>" not in page
    links = [unescape(found) for found in re.findall(r'href="([^"]*/items/[^"]*)"', page)]
    shown = [town.client.get(path_of(link)) for link in links]
    assert [answer.status_code for answer in shown] == [200] * len(CODES)
    assert all("<i>" not in answer.text for answer in shown)


def test_tiles_are_of_the_collection_that_was_asked_for(town: Town, grids: str) -> None:
    assert town.get(f"/collections/{grids}/tiles/WebMercatorQuad/14/8191/8192").status_code == 200
    assert town.get("/collections/plan.pln_none.grids/tiles/WebMercatorQuad/0/0/0").status_code == 404
    assert town.get("/collections/board.none.grids/tiles/WebMercatorQuad/0/0/0").status_code == 404
