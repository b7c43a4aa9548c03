"""What became of a publication's grids since it took effect."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from gridsvc import jobs as runner
from gridsvc.errors import InvalidInput, NotFound, NotYetInForce
from gridsvc.principal import SYSTEM
from gridsvc.progress import silent
from gridsvc.services import alarms, drift, jobs, refresh
from gridsvc.store import Database
from gridsvc.supervisor import QUICK, Supervisor
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
    with database.read(SYSTEM) as reader:
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


# --- looked for without anybody asking


def queued(database: Database) -> list[str]:
    with database.read(SYSTEM) as reader:
        return [job.id for job in reader.jobs.list() if job.kind == alarms.KIND and job.status == "queued"]


def looked(database: Database) -> list[dict[str, Any]]:
    """Results of the looks which a supervisor would have done now."""
    alarms.look_due(database)
    found = []
    while (job := jobs.claim(database, "w", (alarms.KIND,))) is not None:
        runner.run(database, job, "w")
        done = jobs.get(database, ANNA, job)
        assert done.status == "done", done.problem
        found.append(dict(done.result))
    return found


@pytest.fixture
def no_pause(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(alarms, "_PAUSE", timedelta(0))


def test_drift_is_looked_for_where_customers_came_in(board: tuple[Database, str]) -> None:
    database, _ = board
    drift.put_threshold(database, ANNA, "board", 0.3)
    assert looked(database) == []  # nobody came in since the publication
    put(database, "new", 0, 1)
    put(database, "newer", 1, 1)
    assert looked(database) == [{"drifted": [["board", "base"]], "looked_at": [["board", "base"]]}]
    (event,) = events(database)
    assert (event["publication"], event["grids"]) == (1, ["a"])


def test_the_supervisor_looks_by_itself(board: tuple[Database, str]) -> None:
    database, _ = board
    put(database, "new", 0, 1)
    Supervisor("never opened")._beat(database)
    assert len(queued(database)) == 1
    assert alarms.KIND in QUICK


@pytest.mark.usefixtures("no_pause")
def test_what_came_in_is_looked_at_once(board: tuple[Database, str]) -> None:
    database, _ = board
    drift.put_threshold(database, ANNA, "board", 0.3)
    quiet = {"drifted": [], "looked_at": [["board", "base"]]}
    put(database, "new", 0, 1)
    assert [looked(database), looked(database)] == [[quiet], []]
    put(database, "new", 0, 1)  # told once more, which changes nothing
    assert looked(database) == []
    put(database, "newer", 1, 1)
    assert looked(database) == [{**quiet, "drifted": [["board", "base"]]}]
    put(database, "newest", 1, 1)
    assert looked(database) == []  # it is told already that this publication has drifted


def test_looks_are_a_minute_apart_and_one_at_a_time(
    board: tuple[Database, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    database, _ = board
    drift.put_threshold(database, ANNA, "board", 10)
    put(database, "new", 0, 1)
    alarms.look_due(database)
    alarms.look_due(database)
    assert len(queued(database)) == 1
    assert len(looked(database)) == 1
    put(database, "newer", 0, 1)
    assert looked(database) == []
    monkeypatch.setattr(alarms, "_PAUSE", timedelta(0))
    alarms.look_due(database)
    put(database, "newest", 0, 1)
    alarms.look_due(database)
    assert len(queued(database)) == 1  # though customers came in since, for it still waits
    assert [len(looked(database)) for _ in range(3)] == [1, 1, 0]  # the last may have come too late for one


@pytest.mark.usefixtures("no_pause")
def test_an_import_is_looked_at_and_a_new_publication_starts_anew(
    board: tuple[Database, str], tmp_path: Path
) -> None:
    database, tiling = board
    take_in(database, tmp_path, {"a0": 0, "b0": 2, "c0": 5})
    assert looked(database) == [{"drifted": [["board", "base"]], "looked_at": [["board", "base"]]}]
    publish(database, draft(database, tiling, "aabbcc"))
    assert looked(database) == []
    put(database, "new", 0, 1)
    assert [result["drifted"] for result in looked(database)] == [[["board", "base"]]]
    assert [e["publication"] for e in events(database)] == [1, 2]


@pytest.mark.usefixtures("no_pause")
def test_customers_told_of_ahead_are_looked_at_again_when_they_come(board: tuple[Database, str]) -> None:
    database, _ = board
    day = datetime.now(UTC) + timedelta(seconds=5)
    put(database, "new", 0, 1, valid_from=day.isoformat())
    assert [result["drifted"] for result in looked(database)] == [[]]
    time.sleep(max(0.0, (day - datetime.now(UTC)).total_seconds()) + 0.1)
    assert [result["drifted"] for result in looked(database)] == [[["board", "base"]]]


def test_a_publication_on_a_tiling_without_an_import_is_not_looked_at(database: Database) -> None:
    tiling = ground(database)
    publish(database, draft(database, tiling, "aabbcc"))
    put(database, "new", 0, 1)
    assert looked(database) == []
    nothing = {"drifted": [], "looked_at": []}
    params = {"lines": [["board", "base"]]}
    assert alarms.run_job(database, ANNA, params, jobs.once("none"), silent) == nothing


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
