"""Requests sent three times, many at once, while the server is killed: each has exactly one effect."""

from __future__ import annotations

import os
import random
import signal
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import LONG_WALK
from tests.databases import missing
from tests.journey.crash import KIT, SLUG, Driver
from tests.journey.test_crash import _ready, _until

pytestmark = [pytest.mark.xdist_group("crash")]

REPEATS = int(os.environ.get("GRIDSVC_PROOF_REPEATS", "16"))
KILLS = int(os.environ.get("GRIDSVC_PROOF_REPEAT_KILLS", "1"))
HANDS = 8


@pytest.fixture
def driver(database_url: str, tmp_path: Path) -> Driver:
    if not KIT.is_dir():
        missing("../shared/kit")
    return Driver(database_url, tmp_path)


@LONG_WALK
def test_each_request_sent_three_times_has_one_effect(
    driver: Driver, record_property: Callable[[str, object], None]
) -> None:
    process = driver.start()
    _until(lambda: _ready(driver))
    driver._call(driver.http(), "POST", f"/v1/plans/{driver.published}/publish", {}, {"If-Match": '"2"'})
    answers: dict[int, set[str]] = {n: set() for n in range(REPEATS)}
    sendings = _sendings(random.Random(1))

    def send(n: int) -> None:
        made = _until_answered(driver, n)
        answers[n].add(made["id"])

    try:
        with ThreadPoolExecutor(HANDS) as hands:
            sent = [hands.submit(send, n) for n in sendings]
            for kill in range(1, KILLS + 1):
                due = len(sent) * kill / (KILLS + 1)
                _until(lambda due=due: sum(s.done() for s in sent) >= due, seconds=900)
                os.killpg(process.pid, signal.SIGKILL)
                process.wait()
                process = driver.start()
            for future in sent:
                future.result()
        assert all(len(ids) == 1 for ids in answers.values()), "the same request was answered in two ways"
        branches, requests = _effects(driver)
    finally:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
    expected = [f"{n:04}" for n in range(REPEATS)]
    assert sorted([*branches, *requests]) == expected
    record_property("requests, each sent three times", REPEATS)
    record_property("kill -9", KILLS)
    record_property("effects", len(branches) + len(requests))


def _sendings(rng: random.Random) -> list[int]:
    """Each number three times: of the even ones at once, of the odd ones at any times."""
    at_once = [[n] * 3 for n in range(0, REPEATS, 2)]
    apart = [[n] for n in range(1, REPEATS, 2) for _ in range(3)]
    groups = at_once + apart
    rng.shuffle(groups)
    return [n for group in groups for n in group]


def _until_answered(driver: Driver, n: int) -> dict[str, Any]:
    """The answer, asked for as a careful client does: again under the same key, until there is one."""
    headers = {"Idempotency-Key": f"number {n}"}
    if n % 4 < 2:
        path, body = f"/v1/plans/{driver.published}/branch", {"name": f"{n:04}"}
    else:
        wish = {"kind": "move", "cells": [f"x{n % 8:03d}y000"], "to": "02"}
        path, body = "/v1/requests", {"territory": SLUG, "reason": f"{n:04}", **wish}
    end = time.monotonic() + 120
    while True:
        try:
            return dict(driver._call(driver.http(), "POST", path, body, headers))
        except OSError:
            assert time.monotonic() < end, "no answer"
            time.sleep(0.02)


def _effects(driver: Driver) -> tuple[list[str], list[str]]:
    """Names of the plans made, and reasons of the requests made, as they are stored."""
    patient = driver.http(120)
    plans = driver._pages(patient, f"/v1/plans?territory={SLUG}")
    requests = driver._pages(patient, f"/v1/requests?territory={SLUG}")
    details = [driver._call(patient, "GET", f"/v1/requests/{r['id']}") for r in requests]
    return [p["name"] for p in plans if p["name"].isdigit()], [d["reason"] for d in details]
