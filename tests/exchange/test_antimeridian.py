"""Cells and grids over the 180th meridian leave in parts on both sides of it, as RFC 7946 asks."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st
from shapely.geometry import shape

from gridsvc.crs import LocalPlane
from gridsvc.exchange.antimeridian import cut_at_edge, extent_around
from gridsvc.exchange.clip import clipped
from gridsvc.exchange.dissolve import dissolve, joined
from gridsvc.exchange.geojson import geojson_pieces
from gridsvc.exchange.layer import Layer, flow_of
from gridsvc.exchange.outgoing import Outgoing
from gridsvc.tiling.h3tiles import tile_h3
from gridsvc.tiling.tiling import Tiling

TAVEUNI = shapely.MultiPolygon(
    [shapely.box(179.6, -17.2, 180, -16.6), shapely.box(-180, -17.2, -179.7, -16.7)]
)


@pytest.fixture(scope="module")
def tiling() -> Tiling:
    """Cells of a territory in two parts, one on each side."""
    return tile_h3(TAVEUNI, 6)


@pytest.fixture(scope="module")
def labels(tiling: Tiling) -> np.ndarray:
    """Three grids, each from the west to the east."""
    return np.digitize(tiling.y, np.quantile(tiling.y, [1 / 3, 2 / 3])).astype(np.int32)


def around(shapes: np.ndarray) -> np.ndarray:
    """As they were, in longitudes which run on."""
    return shapely.transform(shapes, lambda xy: np.column_stack([xy[:, 0] % 360.0, xy[:, 1]]))


def square_metres(tiling: Tiling, shapes: np.ndarray) -> float:
    return float(shapely.area(LocalPlane(*tiling.origin).geometry(shapes)).sum())


def test_some_cells_do_cross(tiling: Tiling) -> None:
    assert (shapely.bounds(tiling.geometry)[:, 2] > 180).sum() > 5


def test_a_cell_is_cut_where_it_crosses_and_nothing_is_lost(tiling: Tiling) -> None:
    cut = cut_at_edge(tiling.geometry)
    west, _, east, _ = shapely.bounds(shapely.get_parts(cut)).T
    assert (west >= -180).all() and (east <= 180).all() and (east - west < 1).all()
    assert shapely.is_valid(cut).all()
    assert shapely.coverage_is_valid(cut)
    back = [shapely.union_all(around(shapely.get_parts(cell))) for cell in cut]
    gone = shapely.area(shapely.symmetric_difference(back, around(tiling.geometry)))
    assert gone.max() < 1e-15


def test_grids_joined_of_cells_cross_like_their_cells(tiling: Tiling, labels: np.ndarray) -> None:
    grids = cut_at_edge(dissolve(tiling, labels, 3))
    assert shapely.coverage_is_valid(grids)
    assert square_metres(tiling, grids) == pytest.approx(float(tiling.area.sum()), rel=1e-7)
    west, _, east, _ = shapely.bounds(shapely.get_parts(grids)).T
    assert (east - west < 1).all()


def test_a_grid_with_a_hole_over_the_meridian_keeps_it(tiling: Tiling) -> None:
    across = np.flatnonzero(shapely.bounds(tiling.geometry)[:, 2] > 180)
    middle = next(at for at in across.tolist() if np.diff(tiling.adjacency.indptr)[at] == 6)
    labels = np.zeros(len(tiling), np.int32)
    labels[middle] = 1
    grids = cut_at_edge(dissolve(tiling, labels, 2))
    assert shapely.coverage_is_valid(grids)
    assert square_metres(tiling, grids[1:]) == pytest.approx(float(tiling.area[middle]), rel=1e-5)


def test_grids_cut_at_the_border_are_the_territory(tiling: Tiling, labels: np.ndarray) -> None:
    cut = clipped(cut_at_edge(tiling.geometry), TAVEUNI, overlaps="none")
    grids = joined(cut, labels, 3)
    assert shapely.symmetric_difference(shapely.union_all(grids), TAVEUNI).area < 1e-12
    assert shapely.coverage_is_valid(grids)


def test_geojson_holds_no_longitude_past_180_and_its_box_spans_the_meridian(
    tiling: Tiling, labels: np.ndarray
) -> None:
    layer = Layer("grids", dissolve(tiling, labels, 3), {"code": ["a", "b", "c"]})
    document: dict[str, Any] = json.loads(b"".join(geojson_pieces(Outgoing(flow_of(layer)))))
    found = np.array([shape(feature["geometry"]) for feature in document["features"]])
    assert np.abs(shapely.get_coordinates(found)[:, 0]).max() == 180.0
    assert [sorted({np.sign(p.centroid.x) for p in s.geoms}) for s in found] == [[-1.0, 1.0]] * 3
    assert all(ring.is_ccw for part in shapely.get_parts(found) for ring in [part.exterior])
    west, south, east, north = document["bbox"]
    assert 179 < west <= 179.6 and -179.7 <= east < -179
    assert (south, north) == tuple(shapely.total_bounds(found)[[1, 3]])
    assert document["gridsvc:manifest"]["bbox"] == document["bbox"]


def test_what_does_not_cross_is_left_alone() -> None:
    shapes = np.array([shapely.box(179, 0, 180, 1), shapely.box(-180, 0, -179, 1), shapely.Point(1, 1), None])
    assert cut_at_edge(shapes) is shapes


@given(st.lists(st.tuples(st.floats(-179, 179), st.floats(0.01, 0.9), st.floats(-80, 79)), min_size=1))
def test_a_box_around_is_no_wider_than_the_plain_one_and_holds_all(rows: list[tuple[float, ...]]) -> None:
    boxes = np.array([(lon, lat, lon + wide, lat + 1) for lon, wide, lat in rows])
    found = extent_around(boxes)
    assert found is not None
    west, south, east, north = found
    width = (east - west) % 360.0
    assert width <= boxes[:, 2].max() - boxes[:, 0].min() + 1e-9
    assert (south, north) == (boxes[:, 1].min(), boxes[:, 3].max())
    for low, _, high, _ in boxes:
        assert (low - west) % 360.0 <= width + 1e-9 or (low - west) % 360.0 > 360 - 1e-9
        assert (high - west) % 360.0 <= width + 1e-9


@pytest.mark.parametrize(
    ("boxes", "expected"),
    [
        ([[177, -20, 178, -18], [-179, -17, -178, -16]], [177, -20, -178, -16]),  # the standard's own Fiji
        ([[-10, 0, 10, 1]], [-10, 0, 10, 1]),
        ([[-120, 0, -119, 1], [-1, 0, 59, 1]], [-120, 0, 59, 1]),
        ([[-100, 0, -99, 1], [-5, 0, 5, 1], [90, 0, 91, 1]], [-100, 0, 91, 1]),
    ],
)
def test_boxes(boxes: list[list[float]], expected: list[float]) -> None:
    assert extent_around(np.array(boxes, float)) == expected


def test_nothing_has_no_box() -> None:
    assert extent_around(np.array([])) is None
