"""Publishing over HTTP: dates, numbers, branches, waivers, rebase, and every wrong request."""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient

from api.app import create_app
from gridsvc.config import Settings
from gridsvc.services import plans
from gridsvc.services.request import SolveRequest
from gridsvc.store import Database
from tests.services.board import ANNA
from tests.services.series import draft, ground

PARENTS = "c"


class Served:
    """A service on a board of 6 x 1 cells, and the database behind it."""

    def __init__(self, client: TestClient, database: Database, folder: Path) -> None:
        self.client, self.database, self.folder = client, database, folder
        self.tiling = ground(database)

    def draft(self, letters: str, parents: str = "") -> str:
        return draft(self.database, self.tiling, letters, parents)

    def post(self, path: str, body: Any = None, revision: int | None = None, **headers: str) -> Any:
        tag = {} if revision is None else {"If-Match": f'"{revision}"'}
        return self.client.post(f"/v1{path}", json=body, headers={**tag, **headers})

    def publish(self, plan: str, revision: int = 2, **body: Any) -> Any:
        return self.post(f"/plans/{plan}/publish", body, revision)

    def published(self, letters: str, parents: str = "", **body: Any) -> dict[str, Any]:
        answer = self.publish(self.draft(letters, parents), **body)
        assert answer.status_code == 201, answer.text
        return dict(answer.json())


@pytest.fixture
def served(tmp_path: Path, migrated_file: Path) -> Iterator[Served]:
    url = f"sqlite:///{tmp_path / 'api.db'}"
    (tmp_path / "api.db").write_bytes(migrated_file.read_bytes())
    database = Database.open(url)
    settings = Settings(data_dir=tmp_path, database_url=url)
    with TestClient(create_app(settings), raise_server_exceptions=False) as client:
        yield Served(client, database, tmp_path)
    database.close()


def problem(answer: Any, status: int, kind: str, *words: str) -> dict[str, Any]:
    assert answer.status_code == status, answer.text
    document: dict[str, Any] = answer.json()
    assert document["type"] == f"urn:gridsvc:problem:{kind}"
    told = " ".join(str(document.get(part, "")) for part in ("detail", "field", "cure"))
    for word in words:
        assert word in told, (word, document)
    assert document.get("cure"), document
    return document


def day(days: float) -> str:
    return (datetime.now(UTC) + timedelta(days=days)).isoformat()


def test_a_publication_says_where_it_stands(served: Served) -> None:
    first = served.published("aabbcc", reason="first")
    assert (first["n"], first["state"], first["valid_to"], first["base_publication"]) == (
        1,
        "in-force",
        None,
        None,
    )
    later = served.published("aabbbc", effective_at="2126-12-01")
    assert (later["state"], later["effective_at"], later["base_publication"]) == (
        "scheduled",
        "2126-11-30T16:00:00Z",
        1,
    )
    listed = served.client.get("/v1/publications?territory=board").json()["items"]
    assert [(p["n"], p["state"], p["valid_to"]) for p in listed] == [
        (2, "scheduled", None),
        (1, "in-force", "2126-11-30T16:00:00Z"),
    ]
    assert (
        served.client.get("/v1/owner/cells/x000y000?territory=board")
        .json()["valid_to"]
        .startswith("2126-11-30")
    )


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ({"effective_at": "tomorrow"}, ("'tomorrow' is no date", "effective_at", "2026-12-01")),
        ({"effective_at": "2026-13-41"}, ("is no date", "effective_at")),
        ({"effective_at": "2126-12-01T08:00:00"}, ("without offset", "effective_at")),
        ({"effective_at": ""}, ("effective_at",)),
        ({"effective_at": 1765000000}, ("effective_at",)),
        ({"effective_at": "9999-12-31T23:00:00-12:00"}, ("beyond the calendar", "effective_at")),
        ({"transition_until": "2020-01-01"}, ("transition_until", "after")),
        ({"transition_until": "whenever"}, ("is no date", "transition_until")),
        ({"supersedes": 9}, ("there is no publication 9", "supersedes", "leave it out")),
        ({"supersedes": 1}, ("publication 1 took effect", "supersedes")),
        ({"supersedes": 0}, ("supersedes",)),
        ({"scope": "nowhere"}, ("'nowhere'", "scope", "E, W")),
        ({"scope": ""}, ("scope",)),
        ({"from": "somewhere"}, ("from",)),
    ],
)
def test_a_wrong_request_to_publish_changes_nothing(served: Served, body: Any, words: Any) -> None:
    served.published("aabbcc", PARENTS)
    plan = served.draft("aaabcc", PARENTS)
    problem(served.publish(plan, **body), 422, "invalid-input", *words)
    assert served.client.get(f"/v1/plans/{plan}").json()["status"] == "draft"
    assert len(served.client.get("/v1/publications?territory=board").json()["items"]) == 1
    assert served.publish(plan).status_code == 201


def test_a_date_before_the_publication_in_force_is_refused(served: Served) -> None:
    first = served.published("aabbcc")
    plan = served.draft("aaabcc")
    told = problem(
        served.publish(plan, effective_at="2020-01-01"), 422, "invalid-input", "publication 1", "effective_at"
    )
    assert (told["field"], told["publication"]) == ("effective_at", 1)
    assert first["effective_at"][:19] in told["cure"]


def test_in_front_of_a_scheduled_one(served: Served) -> None:
    served.published("aabbcc")
    served.published("aabbbc", effective_at=day(9))
    plan = served.draft("aabbcc")
    told = problem(served.publish(plan), 409, "conflict", "publication 2 is scheduled", "supersedes=2")
    assert [entry["n"] for entry in told["scheduled"]] == [2]
    assert served.publish(plan, supersedes=2).json()["supersedes"] == 2
    assert served.client.get("/v1/publications/2?territory=board").json()["state"] == "set-aside"


def test_a_plan_that_is_not_solved_or_was_published_or_has_moved_on(served: Served) -> None:
    bare = plans.create(served.database, ANNA, served.tiling, SolveRequest(2, (("customers", 0.1),))).id
    problem(served.publish(bare, 1), 409, "conflict", "not solved yet")
    plan = served.draft("aabbcc")
    problem(served.post(f"/plans/{plan}/publish"), 428, "precondition-missing")
    problem(served.publish(plan, 1), 412, "stale-revision")
    assert served.publish(plan).status_code == 201
    problem(served.publish(plan, 3), 409, "conflict", "published already")
    problem(served.publish("pln_0"), 404, "not-found")


def test_a_stale_base_and_the_way_out(served: Served) -> None:
    served.published("aabbcc")
    plan = served.draft("aaabcc")
    served.published("aacccc")
    told = problem(served.publish(plan), 409, "stale-base", "publication 2 changed 1 cells", "rebase")
    assert told["cells"] == [{"cell": "x002y000", "grid": "c", "team": "c", "mine": "a", "publication": 2}]
    path = f"/plans/{plan}/rebase"
    problem(served.post(path), 428, "precondition-missing")
    problem(served.post(path, None, 1), 412, "stale-revision")
    problem(served.post(path, {"prefer": "nobody"}, 2), 422, "invalid-input", "prefer")
    again = problem(served.post(path, None, 2), 409, "stale-base")
    assert (again["cells"], again["total"]) == (told["cells"], 1)
    answer = served.post(path, {"prefer": "mine"}, 2)
    body = answer.json()
    assert (body["base_publication"], body["conflicts"], body["carried"]) == (2, 1, 1)
    assert answer.headers["etag"] == f'"{body["revision"]}"'
    record = served.publish(plan, body["revision"]).json()
    assert (record["n"], record["base_publication"]) == (3, 2)
    kinds = [move["kind"] for move in served.client.get(f"/v1/plans/{plan}/moves").json()["items"]]
    assert kinds == ["rebase"]


def test_others_changes_are_carried_in_and_the_answer_says_so(served: Served) -> None:
    served.published("aabbcc")
    plan = served.draft("aaabcc")
    served.published("aabbbc")
    record = served.publish(plan).json()
    assert record["summary"]["carried"] == {"cells": 1}
    assert record["summary"]["moved"] == {"cells": 1, "customers": None}
    assert served.client.get("/v1/owner/cells/x004y000?territory=board").json()["grid"]["code"] == "b"


def test_waivers(served: Served) -> None:
    plan = served.draft("abbacc")
    path = f"/plans/{plan}/waivers"
    for body, words in [
        ({"gate": "contiguity", "grid": "a"}, ("reason",)),
        ({"gate": "contiguity", "grid": "a", "reason": " "}, ("reason",)),
        ({"gate": "team", "grid": "a", "reason": "x"}, ("'team' cannot be waived", "contiguity")),
        ({"gate": "contiguity", "grid": "z", "reason": "x"}, ("no grid 'z'", "a, b, c")),
    ]:
        problem(served.post(path, body), 422, "invalid-input", *words)
    closed = problem(served.publish(plan), 409, "gate-closed", "several pieces")
    assert [gate["name"] for gate in closed["gates"]] == ["contiguity"]
    shown = {gate["name"]: gate for gate in served.client.get(f"/v1/plans/{plan}/gates").json()}
    assert closed["gates"][0]["offenders"] == shown["contiguity"]["offenders"]
    assert shown["contiguity"]["offenders"][0]["bbox"][0] < shown["contiguity"]["offenders"][0]["at"][0]
    answer = served.post(path, {"gate": "contiguity", "grid": "a", "reason": "a river"})
    assert (answer.status_code, answer.headers["etag"]) == (201, '"3"')
    assert [(w["grid"], w["reason"]) for w in answer.json()] == [("a", "a river")]
    problem(served.post(path, {"gate": "contiguity", "grid": "a", "reason": "x"}, 2), 412, "stale-revision")
    drop = f"/v1/plans/{plan}/waivers?gate=contiguity&grid="
    problem(served.client.delete(f"{drop}b"), 404, "not-found")
    assert served.client.delete(f"{drop}a").json() == []
    problem(served.publish(plan, 4), 409, "gate-closed")
    served.post(path, {"gate": "contiguity", "grid": "a", "reason": "a river"})
    assert served.publish(plan, 5).status_code == 201
    problem(
        served.post(path, {"gate": "contiguity", "grid": "b", "reason": "x"}), 409, "conflict", "published"
    )


def test_again(served: Served) -> None:
    first = served.published("aabbcc")
    served.published("aaabcc")
    path = "/publications/1/publish?territory=board"
    key = {"Idempotency-Key": "k"}
    record = served.post(path, {"reason": "took it back"}, **key).json()
    assert (record["n"], record["republishes"], record["checksum"]) == (3, 1, first["checksum"])
    assert served.post(path, {"reason": "took it back"}, **key).json()["n"] == 3
    problem(served.post(path, {"reason": "other"}, **key), 422, "invalid-input", "idempotency key")
    problem(served.post("/publications/99/publish?territory=board"), 404, "not-found", "no publication 99")
    problem(served.post("/publications/0/publish?territory=board"), 422, "invalid-input")
    problem(served.post("/publications/1/publish"), 422, "invalid-input", "territory")
    problem(served.post(path, {"effective_at": "2020-01-01"}), 422, "invalid-input", "effective_at")


def test_a_transition_shows_in_the_answer(served: Served) -> None:
    served.published("aabbcc")
    record = served.published("aaabcc", transition_until="2126-01-01")
    assert record["transition_until"] == "2125-12-31T16:00:00Z"
    answer = served.client.get("/v1/owner/cells/x002y000?territory=board").json()
    assert answer["transition"]["from_team"] == {"id": "b", "name": "Team B"}
    assert "transition" not in served.client.get("/v1/owner/cells/x000y000?territory=board").json()


def test_the_file_for_gis_programs_is_written_by_a_job(served: Served) -> None:
    served.published("aabbcc")
    path = served.folder / "published" / "current.gpkg"
    end = time.monotonic() + 60
    while not path.exists() and time.monotonic() < end:
        time.sleep(0.1)
    assert path.read_bytes()[:15] == b"SQLite format 3"
