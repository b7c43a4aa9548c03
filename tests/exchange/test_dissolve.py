"""Cells of a grid -> its outline: exactly their union, whatever the layer is like."""

from __future__ import annotations

import h3.api.basic_int as h3
import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from gridsvc.exchange.dissolve import dissolve
from gridsvc.tiling.h3tiles import tile_cells
from gridsvc.tiling.polytiles import tile_polygons
from gridsvc.tiling.read import PolygonLayer
from gridsvc.tiling.tiling import Tiling


def layer(*shapes: shapely.Geometry) -> Tiling:
    ids = np.array([f"{i:03d}" for i in range(len(shapes))], object)
    return tile_polygons(PolygonLayer(ids, np.array(shapes, object)))


def squares(n: int) -> Tiling:
    return layer(*(shapely.box(i % n, i // n, i % n + 1, i // n + 1) for i in range(n * n)))


def bricks(n: int, turn: float) -> Tiling:
    """A wall whose joints do not meet, turned, so that vertices lie beside the edges they should lie on."""
    walls = [
        shapely.box(i + 0.37 * (j % 3), j, i + 1 + 0.37 * (j % 3), j + 1) for j in range(n) for i in range(n)
    ]
    rotation = np.array([[np.cos(turn), np.sin(turn)], [-np.sin(turn), np.cos(turn)]])
    return layer(*(shapely.transform(wall, lambda xy: xy @ rotation * 0.013 + (0.1, 51.0)) for wall in walls))


def disk(radius: int) -> Tiling:
    return tile_cells(np.array(sorted(h3.grid_disk(h3.latlng_to_cell(51.5, -0.1, 9), radius)), np.uint64))


def assert_unions(tiling: Tiling, labels: np.ndarray, k: int) -> None:
    outlines = dissolve(tiling, labels.astype(np.int32), k)
    for grid in range(k):
        expected = shapely.union_all(tiling.geometry[labels == grid])
        assert outlines[grid].geom_type == "MultiPolygon"
        assert outlines[grid].is_valid
        assert outlines[grid].area == pytest.approx(expected.area, rel=1e-12)
        assert outlines[grid].symmetric_difference(expected).area <= 1e-12 * expected.area


@settings(deadline=None)
@given(st.lists(st.integers(-1, 3), min_size=25, max_size=25))
def test_any_choice_of_squares_gives_its_union(labels):
    assert_unions(squares(5), np.array(labels), 4)


@settings(max_examples=20, deadline=None)
@given(st.lists(st.integers(-1, 3), min_size=37, max_size=37))
def test_any_choice_of_hexagons_gives_its_union(labels):
    assert_unions(disk(3), np.array(labels), 4)


@pytest.mark.parametrize("turn", [0.0, 0.3, 1.1])
def test_a_layer_whose_vertices_do_not_meet_leaves_no_hairlines_that_the_union_has_not(turn):
    tiling = bricks(8, turn)
    outline = dissolve(tiling, np.zeros(64, np.int32), 1)[0]
    expected = shapely.union_all(tiling.geometry)
    assert (
        shapely.get_num_interior_rings(shapely.get_parts(outline)).sum()
        == shapely.get_num_interior_rings(shapely.get_parts(expected)).sum()
    )
    assert_unions(tiling, np.arange(64) % 3, 3)


@pytest.mark.parametrize("overlap", [0.5, 1e-4, 1e-9])
def test_overlapping_cells_are_counted_once(overlap):
    tiling = layer(shapely.box(0, 0, 1, 1), shapely.box(1 - overlap, 0, 2, 1), shapely.box(0, 1, 2, 2))
    assert dissolve(tiling, np.zeros(3, np.int32), 1)[0].area == pytest.approx(4.0, rel=1e-14)


def test_a_cell_drawn_twice_does_not_cancel_itself():
    tiling = layer(shapely.box(0, 0, 1, 1), shapely.box(0, 0, 1, 1))
    assert dissolve(tiling, np.zeros(2, np.int32), 1)[0].area == 1.0


def test_a_cell_within_another_leaves_no_hole():
    tiling = layer(shapely.box(0, 0, 3, 3), shapely.box(1, 1, 2, 2))
    assert dissolve(tiling, np.zeros(2, np.int32), 1)[0].area == 9.0


def test_an_overlap_too_thin_for_the_area_leaves_no_hole():
    below = shapely.Polygon([(0, 0), (0, -1), (1, -1), (1, 0), (0.37, 1e-15)])
    outline = dissolve(layer(shapely.box(0, 0, 1, 1), below), np.zeros(2, np.int32), 1)[0]
    assert [len(part.interiors) for part in outline.geoms] == [0]


def test_a_cell_of_several_parts_joins_with_what_lies_between_them():
    tiling = layer(shapely.union(shapely.box(0, 0, 1, 1), shapely.box(2, 0, 3, 1)), shapely.box(1, 0, 2, 1))
    assert len(dissolve(tiling, np.zeros(2, np.int32), 1)[0].geoms) == 1


@pytest.mark.parametrize("tiling", [squares(5), disk(2)], ids=["squares", "hexagons"])
def test_a_cell_of_no_grid_is_a_hole_and_a_grid_without_cells_is_empty(tiling):
    labels = np.zeros(len(tiling), np.int32)
    middle = int(np.argmin(np.hypot(tiling.x - tiling.x.mean(), tiling.y - tiling.y.mean())))
    labels[middle] = -1
    ring, nothing = dissolve(tiling, labels, 2)
    assert [len(part.interiors) for part in ring.geoms] == [1]
    assert nothing.is_empty
    assert nothing.geom_type == "MultiPolygon"


def test_neighbouring_grids_share_their_border_vertex_by_vertex():
    tiling = disk(4)
    outlines = dissolve(tiling, (tiling.x > 0).astype(np.int32), 2)
    assert shapely.coverage_is_valid(outlines)
