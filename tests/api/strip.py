"""A small territory by the equator, its people and its customers."""

from __future__ import annotations

import time
from typing import Any

from fastapi.testclient import TestClient

SQUARE = {
    "type": "Polygon",
    "coordinates": [[[0.3, 0.0], [0.4, 0.0], [0.4, 0.1], [0.3, 0.1], [0.3, 0.0]]],
}
ROSTER = {
    "departments": [{"id": "m", "name": "Marketing", "head": "p"}],
    "people": [{"id": "p", "name": "Ann", "department": "m"}],
    "teams": [{"id": "t", "name": "Team"}],
    "members": [{"team": "t", "person": "p", "role": "lead"}],
    "fallback": "t",
}
ROWS = "id,lon,lat,kwh\n" + "".join(f"{i:03},{0.305 + i * 0.001:.3f},0.05,{i}\n" for i in range(90))


def post_territory(client: TestClient, **more: Any) -> Any:
    return client.post("/v1/territories", json={"id": "strip", "name": "Strip", "boundary": SQUARE, **more})


def make_territory(client: TestClient) -> None:
    assert post_territory(client).status_code == 201
    assert client.put("/v1/territories/strip/roster", json=ROSTER).status_code == 200


def make_tiling(client: TestClient) -> str:
    answer = client.post("/v1/territories/strip/tilings", json={"kind": "h3", "resolution": 8})
    assert answer.status_code == 201, answer.text
    return str(answer.json()["id"])


def upload(client: TestClient, tiling: str, text: str | bytes, **form: Any) -> Any:
    return client.post(
        f"/v1/tilings/{tiling}/customers", files={"file": ("customers.csv", text, "text/csv")}, data=form
    )


def solve(client: TestClient, tiling: str, **more: Any) -> str:
    wanted = {"tiling": tiling, "grids": 3, "measures": [{"name": "customers"}], **more}
    started = client.post("/v1/plans", json=wanted).json()
    for _ in range(3000):  # a busy machine takes long to start a process
        job = client.get(f"/v1/jobs/{started['job']['id']}").json()
        if job["status"] == "done":
            return str(started["plan"])
        assert job["status"] in {"queued", "running"}, job
        time.sleep(0.05)
    raise TimeoutError


def tag(client: TestClient, plan: str) -> dict[str, str]:
    return {"If-Match": client.get(f"/v1/plans/{plan}").headers["ETag"]}


def publish(client: TestClient, tiling: str) -> dict[str, Any]:
    assert upload(client, tiling, ROWS, measure=["customers=count", "kwh=sum:kwh"]).status_code == 201
    plan = solve(client, tiling, measures=[{"name": "customers"}, {"name": "kwh", "tolerance": "20%"}])
    teams = client.post(f"/v1/plans/{plan}/teams", headers=tag(client, plan))
    assert teams.status_code == 200, teams.text
    answer = client.post(f"/v1/plans/{plan}/publish", headers={"If-Match": teams.headers["ETag"]})
    assert answer.status_code == 201, answer.text
    return dict(answer.json())
