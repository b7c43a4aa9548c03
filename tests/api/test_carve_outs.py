"""Carve-outs over HTTP: a whole list as GeoJSON, in and out."""

from __future__ import annotations

import json
from typing import Any

import pytest
from fastapi.testclient import TestClient

from tests.api.strip import ROWS, solve, tag, upload

Strip = tuple[TestClient, str]


def square(lon: float, lat: float, side: float = 0.01) -> dict[str, Any]:
    east, north = round(lon + side, 6), round(lat + side, 6)
    ring = [[lon, lat], [east, lat], [east, north], [lon, north], [lon, lat]]
    return {"type": "Polygon", "coordinates": [ring]}


def feature(code: str, lon: float, lat: float = 0.02, **changes: Any) -> dict[str, Any]:
    properties = {"code": code, "name": f"Works {code}", "team": "t", "reason": "key enterprise", **changes}
    return {"type": "Feature", "geometry": square(lon, lat), "properties": properties}


def collection(*features: dict[str, Any]) -> dict[str, Any]:
    return {"type": "FeatureCollection", "features": list(features)}


K1, K2 = feature("K1", 0.32), feature("K2", 0.35, team=None)


@pytest.fixture(scope="module")
def solved(cut: Strip) -> Strip:
    """A service with a solved plan."""
    client, tiling = cut
    assert upload(client, tiling, ROWS, measure=["customers=count"]).status_code == 201
    return client, solve(client, tiling)


def put(client: TestClient, plan: str, body: Any, **headers: str) -> Any:
    headers = {"Content-Type": "application/json"} | (headers or tag(client, plan))
    return client.put(f"/v1/plans/{plan}/carve-outs", content=json.dumps(body), headers=headers)


def test_a_list_goes_in_and_comes_back_with_its_etag(solved: Strip) -> None:
    client, plan = solved
    answer = put(client, plan, collection(K1, K2))
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"] == "application/geo+json"
    found = client.get(f"/v1/plans/{plan}/carve-outs")
    assert found.headers["ETag"] == answer.headers["ETag"] == tag(client, plan)["If-Match"]
    assert found.json() == answer.json()
    assert found.json()["features"] == [K1, K2]
    again = put(client, plan, found.json())
    assert again.json()["features"] == [K1, K2]
    assert put(client, plan, collection()).json()["features"] == []


def test_coordinates_may_be_of_another_system(solved: Strip) -> None:
    client, plan = solved
    put(client, plan, collection(K1))
    shifted = client.get(f"/v1/plans/{plan}/carve-outs?crs=EPSG:3857").json()
    assert shifted["gridsvc:crs"] == "EPSG:3857"
    answer = client.put(f"/v1/plans/{plan}/carve-outs?crs=EPSG:3857", json=shifted, headers=tag(client, plan))
    corner = answer.json()["features"][0]["geometry"]["coordinates"][0][0]
    assert corner == pytest.approx([0.32, 0.02], abs=1e-6)


def test_only_who_saw_the_plan_replaces_them(solved: Strip) -> None:
    client, plan = solved
    without = client.put(f"/v1/plans/{plan}/carve-outs", json=collection())
    assert (without.status_code, without.json()["field"]) == (428, "If-Match")
    stale = put(client, plan, collection(), **{"If-Match": '"1"'})
    assert stale.status_code == 412
    assert put(client, "pln_none", collection(), **{"If-Match": '"1"'}).status_code == 404


@pytest.mark.parametrize(
    ("body", "row", "field"),
    [
        (collection(K1, feature("K1", 0.36)), 2, "code"),
        (collection(K1, feature("01", 0.36)), 2, "code"),
        (collection(K1, feature("K2", 0.36, reason="")), 2, "reason"),
        (collection(K1, feature("K2", 0.325)), 2, "geometry"),
        (collection(K1, feature("K2", 1.0)), 2, "geometry"),
        (collection(K1, {**K2, "geometry": None}), 2, "geometry"),
        (collection(K1, {**K2, "geometry": {"type": "Polygon", "coordinates": [[[0, 0]]]}}), 2, "geometry"),
        (collection(feature("\ud800", 0.36)), None, None),
        ({"type": "Nothing"}, None, None),
        ([], None, "body"),
    ],
)
def test_what_is_wrong_is_named_with_its_cure(solved: Strip, body: Any, row: Any, field: Any) -> None:
    client, plan = solved
    before = tag(client, plan)
    found = put(client, plan, body).json()
    assert (found["status"], found.get("row"), found.get("field")) == (422, row, field)
    assert found["cure"]
    assert tag(client, plan) == before
