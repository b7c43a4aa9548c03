"""Barriers cut adjacency; crossings keep it."""

from __future__ import annotations

import h3.api.basic_int as h3int
import numpy as np
import pytest
import shapely

from gridsvc.errors import InvalidGeometry
from gridsvc.tiling.barriers import barriers_from_geojson, cut, find_cuts, read_barriers
from gridsvc.tiling.h3tiles import tile_h3
from gridsvc.tiling.polytiles import tile_polygons

STEP = 0.001
PICTURE = """
    abc
    def
    ghi
"""


def pairs(tiling) -> set[str]:
    a, b, _ = tiling.adjacency.pairs()
    return {f"{tiling.ids[i]}{tiling.ids[j]}" for i, j in zip(a, b, strict=True)}


def feature(shape, **properties):
    return {"type": "Feature", "properties": properties, "geometry": shapely.geometry.mapping(shape)}


def barriers(*features):
    return barriers_from_geojson({"type": "FeatureCollection", "features": list(features)})


def line(*xy):
    return shapely.LineString(np.array(xy) * STEP)


def point(x, y):
    return shapely.Point(x * STEP, y * STEP)


ALL = {"ab", "bc", "de", "ef", "gh", "hi", "ad", "be", "cf", "dg", "eh", "fi"}


@pytest.fixture
def squares(drawn):
    tiling = tile_polygons(drawn(PICTURE, step=STEP))
    assert pairs(tiling) == ALL
    return tiling


RIVER = line((-1, 1), (4, 1))  # between def and ghi


def test_a_river_along_the_border_parts_what_it_runs_between(squares):
    assert pairs(cut(squares, barriers(feature(RIVER)))) == ALL - {"dg", "eh", "fi"}


def test_a_bridge_keeps_the_pair_at_it(squares):
    river = barriers(feature(RIVER), feature(point(1.5, 1)))
    found = find_cuts(squares, river)
    assert found.report() == {"cut": 2, "kept": 1, "unused_crossings": 0}
    assert pairs(cut(squares, river)) == ALL - {"dg", "fi"}


def test_a_line_marked_as_crossing_is_a_bridge(squares):
    bridge = feature(line((0.5, 0.4), (0.5, 1.6)), crossing=True)
    assert pairs(cut(squares, barriers(feature(RIVER), bridge))) == ALL - {"eh", "fi"}


def test_a_bridge_between_two_segments_keeps_both(squares):
    found = find_cuts(squares, barriers(feature(RIVER), feature(point(1, 1))))
    assert found.report() == {"cut": 1, "kept": 2, "unused_crossings": 0}


def test_the_nearest_pair_is_kept_by_a_bridge_a_little_away(squares):
    river = barriers(feature(RIVER), feature(point(-0.6, 1)))
    assert pairs(cut(squares, river)) == ALL - {"eh", "fi"}


def test_a_crossing_far_from_every_cut_is_reported_as_unused(squares):
    found = find_cuts(squares, barriers(feature(RIVER), feature(point(40, 40))))
    assert found.report() == {"cut": 3, "kept": 0, "unused_crossings": 1}


def test_a_short_wall_parts_only_the_pair_whose_segment_it_crosses(squares):
    wall = line((1.4, 1.5), (1.4, 1.6), (0.9, 1.6), (0.9, 1.4))
    assert pairs(cut(squares, barriers(feature(wall)))) == ALL - {"de"}


def test_a_river_beside_the_border_parts_polygons_if_it_follows_most_of_it(squares):
    near = barriers(feature(line((0.02, 0.96), (0.45, 0.96)), name="5 m south"))
    far = barriers(feature(line((0.05, 0.7), (0.45, 0.7))))
    part = barriers(feature(line((0.05, 0.96), (0.35, 0.96))))
    across = barriers(feature(line((0.05, 0.96), (0.95, 0.96))))
    assert pairs(cut(squares, across)) == ALL - {"dg"}
    for ignored in (near, far, part):
        assert pairs(cut(squares, ignored)) == ALL


def test_most_of_a_crooked_border_along_the_river_is_enough(layer):
    """The segment between the points misses the river, which follows 70 % of the common border."""
    south = shapely.box(0, 0, 10 * STEP, STEP)
    north = shapely.box(0, STEP, 10 * STEP, 2 * STEP)
    tiling = tile_polygons(layer(a=south, b=north))
    halves = barriers(feature(line((0, 1), (4, 1))), feature(line((6, 1), (9, 1))))
    assert len(cut(tiling, halves).adjacency.indices) == 0
    third = barriers(feature(line((0, 1), (3, 1))))
    assert len(cut(tiling, third).adjacency.indices) == 2


def test_the_tiling_given_is_not_changed_and_all_else_stays(squares):
    before = squares.adjacency.indices.copy()
    after = cut(squares, barriers(feature(RIVER)))
    assert (squares.adjacency.indices == before).all()
    assert after.ids is squares.ids
    assert after.geometry is squares.geometry


def test_h3_cells_are_parted_where_the_line_passes_between_centres():
    territory = shapely.multipolygons([shapely.box(10.0, 50.0, 10.1, 50.1)])
    tiling = tile_h3(territory, 8)
    river = shapely.LineString([(9.9, 50.05), (10.2, 50.05)])
    after = cut(tiling, barriers(feature(river)))
    assert (np.diff(after.adjacency.indptr) <= np.diff(tiling.adjacency.indptr)).all()
    for i, j, _ in zip(*tiling.adjacency.pairs(), strict=True):
        ends = [h3int.cell_to_latlng(int(tiling.ids[k]))[0] for k in (i, j)]
        kept = j in after.adjacency.indices[after.adjacency.indptr[i] : after.adjacency.indptr[i + 1]]
        if min(abs(end - 50.05) for end in ends) > 1e-4:
            assert kept == ((ends[0] < 50.05) == (ends[1] < 50.05))


def test_an_h3_bridge_joins_the_banks_again():
    tiling = tile_h3(shapely.multipolygons([shapely.box(10.0, 50.0, 10.1, 50.1)]), 8)
    river = feature(shapely.LineString([(9.9, 50.05), (10.2, 50.05)]))
    dry, bridged = barriers(river), barriers(river, feature(shapely.Point(10.05, 50.05)))
    found = find_cuts(tiling, bridged)
    assert found.kept >= 1
    assert found.kept + len(found.a) == len(find_cuts(tiling, dry).a)


def test_without_lines_nothing_is_cut(squares):
    only = barriers(feature(point(1, 1)))
    assert find_cuts(squares, only).report() == {"cut": 0, "kept": 0, "unused_crossings": 1}
    assert pairs(cut(squares, only)) == ALL


def test_a_polygon_among_barriers_is_refused_with_its_row():
    with pytest.raises(InvalidGeometry, match="barriers, row 2, geometry: is not a line or a point"):
        barriers(feature(RIVER), feature(shapely.box(0, 0, 1, 1)))


def test_barriers_in_metres_are_refused_unless_their_system_is_named(tmp_path):
    obj = feature(shapely.LineString([(500_000, 5_500_000), (500_100, 5_500_000)]))
    with pytest.raises(InvalidGeometry, match=r"row 1, geometry: coordinates such as .* look like metres"):
        barriers_from_geojson(obj)
    lon, lat = shapely.get_coordinates(barriers_from_geojson(obj, "EPSG:32632").lines[0])[0]
    assert (lon, lat) == pytest.approx((9.0, 49.65), abs=0.01)


def test_barriers_are_read_from_files(tmp_path):
    import geopandas

    frame = geopandas.GeoDataFrame({"crossing": [0, 1]}, geometry=[RIVER, line((0, 0), (0, 2))], crs=4326)
    frame.to_file(tmp_path / "barriers.gpkg")
    found = read_barriers(tmp_path / "barriers.gpkg")
    assert (len(found.lines), len(found.crossings)) == (1, 1)
