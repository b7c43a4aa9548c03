"""The cover leaves no point of the territory outside, as h3 judges points."""

from __future__ import annotations

import h3
import h3.api.basic_int as h3int
import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from gridsvc.errors import InvalidGeometry, InvalidInput, TooLarge
from gridsvc.tiling.cover import MAX_CELLS, cover, estimate_cells
from gridsvc.tiling.hexes import index_points


def square(lon: float, lat: float, half: float) -> shapely.MultiPolygon:
    return shapely.multipolygons([shapely.box(lon - half, lat - half, lon + half, lat + half)])


def left_outside(cells: np.ndarray, points: tuple[np.ndarray, np.ndarray], resolution: int) -> int:
    return int((~np.isin(index_points(*points, resolution), cells)).sum())


def border_points(shape: shapely.Geometry, step: float) -> tuple[np.ndarray, np.ndarray]:
    lon, lat = shapely.get_coordinates(shapely.segmentize(shape, step)).T
    return lon, lat


@pytest.mark.london
@pytest.mark.parametrize("resolution", [8, 9])
def test_no_point_of_london_is_outside(london, postcodes, points_inside, resolution):
    cells = cover(london, resolution)
    assert left_outside(cells, points_inside(london, 100_000), resolution) == 0
    inside = shapely.intersects_xy(london, *postcodes)
    assert inside.sum() > 180_000
    assert left_outside(cells, (postcodes[0][inside], postcodes[1][inside]), resolution) == 0
    assert left_outside(cells, border_points(london, 1e-4), resolution) == 0


def test_no_point_of_beijings_districts_is_outside(beijing, points_inside):
    cells = cover(beijing, 9)
    assert left_outside(cells, points_inside(beijing, 100_000), 9) == 0
    assert left_outside(cells, border_points(beijing, 1e-4), 9) == 0


def test_each_cell_of_a_cover_touches_the_territory(london):
    cells = cover(london, 8)
    drawn = shapely.polygons(
        [[(lon, lat) for lat, lon in h3int.cell_to_boundary(cell)] for cell in cells.tolist()]
    )
    assert shapely.dwithin(london, drawn, 1e-6).all()
    assert (np.diff(cells.astype(object)) > 0).all()  # ascending, unique


@pytest.mark.parametrize("resolution", [6, 9, 12])
@pytest.mark.parametrize(("lat", "lon"), [(51.5, -0.1), (-33.9, 151.2), (69.6, 18.9), (0.0, 32.6)])
def test_a_boundary_drawn_along_h3_outlines_loses_no_point_just_inside(resolution, lat, lon):
    disk = h3.grid_disk(h3.latlng_to_cell(lat, lon, resolution), 4)
    outer = [(x, y) for y, x in h3.cells_to_h3shape(disk).outer]
    territory = shapely.multipolygons([shapely.Polygon(outer)])
    x, y = border_points(territory, h3.average_hexagon_edge_length(resolution, "m") / 1e5 / 50)
    middle = shapely.centroid(territory)
    cells = cover(territory, resolution)
    for inward in (0.0, 1e-12, 1e-9, 1e-6, 1e-3):
        points = x + (middle.x - x) * inward, y + (middle.y - y) * inward
        assert left_outside(cells, points, resolution) == 0
    assert set(disk) <= {h3.int_to_str(int(c)) for c in cells}


def slivers(resolution: int, lat: float) -> list[shapely.MultiPolygon]:
    """Small squares between the true edges of cells (great circles) and their chords in lon/lat."""
    squares = []
    for cell in h3.grid_disk(h3.latlng_to_cell(lat, 20.0, resolution), 2):
        ring = np.array(h3.cell_to_boundary(cell))
        for one, other in zip(ring, np.roll(ring, 1, axis=0), strict=True):
            phi, lam = np.radians([one, other]).T
            x, y, z = (np.cos(phi) * np.cos(lam)).sum(), (np.cos(phi) * np.sin(lam)).sum(), np.sin(phi).sum()
            arc = np.degrees([np.arctan2(y, x), np.arctan2(z, np.hypot(x, y))])
            chord = (one + other)[::-1] / 2
            middle, width = (arc + chord) / 2, np.abs(arc - chord).max()
            squares.append(square(*middle, width / 8))
    return squares


@pytest.mark.parametrize("resolution", [3, 5, 7, 9])
def test_a_territory_between_a_cells_true_edge_and_its_chord_is_covered(resolution):
    """The drawn outline of the point's own cell does not reach there: drawn shapes alone would miss it."""
    beyond = 0
    for territory in slivers(resolution, 65.0):
        points = border_points(territory, 1.0)
        assert left_outside(cover(territory, resolution), points, resolution) == 0
        for cell in set(index_points(*points, resolution).tolist()):
            drawn = shapely.Polygon([(lon, lat) for lat, lon in h3int.cell_to_boundary(cell)])
            beyond += not drawn.intersects(territory)
    assert beyond > 0


@settings(max_examples=60, deadline=None)
@given(
    lon=st.floats(-170, 170),
    lat=st.floats(-75, 75),
    half=st.floats(1e-6, 0.05),
    resolution=st.integers(3, 9),
    seed=st.integers(0, 2**31),
)
def test_no_point_of_any_square_is_outside(lon, lat, half, resolution, seed):
    territory = square(lon, lat, half)
    rng = np.random.default_rng(seed)
    west, south, east, north = shapely.bounds(territory)
    points = rng.uniform(west, east, 300), rng.uniform(south, north, 300)
    cells = cover(territory, resolution)
    assert len(cells) >= 1
    assert left_outside(cells, points, resolution) == 0
    assert left_outside(cells, border_points(territory, half / 20), resolution) == 0


@pytest.mark.parametrize("resolution", range(7))
def test_coarse_cells_cover_large_countries_too(resolution, points_inside):
    territory = shapely.multipolygons([shapely.box(5.0, 45.0, 25.0, 70.0)])
    cells = cover(territory, resolution)
    assert left_outside(cells, points_inside(territory, 20_000), resolution) == 0
    assert left_outside(cells, border_points(territory, 0.01), resolution) == 0


def test_a_pentagon_and_its_neighbours_are_covered(points_inside):
    lat, lon = h3int.cell_to_latlng(h3int.get_pentagons(7)[3])
    territory = square(lon, lat, 0.2)
    assert left_outside(cover(territory, 7), points_inside(territory, 20_000), 7) == 0


def test_a_hole_larger_than_cells_stays_free_and_its_rim_is_covered(points_inside):
    ring = shapely.box(0, 0, 0.2, 0.2).difference(shapely.box(0.05, 0.05, 0.15, 0.15))
    cells = cover(shapely.multipolygons([ring]), 8)
    assert left_outside(cells, points_inside(ring, 50_000), 8) == 0
    assert not np.isin(index_points(np.array([0.1]), np.array([0.1]), 8), cells).any()


def test_parts_which_share_a_cell_give_it_once():
    parts = [shapely.box(0, 0, 1e-5, 1e-5), shapely.box(3e-5, 0, 4e-5, 1e-5)]
    cells = cover(shapely.multipolygons(parts), 5)
    assert len(cells) == len(np.unique(cells)) == 1


def test_a_territory_smaller_than_a_cell_has_a_cell():
    lat, lon = h3int.cell_to_latlng(h3int.latlng_to_cell(51.5, -0.1, 5))
    territory = square(lon, lat, 1e-7)
    assert cover(territory, 5).tolist() == [h3int.latlng_to_cell(lat, lon, 5)]


def test_a_territory_split_at_the_antimeridian_is_covered_on_both_sides(points_inside):
    west, east = shapely.box(179.8, -17.2, 180.0, -17.0), shapely.box(-180.0, -17.2, -179.8, -17.0)
    cells = cover(shapely.multipolygons([west, east]), 8)
    assert left_outside(cells, points_inside(west, 20_000), 8) == 0
    assert left_outside(cells, points_inside(east, 20_000), 8) == 0


def test_a_polygon_around_the_globe_is_refused_with_the_cure():
    with pytest.raises(InvalidGeometry, match="180 degrees of longitude; split it at the antimeridian"):
        cover(shapely.multipolygons([shapely.box(-179.9, -17.2, 179.9, -17.0)]), 5)


def test_a_territory_at_the_pole_is_refused():
    with pytest.raises(InvalidGeometry, match="beyond latitude 85"):
        cover(square(0.0, 89.0, 0.1), 5)


@pytest.mark.parametrize("resolution", [-1, 16])
def test_an_unknown_resolution_is_refused(resolution):
    with pytest.raises(InvalidInput, match=f"no H3 resolution {resolution}; take 0 to 15"):
        cover(square(0, 0, 0.1), resolution)
    with pytest.raises(InvalidInput, match="take 0 to 15"):
        estimate_cells(square(0, 0, 0.1), resolution)


@pytest.mark.london
def test_too_many_cells_are_refused_before_they_are_made(london):
    with pytest.raises(TooLarge, match=r"resolution 13 would give about [\d,]+ cells") as caught:
        cover(london, 13)
    assert caught.value.cure == "take resolution 11 or coarser"
    assert caught.value.details["estimate"] > MAX_CELLS
    assert estimate_cells(london, 11) <= MAX_CELLS < estimate_cells(london, 12)


@pytest.mark.london
@pytest.mark.parametrize("resolution", [6, 7, 8, 9, 10])
def test_the_estimate_is_within_a_quarter_in_london(london, resolution):
    assert estimate_cells(london, resolution) == pytest.approx(len(cover(london, resolution)), rel=0.25)


@pytest.mark.parametrize("lat", [0.0, 45.0, 70.0])
@pytest.mark.parametrize(("half", "resolution"), [(0.02, 8), (0.3, 7), (3.0, 4)])
def test_the_estimate_is_within_a_quarter_for_squares(lat, half, resolution):
    territory = square(100.0, lat, half)
    assert estimate_cells(territory, resolution) == pytest.approx(len(cover(territory, resolution)), rel=0.25)


def test_the_estimate_is_within_a_quarter_for_beijings_districts(beijing):
    assert estimate_cells(beijing, 9) == pytest.approx(len(cover(beijing, 9)), rel=0.25)
