"""A caller over its rate is refused, told when to come again, and costs others nothing."""

from __future__ import annotations

import json
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from api import throttle
from api.problems import problem_of
from api.throttle import BURST_SECONDS, Buckets, Throttle, address_of
from gridsvc.errors import TooManyRequests
from tests.api.asgi import ask


class Clock:
    now = 1000.0

    def __call__(self) -> float:
        return self.now


@given(rate=st.integers(1, 1000), waits=st.lists(st.floats(0, 3), min_size=1, max_size=300))
def test_never_more_than_the_rate_and_a_burst(rate: int, waits: list[float]) -> None:
    clock = Clock()
    buckets, taken = Buckets(rate, clock), 0
    for wait in waits:
        clock.now += wait / rate
        taken += buckets.take("anna") == 0
    assert taken <= rate * (clock.now - 1000.0) + max(1, BURST_SECONDS * rate) + 1e-3


@given(rate=st.integers(1, 1000))
def test_who_waits_as_long_as_told_is_served(rate: int) -> None:
    clock = Clock()
    buckets = Buckets(rate, clock)
    while not (wait := buckets.take("anna")):
        pass
    clock.now += wait + 1e-6
    assert buckets.take("anna") == 0
    assert buckets.take("anna") > 0


def test_callers_do_not_share(monkeypatch: Any) -> None:
    buckets = Buckets(1, Clock())
    assert [bool(buckets.take("anna")) for _ in range(4)] == [False, False, True, True]
    assert not buckets.take("bert")


def test_memory_is_bounded_and_newcomers_share_what_is_left(monkeypatch: Any) -> None:
    monkeypatch.setattr(throttle, "_MOST", 3)
    clock = Clock()
    buckets = Buckets(1, clock)
    assert not any(buckets.take(name) for name in ("a", "b", "c"))
    assert [bool(buckets.take(f"new {number}")) for number in range(4)] == [False, False, True, True]
    clock.now += 60
    assert not buckets.take("a") and not buckets.take("another")
    assert len(buckets._full) <= 4


def test_addresses() -> None:
    assert address_of({"client": ("10.0.0.7", 1)}) == "10.0.0.7"
    assert address_of({"client": ("2001:db8:1:2:3:4:5:6", 1)}) == "2001:db8:1:2"
    assert address_of({}) == ""


async def served(scope: Any, receive: Any, send: Any) -> None:
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": b"served"})


def test_the_refusal_is_the_problem_which_routes_would_give() -> None:
    refused: list[None] = []
    app = Throttle(served, 1, lambda: refused.append(None))
    answers = [ask(app, "/v1/owner", [(b"x-request-id", b"r-1")]) for _ in range(3)]
    assert [answer.status for answer in answers] == [200, 200, 429]
    assert len(refused) == 1
    told = json.loads(answers[-1].body)
    due = problem_of(
        TooManyRequests(told["detail"], cure=told["cure"], retry_after=told["retry_after"]),
    )
    assert told.pop("request_id") == "r-1"
    assert told == json.loads(bytes(due.body))
    assert answers[-1].headers[b"retry-after"] == [due.headers["retry-after"].encode()]
    assert answers[-1].headers[b"content-type"] == [due.headers["content-type"].encode()]


def test_probes_are_always_answered() -> None:
    app = Throttle(served, 1, lambda: None)
    assert {ask(app, "/healthz").status for _ in range(10)} == {200}
