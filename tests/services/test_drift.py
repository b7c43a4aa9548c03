"""What became of a publication's grids since it took effect."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from gridsvc.errors import InvalidInput, NotFound, NotYetInForce
from gridsvc.services import drift, refresh
from gridsvc.store import Database
from tests.services.board import ANNA
from tests.services.series import draft, ground, publish, soon
from tests.services.test_arrivals import ended, put, take_in


@pytest.fixture
def board(database: Database, tmp_path: Path) -> tuple[Database, str]:
    """Four customers in each of the grids a, b and c, published on that."""
    tiling = ground(database)
    take_in(
        database, tmp_path, {f"{grid}{i}": 2 * g + i % 2 for g, grid in enumerate("abc") for i in range(4)}
    )
    publish(database, draft(database, tiling, "aabbcc"))
    return database, tiling


def told(database: Database, n: int = 1) -> dict[str, dict[str, Any]]:
    return {entry["grid"]: entry for entry in drift.drift(database, ANNA, "board", n)["grids"]}


def counts(database: Database) -> dict[str, tuple[float, float, int, int]]:
    """Customers then and now, who came and who left, of each grid."""
    return {
        grid: (e["measures"]["customers"]["then"], e["measures"]["customers"]["now"], e["arrived"], e["left"])
        for grid, e in told(database).items()
    }


def events(database: Database) -> list[Any]:
    with database.read() as reader:
        return [e.payload for e in reader.outbox(limit=1000) if e.kind == "publication.drifted"]


def test_arrivals_leavers_and_moves_count_by_grid(board: tuple[Database, str]) -> None:
    database, _ = board
    assert set(counts(database).values()) == {(4, 4, 0, 0)}
    put(database, "new", 0, 1)  # comes into a
    put(database, "a0", 4, 1, values={"kwh": 7})  # from a to c
    put(database, "a1", 0, 1)  # stays in a
    ended(database, "b0", 1)
    put(database, "away", None, 1)
    assert counts(database) == {"a": (4, 4, 1, 1), "b": (4, 3, 0, 1), "c": (4, 5, 1, 0)}
    kwh = told(database)["c"]["measures"]["kwh"]
    assert (kwh["then"], kwh["now"]) == (18, 25)


def test_a_new_import_is_compared_with_that_of_the_publication(
    board: tuple[Database, str], tmp_path: Path
) -> None:
    database, _ = board
    put(database, "late", 0, 1)
    take_in(database, tmp_path, {"a0": 0, "b0": 0, "c0": 5, "other": 5})
    assert counts(database) == {"a": (4, 2, 1, 3), "b": (4, 0, 0, 4), "c": (4, 2, 1, 3)}


def test_an_alarm_is_told_once_for_a_publication(board: tuple[Database, str]) -> None:
    database, tiling = board
    drift.put_threshold(database, ANNA, "board", 0.3)
    put(database, "new", 0, 1)
    refresh.refresh(database, ANNA, tiling)
    assert events(database) == []  # 25 % more in a
    put(database, "newer", 0, 1)
    refresh.refresh(database, ANNA, tiling)
    refresh.refresh(database, ANNA, tiling)
    (event,) = events(database)
    assert (event["publication"], event["grids"]) == (1, ["a"])
    publish(database, draft(database, tiling, "aabbcc"))
    refresh.refresh(database, ANNA, tiling)
    assert len(events(database)) == 1  # nothing has changed since the second
    for name in "uvwxy":
        put(database, name, 3, 1)
    refresh.refresh(database, ANNA, tiling)
    assert [e["publication"] for e in events(database)] == [1, 2]


def test_what_cannot_be_told_is_refused(database: Database, tmp_path: Path) -> None:
    tiling = ground(database)
    publish(database, draft(database, tiling, "aabbcc"))
    with pytest.raises(NotFound, match="no import"):
        drift.drift(database, ANNA, "board", 1)
    publish(database, draft(database, tiling, "abbbcc"), effective_at=soon(2).isoformat())
    with pytest.raises(NotYetInForce):
        drift.drift(database, ANNA, "board", 2)
    with pytest.raises(InvalidInput, match="not a share"):
        drift.put_threshold(database, ANNA, "board", 0)
