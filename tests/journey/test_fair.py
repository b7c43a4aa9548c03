"""A caller at ten times its rate is refused, and another hardly notices."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.api.odd_places import plain, put_all
from tests.journey.served import serving

SECONDS = int(os.environ.get("GRIDSVC_PROOF_FAIR", "6"))
PROOF = SECONDS >= 60
RATE, BURST = 100, 2.0

Record = Callable[[str, object], None]


@pytest.fixture
def port(tmp_path: Path, migrated_file: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[int]:
    shutil.copy(migrated_file, tmp_path / "gridsvc.db")
    url = f"sqlite:///{tmp_path / 'gridsvc.db'}"
    put_all(url, plain())
    monkeypatch.setenv("GRIDSVC_RATE_LIMIT", str(RATE))
    with serving(url, tmp_path) as address:
        yield int(address.rpartition(":")[2])


def asking(port: int, source: str, rate: float) -> subprocess.Popen[bytes]:
    arguments = [str(port), source, str(rate), str(SECONDS), "/v1/owner?lat=39.9&lon=116.4"]
    command = [sys.executable, "-m", "tests.journey.asker", *arguments]
    return subprocess.Popen(command, stdout=subprocess.PIPE)


def told(process: subprocess.Popen[bytes]) -> dict[str, Any]:
    out, _ = process.communicate(timeout=10 * SECONDS + 60)
    return dict(json.loads(out))


def test_one_caller_at_ten_times_its_rate(port: int, record_property: Record) -> None:
    quiet = os.getloadavg()[0] < 1.0
    alone = told(asking(port, "127.0.0.2", 0.8 * RATE))
    greedy = asking(port, "127.0.0.3", 10 * RATE)
    beside = told(asking(port, "127.0.0.2", 0.8 * RATE))
    much = told(greedy)
    assert alone["statuses"] == beside["statuses"] == {"200": int(0.8 * RATE * SECONDS)}
    served = much["statuses"]["200"]
    assert 0.8 * RATE * SECONDS < served <= RATE * (much["seconds"] + BURST) + 1
    assert much["statuses"]["429"] == 10 * RATE * SECONDS - served
    assert much["retry_after"] == ["1"]
    record_property("of the greedy one's requests refused", much["statuses"]["429"])
    for name in ("p50_ms", "p99_ms"):
        pair = [round(alone[name], 2), round(beside[name], 2)]
        record_property(f"the other's {name}, alone and beside", pair)
    record_property("the machine did nothing else", quiet)
    if PROOF and quiet:
        assert beside["p99_ms"] < 2 * alone["p99_ms"]
