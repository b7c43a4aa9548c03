"""The raster answers as shapely does, polygon by polygon."""

from __future__ import annotations

import math
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st
from shapely.affinity import scale, translate

from gridsvc.tiling import pixels
from gridsvc.tiling.raster import Raster

HAIRS = np.array([0.0, 1e-15, 1e-13, 1e-11, 1e-9, 1e-7])  # degrees


def layer(*shapes) -> np.ndarray:
    out = np.empty(len(shapes), object)
    out[:] = shapes
    return out


def plain(polygons, lon, lat) -> np.ndarray:
    """The lowest row whose polygon has the point, border included: one polygon at a time."""
    out = np.full(len(lon), -1)
    for row in reversed(range(len(polygons))):
        west, south, east, north = shapely.bounds(polygons[row])
        near = np.flatnonzero((lon >= west) & (lon <= east) & (lat >= south) & (lat <= north))
        out[near[shapely.intersects(polygons[row], shapely.points(lon[near], lat[near]))]] = row
    return out


def star(x: float, y: float, size: float, corners: int, seed: int = 1) -> shapely.Polygon:
    rng = np.random.default_rng(seed)
    turn = np.sort(rng.uniform(0, math.tau, corners))
    far = size * rng.uniform(0.2, 1.0, corners)
    return shapely.Polygon(np.column_stack([x + far * np.cos(turn), y + far * np.sin(turn)])).buffer(0)


def worst(polygons, raster: Raster, seed: int = 2):
    """Points on corners and edges, a hair beside them, on the borders of pixels, and anywhere around."""
    rng = np.random.default_rng(seed)
    parts = shapely.get_parts(polygons)
    xy, ring = shapely.get_coordinates(shapely.get_parts(shapely.boundary(parts)), return_index=True)
    same = np.flatnonzero(ring[1:] == ring[:-1])
    share = rng.random((len(same), 1))
    on = np.concatenate(
        [xy, xy[same] * share + xy[same + 1] * (1.0 - share), (xy[same] + xy[same + 1]) / 2.0]
    )
    turn, hair = rng.uniform(0, math.tau, (len(HAIRS), len(on))), HAIRS[:, None]
    near = np.stack([on[:, 0] + hair * np.cos(turn), on[:, 1] + hair * np.sin(turn)], axis=-1).reshape(-1, 2)
    steps = np.concatenate([np.nextafter(on, np.inf), np.nextafter(on, -np.inf)])
    x, y, per_x, per_y = raster.arrays()["raster_frame"].tolist()
    lines = np.column_stack(
        [x + np.rint((on[:, 0] - x) * per_x) / per_x, y + np.rint((on[:, 1] - y) * per_y) / per_y]
    )
    west, south, east, north = shapely.total_bounds(polygons)
    pad = (east - west + north - south) * 0.1
    anywhere = rng.uniform((west - pad, south - pad), (east + pad, north + pad), (2_000, 2))
    corners = np.array([(a, b) for a in (west, east) for b in (south, north)])
    return np.concatenate([near, steps, lines, anywhere, corners]).T


def check(polygons, raster: Raster | None = None) -> Raster:
    raster = raster or Raster.of(polygons)
    lon, lat = worst(polygons, raster)
    expected = plain(polygons, lon, lat)
    assert raster.rows(lon, lat).tolist() == expected.tolist()
    some = np.random.default_rng(3).permutation(len(lon))[:2_000]
    singles = [raster.row(x, y) for x, y in zip(lon[some].tolist(), lat[some].tolist(), strict=True)]
    assert singles == expected[some].tolist()
    return raster


RING = shapely.box(0, 0, 4, 4).difference(shapely.box(1, 1, 3, 3))
LAYERS = {
    "one square": layer(shapely.box(0, 0, 1, 1)),
    "squares which share borders": layer(
        *[shapely.box(i % 4, i // 4, i % 4 + 1, i // 4 + 1) for i in range(16)]
    ),
    "a hole, and an island in it": layer(RING, shapely.box(1.5, 1.5, 2.5, 2.5)),
    "a hole filled by another": layer(shapely.box(1, 1, 3, 3), RING),
    "parts far apart": layer(
        shapely.MultiPolygon([star(0, 0, 1, 9), star(40, 3, 0.1, 30)]), star(20, 1, 2, 12)
    ),
    "overlapping, lowest last": layer(
        shapely.box(0, 0, 2, 1), shapely.box(1, 0, 3, 1), shapely.box(0, 0, 3, 3)
    ),
    "overlapping, lowest under all": layer(
        shapely.box(0, 0, 9, 9), star(4, 4, 3, 20), shapely.box(3, 3, 5, 5)
    ),
    "overlapping, lowest on top": layer(shapely.box(3, 3, 5, 5), star(4, 4, 3, 20), shapely.box(0, 0, 9, 9)),
    "the same twice": layer(star(5, 5, 1, 15), star(5, 5, 1, 15)),
    "slivers": layer(
        shapely.Polygon([(0, 0), (10, 1e-9), (10, 0)]), shapely.Polygon([(0, 0), (5, 7), (5, 7.0000001)])
    ),
    "thinner than any pixel": layer(shapely.box(0, 0, 1e-7, 30), shapely.box(2, 0, 2.0001, 30)),
    "tiny beside huge": layer(
        shapely.box(116.3, 39.9, 116.3 + 1e-10, 39.9 + 1e-10), shapely.box(70, 20, 130, 50)
    ),
    "tiny alone": layer(shapely.box(116.3, 39.9, 116.3 + 1e-12, 39.9 + 1e-12)),
    "a thousandth of a metre": layer(star(116.3, 39.9, 1e-8, 40)),
    "many corners": layer(star(-70, -30, 0.3, 900), star(-70.2, -30.1, 0.3, 700, 5)),
    "upright and level lines": layer(
        shapely.Polygon([(0, 0), (1, 0), (1, 5), (2, 5), (2, 0), (3, 0), (3, 6), (0, 6)]),
        shapely.box(1, 0, 2, 5),
    ),
    "all the world": layer(shapely.box(-180, -90, 0, 90), shapely.box(0, -90, 180, 90)),
    "an empty one among others": layer(shapely.Polygon(), star(1, 1, 1, 8), shapely.MultiPolygon()),
}


@pytest.mark.parametrize("name", LAYERS)
def test_no_point_is_answered_otherwise_than_by_shapely(name):
    check(LAYERS[name])


@pytest.mark.parametrize("side", [8, 32, 256])
def test_the_size_of_pixels_changes_no_answer(side, monkeypatch):
    monkeypatch.setattr("gridsvc.tiling.rasterise._SIDES", (side,))
    for name in ("a hole, and an island in it", "overlapping, lowest on top", "slivers", "many corners"):
        raster = check(LAYERS[name])
        assert side == max(raster.height, raster.width)


coordinate = st.integers(-8, 8).map(lambda n: n / 4.0)
box = st.builds(
    lambda x, y, w, h: shapely.box(x, y, x + w, y + h),
    coordinate,
    coordinate,
    st.integers(1, 8).map(lambda n: n / 4.0),
    st.integers(1, 8).map(lambda n: n / 4.0),
)
blob = st.builds(
    star,
    st.floats(-2, 2),
    st.floats(-2, 2),
    st.floats(0.01, 2),
    st.integers(3, 30),
    st.integers(0, 99),
)


def with_hole(shape):
    return shape.difference(scale(shape, 0.4, 0.4))


def in_pieces(shape):
    return shapely.union_all([shape, translate(shape, 5.0, 1.0)])


shape = st.one_of(box, blob, box.map(with_hole), blob.map(in_pieces)).filter(
    lambda s: s.area > 0 and s.geom_type in {"Polygon", "MultiPolygon"}
)


@settings(max_examples=60, deadline=None)
@given(st.lists(shape, min_size=1, max_size=6))
def test_any_polygons(shapes):
    check(layer(*shapes))


@settings(max_examples=40, deadline=None)
@given(st.lists(shape, min_size=1, max_size=4), st.integers(0, 99))
def test_what_holds_for_a_whole_box_holds_for_each_point_of_it(shapes, seed):
    polygons, rng = layer(*shapes), np.random.default_rng(seed)
    raster = Raster.of(polygons)
    low = rng.uniform(-5, 9, (2, 60))
    high = low + rng.choice([0.0, 0.01, 0.1, 1.0, 8.0], (2, 60))
    whole = raster.uniform(low[0], low[1], high[0], high[1])
    for row, (x1, y1), (x2, y2) in zip(whole.tolist(), low.T, high.T, strict=True):
        if row != -2:
            lon = np.append(rng.uniform(x1, x2, 30), [x1, x2, x1, x2])
            lat = np.append(rng.uniform(y1, y2, 30), [y1, y2, y2, y1])
            assert (plain(polygons, lon, lat) == row).all()


def test_boxes_off_the_border_are_known_to_be_inside_or_outside():
    raster = Raster.of(layer(shapely.box(0, 0, 10, 10)))
    one = np.ones(3)
    got = raster.uniform(np.array([2.0, 9.5, 20.0]), 4 * one, np.array([3.0, 10.5, 21.0]), 5 * one)
    assert got.tolist() == [0, -2, -1]
    assert raster.uniform(-50 * one, -50 * one, 50 * one, 50 * one).tolist() == [-2, -2, -2]


@pytest.mark.london
def test_london_is_answered_as_by_shapely(london_layer):
    raster = check(london_layer.geometry)
    assert sum(a.nbytes for name, a in raster.arrays().items() if name.startswith("raster")) < 8 << 20


def test_few_points_are_left_to_the_exact_test():
    raster = Raster.of(layer(star(0, 0, 1, 60), star(2, 0, 1, 60)))
    lon, lat = np.random.default_rng(1).uniform((-1, -1), (3, 1), (20_000, 2)).T
    assert 0.0 < (raster.codes(lon, lat) < -1).mean() < 0.05


def test_the_raster_keeps_to_its_limit():
    polygons = layer(*[star(i % 20, i // 20, 0.6, 40, i) for i in range(400)])
    for limit in (1 << 18, 1 << 20, 1 << 22):
        raster = Raster.of(polygons, limit)
        size = sum(a.nbytes for name, a in raster.arrays().items() if name.startswith("raster"))
        assert size < 1.3 * limit  # the sets of parts come to it
    check(polygons, Raster.of(polygons, 1))


NO_POINTS = [
    (np.nan, 0.5),
    (0.5, np.nan),
    (np.inf, 0.5),
    (0.5, -np.inf),
    (1e300, 0.5),
    (0.5, -1e308),
    (0.5, 91.0),
]


def test_what_is_no_point_is_in_no_polygon():
    for polygons in (layer(shapely.box(0, 0, 1, 1)), layer(shapely.box(-180, -90, 180, 90))):
        raster = Raster.of(polygons)
        lon, lat = np.array([*NO_POINTS, (0.5, 0.5)]).T
        assert raster.rows(lon, lat).tolist() == [-1] * len(NO_POINTS) + [0]
        assert [raster.row(x, y) for x, y in zip(lon.tolist(), lat.tolist(), strict=True)][:-1] == [-1] * len(
            NO_POINTS
        )


@pytest.mark.parametrize("polygons", [layer(), layer(shapely.Polygon())], ids=["none", "empty"])
def test_where_there_are_no_polygons_no_point_is_in_one(polygons):
    raster = Raster.of(polygons)
    assert raster.rows(np.array([0.0, 7.0]), np.zeros(2)).tolist() == [-1, -1]
    assert raster.row(0.0, 0.0) == -1
    assert raster.rows(np.zeros(0), np.zeros(0)).shape == (0,)


def read_only(arrays):
    out = {name: array.view() for name, array in arrays.items()}
    for array in out.values():
        array.flags.writeable = False
    return out


def test_made_again_from_its_arrays_it_answers_the_same_and_copies_nothing():
    polygons = LAYERS["parts far apart"]
    arrays = read_only(Raster.of(polygons).arrays())
    again = Raster.of_arrays(arrays)
    assert all(np.shares_memory(array, arrays[name]) for name, array in again.arrays().items())
    check(polygons, again)
    assert shapely.equals(again.parts.whole(2), polygons).all()


def test_polygons_are_made_and_prepared_only_when_a_point_needs_them():
    raster = Raster.of_arrays(Raster.of(LAYERS["squares which share borders"]).arrays())
    assert raster.row(0.4, 0.4) == 0
    assert raster.row(-3.0, 0.4) == -1
    assert "shapes" not in vars(raster.parts)
    assert raster.row(1.0, 0.5) == 0
    assert sorted(np.flatnonzero(raster.parts._ready)) == [0]
    raster.rows(np.array([1.0]), np.array([1.0]))
    assert len(np.flatnonzero(raster.parts._ready)) < 5


def test_threads_prepare_between_them():
    polygons = layer(*[star(i, 0, 0.8, 300, i) for i in range(40)])
    raster = Raster.of_arrays(Raster.of(polygons).arrays())
    lon, lat = np.random.default_rng(1).uniform((-1, -1), (40, 1), (20_000, 2)).T
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda _: raster.rows(lon, lat).tolist(), range(8)))
    expected = plain(polygons, lon, lat).tolist()
    assert all(answer == expected for answer in answers)


def test_without_pixels_marked_where_edges_pass_answers_go_wrong(monkeypatch):
    monkeypatch.setattr(pixels, "_MARGIN", -0.45)
    polygons = LAYERS["many corners"]
    raster = Raster.of(polygons)
    lon, lat = worst(polygons, raster)
    assert (raster.rows(lon, lat) != plain(polygons, lon, lat)).any()


@pytest.mark.proof
@pytest.mark.london
def test_a_million_points_over_london(london_layer):
    polygons, rng = london_layer.geometry, np.random.default_rng(9)
    raster = Raster.of(polygons)
    west, south, east, north = shapely.total_bounds(polygons)
    random = rng.uniform((west, south), (east, north), (1_000_000, 2)).T
    lon, lat = np.concatenate([random, worst(polygons, raster)], axis=1)
    point, row = shapely.STRtree(polygons).query(shapely.points(lon, lat), predicate="intersects")
    expected = np.full(len(lon), len(polygons))
    np.minimum.at(expected, point, row)
    expected[expected == len(polygons)] = -1
    assert raster.rows(lon, lat).tolist() == expected.tolist()
