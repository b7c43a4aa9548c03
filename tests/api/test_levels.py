"""Schemes of grid codes, and levels, over HTTP."""

from __future__ import annotations

from typing import Any

import pytest
from fastapi.testclient import TestClient

from tests.api.strip import ROWS, SQUARE, make_territory, make_tiling, solve, tag, upload

LAYER: dict[str, Any] = {
    "type": "FeatureCollection",
    "features": [{"type": "Feature", "properties": {"code": "110105001001"}, "geometry": SQUARE}],
}


def test_a_scheme_is_chosen_and_shown(client: TestClient) -> None:
    make_territory(client)
    where = "/v1/territories/strip/codes"
    assert client.get(where).json()["scheme"] == "plain"
    put = client.put(where, json={"scheme": "standard15", "areas": LAYER})
    assert put.status_code == 200, put.text
    shown = {"territory": "strip", "scheme": "standard15", "column": None, "areas": 1}
    assert put.json() == client.get(where).json() == shown


def test_one_area_may_stand_alone(client: TestClient) -> None:
    make_territory(client)
    put = client.put(
        "/v1/territories/strip/codes", json={"scheme": "standard15", "areas": LAYER["features"][0]}
    )
    assert (put.status_code, put.json()["areas"]) == (200, 1)


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"scheme": "standard15"}, "column"),
        ({"scheme": "standard15", "column": "community"}, "column"),
        ({"scheme": "standard15", "areas": {"type": "FeatureCollection", "features": []}}, "areas"),
        ({"scheme": "standard15", "areas": LAYER, "property": "other"}, "other"),
        ({"scheme": "standard15", "areas": {**LAYER["features"][0], "properties": 7}}, "code"),
        ({"scheme": "standard15", "areas": {**LAYER["features"][0], "properties": ["code"]}}, "code"),
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


# --- levels

LEVELS = [
    {"id": "company", "names": {"zh": "公司", "en": "Company"}},
    {"id": "area", "names": {"zh": "片区", "en": "Area"}, "parent": "company"},
    {"id": "grid", "names": {"zh": "网格", "en": "Grid"}, "parent": "area"},
]


def test_a_level_is_planned_published_and_summed(client: TestClient) -> None:
    make_territory(client)
    tiling = make_tiling(client)
    put = client.put("/v1/territories/strip/levels", json={"levels": LEVELS})
    assert [(level["id"], level["line"]) for level in put.json()["levels"]] == [
        ("company", "base@company"),
        ("area", "base@area"),
        ("grid", "base"),
    ]
    assert upload(client, tiling, ROWS, measure=["customers=count"]).status_code == 201
    for grids, more in ((2, {"level": "area"}), (4, {})):
        plan = solve(client, tiling, grids=grids, **more)
        teams = client.post(f"/v1/plans/{plan}/teams", headers=tag(client, plan))
        done = client.post(f"/v1/plans/{plan}/publish", headers={"If-Match": teams.headers["ETag"]})
        assert done.status_code == 201, done.text
    shown = client.get("/v1/territories/strip/levels").json()["levels"]
    assert [(level["id"], level["publication"], level["grids"]) for level in shown] == [
        ("company", None, 1),
        ("area", 1, 2),
        ("grid", 1, 4),
    ]
    assert shown[0]["totals"] == shown[1]["totals"] == shown[2]["totals"]
    page = client.get("/v1/territories/strip/levels/grid?limit=3").json()
    rest = client.get(f"/v1/territories/strip/levels/grid?limit=3&after={page['next']}").json()
    assert {unit["parent"] for unit in page["items"] + rest["items"]} == {"01", "02"}
    inside = solve(client, tiling, grids=2, parent="01")
    told = client.get(f"/v1/plans/{inside}").json()
    assert (told["level"], told["parent"], told["line"]) == ("grid", "01", "base")


@pytest.mark.parametrize(
    ("method", "path", "body", "status", "field"),
    [
        ("PUT", "levels", {"levels": [LEVELS[0], {**LEVELS[1], "parent": "area"}]}, 422, "levels"),
        ("PUT", "levels", {"levels": [LEVELS[1], {**LEVELS[0], "parent": "area"}]}, 422, "levels"),
        ("PUT", "levels", {"levels": LEVELS[:1]}, 422, "levels"),
        ("PUT", "levels", {"levels": [LEVELS[0], {**LEVELS[1], "names": {"zh": "片区"}}]}, 422, None),
        ("GET", "levels?as_of=2026-01-01T00:00:00", None, 422, "as_of"),
        ("GET", "levels/area", None, 404, "level"),
        ("GET", "levels/nothing", None, 404, "level"),
    ],
)
def test_wrong_levels_are_refused(
    cut: tuple[TestClient, str], method: str, path: str, body: Any, status: int, field: str | None
) -> None:
    answer = cut[0].request(method, f"/v1/territories/strip/{path}", json=body)
    assert answer.status_code == status
    assert answer.json()["cure"]
    assert field is None or answer.json()["field"] == field


def test_a_plan_of_no_such_level_or_parent_is_refused(client: TestClient) -> None:
    make_territory(client)
    tiling = make_tiling(client)
    assert upload(client, tiling, ROWS, measure=["customers=count"]).status_code == 201
    for more, field in (({"level": "street"}, "level"), ({"parent": "01"}, "parent")):
        body = {"tiling": tiling, "grids": 2, "measures": [{"name": "customers"}], **more}
        answer = client.post("/v1/plans", json=body)
        assert (answer.status_code, answer.json()["field"]) == (422, field)
