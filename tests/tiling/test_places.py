"""The places of a territory: points, ids and the border, the same after they were written and mapped."""

from __future__ import annotations

import json

import h3.api.basic_int as h3
import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from gridsvc.tiling import places as module
from gridsvc.tiling.hexes import index_points
from gridsvc.tiling.places import Places
from tests.tiling.test_lattice import CORNERS, EDGES, around, disk

WORLD = shapely.MultiPolygon([shapely.box(-180, -90, 180, 90)])


@pytest.fixture
def mapped(tmp_path):
    """`open(places)`: written to files and made again from read-only maps of them."""

    def reopen(places: Places) -> Places:
        for name, array in places.arrays().items():
            np.save(tmp_path / f"{name}.npy", array)
        arrays = {file.stem: np.load(file, mmap_mode="r") for file in tmp_path.glob("*.npy")}
        return Places.of_arrays(json.loads(json.dumps(places.meta())), arrays)

    return reopen


def blocks(n: int) -> tuple[np.ndarray, np.ndarray]:
    codes = np.array(sorted(f"街区-{i:03d}" for i in range(n * n)), object)
    return codes, np.array([shapely.box(i % n, i // n, i % n + 1, i // n + 1) for i in range(n * n)], object)


def test_hexagons_after_they_were_mapped(mapped):
    ids = disk(-0.12, 51.5, 9, 12)
    border = shapely.MultiPolygon([shapely.Point(-0.12, 51.5).buffer(0.03)])
    places = mapped(Places.of("h3", 9, ids, None, border))
    lon, lat = around(-0.12, 51.5, 9, 14, 5_000)
    cell = index_points(lon, lat, 9)
    row = {cell: row for row, cell in enumerate(ids.tolist())}
    expected = [row.get(cell, -1) for cell in cell.tolist()]
    rows = places.rows(lon, lat)
    assert (places.kind, places.resolution, len(places)) == ("h3", 9, len(ids))
    assert rows.tolist() == expected
    assert [places.row(x, y) for x, y in zip(lon.tolist(), lat.tolist(), strict=True)] == expected
    text = [h3.int_to_str(c) if row >= 0 else None for c, row in zip(cell.tolist(), expected, strict=True)]
    assert places.names(rows).tolist() == text
    assert [bytes(b).decode() for b in places.hex_bytes(rows)] == [name or " " * 15 for name in text]
    assert places.table().tolist() == [h3.int_to_str(cell) for cell in ids.tolist()]
    for at, name in enumerate(places.table().tolist()[::50]):
        assert places.find(name) == at * 50 == places.find(name.upper())
        assert places.name(at * 50) == name
    assert places.boundary.equals(border)


def test_polygons_after_they_were_mapped(mapped):
    codes, shapes = blocks(4)
    places = mapped(
        Places.of("polygons", None, codes, shapes, shapely.MultiPolygon([shapely.box(0, 0, 4, 4)]))
    )
    lon, lat = np.array([(0.5, 0.5), (1.0, 1.0), (3.5, 3.5), (4.0, 4.0), (4.1, 4.0), (np.nan, 0.0)]).T
    rows = places.rows(lon, lat)
    assert rows.tolist() == [0, 0, 15, 15, -1, -1]
    assert [places.row(x, y) for x, y in zip(lon, lat, strict=True)] == rows.tolist()
    assert places.names(rows).tolist() == ["街区-000"] * 2 + ["街区-015"] * 2 + [None] * 2
    assert places.table().tolist() == codes.tolist()
    assert [places.find(code) for code in codes] == list(range(16))
    assert places.find("街区") == places.find("") == places.find("街区-016") == -1
    assert shapely.equals(places.polygons(), shapes).all()
    with pytest.raises(TypeError):
        places.hex_bytes(rows)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "zz",
        "89194ad14d7ffff0",
        "８9194ad14d7ffff",
        "0x89194ad14d7ffff",
        "8_9194ad14d7ffff",
        " 89194ad14d7ffff",
        "+89194ad14d7ffff",
        "x" * 99,
    ],
)
def test_what_is_no_cell_is_not_found(text):
    places = Places.of("h3", 9, disk(-0.12, 51.5, 9, 2), None, WORLD)
    assert places.find(text) == -1
    assert places.find(h3.int_to_str(h3.latlng_to_cell(51.5, -0.12, 8))) == -1
    assert places.find(h3.int_to_str(h3.latlng_to_cell(51.5, -0.12, 10))) == -1


def holds(border, lon, lat) -> list[bool]:
    return shapely.intersects(border, shapely.points(lon, lat)).tolist()


def insides(places, lon, lat) -> list[bool]:
    rows = places.rows(lon, lat).tolist()
    return [places.inside(*p) for p in zip(lon.tolist(), lat.tolist(), rows, strict=True)]


@settings(max_examples=80, deadline=None)
@given(st.data())
def test_each_point_of_a_cell_is_on_the_side_of_the_border_its_flag_says(data):
    lon, lat = data.draw(st.floats(-180, 180)), data.draw(st.floats(-90, 90))
    if data.draw(st.booleans()):
        lon, lat = data.draw(st.sampled_from(EDGES + CORNERS))
    resolution, seed = data.draw(st.integers(0, 9)), data.draw(st.integers(0, 2**32 - 1))
    ids = disk(lon, lat, resolution, 6)
    x, y = around(lon, lat, resolution, 8, 1_500, seed)
    rng = np.random.default_rng(seed)
    middle, far = rng.integers(len(x)), 20.0 / np.sqrt(7.0) ** resolution * rng.uniform(0.2, 8.0)
    border = shapely.clip_by_rect(shapely.Point(x[middle], y[middle]).buffer(far), -180, -90, 180, 90)
    places = Places.of("h3", resolution, ids, None, shapely.MultiPolygon([border]))
    assert insides(places, x, y) == holds(border, x, y)
    assert places.covers(x, y).tolist() == holds(border, x, y)


def test_most_cells_are_known_to_be_inside_or_outside():
    ids = disk(-0.12, 51.5, 9, 60)
    places = Places.of(
        "h3", 9, ids, None, shapely.MultiPolygon([shapely.Point(-0.12, 51.5).buffer(0.1, 200)])
    )
    share = np.bincount(places.arrays()["flags"], minlength=3) / len(ids)
    assert share[module._MIXED] < 0.15
    assert share[module._INSIDE] > 0.2
    assert share[module._OUTSIDE] > 0.2


def test_cells_taken_for_smaller_than_they_are_would_be_put_on_the_wrong_side(monkeypatch):
    monkeypatch.setattr(module, "_REACH", 0.0)
    ids, border = disk(-0.12, 51.5, 6, 10), shapely.Point(-0.12, 51.5).buffer(0.3, 200)
    lon, lat = around(-0.12, 51.5, 6, 12, 20_000)
    places = Places.of("h3", 6, ids, None, shapely.MultiPolygon([border]))
    assert insides(places, lon, lat) != holds(border, lon, lat)


def test_polygons_inside_the_border_need_no_test():
    _, shapes = blocks(6)
    codes = np.array([f"{i:02d}" for i in range(36)], object)
    border = shapely.MultiPolygon([shapely.box(0.5, -1, 9, 9).union(shapely.box(-9, 3.25, 1, 4.75))])
    places = Places.of("polygons", None, codes, shapes, border)
    lon, lat = np.random.default_rng(1).uniform((-1, -1), (7, 7), (4_000, 2)).T
    lon[:500] = np.rint(lon[:500] * 2) / 2
    assert insides(places, lon, lat) == holds(border, lon, lat)
    assert (places.arrays()["flags"] == module._INSIDE).sum() > 15


def test_a_million_cells_take_twelve_megabytes_and_open_without_work(monkeypatch):
    k = 180  # 98,000 cells: as many a byte as a million would
    ids = disk(-0.12, 51.5, 11, k)
    border = shapely.MultiPolygon([shapely.Point(-0.12, 51.5).buffer(0.08)])
    made = Places.of("h3", 11, ids, None, border)
    per_cell = {"cells", "flags", "lattice_blocks", "lattice_directory"}
    assert sum(array.nbytes for name, array in made.arrays().items() if name in per_cell) < 10.6 * len(ids)
    assert sum(array.nbytes for name, array in made.arrays().items() if name not in per_cell) < 1.4e6
    for slow in ("centres", "_flags"):
        monkeypatch.setattr(module, slow, None)
    again = Places.of_arrays(made.meta(), made.arrays())
    assert all(
        np.shares_memory(array, made.arrays()[name]) for name, array in again.arrays().items() if array.size
    )
    assert np.shares_memory(again._territory._blocks, made.arrays()["territory_raster_blocks"])
    assert again.row(-0.12, 51.5) == made.row(-0.12, 51.5) >= 0


def test_no_points_and_few_points():
    places = Places.of("h3", 9, disk(-0.12, 51.5, 9, 3), None, WORLD)
    assert places.rows(np.zeros(0), np.zeros(0)).tolist() == []
    assert places.names(np.zeros(0, np.int64)).tolist() == []
    assert places.hex_bytes(np.zeros(0, np.int64)).shape == (0, 15)
    assert places.covers(np.zeros(0), np.zeros(0)).tolist() == []
    assert places.rows(np.array([-0.12, np.nan]), np.array([51.5, 51.5])).tolist()[1] == -1
