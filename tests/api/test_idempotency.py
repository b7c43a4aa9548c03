"""What is sent twice under one `Idempotency-Key` has one effect: every POST which changes something."""

from __future__ import annotations

from typing import Any

import pytest
from fastapi.testclient import TestClient

from api.app import create_app
from gridsvc.principal import SYSTEM
from tests.api.strip import ROSTER, make_territory, make_tiling, solve, tag, upload

QUESTIONS = {
    "/v1/owner/query",
    "/v1/owner/batch",
    "/v1/plans/{plan}/repair",
    "/v1/plans/{plan}/staffing",
    "/v1/territories/{territory}/grids/{grid}/pack",
}
"""Asked with a body because the question is long; nothing is created or published."""

BY_CONTENT = {
    "/v1/territories/{territory}/customers/batch",  # its rows' `source_updated_at` is their key
    "/v1/territories/{territory}/erasures",  # who is erased is not there a second time
    "/v1/keys",  # a name is given once
    "/v1/session",  # nothing is stored
}
"""Told again they change nothing, whatever else comes with it."""


def test_each_post_takes_a_key_or_changes_nothing() -> None:
    paths = create_app().openapi()["paths"]
    posts = {path: methods["post"] for path, methods in paths.items() if "post" in methods}
    takes = {
        path
        for path, post in posts.items()
        if any(parameter["name"] == "Idempotency-Key" for parameter in post.get("parameters", []))
    }
    assert set(posts) - takes == QUESTIONS | BY_CONTENT
    assert not takes & QUESTIONS


@pytest.fixture
def drafted(client: TestClient) -> tuple[TestClient, str, str]:
    """A service with a solved draft; gives the tiling and the plan too."""
    make_territory(client)
    tiling = make_tiling(client)
    assert upload(client, tiling, "id,lon,lat\na,0.35,0.05\n").status_code == 201
    return client, tiling, solve(client, tiling)


def twice(client: TestClient, path: str, **sent: Any) -> Any:
    """Send a request twice under one key and then another under it; gives the answer."""
    headers = {**sent.pop("headers", {}), "Idempotency-Key": path}
    first, second = (client.post(path, headers=headers, **sent) for _ in range(2))
    assert first.status_code < 300, first.text
    assert (second.status_code, second.json()) == (first.status_code, first.json())
    other = client.post(path + ("&" if "?" in path else "?") + "lang=en", headers=headers, **sent)
    assert (other.status_code, other.json()["field"]) == (422, "Idempotency-Key")
    return first.json()


def audits(client: TestClient, action: str) -> int:
    database = client.app.state.gridsvc.database  # type: ignore[attr-defined]
    with database.read(SYSTEM) as reader:
        return sum(record.action == action for record in reader.audit_log(1000))


def test_steps_of_a_draft(drafted: tuple[TestClient, str, str]) -> None:
    client, tiling, plan = drafted
    path = f"/v1/plans/{plan}"
    grid = client.get(f"{path}/grids").json()["items"][0]["code"]
    body = {"gate": "contiguity", "grid": grid, "reason": "the river"}
    assert len(twice(client, f"{path}/waivers", json=body, headers=tag(client, plan))) == 1
    twice(client, f"{path}/teams", headers=tag(client, plan))
    twice(client, f"/v1/tilings/{tiling}/measures/refresh")
    steps = ("plan.waive", "plan.assign", "measures.refresh")
    assert [audits(client, step) for step in steps] == [1, 1, 1]

    other = client.post("/v1/territories/strip/tilings", json={"kind": "h3", "resolution": 7}).json()["id"]
    upload(client, other, "id,lon,lat\na,0.35,0.05\n")
    made = twice(client, f"{path}/carry", json={"tiling": other})
    plans = client.get("/v1/plans?territory=strip").json()["items"]
    assert sorted(p["id"] for p in plans) == sorted([plan, made["plan"]])


def test_a_test_and_a_replay_of_a_webhook(client: TestClient) -> None:
    from gridsvc.exchange.receivers import Receivers
    from gridsvc.principal import LOCAL
    from gridsvc.services import webhooks

    make_territory(client)
    database = client.app.state.gridsvc.database  # type: ignore[attr-defined]
    made = webhooks.create(
        database, LOCAL, Receivers.parse("10.0.0.0/8"), "https://10.1.2.3/hook", ["roster"]
    )
    path = f"/v1/webhooks/{made.id}"
    twice(client, f"{path}/test")
    client.put("/v1/territories/strip/roster", json=ROSTER)
    twice(client, f"{path}/replay?from_seq=1")
    with database.read(SYSTEM) as reader:
        tests = [event for event in reader.outbox(limit=1000) if event.kind == "webhook.test"]
    assert len(tests) == 1
    assert audits(client, "webhook.replay") == 1
