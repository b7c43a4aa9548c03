"""Two plans side by side over HTTP, in each of the forms."""

from __future__ import annotations

import csv
import io
from typing import Any

import openpyxl
import pytest
from fastapi.testclient import TestClient

from tests.api.strip import make_tiling, solve

Town = tuple[TestClient, dict[str, Any]]


@pytest.fixture(scope="module")
def pair(town: Town) -> tuple[TestClient, str, str]:
    """A service, a plan with two grids, and the published one with three."""
    client, published = town
    return client, solve(client, published["tiling"], grids=2), published["plan"]


def grids_of(client: TestClient, plan: str) -> dict[str, str]:
    text = client.get(f"/v1/plans/{plan}/cells").text
    return {row["cell"]: row["grid"] for row in csv.DictReader(io.StringIO(text))}


def test_a_plan_beside_a_publication(pair: tuple[TestClient, str, str]) -> None:
    client, plan, published = pair
    answer = client.get(f"/v1/plans/{plan}/compare/publication:1")
    assert answer.status_code == 200
    found = answer.json()
    assert (found["before"]["publication"], found["before"]["plan"]) == (1, published)
    assert (found["after"]["plan"], found["after"]["status"]) == (plan, "draft")
    old, new = grids_of(client, published), grids_of(client, plan)
    moved = [cell for cell in old if old[cell] != new[cell]]
    assert found["moved"]["cells"] == len(moved) > 0
    assert found["total"]["customers"] == found["total"]["measures"]["customers"] == 90
    assert found["moved"]["customers"] + found["unchanged"]["customers"] == 90
    for flow in found["grid_moves"]:
        cells = [cell for cell in moved if (old[cell], new[cell]) == (flow["from"], flow["to"])]
        assert flow["cells"] == len(cells)
    assert [(t["from"], t["from_name"], t["to"]) for t in found["team_moves"]] == [("t", "Team", None)]
    assert {grid["code"]: grid["state"] for grid in found["grids"]} == {
        "01": "kept",
        "02": "kept",
        "03": "gone",
    }


def test_two_plans_beside_each_other_both_ways(pair: tuple[TestClient, str, str]) -> None:
    client, plan, published = pair
    there = client.get(f"/v1/plans/{plan}/compare/{published}?cells=true").json()
    back = client.get(f"/v1/plans/{published}/compare/{plan}?cells=true").json()
    assert there["moved"] == back["moved"]
    assert sorted((c["cell"], c["from"], c["to"]) for c in there["cells"]) == sorted(
        (c["cell"], c["to"], c["from"]) for c in back["cells"]
    )
    nothing = client.get(f"/v1/plans/{plan}/compare/{plan}").json()
    assert (nothing["moved"]["cells"], nothing["grid_moves"], nothing["team_moves"]) == (0, [], [])


@pytest.mark.parametrize(
    ("asked", "accept", "media"),
    [
        ("", "*/*", "application/json"),
        ("", "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8", "text/html; charset=utf-8"),
        ("", "text/csv;q=0.4, application/json;q=0.3", "text/csv; charset=utf-8"),
        ("", "image/png", "application/json"),
        ("", "text/*;q=x, application/*", "application/json"),
        ("?format=csv", "text/html", "text/csv; charset=utf-8"),
        ("?format=html", "*/*", "text/html; charset=utf-8"),
        (
            "?format=xlsx",
            "*/*",
            "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
        ),
    ],
)
def test_the_form_is_that_asked_for(
    pair: tuple[TestClient, str, str], asked: str, accept: str, media: str
) -> None:
    client, plan, _ = pair
    answer = client.get(f"/v1/plans/{plan}/compare/publication:1{asked}", headers={"Accept": accept})
    assert (answer.status_code, answer.headers["content-type"]) == (200, media)
    assert answer.headers["vary"] == "Accept, Accept-Language"
    download = "csv" in media or "sheet" in media
    assert ("attachment" in answer.headers.get("content-disposition", "")) == download


def test_the_page_comes_with_a_policy_for_itself(pair: tuple[TestClient, str, str]) -> None:
    client, plan, _ = pair
    path = f"/v1/plans/{plan}/compare/publication:1?format=html"
    policy = client.get(path).headers["content-security-policy"]
    assert policy.startswith("default-src 'none'; style-src 'sha256-")
    assert "网格调整报告" in client.get(path, headers={"Accept-Language": "zh-CN"}).text
    assert "Realignment report" in client.get(path + "&lang=en", headers={"Accept-Language": "zh-CN"}).text


def test_a_workbook_and_a_csv_can_be_opened(pair: tuple[TestClient, str, str]) -> None:
    client, plan, _ = pair
    path = f"/v1/plans/{plan}/compare/publication:1"
    book = openpyxl.load_workbook(io.BytesIO(client.get(f"{path}?format=xlsx").content))
    moved = client.get(path).json()["moved"]["cells"]
    assert book["Moved cells"].max_row == moved + 1
    text = client.get(f"{path}?format=csv&bom=true").content
    assert text.startswith(b"\xef\xbb\xbf")
    rows = list(csv.DictReader(io.StringIO(text.decode("utf-8-sig"))))
    assert sum(int(row["cells"]) for row in rows) == moved


def test_nothing_is_sent_again_while_nothing_changes(pair: tuple[TestClient, str, str]) -> None:
    client, plan, published = pair
    path = f"/v1/plans/{plan}/compare/{published}"
    first = client.get(path)
    again = client.get(path, headers={"If-None-Match": first.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")
    other = client.get(path + "?format=csv", headers={"If-None-Match": first.headers["etag"]})
    assert other.status_code == 200
    assert client.get(path, headers={"If-None-Match": '"other"'}).status_code == 200


def test_plans_of_other_tilings_are_refused_with_both_named(pair: tuple[TestClient, str, str]) -> None:
    client, plan, _ = pair
    tiling = make_tiling(client)
    file = ("old.csv", "cell,grid\n", "text/csv")
    cells = client.get(f"/v1/plans/{plan}/cells").text
    made = client.post("/v1/plans/adopt", data={"tiling": tiling}, files={"file": (file[0], cells, file[2])})
    assert made.status_code == 201, made.text
    answer = client.get(f"/v1/plans/{plan}/compare/{made.json()['plan']}")
    assert answer.status_code == 422
    problem = answer.json()
    assert plan in problem["detail"]
    assert made.json()["plan"] in problem["detail"]
    assert len(set(problem["tilings"])) == 2
    assert "adopt" in problem["cure"]


@pytest.mark.parametrize(
    "other", ["publication:9", "publication:0", "publication:", "publication:x", "pln_x"]
)
def test_what_is_not_there_is_not_found(pair: tuple[TestClient, str, str], other: str) -> None:
    client, plan, _ = pair
    answer = client.get(f"/v1/plans/{plan}/compare/{other}")
    assert (answer.status_code, answer.json()["type"]) == (404, "urn:gridsvc:problem:not-found")
    assert client.get(f"/v1/plans/pln_x/compare/{plan}").status_code == 404


def test_unknown_forms_are_refused(pair: tuple[TestClient, str, str]) -> None:
    client, plan, _ = pair
    for query in ("format=pdf", "lang=de", "cells=maybe"):
        assert client.get(f"/v1/plans/{plan}/compare/publication:1?{query}").status_code == 422


def test_an_unsolved_plan_cannot_be_compared(pair: tuple[TestClient, str, str], monkeypatch: Any) -> None:
    from gridsvc.principal import LOCAL
    from gridsvc.services import plans
    from gridsvc.services.request import SolveRequest

    client, plan, _ = pair
    db = client.app.state.gridsvc.database  # type: ignore[attr-defined]
    tiling = client.get(f"/v1/plans/{plan}").json()["tiling"]
    empty = plans.create(db, LOCAL, tiling, SolveRequest(2, (("customers", 0.1),))).id
    for path in (f"{plan}/compare/{empty}", f"{empty}/compare/{plan}"):
        answer = client.get(f"/v1/plans/{path}")
        assert (answer.status_code, answer.json()["detail"]) == (409, "the plan is not solved yet")


def test_figures_are_those_of_the_plans_as_they_are_now(pair: tuple[TestClient, str, str]) -> None:
    client, plan, _ = pair
    tiling = client.get(f"/v1/plans/{plan}").json()["tiling"]
    cells = client.get(f"/v1/plans/{plan}/cells").text
    made = client.post(
        "/v1/plans/adopt", data={"tiling": tiling}, files={"file": ("old.csv", cells, "text/csv")}
    ).json()["plan"]
    grids = grids_of(client, made)
    cell = next(cell for cell, grid in grids.items() if grid == "01")
    moved = client.post(
        f"/v1/plans/{made}/moves", json={"base_revision": 1, "cells": [cell], "to": "02", "reason": "test"}
    )
    assert moved.status_code < 300, moved.text
    found = client.get(f"/v1/plans/{made}/compare/{plan}").json()
    assert [(f["from"], f["to"], f["cells"]) for f in found["grid_moves"]] == [("01", "02", 1)]
    now = {grid["code"]: grid for grid in client.get(f"/v1/plans/{made}/grids").json()["items"]}
    for grid in found["grids"]:
        shown = now[grid["code"]]
        assert grid["measures"]["customers"]["after"] == shown["measures"]["customers"]
        assert grid["cells"]["after"] == shown["cells"]
        assert grid["shape"]["after"] == pytest.approx(shown["shape"], abs=1e-6)
        for name, deviation in grid["deviation"].items():
            assert deviation["after"] == pytest.approx(shown["deviation"][name], abs=1e-6)
