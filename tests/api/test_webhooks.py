"""Webhooks over HTTP, with a receiver on this machine."""

from __future__ import annotations

import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient
from standardwebhooks.webhooks import Webhook

from api.app import create_app
from gridsvc.config import Settings
from gridsvc.errors import InvalidInput
from gridsvc.store import Database
from tests.api.strip import ROSTER, make_territory
from tests.exchange.listener import Listener, listening


@pytest.fixture
def listener() -> Iterator[Listener]:
    with listening(lambda *_: 200) as found:
        yield found


@contextmanager
def serving(folder: Path, migrated_file: Path, allow: str) -> Iterator[TestClient]:
    shutil.copy(migrated_file, folder / "api.db")
    url = f"sqlite:///{folder / 'api.db'}"
    settings = Settings(data_dir=folder, database_url=url, webhook_allow=allow)
    with TestClient(create_app(settings), raise_server_exceptions=False) as found:
        yield found


@pytest.fixture
def client(tmp_path: Path, migrated_file: Path, listener: Listener) -> Iterator[TestClient]:
    """A service which may send to the listener and to hooks.example.com."""
    allow = f"hooks.example.com, http://127.0.0.1:{listener.port}"
    with serving(tmp_path, migrated_file, allow) as found:
        yield found


@pytest.fixture(scope="module")
def refusing(tmp_path_factory: pytest.TempPathFactory, migrated_file: Path) -> Iterator[TestClient]:
    """One which may send to hooks.example.com, for wishes which must be refused."""
    with serving(tmp_path_factory.mktemp("refusing"), migrated_file, "hooks.example.com") as found:
        yield found


def post(client: TestClient, url: str = "https://hooks.example.com/", **more: Any) -> Any:
    return client.post("/v1/webhooks", json={"url": url, **more})


def local(listener: Listener) -> str:
    return f"http://127.0.0.1:{listener.port}/hook"


def messages(listener: Listener, number: int) -> list[Any]:
    end = time.monotonic() + 20
    while len(listener.messages) < number:
        assert time.monotonic() < end, "nothing came"
        time.sleep(0.02)
    return listener.messages


def test_a_secret_is_shown_when_it_is_made_and_never_again(client: TestClient) -> None:
    answer = post(client)
    made = answer.json()
    assert answer.status_code == 201
    assert answer.headers["cache-control"] == "no-store"
    assert made["secret"].startswith("whsec_")
    path = f"/v1/webhooks/{made['id']}"
    (listed,) = client.get("/v1/webhooks").json()["items"]
    assert (listed["secret"], client.get(path).json()) == (None, {**made, "secret": None})
    assert client.patch(path, json={"kinds": ["roster"]}).json()["secret"] is None
    rotated = client.patch(path, json={"rotate_secret": True})
    assert rotated.json()["secret"] not in (None, made["secret"])
    assert rotated.json()["former_secret_until"]
    assert client.get(path).json()["secret"] is None


def test_what_a_change_leaves_out_stays_and_null_means_every_territory(client: TestClient) -> None:
    make_territory(client)
    made = post(client, territory="strip", kinds=["roster"]).json()
    path = f"/v1/webhooks/{made['id']}"
    paused = client.patch(path, json={"status": "paused"}).json()
    assert paused == {**made, "secret": None, "status": "paused"}
    opened = client.patch(path, json={"territory": None, "kinds": []}).json()
    assert (opened["territory"], opened["kinds"], opened["status"]) == (None, [], "paused")


def test_a_repeated_request_gets_the_first_answer(client: TestClient) -> None:
    body, key = {"url": "https://hooks.example.com/"}, {"Idempotency-Key": "k"}
    first, second = (client.post("/v1/webhooks", json=body, headers=key) for _ in range(2))
    assert first.json() == second.json()
    assert client.post("/v1/webhooks", json={**body, "kinds": ["job"]}, headers=key).status_code == 422


def test_a_test_arrives_signed(client: TestClient, listener: Listener) -> None:
    made = post(client, local(listener), kinds=["roster"]).json()
    assert client.post(f"/v1/webhooks/{made['id']}/test").status_code == 202
    (message,) = messages(listener, 1)
    told = Webhook(made["secret"]).verify(message.body, message.headers)
    assert (told["type"], told["data"]) == ("webhook.test", {"webhook": made["id"]})
    assert message.headers["content-type"] == "application/json"


def test_what_happens_arrives_and_can_be_sent_again(client: TestClient, listener: Listener) -> None:
    made = post(client, local(listener), kinds=["roster"], territory=None).json()
    make_territory(client)
    client.put("/v1/territories/strip/roster", json=ROSTER)
    first, second = (Webhook(made["secret"]).verify(m.body, m.headers) for m in messages(listener, 2)[:2])
    assert [t["data"]["roster"] for t in (first, second)] == [1, 2]
    followed = client.get(second["data"]["changes"]).json()
    assert (followed["kind"], followed["from"], followed["to"]) == ("roster", 1, 2)

    path = f"/v1/webhooks/{made['id']}"
    page = settled(client, path, 2)
    assert [d["seq"] for d in page["items"]] == [second["seq"], first["seq"]]
    assert {(d["status"], d["answer"], d["attempts"]) for d in page["items"]} == {("delivered", 200, 1)}

    answer = client.post(f"{path}/replay", params={"from_seq": second["seq"]})
    assert (answer.status_code, answer.json()["from_seq"]) == (202, second["seq"])
    again = messages(listener, 3)[2]
    assert again.headers["webhook-id"] == listener.messages[1].headers["webhook-id"]


def settled(client: TestClient, path: str, number: int) -> Any:
    for _ in range(500):
        page = client.get(f"{path}/deliveries").json()
        if [d["status"] for d in page["items"]] == ["delivered"] * number:
            return page
        time.sleep(0.02)
    raise TimeoutError


def test_deliveries_come_in_pages(client: TestClient, listener: Listener) -> None:
    made = post(client, local(listener)).json()
    path = f"/v1/webhooks/{made['id']}"
    for _ in range(3):
        client.post(f"{path}/test")
    whole = [d["seq"] for d in settled(client, path, 3)["items"]]
    first = client.get(f"{path}/deliveries?limit=2").json()
    second = client.get(f"{path}/deliveries", params={"limit": 2, "after": first["next"]}).json()
    assert [d["seq"] for d in first["items"] + second["items"]] == whole
    assert second["next"] is None


def test_a_deleted_webhook_is_gone(client: TestClient) -> None:
    path = f"/v1/webhooks/{post(client).json()['id']}"
    assert client.delete(path).status_code == 204
    for method, end in (("GET", ""), ("DELETE", ""), ("GET", "/deliveries"), ("POST", "/test")):
        assert client.request(method, path + end).status_code == 404
    assert client.patch(path, json={}).status_code == 404


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"url": "https://169.254.169.254/latest/meta-data"}, "url"),
        ({"url": "https://[::ffff:169.254.169.254]/"}, "url"),
        ({"url": "https://2852039166/"}, "url"),
        ({"url": "https://unlisted.invalid/"}, "url"),
        ({"url": "http://hooks.example.com/"}, "url"),
        ({"url": "https://hooks.example.com/", "kinds": ["weather"]}, "kinds"),
        ({"url": "https://hooks.example.com/", "kinds": [""]}, "kinds.0"),
        ({"url": "https://hooks.example.com/", "colour": "red"}, "colour"),
        ({"url": ""}, "url"),
        ({}, "url"),
    ],
)
def test_what_may_not_be_is_refused_with_its_field_and_cure(
    refusing: TestClient, body: dict[str, Any], field: str
) -> None:
    answer = refusing.post("/v1/webhooks", json=body)
    assert (answer.status_code, answer.json()["field"]) == (422, field), answer.text
    assert answer.json()["cure"]
    assert refusing.get("/v1/webhooks").json()["items"] == []


def test_an_unknown_territory_is_not_found(refusing: TestClient) -> None:
    assert post(refusing, territory="nowhere").status_code == 404


def test_by_default_nobody_may_be_sent_to(tmp_path: Path) -> None:
    database = Database.open(f"sqlite:///{tmp_path / 'a.db'}")
    database.upgrade()
    database.close()
    settings = Settings(data_dir=tmp_path, database_url=f"sqlite:///{tmp_path / 'a.db'}")
    with TestClient(create_app(settings)) as client:
        answer = post(client)
    assert answer.status_code == 422
    assert "GRIDSVC_WEBHOOK_ALLOW" in answer.json()["cure"]


def test_a_wrong_list_stops_the_service_at_its_start(tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match="neither a host nor a network"):
        create_app(Settings(data_dir=tmp_path, webhook_allow="hooks.example.com/path"))
