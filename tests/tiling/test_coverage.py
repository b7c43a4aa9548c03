"""The proof of coverage, against plants of known size."""

from __future__ import annotations

import json

import numpy as np
import pytest
import shapely

from gridsvc.tiling.coverage import coverage_report
from gridsvc.tiling.h3tiles import tile_h3
from gridsvc.tiling.polytiles import tile_polygons

KM = 1 / 111.195  # degrees at the equator, to half a percent


def km_box(west, south, east, north):
    return shapely.box(west * KM, south * KM, east * KM, north * KM)


def km_points(*xy):
    return np.array(xy, float).T * KM


TERRITORY = shapely.multipolygons([km_box(0, 0, 10, 4)])


def test_a_perfect_cut_has_nothing_to_report(layer):
    tiling = tile_polygons(layer(a=km_box(0, 0, 5, 4), b=km_box(5, 0, 10, 4)))
    report = coverage_report(tiling, TERRITORY, *km_points((1, 1), (9, 3), (5, 2)))
    assert report["territory_km2"] == pytest.approx(40.0, rel=0.01)
    assert report["cells_km2"] == pytest.approx(report["territory_km2"], abs=1e-4)
    assert report["gap"] == {"km2": pytest.approx(0.0, abs=1e-4), "customers": 0}
    assert report["overlap"]["pairs"] == 0
    assert report["overlap"]["customers"] == 0
    assert report["outside"]["km2"] == pytest.approx(0.0, abs=1e-4)
    assert report["components"] == {"count": 1, "sizes": [2]}
    assert report["orphans"] == {"cells": 0, "km2": 0, "ids": [], "customers": 0}
    json.dumps(report)


def test_a_planted_gap_overlap_and_overhang_are_measured(layer):
    """a: 0-4, b: 3-6 (1 km over a), gap 6-8, c: 8-12 (2 km beyond the territory)."""
    tiling = tile_polygons(layer(a=km_box(0, 0, 4, 4), b=km_box(3, 0, 6, 4), c=km_box(8, 0, 12, 4)))
    customers = km_points((1, 1), (3.5, 1), (3.5, 2), (7, 1), (7, 2), (7, 3), (11, 1), (50, 50))
    report = coverage_report(tiling, TERRITORY, *customers)
    assert report["gap"] == {"km2": pytest.approx(8.0, rel=0.01), "customers": 3}
    assert report["outside"]["km2"] == pytest.approx(8.0, rel=0.01)
    overlap = report["overlap"]
    assert (overlap["km2"], overlap["pairs"], overlap["customers"]) == (pytest.approx(4.0, rel=0.01), 1, 2)
    assert overlap["worst"] == [{"a": "a", "b": "b", "km2": pytest.approx(4.0, rel=0.01)}]
    assert report["cells_km2"] == pytest.approx(44.0, rel=0.01)
    assert report["components"] == {"count": 2, "sizes": [2, 1]}
    area = pytest.approx(16, rel=0.01)
    assert report["orphans"] == {"cells": 1, "km2": area, "ids": ["c"], "customers": 3}


def test_ground_under_three_cells_is_counted_once(layer):
    same = km_box(0, 0, 10, 4)
    report = coverage_report(tile_polygons(layer(a=same, b=same, c=km_box(0, 0, 5, 4))), TERRITORY)
    assert report["overlap"]["km2"] == pytest.approx(report["territory_km2"], abs=1e-4)
    assert report["overlap"]["pairs"] == 3
    assert report["gap"]["km2"] == pytest.approx(0.0, abs=1e-4)


def test_a_cell_inside_another_is_an_overlap(layer):
    tiling = tile_polygons(layer(a=km_box(0, 0, 10, 4), b=km_box(2, 1, 3, 2)))
    overlap = coverage_report(tiling, TERRITORY)["overlap"]
    assert (overlap["pairs"], overlap["km2"]) == (1, pytest.approx(1.0, rel=0.01))


def test_without_customers_their_numbers_are_none(layer):
    report = coverage_report(tile_polygons(layer(a=km_box(0, 0, 5, 4))), TERRITORY)
    assert report["gap"]["customers"] is None
    assert report["overlap"]["customers"] is None
    assert report["orphans"]["customers"] is None
    assert report["gap"]["km2"] == pytest.approx(20.0, rel=0.01)


def test_customers_without_coordinates_count_nowhere(layer):
    tiling = tile_polygons(layer(a=km_box(0, 0, 5, 4)))
    report = coverage_report(tiling, TERRITORY, np.array([np.nan, 7 * KM]), np.array([0.0, KM]))
    assert report["gap"]["customers"] == 1


def test_beijings_slivers_are_reported(beijing_layer, beijing):
    report = coverage_report(tile_polygons(beijing_layer), beijing)
    assert report["overlap"]["pairs"] >= 10
    assert 0.001 < report["overlap"]["km2"] < 0.1
    assert report["cells_km2"] - report["territory_km2"] == pytest.approx(report["overlap"]["km2"], abs=1e-3)
    worst = report["overlap"]["worst"]
    assert len(worst) == 20
    assert [w["km2"] for w in worst] == sorted((w["km2"] for w in worst), reverse=True)
    assert report["orphans"]["ids"] == ["110105020000"]


@pytest.mark.london
def test_h3_cells_cover_london_without_gap(london, postcodes):
    tiling = tile_h3(london, 9)
    report = coverage_report(tiling, london, *postcodes)
    assert report["gap"] == {"km2": pytest.approx(0.0, abs=1e-4), "customers": 0}
    assert report["orphans"]["customers"] == 0
    assert report["overlap"]["pairs"] == 0
    over = report["cells_km2"] - report["territory_km2"]
    assert report["outside"]["km2"] == pytest.approx(over, abs=1e-3)
    assert report["components"]["sizes"][0] > 17_000


@pytest.mark.london
def test_taking_cells_away_opens_a_gap_of_their_size(london):
    from dataclasses import replace

    from gridsvc.tiling.tiling import Adjacency

    tiling = tile_h3(london, 8)
    inner = np.flatnonzero(np.diff(tiling.adjacency.indptr) == 6)[1000:1010]
    keep = np.setdiff1d(np.arange(len(tiling)), inner)
    none = np.zeros(0, np.int64)
    holed = replace(
        tiling,
        ids=tiling.ids[keep],
        geometry=tiling.geometry[keep],
        area=tiling.area[keep],
        adjacency=Adjacency.from_pairs(len(keep), none, none, np.zeros(0)),
    )
    report = coverage_report(holed, london)
    inside = shapely.area(shapely.intersection(tiling.geometry[inner], london)) / shapely.area(
        tiling.geometry[inner]
    )
    assert report["gap"]["km2"] == pytest.approx(float((tiling.area[inner] * inside).sum()) / 1e6, rel=1e-3)
    assert report["components"]["count"] == len(keep)
    assert len(report["orphans"]["ids"]) == 20


def test_a_long_straight_border_is_measured_as_it_runs_in_degrees(layer):
    """Four corners 300 km apart against cells of 30 km: the same ground, so no gap and no overhang."""
    territory = shapely.multipolygons([shapely.box(10.0, 50.0, 14.0, 52.0)])
    columns = {f"c{i:02d}": shapely.box(10 + i * 0.4, 50, 10.4 + i * 0.4, 52) for i in range(10)}
    columns["c09"] = shapely.box(10 + 9 * 0.4, 50, 14, 52)
    report = coverage_report(tile_polygons(layer(**columns)), territory)
    assert report["gap"]["km2"] == pytest.approx(0.0, abs=0.05)
    assert report["outside"]["km2"] == pytest.approx(0.0, abs=0.05)


def test_a_border_with_many_corners_is_clipped_in_pieces(layer):
    """A circle of 4,000 corners against a box: pi r^2 inside, the rest outside."""
    circle = shapely.transform(shapely.Point(0, 0).buffer(5, quad_segs=1000), lambda xy: xy * KM)
    tiling = tile_polygons(layer(a=km_box(-6, -6, 0, 6), b=km_box(0, -6, 6, 6)))
    report = coverage_report(tiling, shapely.multipolygons([circle]))
    assert report["gap"]["km2"] == pytest.approx(0.0, abs=1e-4)
    assert report["outside"]["km2"] == pytest.approx(144 - np.pi * 25, rel=0.01)
