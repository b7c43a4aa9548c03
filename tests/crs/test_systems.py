"""Conversions against two other ways to write them, and transforms by the extent of a layer."""

from __future__ import annotations

import os
from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gridsvc import crs, epsg
from gridsvc.errors import InvalidInput
from tests.crs.oracles import rotated, rotated_bd, summed, summed_bd

EXAMPLES = int(os.environ.get("GRIDSVC_PROOF_POINTS", "200"))
IN_CHINA = (st.floats(73.0, 135.5), st.floats(3.5, 53.6))
Way = Callable[[float, float], tuple[float, float]]


@settings(max_examples=EXAMPLES, deadline=None)
@given(*IN_CHINA)
def test_gcj02_and_bd09_agree_with_two_other_ways_to_a_millionth_of_a_degree(lon: float, lat: float) -> None:
    gcj = [v[0] for v in crs.from_wgs84([lon], [lat], "gcj02")]
    bd = [v[0] for v in crs.from_wgs84([lon], [lat], "bd09")]
    for to_gcj, to_bd in ((summed, summed_bd), (rotated, rotated_bd)):
        assert gcj == pytest.approx(
            to_gcj(lon, lat), abs=1e-9
        )  # a millionth is asked, but hides small faults
        assert bd == pytest.approx(to_bd(*to_gcj(lon, lat)), abs=1e-9)
        back = crs.point_to_wgs84(*to_gcj(lon, lat), "gcj02")
        assert back == pytest.approx((lon, lat), abs=1e-6)
        back = crs.point_to_wgs84(*to_bd(*to_gcj(lon, lat)), "bd09")
        assert back == pytest.approx((lon, lat), abs=1e-6)


@pytest.mark.parametrize("system", ["gcj02", "bd09"])
def test_there_and_back_over_all_china_is_below_a_centimetre(system: str) -> None:
    lon, lat = (v.ravel() for v in np.meshgrid(np.linspace(73, 135.5, 400), np.linspace(3.5, 53.6, 300)))
    back = crs.to_wgs84(*crs.from_wgs84(lon, lat, system), system)
    metres = np.hypot((back[0] - lon) * 111_320 * np.cos(np.radians(lat)), (back[1] - lat) * 111_320)
    assert metres.max() < 0.01


# --- EPSG codes


def test_one_transform_is_chosen_for_the_whole_layer_by_its_extent() -> None:
    england = epsg.for_extent("EPSG:27700", (400_000, 100_000, 500_000, 200_000))
    shetland = epsg.for_extent("EPSG:27700", (420_000, 1_150_000, 460_000, 1_200_000))
    assert england.accuracy is not None
    assert england.accuracy <= 10.0
    assert shetland.accuracy is not None
    told = crs.describe("EPSG:27700", (400_000, 100_000, 500_000, 200_000))
    assert told["accuracy_m"] == england.accuracy
    assert "OSGB36" in told["transform"]


def test_a_layer_and_its_points_agree_where_there_is_one_transform() -> None:
    x, y = np.array([500_000.0, 510_000.0]), np.array([4_400_000.0, 4_410_000.0])
    assert np.array(crs.layer_to_wgs84(x, y, "EPSG:32650")) == pytest.approx(
        np.array(crs.to_wgs84(x, y, "EPSG:32650")), abs=1e-12
    )


@pytest.mark.parametrize("code", ["EPSG:2383", "EPSG:4610", "EPSG:4214", "EPSG:21420"])
def test_datums_nobody_has_published_are_refused_with_the_way_out(code: str) -> None:
    for convert in (crs.to_wgs84, crs.layer_to_wgs84):
        with pytest.raises(InvalidInput, match=r"is not known here.*crs_parameters"):
            convert([500_000.0], [3_000_000.0], code)


@pytest.mark.parametrize(("lon", "lat"), [(119.5, 38.5), (81.0, 41.0), (109.0, 37.0), (114.0, 21.0)])
def test_transforms_of_beijing_1954_for_a_basin_or_a_bay_are_not_taken(lon: float, lat: float) -> None:
    with pytest.raises(InvalidInput, match="is not known here"):
        crs.layer_to_wgs84([lon], [lat], "EPSG:4214")


def test_given_parameters_are_used_both_ways() -> None:
    name = crs.normalise("EPSG:2379", "24.3,-123.9,-94.8,-0.02,0.25,0.13,1.1")
    lon, lat = crs.to_wgs84([500_000.0], [3_000_000.0], name)
    assert lon[0] == pytest.approx(102.000021, abs=1e-6)
    assert lat[0] == pytest.approx(27.111389, abs=1e-6)
    x, y = crs.from_wgs84(lon, lat, name)
    assert (x[0], y[0]) == pytest.approx((500_000.0, 3_000_000.0), abs=1e-3)
    assert crs.normalise(name) == name
    assert crs.normalise("EPSG:2379", "+proj=tmerc +towgs84=24.3,-123.9,-94.8,-0.02,0.25,0.13,1.1") == name


@pytest.mark.parametrize(
    ("code", "parameters"),
    [
        ("EPSG:2379", "1,2,3"),
        ("EPSG:2379", "a,b,c,d,e,f,g"),
        ("EPSG:4549", "0,0,0,0,0,0,0"),
        ("wgs84", "0,0,0,0,0,0,0"),
    ],
)
def test_parameters_which_make_no_sense_are_refused(code: str, parameters: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        crs.normalise(code, parameters)
    assert caught.value.field == "crs_parameters"


def test_cgcs2000_says_how_well_it_agrees() -> None:
    told = crs.describe("EPSG:4549", (500_000, 2_500_000, 510_000, 2_510_000))
    assert told == {
        "name": "EPSG:4549",
        "transform": "CGCS2000 taken as WGS-84 (below 1 m)",
        "accuracy_m": 1.0,
    }
