from __future__ import annotations

from dataclasses import replace

import h3
import numpy as np
import pytest
import shapely

from gridsvc.errors import InvalidInput, NotFound
from gridsvc.principal import SYSTEM
from gridsvc.store import Database
from gridsvc.store.records import MeasureRecord
from gridsvc.tiling.tiling import Adjacency, Tiling
from tests.store.builders import ANNA, DAY_1, customers, ground, same_tiling, strip


def hexagons() -> Tiling:
    ids = sorted(h3.str_to_int(cell) for cell in h3.grid_disk(h3.latlng_to_cell(51.5, -0.1, 9), 2))
    outlines = [
        shapely.Polygon([(lon, lat) for lat, lon in h3.cell_to_boundary(h3.int_to_str(i))]) for i in ids
    ]
    n = len(ids)
    return replace(
        strip(n),
        kind="h3",
        resolution=9,
        ids=np.array(ids, dtype=np.uint64),
        geometry=np.array(outlines, dtype=object),
        columns={},
    )


@pytest.mark.parametrize("tiling", [strip(), hexagons()], ids=["polygons", "h3"])
def test_a_tiling_comes_back_as_it_was_given(database: Database, tiling: Tiling) -> None:
    made = ground(database, tiling)
    with database.read(SYSTEM) as view:
        same_tiling(view.tilings.load(made), tiling)
        record = view.tilings.get(made)
        assert view.tilings.list("elbe") == [record]
    assert (record.territory, record.kind, record.resolution) == ("elbe", tiling.kind, tiling.resolution)
    assert (record.n_cells, record.origin) == (len(tiling), tiling.origin)
    assert (record.params, record.coverage) == ({"id_field": "code"}, {"gaps": 0})


def test_one_lone_cell_has_no_neighbours(database: Database) -> None:
    none = np.zeros(0, np.int32)
    lone = replace(strip(1), adjacency=Adjacency.from_pairs(1, none, none, np.zeros(0)))
    made = ground(database, lone)
    with database.read(SYSTEM) as view:
        same_tiling(view.tilings.load(made), lone)


def test_cells_in_a_box_are_found_and_only_those(database: Database) -> None:
    first = ground(database, strip(40))
    with database.write(ANNA, "test") as work:
        second = work.tilings.add("elbe", strip(10), params={}, coverage={})
    with database.read(SYSTEM) as view:
        found = view.tilings.cells_in_box(first, (7.25, 0.25, 9.75, 0.75))
        assert [(c.row, c.cell) for c in found] == [(7, "c000007"), (8, "c000008"), (9, "c000009")]
        assert found[0].geometry == shapely.box(7, 0, 8, 1)
        assert [c.row for c in view.tilings.cells_in_box(second, (7.25, 0.25, 9.75, 0.75))] == [7, 8, 9]
        assert view.tilings.cells_in_box(first, (50, 0, 60, 1)) == []


def test_a_box_is_compared_exactly_though_the_index_is_coarse(database: Database) -> None:
    """float32 cannot tell 7 from 7 - 1e-8: the index alone would find both cells."""
    made = ground(database, strip(40))
    with database.read(SYSTEM) as view:
        found = view.tilings.cells_in_box(made, (7 + 1e-9, 0.25, 7 + 2e-9, 0.75))
    assert [c.row for c in found] == [7]


def test_an_unknown_tiling_names_its_cure(database: Database) -> None:
    with database.read(SYSTEM) as view:
        for ask in (view.tilings.get, view.tilings.load):
            with pytest.raises(NotFound) as missing:
                ask("til_none")
            assert missing.value.cure


def measure(name: str, *values: float, largest: bool = False) -> MeasureRecord:
    numbers = np.array(values)
    return MeasureRecord(
        name, f"sum:{name}", "kWh a year", numbers, DAY_1, numbers / 2 if largest else None, 0.015
    )


def test_measures_come_back_as_they_were_given(database: Database) -> None:
    made = ground(database)
    given = [measure("kwh", 1.5, np.nan, 1e300, largest=True), measure("count", 1, 2, 3)]
    with database.write(ANNA, "test") as work:
        work.tilings.put_measures(made, None, given)
    with database.read(SYSTEM) as view:
        found = view.tilings.measures(made)
    assert set(found) == {"kwh", "count"}
    for record in given:
        other = found[record.name]
        np.testing.assert_array_equal(other.values, record.values)
        assert (other.largest is None) == (record.largest is None)
        assert replace(other, values=record.values, largest=record.largest) == record
    np.testing.assert_array_equal(found["kwh"].largest, given[0].largest)


def test_the_newest_measure_of_a_name_counts(database: Database) -> None:
    made = ground(database)
    with database.write(ANNA, "test") as work:
        work.tilings.put_measures(made, None, [measure("kwh", 1, 1, 1)])
        work.tilings.put_measures(made, None, [measure("kwh", 2, 2, 2)])
        assert work.tilings.measures(made)["kwh"].values.tolist() == [2, 2, 2]


def test_measures_of_an_import_count_from_its_flip_on(database: Database) -> None:
    made = ground(database)
    with database.write(ANNA, "test") as work:
        imported = work.customers.begin_import("elbe", made, "c.csv", {})
        work.customers.stage(imported, customers())
        work.tilings.put_measures(made, imported, [measure("kwh", 1, 2, 3)])
        assert work.tilings.measures(made) == {}
        assert work.tilings.measures(made, imported)["kwh"].import_id == imported
        work.customers.flip(imported, {})
        assert work.tilings.measures(made)["kwh"].values.tolist() == [1, 2, 3]


def test_a_measure_has_one_value_a_cell(database: Database) -> None:
    made = ground(database)
    with database.write(ANNA, "test") as work, pytest.raises(InvalidInput, match="2 values for 3 cells"):
        work.tilings.put_measures(made, None, [measure("kwh", 1, 2)])
