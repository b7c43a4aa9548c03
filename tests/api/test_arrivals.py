"""Customers as they come and go, over HTTP."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from fastapi.testclient import TestClient

from tests.api.strip import make_territory, make_tiling, publish

Town = tuple[TestClient, dict[str, Any]]

PATH = "/v1/territories/strip/customers"
NOON, ONE = "2026-11-01T12:00:00Z", "2026-11-01T13:00:00Z"


def put(client: TestClient, customer: str, **body: Any) -> Any:
    here = {"source_updated_at": NOON, "lon": 0.35, "lat": 0.05}
    return client.put(f"{PATH}/{customer}", json=here | body)


def test_a_customer_comes_moves_and_goes(town: Town) -> None:
    client, _ = town
    came = put(client, "Höhe%2F7")
    assert came.status_code == 200, came.text
    assert (came.json()["id"], came.json()["outcome"]) == ("Höhe/7", "recorded")
    found = client.get("/v1/owner/customers/Höhe%2F7", params={"min_seq": came.json()["seq"]}).json()
    told = came.json()["owner"]
    assert {name: told[name] for name in ("cell", "grid", "team", "rule")} == {
        name: found[name] for name in ("cell", "grid", "team", "rule")
    }
    moved = put(client, "Höhe%2F7", source_updated_at=ONE, lon=0.32).json()
    assert moved["cell"] != came.json()["cell"]
    assert put(client, "Höhe%2F7").json()["outcome"] == "older"
    gone = client.delete(f"{PATH}/Höhe%2F7", params={"source_updated_at": "2026-11-01T14:00:00Z"})
    assert gone.json()["outcome"] == "recorded"
    assert client.get("/v1/owner/customers/Höhe%2F7").status_code == 404


def test_coordinates_are_in_the_declared_system(town: Town) -> None:
    client, _ = town
    answer = client.put(
        f"{PATH}/epsg?crs=EPSG:3857", json={"source_updated_at": NOON, "lon": 38961.8, "lat": 5566.0}
    )
    assert answer.json()["verdict"] == "placed"
    assert put(client, "epsg", source_updated_at=ONE).json()["cell"] == answer.json()["cell"]


def test_a_batch_as_a_list_and_as_lines(town: Town) -> None:
    client, _ = town
    rows = [{"id": f"b{i}", "source_updated_at": NOON, "lon": 0.31 + i / 100, "lat": 0.05} for i in range(5)]
    first = client.post(f"{PATH}/batch", json=rows).json()
    assert (first["recorded"], [row["status"] for row in first["rows"]]) == (5, ["owned"] * 5)
    lines = "\n".join(json.dumps(row) for row in rows)
    again = client.post(
        f"{PATH}/batch", content=lines, headers={"Content-Type": "application/x-ndjson"}
    ).json()
    assert (again["repeated"], again["seq"]) == (5, first["seq"])
    assert [row["cell"] for row in again["rows"]] == [row["cell"] for row in first["rows"]]


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"valid_from": "2026-12-02T00:00:00Z", "valid_to": "2026-12-01T00:00:00Z"}, "valid_to"),
        ({"source_updated_at": "2026-11-01T12:00:00"}, "source_updated_at"),
        ({"source_updated_at": "2126-11-01T12:00:00Z"}, "source_updated_at"),
        ({"valid_from": "0001-01-01T00:00:00+14:00"}, "valid_from"),
        ({"lat": "north"}, "lat"),
        ({"values": {"kwh": -3}}, "values.kwh"),
        ({"longitude": 3}, "longitude"),
        ({"id": "another"}, "id"),
        ({"premise": "\0"}, "premise"),
    ],
)
def test_what_is_wrong_is_refused_with_its_field_and_a_cure(
    town: Town, body: dict[str, Any], field: str
) -> None:
    client, _ = town
    answer = put(client, "bad", **body)
    assert (answer.status_code, answer.json()["field"]) == (422, field)
    assert answer.json()["cure"]
    assert client.get("/v1/owner/customers/bad").status_code == 404


def test_what_is_no_batch_is_refused(town: Town) -> None:
    client, _ = town
    assert client.post(f"{PATH}/batch", content=b"{").status_code == 422
    assert client.post(f"{PATH}/batch", content=b"x", headers={"Content-Type": "text/csv"}).status_code == 415
    assert client.post(f"{PATH}/batch", content=b"[" + b"1," * 10_000 + b"1]").status_code == 413
    missing = client.put("/v1/territories/atlantis/customers/k", json={"source_updated_at": NOON})
    assert (missing.status_code, bool(missing.json()["cure"])) == (404, True)


def test_a_tiling_says_of_what_time_its_customers_are(client: TestClient) -> None:
    make_territory(client)
    tiling = make_tiling(client)
    assert client.get(f"/v1/tilings/{tiling}").json()["customers"] is None
    publish(client, tiling)
    imported = client.get(f"/v1/tilings/{tiling}").json()["customers"]
    assert imported["import"] and imported["imported_at"] and imported["told_at"] is None
    row = {"source_updated_at": NOON, "lon": 0.35, "lat": 0.05}
    asked = datetime.now(UTC)
    assert client.put(f"{PATH}/new", json=row).json()["outcome"] == "recorded"
    (told,) = [entry["customers"] for entry in client.get("/v1/territories/strip/tilings").json()["items"]]
    assert told == {**imported, "told_at": told["told_at"]}
    assert asked <= datetime.fromisoformat(told["told_at"]) <= datetime.now(UTC)
    client.put(f"{PATH}/new", json=row)  # told once more, which changes nothing
    assert client.get(f"/v1/tilings/{tiling}").json()["customers"] == told


def test_a_report_says_with_what_the_plan_was_made_and_what_there_is_now(client: TestClient) -> None:
    make_territory(client)
    tiling = make_tiling(client)
    plan = publish(client, tiling)["plan"]
    first = client.get(f"/v1/tilings/{tiling}").json()["measures"]["customers"]["as_of"]
    report = client.get(f"/v1/plans/{plan}/report").json()
    assert report["freshness"]["customers"] == {"solved_with": first, "now": first}
    made = client.post(f"/v1/tilings/{tiling}/measures/refresh").json()["as_of"]
    later = client.get(f"/v1/plans/{plan}/report").json()
    assert later["freshness"]["customers"] == {"solved_with": first, "now": made}
    assert {**later, "freshness": None} == {**report, "freshness": None}


def test_measures_are_made_anew_and_drift_is_told(client: TestClient) -> None:
    make_territory(client)
    tiling = make_tiling(client)
    publish(client, tiling)
    before = client.get(f"/v1/tilings/{tiling}").json()["measures"]["customers"]
    rows = [{"id": f"new{i}", "source_updated_at": NOON, "lon": 0.35, "lat": 0.05} for i in range(60)]
    assert client.post(f"{PATH}/batch", json=rows).json()["recorded"] == 60
    assert client.get(f"/v1/tilings/{tiling}").json()["measures"]["customers"] == before
    made = client.post(f"/v1/tilings/{tiling}/measures/refresh").json()
    assert made["measures"]["customers"] == {"before": before["total"], "now": before["total"] + 60}
    after = client.get(f"/v1/tilings/{tiling}").json()["measures"]["customers"]
    assert (after["total"], after["as_of"]) == (before["total"] + 60, made["as_of"])
    drift = client.get("/v1/publications/1/drift", params={"territory": "strip"}).json()
    assert drift["alarm"]
    assert sum(grid["arrived"] for grid in drift["grids"]) == 60
    answer = client.put("/v1/territories/strip/drift-threshold", json={"threshold": 10})
    assert answer.json() == {"threshold": 10}
    assert not client.get("/v1/publications/1/drift", params={"territory": "strip"}).json()["alarm"]
    refused = client.put("/v1/territories/strip/drift-threshold", json={"threshold": -1})
    assert (refused.status_code, refused.json()["field"]) == (422, "threshold")
