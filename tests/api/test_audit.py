"""The audit over HTTP."""

from __future__ import annotations

import re

from fastapi.testclient import TestClient

from tests.api.strip import SQUARE


def create(client: TestClient, slug: str, **headers: str) -> str:
    body = {"id": slug, "name": slug, "time_zone": "Asia/Shanghai", "boundary": SQUARE}
    answer = client.post("/v1/territories", json=body, headers=headers)
    assert answer.status_code == 201, answer.text
    return answer.headers["X-Request-Id"]


def test_a_request_is_found_again_by_its_id(client: TestClient) -> None:
    assert create(client, "one", **{"X-Request-Id": "crm-7.1"}) == "crm-7.1"
    given = create(client, "two", **{"X-Request-Id": "not a proper one!"})
    assert given != "not a proper one!" and re.fullmatch(r"[\w.-]{1,64}", given)
    for request_id, subject in (("crm-7.1", "territory/one"), (given, "territory/two")):
        (item,) = client.get("/v1/audit", params={"request_id": request_id}).json()["items"]
        assert (item["subject"], item["actor"], item["before"]) == (subject, "local", None)


def test_pages_follow_each_other(client: TestClient) -> None:
    for slug in ("one", "two", "three"):
        create(client, slug)
    first = client.get("/v1/audit", params={"action": "territory.create", "limit": 2}).json()
    second = client.get(
        "/v1/audit", params={"action": "territory.create", "limit": 2, "after": first["next"]}
    ).json()
    found = [item["subject"] for item in [*first["items"], *second["items"]]]
    assert found == ["territory/three", "territory/two", "territory/one"]
    assert second["next"] is None


def test_a_time_without_offset_is_refused(client: TestClient) -> None:
    answer = client.get("/v1/audit", params={"since": "2026-12-01T00:00:00"})
    assert (answer.status_code, answer.json()["field"]) == (422, "since")


def test_the_head_counts_what_is_sealed_and_what_waits(client: TestClient) -> None:
    create(client, "one")
    head = client.get("/v1/audit/head").json()
    assert head["seq"] + head["waiting"] == len(client.get("/v1/audit").json()["items"])
    assert len(head["digest"]) == 64
