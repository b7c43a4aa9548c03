"""Each route, as the service describes them, asked by everybody there is: nobody gets more than they may."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from fastapi.testclient import TestClient
from httpx2 import Response

from api.access import ACCESS, KNOWN, PUBLIC
from api.app import create_app
from gridsvc.config import Settings
from gridsvc.principal import LOCAL, ROLES, SCOPES
from gridsvc.services import keys
from gridsvc.services.keys import Wanted
from gridsvc.store import Database
from tests.api.conftest import _settings
from tests.api.strip import make_territory

READ_ONLY = (
    "id",
    "actor",
    "created_by",
    "recorded_at",
    "revision",
    "status",
    "scopes_",
    "digest",
    "branches_",
)
"""Members which the service alone decides, and some it does not have."""

BESIDES = {"GET /v1/territories/{territory}/roster/export": "customers:read"}
"""Routes which tell more than their scope is for, and ask for another one besides."""


@cache
def operations() -> list[str]:
    paths = create_app(Settings(access="keys")).openapi()["paths"]
    return [f"{method.upper()} {path}" for path, methods in paths.items() for method in methods]


GUARDED = [operation for operation in operations() if ACCESS[operation] != PUBLIC]
each_guarded = pytest.mark.parametrize("operation", GUARDED)


class Asked:
    """A service with one territory, one key of each role, and some which are good no more."""

    def __init__(self, client: TestClient, database: Database) -> None:
        self.client, self.database = client, database
        made = {role: self._make(f"the-{role}", role=role) for role in ROLES}
        # For each scope a key with all others.
        self.without = {
            s: self._make(f"no-{s.replace(':', '-')}", scopes=sorted(SCOPES - {s})) for s in SCOPES
        }
        revoked = self._make("revoked", role="administrator")
        keys.revoke(database, LOCAL, "revoked")
        self.roles = made
        self.bad = {
            "no key": None,
            "unknown": "Bearer gsk_" + "A" * 43,
            "revoked": f"Bearer {revoked}",
            "expired": f"Bearer {self._expired()}",
            "a digest": f"Bearer {keys.digest_of(made['administrator'])}",
            "cut short": f"Bearer {made['administrator'][:-1]}",
            "a name": "Bearer administrator",
            "another scheme": f"Basic {made['administrator']}",
            "a token signed by itself": "Bearer eyJhbGciOiJub25lIn0.eyJzdWIiOiJyb290In0.",
        }

    def _make(self, name: str, **more: Any) -> str:
        return keys.create(self.database, LOCAL, Wanted(name, **more))[1]

    def _expired(self) -> str:
        key = keys.BEGINS + "E" * 43
        with self.database.write(LOCAL, "test") as uow:
            past = datetime.now(UTC) - timedelta(seconds=1)
            uow.keys.create("expired", keys.digest_of(key), key[:10], role="administrator", expires_at=past)
        return key

    def __call__(self, operation: str, shown: str | None, **more: Any) -> Response:
        method, path = operation.split(" ", maxsplit=1)
        path = path.replace("{territory}", "strip")
        for name in ("{z}", "{y}", "{x}", "{n}", "{revision}"):
            path = path.replace(name, "1")
        path = "/".join("none" if part.startswith("{") else part for part in path.split("/"))
        headers = {} if shown is None else {"Authorization": shown}
        # A stream of events would never end.
        more.setdefault("params", {"topics": "none"} if path == "/v1/events" else {})
        return self.client.request(method, path, headers=headers, **more)


@pytest.fixture(scope="module")
def asked(tmp_path_factory: pytest.TempPathFactory, migrated_file: Path) -> Iterator[Asked]:
    settings = _settings(tmp_path_factory.mktemp("matrix"), migrated_file)
    with closing(Database.open(settings.url)) as database:
        with TestClient(create_app(settings), raise_server_exceptions=False) as open_one:
            make_territory(open_one)
        app = create_app(settings.model_copy(update={"access": "keys"}))
        made = Asked(TestClient(app, raise_server_exceptions=False), database)
        with made.client:
            yield made


def test_the_description_has_every_route_of_the_table() -> None:
    hidden = {"GET /", "GET /docs", "GET /openapi.json", "GET /ogc/", "GET /ogc/style.css"}
    assert set(operations()) == set(ACCESS) - hidden
    assert len(GUARDED) > 140


@each_guarded
def test_whoever_shows_nothing_good_is_told_nothing(asked: Asked, operation: str) -> None:
    for kind, shown in asked.bad.items():
        answer = asked(operation, shown, content=b"{")
        assert answer.status_code == 401, kind
        assert answer.json()["type"] == "urn:gridsvc:problem:unauthenticated", kind
        assert "strip" not in answer.text, kind


@each_guarded
def test_each_role_gets_in_where_its_scopes_say_and_nowhere_else(asked: Asked, operation: str) -> None:
    wanted = ACCESS[operation]
    for role, key in asked.roles.items():
        answer = asked(operation, f"Bearer {key}")
        assert answer.status_code != 401, role
        if wanted == KNOWN or wanted in ROLES[role]:
            assert answer.status_code < 500, (role, answer.text)
            assert answer.status_code != 403 or BESIDES.get(operation) == answer.json()["scope"], (
                role,
                answer.text,
            )
        else:
            assert (answer.status_code, answer.json()["scope"]) == (403, wanted), role


@each_guarded
def test_all_other_scopes_together_do_not_stand_for_the_one(asked: Asked, operation: str) -> None:
    wanted = ACCESS[operation]
    if wanted != KNOWN:
        answer = asked(operation, f"Bearer {asked.without[wanted]}", content=b"{")
        assert (answer.status_code, answer.json()["scope"]) == (403, wanted)


GUESSES = ("none", "1", "../strip", "%2e%2e%2fstrip", "key_00000000000000000000000000", "' OR 1=1 --", "*")


@pytest.mark.parametrize("operation", [operation for operation in GUARDED if "{" in operation])
def test_guessed_ids_lead_nowhere(asked: Asked, operation: str) -> None:
    root = f"Bearer {asked.roles['administrator']}"
    for guess in GUESSES:
        parts = (quote(guess, safe="") if part.startswith("{") else part for part in operation.split("/"))
        answer = asked("/".join(parts), root)
        assert 400 <= answer.status_code < 500, (guess, answer.text)


# --- bodies


def _bodies() -> dict[str, dict[str, Any]]:
    """Forms of JSON bodies, by operation."""
    document = create_app(Settings(access="keys")).openapi()
    found = {}
    for operation in operations():
        method, path = operation.split(" ")
        content = document["paths"][path][method.lower()].get("requestBody", {}).get("content", {})
        if "application/json" in content:
            found[operation] = content["application/json"]["schema"]
    return found


@pytest.mark.parametrize("operation", sorted(_bodies()))
def test_what_the_service_decides_cannot_be_sent_along(asked: Asked, operation: str) -> None:
    root = f"Bearer {asked.roles['administrator']}"
    with asked.database.read() as reader:
        before = len(reader.audit_log(10_000))
    for member in READ_ONLY:
        answer = asked(operation, root, json={member: "forged"})
        assert answer.status_code >= 400, member
    with asked.database.read() as reader:
        assert len(reader.audit_log(10_000)) == before


def test_no_form_of_a_body_takes_members_it_does_not_name() -> None:
    document = create_app(Settings(access="keys")).openapi()
    forms = document["components"]["schemas"]
    waiting = [schema for schema in _bodies().values() if "$ref" in str(schema)]
    seen: set[str] = set()
    while waiting:
        for name in _named(waiting.pop()) - seen:
            seen.add(name)
            waiting.append(forms[name])
            if forms[name].get("type") == "object":
                assert forms[name].get("additionalProperties") is False, name
    assert len(seen) > 30


def _named(schema: Any) -> set[str]:
    """Forms which a form names."""
    if isinstance(schema, dict):
        own = {schema["$ref"].rsplit("/", 1)[1]} if "$ref" in schema else set()
        return own.union(*(_named(value) for value in schema.values()))
    return set().union(*(_named(value) for value in schema)) if isinstance(schema, list) else set()
