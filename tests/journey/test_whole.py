"""All of the service is killed again and again: jobs, publications and what webhooks are told are kept."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.databases import missing
from tests.exchange.listener import listening
from tests.journey.crash import KIT, crashkit
from tests.journey.test_crash import RESTART, pace, running
from tests.journey.whole import Receiver, Whole

KILLS = int(os.environ.get("GRIDSVC_PROOF_WHOLE", "10"))
PROOF = KILLS >= 100

Record = Callable[[str, object], None]


@pytest.mark.proof
def test_nothing_is_torn_lost_or_doubled(
    database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, record_property: Record
) -> None:
    if not KIT.is_dir():
        missing("../shared/kit")
    quiet = os.getloadavg()[0] < 1.0
    receiver = Receiver()
    with listening(receiver) as listener:
        monkeypatch.setenv("GRIDSVC_WEBHOOK_ALLOW", f"http://127.0.0.1:{listener.port}")
        driver = Whole(database_url, tmp_path, receiver, listener.port)
        with running(driver):
            path = f"/v1/plans/{driver.published}/publish"
            driver._call(driver.http(), "POST", path, {}, {"If-Match": '"2"'})
            driver.listen()
            life = max(4.0, 6 * pace(driver))
        figures, samples, bad = crashkit().run(
            lambda: driver, KILLS, writers=2, readers=2, lo=life, hi=2 * life
        )
    for name, value in (figures | driver.figures).items():
        record_property(name, value)
    record_property("the machine did nothing else", quiet)
    assert not bad, (figures, samples)
    assert driver.figures["jobs"] > 2 * driver.figures["jobs given up"]
    if PROOF and quiet:
        assert figures["restart_p50_s"] < RESTART
