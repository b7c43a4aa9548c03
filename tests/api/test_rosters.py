"""Rosters over HTTP: changed by entries and by files, judged by rules, and seen by lookups at once."""

from __future__ import annotations

import io
import time
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from fastapi.testclient import TestClient

from tests.api.strip import ROSTER, make_territory

PATH = "/v1/territories/strip/roster"
BO = {"op": "add", "what": "person", "entry": {"id": "bo", "name": "Bo", "department": "m"}}
JOINS = {"op": "add", "what": "member", "entry": {"team": "t", "person": "bo", "role": "vip", "backup": True}}


def change(client: TestClient, *operations: dict[str, Any], **more: Any) -> Any:
    return client.post(f"{PATH}/changes", json={"operations": operations, **more})


def upload(client: TestClient, text: str | bytes, name: str = "people.csv", **form: Any) -> Any:
    return client.post(f"{PATH}/import", files={"files": (name, text)}, data=form)


def lead(client: TestClient, **asked: Any) -> str:
    answer = client.get("/v1/owner", params={"lat": 0.05, "lon": 0.35, **asked})
    return str(answer.json()["lead"]["id"])


def test_operations_append_a_roster_on_the_newest_and_are_told_as_changes(client: TestClient) -> None:
    make_territory(client)
    assert change(client, BO).status_code == 428
    answer = change(client, BO, JOINS, base_roster=1)
    assert answer.status_code == 200, answer.text
    assert answer.json() == {"territory": "strip", "rosters": [2], "newest": 2}
    stale = change(client, BO, base_roster=1)
    assert (stale.status_code, stale.json()["newest"]) == (409, 2)
    told = client.get("/v1/changes", params={"territory": "strip", "kind": "roster", "from": 1}).json()
    assert [(row["what"], row["event"]) for row in told["items"]] == [
        ("person", "added"),
        ("member", "joined"),
    ]
    heads = client.get("/v1/territories/strip/rosters", params={"after": 1}).json()["items"]
    assert [head["roster"] for head in heads] == [2]


def test_what_counts_from_the_past_needs_a_reason_and_reaches_what_was_told_since(client: TestClient) -> None:
    make_territory(client)
    past = (datetime.now(UTC) - timedelta(days=9)).isoformat()
    for answer in (
        client.put(PATH, json={**ROSTER, "valid_from": past}),
        change(client, BO, base_roster=1, valid_from=past),
    ):
        assert (answer.status_code, answer.json()["field"]) == (422, "reason")
    assert client.put(PATH, json={**ROSTER, "valid_from": past, "reason": "late"}).status_code == 200
    soon = (datetime.now(UTC) + timedelta(days=9)).isoformat()
    assert client.put(PATH, json={**ROSTER, "fallback": None, "valid_from": soon}).status_code == 200
    made = change(client, BO, base_roster=3, reason="told late", valid_from=past).json()
    assert made["rosters"] == [4, 5]
    for at, fallback in ((past, "t"), (soon, None)):
        found = client.get(PATH, params={"at": at}).json()
        assert ([p["id"] for p in found["people"]], found["fallback"]) == (["p", "bo"], fallback)


def test_what_is_told_late_reaches_lookups_of_then_and_of_now_within_a_second(
    own_town: tuple[TestClient, dict[str, Any]],
) -> None:
    client, _ = own_town
    owner = client.get("/v1/owner", params={"lat": 0.05, "lon": 0.35}).json()
    then, newest = owner["valid_from"], client.get(PATH).json()["newest"]
    leads = {"team": "t", "person": "bo", "role": "lead"}
    gone = {"op": "end", "what": "member", "entry": {"team": "t", "person": "p"}}
    steps = (BO, gone, {"op": "add", "what": "member", "entry": leads})
    assert (lead(client), lead(client, as_of=then)) == ("p", "p")
    made = change(client, *steps, base_roster=newest, valid_from=then, reason="told late")
    answered = time.monotonic()
    assert made.status_code == 200, made.text
    while "p" in (lead(client), lead(client, as_of=then)):
        assert time.monotonic() - answered < 1
    assert (lead(client), lead(client, as_of=then)) == ("bo", "bo")
    query = {"territory": "strip", "kind": "roster", "from": newest}
    told = client.get("/v1/changes", params=query).json()["items"]
    assert "p" in str(told) and "bo" in str(told)


@pytest.mark.parametrize(
    ("operation", "place"),
    [
        ({"op": "end", "what": "member", "entry": {"team": "t", "person": "p"}}, ("teams", 1, "lead")),
        ({"op": "end", "what": "person", "entry": {"id": "p"}}, ("departments", 1, "head")),
        ({"op": "add", "what": "member", "entry": {"team": "t", "person": "p"}}, ("members", 2, "role")),
        ({"op": "burn", "what": "person", "entry": {}}, ("operations", 1, "op")),
    ],
)
def test_a_wrong_operation_stores_nothing(
    cut: tuple[TestClient, str], operation: dict[str, Any], place: tuple[str, int, str]
) -> None:
    client, _ = cut
    answer = change(client, BO, operation, base_roster=1)
    told = answer.json()
    expected = (place[0], 2 if place[0] == "operations" else place[1], place[2])
    assert (answer.status_code, told["source"], told["row"], told["field"]) == (422, *expected)
    assert told["cure"] and client.get(PATH).json()["newest"] == 1


def test_files_are_tried_first_and_taken_whole(client: TestClient) -> None:
    make_territory(client)
    text = "工号,姓名,部门\np,Ann,m\nbo,Bo,m\n"
    tried = upload(client, text, dry_run=True).json()
    assert (tried["roster"], tried["rows"]) == (None, {"added": 1, "changed": 0, "same": 1, "refused": 0})
    assert upload(client, text).json()["roster"] == 2
    assert upload(client, text).json()["roster"] is None  # nothing changed
    bad = upload(client, "id,name,department\np,Ann,m\nbo,Bo,zz\n")
    assert (bad.status_code, bad.json()["row"], bad.json()["field"]) == (422, 3, "department")
    few = upload(client, "id,name,department\np,Ann,m\n", end_missing=True)
    assert few.status_code == 422 and "confirm_missing=1" in few.json()["cure"]
    assert client.get(PATH).json()["newest"] == 2
    ended = upload(client, "id,name,department\np,Ann,m\n", end_missing=True, confirm_missing=1).json()
    assert (ended["roster"], ended["missing"]["people"]) == (3, {"total": 1, "ids": ["bo"]})
    assert [p["id"] for p in client.get(PATH).json()["people"]] == ["p"]


def test_an_import_sent_again_is_taken_once(client: TestClient) -> None:
    make_territory(client)

    def send(text: str) -> Any:
        files = {"files": ("people.csv", text)}
        return client.post(f"{PATH}/import", files=files, headers={"Idempotency-Key": "k"})

    people = "id,name,department\np,Ann,m\nbo,Bo,m\n"
    first, again = send(people), send(people)
    assert (first.status_code, first.json()["rows"]["added"], first.json()["roster"]) == (200, 1, 2)
    assert again.json() == first.json()
    other = send(people.replace("Bo", "Bob"))
    assert other.status_code == 422 and "Idempotency-Key" in other.text
    assert client.get(PATH).json()["newest"] == 2


@pytest.mark.parametrize("kind", ["xlsx", "csv"])
def test_an_export_comes_back_as_nothing_new(client: TestClient, kind: str) -> None:
    make_territory(client)
    answer = client.get(f"{PATH}/export", params={"format": kind})
    assert answer.status_code == 200
    name = answer.headers["content-disposition"].split('"')[1]
    assert io.BytesIO(answer.content).read(2) == b"PK"
    again = upload(client, answer.content, name, end_missing=True).json()
    assert (again["roster"], again["rows"]["same"], again["rows"]["changed"]) == (None, 4, 0)


def test_a_published_teams_people_are_judged_and_the_team_cannot_go(
    own_town: tuple[TestClient, dict[str, Any]],
) -> None:
    client, _ = own_town
    found = client.get(f"{PATH}/violations").json()
    assert {v["rule"] for v in found["items"]} == {"backup"} and found["total"] == 3
    unknown = {"role": "enterprise", "fact": "enterprise", "grids": 0, "known": False}
    assert found["needed"] == [unknown]  # no such measure, so the rule says nothing, and says so
    assert found["items"][0]["sentence"]["zh"].endswith("没有后备人员")
    newest = client.get(PATH).json()["newest"]
    answer = change(client, BO, JOINS, base_roster=newest)
    assert answer.status_code == 200, answer.text
    made = answer.json()
    assert client.get(f"{PATH}/violations").json()["items"] == []
    other = {**ROSTER, "teams": [{"id": "x", "name": "X"}], "fallback": "x"}
    gone = client.put(PATH, json={**other, "members": [{"team": "x", "person": "p", "role": "lead"}]})
    assert gone.status_code == 422 and "owns grids of publication 1" in gone.json()["detail"]
    due = (datetime.now(UTC) + timedelta(days=5)).isoformat()
    terms = [
        {"op": "change", "what": "member", "entry": {"team": "t", "person": "p", "valid_until": due}},
        {"op": "add", "what": "person", "entry": {"id": "cy", "name": "Cy", "department": "m"}},
        {
            "op": "add",
            "what": "member",
            "entry": {"team": "t", "person": "cy", "role": "lead", "valid_from": due},
        },
    ]
    gap = change(client, terms[0], base_roster=made["newest"])
    assert gap.status_code == 422 and "has no lead from" in gap.json()["detail"]
    assert change(client, *terms, base_roster=made["newest"]).status_code == 200
    later = (datetime.now(UTC) + timedelta(days=6)).isoformat()
    assert (lead(client), lead(client, as_of=later)) == ("p", "cy")


def test_the_rules_are_data(client: TestClient) -> None:
    path = "/v1/company/team-rules"
    assert client.get(path).json()["revision"] == 0
    answer = client.put(path, json={"severities": {"backup": "block"}})
    assert answer.status_code == 200 and answer.json() == client.get(path).json()
    assert (answer.json()["revision"], answer.json()["severities"]["backup"]) == (1, "block")
    assert answer.json()["routine_from"] == "area_manager"
    wrong = client.put(path, json={"required_roles": [{"role": "boss"}]})
    assert (wrong.status_code, wrong.json()["field"]) == (422, "required_roles.0.role")
