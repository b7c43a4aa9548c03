"""Tilings of H3 cells."""

from __future__ import annotations

import h3
import h3.api.basic_int as h3int
import numpy as np
import pytest
import shapely

from gridsvc.errors import InvalidInput
from gridsvc.tiling.h3tiles import suggest_resolution, tile_cells, tile_h3


def square(lon: float, lat: float, half: float) -> shapely.MultiPolygon:
    return shapely.multipolygons([shapely.box(lon - half, lat - half, lon + half, lat + half)])


def assert_sound(tiling) -> None:
    """What holds for every tiling."""
    n = len(tiling)
    assert all(tiling.ids[i] < tiling.ids[i + 1] for i in range(n - 1))
    for values in (tiling.geometry, tiling.x, tiling.y, tiling.area, tiling.perimeter):
        assert values.shape == (n,)
    assert shapely.is_valid(tiling.geometry).all()
    assert (tiling.area > 0).all()
    assert (tiling.perimeter > 0).all()
    graph = tiling.adjacency
    assert graph.indptr.dtype == np.int64
    assert graph.indices.dtype == np.int32
    tail = np.repeat(np.arange(n), np.diff(graph.indptr))
    there = dict(zip(zip(tail.tolist(), graph.indices.tolist(), strict=True), graph.length, strict=True))
    assert len(there) == len(graph.indices)
    assert all(a != b and there[b, a] == length > 0 for (a, b), length in there.items())


def brute_pairs(ids: np.ndarray) -> set[tuple[int, int]]:
    row = {int(cell): i for i, cell in enumerate(ids)}
    return {(row[a], row[b]) for a in row for b in h3int.grid_disk(a, 1) if b in row and row[a] < row[b]}


PENTAGON = h3int.cell_to_latlng(h3int.get_pentagons(8)[5])
PLACES = [(-0.1, 51.5, 8), (116.4, 39.9, 9), (PENTAGON[1], PENTAGON[0], 8), (PENTAGON[1], PENTAGON[0], 7)]


@pytest.mark.parametrize(("lon", "lat", "resolution"), PLACES)
def test_neighbours_are_those_of_h3_and_edges_have_its_length(lon, lat, resolution):
    tiling = tile_h3(square(lon, lat, 0.08), resolution)
    assert_sound(tiling)
    a, b, length = tiling.adjacency.pairs()
    assert set(zip(a.tolist(), b.tolist(), strict=True)) == brute_pairs(tiling.ids)
    edges = [
        h3int.edge_length(h3int.cells_to_directed_edge(int(tiling.ids[i]), int(tiling.ids[j])), unit="m")
        for i, j in zip(a, b, strict=True)
    ]
    # The sphere of H3 against the ellipsoid of the plane: at most 0.6 % apart.
    np.testing.assert_allclose(length, edges, rtol=0.01)


def test_neighbours_are_right_over_the_edge_between_two_icosahedron_faces():
    """Outlines there have more than six corners."""
    cells = {
        c for c in h3.grid_disk(h3.latlng_to_cell(*PENTAGON, 7), 30) if len(h3.get_icosahedron_faces(c)) > 1
    }
    lat, lon = h3.cell_to_latlng(
        max(cells, key=lambda c: h3.great_circle_distance(PENTAGON, h3.cell_to_latlng(c)))
    )
    tiling = tile_h3(square(lon, lat, 0.05), 7)
    assert (shapely.get_num_coordinates(tiling.geometry) > 7).any()
    a, b, _ = tiling.adjacency.pairs()
    assert set(zip(a.tolist(), b.tolist(), strict=True)) == brute_pairs(tiling.ids)


@pytest.mark.london
def test_london_at_resolution_9(london):
    tiling = tile_h3(london, 9)
    assert_sound(tiling)
    assert tiling.kind == "h3"
    assert tiling.resolution == 9
    assert tiling.ids.dtype == np.uint64
    assert len(tiling) == pytest.approx(17_274, rel=0.02)
    h3_area = [h3int.cell_area(cell, unit="m^2") for cell in tiling.ids[:500].tolist()]
    np.testing.assert_allclose(tiling.area[:500], h3_area, rtol=0.01)
    # All six edges of an inner cell make its perimeter.
    inner = np.flatnonzero(np.diff(tiling.adjacency.indptr) == 6)
    total = tiling.adjacency.length[tiling.adjacency.indptr[inner][:, None] + np.arange(6)].sum(axis=1)
    np.testing.assert_allclose(total, tiling.perimeter[inner], rtol=1e-9)
    assert tiling.names()[0] == h3.int_to_str(int(tiling.ids[0]))


def test_points_are_the_cells_centres_in_metres():
    tiling = tile_h3(square(10.0, 50.0, 0.02), 9)
    lat, lon = h3int.cell_to_latlng(int(tiling.ids[3]))
    north = (lat - tiling.origin[1]) * 111_230
    east = (lon - tiling.origin[0]) * 111_320 * np.cos(np.radians(lat))
    assert tiling.x[3] == pytest.approx(east, abs=15)
    assert tiling.y[3] == pytest.approx(north, abs=15)


def test_a_territory_on_both_sides_of_the_antimeridian_is_one_piece():
    west, east = shapely.box(179.9, -17.1, 180.0, -17.0), shapely.box(-180.0, -17.1, -179.9, -17.0)
    tiling = tile_h3(shapely.multipolygons([west, east]), 8)
    assert_sound(tiling)
    assert abs(tiling.origin[0]) == pytest.approx(180.0, abs=0.01)
    assert np.abs(tiling.x).max() < 13_000
    assert shapely.bounds(tiling.geometry)[:, 2].max() < 181.0


def test_given_cells_make_the_same_tiling_as_the_cover_which_found_them():
    made = tile_h3(square(10.0, 50.0, 0.02), 9)
    again = tile_cells(made.ids, {"kwh": np.arange(float(len(made)))})
    assert_sound(again)
    assert again.resolution == 9
    assert (again.adjacency.indices == made.adjacency.indices).all()
    np.testing.assert_allclose(again.area, made.area, rtol=1e-6)
    assert again.columns["kwh"][3] == 3.0


def test_one_cell_has_no_neighbour():
    lat, lon = h3int.cell_to_latlng(h3int.latlng_to_cell(51.5, -0.1, 5))
    tiling = tile_h3(square(lon, lat, 1e-6), 5)
    assert len(tiling) == 1
    assert len(tiling.adjacency.indices) == 0


def test_progress_runs_to_its_end():
    seen: list[float] = []
    tile_h3(square(0, 0, 0.02), 8, lambda share, message: seen.append(share))
    assert seen == sorted(seen)
    assert seen[-1] == 1.0


@pytest.mark.london
def test_the_coarsest_resolution_that_is_fine_enough_is_suggested(london, postcodes):
    few = suggest_resolution(london, 20, *postcodes, None)
    many = suggest_resolution(london, 400, *postcodes, None)
    assert few.resolution < many.resolution
    for suggestion in (few, many):
        assert [row["resolution"] for row in suggestion.table] == [8, 9, 10, 11]
        first = next(row for row in suggestion.table if row["ok"])
        assert first["resolution"] == suggestion.resolution
        assert first["p99_share"] <= 0.10
        assert first["cells_per_grid"] >= 40


def test_a_heavy_point_makes_even_the_finest_too_coarse_and_the_table_says_so():
    lon, lat = np.full(1000, 10.0), np.full(1000, 50.0)
    suggestion = suggest_resolution(square(10.0, 50.0, 0.1), 5, lon, lat, None)
    assert suggestion.resolution == 11
    assert not any(row["ok"] for row in suggestion.table)
    assert "dense cells are too heavy; taken all the same" in suggestion.table[-1]["note"]


def test_the_worst_measure_decides():
    rng = np.random.default_rng(3)
    lon, lat = rng.uniform(9.9, 10.1, 5000), rng.uniform(49.9, 50.1, 5000)
    even, uneven = np.ones(5000), np.where(np.hypot(lon - 10, lat - 50) < 0.02, 50.0, 1.0)
    territory = square(10.0, 50.0, 0.1)
    alone = suggest_resolution(territory, 5, lon, lat, {"customers": even})
    both = suggest_resolution(territory, 5, lon, lat, {"customers": even, "kwh": uneven})
    assert both.table[0]["p99_share"] > alone.table[0]["p99_share"]
    assert both.resolution > alone.resolution


def test_without_customers_only_the_number_of_cells_counts():
    none = np.array([np.nan, 0.0])
    useless = suggest_resolution(square(10.0, 50.0, 0.1), 3, none, np.array([0.0, 91.0]), None)
    for suggestion in (useless, suggest_resolution(square(10.0, 50.0, 0.1), 3)):
        assert suggestion.table[0]["p99_share"] is None
        assert suggestion.table[0]["ok"]


def test_no_grids_at_all_are_refused():
    with pytest.raises(InvalidInput, match="0 grids asked for; ask for at least 1"):
        suggest_resolution(square(0, 0, 0.1), 0, np.zeros(0), np.zeros(0), None)
