"""The hot path: lookups answered before any framework is asked.

It answers what it understands completely, from the mapped files and with the bytes which the routes in
`api.routes.owner` would give. All else, and whatever is wrong with a request, goes on to them.
"""

from __future__ import annotations

from time import perf_counter
from typing import cast

from starlette.types import ASGIApp, Receive, Scope, Send

from api.access import ACCESS
from api.counting import HOT, Front
from api.door import Door
from api.numbers import degrees
from api.observe import log_request
from api.request_id import request_id
from gridsvc.crs import point_to_wgs84
from gridsvc.guessing import Guesses
from gridsvc.ownership.answer import Lang
from gridsvc.ownership.live import Line, Live
from gridsvc.principal import Principal

__all__ = ["CACHE_CONTROL", "Lookup"]

CACHE_CONTROL = "private, no-cache"
"""Answers may be kept, and are asked about again by their tag each time."""

_SCOPE = ACCESS["GET /v1/owner"]
_POINT = "/v1/owner"
_CELL = "/v1/owner/cells/"
_CUSTOMER = "/v1/owner/customers/"
_SYSTEMS = {b"wgs84": "wgs84", b"gcj02": "gcj02", b"bd09": "bd09"}

_HEADERS = (
    (b"content-type", b"application/json"),
    (b"cache-control", CACHE_CONTROL.encode()),
    (b"vary", b"Accept-Language"),
    (b"x-content-type-options", b"nosniff"),
)


class Lookup:
    """Answers lookups of those whom `door` knows; `app` has all other requests.

    Parameters
    ----------
    front : Front or None
        Counts what is answered.
    logged : bool
        Whether that is logged, too.
    guesses : Guesses or None
        Says who has asked for too many unknown customers.
    """

    def __init__(
        self,
        app: ASGIApp,
        live: Live,
        door: Door,
        front: Front | None = None,
        *,
        logged: bool = False,
        guesses: Guesses | None = None,
    ) -> None:
        self._app, self._live, self._door = app, live, door
        self._front, self._logged, self._guesses = front, logged, guesses

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve a request."""
        if scope["type"] == "http" and scope["method"] == "GET" and scope["path"].startswith(_POINT):
            began = perf_counter()
            found = self._answer(scope)
            if found is not None:
                status, headers, body = found
                await send({"type": "http.response.start", "status": status, "headers": headers})
                await send({"type": "http.response.body", "body": body})
                self._note(scope["path"], status, headers[-1][1], perf_counter() - began)
                return
        await self._app(scope, receive, send)

    def _note(self, path: str, status: int, request: bytes, seconds: float) -> None:
        number = 0 if path == _POINT else 1 if path.startswith(_CELL) else 2
        if self._front is not None:
            self._front.hot(number, 1 if status == 304 else 0, seconds)
        if self._logged:
            log_request("GET", HOT[number], status, seconds, "-", request.decode("latin-1"))

    def _answer(self, scope: Scope) -> tuple[int, list[tuple[bytes, bytes]], bytes] | None:
        language, tag, shown, host, given = _told(scope["headers"])
        who, state = self._door.quick(shown, host), self._live.state()
        if who is None or state is None or not self._may(who, scope["path"]):
            return None
        asked = _asked(scope["query_string"])
        if asked is None or not _is_number(asked.get(b"min_seq", b"0"), state.seq):
            return None
        line = state.line(_text(asked.get(b"territory")), asked.get(b"line", b"base").decode("latin-1"))
        lang = cast(Lang, language if b"lang" not in asked else _text(asked[b"lang"]))
        if line is None or lang not in {"en", "zh"}:
            return None
        body = _body(scope, asked, line, lang)
        if body is None:
            return None
        named, request = line.ready.tag, (b"x-request-id", request_id(given))
        if tag == named:
            return 304, [*_HEADERS[1:], (b"etag", named), request], b""
        return 200, [*_HEADERS, (b"etag", named), (b"content-length", b"%d" % len(body)), request], body

    def _may(self, who: Principal, path: str) -> bool:
        """Whether that is all there is to say about who asks."""
        if _SCOPE not in who.scopes or who.branches is not None:
            return False
        return self._guesses is None or not path.startswith(_CUSTOMER) or not self._guesses.is_over(who)


def _asked(query: bytes) -> dict[bytes, bytes] | None:
    """The parameters; None where one stands twice or anything is escaped."""
    if b"%" in query or b"+" in query:
        return None
    pairs = [part.partition(b"=") for part in query.split(b"&")] if query else []
    named = {name: value for name, _, value in pairs}
    return named if len(named) == len(pairs) else None


_PLAIN = frozenset((b"territory", b"line", b"lang", b"min_seq"))
_PLACED = _PLAIN | {b"lat", b"lon", b"crs"}


def _body(scope: Scope, asked: dict[bytes, bytes], line: Line, lang: Lang) -> bytes | None:
    path: str = scope["path"]
    if path == _POINT:
        return _of_point(asked, line, lang) if asked.keys() <= _PLACED else None
    if not asked.keys() <= _PLAIN:
        return None
    if path.startswith(_CUSTOMER):
        return line.ready.customer(path[len(_CUSTOMER) :], lang)
    if path.startswith(_CELL):
        return line.ready.cell(path[len(_CELL) :], lang)
    return None


def _of_point(asked: dict[bytes, bytes], line: Line, lang: Lang) -> bytes | None:
    lat, lon = degrees(asked.get(b"lat", b"")), degrees(asked.get(b"lon", b""))
    crs = _SYSTEMS.get(asked.get(b"crs", b"wgs84"))
    if lat is None or lon is None or crs is None:
        return None
    if crs != "wgs84":
        if not (abs(lat) <= 90.0 and abs(lon) <= 180.0):
            return None
        lon, lat = point_to_wgs84(lon, lat, crs)
    if not (abs(lat) <= 90.0 and abs(lon) <= 180.0):
        return None
    return line.ready.point(lon, lat, lang, crs)


def _told(headers: list[tuple[bytes, bytes]]) -> tuple[str, bytes | None, bytes, bytes, bytes | None]:
    """The language to answer in, the tag of what the caller has, what they show, whom they ask, and its id.

    The first of each header counts.
    """
    language, tag, shown, host, request = "en", None, b"", b"", None
    for name, value in reversed(headers):
        if name == b"accept-language":
            language = "zh" if value.decode("latin-1").strip().lower().startswith("zh") else "en"
        elif name == b"if-none-match":
            tag = value
        elif name == b"x-request-id":
            request = value
        elif name == b"authorization":
            shown = value
        elif name == b"host":
            host = value
    return language, tag, shown, host, request


def _is_number(text: bytes, at_most: int) -> bool:
    """Whether it is a plain number not above a limit."""
    return text.isdigit() and len(text) < 19 and int(text) <= at_most


def _text(value: bytes | None) -> str | None:
    return None if value is None else value.decode("latin-1")
