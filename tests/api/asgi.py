"""Requests straight to an ASGI application, as a server would hand them on: any bytes, nothing mended."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote

Pairs = Sequence[tuple[bytes, bytes]]


@dataclass(frozen=True, slots=True)
class Sent:
    """An answer: status, headers by lower-case name, body."""

    status: int
    headers: dict[bytes, list[bytes]]
    body: bytes


def ask(app: Any, target: str, headers: Pairs = (), method: str = "GET") -> Sent:
    """The answer to a request; `target` is ASCII, as it stands in the request line."""
    path, _, query = target.partition("?")
    scope = {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": method,
        "scheme": "http",
        "path": unquote(path),
        "raw_path": path.encode("ascii"),
        "query_string": query.encode("latin-1"),
        "root_path": "",
        "headers": [(b"host", b"localhost"), *headers],
        "client": ("127.0.0.1", 1),
        "server": ("127.0.0.1", 80),
    }
    sent: list[dict[str, Any]] = []

    async def receive() -> dict[str, Any]:
        if receive.told:  # type: ignore[attr-defined]
            await asyncio.Event().wait()
        receive.told = True  # type: ignore[attr-defined]
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: dict[str, Any]) -> None:
        sent.append(message)

    receive.told = False  # type: ignore[attr-defined]
    asyncio.run(app(scope, receive, send))
    named: dict[bytes, list[bytes]] = {}
    for name, value in sent[0]["headers"]:
        named.setdefault(name.lower(), []).append(value)
    return Sent(sent[0]["status"], named, b"".join(message.get("body", b"") for message in sent[1:]))
