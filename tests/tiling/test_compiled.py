"""The compiled kernels answer as h3-py does, or leave the point to h3-py, as the lattice itself."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gridsvc.tiling import compiled, faces, layout
from gridsvc.tiling.hexlookup import HexLookup
from gridsvc.tiling.lattice import ASK, Lattice
from gridsvc.tiling.places import Places
from tests.tiling.test_lattice import (
    CENTRES,
    CITIES,
    CORNERS,
    EDGES,
    around,
    disk,
    everywhere,
    near_edges,
    plain,
    sound,
    where_h3_turns,
)


def asked(ids, resolution, lon, lat) -> float:
    got = Lattice.of(resolution, ids).rows_by(compiled, lon, lat)
    expected, left = plain(ids, resolution, lon, lat), got == ASK
    assert got[~left].tolist() == expected[~left].tolist()
    return float(left.mean())


@pytest.mark.parametrize("resolution", range(3, 16))
@pytest.mark.parametrize("city", ["London", "Suva"])
def test_random_points_edges_and_where_h3_itself_turns(city, resolution):
    lon, lat = CITIES[city]
    ids = disk(lon, lat, resolution, 12)
    assert asked(ids, resolution, *around(lon, lat, resolution, 16, 8_000)) < (
        0.3 if resolution < 6 else 1e-3
    )
    asked(ids[::2], resolution, *near_edges(disk(lon, lat, resolution, 2)))
    assert asked(ids[::2], resolution, *sound(*where_h3_turns(lon, lat, resolution, 8, 200))) > 0.98


@settings(max_examples=100, deadline=None)
@given(st.data())
def test_any_tiling_anywhere(data):
    lon, lat = data.draw(st.floats(-180, 180)), data.draw(st.floats(-89.9, 89.9))
    if data.draw(st.booleans()):
        lon, lat = data.draw(st.sampled_from(CENTRES + EDGES + CORNERS))
    resolution, seed = data.draw(st.integers(3, 12)), data.draw(st.integers(0, 2**32 - 1))
    full = disk(lon, lat, resolution, data.draw(st.integers(1, 7)))
    ids = full[np.random.default_rng(seed).random(len(full)) < 0.7]
    ids = ids if len(ids) else full
    for points in (
        around(lon, lat, resolution, data.draw(st.floats(0.1, 30)), 300, seed),
        near_edges(ids[:3], seed),
        everywhere(50, seed),
    ):
        asked(ids, resolution, *points)


@pytest.mark.parametrize("place", [(180.0, -17.0), (0.0, 90.0), (50.0, -90.0), (100.0, 89.99)])
def test_the_antimeridian_and_the_poles(place):
    ids = disk(*place, 6, 8)
    asked(ids, 6, *sound(*near_edges(disk(*place, 6, 1))))
    lon = np.array([-180.0, 180.0, -0.0, 0.0, 90.0, -90.0, 135.0, 45.0, 179.99999999999997])
    for lat in (90.0, -90.0, place[1], 89.99999999999999, 45.0, -45.0):
        asked(ids, 6, lon, np.full(len(lon), lat))


def test_without_the_guard_they_go_wrong_on_edges(monkeypatch):
    monkeypatch.setattr(faces, "GUARD", 0.0)
    monkeypatch.setattr(layout._Plan, "blurred", -1)
    ids = disk(*CITIES["Beijing"], 9, 2)
    points = near_edges(ids)
    got = Lattice.of(9, ids).rows_by(compiled, *points)
    assert ((got != ASK) & (got != plain(ids, 9, *points))).any()


def test_sines_are_within_the_stated_bound():
    rng = np.random.default_rng(1)
    degrees = np.concatenate([np.linspace(-180, 180, 72_001), rng.uniform(-180, 180, 200_000)])
    sine, cosine = np.empty_like(degrees), np.empty_like(degrees)
    compiled.sines(degrees, sine, cosine)
    radians = np.longdouble(degrees) * (np.longdouble("3.14159265358979323846264338327950288") / 180)
    assert np.abs(sine - np.sin(radians)).max() < 3e-16
    assert np.abs(cosine - np.cos(radians)).max() < 3e-16


def test_what_is_no_point_stays_so_and_arrays_may_be_read_only_or_strided():
    ids = disk(*CITIES["London"], 8, 5)
    lon, lat = around(*CITIES["London"], 8, 6, 3_000)
    bad = np.array([(np.nan, 51.5), (0.0, np.nan), (np.inf, 0.0), (0.0, 91.0), (181.0, 51.5), (0.0, 1e300)])
    lon, lat = np.append(bad[:, 0], lon), np.append(bad[:, 1], lat)
    both = np.column_stack([lon, lat])
    both.flags.writeable = False
    rows = Lattice.of(8, ids).rows_by(compiled, both[:, 0], both[:, 1])
    assert (rows[:6] == -1).all()
    left = rows[6:] == ASK
    assert rows[6:][~left].tolist() == plain(ids, 8, lon[6:], lat[6:])[~left].tolist()


def test_points_beyond_a_pole_are_none_though_their_sines_are_those_of_others():
    ids = disk(0.0, 90.0, 5, 12)
    lon, lat = np.linspace(-180.0, 180.0, 400), np.linspace(90.01, 91.0, 400)
    assert (Lattice.of(5, ids).rows_by(compiled, lon, lat) == -1).all()
    assert (Lattice.of(5, ids).rows(lon, lat) == -1).all()
    assert (Lattice.of(5, ids).rows_by(compiled, lon, 180.0 - lat) != -1).any()


def test_a_process_uses_them_once_it_has_said_so(monkeypatch):
    import shapely

    ids = disk(*CORNERS[3], 7, 10)
    places = Places.of("h3", 7, ids, None, shapely.MultiPolygon([shapely.box(-180, -90, 180, 90)]))
    lon, lat = around(*CORNERS[3], 7, 12, 3_000)
    expected = plain(ids, 7, lon, lat).tolist()
    seen, rows_by = [], Lattice.rows_by
    monkeypatch.setattr(Lattice, "rows_by", lambda self, *given: seen.append(1) or rows_by(self, *given))
    monkeypatch.setattr(HexLookup, "kernels", None)
    assert places.rows(lon, lat).tolist() == expected
    assert seen == []
    assert places.rows(lon, lat, compiled=True).tolist() == expected
    places.warm()
    assert places.rows(lon, lat).tolist() == expected
    assert len(seen) == 2


def test_places_alone_load_no_numba_nor_geodata_library():
    code = (
        "import sys, gridsvc.tiling.places; "
        "heavy = {'geopandas', 'pyogrio', 'pandas', 'pyarrow', 'numba', 'scipy'}; "
        "print(sorted(heavy & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


@pytest.mark.proof
@pytest.mark.parametrize("resolution", [7, 9, 12])
def test_a_million_points(resolution):
    ids = disk(*CITIES["London"], resolution, 60)
    assert asked(ids, resolution, *around(*CITIES["London"], resolution, 70, 1_000_000)) < 1e-4
