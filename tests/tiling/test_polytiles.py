"""Tilings of polygon layers: adjacency is a shared border, exact or with tolerance."""

from __future__ import annotations

import numpy as np
import pytest
import shapely
from scipy.sparse import csr_array
from scipy.sparse.csgraph import connected_components

from gridsvc.errors import InvalidInput
from gridsvc.tiling.polytiles import tile_polygons
from gridsvc.tiling.read import PolygonLayer

METRE = 1 / 111_195  # degrees at the equator


def pairs(tiling) -> set[str]:
    a, b, _ = tiling.adjacency.pairs()
    return {f"{tiling.ids[i]}{tiling.ids[j]}" for i, j in zip(a, b, strict=True)}


def length(tiling, one: str, other: str) -> float:
    a, b, metres = tiling.adjacency.pairs()
    ids = tiling.ids.tolist()
    return float(metres[(a == ids.index(one)) & (b == ids.index(other))][0])


def components(tiling) -> int:
    graph = tiling.adjacency
    n = len(tiling)
    return connected_components(csr_array((graph.length, graph.indices, graph.indptr), shape=(n, n)))[0]


@pytest.mark.london
def test_london_has_2787_shared_borders_in_one_component(london_layer):
    tiling = tile_polygons(london_layer)
    assert len(tiling) == 983
    assert len(tiling.adjacency.pairs()[0]) == 2787
    assert components(tiling) == 1
    assert (tiling.ids[:-1] < tiling.ids[1:]).all()
    assert tiling.area.sum() == pytest.approx(1.574e9, rel=0.01)


@pytest.mark.london
def test_london_borders_equal_those_found_by_intersection(london_layer):
    tiling = tile_polygons(london_layer)
    left, right = shapely.STRtree(tiling.geometry).query(tiling.geometry, predicate="touches")
    once = left < right
    line = shapely.intersection(tiling.geometry[left[once]], tiling.geometry[right[once]])
    rook = shapely.length(line) > 0
    expected = set(zip(left[once][rook].tolist(), right[once][rook].tolist(), strict=True))
    a, b, _ = tiling.adjacency.pairs()
    assert set(zip(a.tolist(), b.tolist(), strict=True)) == expected


@pytest.mark.london
def test_columns_and_points_follow_their_cells(london_layer):
    tiling = tile_polygons(london_layer)
    row = {code: i for i, code in enumerate(london_layer.ids)}
    order = [row[code] for code in tiling.ids]
    assert (tiling.columns["la_code"] == london_layer.columns["la_code"][order]).all()
    assert (tiling.columns["kwh"] == london_layer.columns["kwh"][order]).all()
    assert (tiling.geometry == london_layer.geometry[order]).all()


def test_a_common_corner_is_not_a_border(drawn):
    tiling = tile_polygons(
        drawn("""
        aab
        ccd
    """)
    )
    assert pairs(tiling) == {"ab", "ac", "bd", "cd"}
    assert length(tiling, "a", "c") == pytest.approx(2 * length(tiling, "b", "d"), rel=1e-6)
    assert length(tiling, "a", "c") == pytest.approx(222.6, rel=0.01)


def test_one_long_edge_beside_two_short_ones_is_shared_with_both(drawn, layer):
    tiling = tile_polygons(
        layer(a=shapely.box(0, 0, 1, 2), b=shapely.box(1, 0, 2, 1), c=shapely.box(1, 1, 2, 2))
    )
    assert pairs(tiling) == {"ab", "ac", "bc"}
    assert length(tiling, "a", "b") == pytest.approx(length(tiling, "a", "c"), rel=0.01)


@pytest.mark.parametrize("shift", [-0.4, -1e-5, 1e-5, 0.4])
def test_slivers_up_to_the_tolerance_are_a_border(layer, shift):
    east = 0.01 + shift * METRE
    tiling = tile_polygons(layer(a=shapely.box(0, 0, 0.01, 0.01), b=shapely.box(east, 0, 0.02, 0.01)))
    assert pairs(tiling) == {"ab"}
    assert length(tiling, "a", "b") == pytest.approx(1106, rel=0.01)


def test_a_gap_wider_than_the_tolerance_is_no_border_unless_it_is_raised(layer):
    two = layer(a=shapely.box(0, 0, 0.01, 0.01), b=shapely.box(0.01 + 2 * METRE, 0, 0.02, 0.01))
    assert pairs(tile_polygons(two)) == set()
    assert pairs(tile_polygons(two, tolerance_m=3.0)) == {"ab"}


def test_overlapping_polygons_are_neighbours(layer):
    tiling = tile_polygons(layer(a=shapely.box(0, 0, 0.01, 0.01), b=shapely.box(0.009, 0, 0.02, 0.01)))
    assert pairs(tiling) == {"ab"}


def test_corners_across_a_sliver_are_still_no_border(layer):
    tiny = 0.3 * METRE
    tiling = tile_polygons(
        layer(
            a=shapely.box(0, 0, 0.01, 0.01),
            b=shapely.box(0.01 + tiny, 0, 0.02, 0.01),
            c=shapely.box(0.01 + tiny, 0.01 + tiny, 0.02, 0.02),
            d=shapely.box(0, 0.01 + tiny, 0.01, 0.02),
        )
    )
    assert pairs(tiling) == {"ab", "bc", "cd", "ad"}


def test_beijing_with_its_slivers_hangs_together_but_for_the_airports_exclave(beijing_layer):
    tiling = tile_polygons(beijing_layer)
    assert len(tiling) == 139
    assert components(tiling) == 2
    alone = tiling.ids[np.diff(tiling.adjacency.indptr) == 0]
    assert alone.tolist() == ["110105020000"]
    touching = shapely.STRtree(tiling.geometry).query(tiling.geometry, predicate="intersects")[0]
    assert len(tiling.adjacency.indices) <= len(touching) - len(tiling)


def test_the_point_of_a_cell_lies_inside_it_even_in_a_crescent(layer):
    crescent = shapely.Point(0, 0).buffer(0.01).difference(shapely.Point(0.003, 0).buffer(0.0099))
    tiling = tile_polygons(layer(a=crescent))
    here = shapely.Point(tiling.origin[0] + tiling.x[0] * METRE, tiling.origin[1] + tiling.y[0] * METRE)
    assert crescent.distance(here) < 20 * METRE
    assert shapely.intersects(crescent, shapely.point_on_surface(crescent))


def test_rows_are_sorted_by_id_as_text(layer):
    box = shapely.box
    tiling = tile_polygons(layer(**{"10": box(0, 0, 1, 1), "9": box(1, 0, 2, 1), "010": box(2, 0, 3, 1)}))
    assert tiling.ids.tolist() == ["010", "10", "9"]
    assert pairs(tiling) == {"0109", "109"}


def test_no_polygons_are_refused():
    nothing = PolygonLayer(np.empty(0, object), np.empty(0, object))
    with pytest.raises(InvalidInput, match="0 polygons"):
        tile_polygons(nothing)
