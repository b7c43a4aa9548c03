"""Snapshots on their way and in the cache folder: against a scripted service."""

from __future__ import annotations

import os
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import orjson
import pytest
import shapely

from gridsvc import errors, ownership
from gridsvc.client import Client, Unavailable
from gridsvc.client.forms import COLUMNS
from gridsvc.client.snapshots import Shelf
from gridsvc.ownership.bundle import Bundle
from gridsvc.ownership.holdings import Holdings
from gridsvc.ownership.snapshot import Moment, Snapshot
from gridsvc.tiling.places import Places
from tests.ownership.worlds import ROSTER, disk, hexes

CITY = hexes("city", disk(116.4, 39.9, 9, 4), [shapely.box(116.3, 39.85, 116.5, 39.95)])


def bundle(n: int, valid_from: datetime) -> Bundle:
    publication = CITY.publication
    places = Places.of("h3", publication.resolution, publication.ids, None, CITY.boundary)
    moment = Moment(n, 1, 9, valid_from)
    return Bundle.of(Snapshot(Holdings.of(publication), places, "til_1", ROSTER, moment))


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> dict[int, bytes]:
    """Publications 1 and 2, and 3 which begins tomorrow."""
    now = datetime.now(UTC)
    found = {}
    for n, days in ((1, -9), (2, -1), (3, 1)):
        path = tmp_path_factory.mktemp("files") / "made.snapshot"
        bundle(n, now + timedelta(days=days)).write(path)
        found[n] = path.read_bytes()
    return found


class Service:
    """Hands out snapshots; `spoil` what it sends next, and `gone` it cannot be reached."""

    def __init__(self, files: dict[int, bytes], folder: Path) -> None:
        self._files, self.folder = files, folder
        self.in_force, self.version = 2, "v1"
        self.spoilt: list[Any] = []
        self.gone = False
        self.sent: list[int] = []  # statuses of snapshots

    def client(self, **more: Any) -> Client:
        given = {"territory": "city", "cache": self.folder, "retries": 2, **more}
        return Client("http://service", transport=httpx.MockTransport(self._say), **given)

    def _say(self, request: httpx.Request) -> httpx.Response:
        if self.gone:
            raise httpx.ConnectError("refused")
        if request.url.path == "/v1/owner/batch":
            columns: dict[str, list[str]] = {name: [] for name in COLUMNS}
            facts = {"territory": "city", "publication": self.in_force, "roster": 1, "seq": 9}
            return httpx.Response(200, content=orjson.dumps({**facts, **columns}))
        n = int(request.url.path.split("/")[3])
        tag = f'"bundle-{n}-{self.version}"'
        if request.headers.get("If-None-Match") == tag:
            self.sent.append(304)
            return httpx.Response(304, headers={"ETag": tag})
        self.sent.append(200)
        body = self._files[n]
        return httpx.Response(
            200, headers={"ETag": tag}, content=self.spoilt.pop(0)(body) if self.spoilt else body
        )

    def kept(self) -> list[str]:
        return sorted(path.name for path in self.folder.rglob("*") if path.is_file())


@pytest.fixture
def service(files: dict[int, bytes], tmp_path: Path) -> Service:
    return Service(files, tmp_path / "cache")


def test_the_one_in_force_is_fetched_once(service: Service) -> None:
    client = service.client()
    path = client.snapshot()
    assert client.snapshot() == path
    assert service.sent == [200, 304]
    assert ownership.open(path).snapshot.moment.publication == 2
    assert service.kept() == ["2-bundle-2-v1.snapshot"]


def test_another_process_finds_it(service: Service) -> None:
    path = service.client().snapshot()
    assert service.client().snapshot() == path
    assert service.sent == [200, 304]


def test_a_newer_version_takes_its_place_and_the_old_stays_a_while(service: Service) -> None:
    client = service.client()
    old = client.snapshot()
    service.version = "v2"
    new = client.snapshot()
    assert new != old and old.exists(), "somebody may be about to open it"
    long_ago = time.time() - 7200
    os.utime(old, (long_ago, long_ago))
    service.version = "v3"
    client.snapshot()
    assert not old.exists() and new.exists()


def cut(body: bytes) -> bytes:
    return body[: len(body) // 2]


def flipped(body: bytes) -> bytes:
    return body[:-100] + bytes([body[-100] ^ 1]) + body[-99:]


def breaking(body: bytes) -> Any:
    def pieces() -> Any:
        yield body[:1000]
        raise httpx.ReadError("gone")

    return pieces()


@pytest.mark.parametrize("spoil", [cut, flipped, breaking, lambda _: b""])
def test_one_which_does_not_arrive_whole_is_fetched_again(service: Service, spoil: Any) -> None:
    service.spoilt = [spoil]
    path = service.client().snapshot()
    assert service.sent == [200, 200]
    assert service.kept() == [path.name]
    ownership.open(path)


def test_where_none_arrives_whole_nothing_is_left(service: Service) -> None:
    service.spoilt = [cut] * 9
    with pytest.raises(Unavailable, match="whole"):
        service.client().snapshot()
    assert service.sent == [200] * 3 and service.kept() == []


def test_a_failed_fetch_leaves_the_one_there_is(service: Service) -> None:
    client = service.client(retries=0)
    path = client.snapshot()
    service.version, service.spoilt = "v2", [cut]
    with pytest.raises(Unavailable):
        client.snapshot()
    assert service.kept() == [path.name]
    ownership.open(path)


def test_one_which_was_damaged_here_is_fetched_anew(service: Service) -> None:
    path = service.client().snapshot()
    path.write_bytes(flipped(path.read_bytes()))
    assert ownership.open(service.client().snapshot()).snapshot.moment.publication == 2
    assert service.sent == [200, 200]


@pytest.mark.parametrize("tag", [None, '"../../x"', 'W/"weak"', '"' + "x" * 400 + '"', '"a b"'])
def test_tags_which_are_no_file_names_are_not_kept(files: dict[int, bytes], tmp_path: Path, tag: Any) -> None:
    shelf = Shelf(tmp_path, "http://service", "city", "base")
    with shelf.draft() as file:
        file.write(files[1])
        path = shelf.put(file, 1, tag)
    assert path.name == "1-untagged.snapshot" and path.is_relative_to(tmp_path)
    assert len([p for p in tmp_path.rglob("*") if p.is_file()]) == 1


def test_services_territories_and_lines_are_kept_apart(files: dict[int, bytes], tmp_path: Path) -> None:
    shelves = [
        Shelf(tmp_path, *place)
        for place in [
            ("http://a", "city", "base"),
            ("http://b", "city", "base"),
            ("http://a", "town", "base"),
            ("http://a", "city", "../base"),
        ]
    ]
    for shelf in shelves[:1]:
        with shelf.draft() as file:
            file.write(files[1])
            shelf.put(file, 1, '"t"')
    assert [shelf.find(1) is not None for shelf in shelves] == [True, False, False, False]
    assert Shelf.territories(tmp_path, "http://a", "base") == ["city"]


# --- without the service


def test_without_the_service_what_is_here_answers_if_that_will_do(service: Service) -> None:
    client = service.client(retries=0)
    client.snapshot()
    service.gone = True
    with pytest.raises(Unavailable):
        client.offline()
    assert client.offline(refresh="if_possible").snapshot.moment.publication == 2
    assert service.client(territory=None).offline(refresh="never").snapshot.moment.publication == 2


def test_without_the_service_what_is_scheduled_does_not_count_yet(service: Service) -> None:
    client = service.client(retries=0)
    for n in (1, 2, 3):
        client.snapshot(n)
    assert client.offline(refresh="never").snapshot.moment.publication == 2
    assert client.offline(3, refresh="never").snapshot.moment.publication == 3


def test_never_means_that_nobody_is_asked(service: Service) -> None:
    client = service.client()
    client.snapshot()
    service.sent.clear()
    client.offline(refresh="never")
    assert service.sent == []


def test_nothing_here_and_nobody_there(service: Service) -> None:
    service.gone = True
    client = service.client(retries=0)
    for refresh in ("if_possible", "never"):
        with pytest.raises(Unavailable, match="cache folder"):
            client.offline(refresh=refresh)  # type: ignore[arg-type]


def test_a_refusal_is_not_hidden_by_what_is_here(service: Service) -> None:
    client = service.client()
    client.snapshot()

    def say(request: httpx.Request) -> httpx.Response:
        document = {"type": "urn:gridsvc:problem:forbidden", "status": 403, "detail": "no"}
        headers = {"Content-Type": "application/problem+json"}
        return httpx.Response(403, headers=headers, content=orjson.dumps(document))

    refused = Client(
        "http://service", territory="city", cache=service.folder, transport=httpx.MockTransport(say)
    )
    with pytest.raises(errors.Forbidden):
        refused.offline(refresh="if_possible")
