"""Lookups answered where their head has been read, before there is a task for them.

What `Lookup` understands completely is written to the connection at once; all other requests, and whatever is
unusual about one (a body, an upgrade, pipelining behind another), take the usual way through the server.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from time import perf_counter
from typing import Any, ClassVar

from uvicorn.protocols.http.httptools_impl import STATUS_LINE

from api.connections import Careful
from api.lookup import HEADERS, Lookup, Reply
from gridsvc.principal import Principal

__all__ = ["AtOnce", "Replies"]

_OK = STATUS_LINE[200] + b"".join(b"%b: %b\r\n" % header for header in HEADERS)
_SAME = STATUS_LINE[304] + b"".join(b"%b: %b\r\n" % header for header in HEADERS[1:])


class Replies:
    """Answers for the connections of a process.

    Parameters
    ----------
    take : callable or None
        Counts a request of an actor, and gives the seconds they must wait; None where there is no rate.
    """

    def __init__(self, lookup: Lookup, take: Callable[[str], float] | None) -> None:
        self._lookup, self._take = lookup, take

    def answer(self, path: bytes, query: bytes, headers: list[tuple[bytes, bytes]]) -> Reply | None:
        """The answer, counted and logged; None where the request must take the usual way."""
        began = perf_counter()
        told = path.decode("ascii")
        try:
            found = self._lookup.find({"path": told, "query_string": query, "headers": headers})
        except Exception:  # noqa: BLE001 - the usual way meets it again, and tells it as all faults are told
            return None
        if found is None or self._is_over(found.who):
            return None
        self._lookup.note(told, found, perf_counter() - began)
        return found

    def _is_over(self, who: Principal) -> bool:
        return self._take is not None and self._take(who.actor) > 0


class AtOnce(Careful):
    """A connection which answers lookups at once.

    Attributes
    ----------
    replies : Replies or None
        Of this process; set before the first connection.
    """

    replies: ClassVar[Replies | None] = None

    _answered = False

    def on_message_begin(self) -> None:
        """Begin another request."""
        self._answered = False
        super().on_message_begin()

    def on_headers_complete(self) -> None:
        """Answer at once, or let the server begin."""
        found = self._found()
        if found is None:
            super().on_headers_complete()
            return
        self._answered = True
        self.transport.write(_written(found, self.server_state.default_headers))
        self.on_response_complete()

    def on_body(self, body: bytes) -> None:
        """Take part of a body."""
        if not self._answered:
            super().on_body(body)

    def on_message_complete(self) -> None:
        """End a request."""
        if not self._answered:
            super().on_message_complete()

    def _found(self) -> Reply | None:
        url = self.url
        if self.replies is None or not url.startswith(b"/v1/owner") or b"%" in url or not url.isascii():
            return None
        if self.flow.write_paused or (self.cycle is not None and not self.cycle.response_complete):
            return None  # who does not take what was told must wait, and so must who asked before it was
        parser = self.parser
        usual = parser.get_method() == b"GET" and parser.get_http_version() == "1.1"
        if not usual or self.root_path or not parser.should_keep_alive() or parser.should_upgrade():
            return None
        path, _, query = url.partition(b"?")
        return self.replies.answer(path, query, self.headers)

    def _what(self) -> tuple[Any, ...]:
        return () if self._answered and not self.flow.write_paused else super()._what()

    def _in_head(self) -> bool:
        return not self._answered and super()._in_head()


def _written(found: Reply, more: Iterable[tuple[bytes, bytes]]) -> bytes:
    """The answer as it goes over the line, with the headers which all answers of the server have."""
    told = b"".join([b"%b: %b\r\n" % header for header in more])
    if found.status == 304:
        return b"%b%betag: %b\r\nx-request-id: %b\r\n\r\n" % (_SAME, told, found.tag, found.request)
    named = (_OK, told, found.tag, len(found.body), found.request, found.body)
    return b"%b%betag: %b\r\ncontent-length: %d\r\nx-request-id: %b\r\n\r\n%b" % named
