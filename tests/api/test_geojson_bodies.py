"""GeoJSON in bodies: bounded before it is parsed, each member once; the cure is an upload."""

from __future__ import annotations

import json
from typing import Any

import pytest
from fastapi.testclient import TestClient

from api.geojson_bodies import POSITIONS
from tests.api.strip import SQUARE


def ring(corners: int) -> list[list[float]]:
    return [[116.0, 39.0]] * corners


def feature(geometry: Any) -> dict[str, Any]:
    return {"type": "Feature", "properties": {"code": "a"}, "geometry": geometry}


def collection(corners: int) -> dict[str, Any]:
    huge = {"type": "Polygon", "coordinates": [ring(corners)]}
    return {"type": "FeatureCollection", "features": [feature(SQUARE), feature(huge)]}


BODIES = {
    "/v1/territories": lambda layer: {"id": "x", "name": "X", "boundary": layer},
    "/v1/territories/strip/tilings": lambda layer: {"kind": "h3", "resolution": 9, "barriers": layer},
    "/v1/plans": lambda layer: {"tiling": "x", "grids": 2, "barriers": layer},
}


@pytest.mark.parametrize("path", BODIES)
def test_too_many_vertices_are_refused_with_their_feature(nobody: TestClient, path: str) -> None:
    answer = nobody.post(path, json=BODIES[path](collection(POSITIONS * 2)))
    problem = answer.json()
    assert answer.status_code == 422, answer.text
    assert (problem["row"], problem["field"]) == (2, "geometry")
    assert "POST /v1/layers" in problem["cure"]


def test_carve_outs_are_bounded_as_well(nobody: TestClient) -> None:
    path = "/v1/plans/x/carve-outs"
    answer = nobody.put(path, json=collection(POSITIONS * 2))
    assert (answer.status_code, answer.json()["row"]) == (422, 2)


def test_a_body_of_many_megabytes_is_not_read_to_its_end(nobody: TestClient) -> None:
    body = {"id": "x", "name": "x" * 40_000_000, "boundary": SQUARE}
    answer = nobody.post("/v1/territories", json=body)
    assert answer.status_code == 413, answer.text


def test_a_member_which_stands_twice_is_refused(nobody: TestClient) -> None:
    body = json.dumps({"id": "x", "name": "X", "boundary": SQUARE}).replace(
        '"type"', '"type": "Point", "type"'
    )
    answer = nobody.post("/v1/territories", content=body, headers={"Content-Type": "application/json"})
    assert (answer.status_code, answer.json()["field"]) == (422, "type")


@pytest.mark.parametrize("body", ["{", "[" * 100_000, '{"id": ' + "9" * 5000 + "}"])
def test_what_is_no_json_is_said_to_be_none(nobody: TestClient, body: str) -> None:
    answer = nobody.post("/v1/territories", content=body, headers={"Content-Type": "application/json"})
    assert answer.status_code in {400, 422}
