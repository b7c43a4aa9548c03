"""The lattice answers as h3-py does, or leaves the point to h3-py."""

from __future__ import annotations

import math
from concurrent.futures import ThreadPoolExecutor
from itertools import product

import h3.api.basic_int as h3
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gridsvc.tiling import faces, layout
from gridsvc.tiling import lattice as module
from gridsvc.tiling.hexes import index_points
from gridsvc.tiling.lattice import ASK, Lattice
from gridsvc.tiling.locate import Locator

CITIES = {
    "Beijing": (116.40, 39.90),
    "London": (-0.12, 51.50),
    "New York": (-73.97, 40.75),
    "Sao Paulo": (-46.63, -23.55),
    "Nairobi": (36.82, -1.29),
    "Suva": (178.44, -18.14),
}
RESOLUTIONS = (5, 7, 8, 9, 10, 11, 12)
HAIRS = np.array([0.0, 1e-14, 1e-13, 1e-12, 1e-11, 1e-10, 1e-9, 1e-8, 1e-7])  # degrees


def disk(lon: float, lat: float, resolution: int, k: int) -> np.ndarray:
    """All cells within `k` steps of the one at a place, ascending."""
    return np.array(sorted(h3.grid_disk(h3.latlng_to_cell(lat, lon, resolution), k)), np.uint64)


def plain(ids, resolution, lon, lat) -> np.ndarray:
    """Row of each point's cell by h3-py alone."""
    row = {cell: i for i, cell in enumerate(ids.tolist())}
    return np.array([row.get(cell, -1) for cell in index_points(lon, lat, resolution).tolist()])


def asked(ids, resolution, lon, lat) -> float:
    """Check every answer against h3-py's; the share of points which were left to it."""
    lattice = Lattice.of(resolution, ids)
    assert lattice is not None
    got, expected = lattice.rows(lon, lat), plain(ids, resolution, lon, lat)
    left = got == ASK
    assert got[~left].tolist() == expected[~left].tolist()
    return float(left.mean())


def wrong(ids, resolution, lon, lat) -> int:
    """How many points get an answer other than h3-py's."""
    got = Lattice.of(resolution, ids).rows(lon, lat)
    return int(((got != ASK) & (got != plain(ids, resolution, lon, lat))).sum())


def around(lon: float, lat: float, resolution: int, steps: float, n: int, seed: int = 3):
    """Random points within about so many cells of a place; also over a pole or the antimeridian."""
    rng = np.random.default_rng(seed)
    reach = steps * math.tau / 13.0 / math.sqrt(7.0) ** resolution
    here = to_vectors(np.array([lon]), np.array([lat]))[0]
    return to_degrees(here + rng.normal(0.0, reach / 2.0, (n, 3)))


def everywhere(n: int, seed: int = 4):
    """Random points all over the globe."""
    return to_degrees(np.random.default_rng(seed).normal(size=(n, 3)))


def to_vectors(lon, lat) -> np.ndarray:
    lon, lat = np.radians(lon), np.radians(lat)
    return np.stack([np.cos(lat) * np.cos(lon), np.cos(lat) * np.sin(lon), np.sin(lat)], axis=-1)


def to_degrees(vectors):
    x, y, z = vectors.T
    return np.degrees(np.arctan2(y, x)), np.degrees(np.arctan2(z, np.hypot(x, y)))


def near_edges(ids, seed: int = 5):
    """Points on vertices and edges of cells (which are parts of great circles), and a hair beside them."""
    rng = np.random.default_rng(seed)
    rings = [np.array(h3.cell_to_boundary(cell))[:, ::-1] for cell in ids.tolist()]
    start = np.concatenate(rings)
    end = np.concatenate([np.roll(ring, -1, axis=0) for ring in rings])
    share = np.concatenate([np.zeros(len(start)), np.full(len(start), 0.5), rng.uniform(size=len(start))])
    ends = to_vectors(*np.tile(start, (3, 1)).T), to_vectors(*np.tile(end, (3, 1)).T)
    lon, lat = to_degrees(ends[0] * (1.0 - share)[:, None] + ends[1] * share[:, None])
    hair, turn = np.repeat(HAIRS, len(lon)), rng.uniform(0.0, math.tau, len(lon) * len(HAIRS))
    lon, lat = np.tile(lon, len(HAIRS)), np.tile(lat, len(HAIRS))
    lon = lon + hair * np.cos(turn) / np.cos(np.radians(lat))
    return sound(lon, lat + hair * np.sin(turn))


def sound(lon, lat):
    return (lon + 180.0) % 360.0 - 180.0, np.clip(lat, -90.0, 90.0)


def where_h3_turns(lon: float, lat: float, resolution: int, steps: float, n: int):
    """Neighbouring numbers in lon/lat between which h3-py passes from one cell to another."""
    lon, lat = around(lon, lat, resolution, steps, n)
    turn = np.random.default_rng(6).uniform(0.0, math.tau, n)
    far = 25.0 / math.sqrt(7.0) ** resolution
    lon2, lat2 = lon + far * np.cos(turn) / np.cos(np.radians(lat)), lat + far * np.sin(turn)
    first = index_points(lon, lat, resolution)
    for _ in range(60):
        x, y = (lon + lon2) / 2.0, (lat + lat2) / 2.0
        same = index_points(x, y, resolution) == first
        lon, lat = np.where(same, x, lon), np.where(same, y, lat)
        lon2, lat2 = np.where(same, lon2, x), np.where(same, lat2, y)
    return np.concatenate([lon, lon2]), np.concatenate([lat, lat2])


def frames():
    """Centre, middle of an edge and corner of each face, lon/lat degrees."""
    cells = [h3.cell_to_latlng(cell) for cell in sorted(h3.get_pentagons(0))]
    lat, lon = np.array(cells).T
    corners = to_vectors(lon, lat)
    close = corners @ corners.T > 0.4
    threes = [t for t in product(range(12), repeat=3) if t[0] < t[1] < t[2] and close[np.ix_(t, t)].all()]
    centres = [corners[list(three)].sum(axis=0) for three in threes]
    edges = [corners[a] + corners[b] for a, b in zip(*np.nonzero(np.triu(close, 1)), strict=True)]
    return tuple(list(zip(*to_degrees(np.array(p)), strict=True)) for p in (centres, edges, corners))


CENTRES, EDGES, CORNERS = frames()


@pytest.mark.parametrize(("city", "resolution"), list(product(CITIES, RESOLUTIONS)))
def test_random_points_in_and_around_cities(city, resolution):
    lon, lat = CITIES[city]
    points = around(lon, lat, resolution, 16, 8_000)
    ids = disk(lon, lat, resolution, 12)
    # Beijing and Suva lie near the edge of a face, in cells of resolution 5 at least.
    assert asked(ids, resolution, *points) < (0.05 if resolution == 5 else 1e-3)
    assert 0.1 < (plain(ids, resolution, *points) >= 0).mean() < 0.9


@pytest.mark.parametrize(("city", "resolution"), list(product(CITIES, RESOLUTIONS)))
def test_points_on_edges_and_vertices_and_a_hair_beside_them(city, resolution):
    ids = disk(*CITIES[city], resolution, 2)
    assert asked(ids[::2], resolution, *near_edges(ids)) > 0.05


@pytest.mark.parametrize("resolution", range(3, 16))
def test_points_where_h3_itself_turns_from_one_cell_to_the_next(resolution):
    lon, lat = CITIES["London"]
    ids = disk(lon, lat, resolution, 12)[::2]
    assert asked(ids, resolution, *where_h3_turns(lon, lat, resolution, 8, 200)) > 0.98


@pytest.mark.parametrize("resolution", RESOLUTIONS)
def test_without_its_guard_the_lattice_goes_wrong_on_edges(resolution, monkeypatch):
    monkeypatch.setattr(faces, "GUARD", 0.0)
    monkeypatch.setattr(layout._Plan, "blurred", -1)
    lon, lat = CITIES["Beijing"]
    assert wrong(disk(lon, lat, resolution, 2), resolution, *near_edges(disk(lon, lat, resolution, 2))) > 0


@pytest.mark.parametrize("resolution", [9, 12, 15])
@pytest.mark.parametrize("face", [3, 8, 19])
def test_near_a_faces_centre_where_h3s_own_distances_are_blurred(face, resolution, monkeypatch):
    lon, lat = CENTRES[face]
    ids = disk(lon, lat, resolution, 12)
    for steps in (0.5, 3, 10, 300, 3_000):
        asked(ids, resolution, *where_h3_turns(lon, lat, resolution, steps, 100))
    asked(ids, resolution, *around(lon, lat, resolution, 16, 5_000))
    assert Lattice.of(resolution, ids).rows(np.array([lon]), np.array([lat])).tolist() == [ASK]
    if resolution == 15:
        monkeypatch.setattr(layout, "_BLUR", 0.0)
        assert wrong(ids, resolution, *where_h3_turns(lon, lat, resolution, 2.5, 2_000)) > 0


@pytest.mark.parametrize("resolution", range(3, 13))
@pytest.mark.parametrize(
    "place",
    [EDGES[0], EDGES[11], EDGES[29], CORNERS[0], CORNERS[5], CORNERS[11]],
    ids=["edge", "edge", "edge", "pentagon", "pentagon", "pentagon"],
)
def test_tilings_over_several_faces_and_around_pentagons(place, resolution):
    ids = disk(*place, resolution, 12)
    for some in (ids, ids[::3]):
        assert asked(some, resolution, *around(*place, resolution, 14, 6_000)) < 0.5
        asked(some, resolution, *around(*place, resolution, 2, 2_000))
        asked(some, resolution, *near_edges(disk(*place, resolution, 2)))
        asked(some, resolution, *everywhere(2_000))


@pytest.mark.parametrize("resolution", range(3, 13))
def test_cells_on_several_faces_and_pentagons_are_left_to_h3(resolution):
    for place in (EDGES[4], CORNERS[7]):
        ids = disk(*place, resolution, 8)
        shared = [c for c in ids.tolist() if h3.is_pentagon(c) or len(h3.get_icosahedron_faces(c)) > 1]
        lat, lon = np.array([h3.cell_to_latlng(cell) for cell in shared]).T
        assert (Lattice.of(resolution, ids).rows(lon, lat) == ASK).all()


@pytest.mark.parametrize("resolution", [3, 4])
def test_all_cells_of_the_world_and_a_random_half_of_them(resolution):
    base = h3.get_res0_cells()
    ids = np.array(sorted(c for cell in base for c in h3.cell_to_children(cell, resolution)), np.uint64)
    points = everywhere(40_000)
    assert asked(ids, resolution, *points) < 0.3
    half = ids[np.random.default_rng(7).random(len(ids)) < 0.5]
    assert asked(half, resolution, *points) < 0.3


@pytest.mark.parametrize("resolution", [5, 6, 8, 9])
@pytest.mark.parametrize(
    "place", [(180.0, -17.0), (-180.0, 66.0), (0.0, 90.0), (50.0, -90.0), (100.0, 89.99)]
)
def test_the_antimeridian_and_the_poles(place, resolution):
    ids = disk(*place, resolution, 8)
    asked(ids, resolution, *around(*place, resolution, 10, 5_000))
    asked(ids, resolution, *sound(*near_edges(disk(*place, resolution, 1))))
    lon = np.array([-180.0, 180.0, -0.0, 0.0, 90.0, 179.99999999999997, -179.99999999999997])
    for lat in (90.0, -90.0, place[1], 89.99999999999999):
        asked(ids, resolution, lon, np.full(len(lon), lat))


@pytest.mark.parametrize("resolution", [3, 5, 8])
def test_points_on_the_other_side_of_the_globe_are_in_no_cell(resolution):
    for lon, lat in CITIES.values():
        ids = disk(lon, lat, resolution, 6)
        x, y = around(lon, lat, resolution, 8, 2_000)
        lattice = Lattice.of(resolution, ids)
        assert (lattice.rows(*to_degrees(-to_vectors(x, y))) < 0).all()
        asked(ids, resolution, *to_degrees(-to_vectors(x, y)))
        asked(ids, resolution, *everywhere(5_000))


def test_tilings_with_holes_in_several_pieces_and_of_one_cell():
    lon, lat = CITIES["Nairobi"]
    points = around(lon, lat, 9, 40, 20_000)
    wide, middle = disk(lon, lat, 9, 20), disk(lon, lat, 9, 10)
    ring = np.setdiff1d(wide, middle)
    pieces = np.union1d(disk(lon, lat, 9, 4), disk(lon + 0.08, lat - 0.05, 9, 5))
    for ids in (ring, pieces, middle[:1], middle[:2]):
        assert asked(ids, 9, *points) < 1e-3
        asked(ids, 9, *near_edges(disk(lon, lat, 9, 2)))
    assert (plain(ring, 9, *points) >= 0).any()


@settings(max_examples=150, deadline=None)
@given(st.data())
def test_any_tiling_anywhere(data):
    lon, lat = data.draw(st.floats(-180, 180)), data.draw(st.floats(-89.9, 89.9))
    if data.draw(st.booleans()):
        lon, lat = data.draw(st.sampled_from(CENTRES + EDGES + CORNERS))
    resolution = data.draw(st.integers(3, 12))
    full = disk(lon, lat, resolution, data.draw(st.integers(0, 7)))
    seed = data.draw(st.integers(0, 2**32 - 1))
    keep = np.random.default_rng(seed).random(len(full)) < data.draw(st.sampled_from([0.2, 0.7, 1.0]))
    ids = full[keep] if keep.any() else full
    for points in (
        around(lon, lat, resolution, data.draw(st.floats(0.1, 30)), 300, seed),
        near_edges(ids[:3], seed),
        everywhere(50, seed),
    ):
        asked(ids, resolution, *points)


def test_points_given_exactly_at_a_cells_centre_need_no_h3():
    ids = disk(*CITIES["London"], 9, 20)
    lat, lon = np.array([h3.cell_to_latlng(cell) for cell in ids.tolist()]).T
    assert Lattice.of(9, ids).rows(lon, lat).tolist() == list(range(len(ids)))


LONDON = disk(*CITIES["London"], 8, 3)
STREWN = np.union1d(disk(8.0, 46.0, 14, 1), disk(4.0, 50.0, 14, 1))
NO_LATTICE = {
    "too coarse": (2, disk(*CITIES["London"], 2, 3)),
    "none": (8, LONDON[:0]),
    "in disorder": (8, LONDON[::-1].copy()),
    "twice the same": (8, np.repeat(LONDON, 2)),
    "of another resolution": (9, LONDON),
    "one of another resolution": (
        8,
        np.sort(np.append(LONDON, np.uint64(h3.cell_to_parent(int(LONDON[0]), 7)))),
    ),
    "no cells": (8, np.sort(np.append(LONDON, LONDON[0] + np.uint64(1)))),
    "strewn far apart": (14, STREWN),
    "at a pole, where centres are not sharp": (12, disk(0.0, 90.0, 12, 3)),
}


def test_cells_some_hundred_kilometres_apart_cost_no_more_than_a_directory():
    ids = np.union1d(disk(8.0, 46.0, 12, 3), disk(4.0, 50.0, 12, 3))
    lattice = Lattice.of(12, ids)
    assert sum(array.nbytes for array in lattice.arrays().values()) < 5_000_000
    for place in ((8.0, 46.0), (4.0, 50.0), (6.0, 48.0)):
        assert asked(ids, 12, *around(*place, 12, 8, 5_000)) < 1e-3


def test_a_lattice_made_again_from_its_arrays_answers_the_same_and_copies_nothing():
    ids = disk(*CORNERS[2], 7, 12)
    made = Lattice.of(7, ids)
    arrays = {name: array.view() for name, array in made.arrays().items()}
    for array in arrays.values():
        array.flags.writeable = False
    again = Lattice(arrays)
    points = around(*CORNERS[2], 7, 14, 5_000)
    assert again.rows(*points).tolist() == made.rows(*points).tolist()
    assert len(again._faces) > 1
    for face in again._faces:
        assert np.shares_memory(face.blocks, arrays["lattice_blocks"])
        assert np.shares_memory(face.directory, arrays["lattice_directory"])


@pytest.mark.parametrize("case", NO_LATTICE)
def test_where_there_is_no_lattice_h3_is_asked(case):
    resolution, ids = NO_LATTICE[case]
    assert Lattice.of(resolution, ids) is None


@pytest.mark.parametrize(
    "case", ["too coarse", "none", "strewn far apart", "at a pole, where centres are not sharp"]
)
def test_a_locator_without_a_lattice_answers_all_the_same(case):
    resolution, ids = NO_LATTICE[case]
    place = h3.cell_to_latlng(int(ids[0]))[::-1] if len(ids) else CITIES["London"]
    lon, lat = around(*place, resolution, 8, 5_000)
    assert Locator.of_h3(resolution, ids).rows(lon, lat).tolist() == plain(ids, resolution, lon, lat).tolist()


def test_cells_off_their_lattice_points_are_refused(monkeypatch):
    monkeypatch.setattr(module, "centres", lambda ids: (np.full(len(ids), -0.12), np.full(len(ids), 51.5)))
    assert Lattice.of(8, LONDON) is None


def test_the_locator_asks_h3_for_what_the_lattice_leaves():
    ids = disk(*CORNERS[3], 7, 10)
    parts = around(*CORNERS[3], 7, 12, 5_000), near_edges(disk(*CORNERS[3], 7, 2)), everywhere(1_000)
    lon, lat = np.concatenate(parts, axis=1)
    assert asked(ids, 7, lon, lat) > 0
    got = Locator.of_h3(7, ids).rows(lon, lat)
    assert got.dtype == np.int64
    assert got.tolist() == plain(ids, 7, lon, lat).tolist()


def test_points_which_are_none_stay_so_in_a_large_batch():
    lon, lat = around(*CITIES["London"], 8, 3, 3_000)
    bad = np.array([(np.nan, 51.5), (0.0, np.nan), (np.inf, 0.0), (0.0, 91.0), (181.0, 51.5), (0.0, 1e300)])
    rows = Locator.of_h3(8, LONDON).rows(np.append(bad[:, 0], lon), np.append(bad[:, 1], lat))
    assert (rows[:6] == -1).all()
    assert rows[6:].tolist() == plain(LONDON, 8, lon, lat).tolist()


@pytest.fixture
def made(monkeypatch):
    """The lattices made, as they are."""
    found, of = [], Lattice.of
    monkeypatch.setattr(Lattice, "of", lambda *given: found.append(of(*given)) or found[-1])
    return found


def test_a_lattice_is_made_once_there_were_two_points_a_cell(made):
    ids = disk(*CITIES["London"], 9, 20)  # 1,261 cells
    lon, lat = around(*CITIES["London"], 9, 20, 2_521)
    locator = Locator.of_h3(9, ids)
    for _ in range(20):
        locator.rows(lon[:150], lat[:150])  # small batches do not count: they never use it
    locator.rows(lon, lat)
    assert made == []
    locator.rows(lon, lat)
    locator.rows(lon, lat)
    assert len(made) == 1


def test_threads_make_it_once_between_them(made):
    ids = disk(*CITIES["London"], 9, 20)
    points = around(*CITIES["London"], 9, 20, 5_000)
    locator, expected = Locator.of_h3(9, ids), plain(ids, 9, *points).tolist()
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda _: locator.rows(*points).tolist(), range(16)))
    assert all(answer == expected for answer in answers)
    assert len(made) == 1
