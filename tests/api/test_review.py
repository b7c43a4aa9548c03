"""Review and requests over HTTP: the whole way, and every wrong request."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from fastapi.testclient import TestClient

from api.app import create_app
from gridsvc.config import Settings
from gridsvc.store import Database
from tests.services.series import draft, ground, soon

SHANGHAI = ZoneInfo("Asia/Shanghai")
X3 = "x003y000"
MOVE = {"territory": "board", "kind": "move", "cells": [X3], "to": "c", "reason": "the river lies between"}
LEAD = {"territory": "board", "kind": "lead", "team": "b", "person": "p-h", "reason": "on leave"}


class Served:
    """A service on a board of 6 x 1 cells on which aabbcc is published, and a draft of the same."""

    def __init__(self, client: TestClient, database: Database) -> None:
        self.client, self.database = client, database
        self.tiling = ground(database)
        self.ok("POST", f"/plans/{self.draft()}/publish", status=201, revision=2)
        self.plan = self.draft()

    def draft(self) -> str:
        return draft(self.database, self.tiling, "aabbcc")

    def send(self, method: str, path: str, body: Any = None, revision: int | None = None, **more: str) -> Any:
        tag = {} if revision is None else {"If-Match": f'"{revision}"'}
        return self.client.request(method, f"/v1{path}", json=body, headers={**tag, **more})

    def ok(self, method: str, path: str, body: Any = None, status: int = 200, **more: Any) -> Any:
        answer = self.send(method, path, body, **more)
        assert answer.status_code == status, answer.text
        return answer.json()


@contextmanager
def serving(folder: Path, migrated_file: Path) -> Iterator[Served]:
    url = f"sqlite:///{folder / 'api.db'}"
    (folder / "api.db").write_bytes(migrated_file.read_bytes())
    settings = Settings(data_dir=folder, database_url=url)
    with (
        closing(Database.open(url)) as database,
        TestClient(create_app(settings), raise_server_exceptions=False) as client,
    ):
        yield Served(client, database)


@pytest.fixture
def served(tmp_path: Path, migrated_file: Path) -> Iterator[Served]:
    with serving(tmp_path, migrated_file) as found:
        yield found


@pytest.fixture(scope="module")
def untouched(tmp_path_factory: pytest.TempPathFactory, migrated_file: Path) -> Iterator[Served]:
    """One for all requests which must change nothing: each would see what another had changed."""
    with serving(tmp_path_factory.mktemp("untouched"), migrated_file) as found:
        yield found


def problem(answer: Any, status: int, kind: str, *words: str) -> dict[str, Any]:
    assert answer.status_code == status, answer.text
    document: dict[str, Any] = answer.json()
    assert document["type"] == f"urn:gridsvc:problem:{kind}"
    told = " ".join(str(document.get(part, "")) for part in ("detail", "field", "cure"))
    for word in words:
        assert word in told, (word, document)
    assert document.get("cure"), document
    return document


def test_from_a_request_to_the_published_move(served: Served) -> None:
    today = datetime.now(SHANGHAI).date()
    free = [(today + timedelta(days=n)).isoformat() for n in range(1, 11)]
    served.ok("PUT", "/calendar", {"weekend": [], "holidays": free})
    made = served.ok("POST", "/requests", {**MOVE, "plan": served.plan}, status=201)
    due = datetime.fromisoformat(made["due_at"]).astimezone(SHANGHAI)
    assert (due.date() - today).days in {14, 15} and due.hour == 0  # 15 if midnight came in between
    path = f"/requests/{made['id']}"
    assert (made["state"], made["overdue"], made["cell_count"], made["asked_by"]) == (
        "open",
        False,
        1,
        "local",
    )
    shown = served.ok("GET", path)
    assert shown["effect"]["moved"] == 1
    assert {g["code"]: g["cells"] for g in shown["effect"]["after"]["grids"]} == {"b": 1, "c": 3}
    served.ok("POST", f"{path}/comments", {"text": "please"}, status=201)

    closed = {gate["name"]: gate for gate in served.ok("GET", f"/plans/{served.plan}/gates")}["requests"]
    assert (closed["passed"], closed["blocking"], closed["offenders"][0]["request"]) == (
        False,
        True,
        made["id"],
    )
    problem(served.send("POST", f"/plans/{served.plan}/publish", revision=2), 409, "gate-closed", "accept or")

    problem(served.send("POST", f"{path}/accept", {"reason": "yes"}), 428, "precondition-missing")
    done = served.ok("POST", f"{path}/accept", {"reason": "yes", "base_revision": 2})
    assert (done["state"], done["decided_by"], done["decision"]) == ("accepted", "local", "yes")
    assert done["result"] == {"plan": served.plan, "revision": 3}
    assert [c["text"] for c in done["comments"]] == ["please"]
    served.ok("POST", f"/plans/{served.plan}/publish", status=201, revision=3)
    owner = served.ok("GET", f"/owner/cells/{X3}?territory=board")
    assert owner["grid"]["code"] == "c"
    assert [r["id"] for r in served.ok("GET", "/requests?state=accepted")["items"]] == [made["id"]]


def test_another_lead_is_seen_as_soon_as_it_is_accepted(served: Served) -> None:
    made = served.ok("POST", "/requests", LEAD, status=201)
    assert made["line"] is None
    served.ok("POST", f"/requests/{made['id']}/accept", {"reason": "yes"})
    assert served.ok("GET", f"/owner/cells/{X3}?territory=board")["lead"]["id"] == "p-h"


def test_requests_come_in_pages_and_are_rejected_or_withdrawn(served: Served) -> None:
    ids = [served.ok("POST", "/requests", body, status=201)["id"] for body in (MOVE, LEAD, MOVE)]
    first = served.ok("GET", "/requests?territory=board&limit=2")
    rest = served.ok("GET", f"/requests?limit=2&after={first['next']}")
    assert [r["id"] for r in (*first["items"], *rest["items"])] == ids
    assert rest["next"] is None and "cells" not in first["items"][0]
    served.ok("POST", f"/requests/{ids[0]}/reject", {"reason": "no"})
    served.ok("POST", f"/requests/{ids[1]}/withdraw")
    again = served.send("POST", f"/requests/{ids[0]}/withdraw")
    problem(again, 409, "conflict", "rejected already")
    assert [r["id"] for r in served.ok("GET", "/requests?state=open")["items"]] == ids[2:]
    far = soon(400).date().isoformat()
    assert len(served.ok("GET", f"/requests?due_before={far}&territory=board")["items"]) == 3


def test_a_plan_is_submitted_rejected_approved_and_published(served: Served) -> None:
    plan = f"/plans/{served.plan}"
    served.ok("PUT", "/review-rules", {"approval": "required"})
    problem(served.send("POST", f"{plan}/publish", revision=2), 409, "conflict", "not approved", "submit it")
    answer = served.send("POST", f"{plan}/submit", {"reason": "spring"}, revision=2)
    assert (answer.headers["ETag"], answer.json()["status"]) == ('"3"', "submitted")
    hand = {"base_revision": 3, "cells": [X3], "to": "c"}
    problem(served.send("POST", f"{plan}/moves", hand), 409, "conflict", "submitted", "recall")
    problem(served.send("POST", f"{plan}/reject", revision=3), 422, "invalid-input", "reason")
    assert served.ok("POST", f"{plan}/reject", {"reason": "odd"}, revision=3)["status"] == "draft"
    served.ok("POST", f"{plan}/submit", revision=4)
    assert served.ok("POST", f"{plan}/approve", revision=5)["status"] == "approved"
    served.ok("POST", f"{plan}/recall", revision=6)
    served.ok("POST", f"{plan}/submit", revision=7)
    served.ok("POST", f"{plan}/approve", revision=8)
    assert served.ok("GET", plan)["status"] == "approved"
    served.ok("POST", f"{plan}/publish", status=201, revision=9)
    steps = served.ok("GET", f"{plan}/reviews?limit=3")
    assert [(s["action"], s["reason"]) for s in steps["items"]] == [
        ("submit", "spring"),
        ("reject", "odd"),
        ("submit", None),
    ]
    rest = served.ok("GET", f"{plan}/reviews?after={steps['next']}")
    assert [s["action"] for s in rest["items"]] == ["approve", "recall", "submit", "approve", "publish"]
    statuses = [p["status"] for p in served.ok("GET", "/plans?territory=board")["items"]]
    assert statuses == ["retired", "published"]


def test_the_rules_and_the_calendar_are_shown_as_they_were_put(served: Served) -> None:
    assert served.ok("GET", "/calendar") == {
        "revision": 0,
        "weekend": ["sat", "sun"],
        "holidays": [],
        "workdays": [],
    }
    put = served.ok("PUT", "/calendar", {"holidays": ["2026-10-01"], "workdays": ["2026-10-10"]})
    assert served.ok("GET", "/calendar") == put and put["revision"] == 1
    assert served.ok("GET", "/review-rules")["own_approval"] == ["local"]
    rules = {"steps": {"approve": {"scopes": ["plans:publish"], "actors": ["anna"]}}, "own_approval": []}
    put = served.ok("PUT", "/review-rules", rules)
    assert served.ok("GET", "/review-rules") == put
    assert put["steps"]["approve"] == rules["steps"]["approve"]  # type: ignore[call-overload,index]
    served.ok("POST", f"/plans/{served.plan}/submit", revision=2)
    problem(served.send("POST", f"/plans/{served.plan}/approve", revision=3), 403, "forbidden", "do not let")


def test_a_request_sent_twice_counts_once(served: Served) -> None:
    once = {"Idempotency-Key": "k1"}
    first, again = (served.ok("POST", "/requests", MOVE, status=201, **once) for _ in range(2))
    assert first["id"] == again["id"]
    problem(served.send("POST", "/requests", LEAD, **once), 422, "invalid-input", "another body")
    assert len(served.ok("GET", "/requests")["items"]) == 1


WRONG: list[tuple[str, str, Any, int, str]] = [
    ("POST", "/requests", {**MOVE, "kind": "wish"}, 422, "kind"),
    ("POST", "/requests", {**MOVE, "cells": "x"}, 422, "cells"),
    ("POST", "/requests", {**MOVE, "cells": []}, 422, "cells"),
    ("POST", "/requests", {**MOVE, "cells": ["\u0000"]}, 422, "cells"),
    ("POST", "/requests", {**MOVE, "cells": ["x9"]}, 422, "'x9'"),
    ("POST", "/requests", {**MOVE, "to": "z"}, 422, "'z'"),
    ("POST", "/requests", {**MOVE, "team": "b"}, 422, "team"),
    ("POST", "/requests", {**MOVE, "reason": ""}, 422, "reason"),
    ("POST", "/requests", {**MOVE, "reason": "a" * 2001}, 422, "reason"),
    ("POST", "/requests", {**MOVE, "territory": "oder"}, 404, "oder"),
    ("POST", "/requests", {**MOVE, "plan": "pln_none"}, 422, "pln_none"),
    ("POST", "/requests", {**MOVE, "due_at": "2026-12-01"}, 422, "due_at"),
    ("POST", "/requests", {**LEAD, "person": "p-z"}, 422, "p-z"),
    ("POST", "/requests", {**LEAD, "kind": "customer", "person": None, "customer": "k"}, 404, "no customer"),
    ("GET", "/requests?state=lost", None, 422, "state"),
    ("GET", "/requests?due_before=soon", None, 422, "due_before"),
    ("GET", "/requests?limit=0", None, 422, "limit"),
    ("GET", "/requests?territory=oder", None, 404, "oder"),
    ("GET", "/requests/req_none", None, 404, "req_none"),
    ("POST", "/requests/req_none/accept", {"reason": "yes"}, 404, "req_none"),
    ("POST", "/requests/req_none/accept", {}, 422, "reason"),
    ("POST", "/requests/req_none/accept", {"reason": "yes", "base_revision": "2"}, 422, "base_revision"),
    ("POST", "/requests/req_none/accept", {"reason": "yes", "base_revision": 2**31}, 422, "base_revision"),
    ("POST", "/requests/req_none/reject", {"reason": "no"}, 404, "req_none"),
    ("POST", "/requests/req_none/withdraw", None, 404, "req_none"),
    ("POST", "/requests/req_none/comments", {"text": ""}, 404, "req_none"),
    ("PUT", "/calendar", {"weekend": ["Sunday"]}, 422, "'Sunday'"),
    ("PUT", "/calendar", {"holidays": ["2026-13-01"]}, 422, "holidays"),
    ("PUT", "/calendar", {"days": 3}, 422, "days"),
    ("PUT", "/review-rules", {"steps": {"aprove": {}}}, 422, "'aprove'"),
    ("PUT", "/review-rules", {"steps": {"approve": {"scopes": ["all"]}}}, 422, "'all'"),
    ("PUT", "/review-rules", {"approval": "maybe"}, 422, "approval"),
    ("GET", "/plans/pln_none/reviews", None, 404, "pln_none"),
]


@pytest.mark.parametrize(("method", "path", "body", "status", "words"), WRONG)
def test_a_wrong_request_changes_nothing(
    untouched: Served, method: str, path: str, body: Any, status: int, words: str
) -> None:
    kind = "invalid-input" if status == 422 else "unknown-customer" if "customer" in words else "not-found"
    problem(untouched.send(method, path, body), status, kind, words)
    assert untouched.ok("GET", "/requests")["items"] == []
    assert untouched.ok("GET", "/calendar")["revision"] == 0
    assert untouched.ok("GET", "/review-rules")["revision"] == 0


@pytest.mark.parametrize("step", ["submit", "approve", "reject", "recall"])
def test_a_step_of_review_says_what_it_was_taken_on(untouched: Served, step: str) -> None:
    path = f"/plans/{untouched.plan}/{step}"
    problem(untouched.send("POST", path, {"reason": "so"}), 428, "precondition-missing", "If-Match")
    problem(untouched.send("POST", path, {"reason": "so"}, revision=1), 412, "stale-revision", "revision 2")
    missing = untouched.send("POST", f"/plans/pln_none/{step}", {"reason": "so"}, revision=1)
    problem(missing, 404, "not-found", "pln_none")
    odd = untouched.send("POST", path, {"why": "so"}, revision=2)
    problem(odd, 422, "invalid-input", "why")
