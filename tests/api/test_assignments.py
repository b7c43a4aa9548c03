"""Teams for a plan's grids over HTTP: done by a job, answered when it is done."""

from __future__ import annotations

import time

from fastapi.testclient import TestClient

from tests.api.strip import ROWS, make_territory, make_tiling, solve, tag, upload


def solved(client: TestClient) -> str:
    make_territory(client)
    tiling = make_tiling(client)
    assert upload(client, tiling, ROWS, measure=["customers=count"]).status_code == 201
    return solve(client, tiling)


def test_wishes_are_kept_and_the_report_says_why(client: TestClient) -> None:
    plan = solved(client)
    grid = client.get(f"/v1/plans/{plan}/grids").json()["items"][0]["code"]
    body = {"pins": [{"grid": grid, "team": "t"}], "handover_weight": 0}
    before = tag(client, plan)
    done = client.post(f"/v1/plans/{plan}/teams", headers=before, json=body)
    assert done.status_code == 200 and done.headers["ETag"] != before["If-Match"]
    told = client.get(f"/v1/plans/{plan}/report").json()["assignment"]
    assert next(row for row in told["grids"] if row["grid"] == grid)["why"] == "pin"
    stale = client.post(f"/v1/plans/{plan}/teams", headers=before)
    assert stale.status_code == 412
    wrong = {"pins": [{"grid": grid, "team": "nobody"}]}
    refused = client.post(f"/v1/plans/{plan}/teams", headers=tag(client, plan), json=wrong)
    assert refused.status_code == 422 and "there is no team 'nobody'" in refused.text


def test_who_does_not_wait_gets_the_job(client: TestClient) -> None:
    plan = solved(client)
    headers = {**tag(client, plan), "Prefer": "respond-async"}
    job = client.post(f"/v1/plans/{plan}/teams", headers=headers)
    assert job.status_code == 202 and job.json()["kind"] == "assign"
    for _ in range(200):
        if (now := client.get(job.headers["Location"]).json())["status"] not in {"queued", "running"}:
            break
        time.sleep(0.1)
    assert now["status"] == "done" and now["result"]["plan"] == plan
