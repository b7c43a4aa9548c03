"""The service against its peers in turns, measured by the kit beside the repository: server CPU a request."""

from __future__ import annotations

import json
import os
import shlex
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from benchmarks.lookup.caller import GUARDED, key_for
from benchmarks.lookup.ground import Ground
from benchmarks.lookup.postgis import BATCH, POINT, filled
from benchmarks.lookup.sizes import Sizes
from tests.journey.served import free_port

__all__ = ["CASES", "GATES", "KIT", "OURS", "Gate", "measure", "spec", "toml"]

ROOT = Path(__file__).resolve().parents[2]
KIT = ROOT.parent / "shared" / "kit" / "svcbench.py"
OURS = "gridsvc"
_BATCHES = {
    "batch-columns": ("columns", 400),
    "batch-arrow": ("arrow", 220),
    "batch-objects": ("objects", 900),
}
_SETTLING = ("settle", "settle-arrow")  # what the first requests after a start cost is told elsewhere
CASES = ("point", "customer", "cell", *_BATCHES)


@dataclass(frozen=True, slots=True)
class Gate:
    """Something asked of the figures.

    Attributes
    ----------
    what : str
        In words.
    figure : str
        As the kit reads it: ``case.target.figure``, or one such over another.
    sign : {"<=", ">="}
    bar : float
    """

    what: str
    figure: str
    sign: str
    bar: float

    @property
    def cases(self) -> set[str]:
        """Cases of which it speaks."""
        return {name.split(".")[0] for name in self.figure.split(" / ")}

    @property
    def targets(self) -> set[str]:
        """Targets of which it speaks."""
        return {name.split(".")[1] for name in self.figure.split(" / ")}

    @property
    def rule(self) -> str:
        """The gate as a line of the kit's spec."""
        return f"{self.figure} {self.sign} {self.bar:g}"


def _gates() -> tuple[Gate, ...]:
    gates = []
    for conns in ("c1", "c32"):
        cpu = {name: f"point.{name}.{conns}.cpu_us" for name in (OURS, "nothing", "fastapi-postgis")}
        ours = cpu[OURS]
        gates += [
            Gate(f"point, {conns}: µs CPU", ours, "<=", 60),
            Gate(
                f"point, {conns}: over an ASGI route which does nothing",
                f"{ours} / {cpu['nothing']}",
                "<=",
                1.7,
            ),
            Gate(f"point, {conns}: FastAPI + PostGIS over it", f"{cpu['fastapi-postgis']} / {ours}", ">=", 6),
        ]
    for case, (body, bar) in _BATCHES.items():
        ours = f"{case}.{OURS}.cpu_ns_per_pt"
        gates += [
            Gate(f"batch as {body}: ns CPU a point", ours, "<=", bar),
            Gate(
                f"batch as {body}: PostGIS over it", f"batch-columns.postgis.cpu_ns_per_pt / {ours}", ">=", 30
            ),
        ]
    return tuple(gates)


GATES = _gates()


def measure(ground: Ground, sizes: Sizes, work: Path) -> dict[str, Any] | None:
    """Run the kit; its medians, its remarks and its gates; None where there is no kit.

    Returns
    -------
    dict or None
        ``median`` by case and target, ``gates`` (figure and whether it is met, by rule), ``wrong`` (answers
        of ours which were not the oracle's), ``rounds``.
    """
    if not KIT.exists():
        print("the service is left out: no measuring kit in ../shared/kit")
        return None
    with filled(ground) as dsn:
        if dsn is None:
            print("PostGIS is left out: it is not here")
        (ground.folder / "spec.toml").write_text(toml(spec(ground, sizes, dsn, work)), encoding="utf-8")
        out = work / "kit.json"
        command = [sys.executable, str(KIT), str(ground.folder / "spec.toml"), "--out", str(out)]
        environment = {**os.environ, "BENCHMARK_DSN": dsn or ""}
        done = subprocess.run(
            [*command, "--rounds", str(sizes.rounds)],
            cwd=ROOT,
            env=environment,
            stdout=subprocess.PIPE,
            text=True,
            check=False,
        )
    print(done.stdout)
    if not out.exists():
        raise SystemExit(f"the measuring kit ended with {done.returncode}")
    median = {
        case: told for case, told in json.loads(out.read_text())["median"].items() if case not in _SETTLING
    }
    return {"median": median, "gates": _told(done.stdout), "wrong": _wrong(median), "rounds": sizes.rounds}


def _told(output: str) -> dict[str, Any]:
    """What the kit says of each gate: ``PASS rule   [figure]``."""
    found = {}
    for line in output.splitlines():
        verdict, _, rest = line.partition(" ")
        if verdict in {"PASS", "FAIL"}:
            rule, _, figure = rest.rpartition("   [")
            found[rule] = {"met": verdict == "PASS", "figure": figure.rstrip("]")}
    return found


def _wrong(median: Mapping[str, Any]) -> dict[str, int]:
    """Answers of ours which were not the oracle's, by case."""
    return {case: int(median[case][OURS]["mismatch"]) for case in CASES if case in median}


# --- the spec


def spec(ground: Ground, sizes: Sizes, dsn: str | None, work: Path) -> dict[str, Any]:
    """What the kit is to do."""
    ours = _served(
        OURS,
        _own_command(),
        "/readyz",
        (*_SETTLING, *CASES),
        work,
        GRIDSVC_DATABASE_URL=ground.url,
        **GUARDED,
    )
    targets = [
        {**ours, "headers": {"Authorization": f"Bearer {key_for(ground.url)}"}},
        _served("nothing", _peer("nothing"), "/", ["point"], work, reference=True),
    ]
    if dsn is not None:
        targets += _over_postgis(dsn, work)
    known = {target["name"] for target in targets}
    gates = [gate.rule for gate in GATES if gate.targets <= known]
    singles = [
        _single("point", "/v1/owner?lat={lat}&lon={lon}", "points", sizes, params=["lon", "lat"]),
        _single("customer", "/v1/owner/customers/{id}", "customers", sizes),
        _single("cell", "/v1/owner/cells/{cell}", "cells", sizes),
    ]
    settling = [
        {**singles[0], "name": "settle", "conns": [1], "seconds": sizes.settle},
        {**_batch("batch-arrow", sizes), "name": "settle-arrow", "seconds": 1},
    ]
    cases = [*settling, *singles, *(_batch(c, sizes) for c in _BATCHES)]
    return {"gates": gates, "target": targets, "case": cases}


def _over_postgis(dsn: str, work: Path) -> list[dict[str, Any]]:
    direct = {"name": "postgis", "kind": "postgis", "dsn": dsn, "sql": POINT}
    targets: list[dict[str, Any]] = [{**direct, "cases": ["point", "batch-columns"]}]
    if find_spec("psycopg_pool") is None:
        print("FastAPI + PostGIS is left out: psycopg-pool is not installed")
        return targets
    return [_served("fastapi-postgis", _peer("usual"), "/docs", ["point"], work, reference=True), *targets]


def _own_command() -> list[str]:
    return [sys.executable, "-c", "from gridsvc.cli import main; main()", "serve", "--workers", "1"]


def _peer(name: str) -> list[str]:
    app = f"benchmarks.lookup.peers:{name}"
    return [sys.executable, "-m", "uvicorn", app, "--log-level", "error", "--no-access-log"]


def _served(
    name: str,
    command: Sequence[str],
    health: str,
    cases: Sequence[str],
    work: Path,
    *,
    reference: bool = False,
    **env: str,
) -> dict[str, Any]:
    port = free_port()
    return {
        "name": name,
        "start": shlex.join([*command, "--port", str(port)]),
        "base_url": f"http://127.0.0.1:{port}",
        "health": health,
        "cases": list(cases),
        "cwd": str(ROOT),
        "reference": reference,
        "env": {"GRIDSVC_DATA_DIR": str(work / "data"), **env},
    }


def _single(name: str, path: str, oracle: str, sizes: Sizes, **more: Any) -> dict[str, Any]:
    asked = {"name": name, "path": path, "oracle": f"{oracle}.jsonl", "expect": {"grid": "grid.code"}}
    return {**asked, "conns": [1, 32], "seconds": sizes.seconds, "check": min(1000, sizes.points), **more}


def _batch(name: str, sizes: Sizes) -> dict[str, Any]:
    # PostGIS answers one of the cases; the way the points came makes no difference to it.
    direct = {"sql": BATCH, "params": ["lat", "lon"]} if name == "batch-columns" else {}
    return {
        "name": name,
        "path": "/v1/owner/batch",
        "body": _BATCHES[name][0],
        "fields": ["lat", "lon"],
        "size": sizes.batch,
        "expect": {"grid": "grid"},
        "oracle": "batch.jsonl",
        "seconds": sizes.seconds,
        **direct,
    }


def toml(document: Mapping[str, Any]) -> str:
    """A spec as text: plain members first, then lists of tables."""
    plain = [f"{name} = {_toml(value)}" for name, value in document.items() if not _tables(value)]
    tables = [
        "\n".join([f"[[{name}]]", *(f"{key} = {_toml(value)}" for key, value in table.items())])
        for name, listed in document.items()
        if _tables(listed)
        for table in listed
    ]
    return "\n".join([*plain, *tables]) + "\n"


def _tables(value: Any) -> bool:
    return isinstance(value, list) and bool(value) and isinstance(value[0], Mapping)


def _toml(value: Any) -> str:
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{json.dumps(k)} = {_toml(v)}" for k, v in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(_toml, value)) + "]"
    return json.dumps(value, ensure_ascii=False)
