"""A server which is told to stop ends what it is asked, and gives back what it does."""

from __future__ import annotations

import http.client
import signal
import socket
import subprocess
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from gridsvc.principal import LOCAL, SYSTEM
from gridsvc.services import jobs
from gridsvc.store import Database
from tests.api.strip import SQUARE
from tests.journey.served import served


@pytest.fixture
def server(
    migrated_file: Path, tmp_path: Path
) -> Iterator[tuple[httpx.Client, subprocess.Popen[bytes], str]]:
    url = f"sqlite:///{tmp_path / 'gridsvc.db'}"
    (tmp_path / "gridsvc.db").write_bytes(migrated_file.read_bytes())
    with served(url, tmp_path) as (base_url, process), httpx.Client(base_url=base_url, timeout=60) as client:
        yield client, process, url


Server = tuple[httpx.Client, subprocess.Popen[bytes], str]


def territory(client: httpx.Client, side: float) -> None:
    ring = [[0.3, 0.0], [0.3 + side, 0.0], [0.3 + side, side], [0.3, side], [0.3, 0.0]]
    boundary = SQUARE | {"coordinates": [ring]}
    made = client.post("/v1/territories", json={"id": "strip", "name": "Strip", "boundary": boundary})
    assert made.status_code == 201


def test_a_connection_is_kept_between_requests(server: Server) -> None:
    """For longer than uvicorn does by itself, and than a proxy keeps its own."""
    address = server[0].base_url
    connection = http.client.HTTPConnection(address.host, address.port or 0, timeout=10)
    connection.connect()
    connection.auto_open = 0  # a new one would be refused
    for path in ("/healthz", "/v1/owner?lat=1&lon=1", "/healthz"):
        connection.request("GET", path)
        connection.getresponse().read()
        time.sleep(6)
    connection.request("GET", "/healthz")
    assert connection.getresponse().status == 200
    connection.close()


def test_a_request_which_is_still_coming_in_is_answered(server: Server) -> None:
    client, process, _ = server
    address = client.base_url
    body = b'{"id": "late", "name": "Late", "boundary": ' + str(SQUARE).replace("'", '"').encode() + b"}"
    with socket.create_connection((address.host, address.port)) as connection:
        connection.settimeout(30)
        form = f"Content-Type: application/json\r\nContent-Length: {len(body)}"
        head = f"POST /v1/territories HTTP/1.1\r\nHost: localhost\r\n{form}\r\n\r\n"
        connection.sendall(head.encode() + body[:20])
        time.sleep(0.5)
        process.send_signal(signal.SIGTERM)
        time.sleep(1.0)
        connection.sendall(body[20:])
        answer = b""
        while part := connection.recv(65536):
            answer += part
    assert answer.startswith(b"HTTP/1.1 201 ")
    process.wait(20)


def test_streams_end_and_jobs_go_back(server: Server) -> None:
    client, process, url = server
    territory(client, 0.9)
    tiling = {"kind": "h3", "resolution": 9}
    told: list[str] = []
    ended = threading.Event()

    def listen() -> None:
        with client.stream("GET", "/v1/events") as stream:
            told.extend(stream.iter_lines())
        ended.set()

    threading.Thread(target=listen, daemon=True).start()
    answers: list[httpx.Response] = []
    asking = threading.Thread(
        target=lambda: answers.append(client.post("/v1/territories/strip/tilings", json=tiling))
    )
    asking.start()
    database = Database.open(url)
    try:
        job = _running(database)
        process.send_signal(signal.SIGTERM)
        asking.join(20)
        assert ended.wait(20)
        assert answers[0].status_code == 202, answers[0].text
        assert answers[0].json()["id"] == job
        process.wait(20)
        found = jobs.get(database, LOCAL, job)
        assert (found.status, found.attempts, found.worker) == ("queued", 0, None)
    finally:
        database.close()
    assert any(line.startswith("event: ready") for line in told)


def _running(database: Database) -> str:
    end = time.monotonic() + 60
    while time.monotonic() < end:
        with database.read(SYSTEM) as reader:
            if running := reader.jobs.running():
                return running[0].id
        time.sleep(0.02)
    raise TimeoutError
