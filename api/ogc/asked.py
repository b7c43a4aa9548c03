"""What a request asks for: form, language, and the parameters of items, each checked."""

from __future__ import annotations

import re
from collections.abc import Collection as Names
from datetime import UTC, datetime, timedelta
from typing import Literal

import numpy as np
import orjson
import shapely
from starlette.exceptions import HTTPException
from starlette.requests import Request

from api.ogc.systems import CRS84, System, system
from gridsvc.crs import to_wgs84
from gridsvc.errors import InvalidInput
from gridsvc.exchange.filters.parse import Node, parse
from gridsvc.services.feature_search import Window
from gridsvc.services.features import Pinned

__all__ = [
    "LIMIT",
    "MOST",
    "Form",
    "condition",
    "cursor_text",
    "form",
    "language",
    "limit",
    "only",
    "pinned",
    "when",
    "windows",
]

Form = Literal["json", "html"]
LIMIT, MOST = 1000, 10_000
_MEDIA: dict[str, Form] = {
    "application/json": "json",
    "application/geo+json": "json",
    "application/schema+json": "json",
    "application/vnd.oai.openapi+json": "json",
    "application/*": "json",
    "*/*": "json",
    "text/html": "html",
    "text/*": "html",
}


def form(request: Request, more: Names[str] = ()) -> str:
    """The form an answer should have: by ``f``, else by the Accept header, else JSON.

    Parameters
    ----------
    more : collection of str
        Further values of ``f`` which the resource knows.

    Raises
    ------
    InvalidInput
        A form there is not.
    """
    said = request.query_params.get("f")
    if said is not None:
        if said not in {"json", "html", *more}:
            raise InvalidInput(
                f"there is no form {said[:40]!r}", field="f", cure=f"use {', '.join(['json', 'html', *more])}"
            )
        return said
    accept = request.headers.get("accept", "*/*")
    ranked = sorted(_ranges(accept), key=lambda pair: -pair[1])
    found = next((_MEDIA[media] for media, weight in ranked if media in _MEDIA and weight > 0), None)
    if found is None:
        raise HTTPException(406, "only JSON and HTML are to be had here")
    return found


def _ranges(accept: str) -> list[tuple[str, float]]:
    found = []
    for entry in accept.split(","):
        media, *options = (part.strip() for part in entry.split(";"))
        weight = next((option[2:] for option in options if option.startswith("q=")), "1")
        found.append((media.lower(), float(weight) if re.fullmatch(r"[01](\.\d{1,3})?", weight) else 0.0))
    return found


def language(request: Request) -> str:
    """``zh`` or ``en``, for pages."""
    said = request.query_params.get("lang") or request.headers.get("accept-language", "en")
    return "zh" if said.strip().lower().startswith("zh") else "en"


def only(request: Request, *known: str) -> None:
    """Make sure that nothing is asked which would be ignored, and nothing twice.

    Raises
    ------
    InvalidInput
        Names the parameter.
    """
    allowed = {"f", "lang", *known}
    for name in request.query_params:
        if name not in allowed:
            raise InvalidInput(
                f"there is no parameter {name[:40]!r}",
                field=name[:40],
                cure=f"leave it out; there are {', '.join(sorted(allowed))[:400]}",
            )
        if len(request.query_params.getlist(name)) > 1:
            raise InvalidInput("comes more than once", field=name, cure="give it once")


def limit(text: str | None) -> int:
    """How many features a page may hold; more than `MOST` means `MOST`."""
    if text is None:
        return LIMIT
    if not re.fullmatch(r"[0-9]{1,18}", text) or int(text) < 1:
        raise InvalidInput(f"{text[:40]!r} is no number of features", field="limit", cure=f"use 1 to {MOST}")
    return min(int(text), MOST)


# --- where


def windows(text: str | None, crs: str | None, offered: list[str]) -> tuple[Window, ...]:
    """The places a bounding box of 4 or 6 numbers stands for; two where it crosses the antimeridian."""
    found = CRS84 if crs is None else system(crs, "bbox-crs", offered)
    if text is None:
        return ()
    numbers = _numbers(text)
    west, south, east, north = numbers if len(numbers) == 4 else (*numbers[:2], *numbers[3:5])
    if found.north_first:
        west, south, east, north = south, west, north, east
    if south > north:
        raise _no_box("its second corner lies south of the first")
    if found.name != "wgs84":
        return _turned(west, south, east, north, found)
    if not (-180 <= west <= 180 and -180 <= east <= 180 and south >= -90 and north <= 90):
        raise _no_box(
            "degrees are -180 to 180 and -90 to 90",
            "over the 180th meridian write a west which is larger than east, such as 179,-18,-179,-16",
        )
    if west <= east:
        return (Window((west, south, east, north)),)
    return Window((west, south, 180.0, north)), Window((-180.0, south, east, north))


def _numbers(text: str) -> list[float]:
    parts = text.split(",")
    if len(parts) not in {4, 6} or not all(
        re.fullmatch(r"\s*-?\d{1,20}(\.\d{0,30})?([eE][+-]?\d{1,2})?\s*", p) for p in parts
    ):
        raise _no_box("4 or 6 decimal numbers are wanted")
    return [float(part) for part in parts]


def _no_box(
    why: str, cure: str = "write west,south,east,north, such as 113.8,22.4,114.6,22.8"
) -> InvalidInput:
    return InvalidInput(why, field="bbox", cure=cure)


def _turned(west: float, south: float, east: float, north: float, found: System) -> tuple[Window, ...]:
    """A box of another system, whose sides are no straight lines in WGS-84."""
    if west > east:
        raise _no_box("its second corner lies west of the first")
    x, y = np.linspace(west, east, 33), np.linspace(south, north, 33)
    ring = np.concatenate(
        [
            np.column_stack([x, np.full(33, south)]),
            np.column_stack([np.full(33, east), y]),
            np.column_stack([x[::-1], np.full(33, north)]),
            np.column_stack([np.full(33, west), y[::-1]]),
        ]
    )
    lon, lat = to_wgs84(ring[:, 0], ring[:, 1], found.name)
    if not np.isfinite(lon).all():
        raise _no_box("it lies outside of where its coordinate system is good for")
    shape = shapely.make_valid(shapely.Polygon(np.column_stack([lon, lat])))
    box = shapely.bounds(shape).tolist()
    return (Window((box[0], box[1], box[2], box[3]), shape),)


# --- when


def when(text: str | None) -> datetime | None:
    """An instant, or an interval open or closed on either side; of an interval its last moment counts."""
    if text is None:
        return None
    first, slash, last = text.partition("/")
    if not slash:
        return _instant(first, end=True)
    now = datetime.now(UTC)
    start = None if first in {"", ".."} else _instant(first)
    end = None if last in {"", ".."} else _instant(last, end=True)
    if start is None and end is None:
        return None
    if start is not None and end is not None and start > end:
        raise _no_time("the interval ends before it begins")
    return end or max(now, start or now)


def _instant(text: str, *, end: bool = False) -> datetime:
    try:
        found = datetime.fromisoformat(text)
        if re.fullmatch(r"\d{4}-\d\d-\d\d", text):
            found = found.replace(tzinfo=UTC)
            return found + timedelta(days=1, microseconds=-1) if end else found
        if found.tzinfo is None:
            raise _no_time("a time needs its offset")
        return found.astimezone(UTC)
    except (OverflowError, ValueError) as error:
        if isinstance(error, InvalidInput):
            raise
        raise _no_time(f"{text[:40]!r} is no time") from None


def _no_time(why: str) -> InvalidInput:
    cure = "write 2026-12-01T00:00:00Z, or an interval such as 2026-01-01T00:00:00Z/.."
    return InvalidInput(why, field="datetime", cure=cure)


# --- which, and from where on


def condition(text: str | None, lang: str | None, crs: str | None, offered: list[str]) -> Node:
    """A filter, its shapes turned to WGS-84; None if there is none."""
    found = CRS84 if crs is None else system(crs, "filter-crs", offered)
    if lang not in {None, "cql2-text", "cql2-json"}:
        raise InvalidInput(
            "not a language of filters", field="filter-lang", cure="use cql2-text or cql2-json"
        )
    if text is None:
        return None
    tree = parse(text, "cql2-json" if lang == "cql2-json" else "cql2-text")
    return tree if found is CRS84 else _replaced(tree, found)


def _replaced(node: Node, found: System) -> Node:
    if isinstance(node, list):
        return [_replaced(inner, found) for inner in node]
    if not isinstance(node, dict):
        return node
    if "bbox" in node:
        corners = ",".join(map(str, node["bbox"]))
        window = windows(corners, found.uri, [found.uri])[0]
        return orjson.loads(shapely.to_geojson(window.shape or shapely.box(*window.box)))
    if "coordinates" in node:
        try:
            shape = shapely.from_geojson(orjson.dumps(node))
        except (shapely.GEOSException, TypeError, ValueError):
            return node  # judged, and refused, with the others
        return orjson.loads(shapely.to_geojson(shapely.transform(shape, lambda xy: _lon_lat(xy, found))))
    return {name: _replaced(inner, found) for name, inner in node.items()}


def _lon_lat(xy: np.ndarray[tuple[int, int], np.dtype[np.float64]], found: System):  # type: ignore[no-untyped-def]
    east, north = (xy[:, 1], xy[:, 0]) if found.north_first else (xy[:, 0], xy[:, 1])
    return np.column_stack(to_wgs84(east, north, found.name))


_CURSOR = re.compile(r"(\d{1,9})-(\d{1,9})-(\d{1,17})-(\d{1,9})")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def cursor_text(pin: Pinned, after: int) -> str:
    """Where the next page begins, and of which state it is."""
    return f"{pin.n}-{pin.r}-{(pin.at - _EPOCH) // timedelta(microseconds=1)}-{after}"


def pinned(text: str | None) -> tuple[Pinned, int] | None:
    """What a cursor says: the state, and the row behind which to go on."""
    if text is None:
        return None
    match = _CURSOR.fullmatch(text)
    try:
        if match is None:
            raise OverflowError
        n, r, at, after = map(int, match.groups())
        return Pinned(n, r, _EPOCH + timedelta(microseconds=at)), after
    except OverflowError:
        raise InvalidInput(
            "not a cursor", field="cursor", cure="take the links rel=next as they are"
        ) from None
