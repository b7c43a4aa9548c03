"""Bodies: how long they may be, and those which routes read themselves."""

from __future__ import annotations

from fastapi import Request
from fastapi.responses import Response
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.problems import problem_of
from gridsvc.errors import TooLarge, UnknownForm

__all__ = ["BodyLimit", "Overlong", "overlong", "whole_body"]

_FORM = b"multipart/form-data"


class Overlong(HTTPException):
    """A body turned out too long while it was read; frameworks let this kind of error through."""

    def __init__(self, limit: int) -> None:
        super().__init__(413)
        self.error = _too_large(limit)


def overlong(_: Request, error: Exception) -> Response:
    """The answer to a body which turned out too long."""
    assert isinstance(error, Overlong)  # noqa: S101 - registered for this type only
    return problem_of(error.error)


class BodyLimit:
    """Refuses what is longer than it may be: by its declared length at once, else when it gets there.

    Parameters
    ----------
    forms, others : int, bytes
        Files come in forms and lie on the disk; other bodies are held in memory.
    """

    def __init__(self, app: ASGIApp, forms: int, others: int) -> None:
        self._app, self._forms, self._others = app, forms, others

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve a request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        headers = dict(scope["headers"])
        limit = self._forms if headers.get(b"content-type", b"").startswith(_FORM) else self._others
        declared = headers.get(b"content-length", b"")
        if declared.isdigit() and int(declared) > limit:
            await problem_of(_too_large(limit))(scope, receive, send)
            return
        length = 0

        async def counted() -> Message:
            nonlocal length
            message = await receive()
            length += len(message.get("body", b""))
            if length > limit:
                raise Overlong(limit)
            return message

        await self._app(scope, counted, send)


async def whole_body(request: Request, limit: int) -> bytes:
    """All of a body, of at most `limit` bytes.

    Raises
    ------
    UnknownForm
        It is packed: what comes out could be of any length.
    TooLarge
        It is longer; the rest of it is not read.
    """
    if request.headers.get("content-encoding", "identity").strip().lower() not in {"", "identity"}:
        raise UnknownForm("the body is packed", field="Content-Encoding", cure="send it as it is")
    declared = request.headers.get("content-length", "")
    if declared.isdigit() and int(declared) > limit:
        raise _too_large(limit)
    parts, length = [], 0
    async for part in request.stream():
        length += len(part)
        if length > limit:
            raise _too_large(limit)
        parts.append(part)
    return b"".join(parts)


def _too_large(limit: int) -> TooLarge:
    said = f"the body has more than {limit / 1e6:.3g} MB"
    return TooLarge(said, field="body", cure="split it into several")
