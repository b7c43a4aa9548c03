from __future__ import annotations

import hashlib
import threading
import zlib
from dataclasses import replace

import numpy as np
import pytest
import shapely
import sqlalchemy as sa

from gridsvc.errors import Conflict, NotFound
from gridsvc.principal import SYSTEM
from gridsvc.store import Database
from gridsvc.store.records import PublicationRecord
from tests.databases import Opener
from tests.store.builders import ANNA, DAY, DAY_1, GRIDS, Clock, customers, draft, ground, publication

OUTLINES = [shapely.box(0, 0, 1, 1), shapely.MultiPolygon([shapely.box(1, 0, 3, 1)])]


def publish(database: Database, record: PublicationRecord) -> int:
    with database.write(ANNA, "plans.publish") as work:
        return work.publications.publish(record, GRIDS, OUTLINES)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def clocked(open_database: Opener, clock: Clock) -> Database:
    return open_database(clock=clock)


@pytest.fixture
def record(clocked: Database) -> PublicationRecord:
    tiling = ground(clocked)
    return publication(draft(clocked, tiling), tiling)


def test_a_publication_comes_back_as_it_was_given(clocked: Database, record: PublicationRecord) -> None:
    with clocked.write(ANNA, "test") as work:
        imported = work.customers.begin_import("elbe", record.tiling, "c.csv", {})
        work.customers.stage(imported, customers())
    given = replace(record, meta={"cells": 3}, customers_import=imported, parent="A", level="area")
    assert publish(clocked, given) == 1
    with clocked.read(SYSTEM) as view:
        found = view.publications.get("elbe", "base", 1)
        assert found == replace(given, n=1, published_by="anna", recorded_at=DAY_1)
        assert view.publications.list("elbe", "base") == [replace(found, payload=b"")]
        assert view.seq() == 1


def test_grids_are_written_as_shapes_for_gis_tools(clocked: Database, record: PublicationRecord) -> None:
    publish(clocked, record)
    with clocked._transaction(writes=False) as connection:
        rows = connection.execute(
            sa.text("SELECT code, name, team, level, parent FROM published_grids ORDER BY code")
        ).fetchall()
        assert [tuple(row) for row in rows] == [
            ("G1", "North", "t1", "grid", None),
            ("G2", "South 南", None, "grid", "A"),
        ]
        if clocked.dialect == "postgresql":
            area = connection.execute(sa.text("SELECT sum(ST_Area(geometry)) FROM published_grids")).scalar()
            assert area == pytest.approx(3)


def test_numbers_run_by_territory_and_line(clocked: Database, record: PublicationRecord) -> None:
    assert [publish(clocked, record), publish(clocked, record)] == [1, 2]
    assert publish(clocked, replace(record, line="broadband")) == 1
    with clocked.read(SYSTEM) as view:
        assert view.publications.lines() == [("elbe", "base"), ("elbe", "broadband")]
        assert [p.n for p in view.publications.list("elbe", "base")] == [2, 1]
        assert [p.n for p in view.publications.list("elbe", "base", after=2)] == [1]
        newest, none = view.publications.newest("elbe", "base"), view.publications.newest("elbe", "gas")
        assert newest is not None
        assert (newest.n, newest.payload, none) == (2, b"", None)
        assert view.seq() == 3


def test_publishers_at_once_get_numbers_in_a_row(clocked: Database, record: PublicationRecord) -> None:
    threads, numbers = 6, list[int]()
    start = threading.Barrier(threads)

    def run() -> None:
        start.wait()
        numbers.append(publish(clocked, record))

    running = [threading.Thread(target=run) for _ in range(threads)]
    for thread in running:
        thread.start()
    for thread in running:
        thread.join()
    assert sorted(numbers) == [1, 2, 3, 4, 5, 6]
    with clocked.read(SYSTEM) as view:
        assert view.seq() == threads


def test_a_publication_that_is_rolled_back_leaves_no_gap(
    clocked: Database, record: PublicationRecord
) -> None:
    with pytest.raises(ZeroDivisionError), clocked.write(ANNA, "test") as work:
        work.publications.publish(record)
        raise ZeroDivisionError
    assert publish(clocked, record) == 1


def test_the_publication_in_force_is_the_last_that_counts_and_was_known(
    clocked: Database, clock: Clock, record: PublicationRecord
) -> None:
    """::

    n   effective   recorded on
    1   day 1       day 1
    2   day 5       day 2
    3   day 3       day 4
    """
    for effective, recorded in ((1, 1), (5, 2), (3, 4)):
        clock.now = DAY_1 + (recorded - 1) * DAY
        publish(clocked, replace(record, effective_at=DAY_1 + (effective - 1) * DAY))

    def in_force(at: float, known: float) -> int | None:
        with clocked.read(SYSTEM) as view:
            found = view.publications.in_force(
                "elbe", "base", DAY_1 + (at - 1) * DAY, DAY_1 + (known - 1) * DAY
            )
            assert found is None or found.payload == b""
            return found.n if found else None

    assert in_force(0.9, 9) is None
    assert in_force(9, 0.9) is None
    assert in_force(1, 9) == 1
    assert in_force(3, 3.9) == 1
    assert in_force(3, 4) == 3
    assert in_force(5, 3) == 2
    assert in_force(9, 4) == 3


@pytest.mark.parametrize("seed", range(6))
def test_the_one_in_force_and_its_end_agree_with_a_search_through_all(
    clocked: Database, clock: Clock, record: PublicationRecord, seed: int
) -> None:
    rng = np.random.default_rng(seed)
    first, written = clock.now, list[tuple[int, int, int]]()
    for recorded in range(8):
        clock.now = first + recorded * DAY
        start = int(rng.integers(0, 10))
        written.append((publish(clocked, replace(record, effective_at=first + start * DAY)), recorded, start))

    def searched(at: int, known: int) -> int | None:
        return max((n for n, recorded, start in written if start <= at and recorded <= known), default=None)

    with clocked.read(SYSTEM) as view:
        for at in range(-1, 12):
            for known in range(-1, 9):
                when = first + at * DAY, first + known * DAY
                found = view.publications.in_force("elbe", "base", *when)
                assert (None if found is None else found.n) == searched(at, known)
                if found is not None:
                    later = [t for t in range(at + 1, 12) if searched(t, known) != found.n]
                    end = view.publications.next_effective("elbe", "base", found.n, *when)
                    assert end == (first + later[0] * DAY if later else None)
        ends = view.publications.ends("elbe", "base")
        for n, _, start in written:
            never = searched(start, 8) != n
            end = ends[n]
            assert never == (end is not None and end <= first + start * DAY)
        upcoming = view.publications.upcoming("elbe", "base", first + 2 * DAY)
        assert [r.n for r in upcoming] == sorted({n for n, _, t in written if t > 2 and searched(t, 8) == n})


def test_a_block_that_changed_is_not_sound(clocked: Database, record: PublicationRecord) -> None:
    payload = zlib.compress(b"cells")
    publish(clocked, replace(record, payload=payload, checksum=hashlib.sha256(b"cells").hexdigest()))
    publish(clocked, replace(record, payload=payload, checksum="0" * 64))
    publish(clocked, replace(record, payload=b"torn"))
    with clocked.read(SYSTEM) as view:
        assert view.publications.unsound() == [("elbe", "base", 2), ("elbe", "base", 3)]


def test_the_last_publication_made_of_a_plan_is_found(clocked: Database, record: PublicationRecord) -> None:
    publish(clocked, record)
    publish(clocked, record)
    publish(clocked, replace(record, line="broadband"))
    with clocked.read(SYSTEM) as view:
        assert view.publications.made_of(record.plan, "elbe", "base") == 2
        assert view.publications.made_of("other", "elbe", "base") is None


def test_what_was_newest_then(clocked: Database, clock: Clock, record: PublicationRecord) -> None:
    publish(clocked, record)
    clock.now += DAY
    publish(clocked, record)
    with clocked.read(SYSTEM) as view:
        known = [view.publications.newest("elbe", "base", clock.now - d * DAY) for d in (0, 1, 2)]
        assert [found and found.n for found in known] == [2, 1, None]


def test_a_publication_gives_way_when_a_later_one_takes_effect(
    clocked: Database, record: PublicationRecord
) -> None:
    publish(clocked, record)
    publish(clocked, replace(record, effective_at=DAY_1 + 5 * DAY))
    publish(clocked, replace(record, effective_at=DAY_1 + 3 * DAY))
    known = DAY_1 + DAY
    with clocked.read(SYSTEM) as view:
        end = view.publications.next_effective
        assert end("elbe", "base", 1, DAY_1, known) == DAY_1 + 3 * DAY
        assert end("elbe", "base", 3, DAY_1 + 3 * DAY, known) is None
        assert end("elbe", "base", 1, DAY_1, DAY_1 - DAY) is None


def test_a_clock_that_runs_back_does_not_make_a_later_number_known_earlier(
    clocked: Database, clock: Clock, record: PublicationRecord
) -> None:
    publish(clocked, record)
    clock.now -= DAY
    publish(clocked, record)
    with clocked.read(SYSTEM) as view:
        assert view.publications.get("elbe", "base", 2).recorded_at == DAY_1


@pytest.mark.parametrize("table", ["publications", "published_grids"])
def test_what_is_published_is_never_changed(clocked: Database, record: PublicationRecord, table: str) -> None:
    publish(clocked, record)
    for statement in (f"UPDATE {table} SET n = n", f"DELETE FROM {table}"):
        with (
            pytest.raises(Conflict, match="never changed"),
            clocked._transaction(writes=True) as connection,
        ):
            connection.execute(sa.text(statement))


def test_an_unknown_publication_is_not_found(database: Database) -> None:
    with database.read(SYSTEM) as view, pytest.raises(NotFound):
        view.publications.get("elbe", "base", 1)
