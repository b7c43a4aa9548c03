"""Teams for a plan's grids over HTTP: few at once, many by a job."""

from __future__ import annotations

import time

import pytest
from fastapi.testclient import TestClient

from gridsvc.services import assignments
from tests.api.strip import ROSTER, ROWS, make_territory, make_tiling, publish, solve, tag, upload


@pytest.fixture(scope="module")
def tiled(cut: tuple[TestClient, str]) -> tuple[TestClient, str]:
    """A service with customers: each test makes a plan of its own."""
    client, tiling = cut
    assert upload(client, tiling, ROWS, measure=["customers=count"]).status_code == 201
    return client, tiling


def test_wishes_are_kept_and_the_report_says_why(tiled: tuple[TestClient, str]) -> None:
    client, plan = tiled[0], solve(*tiled)
    grid = client.get(f"/v1/plans/{plan}/grids").json()["items"][0]["code"]
    body = {"pins": [{"grid": grid, "team": "t"}], "handover_weight": 0}
    before = tag(client, plan)
    done = client.post(f"/v1/plans/{plan}/teams", headers=before, json=body)
    assert done.status_code == 200 and done.headers["ETag"] != before["If-Match"]
    assert "Location" not in done.headers  # no job: it is soon done
    told = client.get(f"/v1/plans/{plan}/report").json()["assignment"]
    assert next(row for row in told["grids"] if row["grid"] == grid)["why"] == "pin"
    stale = client.post(f"/v1/plans/{plan}/teams", headers=before)
    assert stale.status_code == 412
    wrong = {"pins": [{"grid": grid, "team": "nobody"}]}
    refused = client.post(f"/v1/plans/{plan}/teams", headers=tag(client, plan), json=wrong)
    assert refused.status_code == 422 and "there is no team 'nobody'" in refused.text


def test_single_grids_are_given_by_hand_and_the_others_stay(tiled: tuple[TestClient, str]) -> None:
    client, plan = tiled[0], solve(*tiled)
    codes = [grid["code"] for grid in client.get(f"/v1/plans/{plan}/grids").json()["items"]]
    path, before = f"/v1/plans/{plan}/teams", tag(client, plan)
    done = client.patch(path, headers=before, json={"grids": {codes[1]: "t"}})
    assert done.status_code == 200 and done.headers["ETag"] == tag(client, plan)["If-Match"]
    grids = client.get(f"/v1/plans/{plan}/grids").json()["items"]
    assert [grid["team"] for grid in grids] == [None, "t", None]
    assert client.patch(path, json={"grids": {codes[0]: "t"}}).status_code == 428
    assert client.patch(path, headers=before, json={"grids": {codes[0]: "t"}}).status_code == 412
    wrong = client.patch(path, headers=tag(client, plan), json={"grids": {codes[0]: "nobody"}})
    assert wrong.status_code == 422 and wrong.json()["field"] == "grids"
    assert wrong.json()["cure"] == "name one of t"
    assert client.patch(path, headers=tag(client, plan), json={"grids": {}}).status_code == 422


def test_who_does_not_wait_gets_the_job(tiled: tuple[TestClient, str]) -> None:
    client, plan = tiled[0], solve(*tiled)
    headers = {**tag(client, plan), "Prefer": "respond-async"}
    job = client.post(f"/v1/plans/{plan}/teams", headers=headers)
    assert job.status_code == 202 and job.json()["kind"] == "assign"
    for _ in range(200):
        if (now := client.get(job.headers["Location"]).json())["status"] not in {"queued", "running"}:
            break
        time.sleep(0.1)
    assert now["status"] == "done" and now["result"]["plan"] == plan


def test_many_grids_are_given_by_a_job_and_the_request_waits(
    tiled: tuple[TestClient, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    client, plan = tiled[0], solve(*tiled)
    monkeypatch.setattr(assignments, "FEW_PAIRS", 0)
    before = tag(client, plan)
    done = client.post(f"/v1/plans/{plan}/teams", headers=before)
    assert done.status_code == 200 and done.headers["ETag"] != before["If-Match"]
    assert done.headers["Location"].startswith("/v1/jobs/")
    assert client.post(f"/v1/plans/{plan}/teams", headers=before).status_code == 412


def test_people_are_proposed_and_the_roster_can_be_put(tiled: tuple[TestClient, str]) -> None:
    client, plan = tiled[0], solve(*tiled)
    staff = {"posts": [{"role": "lead", "posts": 0.5}, {"role": "maintenance", "posts": 2, "team": "t"}]}
    early = client.post(f"/v1/plans/{plan}/staffing", json=staff)
    assert early.status_code == 409 and "no grid of the plan has a team" in early.text
    people = [*ROSTER["people"], {"id": "q", "name": "Ben", "department": "m"}]  # type: ignore[misc]
    without_fallback = {**ROSTER, "people": people, "fallback": None}
    before = client.put("/v1/territories/strip/roster", json=without_fallback).json()["roster"]
    assert client.post(f"/v1/plans/{plan}/teams", headers=tag(client, plan)).status_code == 200
    told = client.post(f"/v1/plans/{plan}/staffing", json=staff).json()
    assert told["base_roster"] == before
    assert client.get("/v1/territories/strip/roster").json()["roster"] == before  # nothing is stored
    seats = {(m["person"], m["role"], m["time_share"]) for m in told["roster"]["members"]}
    assert seats == {("p", "lead", 0.5), ("q", "maintenance", 1.0)}
    assert told["report"]["shortages"] == ["maintenance is short of 1 people in Team"]
    assert told["report"]["shortages_zh"] == ["Team的maintenance缺1人"]
    assert client.put("/v1/territories/strip/roster", json=told["roster"]).status_code == 200
    staff["posts"][1]["role"] = "cook"
    wrong = client.post(f"/v1/plans/{plan}/staffing", json=staff)
    assert wrong.status_code == 422 and wrong.json()["row"] == 2 and "there is no role 'cook'" in wrong.text


def test_owners_of_the_publication_stay_unless_they_are_barred(client: TestClient) -> None:
    make_territory(client)
    teams = [*ROSTER["teams"], {"id": "s", "name": "South"}]  # type: ignore[misc]
    members = [*ROSTER["members"], {"team": "s", "person": "p", "role": "lead"}]  # type: ignore[misc]
    members = [{**member, "time_share": 0.5, "kpi_share": 0.5} for member in members]
    two = {**ROSTER, "teams": teams, "members": members, "fallback": None}
    answer = client.put("/v1/territories/strip/roster", json=two)
    assert answer.status_code == 200, answer.text
    tiling = make_tiling(client)
    publish(client, tiling)
    plan = solve(client, tiling)
    asked = {"today": "publication", "handover_weight": 50}
    client.post(f"/v1/plans/{plan}/teams", headers=tag(client, plan), json=asked)
    told = client.get(f"/v1/plans/{plan}/report").json()["assignment"]
    assert told["handovers"]["grids"] == 0 and told["weights"]["handover"] == 50
    first = told["grids"][0]
    owner = "t" if first["team"] == "Team" else "s"
    asked["pins"] = [{"grid": first["grid"], "team": owner, "ban": True}]
    client.post(f"/v1/plans/{plan}/teams", headers=tag(client, plan), json=asked)
    after = client.get(f"/v1/plans/{plan}/report").json()["assignment"]
    assert after["grids"][0]["team"] != first["team"] and after["handovers"]["grids"] >= 1
