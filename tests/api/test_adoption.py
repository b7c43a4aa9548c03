"""Existing grids taken over through the application."""

from __future__ import annotations

import io
import json
import time
from typing import Any

import openpyxl
import pytest
from fastapi.testclient import TestClient

Town = tuple[TestClient, dict[str, Any]]


def square(west: float, east: float, **properties: Any) -> dict[str, Any]:
    ring = [[west, 0.0], [east, 0.0], [east, 0.1], [west, 0.1], [west, 0.0]]
    return {
        "type": "Feature",
        "properties": properties,
        "geometry": {"type": "Polygon", "coordinates": [ring]},
    }


def drawing(*features: dict[str, Any]) -> bytes:
    return json.dumps({"type": "FeatureCollection", "features": list(features)}).encode()


# From 0.3 to 0.4 live 90 customers, one each 0.001 degree from 0.305 on.
OLD = drawing(
    square(0.3, 0.3402, code="W", name="West 西", lead="p"),
    square(0.3502, 0.38, code="M", name="Middle", lead="nobody"),
    square(0.3702, 0.4, code="E", name="East", lead="Ann"),
)


def adopt(client: TestClient, tiling: str, content: bytes, name: str = "old.geojson", **form: Any) -> Any:
    return client.post(
        "/v1/plans/adopt",
        data={"tiling": tiling, **form},
        files={"file": (name, content)},
        headers=form.pop("headers", {}),
    )


def test_defects_come_with_customers_grids_and_a_place(town: Town) -> None:
    client, published = town
    answer = adopt(client, published["tiling"], OLD, grid_field="code")
    assert answer.status_code == 201, answer.text
    made = answer.json()
    found = made["adoption"]
    assert (found["gap_customers"], found["overlap_customers"]) == (10, 9)
    (gap,), (overlap,) = found["gaps"], found["overlaps"]
    assert (gap["grids"], gap["customers"]) == (["W", "M"], 10)
    assert sorted(overlap["grids"]) == ["E", "M"]
    assert gap["bbox"] == pytest.approx([0.3402, 0.0, 0.3502, 0.1], abs=1e-5)
    assert found["minority_cells"] == len(found["minority"]) > 0
    assert all(entry["share"] < 0.8 for entry in found["minority"])
    plan = client.get(f"/v1/plans/{made['plan']}").json()
    assert (plan["name"], plan["grids"], plan["solved"]) == ("old.geojson", 3, True)
    assert plan["origin"]["leads"] == {"W": "p", "M": "nobody", "E": "Ann"}
    report = client.get(f"/v1/plans/{made['plan']}/report").json()
    assert report["adoption"]["gap_customers"] == 10
    assert report["freshness"]["customers"]["solved_with"] == report["freshness"]["customers"]["now"]
    grids = client.get(f"/v1/plans/{made['plan']}/grids").json()["items"]
    assert [(g["code"], g["name"], g["team"]) for g in grids] == [
        ("W", "West 西", "t"),
        ("M", "Middle", None),
        ("E", "East", "t"),
    ]
    assert sum(grid["measures"]["customers"] for grid in grids) == 90


def test_a_plan_adopted_can_be_moved_and_compared_with_what_is_published(town: Town) -> None:
    client, published = town
    made = adopt(client, published["tiling"], OLD, grid_field="code").json()["plan"]
    found = client.get(f"/v1/plans/{made}/compare/publication:{published['n']}").json()
    assert found["moved"]["customers"] == 90
    gates = {gate["name"]: gate["passed"] for gate in client.get(f"/v1/plans/{made}/gates").json()}
    assert gates["coverage"]


def test_untouched_cells_are_left_open_if_asked(town: Town) -> None:
    client, published = town
    answer = adopt(
        client, published["tiling"], drawing(square(0.3, 0.34, g="W")), grid_field="g", fill="false"
    )
    made = answer.json()
    assert made["adoption"]["without_grid"]
    gates = {gate["name"]: gate for gate in client.get(f"/v1/plans/{made['plan']}/gates").json()}
    assert not gates["coverage"]["passed"]


def test_a_workbook_lists_customers(town: Town) -> None:
    client, published = town
    book = openpyxl.Workbook()
    book.active.append(["customer", "grid"])
    for i in range(90):
        book.active.append([f"{i:03}", "A" if i < 45 else "B"])
    content = io.BytesIO()
    book.save(content)
    made = adopt(client, published["tiling"], content.getvalue(), "list.xlsx").json()
    assert (made["adoption"]["gap_customers"], made["origin"]["kind"]) == (0, "list of customers")
    assert client.get(f"/v1/plans/{made['plan']}").json()["grids"] == 2


def test_a_request_sent_twice_counts_once(town: Town) -> None:
    client, published = town
    once = [
        client.post(
            "/v1/plans/adopt",
            data={"tiling": published["tiling"], "grid_field": "code"},
            files={"file": ("old.geojson", content)},
            headers={"Idempotency-Key": "adopt-once"},
        )
        for content in (OLD, OLD, drawing(square(0.3, 0.4, code="A")))
    ]
    assert [answer.status_code for answer in once[:2]] == [201, 201]
    assert once[0].json() == once[1].json()
    assert once[2].status_code == 422


def test_long_work_can_be_waited_for_elsewhere(town: Town) -> None:
    client, published = town
    answer = client.post(
        "/v1/plans/adopt",
        data={"tiling": published["tiling"], "grid_field": "code"},
        files={"file": ("old.geojson", OLD)},
        headers={"Prefer": "respond-async"},
    )
    assert answer.status_code == 202
    for _ in range(400):
        job = client.get(answer.headers["location"]).json()
        if job["status"] == "done":
            break
        time.sleep(0.05)
    assert job["result"]["adoption"]["gap_customers"] == 10


def bowtie() -> bytes:
    feature = square(0.3, 0.4, code="A")
    feature["geometry"]["coordinates"][0][1:3] = [[0.4, 0.1], [0.4, 0.0]]
    return drawing(square(0.3, 0.31, code="B"), feature)


def point() -> bytes:
    return drawing(
        {
            "type": "Feature",
            "properties": {"code": "A"},
            "geometry": {"type": "Point", "coordinates": [0.3, 0]},
        }
    )


@pytest.mark.parametrize(
    ("name", "content", "form", "row", "message"),
    [
        ("a.geojson", OLD, {"grid_field": "nope"}, None, "there is no column 'nope'"),
        ("a.geojson", OLD, {"grid_field": "code", "name_field": "nope"}, None, "there is no column 'nope'"),
        ("a.geojson", drawing(), {"grid_field": "code"}, None, "holds no rows"),
        ("a.geojson", b"", {"grid_field": "code"}, None, "is empty"),
        ("a.geojson", b"{", {"grid_field": "code"}, None, "is not JSON"),
        ("a.geojson", point(), {"grid_field": "code"}, None, "holds no polygons"),
        ("a.geojson", bowtie(), {"grid_field": "code"}, 2, "crosses or touches itself"),
        ("a.geojson", drawing(square(5, 6, code="A")), {"grid_field": "code"}, None, "lie nowhere on these"),
        (
            "a.geojson",
            drawing(square(0.3, 0.31, code="A"), square(0.31, 0.32, code=None)),
            {"grid_field": "code"},
            2,
            "no grid is named",
        ),
        (
            "a.geojson",
            drawing(square(0.3, 0.31, code="A", name="x"), square(0.31, 0.32, code="A", name="y")),
            {"grid_field": "code"},
            2,
            "grid A is 'y' here and 'x' in row 1",
        ),
        ("a.geojson", OLD, {"grid_field": "code", "crs": "mars"}, None, "unknown coordinate system"),
        ("a.geojson", OLD, {"grid_field": "code", "measure": "nope"}, 1, "no measure 'nope'"),
        ("a.csv", b"cell,grid\nzz,A\n", {}, 1, "there is no cell 'zz'"),
        ("a.csv", b"customer,grid\nzz,A\n", {}, None, "none of its customers is known"),
        ("a.csv", b"x,grid\nzz,A\n", {}, None, "no column tells cells or customers"),
        ("a.xlsx", b"PK", {}, None, "cannot be read as a workbook"),
        ("a.doc", b"PK", {}, None, "is no format known here"),
    ],
)
def test_a_wrong_file_is_refused_with_row_and_cure_and_nothing_is_kept(
    town: Town, name: str, content: bytes, form: dict[str, str], row: int | None, message: str
) -> None:
    client, published = town
    before = client.get("/v1/plans?territory=strip").json()["items"]
    answer = adopt(client, published["tiling"], content, name, **form)
    problem = answer.json()
    assert (answer.status_code, problem.get("row")) == (422, row), problem
    assert message in problem["detail"]
    assert problem["cure"]
    assert "--" not in problem["cure"]
    assert client.get("/v1/plans?territory=strip").json()["items"] == before


def test_a_tiling_there_is_not_is_not_found(town: Town) -> None:
    client, _ = town
    assert adopt(client, "til_x", OLD, grid_field="code").status_code == 404
    assert client.post("/v1/plans/adopt", data={"tiling": "til_x"}).status_code == 422
