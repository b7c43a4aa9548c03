"""Answers in the form somebody wants, and errors with the statuses OGC asks for."""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Iterable, Mapping
from typing import Annotated, Any

import orjson
from fastapi import Depends, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import HTMLResponse
from fastapi.routing import APIRoute

from api.deps import Caller, Db, current_app
from api.ogc.asked import language
from api.ogc.describe import PATHS
from api.ogc.pages import page
from api.problems import MEDIA_TYPE, STATUS, problem_of
from gridsvc.errors import InvalidInput
from gridsvc.services import features
from gridsvc.services.feature_tables import Shelf
from gridsvc.services.features import Collection
from gridsvc.services.tile_files import TileFiles

__all__ = ["Files", "Found", "OgcRoute", "Shelves", "described", "html", "json", "link", "root"]


class OgcRoute(APIRoute):
    """A route where what is wrong with a request is a 400, as OGC API - Features asks."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """Answer, or tell what is wrong."""
        handler = super().get_route_handler()

        async def run(request: Request) -> Response:
            try:
                return await handler(request)
            except InvalidInput as error:
                return _bad(error)
            except RequestValidationError as error:
                fault = error.errors()[0]
                name = str(fault["loc"][-1])
                return _bad(InvalidInput(fault["msg"], field=name, cure="see /ogc/api for what it may be"))

        return run


def _bad(error: InvalidInput) -> Response:
    found = problem_of(error)
    if STATUS[error.code] != 422:
        return found
    body = {**orjson.loads(bytes(found.body)), "status": 400}
    return Response(orjson.dumps(body), 400, media_type=MEDIA_TYPE)


def _shelf(request: Request) -> Shelf:
    state = request.app.state
    if not hasattr(state, "ogc_shelf"):
        state.ogc_shelf = Shelf()
    found: Shelf = state.ogc_shelf
    return found


def _files(request: Request) -> TileFiles:
    state = request.app.state
    if not hasattr(state, "ogc_tiles"):
        state.ogc_tiles = TileFiles(current_app(request).settings.mapped.parent / "tiles")
    found: TileFiles = state.ogc_tiles
    return found


def _collection(collection: str, db: Db, who: Caller) -> Collection:
    return features.collection(db, who, collection)


Shelves = Annotated[Shelf, Depends(_shelf)]
Files = Annotated[TileFiles, Depends(_files)]
Found = Annotated[Collection, Depends(_collection)]


def root(request: Request) -> str:
    """The address of the landing page."""
    return f"{str(request.base_url).rstrip('/')}/ogc"


def link(href: str, rel: str, media: str, title: str, **more: Any) -> dict[str, Any]:
    """A link as OGC API has them."""
    return {"href": href, "rel": rel, "type": media, "title": title, **more}


def json(body: Any, media: str = "application/json", **headers: str) -> Response:
    """A JSON answer."""
    return Response(orjson.dumps(body), media_type=media, headers=headers)


def html(
    request: Request,
    title: str,
    trail: list[tuple[str, str]],
    body: Iterable[str],
    links: list[dict[str, Any]],
) -> Response:
    """A page with the other forms of the same answer at its end."""
    from api.ogc.pages import link_list, word

    lang, home = language(request), root(request)
    other = [entry for entry in links if entry["type"] != "text/html" or entry["rel"] == "next"]
    tail = [f"<h2>{word('Other forms', lang)}</h2>", link_list(other, lang)] if other else []
    text = page(word(title, lang), trail, [*body, *tail], lang, home)
    if "lang" in request.query_params:  # who chose one keeps it from page to page
        text = text.replace('?f=html"', f'?f=html&amp;lang={lang}"')
    return HTMLResponse(text)


def described(path: str) -> Mapping[str, Any]:
    """What the service's own description says of a route."""
    what, parameters, media = PATHS[path]
    kind = {"type": "string"} if "json" not in media[0] else {"type": "object"}
    forms = {
        name.split(";")[0]: {"schema": {"type": "string"} if name == "text/html" else kind} for name in media
    }
    answers: dict[int | str, dict[str, Any]] = {200: {"description": what, "content": forms}}
    if "mapbox" in media[0]:
        answers[204] = {"description": "Nothing lies in this tile."}
        answers[304] = {"description": "As the caller has it."}
    return {
        "summary": what,
        "response_class": Response,
        "responses": answers,
        "openapi_extra": {"parameters": [p for p in parameters if p["in"] == "query"]},
    }
