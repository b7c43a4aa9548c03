"""What is asked again, how often, and after how long."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gridsvc import errors
from gridsvc.client import Unavailable
from gridsvc.client.transport import LONGEST, Transport
from tests.client.scripted import Say, answer, problem

RETRIES = 4


class Service:
    """Fails in the given ways, then answers; with the pauses a caller made."""

    def __init__(self, *failures: httpx.Response | Exception) -> None:
        self._failures, self.asked = list(failures), 0
        self.pauses: list[float] = []
        http = httpx.Client(base_url="http://service", transport=httpx.MockTransport(self._say))
        self.transport = Transport(http, RETRIES, self.pauses.append)

    def _say(self, request: httpx.Request) -> httpx.Response:
        self.asked += 1
        if not self._failures:
            return answer()
        failure = self._failures.pop(0)
        if isinstance(failure, Exception):
            raise failure
        return httpx.Response(failure.status_code, headers=failure.headers, content=failure.content)

    def ask(self) -> httpx.Response:
        return self.transport.send("GET", "/v1/owner")


PASSING = {
    "no connection": httpx.ConnectError("refused"),
    "too late": httpx.ReadTimeout("timed out"),
    "broken off": httpx.RemoteProtocolError("disconnected"),
    "429": problem(429, "too-many-requests"),
    "502 of a proxy": httpx.Response(502, text="bad gateway"),
    "503": problem(503, "service-unavailable"),
    "504 of a proxy": httpx.Response(504),
    "stale read": problem(409, "stale-read"),
}
LASTING = {
    "422": problem(422, "invalid-input"),
    "404": problem(404, "outside-territory"),
    "another conflict": problem(409, "conflict"),
    "500": problem(500, "internal-error"),
    "no HTTP": httpx.UnsupportedProtocol("ftp"),
}


@pytest.mark.parametrize("failure", PASSING.values(), ids=PASSING)
def test_what_passes_is_asked_again(failure: httpx.Response | Exception) -> None:
    service = Service(failure, failure)
    assert service.ask().status_code == 200
    assert service.asked == 3 and len(service.pauses) == 2


@pytest.mark.parametrize("failure", LASTING.values(), ids=LASTING)
def test_what_lasts_is_told_at_once(failure: httpx.Response | Exception) -> None:
    service = Service(failure)
    with pytest.raises(errors.GridsvcError):
        service.ask()
    assert service.asked == 1 and not service.pauses


def test_the_last_failure_is_told_after_as_many_attempts_as_were_allowed() -> None:
    service = Service(*[httpx.ConnectError("refused")] * 9)
    with pytest.raises(Unavailable):
        service.ask()
    assert service.asked == RETRIES + 1 and len(service.pauses) == RETRIES


def test_pauses_grow_and_are_drawn_by_lot() -> None:
    drawn = []
    for _ in range(40):
        service = Service(*[httpx.ConnectError("refused")] * RETRIES)
        service.ask()
        drawn.append(service.pauses)
    for attempt, most in enumerate([0.1, 0.2, 0.4, 0.8]):
        each = [pauses[attempt] for pauses in drawn]
        assert 0.0 <= min(each) < most / 2 < max(each) <= most
        assert len(set(each)) > 20


def test_who_is_asked_to_wait_waits_as_long() -> None:
    service = Service(problem(503, "service-unavailable", retry_after=7))
    service.ask()
    assert 7.0 <= service.pauses[0] <= 7.1


def test_a_date_will_do_as_well() -> None:
    late = format_datetime(datetime.now(UTC) + timedelta(seconds=9), usegmt=True)
    service = Service(problem(429, "too-many-requests", retry_after=late))
    service.ask()
    assert 7.0 <= service.pauses[0] <= 9.1


def test_nobody_waits_for_ever() -> None:
    service = Service(problem(503, "service-unavailable", retry_after=int(LONGEST) + 1))
    with pytest.raises(Unavailable) as caught:
        service.ask()
    assert service.asked == 1 and caught.value.details["retry_after"] == LONGEST + 1


@given(text=st.text(st.characters(min_codepoint=32, max_codepoint=126)))
def test_whatever_a_proxy_says_about_waiting_no_pause_is_too_long(text: str) -> None:
    service = Service(problem(503, "service-unavailable", retry_after=text))
    try:
        service.ask()
    except Unavailable:
        assert not service.pauses
    else:
        assert 0.0 <= service.pauses[0] <= LONGEST


def test_an_answer_which_breaks_off_is_asked_again() -> None:
    def cut(_: httpx.Request) -> httpx.Response:
        def pieces():  # type: ignore[no-untyped-def]
            yield b'{"status":'
            raise httpx.ReadError("gone")

        return httpx.Response(200, content=pieces())

    acts: Iterator[Say] = iter([cut, lambda _: answer()])

    def say(request: httpx.Request) -> httpx.Response:
        return next(acts)(request)

    http = httpx.Client(base_url="http://service", transport=httpx.MockTransport(say))
    found = Transport(http, 1, lambda _: None).send("GET", "/v1/owner")
    assert found.json()["publication"] == 3
