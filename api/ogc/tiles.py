"""Vector tiles, their sets, TileJSON, and a style for MapLibre."""

from __future__ import annotations

import hashlib
from typing import Any

from fastapi import APIRouter, Request, Response

from api.deps import Caller, Db, Small
from api.ogc import asked
from api.ogc.answers import Files, Found, OgcRoute, Shelves, described, html, json, link, root
from api.ogc.core import columns_of, trail_of
from api.ogc.pages import table
from gridsvc.errors import NotFound, NotYetInForce
from gridsvc.exchange.tiles.mercator import HALF, MAX_ZOOM, Tile, tiles_at
from gridsvc.exchange.tiles.mvt import MEDIA_TYPE
from gridsvc.services import features, tiles
from gridsvc.services.features import Collection

__all__ = ["router"]

router = APIRouter(prefix="/ogc", tags=["ogc"], route_class=OgcRoute)

_ID = "WebMercatorQuad"
_SET = "/collections/{collection}/tiles/WebMercatorQuad"
_URI = f"http://www.opengis.net/def/tilematrixset/OGC/1.0/{_ID}"
_SCHEME = "http://www.opengis.net/def/rel/ogc/1.0/tiling-scheme"
_CRS = "http://www.opengis.net/def/crs/EPSG/0/3857"
_DENOMINATOR = 2 * HALF / 256 / 0.00028
_COLOURS = ("#4e79a7", "#f28e2b", "#e15759", "#76b7b2", "#59a14f", "#edc948", "#b07aa1", "#ff9da7", "#9c755f")


@router.get("/collections/{collection}/tiles", **described("/collections/{collection}/tiles"))
def tilesets(request: Request, found: Found) -> Response:
    """Its sets of tiles."""
    asked.only(request)
    home = root(request)
    address = f"{home}/collections/{found.id}/tiles"
    if asked.form(request) == "json":
        links = [link(f"{address}?f=json", "self", "application/json", "as JSON")]
        return json({"links": links, "tilesets": [_tileset(found, home, detail=False)]})
    rows = [[(_ID, f"{address}/{_ID}?f=html")]]
    links = [link(f"{address}?f=json", "alternate", "application/json", "as JSON")]
    return html(
        request, "Tiles", trail_of(found, home), [table(["what"], rows, asked.language(request))], links
    )


@router.get(_SET, **described(_SET))
def tileset(request: Request, found: Found, db: Db, shelf: Shelves, who: Caller, small: Small) -> Response:
    """Its vector tiles."""
    asked.only(request)
    home, how = root(request), asked.form(request, ["tilejson"])
    if how == "tilejson":
        state = features.version(db, who, found, small=small)
        held = columns_of(db, shelf, who, found, small)
        kinds = (
            {}
            if held is None
            else {n: "Number" if k == "number" else "String" for n, k in held.kinds.items()}
        )
        return json(_tilejson(found, home, None if state is None else state.token, kinds))
    told = _tileset(found, home, detail=True)
    if how == "json":
        return json(told)
    links = [entry for entry in told["links"] if "{" not in entry["href"]]
    rows = [[e["title"], (e["href"], e["href"]) if e in links else e["href"]] for e in told["links"]]
    return html(
        request,
        "Tiles",
        trail_of(found, home),
        [table(["what", "value"], rows, asked.language(request))],
        links,
    )


def _tileset(found: Collection, home: str, *, detail: bool) -> dict[str, Any]:
    address = f"{home}/collections/{found.id}/tiles/{_ID}"
    links = [
        link(f"{address}?f=json", "self", "application/json", "as JSON"),
        link(f"{address}?f=tilejson", "describedby", "application/json", "TileJSON"),
        link(f"{home}/tileMatrixSets/{_ID}", _SCHEME, "application/json", _ID),
        link(
            f"{address}/{{tileMatrix}}/{{tileRow}}/{{tileCol}}", "item", MEDIA_TYPE, "Tiles", templated=True
        ),
    ]
    told: dict[str, Any] = {"title": found.id, "dataType": "vector", "crs": _CRS, "links": links}
    told |= {"tileMatrixSetURI": _URI}
    if detail:
        west, south, east, north = _map_box(found)
        told["boundingBox"] = {"lowerLeft": [west, south], "upperRight": [east, north]}
        told["layers"] = [
            {"id": name, "dataType": "vector", "geometryDimension": 2} for name in _layers(found)
        ]
        told["tileMatrixSetLimits"] = [_limits(zoom, found) for zoom in range(MAX_ZOOM + 1)]
    return told


def _layers(found: Collection) -> list[str]:
    return ["cells", "grids"] if found.kind == "cells" else [found.kind]


def _map_box(found: Collection) -> tuple[float, float, float, float]:
    """Where it lies on a map whose edge is the 180th meridian."""
    west, south, east, north = found.box
    return (west, south, east, north) if west <= east else (-180.0, south, 180.0, north)


def _limits(zoom: int, found: Collection) -> dict[str, Any]:
    row0, col0, row1, col1 = tiles_at(zoom, found.box)
    return {
        "tileMatrix": str(zoom),
        "minTileRow": row0,
        "maxTileRow": row1,
        "minTileCol": col0,
        "maxTileCol": col1,
    }


def _tilejson(found: Collection, home: str, token: str | None, kinds: dict[str, str]) -> dict[str, Any]:
    version = "" if token is None else f"?version={token}"
    return {
        "tilejson": "3.0.0",
        "name": found.id,
        "scheme": "xyz",
        "tiles": [f"{home}/collections/{found.id}/tiles/{_ID}/{{z}}/{{y}}/{{x}}{version}"],
        "minzoom": 0,
        "maxzoom": MAX_ZOOM,
        "bounds": list(_map_box(found)),
        "vector_layers": [{"id": name, "fields": kinds} for name in _layers(found)],
    }


@router.get(f"{_SET}/{{z}}/{{y}}/{{x}}", **described(f"{_SET}/{{z}}/{{y}}/{{x}}"))
def get_tile(
    request: Request,
    z: int,
    y: int,
    x: int,
    collection: str,
    db: Db,
    shelf: Shelves,
    files: Files,
    who: Caller,
    small: Small,
) -> Response:
    """A vector tile."""
    asked.only(request, "version", "datetime")
    said = request.query_params
    state = features.named_version(db, who, collection, asked.when(said.get("datetime")), small=small)
    if state is None:
        raise NotYetInForce("nothing was in force then", field="datetime", cure="ask for a later time")
    wanted = said.get("version")
    block = tiles.tile(db, shelf, files, state, Tile(z, y, x))
    tag = f'"{hashlib.sha256(f"{collection} {state.token} {z}/{y}/{x}".encode()).hexdigest()[:24]}"'
    pinned = wanted is not None and wanted == state.token
    headers = {
        "ETag": tag,
        "Cache-Control": "private, max-age=604800, immutable" if pinned else "private, no-cache",
    }
    if request.headers.get("if-none-match") == tag:
        return Response(None, 304, headers)
    if not block:
        return Response(None, 204, headers)
    return Response(block, media_type=MEDIA_TYPE, headers=headers)


@router.get("/collections/{collection}/style", **described("/collections/{collection}/style"))
def style(request: Request, found: Found, db: Db, shelf: Shelves, who: Caller, small: Small) -> Response:
    """A style for MapLibre."""
    asked.only(request)
    asked.form(request)
    home = root(request)
    state = features.version(db, who, found, small=small)
    if state is None:
        raise NotFound("nothing is in force yet", field="collection", cure="publish first")
    held = features.table(db, shelf, state, None if found.kind == "teams" else "grids")
    owners = sorted({team for team in held.columns["team"] if team is not None})
    colours = [part for k, team in enumerate(owners) for part in (team, _COLOURS[k % len(_COLOURS)])]
    fill: Any = ["match", ["get", "team"], *colours, "#bab0ac"] if colours else "#bab0ac"
    drawn = []
    for name in _layers(found):
        shared = {"source": "gridsvc", "source-layer": name}
        paint = {"fill-color": fill, "fill-opacity": 0.45}
        drawn.append({"id": f"{name}-fill", "type": "fill", **shared, "paint": paint})
        edge = {"line-color": "#33475b", "line-width": 0.4 if name == "cells" else 1.2}
        drawn.append({"id": f"{name}-line", "type": "line", **shared, "paint": edge})
    west, south, east, north = found.box
    middle = (west + east + (360.0 if west > east else 0.0)) / 2
    source = {"type": "vector", "url": f"{home}/collections/{found.id}/tiles/{_ID}?f=tilejson"}
    body = {"version": 8, "name": found.id, "center": [middle, (south + north) / 2], "zoom": 9}
    return json({**body, "sources": {"gridsvc": source}, "layers": drawn})


@router.get("/tileMatrixSets", **described("/tileMatrixSets"))
def matrix_sets(request: Request) -> Response:
    """The tile matrix sets there are."""
    asked.only(request)
    home = root(request)
    address = f"{home}/tileMatrixSets/{_ID}"
    if asked.form(request) == "json":
        links = [link(address, "self", "application/json", _ID)]
        return json({"tileMatrixSets": [{"id": _ID, "title": _ID, "uri": _URI, "links": links}]})
    rows = [[(_ID, f"{address}?f=html")]]
    links = [link(f"{home}/tileMatrixSets?f=json", "alternate", "application/json", "as JSON")]
    trail = [("OGC API", f"{home}?f=html")]
    return html(request, "Tile matrix sets", trail, [table(["what"], rows, asked.language(request))], links)


@router.get("/tileMatrixSets/WebMercatorQuad", **described("/tileMatrixSets/WebMercatorQuad"))
def matrix_set(request: Request) -> Response:
    """The quad tree of spherical Mercator."""
    asked.only(request)
    home = root(request)
    if asked.form(request) == "json":
        matrices = [_matrix(zoom) for zoom in range(MAX_ZOOM + 1)]
        axes = ["E", "N"]
        return json(
            {"id": _ID, "title": _ID, "uri": _URI, "crs": _CRS, "orderedAxes": axes, "tileMatrices": matrices}
        )
    rows = [[str(m["id"]), m["cellSize"], m["matrixWidth"]] for m in map(_matrix, range(MAX_ZOOM + 1))]
    links = [link(f"{home}/tileMatrixSets/{_ID}?f=json", "alternate", "application/json", "as JSON")]
    trail = [("OGC API", f"{home}?f=html"), ("Tile matrix sets", f"{home}/tileMatrixSets?f=html")]
    return html(request, _ID, trail, [table(["zoom", "m", "tiles"], rows, asked.language(request))], links)


def _matrix(zoom: int) -> dict[str, Any]:
    return {
        "id": str(zoom),
        "scaleDenominator": _DENOMINATOR / (1 << zoom),
        "cellSize": 2 * HALF / 256 / (1 << zoom),
        "cornerOfOrigin": "topLeft",
        "pointOfOrigin": [-HALF, HALF],
        "tileWidth": 256,
        "tileHeight": 256,
        "matrixWidth": 1 << zoom,
        "matrixHeight": 1 << zoom,
    }
