"""A caller at ten times its rate is refused, and another hardly notices."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import urllib.request
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from gridsvc.principal import LOCAL
from gridsvc.services import keys
from gridsvc.services.keys import Wanted
from gridsvc.store import Database
from tests.api.odd_places import plain, put_all
from tests.journey.served import serving

SECONDS = int(os.environ.get("GRIDSVC_PROOF_FAIR", "6"))
PROOF = SECONDS >= 60
ROUNDS = 5 if PROOF else 1  # alone and beside by turns, so that what else the machine does meets both
RATE, BURST = 100, 2.0
PATH = "/v1/owner?lat=39.9&lon=116.4"

Record = Callable[[str, object], None]


@pytest.fixture
def service(
    tmp_path: Path, migrated_file: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[tuple[int, str, str]]:
    """Its port, and two keys."""
    shutil.copy(migrated_file, tmp_path / "gridsvc.db")
    url = f"sqlite:///{tmp_path / 'gridsvc.db'}"
    put_all(url, plain())
    database = Database.open(url)
    modest, greedy = (keys.create(database, LOCAL, Wanted(name, "service"))[1] for name in ("crm", "billing"))
    database.close()
    monkeypatch.setenv("GRIDSVC_RATE_LIMIT", str(RATE))
    monkeypatch.setenv("GRIDSVC_ACCESS", "keys")
    with serving(url, tmp_path) as address:
        for key in (modest, greedy):
            shown = {"Authorization": f"Bearer {key}"}
            urllib.request.urlopen(urllib.request.Request(address + PATH, headers=shown)).close()
        yield int(address.rpartition(":")[2]), modest, greedy


def asking(port: int, key: str, rate: float) -> subprocess.Popen[bytes]:
    arguments = [str(port), key, str(rate), str(SECONDS // ROUNDS), PATH]
    command = [sys.executable, "-m", "tests.journey.asker", *arguments]
    return subprocess.Popen(command, stdout=subprocess.PIPE)


def told(process: subprocess.Popen[bytes]) -> dict[str, Any]:
    out, _ = process.communicate(timeout=10 * SECONDS + 60)
    return dict(json.loads(out))


def test_one_key_at_ten_times_its_rate(service: tuple[int, str, str], record_property: Record) -> None:
    port, modest, greedy = service
    asked, refused = RATE * (SECONDS // ROUNDS), Counter[str]()
    late: dict[str, list[float]] = {"alone": [], "beside": []}
    for _ in range(ROUNDS):
        alone = told(asking(port, modest, 0.8 * RATE))
        other = asking(port, greedy, 10 * RATE)
        beside = told(asking(port, modest, 0.8 * RATE))
        much = told(other)
        assert alone["statuses"] == beside["statuses"] == {"200": int(0.8 * asked)}
        served = much["statuses"]["200"]
        assert 0.8 * asked < served <= RATE * (much["seconds"] + BURST) + 1
        assert much["statuses"]["429"] == 10 * asked - served
        assert much["retry_after"] == ["1"]
        refused["429"] += much["statuses"]["429"]
        late["alone"] += alone["late_ms"]
        late["beside"] += beside["late_ms"]
    record_property("of the greedy one's requests refused", refused["429"])
    ratios = {}
    for percent in (50, 99):
        before, during = (float(np.percentile(late[name], percent)) for name in ("alone", "beside"))
        ratios[percent] = during / before
        record_property(f"the other's p{percent}, alone and beside, ms", [round(before, 2), round(during, 2)])
    record_property("p99 beside over alone", round(ratios[99], 2))
    if PROOF:
        assert ratios[99] < 2, late
