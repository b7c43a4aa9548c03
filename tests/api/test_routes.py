"""Rules that hold for every route."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient
from starlette.routing import Mount, Route

from api import door, problems
from api.access import ACCESS, KNOWN, PUBLIC
from api.app import create_app
from api.problems import STATUS
from gridsvc import errors
from gridsvc.config import Settings
from gridsvc.principal import SCOPES, Principal

KEYWORDS = {"anyOf", "allOf", "oneOf", "items", "properties", "schema", "content"}


def _operations(app: FastAPI) -> set[str]:
    """Everything the application answers, as the table of access names it."""
    return {
        f"{method} {route.path_format if isinstance(route, Route) else route.path or '/'}"
        for route in _all(app.routes)
        for method in (getattr(route, "methods", None) or {"GET"}) - {"HEAD"}
    }


def _all(routes: Any) -> Any:
    for route in routes:
        yield from _all(route.original_router.routes) if hasattr(route, "original_router") else [route]


def test_each_route_has_its_entry_and_no_entry_is_left_over(settings: Settings) -> None:
    found = _operations(create_app(settings)) | {"GET /docs"}  # a file of the pages, where they are built
    assert len(found) > 100
    assert found == set(ACCESS)


def test_each_entry_is_a_known_scope_or_public() -> None:
    assert set(ACCESS.values()) - {PUBLIC, KNOWN} <= SCOPES


def test_public_is_only_what_tells_nothing_of_the_company() -> None:
    told = {route for route, scope in ACCESS.items() if scope == PUBLIC}
    pages = {"GET /", "GET /docs", "GET /openapi.json", "GET /healthz", "GET /readyz"}
    assert told == pages | {
        "GET /v1/session",
        "GET /v1/session/begin",
        "GET /v1/session/callback",
        "POST /v1/session",
        "DELETE /v1/session",
    }


def test_a_route_without_an_entry_is_refused(settings: Settings) -> None:
    app = create_app(settings)
    app.router.routes = [route for route in app.router.routes if not isinstance(route, Mount)]
    app.add_api_route("/v1/forgotten", lambda: {"secret": 1})
    with TestClient(app, raise_server_exceptions=False) as client:
        answer = client.get("/v1/forgotten")
    assert answer.status_code == 500
    assert "secret" not in answer.text


def test_a_caller_without_the_scope_is_refused(nobody: TestClient, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(door, "LOCAL", Principal("local", SCOPES - {"plans:write"}))
    assert nobody.get("/v1/plans?territory=none").status_code == 200
    answer = nobody.post("/v1/plans", content=b"{")
    assert (answer.status_code, answer.json()["scope"]) == (403, "plans:write")


def test_each_error_has_a_status() -> None:
    def tree(kind: type[errors.GridsvcError]) -> set[str]:
        # The client has some of its own, which no server answers with.
        ours = [child for child in kind.__subclasses__() if child.__module__ == errors.__name__]
        return {kind.code}.union(*(tree(child) for child in ours))

    assert set(STATUS) == tree(errors.GridsvcError)


@pytest.mark.parametrize("code", sorted(STATUS))
def test_an_error_survives_its_way_through_a_job(code: str) -> None:
    error = errors.from_dict({"code": code, "message": "m", "row": 3, "field": "f", "details": {"x": 1}})
    assert (error.code, error.row, error.field, error.details) == (code, 3, "f", {"x": 1})
    assert errors.from_dict(error.as_dict()).as_dict() == error.as_dict()


def test_details_leave_the_members_of_a_problem_alone() -> None:
    found = json.loads(problems.problem_of(errors.Conflict("m", status="published", code=1, plan="p")).body)
    assert (found["status"], found["actual_status"], found["actual_code"], found["plan"]) == (
        409,
        "published",
        1,
        "p",
    )


def test_the_description_is_whole(nobody: TestClient) -> None:
    document = nobody.get("/openapi.json").json()
    for path, operations in document["paths"].items():
        for method, operation in operations.items():
            assert operation.get("summary"), (method, path)
            assert "default" in operation["responses"], (method, path)
    assert "Problem" in document["components"]["schemas"]


def test_each_number_asked_for_fits_where_it_is_kept(nobody: TestClient) -> None:
    """A database's whole numbers end somewhere, SQLite's later than PostgreSQL's."""
    described = nobody.get("/openapi.json").json()
    found = list(_numbers_asked_for(described))
    assert len(found) > 30
    assert [name for name, it in found if "maximum" not in it and "exclusiveMaximum" not in it] == []


def _numbers_asked_for(described: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Each schema of a whole number in parameters and bodies, with where it stands; tiles are no rows."""
    seen: set[str] = set()

    def inside(schema: Any, name: str) -> Iterator[tuple[str, dict[str, Any]]]:
        if isinstance(schema, list):
            for part in schema:
                yield from inside(part, name)
            return
        if not isinstance(schema, dict):
            return
        if schema.get("type") == "integer":
            yield name, schema
        reference = schema.get("$ref")
        if reference is not None and reference not in seen:
            seen.add(reference)
            kind = reference.rsplit("/", 1)[1]
            yield from inside(described["components"]["schemas"][kind], kind)
        for key, part in schema.items():
            yield from inside(part, f"{name} {key}" if key not in KEYWORDS else name)

    for path, item in described["paths"].items():
        for method, operation in item.items():
            if "/tiles/" not in path:
                yield from inside(operation.get("parameters", []), f"{method} {path}")
            yield from inside(operation.get("requestBody", {}), f"{method} {path}")


def test_pages_come_with_a_strict_policy(nobody: TestClient) -> None:
    for path in ("/", "/docs", "/healthz", "/openapi.json"):
        headers = nobody.get(path).headers
        assert "default-src 'none'" in headers["content-security-policy"]
        assert headers["x-content-type-options"] == "nosniff"


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [("GET", "/v1/nothing", 404), ("DELETE", "/v1/territories", 405), ("POST", "/v1/territories", 422)],
)
def test_each_failure_is_a_problem_document(nobody: TestClient, method: str, path: str, status: int) -> None:
    answer = nobody.request(method, path)
    assert answer.status_code == status
    assert answer.headers["content-type"] == problems.MEDIA_TYPE
    assert answer.json()["status"] == status


def test_a_bug_tells_nothing_of_the_inside(client: TestClient, monkeypatch: pytest.MonkeyPatch) -> None:
    from gridsvc.services import territories

    def broken(*_: object) -> None:
        raise RuntimeError("secret path and customer 4711")

    monkeypatch.setattr(territories, "listing", broken)
    answer = client.get("/v1/territories")
    assert answer.status_code == 500
    assert answer.headers["content-type"] == problems.MEDIA_TYPE
    assert "secret" not in answer.text
