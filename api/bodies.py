"""Bodies which routes read themselves."""

from __future__ import annotations

from fastapi import Request

from gridsvc.errors import TooLarge, UnknownForm

__all__ = ["whole_body"]


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
    return TooLarge(f"the body has more than {limit >> 20} MB", field="body", cure="split it into several")
