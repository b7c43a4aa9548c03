"""Who asks: a connection which shows a key with each request, and settings under which keys are asked for."""

from __future__ import annotations

import http.client
import os
from contextlib import closing
from typing import Any
from uuid import uuid4

from gridsvc.principal import LOCAL
from gridsvc.services import keys
from gridsvc.store.database import Database

__all__ = ["GUARDED", "KEY", "Caller", "key_for"]

GUARDED = {"GRIDSVC_ACCESS": "keys", "GRIDSVC_RATE_LIMIT": "1000000"}
"""Each question shows a key and is counted against a limit which it does not reach."""

KEY = "BENCHMARK_KEY"
"""Where programs of the benchmark find their key."""


def key_for(url: str) -> str:
    """A new key for a database, as programs have them."""
    with closing(Database.open(url)) as database:
        return keys.create(database, LOCAL, keys.Wanted(f"benchmark-{uuid4()}", "service"))[1]


class Caller(http.client.HTTPConnection):
    """A connection to a service on this machine."""

    def __init__(self, port: int, key: str | None = None) -> None:
        super().__init__("127.0.0.1", port, timeout=60)
        self._shown = {"Authorization": f"Bearer {os.environ[KEY] if key is None else key}"}

    def request(self, method: str, url: str, body: Any = None, headers: Any = None, **more: Any) -> None:
        """As of any connection."""
        super().request(method, url, body, {**(headers or {}), **self._shown}, **more)
