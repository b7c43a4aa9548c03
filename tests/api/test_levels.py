"""Schemes of grid codes over HTTP."""

from __future__ import annotations

from typing import Any

import pytest
from fastapi.testclient import TestClient

from tests.api.strip import SQUARE

LAYER = {
    "type": "FeatureCollection",
    "features": [{"type": "Feature", "properties": {"code": "110105001001"}, "geometry": SQUARE}],
}


def test_a_scheme_is_chosen_and_shown(cut: tuple[TestClient, str]) -> None:
    client, _ = cut
    where = "/v1/territories/strip/codes"
    assert client.get(where).json()["scheme"] == "plain"
    put = client.put(where, json={"scheme": "standard15", "areas": LAYER})
    assert put.status_code == 200, put.text
    shown = {"territory": "strip", "scheme": "standard15", "column": None, "areas": 1}
    assert put.json() == client.get(where).json() == shown


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"scheme": "standard15"}, "column"),
        ({"scheme": "standard15", "column": "community"}, "column"),
        ({"scheme": "standard15", "areas": {"type": "FeatureCollection", "features": []}}, "areas"),
        ({"scheme": "standard15", "areas": LAYER, "property": "other"}, "other"),
        ({"scheme": "roman"}, "scheme"),
        ({"scheme": "plain", "areas": LAYER}, "areas"),
        ({}, "scheme"),
    ],
)
def test_a_scheme_without_its_area_codes_is_refused(
    cut: tuple[TestClient, str], body: dict[str, Any], field: str
) -> None:
    client, _ = cut
    answer = client.put("/v1/territories/strip/codes", json=body)
    assert answer.status_code == 422
    assert answer.json()["field"] == field
    assert answer.json()["cure"]


def test_there_are_no_codes_of_no_territory(cut: tuple[TestClient, str]) -> None:
    assert cut[0].get("/v1/territories/nowhere/codes").status_code == 404
