"""What `crashkit` needs to know of the service: planners who edit, one who publishes, readers, all over HTTP.

The ground is a board of two grids. A publication is known by the column where the one ends and the other
begins; a lookup of all cells that shows anything else than one clean border has mixed two publications. Each
writer has a cell of its own in a draft, and the reason of a move says which of its edits it is.
"""

from __future__ import annotations

import http.client
import json
import os
import subprocess
import sys
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np

from gridsvc.plans.plan import Grid, Plan
from gridsvc.services import rosters
from gridsvc.store import Database
from gridsvc.teams.read import roster_from_dict
from tests.api.strip import ROSTER
from tests.journey.served import free_port
from tests.services.board import ANNA, board, lay, loads, put

KIT = Path(__file__).resolve().parents[3] / "shared" / "kit"

WIDTH, HEIGHT = 24, 4
BORDERS = range(8, 18)
SLUG = "board"


def crashkit() -> ModuleType:
    """The kit, which lies beside the repository."""
    if str(KIT) not in sys.path:
        sys.path.insert(0, str(KIT))
    return import_module("crashkit")


def _plan(border: int) -> Plan:
    column = np.repeat(np.arange(WIDTH), HEIGHT)
    return Plan((column >= border).astype(np.int32), (Grid("01", "West", "t"), Grid("02", "East", "t")))


def columns(low: int, high: int) -> list[str]:
    return [f"x{x:03d}y{y:03d}" for x in range(low, high) for y in range(HEIGHT)]


class Driver:
    """The service as the kit drives it; see the kit for what each method promises."""

    def __init__(self, database_url: str, folder: Path, workers: int = 1) -> None:
        self._url, self._folder, self._workers = database_url, folder, workers
        self.port = free_port()
        self.draft, self.published = self._build()
        self._torn = crashkit().Torn
        self._bodies: dict[tuple[int, int], dict[str, Any]] = {}
        self._revisions: dict[int, int] = {}
        self._wanted: dict[str, dict[str, Any]] = {}  # by idempotency key: what was asked and answered so far
        self._head = (self.published, BORDERS[0])
        self._border_of: dict[int, int] = {}

    def _build(self) -> tuple[str, str]:
        database = Database.open(self._url)
        tiling = board(WIDTH, HEIGHT)
        weights = loads(tiling)
        made = lay(database, tiling, weights, SLUG)
        rosters.put(database, ANNA, SLUG, roster_from_dict(ROSTER))
        draft, first = (put(database, made, tiling, _plan(BORDERS[0]), weights) for _ in range(2))
        database.close()
        return draft, first

    def start(self) -> subprocess.Popen[bytes]:
        environment = {
            **os.environ,
            "GRIDSVC_DATA_DIR": str(self._folder),
            "GRIDSVC_DATABASE_URL": self._url,
        }
        command = [sys.executable, "-c", "from gridsvc.cli import main; main()", "serve"]
        with (self._folder / "serve.log").open("ab") as log:
            return subprocess.Popen(
                [*command, "--port", str(self.port), "--workers", str(self._workers)],
                env=environment,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )

    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def http(self, patience: float = 10) -> http.client.HTTPConnection:
        return http.client.HTTPConnection("127.0.0.1", self.port, timeout=patience)

    def ready(self) -> bool:
        self._call(self.http(), "GET", "/readyz")
        return True

    def edit(self, connection: http.client.HTTPConnection, writer: int, n: int) -> bool:
        body = self._bodies.setdefault((writer, n), self._edit_of(connection, writer, n))
        path = f"/v1/plans/{self.draft}/moves"
        done = self._call(connection, "POST", path, body, {"Idempotency-Key": f"edit {writer}:{n}"})
        assert done["moved"] == 1, done
        self._revisions[writer] = done["revision"]
        return True

    def _edit_of(self, connection: http.client.HTTPConnection, writer: int, n: int) -> dict[str, Any]:
        if writer not in self._revisions:
            plan = self._call(connection, "GET", f"/v1/plans/{self.draft}")
            self._revisions[writer] = plan["revision"]
        to = "02" if n % 2 else "01"
        revision, reason = self._revisions[writer], f"{writer}:{n}"
        return {"base_revision": revision, "cells": [f"x{writer:03d}y000"], "to": to, "reason": reason}

    def publish(self, connection: http.client.HTTPConnection, k: int, key: str) -> int:
        """A branch of what is published, with the border elsewhere; each step can be repeated."""
        state = self._wanted.setdefault(key, {"from": self._head, "border": BORDERS[k % len(BORDERS)]})
        source, before = state["from"]
        if "plan" not in state:
            name = {"Idempotency-Key": f"branch {key}"}
            made = self._call(connection, "POST", f"/v1/plans/{source}/branch", {"name": f"plan {k}"}, name)
            state |= {"plan": made["id"], "revision": made["revision"]}
        if "moved" not in state and state["border"] != before:
            body = {"base_revision": state["revision"], **_shift(before, state["border"])}
            path, name = f"/v1/plans/{state['plan']}/moves", {"Idempotency-Key": f"move {key}"}
            state |= {"moved": True, "revision": self._call(connection, "POST", path, body, name)["revision"]}
        headers = {"Idempotency-Key": key, "If-Match": f'"{state["revision"]}"'}
        n = int(self._call(connection, "POST", f"/v1/plans/{state['plan']}/publish", {}, headers)["n"])
        self._head = (state["plan"], state["border"])
        self._check(n, state["border"])
        return n

    def snapshot(self, connection: http.client.HTTPConnection, _atleast: int) -> tuple[int, int]:
        degree = 100.0 / 111_320
        lon = [(x + 0.5) * degree for x in range(WIDTH) for _ in range(HEIGHT)]
        lat = [(y + 0.5) * degree for _ in range(WIDTH) for y in range(HEIGHT)]
        body = {"territory": SLUG, "lat": lat, "lon": lon}
        answer = self._call(connection, "POST", "/v1/owner/batch", body)
        grids, n = answer["grid"], answer["publication"]
        border = grids.count("01") // HEIGHT
        if grids != ["01"] * (border * HEIGHT) + ["02"] * ((WIDTH - border) * HEIGHT):
            raise self._torn(f"publication {n} shows {grids}")
        self._check(n, border)
        return n, border

    def _check(self, n: int, border: int) -> None:
        seen = self._border_of.setdefault(n, border)
        if seen != border:
            raise self._torn(f"publication {n} has its border at {seen} and at {border}")

    def final(self, _: http.client.HTTPConnection) -> dict[str, Any]:
        connection = self.http(120)  # nothing is killed any more: a busy machine takes its time
        found = self._pages(connection, f"/v1/publications?territory={SLUG}")
        numbers: dict[str, list[int]] = {}
        for record in found:
            numbers.setdefault(record["plan"], []).append(record["n"])
        assert sorted(record["n"] for record in found) == list(range(1, len(found) + 1))
        published = {key: numbers.get(state.get("plan", ""), []) for key, state in self._wanted.items()}
        return {"edits": self._edits(connection), "published": published, "current": len(found)}

    def _edits(self, connection: http.client.HTTPConnection) -> dict[int, int]:
        moves = self._pages(connection, f"/v1/plans/{self.draft}/moves?order=oldest")
        stored: dict[int, list[int]] = {}
        for move in moves:
            writer, n = move["reason"].split(":")
            stored.setdefault(int(writer), []).append(int(n))
        for writer, numbers in stored.items():
            assert numbers == list(range(1, len(numbers) + 1)), f"writer {writer} doubled or lost: {numbers}"
        revisions = [move["revision"] for move in moves]
        assert revisions == list(range(revisions[0], revisions[0] + len(revisions)))
        return {writer: len(numbers) for writer, numbers in stored.items()}

    def _pages(self, connection: http.client.HTTPConnection, path: str) -> list[dict[str, Any]]:
        found, after = [], ""
        while True:
            page = self._call(connection, "GET", f"{path}&limit=1000{after}")
            found += page["items"]
            if page["next"] is None:
                return found
            after = f"&after={page['next']}"

    def _call(
        self,
        connection: http.client.HTTPConnection,
        method: str,
        path: str,
        body: Any = None,
        headers: dict[str, str] | None = None,
    ) -> Any:
        """An answer; what is no success counts as no answer, unless it blames the request."""
        sent = {"Content-Type": "application/json", **(headers or {})}
        try:
            connection.request(method, path, None if body is None else json.dumps(body), sent)
            answer = connection.getresponse()
            text = answer.read()
        finally:
            connection.close()
        if answer.status >= 400:
            if (
                answer.status < 500
                and "try again" not in text.decode()
                and "send it again" not in text.decode()
            ):
                raise AssertionError(f"{method} {path}: {text.decode()}")
            raise OSError(answer.status)
        return json.loads(text)


def _shift(before: int, border: int) -> dict[str, Any]:
    if border > before:
        return {"cells": columns(before, border), "to": "01"}
    return {"cells": columns(border, before), "to": "02"}
