"""What a planner waits for while drawing, over HTTP, from a running service."""

from __future__ import annotations

import http.client
import json
import time
from contextlib import closing
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import numpy as np
import pytest

from gridsvc.plans.draft import Change
from gridsvc.plans.plan import Plan
from gridsvc.store import Database
from tests.journey.served import serving
from tests.services.board import ANNA, blocks, board, lay, loads, put, small

SIZES = [
    pytest.param((50, 40), (5, 4), 200, 0.25, id="2,000-cells"),
    pytest.param((160, 125), (20, 10), 0, 0.050, marks=pytest.mark.proof, id="20,000-cells"),
    pytest.param((400, 375), (50, 30), 10_000, 0.150, marks=pytest.mark.proof, id="150,000-cells"),
]
EDITS = 200


class _Page:
    """One connection, as a browser keeps it."""

    def __init__(self, address: str) -> None:
        self._connection = http.client.HTTPConnection(urlsplit(address).netloc, timeout=60)

    def close(self) -> None:
        self._connection.close()

    def ask(self, method: str, path: str, body: Any = None) -> tuple[float, Any]:
        began = time.perf_counter()
        self._connection.request(
            method, path, None if body is None else json.dumps(body), {"Content-Type": "application/json"}
        )
        answer = self._connection.getresponse()
        text = answer.read()
        taken = time.perf_counter() - began
        assert answer.status == 200, text
        return taken, text


def _with_history(database: Database, plan: str, labels: np.ndarray, grids: int, count: int) -> None:
    """Hand strokes of up to 30 cells from grid to grid, `count` times."""
    rng, labels = np.random.default_rng(7), labels.copy()
    with database.write(ANNA, "test") as uow:
        revision = uow.moves.lock(plan).revision
        for _ in range(count):
            first, n = int(rng.integers(0, len(labels) - 30)), int(rng.integers(1, 30))
            rows = np.arange(first, first + n, dtype=np.int32)
            to = np.full(n, (labels[first] + 1 + rng.integers(0, grids - 1)) % grids, np.int32)
            change = Change.of(labels, rows, to)
            labels[change.rows] = change.after
            revision = uow.moves.append(plan, "move", change, revision)


def _strokes(plan: Plan, width: int, height: int) -> list[tuple[list[str], str]]:
    """Short upright strokes of cells, each for the grid west of it."""
    rng, labels = np.random.default_rng(1), plan.labels.reshape(width, height)
    found = []
    for _ in range(EDITS):
        x, y, n = int(rng.integers(1, width)), int(rng.integers(0, height)), int(rng.integers(1, 20))
        cells = [f"x{x:03d}y{up:03d}" for up in range(y, min(y + n, height))]
        found.append((cells, plan.grids[labels[x - 1, y]].code))
    return found


@pytest.mark.parametrize(("size", "across", "history", "most"), SIZES)
def test_a_report_comes_while_one_draws(
    database: Database,
    database_url: str,
    tmp_path: Path,
    size: tuple[int, int],
    across: tuple[int, int],
    history: int,
    most: float,
    record_property: Any,
) -> None:
    tiling, plan = board(*size), blocks(*size, *across)
    measures = loads(tiling)
    other = small(database)
    made = put(database, lay(database, tiling, measures, "large"), tiling, plan, measures)
    _with_history(database, made, plan.labels, len(plan.grids), history)
    with serving(database_url, tmp_path) as address, closing(_Page(address)) as page:
        page.ask("GET", f"/v1/plans/{other}/grids")  # a warm process, which has not seen the plan
        opened, _ = page.ask("GET", f"/v1/plans/{made}/grids")
        revision = json.loads(page.ask("GET", f"/v1/plans/{made}")[1])["revision"]
        taken = []
        for cells, to in _strokes(plan, *size):
            body = {"base_revision": revision, "cells": cells, "to": to}
            seconds, text = page.ask("POST", f"/v1/plans/{made}/moves", body)
            taken.append(seconds)
            revision = json.loads(text)["revision"]
    taken.sort()
    record_property("opened, ms", round(opened * 1000))
    record_property("report after a move, ms, p50", round(taken[EDITS // 2] * 1000, 1))
    record_property("report after a move, ms, p95", round(taken[EDITS * 95 // 100] * 1000, 1))
    record_property("report after a move, ms, worst", round(taken[-1] * 1000, 1))
    assert taken[EDITS * 95 // 100] < most
    assert opened < 1.0
