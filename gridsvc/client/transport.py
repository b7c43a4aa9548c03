"""Requests which are safe to repeat, repeated while that may help.

All questions are: they change nothing. After a failure the next attempt waits twice as long as the one
before, at random between nothing and that, so that many clients do not come back together.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from http import HTTPStatus
from typing import Any, TypeVar

import httpx

from gridsvc.client.failures import Unavailable, broken, refusal
from gridsvc.errors import GridsvcError, InvalidInput, StaleRead

__all__ = ["LONGEST", "Transport"]

LONGEST = 30.0
"""Seconds which one pause may take; who is asked to wait longer is told so instead."""

_FIRST = 0.1
_NOT_WORTH_IT = (httpx.UnsupportedProtocol, httpx.LocalProtocolError, httpx.DecodingError)

T = TypeVar("T")


class Transport:
    """Sends requests, and sends them again.

    Parameters
    ----------
    http : httpx.Client
    retries : int
        Attempts after the first.
    sleep : callable, optional
        What waits, given seconds.
    """

    def __init__(self, http: httpx.Client, retries: int, sleep: Callable[[float], None] = time.sleep) -> None:
        self.http, self._retries, self._sleep = http, retries, sleep

    def send(self, method: str, path: str, **parts: Any) -> httpx.Response:
        """The answer as a whole: 2xx or 304.

        Raises
        ------
        GridsvcError
            What `gridsvc.client.failures.refusal` makes of any other.
        """

        def attempt() -> httpx.Response:
            with self.stream(method, path, **parts) as response:
                response.read()
                return response

        return self.repeat(attempt)

    def lines(self, path: str, **parts: Any) -> Iterator[bytes]:
        """Lines of a long answer as they arrive.

        Only the beginning is repeated: the second half of another state is no end of this one's first.

        Raises
        ------
        Unavailable
            It broke off on its way.
        """
        with ExitStack() as stack:

            def attempt() -> httpx.Response:
                return stack.enter_context(self.stream("GET", path, **parts))

            yield from _lines(self.repeat(attempt).iter_bytes())

    def repeat(self, attempt: Callable[[], T]) -> T:
        """Call until it gives something or another attempt would not help.

        Raises
        ------
        GridsvcError
            Of the last attempt.
        """
        done = 0
        while True:
            try:
                return attempt()
            except (Unavailable, StaleRead) as error:
                pause = _pause(error, done)
                if done >= self._retries or pause is None:
                    raise
            self._sleep(pause)
            done += 1

    @contextmanager
    def stream(
        self, method: str, path: str, headers: Mapping[str, str] | None = None, **parts: Any
    ) -> Iterator[httpx.Response]:
        """One attempt whose body is still to be read; what is wrong with it is raised as in `send`."""
        try:
            with self.http.stream(method, path, headers=headers, **parts) as response:
                if not (response.is_success or response.status_code == HTTPStatus.NOT_MODIFIED):
                    response.read()
                    raise _noted(refusal(response), response)
                yield response
        except _NOT_WORTH_IT as fault:
            raise InvalidInput("this cannot be asked over HTTP", cure="check the address") from fault
        except httpx.HTTPError as fault:
            raise broken(fault) from fault
        except httpx.InvalidURL as fault:
            raise InvalidInput("this is no address", cure="check the address") from fault


def _lines(pieces: Iterator[bytes]) -> Iterator[bytes]:
    """Lines as JSON has them: other than text has it, only a newline ends one."""
    rest = b""
    for piece in pieces:
        *whole, rest = (rest + piece).split(b"\n")
        yield from whole
    if rest:
        yield rest


def _noted(error: GridsvcError, response: httpx.Response) -> GridsvcError:
    """Keep with an error how long the service asked to wait."""
    seconds = _seconds(response.headers.get("retry-after"))
    if seconds is not None:
        error.details["retry_after"] = seconds
    return error


def _seconds(text: str | None) -> float | None:
    """What a Retry-After says: seconds, or a date."""
    if text is None:
        return None
    if text.strip().isdigit():
        return float(text)
    try:
        time_ = parsedate_to_datetime(text)
    except ValueError:
        return None
    aware = time_ if time_.tzinfo else time_.replace(tzinfo=UTC)
    return max((aware - datetime.now(UTC)).total_seconds(), 0.0)


def _pause(error: GridsvcError, done: int) -> float | None:
    """Seconds until the next attempt; None where the service asked for more than anybody waits."""
    asked: float = error.details.get("retry_after", 0.0)
    if asked > LONGEST:
        return None
    most = min(_FIRST * 2.0**done, LONGEST)
    return min(asked + random.uniform(0.0, most), LONGEST)  # noqa: S311 - spreads clients, hides nothing
