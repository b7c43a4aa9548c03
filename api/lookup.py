"""The hot path: lookups answered before any framework is asked.

It answers what it understands completely, from the mapped files and with the bytes which the routes in
`api.routes.owner` would give. All else, and whatever is wrong with a request, goes on to them.
"""

from __future__ import annotations

from typing import cast

from starlette.types import ASGIApp, Receive, Scope, Send

from api.access import ACCESS
from api.door import Door
from api.numbers import degrees
from gridsvc.crs import point_to_wgs84
from gridsvc.ownership.answer import Lang
from gridsvc.ownership.live import Line, Live

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
    """Answers lookups of those whom `door` knows; `app` has all other requests."""

    def __init__(self, app: ASGIApp, live: Live, door: Door) -> None:
        self._app, self._live, self._door = app, live, door

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve a request."""
        if scope["type"] == "http" and scope["method"] == "GET" and scope["path"].startswith(_POINT):
            found = self._answer(scope)
            if found is not None:
                status, headers, body = found
                await send({"type": "http.response.start", "status": status, "headers": headers})
                await send({"type": "http.response.body", "body": body})
                return
        await self._app(scope, receive, send)

    def _answer(self, scope: Scope) -> tuple[int, list[tuple[bytes, bytes]], bytes] | None:
        language, tag, shown, host = _told(scope["headers"])
        who, state = self._door.quick(shown, host), self._live.state()
        if who is None or state is None or _SCOPE not in who.scopes or who.branches is not None:
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
        named = line.ready.tag
        if tag == named:
            return 304, [*_HEADERS[1:], (b"etag", named)], b""
        return 200, [*_HEADERS, (b"etag", named), (b"content-length", b"%d" % len(body))], body


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


def _told(headers: list[tuple[bytes, bytes]]) -> tuple[str, bytes | None, bytes, bytes]:
    """The language to answer in, the tag of what the caller has, what they show, and whom they ask.

    The first of each header counts.
    """
    language, tag, shown, host = "en", None, b"", b""
    for name, value in reversed(headers):
        if name == b"accept-language":
            language = "zh" if value.decode("latin-1").strip().lower().startswith("zh") else "en"
        elif name == b"if-none-match":
            tag = value
        elif name == b"authorization":
            shown = value
        elif name == b"host":
            host = value
    return language, tag, shown, host


def _is_number(text: bytes, at_most: int) -> bool:
    """Whether it is a plain number not above a limit."""
    return text.isdigit() and len(text) < 19 and int(text) <= at_most


def _text(value: bytes | None) -> str | None:
    return None if value is None else value.decode("latin-1")
