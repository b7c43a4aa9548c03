"""Publications never change, and whoever reads meanwhile sees one of them whole."""

from __future__ import annotations

import threading
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from gridsvc.errors import (
    Conflict,
    GridsvcError,
)
from gridsvc.principal import SYSTEM
from gridsvc.services import (
    ownership,
    publications,
)
from gridsvc.services.desk import Asked, Desk
from gridsvc.store import Database
from tests.services.board import ANNA
from tests.services.series import draft, ground, publish

Record = Any


def test_a_changed_block_is_found_out(database: Database) -> None:
    tiling = ground(database)
    publish(database, draft(database, tiling, "aabbcc"))
    assert publications.verify(database, ANNA) == 1
    with database.read(SYSTEM) as reader:
        record = reader.publications.get("board", "base", 1)
    with database.write(ANNA, "test") as uow:
        uow.publications.publish(replace(record, checksum="0" * 64))
        uow.publications.publish(replace(record, payload=b"torn"))
    with pytest.raises(
        Conflict, match="2 publications are not what their checksum says: 2 of board"
    ) as refused:
        publications.verify(database, ANNA)
    assert [entry["n"] for entry in refused.value.details["publications"]] == [2, 3]


def _readers(database: Database, stop: threading.Event, faults: list[str], counts: list[int]) -> list[Any]:
    degree = 100 / 111_320
    lon, lat = (np.arange(6) + 0.5) * degree, np.full(6, 0.5 * degree)
    desk = Desk(database)

    def read() -> None:
        last = 0
        while not stop.is_set():
            try:
                found, many = ownership.batch(desk, ANNA, lon, lat, asked=Asked("board"))
            except GridsvcError as error:
                faults.append(repr(error))
                return
            n, teams = found.moment.publication, set(many.team.tolist())
            if n < last:
                faults.append(f"number {last} went back to {n}")
            if teams != {"abcdefgh"[n % 8]}:
                faults.append(f"publication {n} answered {teams}")
            last = n
            counts.append(n)

    return [threading.Thread(target=read) for _ in range(3)]


def _publish_under_readers(database: Database, number: int) -> int:
    """Each publication gives all cells to one team; gives how many batches were answered meanwhile."""
    tiling = ground(database)
    stop, faults, counts = threading.Event(), list[str](), list[int]()
    publish(database, draft(database, tiling, "bbbbbb"))
    sums = [publications.get(database, ANNA, "board", 1).checksum]
    readers = _readers(database, stop, faults, counts)
    for reader in readers:
        reader.start()
    try:
        for n in range(2, number + 1):
            record = publish(database, draft(database, tiling, "abcdefgh"[n % 8] * 6))
            assert record.n == n
            sums.append(record.checksum)
    finally:
        stop.set()
        for reader in readers:
            reader.join()
    assert faults == []
    assert [publications.get(database, ANNA, "board", n + 1).checksum for n in range(number)] == sums
    assert publications.verify(database, ANNA) == number
    return len(counts)


def test_readers_never_see_a_mix_nor_a_number_going_back(database: Database) -> None:
    assert _publish_under_readers(database, 20) > 20


@pytest.mark.proof
def test_200_publications_under_constant_readers(database: Database, record_property: Record) -> None:
    record_property("batches read meanwhile", _publish_under_readers(database, 200))


def test_publishers_at_once_lose_nothing(database: Database) -> None:
    tiling = ground(database)
    publish(database, draft(database, tiling, "aabbcc"))
    drafts = [draft(database, tiling, text) for text in ("abbbcc", "aaabcc", "aabbbc", "aabccc", "aabbcc")]
    told: list[Any] = []

    def run(plan: str) -> None:
        try:
            told.append(publish(database, plan).n)
        except GridsvcError as error:
            told.append(type(error).__name__)

    running = [threading.Thread(target=run, args=(plan,)) for plan in drafts]
    for thread in running:
        thread.start()
    for thread in running:
        thread.join()
    numbers = sorted(n for n in told if isinstance(n, int))
    assert numbers == list(range(2, 2 + len(numbers)))
    assert set(told) - set(numbers) <= {"GateClosed"}  # b may lose all its cells to the others
    with database.read(SYSTEM) as reader:
        assert reader.publications.newest("board", "base").n == 1 + len(numbers)  # type: ignore[union-attr]
