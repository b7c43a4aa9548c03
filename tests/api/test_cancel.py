"""A solve which is cancelled ends soon and leaves nothing behind."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

from fastapi.testclient import TestClient

from tests.api.strip import ROWS, make_territory, make_tiling, upload


def _waited(client: TestClient, job: str, *states: str) -> dict[str, Any]:
    for _ in range(300):
        found: dict[str, Any] = client.get(f"/v1/jobs/{job}").json()
        if found["status"] in states:
            return found
        assert found["status"] in {"queued", "running"}, found
        time.sleep(0.1)
    raise AssertionError(found)


def test_a_running_solve_is_cancelled(client: TestClient, tmp_path: Path) -> None:
    make_territory(client)
    tiling = make_tiling(client)
    assert upload(client, tiling, ROWS).status_code == 201
    before = {path for path in tmp_path.rglob("*") if not path.name.startswith("api.db")}
    started = client.post(
        "/v1/plans",
        json={"tiling": tiling, "grids": 2, "measures": [{"name": "customers"}], "sweeps": 100_000_000},
        headers={"Prefer": "respond-async"},
    )
    assert started.status_code == 202, started.text
    job = started.json()["job"]["id"]
    _waited(client, job, "running")
    assert client.delete(f"/v1/jobs/{job}").status_code == 200
    assert _waited(client, job, "cancelled", "failed", "done")["status"] == "cancelled"
    plan = client.get(f"/v1/plans/{started.json()['plan']}").json()
    assert (plan["status"], plan["solved"], plan["grids"]) == ("cancelled", False, 0)
    assert client.get("/v1/plans?territory=strip").json()["items"] == []
    assert {path for path in tmp_path.rglob("*") if not path.name.startswith("api.db")} == before
