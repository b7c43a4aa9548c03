"""The database or the disk goes away: errors say so, the service says it is not ready, and it comes back."""

from __future__ import annotations

import errno
import logging
import os
import sqlite3
import subprocess
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import make_url, text

from api.app import create_app
from gridsvc import jobs as child
from gridsvc.config import Settings
from gridsvc.errors import Conflict, InvalidInput, OutOfService
from gridsvc.outages import Tried
from gridsvc.ownership.live import LATE, Live
from gridsvc.principal import SYSTEM
from gridsvc.services import heads, jobs, plans, readiness, rosters
from gridsvc.services.request import SolveRequest
from gridsvc.store import Database
from gridsvc.store.pulse import UnreachableError, open_pulse
from gridsvc.supervisor import COMMAND, LONG
from gridsvc.teams.read import roster_from_dict
from gridsvc.watcher import Watcher
from tests.api.strip import ROSTER
from tests.databases import Opener, PostgisServer, copy_postgis
from tests.services.board import ANNA, board, lay, loads, small

AWAY = float(os.environ.get("GRIDSVC_PROOF_AWAY", "3"))


def until(condition: Callable[[], Any], seconds: float = 20) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "waited in vain"
        time.sleep(0.02)


def reason(call: Callable[[], Any]) -> str:
    with pytest.raises(OutOfService) as caught:
        call()
    assert caught.value.cure
    return str(caught.value.details["reason"])


def fills(monkeypatch: pytest.MonkeyPatch, number: int) -> None:
    def refuse(*_: Any) -> None:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(os, "posix_fallocate", refuse)


@pytest.mark.parametrize(
    ("number", "expected"),
    [
        (errno.ENOSPC, "disk-full"),
        (errno.EDQUOT, "disk-full"),
        (errno.EROFS, "disk-read-only"),
        (errno.EACCES, "disk-read-only"),
    ],
)
def test_a_disk_which_takes_nothing_is_no_place_to_be_ready(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int, expected: str
) -> None:
    readiness.require_room(tmp_path)
    fills(monkeypatch, number)
    assert reason(lambda: readiness.require_room(tmp_path)) == expected
    assert list(tmp_path.iterdir()) == []


def test_a_full_database_says_so_and_goes_on_once_there_is_room(tmp_path: Path, migrated_file: Path) -> None:
    """SQLite's own limit on pages stands in for the disk's: the code it answers with is the same."""
    path = tmp_path / "full.db"
    path.write_bytes(migrated_file.read_bytes())
    database = Database.open(f"sqlite:///{path}")
    with database._engine.connect() as connection:
        pages = connection.execute(text("PRAGMA page_count")).scalar_one()
        connection.execute(text(f"PRAGMA max_page_count = {pages + 2}"))
    assert reason(lambda: small(database, 60, 40)) == "disk-full"
    with database._engine.connect() as connection:
        connection.execute(text("PRAGMA max_page_count = 1000000"))
    small(database)
    database.close()


def test_a_read_only_database_says_so(database: Database) -> None:
    with database._engine.connect() as connection:
        if database.dialect == "sqlite":
            connection.execute(text("PRAGMA query_only = ON"))
        else:
            name = connection.execute(text("SELECT current_database()")).scalar_one()
            connection.execute(text(f"ALTER DATABASE {name} SET default_transaction_read_only = on"))
            connection.commit()
    database._engine.dispose() if database.dialect != "sqlite" else None
    assert reason(lambda: small(database)) == "database-read-only"


def test_a_clock_which_went_back(database: Database, open_database: Opener, tmp_path: Path) -> None:
    """Not ready until the clock has caught up; then all is there, and nobody started anything anew."""
    step = timedelta(seconds=readiness.SKEW + 3)
    small(open_database(clock=lambda: datetime.now(UTC) + step))
    assert reason(lambda: readiness.look(database, [tmp_path])) == "clock-behind"
    until(lambda: _ready(database, tmp_path))
    with database.read(SYSTEM) as reader:
        assert [found.id for found in reader.territories.list()] == ["board"]


def test_a_clock_which_went_forward(database: Database, open_database: Opener) -> None:
    """A job of a worker which did not notice is done by another; what the first one says then is refused."""
    tiling = board(6, 4)
    ground = lay(database, tiling, loads(tiling))
    _, job = plans.start(database, ANNA, ground, SolveRequest(2, (("customers", 0.9),), sweeps=5))
    first, second = "elsewhere/1/1/a", "elsewhere/2/2/b"
    assert jobs.claim(database, first, LONG) == job.id
    stepped = open_database(clock=lambda: datetime.now(UTC) + timedelta(hours=1))
    jobs.take_back_lost(stepped, lambda _: False, 30.0)
    assert jobs.claim(stepped, second, LONG) == job.id
    with pytest.raises(Conflict, match="taken up by another worker"):
        jobs.finish(database, job.id, first, {"plan": "wrong"})
    child.run(stepped, job.id, second)
    assert jobs.get(database, ANNA, job.id).status == "done"


def _ready(database: Database, folder: Path) -> bool:
    try:
        return readiness.look(database, [folder]) >= 0
    except OutOfService:
        return False


@pytest.mark.postgis
def test_a_database_which_goes_away_and_comes_back(postgis_server: PostgisServer, tmp_path: Path) -> None:
    """Lookups go on from the mapped files, the service says why it is not ready, nothing is lost."""
    addresses = copy_postgis(postgis_server, "migrated")
    url = next(addresses)
    name = str(make_url(url).database)
    settings = Settings(data_dir=tmp_path, database_url=url)
    live = Live(settings.mapped)
    watcher = Watcher(url, settings.mapped)
    try:
        with TestClient(create_app(settings, live=live, watched=True)) as client:
            watcher.start()
            until(lambda: live.state() is not None)
            seq = client.get("/readyz").json()["seq"]
            _shut(postgis_server, name)
            until(lambda: client.get("/readyz").status_code == 503)
            told = client.get("/readyz")
            assert told.json()["reason"] == "database-unreachable"
            assert told.headers["Retry-After"] == "5"
            assert client.get("/healthz").status_code == 200
            refused = client.post("/v1/territories", json={"id": "a", "name": "A", "boundary": SQUARE})
            assert (refused.status_code, refused.json()["type"]) == (
                503,
                "urn:gridsvc:problem:out-of-service",
            )
            _goes_on(live, seq, seconds=AWAY)

            postgis_server.sql(f"ALTER DATABASE {name} ALLOW_CONNECTIONS true")
            until(lambda: client.get("/readyz").status_code == 200)
            until(lambda: not watcher._away.is_set())
            database = Database.open(url)
            small(database)
            rosters.put(database, ANNA, "board", roster_from_dict(ROSTER))
            with database.read(SYSTEM) as reader:
                now = reader.seq()
            database.close()
            until(lambda: (live.state() or _NONE).seq == now)
    finally:
        watcher.stop()
        postgis_server.sql(f"ALTER DATABASE {name} ALLOW_CONNECTIONS true")
        next(addresses, None)


def test_a_database_which_goes_away_while_customers_files_are_taken_up(
    database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is in force is known, so lookups go on; after a commit not read yet the database is asked."""
    away: set[str] = set()

    def fails(name: str, work: Callable[..., Any], fault: Exception) -> Callable[..., Any]:
        def maybe(*given: Any) -> Any:
            if name in away:
                raise fault
            return work(*given)

        return maybe

    gone = OutOfService("away", cure="wait", reason="database-unreachable", retry_after=5)
    monkeypatch.setattr("gridsvc.services.heads.read_head", fails("read", heads.read_head, gone))
    monkeypatch.setattr("gridsvc.watcher.open_pulse", fails("open", open_pulse, UnreachableError()))
    live, watcher = Live(tmp_path), Watcher(database_url, tmp_path)
    watcher.start()
    try:
        until(lambda: live.state() is not None)
        away.update({"read", "open"})
        watcher._again.set()
        until(lambda: not watcher._again.is_set())
        _goes_on(live, 0, seconds=LATE + 1)
        away.remove("open")
        with closing(Database.open_existing(database_url)) as database:
            small(database)
            rosters.put(database, ANNA, "board", roster_from_dict(ROSTER))
        until(lambda: live.state() is None)
        away.clear()
        until(lambda: live.state() is not None)
    finally:
        watcher.stop()


def test_a_file_which_goes_away_and_comes_back(tmp_path: Path, migrated_file: Path) -> None:
    """Nobody makes another in its place, and what was begun in it is refused, not lost."""
    path = tmp_path / "here.db"
    path.write_bytes(migrated_file.read_bytes())
    database = Database.open(f"sqlite:///{path}")
    small(database)
    path.rename(tmp_path / "elsewhere.db")
    for ask in (lambda: readiness.look(database, []), lambda: small(database)):
        assert reason(ask) == "database-unreachable"
    with pytest.raises(InvalidInput, match="cannot be opened"):  # what a job does, which begins meanwhile
        Database.open_existing(f"sqlite:///{path}")
    assert not path.exists()
    (tmp_path / "elsewhere.db").rename(path)
    assert readiness.look(database, []) >= 0
    with database.read(SYSTEM) as reader:
        assert [found.id for found in reader.territories.list()] == ["board"]
    database.close()


def test_a_file_which_was_put_in_the_place_of_another_is_the_one_that_counts(
    tmp_path: Path, migrated_file: Path
) -> None:
    path, other = tmp_path / "here.db", tmp_path / "other.db"
    for each in (path, other):
        each.write_bytes(migrated_file.read_bytes())
    database = Database.open(f"sqlite:///{path}")
    small(database)
    for end in ("", "-wal", "-shm"):
        path.with_name(path.name + end).unlink(missing_ok=True)
    other.rename(path)
    with database.read(SYSTEM) as reader:
        assert reader.territories.list() == []
    database.close()


def test_a_file_which_somebody_else_keeps_locked(tmp_path: Path, migrated_file: Path) -> None:
    """Not ready while nobody can write; lookups and questions go on, and what waits is done afterwards."""
    path = tmp_path / "locked.db"
    path.write_bytes(migrated_file.read_bytes())
    database = Database.open(f"sqlite:///{path}")
    other = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
    other.execute("BEGIN IMMEDIATE")
    writer = ThreadPoolExecutor(1).submit(small, database)
    assert reason(lambda: readiness.look(database, [])) == "database-busy"
    with database.read(SYSTEM) as reader:
        assert reader.territories.list() == []
    other.execute("ROLLBACK")
    writer.result(60)
    assert readiness.look(database, []) >= 0
    other.close()
    database.close()


class _NONE:
    seq = -1


SQUARE = {
    "type": "Polygon",
    "coordinates": [[[0.3, 0.0], [0.4, 0.0], [0.4, 0.1], [0.3, 0.1], [0.3, 0.0]]],
}


def _shut(server: PostgisServer, name: str) -> None:
    server.sql(f"ALTER DATABASE {name} ALLOW_CONNECTIONS false")
    server.sql(f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{name}'")


def _goes_on(live: Live, seq: int, seconds: float) -> None:
    """The state stays at hand all the while; a moment may pass until the watcher has noticed."""
    time.sleep(1.5)
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        state = live.state()
        assert state is not None and state.seq == seq
        time.sleep(0.01)


# --- what the log says


def test_an_outage_is_logged_once_and_when_it_is_over(caplog: pytest.LogCaptureFixture) -> None:
    log = logging.getLogger("gridsvc.test")
    tried = Tried(log, "jobs cannot be looked after")
    away = OutOfService("the database cannot be reached", cure="try again later", reason="x", retry_after=5)

    def turn(fault: Exception | None) -> list[tuple[str, bool]]:
        caplog.clear()
        with tried.turn():
            if fault is not None:
                raise fault
        return [(record.message, record.exc_info is not None) for record in caplog.records]

    assert turn(None) == []
    said = "jobs cannot be looked after: the database cannot be reached; it is tried again"
    assert turn(away) == [(said, False)]
    assert turn(away) == turn(away) == []
    assert turn(None) == [("jobs cannot be looked after: that is over", False)]
    assert turn(None) == []
    assert turn(away) == [(said, False)]


def test_a_bug_is_logged_whole_each_time(caplog: pytest.LogCaptureFixture) -> None:
    tried = Tried(logging.getLogger("gridsvc.test"), "jobs cannot be looked after")
    for _ in range(2):
        with tried.turn():
            raise KeyError("a")
    assert [record.exc_info is not None for record in caplog.records] == [True, True]


def test_a_job_process_without_a_database_ends_in_order() -> None:
    """Its supervisor, and so its standard input, is still there."""
    environment = os.environ | {"GRIDSVC_DATABASE_URL": "sqlite:////nowhere/at.db", "GRIDSVC_WORKER": "w"}
    command = COMMAND
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    with subprocess.Popen(command, env=environment, bufsize=0, **pipes) as process:  # type: ignore[call-overload]
        process.stdin.write(b"job_1\n")
        assert process.wait(60) == 1
        assert b"Fatal" not in process.stderr.read()
