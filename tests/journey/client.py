"""A client which knows nothing of gridsvc but its published API: HTTP and JSON from the standard library."""

from __future__ import annotations

import http.client
import json
import time
import uuid
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlencode, urlsplit


class Refused(Exception):
    """The service answered with a problem document."""

    def __init__(self, status: int, problem: dict[str, Any]) -> None:
        super().__init__(f"{status} {problem.get('detail')}")
        self.status, self.problem = status, problem


class Client:
    def __init__(self, base_url: str, timeout: float = 600) -> None:
        parts = urlsplit(base_url)
        self._connection = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=timeout)

    def close(self) -> None:
        self._connection.close()

    def __enter__(self) -> Client:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def raw(
        self, method: str, path: str, body: bytes | None = None, headers: Mapping[str, str] | None = None
    ) -> tuple[int, Mapping[str, str], bytes]:
        self._connection.request(method, path, body, dict(headers or {}))
        answer = self._connection.getresponse()
        return answer.status, answer.headers, answer.read()

    def call(
        self,
        method: str,
        path: str,
        document: Any = None,
        *,
        query: Mapping[str, Any] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> tuple[Any, Mapping[str, str]]:
        target = path + ("?" + urlencode(query) if query else "")
        body = None if document is None else json.dumps(document).encode()
        sent = {**({"Content-Type": "application/json"} if body else {}), **(headers or {})}
        return self._json(*self.raw(method, target, body, sent))

    def get(self, path: str, **query: Any) -> Any:
        return self.call("GET", path, query=query)[0]

    def post(self, path: str, document: Any = None, **headers: str) -> Any:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return self.call("POST", path, document, headers=named)[0]

    def upload(self, path: str, file: Path, fields: Mapping[str, str | list[str]]) -> Any:
        """Send a file as a form, as browsers do."""
        mark = uuid.uuid4().hex
        parts = []
        for name, given in fields.items():
            values = given if isinstance(given, list) else [given]
            head = f'--{mark}\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n'
            parts += [f"{head}{value}\r\n".encode() for value in values]
        parts.append(
            f'--{mark}\r\nContent-Disposition: form-data; name="file"; filename="{file.name}"\r\n'
            "Content-Type: application/octet-stream\r\n\r\n".encode()
        )
        body = b"".join([*parts, file.read_bytes(), f"\r\n--{mark}--\r\n".encode()])
        return self._json(
            *self.raw("POST", path, body, {"Content-Type": f"multipart/form-data; boundary={mark}"})
        )[0]

    def done(self, job: str, seconds: float = 600) -> Any:
        """Wait for a job."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            found = self.get(f"/v1/jobs/{job}")
            if found["status"] not in {"queued", "running"}:
                return found
            time.sleep(0.1)
        raise TimeoutError(job)

    @staticmethod
    def _json(status: int, headers: Mapping[str, str], body: bytes) -> tuple[Any, Mapping[str, str]]:
        document = json.loads(body) if body else None
        if status >= 400:
            assert headers["Content-Type"] == "application/problem+json", (status, body[:200])
            raise Refused(status, document)
        return document, headers
