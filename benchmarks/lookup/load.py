"""Single questions beside full batches."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from typing import Any

from benchmarks.lookup.caller import KEY
from benchmarks.lookup.ground import Ground
from benchmarks.lookup.questions import first_question
from benchmarks.lookup.running import ROOT, Running, running
from benchmarks.lookup.sizes import Sizes

__all__ = ["loaded"]

_WORKERS = 2
_CLIENTS = 4
_RATE = 100.0  # single questions a second


def loaded(ground: Ground, sizes: Sizes) -> dict[str, Any]:
    """Milliseconds of single questions at a fixed rate, alone and while clients send full batches.

    Counted from when a question was due, so that one which waits makes the next ones late as well. The
    hiccups are those of an idle timer in a process of its own meanwhile.
    """
    body = ground.folder / "batch.json"
    rows = [json.loads(line)["in"] for line in (ground.folder / "batch.jsonl").open()]
    body.write_text(json.dumps({name: [row[name] for row in rows] for name in ("lat", "lon")}))
    with running(ground.folder, *first_question(ground), _WORKERS) as service:
        time.sleep(sizes.settle)
        alone = _singles(service, ground, sizes.loaded_seconds / 3)
        clients = [
            _program("flood", service.key, service.port, body, sizes.loaded_seconds + 1)
            for _ in range(_CLIENTS)
        ]
        time.sleep(0.5)
        beside = _singles(service, ground, sizes.loaded_seconds)
        told = [json.loads(client.communicate()[0]) for client in clients]
    batches = {name: sum(t[name] for t in told) for name in ("batches", "errors")}
    return {"alone": alone, "beside": beside, "clients": _CLIENTS, "points": len(rows), **batches}


def _program(name: str, key: str, *arguments: Any) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-m", f"benchmarks.lookup.{name}", *map(str, arguments)]
    return subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, env={**os.environ, KEY: key})


def _singles(service: Running, ground: Ground, seconds: float) -> dict[str, Any]:
    program = _program("singles", service.key, service.port, ground.folder / "points.jsonl", _RATE, seconds)
    idle = _program("idle", service.key, seconds)
    found: dict[str, Any] = json.loads(program.communicate()[0])
    return {**found, "hiccup_p99_ms": json.loads(idle.communicate()[0])["p99_ms"], "rate": _RATE}
