"""Customers are staged unseen, and go live as a whole."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from gridsvc.errors import Conflict, NotFound
from gridsvc.principal import SYSTEM
from gridsvc.store import Database
from gridsvc.store.records import CustomerRows
from gridsvc.store.staging import staging
from tests.databases import Opener
from tests.store.builders import ANNA, DAY, DAY_1, Clock, customers, ground


def live(database: Database, tiling: str, rows: CustomerRows) -> str:
    with staging(database, ANNA, "elbe", tiling, source="c.csv", params={"crs": "wgs84"}) as stage:
        stage.add(rows)
        with database.write(ANNA, "customers.import") as work:
            work.customers.flip(stage.import_id, {"read": len(rows)})
    return stage.import_id


def test_nothing_is_seen_before_the_flip(database: Database) -> None:
    tiling = ground(database)
    with staging(database, ANNA, "elbe", tiling, source="c.csv", params={}) as stage:
        stage.add(customers())
        with database.read(SYSTEM) as view:
            assert view.customers.live_import("elbe") is None
            assert view.customers.find("elbe", "k1") is None
            assert view.seq() == 0
        with database.write(ANNA, "customers.import") as work:
            assert work.customers.flip(stage.import_id, {"read": 4}) == 1
    with database.read(SYSTEM) as view:
        assert view.customers.find("elbe", "k1") is not None
        assert view.seq() == 1


def test_a_failed_import_leaves_no_rows(database: Database) -> None:
    tiling = ground(database)
    former = live(database, tiling, customers(2))
    with (
        pytest.raises(ZeroDivisionError),
        staging(database, ANNA, "elbe", tiling, source="d.csv", params={}) as stage,
    ):
        stage.add(customers())
        raise ZeroDivisionError
    with database.read(SYSTEM) as view:
        assert view.customers.get_import(stage.import_id).status == "discarded"
        assert len(view.customers.index(stage.import_id)[0]) == 0
        found = view.customers.live_import("elbe")
        assert found is not None
        assert found.id == former


def test_the_later_import_takes_the_place_of_the_former(open_database: Opener) -> None:
    clock = Clock()
    database = open_database(clock=clock)
    tiling = ground(database)
    former = live(database, tiling, customers(3))
    clock.now += DAY
    later = live(database, tiling, customers(2, first=3))
    with database.read(SYSTEM) as view:
        found, old = view.customers.live_import("elbe", tiling), view.customers.get_import(former)
        assert found is not None
        assert (found.id, found.status, found.summary) == (later, "live", {"read": 2})
        assert (found.valid_from, found.valid_to) == (DAY_1 + DAY, None)
        assert (old.status, old.valid_from, old.valid_to) == ("superseded", DAY_1, DAY_1 + DAY)
        assert (old.source, old.params, old.tiling) == ("c.csv", {"crs": "wgs84"}, tiling)
        assert view.customers.find("elbe", "k1") is None


def test_imports_on_two_tilings_live_side_by_side_and_the_last_is_asked(open_database: Opener) -> None:
    clock = Clock()
    database = open_database(clock=clock)
    first = ground(database)
    live(database, first, customers(2))
    clock.now += DAY
    with database.write(ANNA, "test") as work:
        second = work.tilings.add("elbe", work.tilings.load(first), params={}, coverage={})
    later = live(database, second, customers(2))
    with database.read(SYSTEM) as view:
        one, both = view.customers.live_import("elbe", first), view.customers.live_import("elbe")
        assert one is not None
        assert both is not None
        assert (one.tiling, both.id) == (first, later)
        found = view.customers.find("elbe", "k1")
        assert found is not None
        assert found.tiling == second


def test_a_customer_comes_back_as_it_was_given(database: Database) -> None:
    tiling = ground(database)
    imported = live(database, tiling, customers())
    with database.read(SYSTEM) as view:
        placed, lost = view.customers.find("elbe", "k2"), view.customers.find("elbe", "k4")
    assert placed is not None
    assert (placed.import_id, placed.tiling, placed.row_no, placed.id) == (imported, tiling, 2, "k2")
    assert (placed.premise, placed.verdict, placed.cell) == ("p2", 0, 2)
    assert (placed.kept, placed.todo) == (True, False)
    assert (placed.lon, placed.lat, placed.values) == (2 / 7, 0.5, {"kwh": 3.0, "kind": None})
    assert lost is not None
    assert (lost.cell, lost.lon, lost.lat) == (-1, None, None)
    assert lost.values == {"kwh": None, "kind": None}


def test_index_and_points_give_kept_customers_in_the_order_of_the_source(database: Database) -> None:
    rows = customers(5)
    imported = live(database, ground(database), replace(rows, kept=rows.row_no != 2))
    with database.read(SYSTEM) as view:
        ids, cells = view.customers.index(imported)
        lon, lat = view.customers.points(imported)
    assert (ids.dtype, cells.dtype) == (np.dtype(object), np.dtype(np.int32))
    assert ids.tolist() == ["k1", "k3", "k4", "k5"]
    assert cells.tolist() == [1, 0, -1, 2]
    np.testing.assert_array_equal(lon, [1 / 7, 3 / 7, np.nan, 5 / 7])
    np.testing.assert_array_equal(lat, [0.5, 0.5, np.nan, 0.5])


def test_customers_of_cells_come_in_pages_by_id(database: Database) -> None:
    imported = live(database, ground(database), customers(12))
    with database.read(SYSTEM) as view:
        assert [c.id for c in view.customers.in_cell(imported, 1)] == ["k1", "k10", "k7"]
        pages = [view.customers.in_cells(imported, [0, 1, 999], after, 3) for after in (None, "k3", "k9")]
    assert [[c.id for c in page] for page in pages] == [["k1", "k10", "k3"], ["k6", "k7", "k9"], []]


def test_rows_which_need_a_person_come_in_pages(database: Database) -> None:
    imported = live(database, ground(database), customers(12))
    with database.read(SYSTEM) as view:
        assert [c.row_no for c in view.customers.findings(imported, 0, 2)] == [4, 8]
        assert [c.row_no for c in view.customers.findings(imported, 8, 2)] == [12]


def test_an_id_is_kept_once_though_left_out_rows_may_repeat_it(database: Database) -> None:
    tiling = ground(database)
    rows = customers(3)
    same = np.array(["k1", "k1", "k1"], dtype=object)
    with pytest.raises(Conflict, match="twice"):
        live(database, tiling, replace(rows, id=same))
    imported = live(database, tiling, replace(rows, id=same, kept=rows.row_no == 2))
    with database.read(SYSTEM) as view:
        found = view.customers.find("elbe", "k1")
        assert found is not None
        assert (found.row_no, found.import_id) == (2, imported)


@pytest.mark.parametrize("closed_by", ["flip", "discard"])
def test_a_closed_import_takes_no_more_rows(database: Database, closed_by: str) -> None:
    tiling = ground(database)
    with database.write(ANNA, "test") as work:
        imported = work.customers.begin_import("elbe", tiling, "c.csv", {})
        work.customers.flip(imported, {}) if closed_by == "flip" else work.customers.discard(imported)
    with pytest.raises(Conflict), database.write(ANNA, "test") as work:
        work.customers.stage(imported, customers())


def test_more_rows_than_one_chunk(database: Database) -> None:
    n = 45_000
    imported = live(database, ground(database), customers(n))
    with database.read(SYSTEM) as view:
        ids, cells = view.customers.index(imported)
        page = view.customers.in_cells(imported, range(40_000), None, 10)
    assert ids.tolist() == [f"k{i}" for i in range(1, n + 1)]
    assert int((cells == -1).sum()) == n // 4
    assert len(page) == 10


def test_an_unknown_import_names_its_cure(database: Database) -> None:
    with database.read(SYSTEM) as view, pytest.raises(NotFound) as missing:
        view.customers.index("imp_none")
    assert missing.value.cure


def test_an_import_whose_process_died_is_cleared_away(open_database: Opener) -> None:
    clock = Clock()
    database = open_database(clock=clock)
    tiling = ground(database)
    with database.write(ANNA, "test") as work:
        dead = work.customers.begin_import("elbe", tiling, "c.csv", {})
        work.customers.stage(dead, customers())
    clock.now += DAY
    with database.write(ANNA, "test") as work:
        fresh = work.customers.begin_import("elbe", tiling, "c.csv", {})
        work.customers.discard_abandoned(DAY.total_seconds() / 2)
        assert work.customers.get_import(dead).status == "discarded"
        assert len(work.customers.index(dead)[0]) == 0
        assert work.customers.get_import(fresh).status == "staging"
