"""Pages of other origins may ask only where the operator names them."""

from __future__ import annotations

from starlette.middleware.cors import CORSMiddleware
from starlette.types import ASGIApp

__all__ = ["opened_to"]

_SENT = (
    *("Accept-Language", "Authorization", "Content-Type", "Idempotency-Key", "If-Match", "If-None-Match"),
    *("Last-Event-ID", "Prefer", "X-Request-Id"),
)
_SHOWN = ("Content-Disposition", "ETag", "Link", "Location", "Retry-After", "X-Request-Id")


def opened_to(origins: list[str], app: ASGIApp) -> ASGIApp:
    """The application, with its answers readable by pages of these origins; cookies are never sent along."""
    return CORSMiddleware(
        app,
        allow_origins=origins,
        allow_methods=["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"],
        allow_headers=_SENT,
        expose_headers=_SHOWN,
    )
