"""The map page and the API documentation, both served from here: no page loads anything from another host."""

from __future__ import annotations

from pathlib import Path

from fastapi import FastAPI
from fastapi.responses import HTMLResponse, Response
from fastapi.staticfiles import StaticFiles

__all__ = ["install"]

_DIST = Path(__file__).parent / "web" / "dist"

_NOT_BUILT = """<!doctype html>
<html lang="en"><meta charset="utf-8"><title>gridsvc</title>
<h1>gridsvc</h1>
<p>The API answers, but the map page is not built: run <code>make web</code> (it needs Node 20) and start
again.</p>
<p>The API describes itself in <a href="/openapi.json">/openapi.json</a>.</p>
</html>
"""


def _not_built() -> Response:
    return HTMLResponse(_NOT_BUILT)


def install(app: FastAPI) -> None:
    """Serve the built pages at ``/`` and ``/docs``."""
    if (_DIST / "index.html").is_file():
        app.mount("/", StaticFiles(directory=_DIST, html=True), name="pages")
        return
    for path in ("/", "/docs"):
        app.add_api_route(path, _not_built, include_in_schema=False)
