"""Each route, as the service describes them, asked by everybody there is: nobody gets more than they may."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from fastapi.testclient import TestClient
from httpx2 import Response

from api.access import ACCESS, IN_PART, KNOWN, PUBLIC
from api.app import create_app
from gridsvc.config import Settings
from gridsvc.identity import BEGINS, digest_of
from gridsvc.principal import COMPANY, LOCAL, ROLES, SCOPES, SYSTEM
from gridsvc.services import keys
from gridsvc.services.keys import Wanted
from gridsvc.store import Database
from tests.api import foreign
from tests.api.conftest import _settings
from tests.api.strip import make_territory
from tests.conftest import DIALECTS
from tests.databases import copy_postgis

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


MAKING = {"POST /v1/layers"}
"""Makes something new each time, of nothing but what it is sent."""

LEFT_OUT = MAKING | {"GET /v1/events", "POST /v1/territories"}
"""A stream never ends for whoever may read it; and what is nowhere must not come to be."""

ALIKE = {operation for operation, scope in ACCESS.items() if scope == KNOWN or scope in COMPANY} | {
    "GET /ogc",
    "GET /ogc/api",
    "GET /ogc/conformance",
    "GET /ogc/tileMatrixSets",
    "GET /ogc/tileMatrixSets/WebMercatorQuad",
    "GET /v1/calendar",
    "GET /v1/company/scorecard",
    "GET /v1/company/team-rules",
    "GET /v1/map",
    "GET /v1/map/layers/{name}",
    "GET /v1/pack-rules",
    "GET /v1/review-rules",
}
"""Routes which tell of no territory: whoever asks gets the same."""


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
            "a digest": f"Bearer {digest_of(made['administrator'])}",
            "cut short": f"Bearer {made['administrator'][:-1]}",
            "a name": "Bearer administrator",
            "another scheme": f"Basic {made['administrator']}",
            "a token signed by itself": "Bearer eyJhbGciOiJub25lIn0.eyJzdWIiOiJyb290In0.",
        }

    def _make(self, name: str, **more: Any) -> str:
        return keys.create(self.database, LOCAL, Wanted(name, **more))[1]

    def _expired(self) -> str:
        key = BEGINS + "E" * 43
        with self.database.write(LOCAL, "test") as uow:
            past = datetime.now(UTC) - timedelta(seconds=1)
            uow.keys.create("expired", digest_of(key), key[:10], role="administrator", expires_at=past)
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


# --- other branches


class Branches:
    """A service with a territory of the callers' and one which is not theirs."""

    def __init__(self, client: TestClient, database: Database, far: dict[str, str]) -> None:
        self.client, self.far = client, far
        self.nothing = {name: foreign.NOTHING[name] for name in far}
        made = keys.create(database, LOCAL, Wanted("strip", scopes=sorted(SCOPES), branches=["strip"]))
        self.ours = {"Authorization": f"Bearer {made[1]}"}
        everything = keys.create(database, LOCAL, Wanted("all", scopes=sorted(SCOPES)))
        self.all = {"Authorization": f"Bearer {everything[1]}"}
        with database.read(LOCAL) as reader:
            cells = [str(name) for name in reader.tilings.plain(far["tiling"]).names()]
        short = {"code", "grid", "level", "lat", "lon"}
        part = "P" * 43
        with database.write(LOCAL, "test") as uow:  # of no grid there is: of what is theirs nothing is seen
            digest = digest_of(BEGINS + part)
            scopes, own = sorted(SCOPES), ["farland/none"]
            uow.keys.create("part", digest, "gsk_PPPPPP", scopes=scopes, branches=own)
        self.of_part = {"Authorization": f"Bearer {BEGINS}{part}"}
        self.secrets = {*cells, "Far", "far", *(far[name] for name in far.keys() - short)}

    def ask(self, operation: str, ids: dict[str, str], headers: dict[str, str]) -> Response:
        """Ask a route for what has these ids, in each way it takes."""
        method, path = operation.split(" ")
        wanted = _parameters()[operation]
        path = foreign.filled(path, {**ids, "n": "1", "revision": "1", "z": "10", "y": "511", "x": "568"})
        path = foreign.filled(path, dict.fromkeys(("name", "key", "webhook", "handover"), "none"))
        files, fields = foreign.FILES.get(operation, (None, None))
        more: dict[str, Any] = (
            {"json": foreign.filled(foreign.BODIES[operation], ids)}
            if (operation in foreign.BODIES)
            else {"files": foreign.filled(files, ids), "data": foreign.filled(fields, ids)}
        )
        query = {name: value for name, value in foreign.QUERY.items() if name in wanted}
        tag = {"If-Match": '"1"'} if "if-match" in wanted else {}
        query = foreign.filled(query | foreign.OWN_QUERY.get(operation, {}), ids)
        return self.client.request(
            method, path, params=query, headers={**headers, **tag, "X-Request-ID": "same"}, **more
        )


@cache
def _parameters() -> dict[str, set[str]]:
    """Names of the queries and headers of each operation."""
    paths = create_app(Settings(access="keys")).openapi()["paths"]
    return {
        f"{method.upper()} {path}": {told["name"] for told in operation.get("parameters", [])}
        for path, methods in paths.items()
        for method, operation in methods.items()
    }


@pytest.fixture(scope="module", params=DIALECTS)
def branches(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, migrated_file: Path
) -> Iterator[Branches]:
    settings = _settings(tmp_path_factory.mktemp("branches"), migrated_file)
    with ExitStack() as stack:
        if request.param == "postgis":
            url = contextmanager(copy_postgis)(request.getfixturevalue("postgis_server"), "migrated")
            settings = settings.model_copy(update={"database_url": stack.enter_context(url)})
        database = stack.enter_context(closing(Database.open(settings.url)))
        with TestClient(create_app(settings), raise_server_exceptions=False) as open_one:
            make_territory(open_one)
            far = foreign.settle_far(open_one)
        app = create_app(settings.model_copy(update={"access": "keys"}))
        client = stack.enter_context(TestClient(app, raise_server_exceptions=False))
        yield Branches(client, database, far)


def test_each_route_tells_another_branch_what_it_tells_of_what_is_not_there(branches: Branches) -> None:
    leaks = {}
    for operation in set(GUARDED) - MAKING:
        there = branches.ask(operation, branches.far, branches.ours)
        nowhere = branches.ask(operation, branches.nothing, branches.ours)
        told = foreign.plain(there.text, branches.far), foreign.plain(nowhere.text, branches.nothing)
        secrets = {secret for secret in branches.secrets if secret in told[0] and secret not in told[1]}
        status = there.status_code, nowhere.status_code
        if status[0] >= 500 or status[0] != status[1] or told[0] != told[1] or secrets:
            leaks[operation] = (status, *told, secrets)
    assert leaks == {}


def test_each_route_tells_another_part_of_the_territory_no_more(branches: Branches) -> None:
    """Where it cannot leave out the rest, it refuses; it never is by mistake that it tells of all."""
    leaks = {}
    named = ("cell", "customer", "code", "grid", "feature")
    nowhere = branches.far | {name: branches.nothing[name] for name in named} | {"lat": "10.0", "lon": "50.0"}
    for operation in GUARDED:
        there, other = (branches.ask(operation, ids, branches.of_part) for ids in (branches.far, nowhere))
        told = foreign.plain(there.text, branches.far), foreign.plain(other.text, nowhere)
        secrets = {s for s in branches.secrets if s in told[0] and s not in told[1]}
        if operation not in IN_PART:
            right = there.status_code == 403
        else:
            right = there.status_code == other.status_code < 500 and told[0] == told[1] and not secrets
        if not right:
            leaks[operation] = (there.status_code, other.status_code, *told, secrets)
    assert leaks == {}


def test_a_branch_is_told_of_its_own_as_everybody_is(branches: Branches) -> None:
    for path in ("/v1/territories/strip", "/v1/territories/strip/roster", "/v1/plans?territory=strip"):
        ours, everybodys = (branches.client.get(path, headers=h) for h in (branches.ours, branches.all))
        assert (ours.status_code, ours.text) == (200, everybodys.text)
    listed = branches.client.get("/v1/territories", headers=branches.ours).json()["items"]
    assert [territory["id"] for territory in listed] == ["strip"]
    assert branches.client.get("/v1/me", headers=branches.ours).json()["branches"] == ["strip"]


def test_who_sees_all_is_told_of_it(branches: Branches) -> None:
    """Else the test before would be one of questions which nobody gets an answer to."""
    alike = set()
    for operation in set(GUARDED) - LEFT_OUT:
        there = branches.ask(operation, branches.far, branches.all)
        nowhere = branches.ask(operation, branches.nothing, branches.all)
        if foreign.plain(there.text, branches.far) == foreign.plain(nowhere.text, branches.nothing):
            alike.add(operation)
    assert alike <= ALIKE, sorted(alike - ALIKE)


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
    with asked.database.read(SYSTEM) as reader:
        before = len(reader.audit_log(10_000))
    for member in READ_ONLY:
        answer = asked(operation, root, json={member: "forged"})
        assert answer.status_code >= 400, member
    with asked.database.read(SYSTEM) as reader:
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
