"""Street blocks: faces between lines, small ones merged, the same for the same lines."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import shapely

from gridsvc.errors import InvalidGeometry
from gridsvc.tiling.atoms import with_atoms
from gridsvc.tiling.blocks import BlockOptions, blocks, checked_lines
from gridsvc.tiling.coverage import coverage_report
from gridsvc.tiling.load import rows_from_file, rows_from_geojson
from gridsvc.tiling.polytiles import tile_polygons
from gridsvc.tiling.read import PolygonLayer, read_boundary, read_polygons

COUNTY = Path(__file__).parents[2] / "data/samples/county"
ALL = BlockOptions(least_m2=0.0, narrow_m=0.0)
X, Y = 112.0, 28.0
TOWN = shapely.MultiPolygon([shapely.box(X, Y, X + 0.04, Y + 0.04)])


def line(*places):
    """Through places in hundredths of a degree."""
    return shapely.LineString([(X + x / 100, Y + y / 100) for x, y in places])


def cut(*lines, options=ALL, parents=None):
    return blocks(TOWN, np.array(lines, object), options, parents)


CROSS = line((2, -1), (2, 5)), line((-1, 2), (5, 2))


def test_streets_cut_the_town_into_blocks_which_cover_it():
    layer, report = cut(*CROSS)
    assert len(layer.ids) == report["blocks"] == 4
    assert shapely.coverage_is_valid(layer.geometry)
    assert shapely.area(layer.geometry).sum() == pytest.approx(TOWN.area, rel=1e-12)
    assert not shapely.is_empty(shapely.intersection(*layer.geometry[:2]))


def test_dead_ends_cut_nothing_and_tiny_gaps_are_closed():
    assert len(cut(*CROSS, line((1, 0.5), (1, 1)))[0].ids) == 4
    metre = 0.001
    short = line((2 + metre, 1), (4 - metre, 1))  # from 1 m beside one street to 1 m before the border
    layer, report = cut(*CROSS, short)
    assert (len(layer.ids), report["closed_gaps"]) == (5, 2)
    far = line((2 + 10 * metre, 1), (4, 1))
    assert len(cut(*CROSS, far)[0].ids) == 4


def test_same_lines_in_any_order_give_the_same_ids_and_a_new_street_changes_only_its_block():
    lines = [*CROSS, line((1, 0), (1, 4)), line((0, 3), (4, 3))]
    first, again = cut(*lines)[0], cut(*(shapely.reverse(one) for one in lines[::-1]))[0]
    assert set(first.ids) == set(again.ids)
    assert len(set(first.ids)) == len(first.ids) == 9
    more = cut(*lines, line((3, 3), (3, 4)))[0]
    assert len(set(first.ids) - set(more.ids)) == 2  # the block cut in two, and that which has a new corner


def test_small_faces_and_strips_go_to_the_neighbour_with_the_longest_border():
    strip = line((2.01, -1), (2.01, 5))  # the other way of an avenue, ten metres off
    layer, report = cut(*CROSS, strip, options=BlockOptions(least_m2=0.0))
    assert (len(layer.ids), report["merged"]) == (4, 2)
    corner = line((0, 3.5), (0.5, 4))
    assert len(cut(*CROSS, corner, options=BlockOptions(least_m2=200_000.0))[0].ids) == 4
    assert len(cut(*CROSS, corner, options=BlockOptions(least_m2=100_000.0))[0].ids) == 5


def test_no_block_crosses_a_parents_border_even_when_it_is_small():
    halves = [shapely.box(X, Y, X + 0.0201, Y + 0.04), shapely.box(X + 0.0201, Y, X + 0.04, Y + 0.04)]
    parents = PolygonLayer(np.array(["01", "02"], object), np.array(halves, object))
    layer, _ = cut(*CROSS, options=BlockOptions(least_m2=1e9), parents=parents)
    assert sorted(layer.columns["parent"]) == ["01", "02"]
    for shape, code in zip(layer.geometry, layer.columns["parent"], strict=True):
        assert shapely.covers(halves[int(code) - 1].buffer(1e-12), shape)


def test_an_island_between_streets_is_a_block_of_its_own():
    ring = shapely.Point(X + 0.01, Y + 0.01).buffer(0.004)
    layer, _ = cut(*CROSS, ring)
    assert len(layer.ids) == 5
    assert shapely.get_num_interior_rings(layer.geometry).sum() == 1


def test_what_is_no_line_is_refused_with_its_row():
    point = {"type": "Feature", "properties": {}, "geometry": {"type": "Point", "coordinates": [1, 2]}}
    rows = rows_from_geojson(point, "roads")
    with pytest.raises(InvalidGeometry, match="is not a line") as refused:
        checked_lines(rows, None)
    assert refused.value.row == 1


def test_the_county_by_its_streets_and_estates():
    boundary = read_boundary(COUNTY / "boundary.geojson", None)
    lines = [checked_lines(rows_from_file(COUNTY / f"{name}.geojson"), None) for name in ("roads", "rivers")]
    townships = read_polygons(COUNTY / "townships.geojson", "code", None)
    estates = read_polygons(COUNTY / "estates.geojson", "id", None)
    layer, _ = blocks(boundary, np.concatenate(lines), None, townships)
    made, _ = with_atoms(tile_polygons(layer), estates)
    assert len(layer.ids) > 300
    assert set(layer.columns["parent"]) == set(townships.ids)
    for shapes in (layer.geometry, made.geometry):
        assert shapely.coverage_is_valid(shapes)
    report = coverage_report(made, boundary)
    assert max(report[part]["km2"] for part in ("gap", "overlap", "outside")) <= 1e-6
    assert report["components"]["count"] == 1
    row_of = {name: row for row, name in enumerate(made.names())}
    for name, drawn in zip(estates.ids, estates.geometry, strict=True):
        assert shapely.symmetric_difference(made.geometry[row_of[name]], drawn).area < 1e-12
