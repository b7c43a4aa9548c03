"""Point -> cell: h3 decides for H3 tilings, the exact shape for polygons."""

from __future__ import annotations

import h3.api.basic_int as h3int
import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from gridsvc.tiling.h3tiles import tile_h3
from gridsvc.tiling.locate import Locator
from gridsvc.tiling.polytiles import tile_polygons
from gridsvc.tiling.read import PolygonLayer


def brute(tiling, lon, lat) -> np.ndarray:
    """The lowest row whose shape has the point, border included."""
    out = np.full(len(lon), -1)
    for row in reversed(range(len(tiling))):
        out[shapely.intersects(tiling.geometry[row], shapely.points(lon, lat))] = row
    return out


def singles(locator: Locator, lon, lat) -> list[int]:
    return [locator.row(x, y) for x, y in zip(lon.tolist(), lat.tolist(), strict=True)]


def corners_and_midpoints(geometry) -> tuple[np.ndarray, np.ndarray]:
    xy = shapely.get_coordinates(geometry)
    middle = (xy[1:] + xy[:-1]) / 2
    return np.concatenate([xy, middle]).T


def test_polygons_agree_with_brute_force_also_on_borders_and_corners(beijing_layer, points_inside):
    tiling = tile_polygons(beijing_layer)
    locator = Locator(tiling)
    box = shapely.box(*shapely.total_bounds(tiling.geometry)).buffer(0.02)
    on_borders = corners_and_midpoints(tiling.geometry)[:, ::4]
    for lon, lat in (points_inside(box, 4_000), on_borders):
        expected = brute(tiling, lon, lat)
        assert (expected >= 0).any()
        assert locator.rows(lon, lat).tolist() == expected.tolist()
        assert singles(locator, lon[:1000], lat[:1000]) == expected[:1000].tolist()


@pytest.mark.london
def test_london_polygons_agree_with_brute_force_on_corners(london_layer):
    tiling = tile_polygons(london_layer)
    lon, lat = corners_and_midpoints(tiling.geometry)[:, ::20]
    assert Locator(tiling).rows(lon, lat).tolist() == brute(tiling, lon, lat).tolist()


SQUARES = PolygonLayer(
    np.array([f"{i:02d}" for i in range(16)], object),
    np.array([shapely.box(i % 4, i // 4, i % 4 + 1, i // 4 + 1) for i in range(16)], object),
)


@settings(max_examples=200, deadline=None)
@given(st.lists(st.tuples(st.integers(-2, 10), st.integers(-2, 10)), min_size=1, max_size=20))
def test_a_shared_border_or_corner_goes_to_the_lowest_id(halves):
    tiling = tile_polygons(SQUARES)
    lon, lat = np.array(halves, float).T / 2
    expected = brute(tiling, lon, lat).tolist()
    locator = Locator(tiling)
    assert locator.rows(lon, lat).tolist() == expected
    assert singles(locator, lon, lat) == expected


def test_where_polygons_overlap_the_lowest_id_has_the_point(layer):
    tiling = tile_polygons(layer(b=shapely.box(0, 0, 2, 1), a=shapely.box(1, 0, 3, 1)))
    assert Locator(tiling).rows(np.array([0.5, 1.5, 2.5]), np.full(3, 0.5)).tolist() == [1, 0, 0]


def test_parts_of_a_cell_belong_to_it_and_holes_do_not(layer):
    two = shapely.multipolygons([shapely.box(0, 0, 1, 1), shapely.box(4, 0, 5, 1)])
    ring = shapely.box(1, 0, 4, 4).difference(shapely.box(2, 1, 3, 2))
    locator = Locator(tile_polygons(layer(a=two, b=ring)))
    lon, lat = np.array([0.5, 4.5, 1.5, 2.5, 2.0]), np.array([0.5, 0.5, 0.5, 1.5, 1.5])
    assert locator.rows(lon, lat).tolist() == [0, 0, 1, -1, 1]


@pytest.mark.london
def test_h3_tilings_answer_as_h3_does(london, points_inside):
    tiling = tile_h3(london, 8)
    locator = Locator(tiling)
    lon, lat = points_inside(shapely.box(*london.bounds).buffer(0.05), 20_000)
    row = {cell: i for i, cell in enumerate(tiling.ids.tolist())}
    expected = [row.get(h3int.latlng_to_cell(y, x, 8), -1) for x, y in zip(lon, lat, strict=True)]
    assert -1 in expected
    assert locator.rows(lon, lat).tolist() == expected
    assert singles(locator, lon[:2000], lat[:2000]) == expected[:2000]


NO_POINTS = [
    (np.nan, 51.5),
    (0.0, np.nan),
    (np.inf, 51.5),
    (0.0, -np.inf),
    (0.0, 91.0),
    (0.0, -91.0),
    (181.0, 51.5),
    (0.0, 1e300),
]


@pytest.mark.parametrize("kind", ["h3", "polygons"])
def test_what_is_no_point_is_in_no_cell_and_spoils_no_other_row(kind, layer):
    world = shapely.box(-1, 50, 1, 52)
    tiling = tile_h3(shapely.multipolygons([world]), 5) if kind == "h3" else tile_polygons(layer(a=world))
    locator = Locator(tiling)
    lon, lat = np.array([*NO_POINTS, (0.0, 51.5)]).T
    rows = locator.rows(lon, lat)
    assert rows.dtype == np.int64
    assert (rows[:-1] == -1).all()
    assert rows[-1] >= 0
    assert singles(locator, lon, lat) == rows.tolist()


def test_latitude_91_is_refused_although_h3_would_place_it():
    wrong = h3int.latlng_to_cell(91.0, 0.0, 5)
    lat, _ = h3int.cell_to_latlng(wrong)
    assert abs(lat) < 90.0  # h3 does answer, with a cell elsewhere


def test_no_points_give_no_rows(layer):
    for tiling in (
        tile_polygons(layer(a=shapely.box(0, 0, 1, 1))),
        tile_h3(shapely.multipolygons([shapely.box(0, 0, 0.1, 0.1)]), 7),
    ):
        assert Locator(tiling).rows(np.zeros(0), np.zeros(0)).shape == (0,)


def test_many_points_are_taken_in_rounds(layer, monkeypatch):
    monkeypatch.setattr("gridsvc.tiling.locate._CHUNK", 7)
    tiling = tile_polygons(SQUARES)
    rng = np.random.default_rng(1)
    lon, lat = rng.uniform(-1, 5, 100), rng.uniform(-1, 5, 100)
    assert Locator(tiling).rows(lon, lat).tolist() == brute(tiling, lon, lat).tolist()


def test_the_locator_needs_no_geodata_library():
    import subprocess
    import sys

    code = (
        "import sys, gridsvc.tiling.locate; heavy = {'geopandas', 'pyogrio', 'pandas', 'pyarrow', 'numba'}; "
        "print(sorted(heavy & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_a_raster_is_made_once_enough_points_were_asked_for_and_changes_no_answer(monkeypatch):
    from gridsvc.tiling import locate

    made, of = [], locate.Raster.of
    monkeypatch.setattr(locate.Raster, "of", lambda *given: made.append(1) or of(*given))
    tiling = tile_polygons(SQUARES)
    locator = Locator(tiling)
    lon, lat = np.random.default_rng(2).uniform(-1, 5, (2, 1_000))
    lon[:300], lat[:300] = np.rint(lon[:300]), np.rint(lat[:300])
    expected = brute(tiling, lon, lat).tolist()
    assert locator.rows(lon, lat).tolist() == expected == singles(locator, lon, lat)
    assert made == []
    assert [locator.rows(lon, lat).tolist() for _ in range(3)] == [expected] * 3
    assert singles(locator, lon, lat) == expected
    assert made == [1]
