"""Backups: the same content after a restore, of either kind, and nothing of a file which is not whole."""

from __future__ import annotations

import itertools
import random
import threading
from pathlib import Path

import numpy as np
import pytest

from gridsvc.errors import InvalidInput
from gridsvc.store import Database, archive
from gridsvc.store import backup as backups
from gridsvc.store.engine import embedded_file
from tests.services.board import board, cells_of, lay, small


@pytest.fixture
def target(empty_url: str) -> str:
    """An empty database of either kind, in another place than the source's."""
    return empty_url.replace(".db", "-target.db")


def test_a_restored_database_has_equal_checksums(database: Database, target: str, tmp_path: Path) -> None:
    plan = small(database)
    told = database.backup(tmp_path / "b.zip")
    assert (tmp_path / "b.zip").stat().st_mode & 0o777 == 0o600
    assert told["tables"]["cells"]["rows"] == 24
    Database.restore(target, tmp_path / "b.zip")
    again = Database.open(target)
    try:
        again.check()
        assert again.backup(tmp_path / "c.zip")["tables"] == told["tables"]
        assert cells_of(again, plan) == cells_of(database, plan)
        lay(
            again, board(2, 2), {"customers": np.ones(4)}, "other"
        )  # keys are counted on from the restored ones
    finally:
        again.close()
    with pytest.raises(InvalidInput, match="holds something already"):
        Database.restore(target, tmp_path / "b.zip")


def test_a_damaged_file_is_refused_and_the_target_not_made(database: Database, tmp_path: Path) -> None:
    small(database)
    database.backup(tmp_path / "b.zip")
    whole = (tmp_path / "b.zip").read_bytes()
    chance = random.Random(9)
    broken = [whole[: chance.randrange(len(whole))] for _ in range(20)]
    places = [chance.randrange(len(whole)) for _ in range(20)]
    broken += [whole[:at] + bytes([whole[at] ^ 1]) + whole[at + 1 :] for at in places]
    for content in broken:
        (tmp_path / "x.zip").write_bytes(content)
        with pytest.raises(InvalidInput):
            Database.restore(f"sqlite:///{tmp_path}/new.db", tmp_path / "x.zip")
        assert not (tmp_path / "new.db").exists()


def test_a_failure_in_the_middle_leaves_nothing(
    database: Database, target: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    small(database)
    database.backup(tmp_path / "b.zip")

    def fail(_connection: object) -> None:
        raise RuntimeError

    with monkeypatch.context() as patch:
        patch.setattr(backups, "_derive", fail)
        with pytest.raises(RuntimeError):
            Database.restore(target, tmp_path / "b.zip")
    if (file := embedded_file(target)) is not None:
        assert not list(file.parent.glob(f"{file.name}*"))
    Database.restore(target, tmp_path / "b.zip")


def test_a_backup_is_one_state_while_others_write(database: Database, tmp_path: Path) -> None:
    small(database)
    stop = threading.Event()

    def write() -> None:
        for number in itertools.count():
            if stop.is_set():
                return
            lay(database, board(6, 4), {"customers": np.ones(24)}, f"t{number}")

    writer = threading.Thread(target=write)
    writer.start()
    try:
        for _ in range(3):
            rows = {k: v["rows"] for k, v in database.backup(tmp_path / "b.zip")["tables"].items()}
            assert rows["cells"] == 24 * rows["tilings"]
            archive.verified(tmp_path / "b.zip")
    finally:
        stop.set()
        writer.join()
