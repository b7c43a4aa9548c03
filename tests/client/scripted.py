"""Services for the client's tests: scripted ones."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import httpx
import orjson

from gridsvc.client import Client

Say = Callable[[httpx.Request], httpx.Response]

ANSWER: dict[str, Any] = {
    "status": "owned",
    "cell": "8931aa5abcfffff",
    "grid": {"code": "07", "name": "North", "line": "base"},
    "team": {"id": "t7", "name": "Team 7"},
    "lead": {"id": "p7", "name": "Ann", "acting": True},
    "roles": [{"role": "vip", "id": "p8", "name": "Bo", "backup": False}],
    "rule": "cell",
    "why": "Because.",
    "territory": "city",
    "publication": 3,
    "roster": 5,
    "seq": 40,
    "valid_from": "2026-11-28T00:00:00+00:00",
    "valid_to": None,
    "inside_territory": True,
    "crs": "wgs84",
    "via": None,
}


def problem(status: int, code: str, *, retry_after: object = None, **members: Any) -> httpx.Response:
    document = {
        "type": f"urn:gridsvc:problem:{code}",
        "title": code.replace("-", " ").capitalize(),
        "status": status,
        "detail": "it is not so",
        **members,
    }
    headers = {"Content-Type": "application/problem+json"}
    if retry_after is not None:
        headers["Retry-After"] = str(retry_after)
    return httpx.Response(status, headers=headers, content=orjson.dumps(document))


def answer(**members: Any) -> httpx.Response:
    return httpx.Response(200, json={**ANSWER, **members})


def scripted(*acts: httpx.Response | Exception | Say, **options: Any) -> tuple[Client, list[httpx.Request]]:
    """A client of a service which does one thing after the other, the last again; and what is asked."""
    asked: list[httpx.Request] = []

    def say(request: httpx.Request) -> httpx.Response:
        asked.append(request)
        act = acts[min(len(asked), len(acts)) - 1]
        if isinstance(act, Exception):
            raise act
        if isinstance(act, httpx.Response):
            # A fresh one each time: an answer can be read once.
            return httpx.Response(act.status_code, headers=act.headers, content=act.content)
        return act(request)

    return Client("http://service", transport=httpx.MockTransport(say), **options), asked
