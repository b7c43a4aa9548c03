"""Customers come and move in batches, readers look them up, and the server is killed again and again."""

from __future__ import annotations

import contextlib
import http.client
import json
import os
import random
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from queue import Queue
from typing import Any

import pytest

from gridsvc.config import Settings
from gridsvc.customers.measures import parse_measure
from gridsvc.ownership.live import Live
from gridsvc.plans.plan import Grid
from gridsvc.principal import SYSTEM
from gridsvc.services import imports, plans, publishing, rosters
from gridsvc.services.imports import ImportOptions
from gridsvc.services.publishing import Wanted
from gridsvc.store import Database
from gridsvc.teams.read import roster_from_dict
from tests.api.strip import ROSTER
from tests.conftest import LONG_WALK
from tests.journey.served import free_port
from tests.services.board import ANNA, SIDE, blocks, board, lay, loads

UPSERTS = int(os.environ.get("GRIDSVC_PROOF_UPSERTS", "4000"))
BATCH = 1000 if UPSERTS >= 100_000 else 200
KILLS = 10 if UPSERTS >= 100_000 else 2
THERE = UPSERTS  # customers in the import below
READERS, WORKERS = 4, 2
VISIBLE = 1.0  # seconds

WIDTH, HEIGHT = 24, 4
T = datetime(2026, 1, 1, tzinfo=UTC)
DEGREE = SIDE / 111_320

Record = Callable[[str, object], None]


def _cell(number: int) -> tuple[str, float, float]:
    """Name and middle of a cell of the board."""
    x, y = divmod(number, HEIGHT)
    return f"x{x:03d}y{y:03d}", (x + 0.5) * DEGREE, (y + 0.5) * DEGREE


def _build(url: str, folder: Path) -> None:
    """A published board with an import of customers, ``k0`` in the first cell and so on."""
    database = Database.open(url)
    tiling = board(WIDTH, HEIGHT)
    made = lay(database, tiling, loads(tiling))
    rosters.put(database, ANNA, "board", roster_from_dict(ROSTER))
    lines = [f"k{i},{lon},{lat}" for i in range(THERE) for _, lon, lat in [_cell(i % len(tiling))]]
    (folder / "c.csv").write_text("\n".join(["id,lon,lat", *lines]))
    options = ImportOptions((parse_measure("customers=count"),))
    imports.put_file(database, ANNA, made, folder / "c.csv", options)
    drawn = blocks(WIDTH, HEIGHT, 2, 1)
    teamed = type(drawn)(drawn.labels, tuple(Grid(g.code, g.name, "t") for g in drawn.grids))
    plan = plans.put(database, ANNA, made, teamed, (("customers", 0.9),))
    publishing.publish(database, ANNA, plan.id, plan.revision, Wanted())
    database.close()


class Server:
    """`gridsvc serve` as a process group which can be killed as a whole."""

    def __init__(self, url: str, folder: Path) -> None:
        self._url, self._folder, self.port = url, folder, free_port()
        self._process: subprocess.Popen[bytes] | None = None
        self.kills = 0

    def start(self) -> None:
        named = {"GRIDSVC_DATA_DIR": str(self._folder), "GRIDSVC_DATABASE_URL": self._url}
        command = [sys.executable, "-c", "from gridsvc.cli import main; main()", "serve"]
        command += ["--port", str(self.port), "--workers", str(WORKERS)]
        with (self._folder / "serve.log").open("ab") as log:
            self._process = subprocess.Popen(
                command, env={**os.environ, **named}, stdout=log, stderr=log, start_new_session=True
            )
        end = time.monotonic() + 60
        while True:
            with contextlib.suppress(OSError, http.client.HTTPException):
                if self.once("GET", "/readyz")[0] == 200:
                    return
            assert time.monotonic() < end, (self._folder / "serve.log").read_text()
            time.sleep(0.05)

    def kill(self) -> None:
        assert self._process is not None
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()
        self.kills += 1

    def connection(self) -> http.client.HTTPConnection:
        return http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)

    def once(self, method: str, path: str, body: bytes | None = None) -> tuple[int, Any]:
        """Ask on a connection of its own: whichever worker has it answers."""
        with contextlib.closing(self.connection()) as connection:
            return self.ask(connection, method, path, body)

    @staticmethod
    def ask(
        connection: http.client.HTTPConnection, method: str, path: str, body: bytes | None = None
    ) -> tuple[int, Any]:
        headers = {} if body is None else {"Content-Type": "application/json"}
        connection.request(method, path, body, headers)
        answer = connection.getresponse()
        return answer.status, json.loads(answer.read() or b"null")

    def cpu(self) -> float:
        """Seconds of a core which the processes of the group have taken."""
        assert self._process is not None
        total = 0
        for path in Path("/proc").glob("[0-9]*/stat"):
            with contextlib.suppress(OSError):
                fields = path.read_text().rpartition(")")[2].split()
                if int(fields[2]) == self._process.pid:
                    total += int(fields[11]) + int(fields[12])
        return total / os.sysconf("SC_CLK_TCK")


@dataclass
class Watched:
    """What readers found: delays in seconds, and what was not as it should be."""

    delays: list[float] = field(default_factory=list)
    bad: list[str] = field(default_factory=list)


def _reader(server: Server, wanted: Queue[Any], found: Watched) -> None:
    """Look customers up on one connection until each is where it was said to be."""
    connection = server.connection()
    while (item := wanted.get()) is not None:
        customer, cell, told, kills = item
        while True:
            try:
                status, answer = server.ask(connection, "GET", f"/v1/owner/customers/{customer}")
            except (OSError, http.client.HTTPException):
                connection.close()
                connection = server.connection()
                time.sleep(0.05)
                continue
            if status == 200 and answer["cell"] == cell:
                if server.kills == kills:
                    found.delays.append(time.monotonic() - told)
                break
            if time.monotonic() > told + 60:
                found.bad.append(f"{status} {answer}")
                break
    connection.close()


@pytest.fixture
def server(database_url: str, tmp_path: Path) -> Iterator[Server]:
    _build(database_url, tmp_path)
    found = Server(database_url, tmp_path)
    found.start()
    yield found
    found.kill()


def _batch(number: int, dice: random.Random) -> dict[str, int]:
    """Half of them new, half of those in the import; the number of each one's cell."""
    names = [f"n{number}-{i}" for i in range(BATCH // 2)]
    names += [f"k{i}" for i in dice.sample(range(THERE), BATCH - len(names))]
    return {name: dice.randrange(WIDTH * HEIGHT) for name in names}


def _body(batch: dict[str, int], number: int) -> bytes:
    updated = (T + timedelta(minutes=number)).isoformat()
    places = {name: _cell(cell) for name, cell in batch.items()}
    rows = [
        {"id": name, "source_updated_at": updated, "lon": lon, "lat": lat}
        for name, (_, lon, lat) in places.items()
    ]
    return json.dumps(rows).encode()


def _told(server: Server, body: bytes) -> dict[str, Any]:
    """Send a batch until it is acknowledged, as any source would."""
    while True:
        try:
            path = "/v1/territories/board/customers/batch"
            status, answer = server.once("POST", path, body)
        except (OSError, http.client.HTTPException):
            time.sleep(0.05)
            continue
        assert status == 200, answer
        found: dict[str, Any] = answer
        return found


@LONG_WALK
def test_nothing_told_is_lost_and_all_is_seen_within_a_second(
    server: Server, database_url: str, tmp_path: Path, record_property: Record
) -> None:
    dice, batches = random.Random(1), UPSERTS // BATCH
    kills = set(dice.sample(range(1, batches), KILLS))
    queues: list[Queue[Any]] = [Queue() for _ in range(READERS)]
    watched = [Watched() for _ in range(READERS)]
    readers = [
        threading.Thread(target=_reader, args=(server, queue, found), daemon=True)
        for queue, found in zip(queues, watched, strict=True)
    ]
    for reader in readers:
        reader.start()
    truth, took, cpu, bases = {f"k{i}": i % (WIDTH * HEIGHT) for i in range(THERE)}, [], 0.0, set[str]()
    before = server.cpu()
    for number in range(batches):
        batch = _batch(number, dice)
        body = _body(batch, number)
        if number in kills:
            cpu += server.cpu() - before
            late = threading.Timer(dice.uniform(0, 0.1), server.kill)
            late.start()
        start = time.monotonic()
        answer = _told_through(server, body, late if number in kills else None)
        if number not in kills:
            took.append(time.monotonic() - start)
        else:
            before = 0.0
        assert answer["recorded"] + answer["repeated"] == BATCH, answer
        truth |= batch
        for queue in queues:
            for name in dice.sample(sorted(n for n in batch if n.startswith("n")), 5):
                queue.put((name, _cell(batch[name])[0], time.monotonic(), server.kills))
        if number % 10 == 5:
            again = _told(server, body)
            assert again["repeated"] == BATCH
            astray = {name: (cell + 1) % (WIDTH * HEIGHT) for name, cell in batch.items()}
            assert _told(server, _body(astray, -1))["older"] == BATCH
        bases |= {
            path.name for path in _mapped(database_url, tmp_path).glob("customers-*.own") if _is_whole(path)
        }
    for queue in queues:
        queue.put(None)
    for reader in readers:
        reader.join(120)
    cpu += server.cpu() - before
    delays = sorted(delay for found in watched for delay in found.delays)
    record_property("batches, ms, median and most", [_ms(took, 0.5), _ms(took, 1)])
    record_property("seen after the answer, ms, median and most", [_ms(delays, 0.5), _ms(delays, 1)])
    record_property("looks", len(delays))
    record_property("seconds of a core, server and readers' questions", round(cpu, 1))
    record_property("files of all customers written", len(bases))
    assert not [bad for found in watched for bad in found.bad]
    assert delays[-1] < VISIBLE
    _check(database_url, tmp_path, truth)


def _told_through(server: Server, body: bytes, killer: threading.Timer | None) -> dict[str, Any]:
    """The answer to a batch, also when the server is killed meanwhile."""
    if killer is None:
        return _told(server, body)
    with contextlib.suppress(OSError, http.client.HTTPException):
        server.once("POST", "/v1/territories/board/customers/batch", body)
    killer.join()
    server.start()
    return _told(server, body)


def _mapped(url: str, folder: Path) -> Path:
    return Settings(data_dir=folder, database_url=url).mapped


def _is_whole(path: Path) -> bool:
    return path.name.count("-") == 3


def _ms(values: list[float], share: float) -> float:
    ordered = sorted(values)
    return round(1000 * ordered[min(len(ordered) - 1, int(share * len(ordered)))], 1)


def _check(url: str, folder: Path, truth: dict[str, int]) -> None:
    """Files and database know each customer's cell."""
    names = {_cell(number)[0]: number for number in range(WIDTH * HEIGHT)}
    live = Live(_mapped(url, folder))
    line = next(iter(live.state().lines.values()))  # type: ignore[union-attr]
    assert line.accounts is not None
    rows = {row: names[line.snapshot.places.name(row)] for row in range(WIDTH * HEIGHT)}
    files = {name: rows[row] for name in truth if (row := line.accounts.find(name)) is not None}
    assert files == truth
    database = Database.open(url)
    with database.read(SYSTEM) as reader:
        told = {
            name: reader.customers.find("board", name) for name in random.Random(2).sample(sorted(truth), 500)
        }
    database.close()
    assert {name: rows[found.cell] for name, found in told.items() if found} == {
        name: truth[name] for name in told
    }
