"""Cells and labels as columns agree with the lists and exports which say the same at more length."""

from __future__ import annotations

import csv
from io import StringIO
from typing import Any

from fastapi.testclient import TestClient

from tests.api.strip import ROWS, SQUARE, make_territory, make_tiling, solve, upload


def test_cells_come_by_row_with_their_measures(client: TestClient) -> None:
    make_territory(client)
    tiling = make_tiling(client)
    assert upload(client, tiling, ROWS, measure=["customers=count"]).status_code == 201
    answer = client.get(f"/v1/tilings/{tiling}/cells")
    told = answer.json()
    assert (told["kind"], told["outlines"]) == ("h3", {})
    assert told["cells"] == sorted(told["cells"])
    assert len(told["cells"]) == client.get(f"/v1/tilings/{tiling}").json()["cells"] == len(told["area_km2"])
    assert (
        sum(told["measures"]["customers"])
        == client.get(f"/v1/tilings/{tiling}").json()["measures"]["customers"]["total"]
    )
    again = client.get(f"/v1/tilings/{tiling}/cells", headers={"If-None-Match": answer.headers["ETag"]})
    assert (again.status_code, again.content) == (304, b"")
    upload(client, tiling, ROWS, measure=["customers=count"])
    fresh = client.get(f"/v1/tilings/{tiling}/cells", headers={"If-None-Match": answer.headers["ETag"]})
    assert fresh.status_code == 200


def test_polygons_come_with_their_outlines(client: TestClient) -> None:
    make_territory(client)
    layer = {
        "type": "FeatureCollection",
        "features": [{"type": "Feature", "properties": {"code": "007"}, "geometry": SQUARE}],
    }
    body = {"kind": "polygons", "polygons": layer, "id_field": "code"}
    tiling = client.post("/v1/territories/strip/tilings", json=body).json()["id"]
    told = client.get(f"/v1/tilings/{tiling}/cells").json()
    assert (told["kind"], told["cells"]) == ("polygons", ["007"])
    assert sorted(map(tuple, told["outlines"]["0"][0][0])) == sorted(map(tuple, SQUARE["coordinates"][0]))


def test_columns_to_nest_in_are_texts_which_several_cells_share(client: TestClient) -> None:
    make_territory(client)
    boxes = [[[x, 0.0], [x + 0.03, 0.0], [x + 0.03, 0.1], [x, 0.1], [x, 0.0]] for x in (0.3, 0.33, 0.36)]
    told = [
        {"code": "1", "ward": "a", "note": "", "people": 4},
        {"code": "2", "ward": "a", "note": "x", "people": 4},
        {"code": "3", "ward": "b", "note": "x", "people": 5},
    ]
    features = [
        {"type": "Feature", "properties": row, "geometry": {"type": "Polygon", "coordinates": [box]}}
        for row, box in zip(told, boxes, strict=True)
    ]
    layer = {"type": "FeatureCollection", "features": features}
    body = {"kind": "polygons", "polygons": layer, "id_field": "code"}
    tiling = client.post("/v1/territories/strip/tilings", json=body).json()["id"]
    assert client.get(f"/v1/tilings/{tiling}/cells").json()["areas"] == {"ward": 2}


def test_labels_are_those_of_the_list(client: TestClient) -> None:
    make_territory(client)
    tiling = make_tiling(client)
    assert upload(client, tiling, ROWS, measure=["customers=count"]).status_code == 201
    plan = solve(client, tiling, grids=2)
    answer = client.get(f"/v1/plans/{plan}/labels")
    told, cells = answer.json(), client.get(f"/v1/tilings/{tiling}/cells").json()["cells"]
    listed = {
        row["cell"]: row["grid"]
        for row in csv.DictReader(StringIO(client.get(f"/v1/plans/{plan}/cells").text))
    }
    codes = [grid["code"] for grid in told["grids"]]
    assert {cell: codes[label] for cell, label in zip(cells, told["labels"], strict=True)} == listed
    first = cells[told["labels"].index(0)]
    moved = client.post(
        f"/v1/plans/{plan}/moves", json={"base_revision": told["revision"], "cells": [first], "to": codes[1]}
    )
    assert moved.status_code == 200
    after = client.get(f"/v1/plans/{plan}/labels", headers={"If-None-Match": answer.headers["ETag"]}).json()
    assert after["revision"] == told["revision"] + 1
    assert after["labels"][cells.index(first)] == 1
    before = client.get(f"/v1/plans/{plan}/labels?revision={told['revision']}").json()
    assert before["labels"] == told["labels"]
    assert client.get("/v1/plans/pln_none/labels").status_code == 404
    assert client.get("/v1/tilings/til_none/cells").status_code == 404


def test_an_import_without_what_a_plan_is_made_of_is_refused_and_the_plan_stays_readable(
    own_town: tuple[TestClient, dict[str, Any]],
) -> None:
    client, published = own_town
    tiling, plan = published["tiling"], published["plan"]
    refused = upload(client, tiling, ROWS, measure=["customers=count"])
    assert refused.status_code == 422, refused.text
    told = refused.json()
    assert (told["field"], told["plan"]) == ("measure", plan)
    assert "'kwh'" in told["detail"] and "kwh=sum:kwh" in told["cure"]
    assert client.get(f"/v1/plans/{plan}/labels").status_code == 200
    # With what it needs, in whatever way it is made, an import is taken.
    taken = upload(client, tiling, ROWS, measure=["customers=count", "kwh=count", "more=sum:kwh"])
    assert taken.status_code == 201, taken.text
    assert client.get(f"/v1/plans/{plan}/labels").status_code == 200
