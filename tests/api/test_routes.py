"""Rules that hold for every route."""

from __future__ import annotations

import json
from typing import Any

import pytest
from fastapi.routing import APIRoute
from fastapi.testclient import TestClient

from api import problems
from api.app import create_app
from api.deps import Scope
from api.problems import STATUS
from gridsvc import errors
from gridsvc.config import Settings
from gridsvc.principal import SCOPES

OPEN = {"/healthz", "/readyz", "/metrics", "/", "/docs"}


def _routes(settings: Settings) -> list[APIRoute]:
    return [route for route in _all(create_app(settings).routes) if isinstance(route, APIRoute)]


def _all(routes: Any) -> Any:
    for route in routes:
        yield from _all(route.original_router.routes) if hasattr(route, "original_router") else [route]


def _scopes(route: APIRoute) -> list[str]:
    return [d.call.name for d in route.dependant.dependencies if isinstance(d.call, Scope)]


def test_each_route_names_one_known_scope(settings: Settings) -> None:
    routes = _routes(settings)
    assert len(routes) > 20
    for route in routes:
        if route.path not in OPEN:
            scopes = _scopes(route)
            assert len(scopes) == 1, route.path
            assert scopes[0] in SCOPES


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


def test_the_description_is_whole(client: TestClient) -> None:
    document = client.get("/openapi.json").json()
    for path, operations in document["paths"].items():
        for method, operation in operations.items():
            assert operation.get("summary"), (method, path)
            assert "default" in operation["responses"], (method, path)
    assert "Problem" in document["components"]["schemas"]


def test_pages_come_with_a_strict_policy(client: TestClient) -> None:
    for path in ("/", "/docs", "/healthz", "/openapi.json"):
        headers = client.get(path).headers
        assert "default-src 'none'" in headers["content-security-policy"]
        assert headers["x-content-type-options"] == "nosniff"


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [("GET", "/v1/nothing", 404), ("DELETE", "/v1/territories", 405), ("POST", "/v1/territories", 422)],
)
def test_each_failure_is_a_problem_document(client: TestClient, method: str, path: str, status: int) -> None:
    answer = client.request(method, path)
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
