"""Changes over HTTP: the same rows in every form."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from fastapi.testclient import TestClient

from tests.api.conftest import _client, _settings
from tests.api.strip import ROSTER, make_territory, make_tiling, publish, tag

ASKED = {"territory": "strip", "from": 1}
FORMS = {
    "ndjson": "application/x-ndjson",
    "csv": "text/csv",
    "arrow": "application/vnd.apache.arrow.stream",
    "parquet": "application/vnd.apache.parquet",
}


@pytest.fixture(scope="module")
def moved(tmp_path_factory: pytest.TempPathFactory, migrated_file: Path) -> Iterator[TestClient]:
    """Two publications, between which one grid took three cells of another, and two rosters."""
    with _client(_settings(tmp_path_factory.mktemp("moved"), migrated_file)) as client:
        make_territory(client)
        tiling = make_tiling(client)
        first = publish(client, tiling)
        new = client.post(f"/v1/plans/{first['plan']}/branch", json={"name": "next"}).json()
        plan = str(new.get("plan", new.get("id")))
        lived_in = client.get("/v1/grids/02/customers?limit=1000").json()["items"]
        cells = sorted({customer["cell"] for customer in lived_in})[:3]
        revision = client.get(f"/v1/plans/{plan}").json()["revision"]
        move = {"base_revision": revision, "moves": [{"cells": cells, "to": "01"}]}
        answer = client.post(f"/v1/plans/{plan}/moves", json=move)
        assert answer.status_code == 200, answer.text
        for gate in client.get(f"/v1/plans/{plan}/gates").json():
            for offender in gate["offenders"]:
                waived = {"gate": gate["name"], "grid": offender.get("grid", "02"), "reason": "test"}
                client.post(f"/v1/plans/{plan}/waivers", json=waived)
        answer = client.post(f"/v1/plans/{plan}/publish", headers=tag(client, plan))
        assert answer.status_code == 201, answer.text
        named = {**ROSTER, "named": [{"customer": "007", "team": "t", "reason": "bank"}]}
        assert client.put("/v1/territories/strip/roster", json=named).status_code == 200
        yield client


def read(form: str, body: bytes) -> list[dict[str, Any]]:
    """Rows of a stream, as any client would read them."""
    if form == "ndjson":
        return [json.loads(line) for line in body.splitlines()]
    if form == "arrow":
        return list(pa.ipc.open_stream(body).read_all().to_pylist())
    if form == "parquet":
        return list(pq.read_table(pa.BufferReader(body)).to_pylist())
    return [{k: v or None for k, v in r.items()} for r in csv.DictReader(io.StringIO(body.decode()))]


def test_a_page_names_its_pair_and_its_rows(moved: TestClient) -> None:
    page = moved.get("/v1/changes", params=ASKED).json()
    assert (page["from"], page["to"], page["kind"], page["total"], page["next"]) == (1, 2, "cell", 3, None)
    assert {(r["what"], r["before_grid"], r["after_grid"]) for r in page["items"]} == {("cell", "02", "01")}


def test_rosters_are_compared_at_moments_and_the_answer_says_at_which(moved: TestClient) -> None:
    asked = {**ASKED, "kind": "roster", "from_at": "2099-01-01", "to_at": "2099-02-01T08:00:00+08:00"}
    page = moved.get("/v1/changes", params=asked).json()
    assert page["to_at"] == "2099-02-01T00:00:00Z"
    again = moved.get("/v1/changes", params={**asked, "from_at": page["to_at"], "to_at": "2099-03-01"})
    assert again.json()["from_at"] == page["to_at"]
    assert moved.get("/v1/changes", params={**ASKED, "from_at": "2026-01-01"}).status_code == 422
    assert moved.get("/v1/changes", params=ASKED).json()["to_at"] is None


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("kind", ["cell", "customer", "roster"])
def test_each_form_has_the_same_rows(moved: TestClient, kind: str, form: str) -> None:
    asked = {**ASKED, "kind": kind}
    items = moved.get("/v1/changes", params={**asked, "limit": 1000}).json()["items"]
    assert items
    answer = moved.get("/v1/changes", params={**asked, "format": form})
    assert answer.headers["content-type"].split(";")[0] == FORMS[form]
    rows = read(form, answer.content)
    if form != "ndjson":  # what has members is text there
        rows = [
            {k: json.loads(v) if v and k in {"before", "after"} else v for k, v in row.items()}
            for row in rows
        ]
    assert rows == items


def test_pages_go_on_where_the_last_ended(moved: TestClient) -> None:
    asked = {**ASKED, "kind": "customer", "limit": 3}
    whole = moved.get("/v1/changes", params={**asked, "limit": 1000}).json()["items"]
    assert len(whole) > 3
    items, after = [], None
    while not items or after:
        page = moved.get("/v1/changes", params={**asked, **({"after": after} if after else {})}).json()
        items += page["items"]
        after = page["next"]
    assert items == whole


def test_a_cursor_of_another_pair_is_a_410_which_says_how_to_go_on(moved: TestClient) -> None:
    after = moved.get("/v1/changes", params={**ASKED, "kind": "customer", "limit": 1}).json()["next"]
    answer = moved.get("/v1/changes", params={**ASKED, "kind": "customer", "from": 2, "after": after})
    assert answer.status_code == 410
    assert answer.json()["type"] == "urn:gridsvc:problem:gone"
    assert "GET /v1/publications/2/snapshot" in answer.json()["cure"]


@pytest.mark.parametrize(
    ("query", "status", "field"),
    [
        ({"from": ""}, 422, "from"),
        ({"from": 0}, 422, "from"),
        ({"from": 7}, 404, "from"),
        ({"to": 7}, 404, "to"),
        ({"kind": "cells"}, 422, "kind"),
        ({"territory": "nowhere"}, 404, "territory"),
        ({"line": "gas"}, 404, "from"),
        ({"after": "x"}, 422, "after"),
        ({"after": "x", "format": "csv"}, 422, "after"),
        ({"format": "xml"}, 422, "format"),
        ({"limit": 1001}, 422, "limit"),
    ],
)
def test_a_wrong_question_names_its_field(
    moved: TestClient, query: dict[str, Any], status: int, field: str
) -> None:
    answer = moved.get("/v1/changes", params={**ASKED, "to": 2, **query})
    assert (answer.status_code, answer.json().get("field")) == (status, field), answer.text
    assert answer.headers["content-type"] == "application/problem+json"


def test_it_must_be_said_since_when(moved: TestClient) -> None:
    answer = moved.get("/v1/changes?territory=strip")
    assert (answer.status_code, answer.json()["field"]) == (422, "from")


def test_the_setting_of_these_tests_is_what_it_seems(moved: TestClient, tmp_path: Path) -> None:
    assert [p["n"] for p in moved.get("/v1/publications?territory=strip").json()["items"]] == [2, 1]
    assert not list(tmp_path.iterdir())
