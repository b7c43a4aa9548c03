"""Who dawdles is cut off, who does not is not: real sockets against a real server."""

from __future__ import annotations

import asyncio
import socket
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from types import SimpleNamespace
from typing import Any

import pytest

from api import connections
from api.at_once import AtOnce
from api.connections import Guard
from api.lookup import Reply
from api.outgoing import Outgoing
from gridsvc.principal import Principal
from tests.journey.threaded import in_thread

GET = b"GET / HTTP/1.1\r\nHost: x\r\n\r\n"


async def app(scope: Any, receive: Any, send: Any) -> None:
    """Reads all of a body; `/large` is a long answer, `/slow` a late one."""
    length, more = 0, True
    while more:
        message = await receive()
        if message["type"] == "http.disconnect":
            return
        length, more = length + len(message.get("body", b"")), message.get("more_body", False)
    if scope["path"] == "/slow":
        await asyncio.sleep(4)
    parts = [b"x" * 200_000] * 100 if scope["path"] == "/large" else [b"%d" % length]
    sized = (b"content-length", b"%d" % sum(map(len, parts)))
    await send({"type": "http.response.start", "status": 200, "headers": [sized]})
    for part in parts:
        await send({"type": "http.response.body", "body": part, "more_body": True})
    await send({"type": "http.response.body", "body": b""})


@pytest.fixture
def cut() -> Counter[str]:
    return Counter()


@pytest.fixture
def port(monkeypatch: pytest.MonkeyPatch, cut: Counter[str]) -> Iterator[int]:
    for name, value in {
        "_LOOK": 0.1, "HEAD_SECONDS": 1.0, "BODY_SECONDS": 1.0, "READER_SECONDS": 1.5,
    }.items():  # fmt: skip
        monkeypatch.setattr(connections, name, value)
    monkeypatch.setattr(AtOnce, "guard", Guard(20, lambda why: cut.update([why])))
    with in_thread(app) as number:
        yield number


def connected(port: int) -> socket.socket:
    found = socket.create_connection(("127.0.0.1", port))
    found.settimeout(10)
    return found


def all_of(connection: socket.socket) -> bytes:
    parts = []
    try:
        while part := connection.recv(65536):
            parts.append(part)
    except ConnectionResetError:
        pass
    return b"".join(parts)


@pytest.mark.parametrize("start", [b"", b"GET / HT", b"GET / HTTP/1.1\r\nHost: x\r\nX-"])
def test_a_head_which_does_not_come(port: int, cut: Counter[str], start: bytes) -> None:
    with closing(connected(port)) as connection:
        connection.sendall(start)
        assert all_of(connection).startswith(b"HTTP/1.1 408 ")
    assert cut == {"head": 1}


def test_a_head_by_the_byte_after_a_request_which_was_in_time(port: int, cut: Counter[str]) -> None:
    with closing(connected(port)) as connection:
        connection.sendall(GET)
        assert b"200 OK" in connection.recv(1000)
        with pytest.raises(OSError):
            for byte in GET * 3:
                connection.sendall(bytes([byte]))
                time.sleep(0.1)
    assert cut == {"head": 1}


def test_a_head_without_end(port: int, cut: Counter[str]) -> None:
    with closing(connected(port)) as connection:
        connection.sendall(b"GET / HTTP/1.1\r\n")
        try:
            for number in range(100_000):
                connection.sendall(b"X-%d: %s\r\n" % (number, b"x" * 1000))
        except OSError:
            pass
        else:
            pytest.fail("the server took 100 MB of head")
    assert cut == {"head": 1}


def test_a_body_by_the_byte(port: int, cut: Counter[str]) -> None:
    with closing(connected(port)) as connection:
        connection.sendall(b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 100000\r\n\r\n")
        with pytest.raises(OSError):
            for _ in range(100):
                connection.sendall(b"x")
                time.sleep(0.1)
    assert cut == {"body": 1}


def test_a_body_which_stops_half_way(port: int, cut: Counter[str]) -> None:
    with closing(connected(port)) as connection:
        connection.sendall(
            b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 9000000\r\n\r\n" + b"x" * 4_000_000
        )
        assert all_of(connection) == b""
    assert cut == {"body": 1}


def test_an_answer_which_nobody_takes(port: int, cut: Counter[str]) -> None:
    with closing(connected(port)) as connection:
        connection.sendall(b"GET /large HTTP/1.1\r\nHost: x\r\n\r\n")
        end = time.monotonic() + 10
        while not cut and time.monotonic() < end:
            time.sleep(0.1)
        assert len(all_of(connection)) < 20_000_000
    assert cut == {"reader": 1}


def test_those_who_are_slow_but_go_on(port: int, cut: Counter[str]) -> None:
    with (
        closing(connected(port)) as slow,
        closing(connected(port)) as sender,
        closing(connected(port)) as reader,
    ):
        slow.sendall(b"GET /slow HTTP/1.1\r\nHost: x\r\n\r\n")
        reader.sendall(b"GET /large HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
        sender.sendall(b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 600000\r\n\r\n")
        got = 0
        for _ in range(30):
            sender.sendall(b"x" * 20_000)
            for _ in range(10):
                got += len(reader.recv(50_000))
            time.sleep(0.1)
        assert sender.recv(1000).endswith(b"600000")
        assert slow.recv(1000).endswith(b"0")
        assert got + len(all_of(reader)) > 20_000_000
    assert cut == {}


def test_one_connection_too_many(port: int, cut: Counter[str]) -> None:
    held = [connected(port) for _ in range(20)]
    for connection in held:
        connection.sendall(b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\n")
    with closing(connected(port)) as one_more:
        assert all_of(one_more).startswith(b"HTTP/1.1 503 ")
    assert cut == {"full": 1}
    for connection in held:
        connection.sendall(b"x" * 9)
        assert b"200 OK" in connection.recv(1000)
    held.pop().close()
    time.sleep(0.2)
    with closing(connected(port)) as again:
        again.sendall(GET)
        assert b"200 OK" in again.recv(1000)
    for connection in held:
        connection.close()


def test_one_at_rest_makes_room_for_another(port: int, cut: Counter[str]) -> None:
    held = [connected(port) for _ in range(20)]
    for connection in held:
        connection.sendall(GET)
        assert b"200 OK" in connection.recv(1000)
        time.sleep(0.01)  # so that none rests as long as another
    held[0].sendall(GET)  # so that it is not the one longest at rest
    assert b"200 OK" in held[0].recv(1000)
    held[1].sendall(GET[:10])  # nor is this one at rest
    time.sleep(0.2)
    with closing(connected(port)) as one_more:
        one_more.sendall(GET)
        assert b"200 OK" in one_more.recv(1000)
        held[1].sendall(GET[10:])
        assert b"200 OK" in held[1].recv(1000)
        begun = time.monotonic()
        assert all_of(held[2]) == b""
        assert time.monotonic() - begun < 2
        for connection in (held[0], *held[3:]):
            connection.sendall(GET)
            assert b"200 OK" in connection.recv(1000)
    for connection in held:
        connection.close()
    assert not cut


LOOKUP = b"GET /v1/owner?lat=1&lon=2 HTTP/1.1\r\nHost: x\r\n\r\n"


@pytest.fixture
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Lookups are answered where their head has been read."""
    who = Principal("x", frozenset(), None)
    found = Reply(who, 200, b'"1"', b"r", b'"here"')
    replies: Any = SimpleNamespace(answer=lambda *_: found)
    monkeypatch.setattr(AtOnce, "replies", replies)


def test_who_rests_between_lookups_is_left_alone(port: int, cut: Counter[str], at_once: None) -> None:
    with closing(connected(port)) as connection:
        for _ in range(2):
            connection.sendall(LOOKUP)
            assert b"here" in connection.recv(1000)
            time.sleep(1.5)
    assert not cut


def test_many_lookups_are_not_one_long_head(port: int, cut: Counter[str], at_once: None) -> None:
    with closing(connected(port)) as connection:
        for _ in range(1500):
            connection.sendall(LOOKUP)
            assert b"here" in connection.recv(1000)
    assert not cut


def test_who_asks_and_takes_no_answers_is_made_to_wait(
    port: int, cut: Counter[str], at_once: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Else what was told to them would pile up without end."""
    held: list[int] = []
    write = Outgoing.write

    def noted(self: Outgoing, data: bytes) -> None:
        write(self, data)
        held.append(self.get_write_buffer_size())

    monkeypatch.setattr(Outgoing, "write", noted)
    with closing(connected(port)) as connection:
        with pytest.raises(OSError):
            for _ in range(2000):
                connection.sendall(LOOKUP * 1000)
        assert max(held) < 10_000_000
    assert cut == {"reader": 1}


def test_a_head_by_the_byte_after_a_lookup(port: int, cut: Counter[str], at_once: None) -> None:
    with closing(connected(port)) as connection:
        connection.sendall(LOOKUP)
        assert b"here" in connection.recv(1000)
        time.sleep(0.5)
        with pytest.raises(OSError):
            for byte in GET * 3:
                connection.sendall(bytes([byte]))
                time.sleep(0.1)
    assert cut == {"head": 1}
