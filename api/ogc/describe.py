"""What the interface says of itself: conformance classes, parameters, and its OpenAPI 3.0 description."""

from __future__ import annotations

from typing import Any

from api.ogc.asked import LIMIT, MOST
from api.problems import MEDIA_TYPE
from gridsvc import __version__
from gridsvc.exchange.tiles.mercator import MAX_ZOOM
from gridsvc.exchange.tiles.mvt import MEDIA_TYPE as TILE

__all__ = ["CONFORMANCE", "GEOJSON", "ITEMS", "OPENAPI", "PATHS", "SCHEMA", "openapi", "parameter"]

GEOJSON = "application/geo+json"
OPENAPI = "application/vnd.oai.openapi+json;version=3.0"
SCHEMA = "application/schema+json"

_SPEC = "http://www.opengis.net/spec"
CONFORMANCE = [
    f"{_SPEC}/{name}"
    for name in (
        "ogcapi-common-1/1.0/conf/core",
        "ogcapi-common-2/1.0/conf/collections",
        "ogcapi-features-1/1.0/conf/core",
        "ogcapi-features-1/1.0/conf/geojson",
        "ogcapi-features-1/1.0/conf/html",
        "ogcapi-features-1/1.0/conf/oas30",
        "ogcapi-features-2/1.0/conf/crs",
        "ogcapi-features-3/1.0/conf/queryables",
        "ogcapi-features-3/1.0/conf/queryables-query-parameters",
        "ogcapi-features-3/1.0/conf/filter",
        "ogcapi-features-3/1.0/conf/features-filter",
        "cql2/1.0/conf/cql2-text",
        "cql2/1.0/conf/cql2-json",
        "cql2/1.0/conf/basic-cql2",
        "cql2/1.0/conf/advanced-comparison-operators",
        "cql2/1.0/conf/case-insensitive-comparison",
        "cql2/1.0/conf/accent-insensitive-comparison",
        "cql2/1.0/conf/basic-spatial-functions",
        "cql2/1.0/conf/basic-spatial-functions-plus",
        "cql2/1.0/conf/spatial-functions",
        "cql2/1.0/conf/arithmetic",
        "cql2/1.0/conf/property-property",
        "ogcapi-tiles-1/1.0/conf/core",
        "ogcapi-tiles-1/1.0/conf/tileset",
        "ogcapi-tiles-1/1.0/conf/tilesets-list",
        "ogcapi-tiles-1/1.0/conf/geodata-tilesets",
        "ogcapi-tiles-1/1.0/conf/mvt",
    )
]
"""Each has a test of its own in ``tests/ogc``."""

_TEXT = {"type": "string"}


def parameter(
    name: str, what: str, schema: dict[str, Any] | None = None, where: str = "query"
) -> dict[str, Any]:
    """A parameter as OpenAPI describes it."""
    found: dict[str, Any] = {"name": name, "in": where, "required": where == "path"}
    return {**found, "description": what, "schema": schema or _TEXT}


_F = parameter("f", "Form of the answer; else by Accept.", {"type": "string", "enum": ["json", "html"]})
_LANG = parameter(
    "lang", "Language of pages; else by Accept-Language.", {"type": "string", "enum": ["zh", "en"]}
)
_CRS = parameter("crs", "Coordinate system of the answer, by its URI.", {"type": "string", "format": "uri"})
_WHEN = parameter("datetime", "An instant, or an interval whose last moment counts: what was in force then.")
_LIMIT = {"type": "integer", "minimum": 1, "maximum": MOST, "default": LIMIT}
_BBOX = {"type": "array", "items": {"type": "number"}, "minItems": 4, "maxItems": 6}
ITEMS = [
    parameter("limit", "Features a page.", _LIMIT),
    {**parameter("bbox", "A box of 4 or 6 numbers.", _BBOX), "style": "form", "explode": False},
    parameter("bbox-crs", "Coordinate system of the box.", {"type": "string", "format": "uri"}),
    _WHEN,
    _CRS,
    parameter("filter", "A condition in CQL2."),
    parameter("filter-lang", "How it is written.", {"type": "string", "enum": ["cql2-text", "cql2-json"]}),
    parameter("filter-crs", "Coordinate system of shapes in it.", {"type": "string", "format": "uri"}),
    parameter("cursor", "Where to go on: taken from a link rel=next."),
]
_TILE = [
    parameter("version", "Of which version; such an address never changes what it gives."),
    _WHEN,
]
_ID = parameter("collection", "Id of the collection, such as london.base.grids.", where="path")
_FID = parameter("feature", "Id of the feature: code, cell or team.", where="path")
_ZYX = [
    parameter("z", "Zoom.", {"type": "integer", "minimum": 0, "maximum": MAX_ZOOM}, "path"),
    parameter("y", "Row, from the north.", {"type": "integer", "minimum": 0}, "path"),
    parameter("x", "Column, from the west.", {"type": "integer", "minimum": 0}, "path"),
]

_SET = "/collections/{collection}/tiles/WebMercatorQuad"
PATHS: dict[str, tuple[str, list[dict[str, Any]], list[str]]] = {
    "/": ("The landing page.", [_F, _LANG], ["application/json", "text/html"]),
    "/conformance": ("Which rules are kept.", [_F, _LANG], ["application/json", "text/html"]),
    "/api": ("This description.", [_F, _LANG], [OPENAPI, "text/html"]),
    "/collections": ("The collections there are.", [_F, _LANG], ["application/json", "text/html"]),
    "/collections/{collection}": ("One collection.", [_ID, _F, _LANG], ["application/json", "text/html"]),
    "/collections/{collection}/queryables": (
        "Properties which filters may name, as a JSON schema.",
        [_ID, _F, _LANG],
        [SCHEMA, "text/html"],
    ),
    "/collections/{collection}/items": (
        "Features, in pages. Each queryable property is a parameter, too.",
        [_ID, *ITEMS, _F, _LANG],
        [GEOJSON, "text/html"],
    ),
    "/collections/{collection}/items/{feature}": (
        "One feature.",
        [_ID, _FID, _CRS, _WHEN, _F, _LANG],
        [GEOJSON, "text/html"],
    ),
    "/collections/{collection}/tiles": (
        "Its sets of tiles.",
        [_ID, _F, _LANG],
        ["application/json", "text/html"],
    ),
    _SET: (
        "Its vector tiles; f=tilejson gives TileJSON.",
        [_ID, _F, _LANG],
        ["application/json", "text/html"],
    ),
    f"{_SET}/{{z}}/{{y}}/{{x}}": ("A vector tile.", [_ID, *_ZYX, *_TILE], [TILE]),
    "/collections/{collection}/style": ("A style for MapLibre.", [_ID, _F], ["application/json"]),
    "/tileMatrixSets": ("Tile matrix sets.", [_F, _LANG], ["application/json", "text/html"]),
    "/tileMatrixSets/WebMercatorQuad": ("WebMercatorQuad.", [_F, _LANG], ["application/json", "text/html"]),
}


def openapi(root: str) -> dict[str, Any]:
    """The description, with the service at `root`."""
    return {
        "openapi": "3.0.3",
        "info": {
            "title": "gridsvc: OGC API - Features and Tiles",
            "version": __version__,
            "description": "Published grids, cells and teams, and drafts.",
        },
        "servers": [{"url": root}],
        "paths": {path: {"get": _operation(path, *told)} for path, told in PATHS.items()},
        "components": {"schemas": {"Problem": _PROBLEM}},
    }


_PROBLEM = {
    "type": "object",
    "required": ["type", "title", "status", "detail"],
    "properties": {
        "type": _TEXT,
        "title": _TEXT,
        "status": {"type": "integer"},
        "detail": _TEXT,
        "field": _TEXT,
        "cure": _TEXT,
    },
}


def _operation(path: str, what: str, parameters: list[dict[str, Any]], media: list[str]) -> dict[str, Any]:
    words = [part.strip("{}") for part in path.split("/") if part] or ["landing"]
    kind: dict[str, Any] = {"type": "string"} if media == [TILE] else {"type": "object"}
    forms = {name: {"schema": _TEXT if name == "text/html" else kind} for name in media}
    answers: dict[str, Any] = {"200": {"description": what, "content": forms}}
    if media == [TILE]:
        answers["204"] = {"description": "Nothing lies in this tile."}
        answers["304"] = {"description": "As the caller has it."}
    problem = {"$ref": "#/components/schemas/Problem"}
    answers["default"] = {"description": "An error.", "content": {MEDIA_TYPE: {"schema": problem}}}
    return {
        "operationId": ".".join(words),
        "summary": what,
        "parameters": parameters,
        "responses": answers,
    }
