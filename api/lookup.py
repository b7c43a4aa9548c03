"""The hot path: lookups answered before any framework is asked.

It answers what it understands completely, from the mapped files and with the bytes which the routes in
`api.routes.owner` would give. All else, and whatever is wrong with a request, goes on to them.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable, Mapping
from time import perf_counter
from typing import Any, Literal, NamedTuple, cast

from starlette.types import ASGIApp, Receive, Scope, Send

from api.access import ACCESS
from api.counting import HOT, Front
from api.door import Door
from api.numbers import degrees
from api.observe import log_request
from api.request_id import request_id
from gridsvc.crs import point_to_wgs84
from gridsvc.errors import GridsvcError
from gridsvc.guessing import Guesses
from gridsvc.ownership.answer import Lang
from gridsvc.ownership.live import Line, Live, State
from gridsvc.principal import Principal

__all__ = ["CACHE_CONTROL", "HEADERS", "Lookup", "Reply"]

CACHE_CONTROL = "private, no-cache"
"""Answers may be kept, and are asked about again by their tag each time."""

_SCOPE = ACCESS["GET /v1/owner"]
_SOON = 0.01
"""Seconds between two looks."""

_POINT = "/v1/owner"
_CELL = "/v1/owner/cells/"
_CUSTOMER = "/v1/owner/customers/"
_SYSTEMS = {b"wgs84": "wgs84", b"gcj02": "gcj02", b"bd09": "bd09"}

HEADERS = (
    (b"content-type", b"application/json"),
    (b"cache-control", CACHE_CONTROL.encode()),
    (b"vary", b"Accept-Language"),
    (b"x-content-type-options", b"nosniff"),
)
"""Of every answer; the first only where there is a body."""

_BODY = frozenset((b"content-length", b"transfer-encoding"))


class Reply(NamedTuple):
    """What is told to whom; the status is 304 where they have it already."""

    who: Principal
    status: Literal[200, 304]
    tag: bytes
    request: bytes
    body: bytes

    def headers(self) -> list[tuple[bytes, bytes]]:
        """As an application gives them to a server."""
        named = [(b"etag", self.tag), (b"x-request-id", self.request)]
        if self.status == 304:
            return [*HEADERS[1:], *named]
        return [*HEADERS, (b"content-length", b"%d" % len(self.body)), *named]


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
    loaded : callable
        Whether `app` would answer at once; the files may be there before it is.
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
        loaded: Callable[[], bool] = lambda: True,
    ) -> None:
        self._app, self._live, self._door, self._loaded = app, live, door, loaded
        self._front, self._logged, self._guesses = front, logged, guesses

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve a request."""
        if scope["type"] == "http" and scope["method"] == "GET" and scope["path"].startswith(_POINT):
            began = perf_counter()
            found = self.find(scope) or await self._found_later(scope)
            if found is not None:
                start = {"type": "http.response.start", "status": found.status, "headers": found.headers()}
                await send(start)
                await send({"type": "http.response.body", "body": found.body})
                self.note(scope["path"], found, perf_counter() - began)
                return
        await self._app(scope, receive, send)

    async def _found_later(self, scope: Scope) -> Reply | None:
        """The answer once it is known who asks; where the service starts, as soon as the files are there."""
        try:
            who = await self._door.caller(scope)
        except GridsvcError:
            return None  # the routes say what is wrong
        found = self.find(scope)
        while found is None and not self._loaded() and _SCOPE in who.scopes:
            await asyncio.sleep(_SOON)
            found = self.find(scope)
        return found

    def note(self, path: str, found: Reply, seconds: float) -> None:
        """Count what was answered, and log it where all requests are logged."""
        number = 0 if path == _POINT else 1 if path.startswith(_CELL) else 2
        if self._front is not None:
            self._front.hot(number, 1 if found.status == 304 else 0, seconds)
        if self._logged:
            log_request("GET", HOT[number], found.status, seconds, "-", found.request.decode("latin-1"))

    def find(self, scope: Mapping[str, Any]) -> Reply | None:
        """The answer, by the path, the query and the headers; None where the routes must be asked."""
        told = _told(scope["headers"])
        if told is None:
            return None
        language, tag, shown, host, given = told
        who, state = self._door.quick(shown, host), self._live.state()
        if who is None or state is None or not self._may(who, scope["path"]):
            return None
        query = scope["query_string"]
        place = _PLACE.fullmatch(query)  # most ask for no more than that
        asked = _asked(query) if place is None else {}
        if asked is None or not (b"min_seq" not in asked or _is_number(asked[b"min_seq"], state.seq)):
            return None
        line = _line(state, who, asked)
        lang = _language(language, asked)
        if line is None or lang is None or (body := _body(scope["path"], asked, place, line, lang)) is None:
            return None
        named, request = line.ready.tag, request_id(given)
        if tag == named:
            return Reply(who, 304, named, request, b"")
        return Reply(who, 200, named, request, body)

    def _may(self, who: Principal, path: str) -> bool:
        """Whether that is all there is to say about who asks."""
        if _SCOPE not in who.scopes:
            return False
        return self._guesses is None or not path.startswith(_CUSTOMER) or not self._guesses.is_over(who)


def _line(state: State, who: Principal, asked: dict[bytes, bytes]) -> Line | None:
    """The line asked about; for callers with branches only where all of a named territory is theirs."""
    if not asked and who.branches is None:
        return state.line(None, "base")
    territory = _text(asked.get(b"territory"))
    if who.branches is not None and territory not in who.branches:
        return None
    return state.line(territory, asked.get(b"line", b"base").decode("latin-1"))


def _language(accepted: str, asked: dict[bytes, bytes]) -> Lang | None:
    found = _text(asked[b"lang"]) if b"lang" in asked else accepted
    return cast(Lang, found) if found in {"en", "zh"} else None


def _asked(query: bytes) -> dict[bytes, bytes] | None:
    """The parameters; None where one stands twice or anything is escaped."""
    if b"%" in query or b"+" in query:
        return None
    pairs = [part.partition(b"=") for part in query.split(b"&")] if query else []
    named = {name: value for name, _, value in pairs}
    return named if len(named) == len(pairs) else None


_PLACE = re.compile(rb"lat=(-?\d+\.?\d*)&lon=(-?\d+\.?\d*)")
_PLAIN = frozenset((b"territory", b"line", b"lang", b"min_seq"))
_PLACED = _PLAIN | {b"lat", b"lon", b"crs"}


def _body(
    path: str, asked: dict[bytes, bytes], place: re.Match[bytes] | None, line: Line, lang: Lang
) -> bytes | None:
    if path == _POINT:
        if place is not None:
            return _at(float(place[1]), float(place[2]), line, lang, "wgs84")
        return _of_point(asked, line, lang) if asked.keys() <= _PLACED else None
    if place is not None or not asked.keys() <= _PLAIN:
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
    return _at(lat, lon, line, lang, crs)


def _at(lat: float, lon: float, line: Line, lang: Lang, crs: str) -> bytes | None:
    if not (-90.0 <= lat <= 90.0 and -180.0 <= lon <= 180.0):
        return None
    return line.ready.point(lon, lat, lang, crs)


def _told(
    headers: list[tuple[bytes, bytes]],
) -> tuple[str, bytes | None, bytes, bytes, bytes | None] | None:
    """The language to answer in, the tag of what the caller has, what they show, whom they ask, and its id.

    The first of each header counts; None where there is a body, which nobody would read here.
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
        elif name in _BODY:
            return None
    return language, tag, shown, host, request


def _is_number(text: bytes, at_most: int) -> bool:
    """Whether it is a plain number not above a limit."""
    return text.isdigit() and len(text) < 19 and int(text) <= at_most


def _text(value: bytes | None) -> str | None:
    return None if value is None else value.decode("latin-1")
