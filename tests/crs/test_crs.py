from __future__ import annotations

import math

import numpy as np
import pyproj
import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st

from gridsvc import crs
from gridsvc.errors import InvalidInput

METRES_A_DEGREE = 111_320.0
china_lon = st.floats(72.1, 137.7)
china_lat = st.floats(0.9, 55.7)


def metres(lon_a: float, lat_a: float, lon_b: float, lat_b: float) -> float:
    east = (lon_a - lon_b) * math.cos(math.radians(lat_a)) * METRES_A_DEGREE
    return math.hypot(east, (lat_a - lat_b) * METRES_A_DEGREE)


@pytest.mark.parametrize(
    ("given_name", "name"),
    [
        ("wgs84", "wgs84"),
        ("WGS-84", "wgs84"),
        ("EPSG:4326", "wgs84"),
        ("4326", "wgs84"),
        ("urn:ogc:def:crs:OGC:1.3:CRS84", "wgs84"),
        ("urn:ogc:def:crs:EPSG::27700", "EPSG:27700"),
        ("GCJ-02", "gcj02"),
        ("bd09", "bd09"),
        ("BD-09", "bd09"),
        ("epsg:4549", "EPSG:4549"),
        ("EPSG:27700", "EPSG:27700"),
    ],
)
def test_names_are_understood_in_their_usual_spellings(given_name: str, name: str) -> None:
    assert crs.normalise(given_name) == name


@pytest.mark.parametrize("text", ["", "mars", "EPSG:", "EPSG:12", "wgs72", "EPSG:4326;drop"])
def test_an_unknown_name_is_refused_with_a_cure(text: str) -> None:
    with pytest.raises(InvalidInput, match="use wgs84, gcj02, bd09 or EPSG:n"):
        crs.normalise(text)


@pytest.mark.parametrize("system", ["gcj02", "bd09"])
@given(lon=china_lon, lat=china_lat)
def test_there_and_back_is_below_a_centimetre(system: str, lon: float, lat: float) -> None:
    back = crs.to_wgs84(*crs.from_wgs84([lon], [lat], system), system)
    assert metres(lon, lat, back[0][0], back[1][0]) < 0.01


@given(lon=china_lon, lat=china_lat)
def test_gcj02_shifts_by_less_than_800_metres_anywhere(lon: float, lat: float) -> None:
    x, y = crs.from_wgs84([lon], [lat], "gcj02")
    assert 0 < metres(lon, lat, x[0], y[0]) < 800


@given(lon=st.floats(100, 122), lat=st.floats(22, 42))
def test_gcj02_shifts_by_more_than_100_metres_where_most_people_live(lon: float, lat: float) -> None:
    x, y = crs.from_wgs84([lon], [lat], "gcj02")
    assert metres(lon, lat, x[0], y[0]) > 100


def test_gcj02_and_bd09_agree_with_published_values() -> None:
    x, y = crs.from_wgs84([121.5272106, 116.404], [31.1774276, 39.915], "gcj02")
    np.testing.assert_allclose(x, [121.531541859215, 116.41024449916938], atol=1e-9, rtol=0)
    np.testing.assert_allclose(y, [31.17530398364597, 39.91640428150164], atol=1e-9, rtol=0)
    # 116.404, 39.915 in GCJ-02 is 116.41036949, 39.92133699 in BD-09.
    bd = crs.from_wgs84(*crs.to_wgs84([116.404], [39.915], "gcj02"), "bd09")
    np.testing.assert_allclose([bd[0][0], bd[1][0]], [116.41036949371029, 39.92133699351021], atol=1e-9)


@pytest.mark.parametrize(
    ("lon", "lat"), [(-0.12, 51.5), (139.7, 35.7), (72.0, 30.0), (100.0, 56.0), (100.0, 0.5)]
)
def test_outside_the_rectangle_gcj02_is_wgs84(lon: float, lat: float) -> None:
    assert crs.from_wgs84([lon], [lat], "gcj02") == ([lon], [lat])
    assert crs.to_wgs84([lon], [lat], "gcj02") == ([lon], [lat])
    assert crs.point_to_wgs84(lon, lat, "gcj02") == (lon, lat)


@pytest.mark.parametrize("system", ["wgs84", "gcj02", "bd09", "EPSG:4490", "EPSG:3857"])
@given(lon=st.floats(-180, 180), lat=st.floats(-85, 85))
def test_one_point_gets_the_answer_it_gets_in_a_batch(system: str, lon: float, lat: float) -> None:
    x, y = crs.to_wgs84([lon, 116.0], [lat, 40.0], system)
    assert crs.point_to_wgs84(lon, lat, system) == pytest.approx((x[0], y[0]), abs=1e-11)


@pytest.mark.parametrize("system", ["wgs84", "gcj02", "bd09", "EPSG:27700", "EPSG:3857"])
@pytest.mark.parametrize("bad", [(math.nan, 1.0), (1.0, math.inf), (-math.inf, math.nan)])
def test_what_is_not_finite_stays_nan(system: str, bad: tuple[float, float]) -> None:
    lon, lat = crs.to_wgs84([bad[0], 100.0], [bad[1], 30.0], system)
    assert np.isnan([lon[0], lat[0]]).all()
    assert np.isfinite([lon[1], lat[1]]).all()
    assert np.isnan(crs.point_to_wgs84(*bad, system)).all()


@pytest.mark.parametrize("system", ["wgs84", "gcj02", "bd09", "EPSG:27700"])
def test_absurd_numbers_are_never_infinite(system: str) -> None:
    lon, lat = crs.to_wgs84([1e300, -1e300, 1e9], [1e300, 5.0, -1e9], system)
    assert not np.isinf(lon).any()
    assert not np.isinf(lat).any()
    assert not np.isinf(crs.point_to_wgs84(1e300, 1e300, system)).any()


def test_british_grid_agrees_with_pyproj() -> None:
    east, north = np.array([530_000.0, 538_000.0]), np.array([180_000.0, 177_500.0])
    expected = pyproj.Transformer.from_crs(27700, 4326, always_xy=True).transform(east, north)
    lon, lat = crs.to_wgs84(east, north, "EPSG:27700")
    np.testing.assert_array_equal([lon, lat], expected)
    back = crs.from_wgs84(lon, lat, "EPSG:27700")
    np.testing.assert_allclose(back, [east, north], atol=0.01)


def test_cgcs2000_is_wgs84_by_name() -> None:
    lon, lat = crs.to_wgs84([121.0], [31.0], "EPSG:4490")
    assert (lon[0], lat[0]) == (121.0, 31.0)
    east, north = crs.from_wgs84([120.0], [31.0], "EPSG:4549")
    assert east[0] == pytest.approx(500_000)
    back = crs.to_wgs84(east, north, "EPSG:4549")
    assert (back[0][0], back[1][0]) == pytest.approx((120.0, 31.0), abs=1e-10)


@pytest.mark.parametrize("code", ["EPSG:4610", "EPSG:2345"])
def test_a_datum_of_unknown_relation_is_refused(code: str) -> None:
    with pytest.raises(InvalidInput, match=r"not known here.*convert the data"):
        crs.to_wgs84([121.0], [31.0], code)


@pytest.mark.parametrize("code", ["EPSG:999999", "EPSG:4978", "EPSG:5773"])
def test_a_code_which_is_no_map_system_is_refused(code: str) -> None:
    with pytest.raises(InvalidInput, match="no coordinate system of maps"):
        crs.point_to_wgs84(1.0, 1.0, code)


def test_shapes_are_converted_and_missing_ones_kept() -> None:
    shapes = np.array([shapely.Point(116.4, 39.9), None, shapely.box(116, 39, 117, 40)], dtype=object)
    shifted = crs.geometry_from_wgs84(shapes, "gcj02")
    assert shifted[1] is None
    assert metres(116.4, 39.9, shifted[0].x, shifted[0].y) > 100
    back = crs.geometry_to_wgs84(shifted, "gcj02")
    assert shapely.equals_exact(back[[0, 2]], shapes[[0, 2]], 1e-9).all()


def test_the_local_plane_is_equal_area_and_centred() -> None:
    plane = crs.LocalPlane(116.4, 39.9)
    x, y = plane.project([116.4, 116.4], [39.9, 39.91])
    np.testing.assert_allclose([x[0], y[0]], [0, 0], atol=1e-6)
    assert y[1] == pytest.approx(1110.4, abs=1)  # a hundredth of a degree of the meridian there
    boxes = np.array(
        [shapely.segmentize(shapely.box(lon, 39.9, lon + 0.1, 40.0), 0.001) for lon in (116.4, 117.9)]
    )
    areas = shapely.area(plane.geometry(boxes))
    assert areas[0] == pytest.approx(areas[1], rel=1e-6)
    geod = abs(pyproj.Geod(ellps="WGS84").geometry_area_perimeter(boxes[0])[0])
    assert areas[0] == pytest.approx(geod, rel=1e-5)
