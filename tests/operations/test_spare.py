"""A server which starts goes before jobs that others left; one which it is given itself is done at once."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from gridsvc import supervisor as supervisor_
from gridsvc.services import jobs
from gridsvc.store import Database
from gridsvc.supervisor import Supervisor
from tests.services.board import ANNA


@contextmanager
def supervising(url: str, spare: float) -> Iterator[Supervisor]:
    found = Supervisor(url, spare=spare)
    found.start()
    yield found
    found.stop()


def left(database: Database) -> str:
    """A job which fails at once."""
    return jobs.submit(database, ANNA, "tile", "nowhere", {}).id


def taken(database: Database, job: str, seconds: float) -> bool:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if jobs.get(database, ANNA, job).attempts:
            return True
        time.sleep(0.05)
    return False


def test_jobs_which_were_left_wait(database: Database, database_url: str) -> None:
    job = left(database)
    with supervising(database_url, spare=60) as supervisor:
        assert not taken(database, job, 1.5)
        supervisor.wake()
        assert taken(database, job, 20)


def test_they_are_taken_up_after_that(database: Database, database_url: str) -> None:
    job = left(database)
    with supervising(database_url, spare=0.5):
        assert taken(database, job, 20)


def test_a_server_which_is_stopped_meanwhile_does_not_wait(
    database: Database, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(supervisor_, "COMMAND", ["none is started"])
    began = time.monotonic()
    with supervising(database_url, spare=60):
        pass
    assert time.monotonic() < began + 20
