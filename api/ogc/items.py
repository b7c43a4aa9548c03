"""Features: in pages, or one by its id."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote, urlencode

import numpy as np
import orjson
from fastapi import APIRouter, Request, Response
from fastapi.responses import StreamingResponse

from api.deps import Caller, Db, Small
from api.ogc import asked
from api.ogc.answers import Found, OgcRoute, Shelves, described, html, json, link, root
from api.ogc.core import columns_of, trail_of
from api.ogc.describe import GEOJSON, ITEMS
from api.ogc.pages import drawing, table, word
from api.ogc.systems import CRS84, System, system, systems_of
from gridsvc.errors import NotFound
from gridsvc.services import feature_search, features
from gridsvc.services.feature_search import Query, Rows
from gridsvc.services.feature_tables import IDS, Table
from gridsvc.services.features import Collection, Pinned, Version
from gridsvc.store.database import Database

__all__ = ["router"]

router = APIRouter(prefix="/ogc/collections/{collection}", tags=["ogc"], route_class=OgcRoute)

_KNOWN = [entry["name"] for entry in ITEMS]
_ON_PAGES = 100
_DRAWN = 2000
_COLOURED_BY = {"grids": "code", "cells": "grid", "teams": "team"}


@router.get("/items", **described("/collections/{collection}/items"))
def items(request: Request, found: Found, db: Db, shelf: Shelves, who: Caller, small: Small) -> Response:
    """Features, in pages."""
    said = request.query_params
    how, offered = asked.form(request), systems_of(found.box)
    crs = CRS84 if said.get("crs") is None else system(said["crs"], "crs", offered)
    at, begun = asked.when(said.get("datetime")), asked.pinned(said.get("cursor"))
    state = features.version(db, who, found, at, begun[0] if begun else None, small=small)
    held = columns_of(db, shelf, who, found, small) if state is None else features.table(db, shelf, state)
    names = [] if held is None else [name for name in held.columns if name not in _KNOWN]
    asked.only(request, *_KNOWN, *names)
    size = asked.limit(said.get("limit") or (str(_ON_PAGES) if how == "html" else None))
    query = Query(
        asked.windows(said.get("bbox"), said.get("bbox-crs"), offered),
        {name: said[name] for name in names if name in said},
        asked.condition(said.get("filter"), said.get("filter-lang"), said.get("filter-crs"), offered),
    )
    matched = np.zeros(0, np.int64) if held is None else feature_search.search(db, held, query)
    if state is None or held is None:  # judged all the same, so that a wrong question is never a right one
        return _empty(request, found, how, crs)
    after = begun[1] if begun else 0
    page = matched[np.searchsorted(matched, after) :][:size]
    more = len(page) > 0 and int(page[-1]) != int(matched[-1])
    cursor = asked.cursor_text(Pinned(state.n, state.r, state.at), int(page[-1]) + 1) if more else None
    links = _links(request, found, cursor, how)
    if how == "html":
        return _page(request, db, (found, state), held, (page, len(matched)), links)
    head = _head(state, links, len(matched), len(page))
    body = _stream(head, feature_search.pieces(db, held, page, crs.name, north_first=crs.north_first))
    return StreamingResponse(body, media_type=GEOJSON, headers={"Content-Crs": f"<{crs.uri}>"})


def _head(state: Version, links: list[dict[str, Any]], matched: int, returned: int) -> dict[str, Any]:
    record = state.record
    told: dict[str, Any] = {"roster": state.r or None}
    if record is None:
        told |= {"plan": state.collection.plan, "revision": state.n}
    else:
        told |= {"publication": state.n, "checksum": record.checksum}
        told["effective_at"] = record.effective_at.isoformat()
    return {
        "type": "FeatureCollection",
        "links": links,
        "timeStamp": datetime.now(UTC).isoformat(timespec="seconds").replace("+00:00", "Z"),
        "numberMatched": matched,
        "numberReturned": returned,
        "gridsvc:state": told,
    }


def _stream(head: dict[str, Any], parts: Iterator[list[bytes]]) -> Iterator[bytes]:
    yield orjson.dumps(head)[:-1] + b',"features":['
    joint = b""
    for part in parts:
        yield joint + b",".join(part)
        joint = b","
    yield b"]}\n"


def _links(request: Request, found: Collection, cursor: str | None, how: str) -> list[dict[str, Any]]:
    address = f"{root(request)}/collections/{found.id}"
    said = [(name, value) for name, value in request.query_params.multi_items() if name != "f"]

    def to(form: str, *more: tuple[str, str]) -> str:
        kept = [pair for pair in said if not more or pair[0] != "cursor"]
        return f"{address}/items?{urlencode([*kept, *more, ('f', form)])}"

    media = {"json": GEOJSON, "html": "text/html"}
    other = "html" if how == "json" else "json"
    links = [
        link(to(how), "self", media[how], f"as {how.upper()}"),
        link(to(other), "alternate", media[other], f"as {other.upper()}"),
        link(f"{address}?f=json", "collection", "application/json", found.id),
    ]
    if cursor is not None:
        links.append(link(to(how, ("cursor", cursor)), "next", media[how], "Next page"))
    return links


def _empty(request: Request, found: Collection, how: str, crs: System) -> Response:
    links = _links(request, found, None, how)
    if how == "html":
        note = f"<p class=note>{word('nothing was in force then', asked.language(request))}</p>"
        return html(request, found.id, trail_of(found, root(request)), [note], links)
    head = {
        "type": "FeatureCollection",
        "links": links,
        "numberMatched": 0,
        "numberReturned": 0,
        "features": [],
    }
    return json(head, GEOJSON, **{"Content-Crs": f"<{crs.uri}>"})


def _page(
    request: Request,
    db: Database,
    seen: tuple[Collection, Version],
    held: Table,
    shown: tuple[Rows, int],
    links: list[dict[str, Any]],
) -> Response:
    (found, state), lang, (page, matched) = seen, asked.language(request), shown
    home = root(request)
    address = f"{home}/collections/{found.id}"
    names = [
        name for name, values in held.columns.items() if any(values[row] is not None for row in page.tolist())
    ]
    own = IDS[found.kind]
    rows = [
        [
            (held.columns[name][row], f"{address}/items/{quote(held.ids[row], safe='')}?f=html")
            if name == own
            else held.columns[name][row]
            for name in names
        ]
        for row in page.tolist()
    ]
    drawn = page[:_DRAWN]
    colours = [held.columns[_COLOURED_BY[found.kind]][row] for row in drawn.tolist()]
    titles = [
        " ".join(str(v) for v in (held.ids[row], held.columns.get("team_name", [None] * len(held))[row]) if v)
        for row in drawn.tolist()
    ]
    version = "publication" if state.record is not None else "revision"
    told = (
        f"{len(page)} {word('of', lang)} {matched} {word('features', lang)} · {word(version, lang)} {state.n}"
    )
    onwards = [entry for entry in links if entry["rel"] == "next"]
    steps = "".join(
        f'<a href="{entry["href"].replace("&", "&amp;")}">{word("Next page", lang)}</a>' for entry in onwards
    )
    body = [
        f"<p class=note>{told}</p><nav class=pages>{steps}</nav>",
        drawing(feature_search.outlines(db, held, drawn), colours, titles),
        table(names, rows, "en"),  # names of properties are what one writes in a question
    ]
    return html(request, f"{found.title}: {word(found.kind, lang)}", trail_of(found, home), body, links[1:2])


@router.get("/items/{feature:path}", **described("/collections/{collection}/items/{feature}"))
def item(
    request: Request, feature: str, found: Found, db: Db, shelf: Shelves, who: Caller, small: Small
) -> Response:
    """One feature by its id."""
    asked.only(request, "crs", "datetime")
    said, offered, how = request.query_params, systems_of(found.box), asked.form(request)
    crs = CRS84 if said.get("crs") is None else system(said["crs"], "crs", offered)
    state = features.version(db, who, found, asked.when(said.get("datetime")), small=small)
    held = None if state is None else features.table(db, shelf, state)
    row = None if held is None else held.places.get(feature)
    if held is None or row is None or state is None:
        raise NotFound(
            f"there is no feature {feature[:80]!r}", field="feature", cure="list the items of the collection"
        )
    rows = np.array([row], np.int64)
    address = f"{root(request)}/collections/{found.id}"
    self = f"{address}/items/{quote(feature, safe='')}"
    links = [
        link(f"{self}?f=json", "self", GEOJSON, "as JSON"),
        link(f"{self}?f=html", "alternate", "text/html", "as HTML"),
        link(f"{address}?f=json", "collection", "application/json", found.id),
    ]
    if how == "html":
        lang = asked.language(request)
        pairs = [[name, values[row]] for name, values in held.columns.items()]
        body = [
            drawing(feature_search.outlines(db, held, rows), [0], [feature]),
            table(["property", "value"], pairs, lang),
        ]
        return html(request, feature, trail_of(found, root(request)), body, links[:1])
    piece = next(feature_search.pieces(db, held, rows, crs.name, north_first=crs.north_first))[0]
    told = piece[:-1] + b',"links":' + orjson.dumps(links) + b"}"
    return Response(told, media_type=GEOJSON, headers={"Content-Crs": f"<{crs.uri}>"})
