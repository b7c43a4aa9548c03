"""Layers of customers: whatever was told and merged, mapped files answer as the database does."""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest

from gridsvc.ownership.accounts import Accounts, Layers
from gridsvc.ownership.live import Live
from gridsvc.principal import SYSTEM
from gridsvc.services import layers
from gridsvc.services.heads import make_accounts, read_head
from gridsvc.services.keeping import Keeper
from gridsvc.store import Database
from gridsvc.watcher import Watcher
from tests.services.series import draft, ground, publish
from tests.services.test_arrivals import HOUR, ended, message, owner, put, take_in, tell

GRIDS = "aabbcc"


@pytest.fixture
def board(database: Database) -> Database:
    publish(database, draft(database, ground(database), GRIDS))
    return database


def files(database: Database, keeper: Keeper, now: datetime | None = None) -> tuple[str, ...] | None:
    return read_head(database, keeper, now).lines[0].customers


def named(database: Database, keeper: Keeper) -> tuple[str, ...]:
    found = files(database, keeper)
    assert found is not None
    return found


def opened(folder: Path, names: tuple[str, ...] | None) -> Layers:
    assert names is not None
    return Layers(tuple(Accounts.open(folder / name, verify=True) for name in names))


def cells(database: Database, names: list[str], at: datetime | None = None) -> list[int | None]:
    """What the database says."""
    with database.read(SYSTEM) as reader:
        found = [reader.customers.find("board", name, at) for name in names]
    return [None if record is None else record.cell for record in found]


def test_files_answer_as_the_database_does(board: Database, tmp_path: Path) -> None:
    rng, keeper, names = np.random.default_rng(5), Keeper(tmp_path), [f"k{i}" for i in range(60)]
    take_in(board, tmp_path, {name: int(rng.integers(6)) for name in names[:30]})
    assert files(board, keeper) is None
    assert make_accounts(board, keeper)
    most = 0
    for step in range(25):
        chosen = rng.choice(names, int(rng.integers(1, 9)), replace=False)
        tell(board, [{"id": str(name), **message(int(rng.integers(6)), step)} for name in chosen])
        ended(board, str(rng.choice(names)), step)
        if step == 12:
            keeper = Keeper(tmp_path)  # another process goes on with the files
        found = files(board, keeper)
        assert found is not None
        most = max(most, len(found))
        assert [opened(tmp_path, found).find(name) for name in names] == cells(board, names), step
    assert 2 <= most <= 6  # layers of like size are merged


def test_a_batch_does_not_write_all_customers_anew(board: Database, tmp_path: Path) -> None:
    take_in(board, tmp_path, {f"k{i}": i % 6 for i in range(500)})
    keeper = Keeper(tmp_path)
    make_accounts(board, keeper)
    base = files(board, keeper)
    put(board, "k1", 5)
    found = named(board, keeper)
    assert base is not None
    assert found[1:] == base
    assert len(Accounts.open(tmp_path / found[0])) == 1


def test_heavy_layers_are_merged_into_all(
    board: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(layers, "_HEAVY", 1)
    take_in(board, tmp_path, {"stays": 0, "goes": 1})
    keeper = Keeper(tmp_path)
    make_accounts(board, keeper)
    ended(board, "goes", 1)
    put(board, "comes", 5)
    before = named(board, keeper)
    assert len(before) == 2
    assert make_accounts(board, keeper)
    after = named(board, keeper)
    assert len(after) == 1
    found = opened(tmp_path, after)
    assert [found.find(name) for name in ("stays", "goes", "comes")] == [0, None, 5]
    assert len(found) == 2  # nobody keeps who is gone
    assert not make_accounts(board, keeper)


def test_what_is_told_for_later_comes_by_the_clock(board: Database, tmp_path: Path) -> None:
    now, keeper = datetime.now(UTC), Keeper(tmp_path)
    make_accounts(board, keeper)
    put(board, "k", 0, 1)
    start, end = now + HOUR, now + 2 * HOUR
    put(board, "k", 4, 2, valid_from=start.isoformat(), valid_to=end.isoformat())
    head = read_head(board, keeper)
    assert head.until == pytest.approx(start.timestamp())
    assert opened(tmp_path, head.lines[0].customers).find("k") == 0
    later = read_head(board, keeper, start)
    assert later.until == pytest.approx(end.timestamp())
    assert opened(tmp_path, later.lines[0].customers).find("k") == 4
    last = read_head(board, keeper, end)
    assert last.until is None
    assert opened(tmp_path, last.lines[0].customers).find("k") is None


def test_a_damaged_layer_is_made_again(board: Database, tmp_path: Path) -> None:
    keeper = Keeper(tmp_path)
    make_accounts(board, keeper)
    put(board, "k", 3)
    found = named(board, keeper)
    whole = (tmp_path / found[0]).read_bytes()
    (tmp_path / found[0]).write_bytes(whole[:-1] + bytes([whole[-1] ^ 1]))
    again = files(board, Keeper(tmp_path))
    assert opened(tmp_path, again).find("k") == 3


@pytest.fixture
def live(board: Database, database_url: str, tmp_path: Path) -> Iterator[Live]:
    watcher = Watcher(database_url, tmp_path)
    watcher.start()
    yield Live(tmp_path)
    watcher.stop()


def seen(live: Live, customer: str, cell: int | None, seconds: float) -> bool:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        state = live.state()
        line = None if state is None else state.line("board", "base")
        if line is not None and line.accounts is not None and line.accounts.find(customer) == cell:
            return True
        time.sleep(0.005)
    return False


def test_a_watcher_shows_it_within_a_second(board: Database, live: Live, tmp_path: Path) -> None:
    put(board, "first", 0)
    assert seen(live, "first", 0, 10)  # the watcher starts
    for step, cell in enumerate((5, 2, 3), 1):
        put(board, "first", cell, step)
        assert seen(live, "first", cell, 1)
    soon = datetime.now(UTC) + timedelta(seconds=4)
    put(board, "first", 1, 9, valid_to=soon.isoformat())
    assert seen(live, "first", 1, 1)
    assert seen(live, "first", None, (soon - datetime.now(UTC)).total_seconds() + 0.7)
    assert owner(board, "first") == "unknown_customer"
