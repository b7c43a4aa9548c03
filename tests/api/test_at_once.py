"""Lookups answered before there is a task for them: the same bytes as the usual way, and nothing unusual."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import closing
from types import SimpleNamespace
from typing import Any

import pytest

from api.at_once import AtOnce, Replies
from api.lookup import Lookup, Reply
from gridsvc.principal import Principal
from tests.api.small_state import TILING, small_state
from tests.journey.threaded import in_thread

POINT = b"/v1/owner?lat=28.65&lon=112.95"
USUAL = b'{"usual":true}'


async def rest(scope: Any, receive: Any, send: Any) -> None:
    """Stands for the application, and reads whatever body there is."""
    assert scope["type"] == "http"
    while (await receive()).get("more_body"):
        pass
    sized = (b"content-length", b"%d" % len(USUAL))
    await send({"type": "http.response.start", "status": 200, "headers": [sized]})
    await send({"type": "http.response.body", "body": USUAL})


def lookup() -> Lookup:
    state = small_state()
    who = Principal("x", frozenset({"owner:read"}), None)
    door: Any = SimpleNamespace(quick=lambda shown, _host: who if shown == b"Bearer good" else None)

    async def caller(_: Any) -> Principal:
        return who

    door.caller = caller
    live: Any = SimpleNamespace(state=lambda: state)
    return Lookup(rest, live, door)


class Counted(Replies):
    """Replies which say how often they have answered."""

    answers = 0
    waits = 0.0

    def __init__(self) -> None:
        super().__init__(lookup(), lambda _: self.waits)

    def answer(self, *asked: Any) -> Reply | None:
        found = super().answer(*asked)
        self.answers += found is not None
        return found


@pytest.fixture(scope="module")
def port() -> Iterator[int]:
    with in_thread(lookup()) as number:
        yield number


@pytest.fixture
def replies(monkeypatch: pytest.MonkeyPatch) -> Counted:
    found = Counted()
    monkeypatch.setattr(AtOnce, "replies", found)
    return found


def request(target: bytes, *more: bytes, method: bytes = b"GET", version: bytes = b"1.1") -> bytes:
    lines = [b"Host: x", b"Authorization: Bearer good", b"X-Request-Id: r-1", *more]
    return b"%b %b HTTP/%b\r\n%b\r\n\r\n" % (method, target, version, b"\r\n".join(lines))


def exchange(port: int, *sent: bytes, last: bytes = request(b"/end", b"Connection: close")) -> bytes:
    """All that comes back, up to the answer to a last request which has the connection closed."""
    with closing(socket.create_connection(("127.0.0.1", port), timeout=10)) as connection:
        parts = []
        for part in (*sent, last):
            connection.sendall(part)
            if b"Upgrade" in part:  # what came in one piece with it would not be read any more
                parts.append(connection.recv(65_536))
        while part := connection.recv(65_536):
            parts.append(part)
    return b"".join(parts)


def told(answers: bytes) -> list[bytes]:
    """Lines of the heads and the bodies, in their order but for headers, and without the time."""
    heads = answers.replace(b"HTTP/1.1", b"\0HTTP/1.1").split(b"\0")[1:]
    return [
        b"\n".join(sorted(line for line in head.split(b"\r\n") if not line.startswith(b"date:")))
        for head in heads
    ]


CELL = b"/v1/owner/cells/" + TILING.names()[0].encode()
PLAIN = [
    [request(POINT)],
    [request(POINT + b"&lang=zh")],
    [request(POINT, b"Accept-Language: zh")],
    [request(CELL)],
    [request(POINT, b'If-None-Match: "1-0-1"')],
    [request(POINT), request(CELL), request(POINT)],
    [request(POINT) + request(CELL) + request(POINT)],
    [request(POINT)[:20], request(POINT)[20:]],
    [request(POINT, b"Origin: https://elsewhere.example")],
]
ODD = [
    [request(b"/v1/owner?lat=95&lon=2")],
    [request(b"/v1/owner?lat=28.65&lon=112.95&x=1")],
    [request(b"/v1/owner?lat=28%2E65&lon=112.95")],
    [request(POINT + b"#here")],
    [request(b"/v1/owner/cells/nothing")],
    [request(POINT, b"Content-Length: 3") + b"abc"],
    [request(POINT, b"Transfer-Encoding: chunked") + b"3\r\nabc\r\n0\r\n\r\n"],
    [request(POINT, method=b"HEAD")],
    [request(POINT, method=b"POST")],
    [request(POINT, b"Connection: Upgrade", b"Upgrade: h2c")],
    [request(POINT).replace(b"good", b"bad")],
]


@pytest.mark.parametrize("sent", PLAIN + ODD)
def test_the_answers_are_those_of_the_usual_way(port: int, sent: list[bytes], replies: Counted) -> None:
    at_once = exchange(port, *sent)
    answered = replies.answers
    AtOnce.replies = None  # put back by the fixture
    assert told(at_once) == told(exchange(port, *sent))
    assert answered == (0 if sent in ODD else b"".join(sent).count(b"GET /"))


def test_a_lookup_behind_one_which_takes_long_waits_for_it(port: int, replies: Counted) -> None:
    answers = exchange(port, request(b"/other") + request(POINT))
    assert answers.index(USUAL) < answers.index(b'"code":"a"')


@pytest.mark.parametrize("sent", [request(POINT, version=b"1.0"), request(POINT, b"Connection: close")])
def test_a_connection_which_shall_end_ends(port: int, replies: Counted, sent: bytes) -> None:
    answers = exchange(port, sent, last=b"")
    assert answers.count(b"HTTP/1.1 200 OK") == 1 and b'"code":"a"' in answers
    assert replies.answers == 0


def test_who_is_over_the_rate_takes_the_usual_way(port: int, replies: Counted) -> None:
    replies.waits = 1.0
    assert b'"code":"a"' in exchange(port, request(POINT))
    assert replies.answers == 0


def test_a_fault_is_left_to_the_usual_way(
    port: int, replies: Counted, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(_: Any) -> Reply | None:
        raise ZeroDivisionError

    monkeypatch.setattr(replies._lookup, "find", fails)
    assert b'"code":"a"' in exchange(port, request(POINT))
    assert replies.answers == 0
