"""The database goes away under load and comes back: nobody starts anything anew, and nothing is lost."""

from __future__ import annotations

import json
import os
import threading
import time
import urllib.request
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.error import HTTPError

import pytest
from sqlalchemy import make_url

from gridsvc.config import Settings
from gridsvc.ownership.live import Live
from tests.databases import missing
from tests.journey.crash import KIT, SLUG, Driver, columns
from tests.journey.test_crash import _until, running

AWAY = float(os.environ.get("GRIDSVC_PROOF_AWAY", "3"))
SOON = 1.5  # seconds in which lookups may notice that nobody keeps their files up to date

Record = Callable[[str, object], None]


class Load:
    """One who edits, under each key until it is answered, and one who looks up."""

    def __init__(self, driver: Driver) -> None:
        self._driver, self._stop = driver, threading.Event()
        self.done, self.edits, self.lookups = 0, Counter[str](), Counter[str]()
        self._threads = [threading.Thread(target=work) for work in (self._edit, self._look)]

    def __enter__(self) -> Load:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        for thread in self._threads:
            thread.join()

    def _edit(self) -> None:
        while not self._stop.wait(0.02):
            try:
                assert self._driver.edit(self._driver.http(), 0, self.done + 1)
            except (OSError, AssertionError) as error:
                self.edits[str(error)] += 1
            else:
                self.done += 1

    def _look(self) -> None:
        path = f"/v1/owner/cells/{columns(0, 1)[0]}?territory={SLUG}"
        while not self._stop.wait(0.01):
            self.lookups[str(asked(self._driver, path)[0])] += 1


def asked(driver: Driver, path: str) -> tuple[int, dict[str, Any], dict[str, str]]:
    try:
        with urllib.request.urlopen(driver.url() + path, timeout=20) as answer:
            return answer.status, json.load(answer), dict(answer.headers)
    except HTTPError as error:
        return error.code, json.load(error), dict(error.headers)


@pytest.fixture
def driver(database_url: str, tmp_path: Path) -> Driver:
    if not KIT.is_dir():
        missing("../shared/kit")
    return Driver(database_url, tmp_path)


@pytest.fixture
def switch(database_url: str, request: pytest.FixtureRequest) -> Iterator[tuple[Callable[[], object], ...]]:
    """Takes the database away, and brings it back."""
    if make_url(database_url).get_backend_name() == "sqlite":
        path = Path(str(make_url(database_url).database))
        aside = path.with_name("aside")
        yield lambda: path.rename(aside), lambda: aside.rename(path)
        return
    server = request.getfixturevalue("postgis_server")
    yield server.pause, server.resume
    server.resume()  # others use it


def _in_files(settings: Settings) -> bool:
    """Whether lookups know of the publication without the database: on a busy machine that takes a while."""
    state = Live(settings.mapped).state()
    return state is not None and (SLUG, "base") in state.lines


def test_a_database_which_goes_away_under_load(
    driver: Driver,
    switch: tuple[Callable[[], object], ...],
    database_url: str,
    tmp_path: Path,
    record_property: Record,
) -> None:
    away, back = switch
    settings = Settings(data_dir=tmp_path, database_url=database_url)
    with running(driver) as process:
        publish = f"/v1/plans/{driver.published}/publish"
        driver._call(driver.http(), "POST", publish, {}, {"If-Match": '"2"'})
        with Load(driver) as load:
            _until(lambda: load.done > 5 and load.lookups["200"] > 20)
            _until(lambda: _in_files(settings))
            away()
            _until(lambda: asked(driver, "/readyz")[0] == 503, seconds=20)
            told = asked(driver, "/readyz")
            assert told[1]["reason"] == "database-unreachable"
            assert told[2]["retry-after"] == "5"
            assert asked(driver, "/healthz")[0] == 200
            time.sleep(SOON)
            load.lookups.clear()
            before = load.done
            time.sleep(AWAY)
            assert load.lookups.keys() == {"200"}, "lookups go on from their files"
            assert load.done == before
            back()
            began = time.monotonic()
            _until(lambda: asked(driver, "/readyz")[0] == 200)
            record_property("seconds until ready again", round(time.monotonic() - began, 2))
            _until(lambda: load.done > before + 5)
        assert process.poll() is None
        stored = driver._edits(driver.http())[0]
        assert stored >= load.done > 0
        assert load.edits.keys() <= {"503", "timed out"}, load.edits
        record_property("edits while it was away, refused", sum(load.edits.values()))
        record_property("edits acknowledged, and stored", [load.done, stored])
