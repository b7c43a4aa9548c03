"""Who is let in: keys, sessions of browsers, and an open service which only this machine reaches."""

from __future__ import annotations

import asyncio
import itertools
import time
from base64 import b64encode
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from fastapi.testclient import TestClient

from api.app import create_app
from api.door import COOKIE, Door
from api.lookup import Lookup
from gridsvc.config import Settings
from gridsvc.errors import Forbidden
from gridsvc.identity import BEGINS
from gridsvc.ownership.live import Live
from gridsvc.principal import LOCAL, ROLES, SCOPES, SYSTEM
from gridsvc.services import keys
from gridsvc.services.keys import Wanted
from gridsvc.store import Database
from gridsvc.store.quick_keys import QuickKeys
from tests.api.asgi import Sent, ask
from tests.api.conftest import _settings
from tests.api.strip import make_territory, make_tiling, publish

WHERE = "/v1/owner?lat=0.05&lon=0.35"


def bearer(key: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {key}"}


class Closed:
    """A service which wants keys, with a town in it."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings.model_copy(update={"access": "keys"})
        self.live, self.door = Live(settings.mapped), Door("keys")
        self.app = create_app(self.settings, live=self.live, door=self.door)
        self.hot = Lookup(self.app, self.live, self.door)
        self.passed: list[str] = []
        self.client: TestClient

    def make(self, name: str, role: str | None = "viewer", **more: Any) -> str:
        """A key, made in the database as by another process, and known to the service."""
        key = keys.create(self.database, LOCAL, Wanted(name, role, **more))[1]
        soon(lambda: self.status(key, "/v1/me") == 200)
        return key

    @contextmanager
    def running(self) -> Iterator[Closed]:
        self.database = Database.open(self.settings.url)
        root = keys.create(self.database, LOCAL, Wanted("root", "administrator"))[1]
        with TestClient(self.app, headers=bearer(root), raise_server_exceptions=False) as client:
            make_territory(client)
            publish(client, make_tiling(client))
            client.headers.pop("Authorization")
            self.client, self.root = client, root
            yield self
        self.database.close()

    def status(self, key: str, path: str = "/v1/plans?territory=strip") -> int:
        return self.client.get(path, headers=bearer(key)).status_code

    def quick(self, key: str, path: str = WHERE, door: Door | None = None) -> Sent | None:
        """What the hot path itself answers."""
        passed: list[str] = []

        async def rest(scope: Any, receive: Any, send: Any) -> None:
            passed.append(scope["path"])
            await send({"type": "http.response.start", "status": 599, "headers": []})

        hot = Lookup(rest, self.live, door or self.door)
        found = ask(hot, path, [(b"authorization", b"Bearer " + key.encode())])
        return None if passed else found


@pytest.fixture(scope="module")
def closed(tmp_path_factory: pytest.TempPathFactory, migrated_file: Path) -> Iterator[Closed]:
    with Closed(_settings(tmp_path_factory.mktemp("closed"), migrated_file)).running() as found:
        yield found


def soon(true: Callable[[], bool]) -> float:
    """Wait until something holds; gives the seconds that took."""
    begun = time.monotonic()
    while not true():
        assert time.monotonic() < begun + 10
        time.sleep(0.02)
    return time.monotonic() - begun


# --- keys


def test_lookups_know_keys_before_the_application_is_loaded(closed: Closed) -> None:
    door = Door("keys")
    door.ask([QuickKeys(closed.settings.url)])
    key, blind = closed.make("early", "service"), closed.make("early-blind", None, scopes=["plans:read"])
    found = closed.quick(key, door=door)
    assert found is not None and found.status == 200
    for other in (blind, BEGINS + "n" * 43, ""):
        assert closed.quick(other, door=door) is None
    keys.revoke(closed.database, LOCAL, "early")
    door.ask([])  # others tell who is known from now on, and what was found before counts no more
    assert closed.quick(key, door=door) is None


@pytest.mark.parametrize("files", [True, False], ids=["the files are there first", "the application is"])
def test_a_lookup_at_the_start_is_answered_as_soon_as_it_can_be(closed: Closed, files: bool) -> None:
    key, passed, asked = closed.make(f"at-start-{files}".lower(), "service"), list[str](), itertools.count()
    late: Any = SimpleNamespace(state=lambda: closed.live.state() if files and next(asked) > 5 else None)

    async def rest(scope: Any, receive: Any, send: Any) -> None:
        passed.append(scope["path"])
        await closed.app(scope, receive, send)

    loaded = itertools.count()
    hot = Lookup(rest, late, closed.door, loaded=lambda: not files and next(loaded) > 5)
    assert ask(hot, WHERE, [(b"authorization", b"Bearer " + key.encode())]).status == 200
    assert passed == ([] if files else ["/v1/owner"])


def test_without_a_key_nobody_gets_in(closed: Closed) -> None:
    for path in ("/v1/plans", "/v1/nothing", "/v1/me", WHERE, "/ogc", "/ogc/collections"):
        answer = closed.client.get(path)
        assert (answer.status_code, answer.json()["title"]) == (401, "Unauthenticated"), path
        assert answer.headers["www-authenticate"] == 'Bearer realm="gridsvc"'
        assert "default-src 'none'" in answer.headers["content-security-policy"]


def test_public_routes_need_no_key(closed: Closed) -> None:
    for path in ("/", "/docs", "/openapi.json", "/healthz", "/readyz"):
        assert closed.client.get(path).status_code == 200, path


@pytest.mark.parametrize(
    "shown",
    [
        "",
        "Bearer",
        "Bearer ",
        "Bearer gsk_",
        "Bearer gsk_" + "a" * 43,
        "Bearer ö",
        "Basic cm9vdDpyb290",
        "Basic",
        "Basic !",
        "Basic Z3NrX2I=",  # no colon, so no password
        "gsk_" + "a" * 43,
        "Bearer " + "x" * 5000,
    ],
)
def test_what_is_no_key_is_refused(closed: Closed, shown: str) -> None:
    answer = closed.client.get("/v1/me", headers=[(b"authorization", shown.encode("latin-1"))])
    assert answer.status_code == 401
    assert "gsk_" not in answer.text


def test_a_key_says_who_asks_and_what_they_may_do(closed: Closed) -> None:
    key = closed.make("ann", "planner")
    me = closed.client.get("/v1/me", headers=bearer(key)).json()
    assert me == {"actor": "key:ann", "access": "keys", "scopes": sorted(ROLES["planner"]), "branches": None}
    for scheme in ("bearer", "BEARER"):
        assert closed.client.get("/v1/me", headers={"Authorization": f"{scheme} {key}"}).json() == me


@pytest.mark.parametrize("name", ["", "anybody", "ö:"])
def test_a_key_may_be_the_password_of_a_program_which_sends_no_other(closed: Closed, name: str) -> None:
    key = closed.make(f"p{len(name)}", "planner")
    shown = {"Authorization": "Basic " + b64encode(f"{name.rstrip(':')}:{key}".encode()).decode()}
    assert closed.client.get("/v1/me", headers=shown).json()["actor"] == f"key:p{len(name)}"
    drift = "/v1/territories/strip/drift-threshold"
    assert closed.client.put(drift, json={"threshold": 0.2}, headers=shown).status_code < 300
    for origin in ("https://evil.example", "null"):  # browsers send a password by themselves
        answer = closed.client.put(drift, json={"threshold": 0.9}, headers={**shown, "Origin": origin})
        assert (answer.status_code, answer.json()["field"]) == (403, "Origin")


def test_a_key_may_do_what_its_role_says_and_no_more(closed: Closed) -> None:
    viewer = bearer(closed.make("viewer"))
    assert closed.client.get("/v1/plans?territory=strip", headers=viewer).status_code == 200
    for method, path in (("POST", "/v1/plans"), ("GET", "/v1/keys"), ("PUT", "/v1/calendar")):
        answer = closed.client.request(method, path, headers=viewer, content=b"{")
        assert answer.status_code == 403, path


def test_the_audit_says_whose_key_it_was(closed: Closed) -> None:
    planner = bearer(closed.make("bob", "planner"))
    changed = closed.client.put(
        "/v1/territories/strip/drift-threshold", json={"threshold": 0.2}, headers=planner
    )
    assert changed.status_code < 300, changed.text
    with closed.database.read(SYSTEM) as reader:
        assert reader.audit_log(1)[0].actor == "key:bob"


def test_a_key_just_made_works_at_once(closed: Closed) -> None:
    assert closed.status("gsk_" + "b" * 43) == 401
    time.sleep(0.15)  # unknown keys are not looked for more often
    _, key = keys.create(closed.database, LOCAL, Wanted("quick", "viewer"))
    assert closed.status(key) == 200


def test_a_revoked_key_is_refused_soon_everywhere(closed: Closed) -> None:
    key = closed.make("leaver")
    assert closed.status(key) == 200
    soon(lambda: closed.quick(key) is not None)
    keys.revoke(closed.database, LOCAL, "leaver")
    assert soon(lambda: closed.quick(key) is None) < 5
    assert closed.status(key) == 401


def test_a_key_ends_when_it_expires(closed: Closed, monkeypatch: pytest.MonkeyPatch) -> None:
    until = datetime.now(UTC) + timedelta(days=1)
    key = closed.make("guest", expires_at=until)
    soon(lambda: closed.quick(key) is not None)
    after = SimpleNamespace(time=until.timestamp, monotonic=time.monotonic)
    monkeypatch.setattr("api.door.time", after)
    monkeypatch.setattr("gridsvc.services.keyring.time", after)
    assert closed.quick(key) is None
    assert closed.status(key) == 401
    assert closed.status(closed.root) == 200


def test_the_last_use_is_written_down_when_the_service_ends(tmp_path: Path, migrated_file: Path) -> None:
    service = Closed(_settings(tmp_path, migrated_file))
    before = datetime.now(UTC)
    with service.running():
        key = service.make("crm", "service")
        keys.create(service.database, LOCAL, Wanted("idle", "service"))
        assert service.status(key) == 200
        soon(lambda: service.quick(key) is not None)
        with service.database.read(SYSTEM) as reader:
            assert reader.keys.get("crm").used_at is None  # no request writes
    database = Database.open(service.settings.url)
    with database.read(SYSTEM) as reader:
        used = reader.keys.get("crm").used_at
        assert used is not None and used >= before
        assert reader.keys.get("idle").used_at is None
    database.close()


# --- the hot path


def test_the_hot_path_answers_whom_it_knows_as_the_routes_do(closed: Closed) -> None:
    key = closed.make("billing", "service")
    closed.door.forget()
    found = closed.quick(key)  # asks who that is, as the routes would
    assert found is not None
    assert found.body == closed.client.get(WHERE, headers=bearer(key)).content


def test_the_hot_path_answers_nobody_who_may_not_ask_for_owners(closed: Closed) -> None:
    key = closed.make("clerk", None, scopes=["plans:read"])
    assert closed.status(key) == 200
    assert closed.quick(key) is None
    assert closed.status(key, WHERE) == 403


# --- keys over HTTP


def test_keys_are_made_listed_and_revoked_over_http(closed: Closed) -> None:
    root = bearer(closed.root)
    made = closed.client.post("/v1/keys", json={"name": "erp", "role": "service"}, headers=root)
    assert (made.status_code, made.headers["cache-control"]) == (201, "no-store")
    key = made.json()["key"]
    soon(lambda: closed.status(key, "/v1/me") == 200)
    assert closed.client.get("/v1/me", headers=bearer(key)).json()["actor"] == "key:erp"
    listed = closed.client.get("/v1/keys?limit=1000", headers=root)
    assert key not in listed.text
    assert "digest" not in listed.text
    assert {"root", "erp"} <= {entry["name"] for entry in listed.json()["items"]}
    gone = closed.client.delete("/v1/keys/erp", headers=root)
    assert gone.json()["revoked_at"] is not None
    soon(lambda: closed.status(key) == 401)


def test_nothing_but_what_is_asked_for_can_be_set(closed: Closed) -> None:
    forged = {"id": "key_1", "digest": "0" * 64, "created_by": "root", "used_at": None, "actor": "local"}
    for name, value in forged.items():
        body = {"name": "forged", "role": "viewer", name: value}
        answer = closed.client.post("/v1/keys", json=body, headers=bearer(closed.root))
        assert answer.status_code == 422, name


# --- browsers


@pytest.fixture
def browser(closed: Closed) -> Iterator[TestClient]:
    """A browser on the service's page."""
    client = TestClient(closed.app, base_url="https://grids.example", raise_server_exceptions=False)
    client.headers["Origin"] = "https://grids.example"
    yield client
    client.close()


def test_a_browser_signs_in_and_out(closed: Closed, browser: TestClient) -> None:
    key = closed.make(f"page-{time.monotonic_ns()}", "planner")
    signed = browser.post("/v1/session", json={"key": key})
    assert signed.json()["scopes"] == sorted(ROLES["planner"])
    flags = signed.headers["set-cookie"].lower()
    assert all(flag in flags for flag in ("httponly", "samesite=strict", "secure", "path=/"))
    assert "max-age" not in flags
    assert browser.get("/v1/me").json()["actor"].startswith("key:page-")
    assert browser.put("/v1/territories/strip/drift-threshold", json={"threshold": 0.3}).status_code < 300
    assert browser.delete("/v1/session").status_code == 204
    assert browser.get("/v1/me").status_code == 401


def test_a_wrong_key_signs_nobody_in(browser: TestClient) -> None:
    answer = browser.post("/v1/session", json={"key": "gsk_" + "c" * 43})
    assert answer.status_code == 401
    assert "set-cookie" not in answer.headers


@pytest.mark.parametrize("origin", [None, "null", "https://evil.example", "https://grids.example:444", "x"])
def test_a_page_from_elsewhere_cannot_use_the_cookie(
    closed: Closed, browser: TestClient, origin: str | None
) -> None:
    browser.cookies.set(COOKIE, closed.root)
    del browser.headers["Origin"]
    headers = {} if origin is None else {"Origin": origin}
    answer = browser.put("/v1/territories/strip/drift-threshold", json={"threshold": 0.9}, headers=headers)
    assert (answer.status_code, answer.json()["field"]) == (403, "Origin")


def test_a_page_from_elsewhere_cannot_sign_a_browser_in_or_out(closed: Closed, browser: TestClient) -> None:
    browser.headers["Origin"] = "https://evil.example"
    assert browser.post("/v1/session", json={"key": closed.root}).status_code == 403
    assert browser.delete("/v1/session").status_code == 403


def test_odd_cookies_are_no_key(closed: Closed, browser: TestClient) -> None:
    for cookie in (COOKIE, f"{COOKIE}=", f'{COOKIE}="\\', "a=b; ;;", f"{COOKIE}=\xff"):
        headers = [(b"cookie", cookie.encode("latin-1"))]
        assert browser.get("/v1/me", headers=headers).status_code == 401, cookie


# --- streams


def test_a_stream_ends_with_its_key(closed: Closed) -> None:
    key = closed.make("watching")
    lines: list[bytes] = []

    async def listen() -> None:
        asked = asyncio.Event()

        async def receive() -> dict[str, Any]:
            if asked.is_set():
                await asyncio.Event().wait()
            asked.set()
            return {"type": "http.request", "body": b"", "more_body": False}

        async def send(message: dict[str, Any]) -> None:
            lines.append(message.get("body", b""))
            if b"event: ready" in lines[-1]:
                await asyncio.to_thread(_revoke_and_change)

        scope = {
            "type": "http",
            "method": "GET",
            "path": "/v1/events",
            "raw_path": b"/v1/events",
            "query_string": b"",
            "root_path": "",
            "scheme": "http",
            "headers": [(b"host", b"x"), (b"authorization", b"Bearer " + key.encode())],
            "client": ("127.0.0.1", 1),
            "server": ("127.0.0.1", 80),
        }
        await asyncio.wait_for(closed.app(scope, receive, send), 20)

    def _revoke_and_change() -> None:
        keys.revoke(closed.database, LOCAL, "watching")
        soon(lambda: closed.status(key) == 401)
        body = {"name": "Heard by nobody", "tiling": "x"}
        closed.client.post("/v1/plans", json=body, headers=bearer(closed.root))
        closed.client.put(
            "/v1/territories/strip/drift-threshold", json={"threshold": 0.25}, headers=bearer(closed.root)
        )

    closed.client.portal.call(listen)  # type: ignore[union-attr]
    assert b"Heard" not in b"".join(lines)


# --- an open service


def test_an_open_service_says_that_it_is(nobody: TestClient) -> None:
    me = nobody.get("/v1/me").json()
    assert me == {"actor": "local", "access": "open", "scopes": sorted(SCOPES), "branches": None}
    assert nobody.post("/v1/session", json={"key": "gsk_x"}).status_code == 409


@pytest.mark.parametrize(
    "host",
    ["127.0.0.1:8000", "localhost", "LOCALHOST:1", "a.localhost", "[::1]:8000", "10.1.2.3", "testserver"],
)
def test_an_open_service_is_reached_by_address_and_by_its_names(nobody: TestClient, host: str) -> None:
    assert nobody.get("/v1/me", headers={"Host": host}).status_code == 200


@pytest.mark.parametrize(
    "host", ["evil.example", "localhost.evil.example:80", "127.0.0.1.evil.example", "[", "a b"]
)
def test_a_name_made_to_lead_here_is_refused(nobody: TestClient, host: str) -> None:
    answer = nobody.get("/v1/me", headers={"Host": host})
    assert (answer.status_code, answer.json()["field"]) == (403, "Host")


def test_lookups_of_an_open_service_refuse_such_names_too() -> None:
    door = Door("open")

    def asked(host: bytes) -> None:
        asyncio.run(door.caller({"type": "http", "method": "GET", "headers": [(b"host", host)]}))

    for _ in range(2):  # having been refused once gives nothing
        with pytest.raises(Forbidden, match="not known under this name"):
            asked(b"evil.example")
        assert door.quick(b"", b"evil.example") is None
    asked(b"127.0.0.1:8000")
    assert door.quick(b"", b"127.0.0.1:8000") == LOCAL


def test_the_first_lookup_of_an_open_service_waits_for_nothing() -> None:
    door = Door("open", "maps.example")
    assert door.quick(b"", b"127.0.0.1:8000") == door.quick(b"", b"Maps.example:80") == LOCAL


@pytest.mark.parametrize("origin", ["http://evil.example", "null", "http://testserver:81"])
def test_a_page_from_elsewhere_changes_nothing_in_an_open_service(nobody: TestClient, origin: str) -> None:
    headers = {"Origin": origin, "Content-Type": "text/plain"}
    answer = nobody.put("/v1/calendar", content=b"{}", headers=headers)
    assert (answer.status_code, answer.json()["field"]) == (403, "Origin")


@pytest.mark.parametrize(("cookie", "expected"), [(False, 200), (True, 403)])
def test_a_page_which_may_ask_changes_what_it_likes_with_nothing_of_ours(
    own_settings: Settings, cookie: bool, expected: int
) -> None:
    named = own_settings.model_copy(update={"cors_origins": "https://maps.example.com"})
    with TestClient(create_app(named)) as client:
        headers = {"Origin": "https://maps.example.com"} | ({"Cookie": f"{COOKIE}=x"} if cookie else {})
        assert client.put("/v1/calendar", json={}, headers=headers).status_code == expected
        other = {"Origin": "https://maps.example.com.evil.example"}
        assert client.put("/v1/calendar", json={}, headers=other).status_code == 403


def test_the_own_page_changes_what_it_likes(client: TestClient) -> None:
    assert client.put("/v1/calendar", json={}, headers={"Origin": "http://testserver"}).status_code == 200
    assert client.put("/v1/calendar", json={}).status_code == 200  # no browser


# --- the description


def test_the_description_says_what_callers_must_hold(closed: Closed) -> None:
    document = closed.client.get("/openapi.json").json()
    assert document["components"]["securitySchemes"]["key"]["scheme"] == "bearer"
    paths = document["paths"]
    assert paths["/v1/owner"]["get"]["security"] == [{"key": ["owner:read"]}]
    assert paths["/v1/me"]["get"]["security"] == [{"key": []}]
    assert paths["/healthz"]["get"]["security"] == []
