"""Mapped files: always the right ones, made again where they are not, and never seen half changed."""

from __future__ import annotations

import os
import shutil
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from gridsvc.compute import SOCKET, Local, Remote
from gridsvc.node import Node
from gridsvc.ownership.live import COUNTER, LATE, Line, Live
from gridsvc.services import heads, ownership, rosters
from gridsvc.services.desk import Asked, Desk
from gridsvc.services.keeping import Keeper
from gridsvc.store import Database
from gridsvc.teams.model import Member, Named, Person
from gridsvc.watcher import Watcher
from tests.services.board import ANNA
from tests.services.series import draft, ground, owner, people, publish

DEGREE = 100 / 111_320
LON, LAT = (np.arange(6) + 0.5) * DEGREE, np.full(6, 0.5 * DEGREE)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "mapped"


@pytest.fixture
def watch(database_url: str, folder: Path) -> Iterator[Callable[[], Watcher]]:
    """Starts watchers, and stops all of them."""
    started: list[Watcher] = []

    def start() -> Watcher:
        started.append(Watcher(database_url, folder))
        started[-1].start()
        return started[-1]

    yield start
    for watcher in started:
        watcher.stop()


def until(true: Callable[[], Any], seconds: float = 10) -> Any:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if found := true():
            return found
        time.sleep(0.005)
    raise TimeoutError


def line(live: Live) -> Line | None:
    """The line in force, once all its files are there."""
    state = live.state()
    found = None if state is None else state.line("board", "base")
    return found if found is not None and found.accounts is not None else None


def whole(live: Live) -> Line:
    found: Line = until(lambda: line(live))
    return found


def teams(live: Live) -> str:
    """Who owns the six cells of the board, by mapped files alone."""
    found = whole(live).snapshot.batch(LON, LAT)
    return "".join(found.team.tolist())


def test_a_publication_is_seen_in_the_files(
    database: Database, folder: Path, watch: Callable[[], Watcher]
) -> None:
    tiling = ground(database)
    publish(database, draft(database, tiling, "aabbcc"))
    watch()
    live = Live(folder)
    assert teams(live) == "aabbcc"
    publish(database, draft(database, tiling, "abbbcc"))
    until(lambda: teams(live) == "abbbcc")


# --- files which are not as they should be


def test_what_is_made_beside_has_a_database_of_its_own(
    database: Database, watch: Callable[[], Watcher], folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The watcher may close what it has before that is done."""
    used, closed = list[Database](), list[Database]()
    make, close = heads.make_accounts, Database.close
    monkeypatch.setattr(heads, "make_accounts", lambda d, keeper: used.append(d) or make(d, keeper))
    monkeypatch.setattr(Database, "close", lambda d: closed.append(d) or close(d))
    publish(database, draft(database, ground(database), "aabbcc"))
    watcher = watch()
    whole(Live(folder))
    assert watcher._store is not None
    assert used and watcher._store[0] not in used
    assert until(lambda: set(used) <= set(closed))


def _replaced(path: Path, content: bytes) -> None:
    """Others have the old one mapped: it stays as it is under them."""
    path.with_suffix(".other").write_bytes(content)
    path.with_suffix(".other").replace(path)


def _flipped(content: bytes, at: int) -> bytes:
    return content[:at] + bytes([content[at] ^ 1]) + content[at + 1 :]


FAULTS: dict[str, Callable[[Path], None]] = {
    "missing": Path.unlink,
    "emptied": lambda path: _replaced(path, b""),
    "cut off": lambda path: _replaced(path, path.read_bytes()[:-64]),
    "cut off in its header": lambda path: _replaced(path, path.read_bytes()[:20]),
    "of another version": lambda path: _replaced(path, _flipped(path.read_bytes(), 7)),
    "damaged in its header": lambda path: _replaced(path, _flipped(path.read_bytes(), 30)),
    "something else": lambda path: _replaced(path, b"PK\x03\x04" * 1000),
}
KINDS = ["tiling", "publication", "roster", "customers"]


def _file(folder: Path, kind: str) -> Path:
    return max(folder.glob(f"{kind}-*.own"), key=lambda path: path.stat().st_mtime_ns)


def _is_good(folder: Path, kind: str, before: bytes) -> bool:
    """Whether the file is as it was; customers have a key, and may have a name, of their own."""
    if kind == "customers":
        return line(Live(folder)) is not None
    return any(path.read_bytes() == before for path in folder.glob(f"{kind}-*.own"))


@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize("kind", KINDS)
def test_a_bad_file_is_made_again_at_the_start(
    published_file: Path, tmp_path: Path, folder: Path, kind: str, fault: str
) -> None:
    url = _published(published_file, tmp_path)
    first = Watcher(url, folder)
    first.start()
    assert teams(Live(folder)) == "aabbcc"
    first.stop()
    path = _file(folder, kind)
    good = path.read_bytes()
    FAULTS[fault](path)
    second = Watcher(url, folder)
    second.start()
    try:
        assert teams(Live(folder)) == "aabbcc"
        assert _is_good(folder, kind, good)
    finally:
        second.stop()


@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize("kind", KINDS)
def test_a_bad_file_is_made_again_while_it_is_watched(
    published_file: Path, tmp_path: Path, folder: Path, kind: str, fault: str
) -> None:
    watcher = Watcher(_published(published_file, tmp_path), folder)
    watcher.start()
    try:
        live = Live(folder)
        assert teams(live) == "aabbcc"
        path = _file(folder, kind)
        good = path.read_bytes()
        FAULTS[fault](path)
        until(lambda: _is_good(folder, kind, good))
        assert teams(Live(folder)) == teams(live) == "aabbcc"
    finally:
        watcher.stop()


@pytest.fixture(scope="module")
def published_file(tmp_path_factory: pytest.TempPathFactory, migrated_file: Path) -> Path:
    """A database with one publication, to be copied."""
    path = tmp_path_factory.mktemp("published") / "gridsvc.db"
    shutil.copy(migrated_file, path)
    database = Database.open(f"sqlite:///{path}")
    publish(database, draft(database, ground(database), "aabbcc"))
    database.close()
    assert not path.with_name("gridsvc.db-wal").exists()  # all of it is in the one file
    return path


def _published(published_file: Path, tmp_path: Path) -> str:
    shutil.copy(published_file, tmp_path / "gridsvc.db")
    return f"sqlite:///{tmp_path / 'gridsvc.db'}"


@pytest.mark.parametrize(
    "text", ["", "{", "[]", '{"seq": 1}', '{"seq":9,"at":0,"until":null,"lines":[{"x":1}]}']
)
def test_a_head_of_another_version_is_left_to_the_database(
    published_file: Path, tmp_path: Path, folder: Path, text: str
) -> None:
    url = _published(published_file, tmp_path)
    watcher = Watcher(url, folder)
    watcher.start()
    try:
        whole(Live(folder))
        (newest,) = sorted(folder.glob("head-*.json"))[-1:]
        newest.write_text(text)
        live = Live(folder)
        assert live.state() is None
        database = Database.open(url)
        assert _asked(Desk(database, live)) == "aabbcc"
        database.close()
    finally:
        watcher.stop()


def _asked(desk: Desk) -> str:
    return "".join(ownership.batch(desk, ANNA, LON, LAT, asked=Asked("board"))[1].team.tolist())


def test_a_deleted_folder_is_made_again(
    database: Database, folder: Path, watch: Callable[[], Watcher]
) -> None:
    tiling = ground(database)
    publish(database, draft(database, tiling, "aabbcc"))
    watch()
    live = Live(folder)
    assert teams(live) == "aabbcc"
    shutil.rmtree(folder)
    until((folder / COUNTER).exists)
    publish(database, draft(database, tiling, "abbbcc"))
    until(lambda: teams(Live(folder)) == "abbbcc")
    until(lambda: teams(live) == "abbbcc")  # also who had the old ones mapped


# --- who watches


def test_of_two_watchers_one_works_and_the_other_takes_over(
    database: Database, folder: Path, watch: Callable[[], Watcher]
) -> None:
    tiling = ground(database)
    publish(database, draft(database, tiling, "aabbcc"))
    first = watch()
    live = Live(folder)
    assert teams(live) == "aabbcc"
    generation = live.state().generation  # type: ignore[union-attr]
    watch()
    time.sleep(0.3)
    publish(database, draft(database, tiling, "abbbcc"))
    until(lambda: teams(live) == "abbbcc")
    assert live.state().generation <= generation + 2  # type: ignore[union-attr] # each alone, not both
    first.stop()
    publish(database, draft(database, tiling, "aabbbc"))
    until(lambda: teams(live) == "aabbbc")


def test_without_a_beat_the_database_is_asked(
    database: Database, folder: Path, watch: Callable[[], Watcher]
) -> None:
    tiling = ground(database)
    publish(database, draft(database, tiling, "aabbcc"))
    watcher, live = watch(), Live(folder)
    assert teams(live) == "aabbcc"
    watcher.stop()
    publish(database, draft(database, tiling, "abbbcc"))
    until(lambda: live.state() is None, LATE + 1)
    assert _asked(Desk(database, live)) == "abbbcc"


# --- by the clock alone


def _at(seconds: float) -> datetime:
    return datetime.now(UTC) + timedelta(seconds=seconds)


def test_what_is_scheduled_comes_into_force_by_the_clock(
    database: Database, folder: Path, watch: Callable[[], Watcher]
) -> None:
    tiling = ground(database)
    publish(database, draft(database, tiling, "aabbcc"))
    due = _at(6)
    publish(database, draft(database, tiling, "abbbcc"), effective_at=due.isoformat())
    watch()
    live = Live(folder)
    assert teams(live) == "aabbcc"
    before = live.state().seq  # type: ignore[union-attr]
    until(lambda: line(live) and teams(live) == "abbbcc", 16)
    assert due <= datetime.now(UTC) < due + timedelta(seconds=1)
    assert live.state().seq == before  # type: ignore[union-attr]


def test_a_later_roster_comes_into_force_by_the_clock(
    database: Database, folder: Path, watch: Callable[[], Watcher]
) -> None:
    publish(database, draft(database, ground(database), "aabbcc"))
    due = _at(6)
    later = rosters.put(
        database, ANNA, "board", replace(people(), fallback="h"), valid_from=due, reason="from the start"
    )
    watch()
    live = Live(folder)
    assert whole(live).snapshot.moment.roster == later - 1
    until(lambda: whole(live).snapshot.moment.roster == later, 16)
    assert due <= datetime.now(UTC) < due + timedelta(seconds=1)
    assert whole(live).snapshot.roster.fallback == "h"


def test_a_named_account_ends_by_the_clock(
    database: Database, folder: Path, watch: Callable[[], Watcher]
) -> None:
    publish(database, draft(database, ground(database), "aabbcc"))
    due = _at(6)
    named = (Named("vip", "h", "bank", due), Named("for-ever", "g", "bank", None))
    start = datetime.now(UTC) - timedelta(days=1)
    rosters.put(
        database, ANNA, "board", replace(people(), named=named), valid_from=start, reason="from the start"
    )
    watch()
    live = Live(folder)
    assert set(whole(live).snapshot.named) == {"vip", "for-ever"}
    until(lambda: set(whole(live).snapshot.named) == {"for-ever"}, 16)
    assert due <= datetime.now(UTC) < due + timedelta(seconds=1)


def test_a_lead_hands_over_by_the_clock(
    database: Database, folder: Path, watch: Callable[[], Watcher]
) -> None:
    publish(database, draft(database, ground(database), "aabbcc"))
    due = _at(6)
    terms = (Member("a", "p-a", "lead", valid_until=due), Member("a", "p-x", "lead", valid_from=due))
    staff = (*people().people, Person("p-x", "Person X", "m"))
    changed = replace(people(), people=staff, members=(*people().members[1:], *terms))
    rosters.put(database, ANNA, "board", changed)
    watch()
    live = Live(folder)

    def lead() -> str:
        found = whole(live).snapshot.teller.tell(0, 0, "en").as_dict()
        return str(found["lead"]["id"])

    assert lead() == "p-a"
    until(lambda: lead() == "p-x", 16)
    assert due <= datetime.now(UTC) < due + timedelta(seconds=1)
    assert [
        owner(database, "x000y000", as_of=t)["lead"]["id"] for t in (due - timedelta(seconds=1), due)
    ] == ["p-a", "p-x"]


# --- readers meanwhile


def _read(live: Live, stop: threading.Event, faults: list[str], seen: set[int]) -> None:
    last = 0
    while not stop.is_set():
        found = line(live)
        if found is None:
            continue
        n, owners = found.snapshot.moment.publication, set(found.snapshot.batch(LON, LAT).team.tolist())
        if n < last or owners != {"abcdefgh"[n % 8]}:
            faults.append(f"publication {n} after {last} answered {owners}")
        last = n
        seen.add(n)
        stop.wait(0.0005)  # all share one interpreter: the one who publishes must get on


@pytest.mark.parametrize("count", [30, pytest.param(100, marks=pytest.mark.proof)])
def test_publications_are_never_seen_torn(
    database: Database, folder: Path, watch: Callable[[], Watcher], count: int
) -> None:
    tiling = ground(database)
    publish(database, draft(database, tiling, "bbbbbb"))
    watch()
    stop, faults, seen = threading.Event(), list[str](), set[int]()
    shared = Live(folder)
    whole(shared)
    readers = [
        threading.Thread(target=_read, args=(live, stop, faults, seen))
        for live in (shared, shared, Live(folder))
    ]
    for reader in readers:
        reader.start()
    try:
        for n in range(2, count + 1):
            publish(database, draft(database, tiling, "abcdefgh"[n % 8] * 6))
        until(lambda: count in seen)
    finally:
        stop.set()
        for reader in readers:
            reader.join()
    assert faults == []
    assert len(seen) > count // 5
    assert len(list(folder.glob("head-*.json"))) <= 4  # old ones are swept


# --- the process which does all this


def test_batches_go_on_while_the_compute_process_is_killed_and_comes_back(
    published_file: Path, tmp_path: Path, folder: Path
) -> None:
    url = _published(published_file, tmp_path)
    database, node = Database.open(url), Node(url, folder)
    local = _Counted(Local(Desk(database, Live(folder), Keeper(folder))))
    work, body = Remote(folder, local), b'{"lat":[0.0005],"lon":[0.0005]}'

    def ask() -> None:
        kind, answer = work.batch(ANNA, body, "application/json", {"territory": "board"})
        assert (kind, b'"owned"' in bytes(answer)) == ("application/json", True)

    def by_node() -> bool:
        before = local.count
        ask()
        return local.count == before

    try:
        until((folder / SOCKET).exists)
        for _ in range(2):
            until(by_node)
            killed = node._process.pid
            os.kill(killed, 9)
            for _ in range(20):
                ask()
            until(lambda pid=killed: node._process.pid != pid)  # type: ignore[misc]
        until(by_node)
        assert local.count > 0
        assert teams(Live(folder)) == "aabbcc"
    finally:
        node.stop()
        work.close()
        database.close()


class _Counted:
    """Counts what had to be done here."""

    def __init__(self, work: Local) -> None:
        self._work, self.count = work, 0

    def batch(self, *asked: Any) -> Any:
        self.count += 1
        return self._work.batch(*asked)
