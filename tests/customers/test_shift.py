"""Points of Shenzhen in GCJ-02: right when declared so, and a hint when declared WGS-84."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import shapely

from gridsvc import crs
from gridsvc.customers.areas import AreaIndex
from gridsvc.customers.columns import Columns
from gridsvc.customers.place import PlaceOptions, place
from gridsvc.customers.placement import Placement, check
from gridsvc.customers.read import read_customers
from gridsvc.customers.shift import shift_of
from gridsvc.errors import InvalidInput
from gridsvc.tiling.h3tiles import tile_h3
from gridsvc.tiling.locate import Locator
from gridsvc.tiling.tiling import Tiling

FILE = Path(__file__).resolve().parents[3] / "shared" / "data" / "shenzhen_ev_stations_gcj02.csv"
NEAR = 0.0015  # degrees round each station: some 150 metres


@pytest.fixture(scope="module")
def stations() -> pd.DataFrame:
    if not FILE.is_file():
        pytest.skip("the stations of Shenzhen are not here")
    return pd.read_csv(FILE, dtype=str)


@pytest.fixture(scope="module")
def points(stations: pd.DataFrame) -> np.ndarray:
    """Where the stations really are, WGS-84."""
    lon, lat = (stations[name].to_numpy(float) for name in ("longitude", "latitude"))
    return np.column_stack(crs.to_wgs84(lon, lat, "gcj02"))


@pytest.fixture(scope="module")
def ground(points: np.ndarray) -> Tiling:
    """A territory drawn round the stations as they really lie."""
    around = shapely.union_all(shapely.buffer(shapely.points(points), NEAR, quad_segs=2))
    return tile_h3(shapely.multipolygons(shapely.get_parts(around)), 10)


@pytest.fixture(scope="module")
def zones(stations: pd.DataFrame, points: np.ndarray) -> tuple[list[str], np.ndarray]:
    """Each zone as the ground round its own stations."""
    codes = sorted(set(stations["TAZID"]))
    shapes = [
        shapely.buffer(shapely.multipoints(points[(stations["TAZID"] == code).to_numpy()]), NEAR, quad_segs=2)
        for code in codes
    ]
    return codes, np.array(shapes, object)


def placed(tiling: Tiling, system: str, areas: AreaIndex | None = None) -> Placement:
    table = read_customers(FILE, Columns(id="station_id", code="TAZID"), crs=system)
    return place(table, tiling, Locator(tiling).rows, PlaceOptions(areas=areas))


def codes_of(placement: Placement) -> set[str]:
    return {hint["code"] for hint in placement.hints}


def test_as_gcj02_every_station_lands_and_nothing_is_hinted(ground: Tiling) -> None:
    found = placed(ground, "gcj02")
    assert found.rate > 0.99
    assert not codes_of(found) & {"looks-gcj02", "looks-bd09"}


def test_declared_wgs84_the_hint_comes_by_the_territory_alone(ground: Tiling) -> None:
    found = placed(ground, "wgs84")
    assert "looks-gcj02" in codes_of(found)
    with pytest.raises(InvalidInput, match=r"look shifted: taken as GCJ-02.*try --crs gcj02"):
        check(found, 0.999)
    assert (found.lon[0], found.lat[0]) == (113.784724, 22.714121)  # as given: nothing is changed by a hint


def test_in_a_wide_territory_the_zones_tell(points: np.ndarray, zones: tuple[list[str], np.ndarray]) -> None:
    around = shapely.buffer(shapely.convex_hull(shapely.multipoints(points)), 0.02)
    wide = tile_h3(shapely.multipolygons([around]), 8)
    areas = AreaIndex.from_polygons(wide, *zones)
    assert "looks-gcj02" not in codes_of(placed(wide, "wgs84"))  # all stay inside: nothing can be known
    assert "looks-gcj02" in codes_of(placed(wide, "wgs84", areas))
    told = placed(wide, "wgs84", areas).summary()["areas"]
    assert told["compared"] == 1587
    assert told["share"] > 0.5
    right = placed(wide, "gcj02", areas).summary()["areas"]
    assert (right["elsewhere"], right["first_rows"]) == (0, [])


def test_codes_which_disagree_are_told_with_their_rows(
    ground: Tiling, zones: tuple[list[str], np.ndarray], tmp_path: Path, stations: pd.DataFrame
) -> None:
    wrong = stations.copy()
    other = next(code for code in zones[0] if code != wrong.loc[4, "TAZID"])
    wrong.loc[4, "TAZID"] = other
    wrong.to_csv(tmp_path / "wrong.csv", index=False)
    table = read_customers(tmp_path / "wrong.csv", Columns(id="station_id", code="TAZID"), crs="gcj02")
    areas = AreaIndex.from_polygons(ground, *zones)
    found = place(table, ground, Locator(ground).rows, PlaceOptions(areas=areas))
    assert found.summary()["areas"]["first_rows"] == [5]
    assert "areas-disagree" in codes_of(found)


@pytest.mark.parametrize("code", ["EPSG:4549", "EPSG:4528"])
def test_zone_files_of_cgcs2000_land_within_a_metre(
    points: np.ndarray, ground: Tiling, tmp_path: Path, code: str
) -> None:
    x, y = crs.from_wgs84(points[:, 0], points[:, 1], code)
    frame = pd.DataFrame({"id": range(len(x)), "x": np.round(x, 3), "y": np.round(y, 3)})
    frame.to_csv(tmp_path / "zone.csv", index=False)
    table = read_customers(tmp_path / "zone.csv", crs=code)
    found = place(table, ground, Locator(ground).rows)
    metres = np.hypot((found.lon - points[:, 0]) * 102_700.0, (found.lat - points[:, 1]) * 110_900.0)
    assert metres.max() < 1.0
    assert found.rate > 0.99


@pytest.mark.parametrize(
    ("gains", "losses", "told"), [(16, 0, True), (15, 0, False), (100, 40, False), (100, 20, True)]
)
def test_the_hint_needs_more_than_chance(gains: int, losses: int, told: bool) -> None:
    n = gains + losses + 500
    lon, lat = np.full(n, 114.0), np.full(n, 22.5)
    kind = np.repeat([0, 1, 2], [gains, losses, 500])

    def fits(x: np.ndarray, _: np.ndarray, rows: np.ndarray) -> np.ndarray:
        moved = x[0] != 114.0
        return np.array([(kind[row] == 2) or (kind[row] == 0) == moved for row in rows], bool)

    assert (shift_of(lon, lat, "wgs84", fits) is not None) is told


def test_what_is_declared_otherwise_is_believed() -> None:
    def fits(x: np.ndarray, _: np.ndarray, __: np.ndarray) -> np.ndarray:
        raise AssertionError

    assert shift_of(np.array([114.0]), np.array([22.5]), "gcj02", fits) is None
    assert shift_of(np.array([-0.1]), np.array([51.5]), "wgs84", fits) is None  # London knows no GCJ-02
