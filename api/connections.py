"""Connections: how many there may be, and an end to those who dawdle.

A client which sends a head or a body by the byte, or does not take its answer, costs a connection, and with
some routes a thread, for as long as it likes. So once a second each connection is looked at; what happens on
the way of a request is no more than counting its bytes.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from typing import Any, ClassVar, Literal, cast

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from api.outgoing import Burst, Outgoing

__all__ = [
    "BODY_BYTES",
    "BODY_SECONDS",
    "HEAD_BYTES",
    "HEAD_SECONDS",
    "READER_SECONDS",
    "Careful",
    "Cut",
    "Guard",
]

Cut = Literal["full", "head", "body", "reader"]
"""Why a connection was broken off."""

HEAD_SECONDS = 10.0
"""In which a head must have come."""

HEAD_BYTES = 65_536

BODY_SECONDS, BODY_BYTES = 10.0, 10_000
"""So many bytes of a body must come in so many seconds."""

READER_SECONDS = 30.0
"""In which some of an answer must have been taken."""

_LOOK = 1.0

_ANSWERS: dict[Cut, bytes] = {"full": b"503 Service Unavailable", "head": b"408 Request Timeout"}
_TOO_LONG = b"431 Request Header Fields Too Large"

_log = logging.getLogger("gridsvc.connections")


class Guard:
    """Looks after the connections of a process.

    Parameters
    ----------
    most : int
        Connections there may be.
    counted : callable
        Told of each which is broken off, and why.
    """

    def __init__(self, most: int, counted: Callable[[Cut], None]) -> None:
        self.most, self._counted = most, counted
        self._open: set[Careful] = set()

    def add(self, connection: Careful) -> None:
        """Look after a connection from now on; one too many takes the place of one at rest, or is refused."""
        if not self._open:
            connection.loop.call_later(_LOOK, self._look)
        self._open.add(connection)
        if len(self._open) > self.most and not self._made_room():
            self.cut(connection, "full", _ANSWERS["full"])

    def _made_room(self) -> bool:
        """Close the connection which has been at rest for longest, if any is."""
        resting = [(until, c) for c in self._open if (until := c.rests_until()) is not None]
        if not resting:
            return False
        _, longest = min(resting, key=lambda pair: pair[0])
        longest.transport.close()
        self._open.discard(longest)
        return True

    def discard(self, connection: Careful) -> None:
        """Forget a connection which has ended."""
        self._open.discard(connection)

    def cut(self, connection: Careful, why: Cut, answer: bytes | None = None) -> None:
        """Break a connection off, with an answer where the client may still read one."""
        self._counted(why)
        if answer is None:
            connection.transport.abort()
            return
        connection.transport.write(
            b"HTTP/1.1 %s\r\nconnection: close\r\ncontent-length: 0\r\nretry-after: 5\r\n\r\n" % answer
        )
        connection.transport.close()

    def _look(self) -> None:
        for connection in list(self._open):
            why = None if connection.transport.is_closing() else connection.late()
            if why is not None:
                self.cut(connection, why, _ANSWERS.get(why))
        if self._open:
            next(iter(self._open)).loop.call_later(_LOOK, self._look)


class Careful(HttpToolsProtocol):
    """A connection which can say whether it dawdles.

    Attributes
    ----------
    guard : Guard
        Of this process; set before the first connection.
    """

    guard: ClassVar[Guard] = Guard(2**31, lambda _: None)
    _burst: ClassVar[Burst] = Burst()

    _fed = _head = _taken = 0
    _began = False
    _doing: tuple[Any, ...] = ()
    _since, _fed_before = 0.0, 0

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Begin."""
        outgoing = Outgoing(transport, self._burst, self.loop)
        super().connection_made(cast("asyncio.Transport", outgoing))
        self.guard.add(self)

    def connection_lost(self, exc: Exception | None) -> None:
        """End."""
        self.guard.discard(self)
        super().connection_lost(exc)

    def on_message_begin(self) -> None:
        """Begin another request."""
        self._began = True
        super().on_message_begin()

    def data_received(self, data: bytes) -> None:
        """Take what came."""
        self._began = False
        super().data_received(data)
        self._fed += len(data)
        # Whole requests may have come before the head which has not ended: it counts from the next piece on.
        self._head = self._head + len(data) if self._in_head() and not self._began else 0
        if self._head > HEAD_BYTES and not self.transport.is_closing():
            self.guard.cut(self, "head", _TOO_LONG)

    def resume_writing(self) -> None:
        """Go on with an answer of which some was taken."""
        self._taken += 1
        super().resume_writing()

    def rests_until(self) -> float | None:
        """When the connection will be closed if no other request comes; None while one is on its way."""
        waiting = self.timeout_keep_alive_task
        return None if waiting is None or self._in_head() or self.flow.write_paused else waiting.when()

    def late(self) -> Cut | None:
        """Whether the client dawdles at what it is doing now."""
        doing, now = self._what(), self.loop.time()
        if doing != self._doing:
            self._doing, self._since, self._fed_before = doing, now, self._fed
            return None
        spent = now - self._since
        match doing:
            case ("reader", *_) if spent > READER_SECONDS:
                return "reader"
            case ("head", *_) if spent > HEAD_SECONDS:
                return "head"
            case ("body", *_) if spent > BODY_SECONDS:
                if self._fed - self._fed_before < BODY_BYTES:
                    return "body"
                self._doing = ()
        return None

    def _what(self) -> tuple[Any, ...]:
        if self.flow.write_paused:
            return "reader", self._taken
        if self._in_head() or self.scope is None:
            return "head", id(self.scope)
        held = self.flow.read_paused or self.cycle.waiting_for_100_continue
        return ("body", id(self.cycle)) if self.cycle.more_body and not held else ()

    def _in_head(self) -> bool:
        """Whether a request has begun whose head has not ended."""
        scope, cycle = self.scope, self.cycle
        return scope is not None and (cycle is None or cycle.scope is not scope)
