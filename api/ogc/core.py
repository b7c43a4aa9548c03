"""Landing page, conformance, description, collections and queryables."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Request, Response

from api.deps import Caller, Db, Small
from api.ogc.answers import Found, OgcRoute, Shelves, described, html, json, link, root
from api.ogc.asked import form, language, only
from api.ogc.describe import CONFORMANCE, GEOJSON, OPENAPI, PATHS, SCHEMA, openapi
from api.ogc.pages import STYLE, table, word
from api.ogc.systems import CRS84, systems_of
from gridsvc.principal import Principal
from gridsvc.services import features
from gridsvc.services.feature_tables import IDS, Shelf, Table
from gridsvc.services.features import Collection
from gridsvc.store.database import Database

__all__ = ["columns_of", "router", "trail_of"]

router = APIRouter(prefix="/ogc", tags=["ogc"], route_class=OgcRoute)

_JSON, _HTML = "application/json", "text/html"


def _trail(home: str) -> list[tuple[str, str]]:
    return [("OGC API", f"{home}?f=html")]


def trail_of(found: Collection, home: str) -> list[tuple[str, str]]:
    """The pages above one of a collection."""
    address = f"{home}/collections/{found.id}"
    return [*_trail(home), ("Collections", f"{home}/collections?f=html"), (found.id, f"{address}?f=html")]


@router.get("/style.css", include_in_schema=False)
def style_sheet() -> Response:
    """How the pages look."""
    return Response(STYLE, media_type="text/css", headers={"Cache-Control": "max-age=3600"})


# Some programs put a stroke behind every address; where the page is built, nothing else would lead them here.
@router.get("/", include_in_schema=False)
@router.get("", **described("/"))
def landing(request: Request) -> Response:
    """Where to go from here."""
    only(request)
    home = root(request)
    links = [
        link(f"{home}?f=json", "self", _JSON, "as JSON"),
        link(f"{home}?f=html", "alternate", _HTML, "as HTML"),
        link(f"{home}/api", "service-desc", OPENAPI, "API description"),
        link(f"{home}/api?f=html", "service-doc", _HTML, "API description"),
        link(f"{home}/conformance", "conformance", _JSON, "Conformance"),
        link(f"{home}/collections", "data", _JSON, "Collections"),
        link(
            f"{home}/tileMatrixSets",
            "http://www.opengis.net/def/rel/ogc/1.0/tiling-schemes",
            _JSON,
            "Tile matrix sets",
        ),
    ]
    about = "Published grids, cells and teams, and drafts, for GIS programs."
    if form(request) == "json":
        return json({"title": "gridsvc", "description": about, "links": links})
    lang = language(request)
    pages = [("Collections", "collections"), ("API description", "api"), ("Conformance", "conformance")]
    rows = [
        [(word(words, lang), f"{home}/{path}?f=html")]
        for words, path in [*pages, ("Tile matrix sets", "tileMatrixSets")]
    ]
    hint = "In QGIS: Layer > Add Layer > Add WFS / OGC API - Features Layer, with this address."
    body = [f"<p>{word(about, lang)}</p><p class=note>{word(hint, lang)}</p>", table(["what"], rows, lang)]
    return html(request, "OGC API", [], body, links[:1])


@router.get("/conformance", **described("/conformance"))
def conformance(request: Request) -> Response:
    """Which rules are kept."""
    only(request)
    home = root(request)
    if form(request) == "json":
        return json({"conformsTo": CONFORMANCE})
    rows = [[name] for name in CONFORMANCE]
    links = [link(f"{home}/conformance?f=json", "alternate", _JSON, "as JSON")]
    return html(request, "Conformance", _trail(home), [table(["class"], rows, language(request))], links)


@router.get("/api", **described("/api"))
def description(request: Request) -> Response:
    """What may be asked, as OpenAPI 3.0."""
    only(request)
    home = root(request)
    if form(request) == "json":
        return json(openapi(home), OPENAPI)
    rows = [[path, told[0], ", ".join(p["name"] for p in told[1])] for path, told in PATHS.items()]
    links = [link(f"{home}/api?f=json", "alternate", OPENAPI, "as JSON")]
    body = [table(["path", "what", "property"], rows, language(request))]
    return html(request, "API description", _trail(home), body, links)


@router.get("/collections", **described("/collections"))
def list_collections(request: Request, db: Db, who: Caller) -> Response:
    """The collections there are."""
    only(request)
    home, found = root(request), features.collections(db, who)
    links = [
        link(f"{home}/collections?f=json", "self", _JSON, "as JSON"),
        link(f"{home}/collections?f=html", "alternate", _HTML, "as HTML"),
    ]
    if form(request) == "json":
        return json({"links": links, "collections": [_told(entry, home) for entry in found]})
    lang = language(request)
    rows = [
        [
            (entry.id, f"{home}/collections/{entry.id}?f=html"),
            entry.title,
            word(entry.kind, lang),
            word("published" if entry.plan is None else "draft", lang),
        ]
        for entry in found
    ]
    body = [table(["collection", "what", "type", "value"], rows, lang)]
    return html(request, "Collections", _trail(home), body, links[:1])


def _told(found: Collection, home: str) -> dict[str, Any]:
    address = f"{home}/collections/{found.id}"
    state = "in force" if found.plan is None else "a draft"
    since = None if found.since is None else found.since.isoformat().replace("+00:00", "Z")
    return {
        "id": found.id,
        "title": f"{found.title}: {found.kind}",
        "description": f"{found.kind.capitalize()} of {found.territory}, line {found.line}, {state}.",
        "itemType": "feature",
        "extent": {
            "spatial": {"bbox": [list(found.box)], "crs": CRS84.uri},
            "temporal": {"interval": [[since, None]]},
        },
        "crs": systems_of(found.box),
        "storageCrs": CRS84.uri,
        "links": [
            link(f"{address}?f=json", "self", _JSON, "as JSON"),
            link(f"{address}?f=html", "alternate", _HTML, "as HTML"),
            link(f"{address}/items?f=json", "items", GEOJSON, "Features"),
            link(f"{address}/items?f=html", "items", _HTML, "Features"),
            link(
                f"{address}/queryables",
                "http://www.opengis.net/def/rel/ogc/1.0/queryables",
                SCHEMA,
                "Queryables",
            ),
            link(
                f"{address}/tiles", "http://www.opengis.net/def/rel/ogc/1.0/tilesets-vector", _JSON, "Tiles"
            ),
            link(f"{address}/style", "stylesheet", _JSON, "MapLibre"),
        ],
    }


@router.get("/collections/{collection}", **described("/collections/{collection}"))
def get_collection(request: Request, found: Found) -> Response:
    """One collection."""
    only(request)
    home = root(request)
    told = _told(found, home)
    if form(request) == "json":
        return json(told)
    lang, address = language(request), f"{home}/collections/{found.id}"
    rows: list[list[Any]] = [
        [word("Features", lang), ("items", f"{address}/items?f=html")],
        [word("Queryables", lang), ("queryables", f"{address}/queryables?f=html")],
        [word("Tiles", lang), ("tiles", f"{address}/tiles?f=html")],
        [word("Where it lies", lang), ", ".join(f"{side:.5f}" for side in found.box)],
        [word("Since", lang), told["extent"]["temporal"]["interval"][0][0]],
        [word("Coordinate systems", lang), " ".join(told["crs"])],
    ]
    links = [entry for entry in told["links"] if entry["rel"] in {"self", "stylesheet"}]
    title = f"{found.title}: {word(found.kind, lang)}"
    return html(request, title, trail_of(found, home)[:-1], [table(["property", "value"], rows, lang)], links)


@router.get("/collections/{collection}/queryables", **described("/collections/{collection}/queryables"))
def queryables(request: Request, found: Found, db: Db, shelf: Shelves, who: Caller, small: Small) -> Response:
    """Properties which filters may name."""
    only(request)
    home = root(request)
    held = columns_of(db, shelf, who, found, small)
    kinds: dict[str, Any] = {} if held is None else dict(held.kinds)
    properties = {name: _schema(name, kind, found) for name, kind in kinds.items()}
    properties["geometry"] = {"title": "geometry", "format": "geometry-any", "x-ogc-role": "primary-geometry"}
    address = f"{home}/collections/{found.id}/queryables"
    if form(request) == "json":
        body = {
            "$schema": "https://json-schema.org/draft/2020-12/schema",
            "$id": address,
            "type": "object",
            "title": found.id,
            "properties": properties,
            "additionalProperties": False,
        }
        return json(body, SCHEMA)
    rows = [[name, told.get("type", "geometry")] for name, told in properties.items()]
    links = [link(f"{address}?f=json", "alternate", SCHEMA, "as JSON")]
    return html(
        request,
        "Queryables",
        trail_of(found, home),
        [table(["property", "type"], rows, language(request))],
        links,
    )


def _schema(name: str, kind: str, found: Collection) -> dict[str, Any]:
    types = {"text": "string", "number": "number", "truth": "boolean", "instant": "string"}
    told: dict[str, Any] = {"title": name, "type": types[kind]}
    if kind == "instant":
        told["format"] = "date-time"
    if name == IDS[found.kind]:
        told["x-ogc-role"] = "id"
    return told


def columns_of(db: Database, shelf: Shelf, who: Principal, found: Collection, small: int) -> Table | None:
    """A table of the collection, for the names of its properties; None where nothing ever was in force."""
    state = features.version(db, who, found, small=small) or features.version(
        db, who, found, found.since, small=small
    )
    return None if state is None else features.table(db, shelf, state)
