"""Who owns what, from one publication value, without any database."""

from __future__ import annotations

from datetime import UTC, datetime

import h3
import numpy as np
import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from gridsvc.errors import InvalidCoordinate, InvalidInput
from gridsvc.ownership.publication import Publication, checksum, pack, unpack
from gridsvc.ownership.snapshot import Moment, Snapshot
from gridsvc.plans.plan import Grid
from gridsvc.teams.model import Department, Member, Person, Roster, Team
from gridsvc.tiling.h3tiles import tile_cells, tile_h3
from gridsvc.tiling.locate import Locator
from gridsvc.tiling.polytiles import tile_polygons
from gridsvc.tiling.read import PolygonLayer
from gridsvc.tiling.tiling import Tiling

BOX = shapely.MultiPolygon([shapely.box(112.9, 28.6, 113.0, 28.7)])
ROSTER = Roster(
    (Department("m", "市场部"),),
    (Person("p1", "员工001", "m"), Person("p2", "员工002", "m"), Person("p3", "员工003", "m")),
    (Team("t1", "一组"), Team("t2", "二组"), Team("t0", "兜底")),
    (
        Member("t1", "p1", "lead"),
        Member("t1", "p3", "maintenance", 0.5, 0.5),
        Member("t2", "p2", "lead"),
        Member("t0", "p3", "lead"),
    ),
    fallback="t0",
)
GRIDS = (
    Grid("01", "Grid 01", "t1"),
    Grid("02", "Grid 02", "t2"),
    Grid("C01", "Grid C01", "t2", carve_out=True),
)
SINCE = datetime(2026, 11, 1, tzinfo=UTC)


def _snapshot(tiling: Tiling, labels: NDArray[np.int32]) -> Snapshot:
    publication = Publication("t", "base", tiling.kind, tiling.resolution, tiling.ids, labels, GRIDS)
    return Snapshot(unpack(pack(publication)), Locator(tiling), BOX, "til", ROSTER, Moment(3, 2, 9, SINCE))


@pytest.fixture(scope="module")
def hexes() -> Snapshot:
    tiling = tile_h3(BOX, 8)
    labels = (tiling.x > 0).astype(np.int32)
    labels[0] = 2
    return _snapshot(tiling, labels)


@pytest.fixture(scope="module")
def blocks() -> Snapshot:
    """Two blocks side by side and a gap east of them, all inside the territory."""
    layer = PolygonLayer(
        np.array(["007", "008"], object),
        np.array([shapely.box(112.9, 28.6, 112.94, 28.7), shapely.box(112.94, 28.6, 112.98, 28.7)], object),
    )
    return _snapshot(tile_polygons(layer), np.array([0, 1], np.int32))


def test_a_publication_survives_its_bytes(hexes: Snapshot) -> None:
    publication = hexes.publication
    again = unpack(pack(publication))
    assert (again.territory, again.line, again.kind, again.resolution) == ("t", "base", "h3", 8)
    assert again.grids == GRIDS
    np.testing.assert_array_equal(again.ids, publication.ids)
    np.testing.assert_array_equal(again.labels, publication.labels)
    assert checksum(pack(again)) == checksum(pack(publication))


def test_a_changed_owner_changes_the_checksum(hexes: Snapshot) -> None:
    publication = hexes.publication
    labels = publication.labels.copy()
    labels[1] = 1 - labels[1]
    other = Publication("t", "base", "h3", 8, publication.ids, labels, GRIDS)
    assert checksum(pack(other)) != checksum(pack(publication))


def test_foreign_bytes_are_refused() -> None:
    import zlib

    with pytest.raises(ValueError, match="known format"):
        unpack(zlib.compress(b"something else entirely"))


points = st.tuples(st.floats(112.8, 113.1, allow_nan=False), st.floats(28.5, 28.8, allow_nan=False))


@given(st.lists(points, min_size=1, max_size=20))
def test_single_and_batch_agree_and_h3_decides(hexes: Snapshot, asked: list[tuple[float, float]]) -> None:
    lon, lat = (np.array(axis) for axis in zip(*asked, strict=True))
    many = hexes.batch(lon, lat)
    rows = {h3.int_to_str(int(cell)): row for row, cell in enumerate(hexes.publication.ids)}
    for i, (x, y) in enumerate(asked):
        one = hexes.point(x, y)
        row = rows.get(h3.latlng_to_cell(y, x, 8))
        assert one.status == many.status[i] == ("outside" if row is None else "owned")
        assert one.cell == many.cell[i]
        assert (one.grid or {}).get("code") == many.grid[i]
        assert (one.team or {}).get("id") == many.team[i]
        assert one.rule == many.rule[i]
        if row is not None:
            assert many.grid[i] == GRIDS[hexes.publication.labels[row]].code


def test_ownership_follows_the_cell_beyond_the_border(hexes: Snapshot) -> None:
    tiling = tile_cells(hexes.publication.ids)
    over = next(i for i, g in enumerate(tiling.geometry) if not BOX.contains(g.centroid))
    centre = tiling.geometry[over].centroid
    answer = hexes.point(centre.x, centre.y)
    assert answer.status == "owned"
    assert answer.inside_territory is False


def test_a_carve_out_says_so(hexes: Snapshot) -> None:
    answer = hexes.cell(h3.int_to_str(int(hexes.publication.ids[0])))
    assert (answer.rule, (answer.grid or {})["code"]) == ("carve_out", "C01")


def test_the_answer_names_people_and_times(hexes: Snapshot) -> None:
    cell = h3.int_to_str(int(hexes.publication.ids[np.flatnonzero(hexes.publication.labels == 0)[0]]))
    answer = hexes.cell(cell, lang="zh").as_dict()
    assert answer["lead"] == {"id": "p1", "name": "员工001", "acting": False}
    assert answer["roles"] == [{"role": "maintenance", "id": "p3", "name": "员工003", "backup": False}]
    assert (answer["publication"], answer["roster"], answer["seq"]) == (3, 2, 9)
    assert answer["valid_from"] == "2026-11-01T00:00:00+00:00"
    assert "第 3 版" in answer["why"]


def test_the_same_place_in_three_systems(hexes: Snapshot) -> None:
    from gridsvc.crs import from_wgs84

    lon, lat = 112.951, 28.653
    for crs in ("gcj02", "bd09"):
        x, y = from_wgs84(np.array([lon]), np.array([lat]), crs)
        assert hexes.point(float(x[0]), float(y[0]), crs=crs).cell == hexes.point(lon, lat).cell
    assert hexes.point(lon, lat, crs="gcj02").cell != hexes.point(lon, lat).cell


def test_a_gap_belongs_to_the_fallback(blocks: Snapshot) -> None:
    answer = blocks.point(112.99, 28.65)
    assert (answer.status, answer.rule, (answer.team or {})["id"]) == ("fallback", "fallback", "t0")
    many = blocks.batch(np.array([112.99, 112.95, 50.0]), np.array([28.65, 28.65, 50.0]))
    assert many.status.tolist() == ["fallback", "owned", "outside"]
    assert many.team.tolist() == ["t0", "t2", None]


def test_a_shared_border_belongs_to_the_lowest_id(blocks: Snapshot) -> None:
    assert blocks.point(112.94, 28.65).cell == "007"


def test_customers(blocks: Snapshot) -> None:
    assert (blocks.customer(1, None, None).grid or {})["code"] == "02"
    assert (blocks.customer(None, 112.91, 28.65).grid or {})["code"] == "01"
    unplaced = blocks.customer(-1, 112.91, 28.65)
    assert (unplaced.status, unplaced.rule, (unplaced.team or {})["id"]) == ("unplaced", "fallback", "t0")
    assert blocks.unknown_customer().status == "unknown_customer"


@pytest.mark.parametrize(
    ("lon", "lat"), [(0, 91), (181, 0), (float("nan"), 0), (0, float("inf")), (0, 1e300)]
)
def test_no_place(hexes: Snapshot, lon: float, lat: float) -> None:
    with pytest.raises(InvalidCoordinate):
        hexes.point(lon, lat)
    assert hexes.batch(np.array([lon], float), np.array([lat], float)).status.tolist() == ["invalid"]


@pytest.mark.parametrize("cell", ["", "zzz", "89", "8a4189614d07fffff"])
def test_no_cell(hexes: Snapshot, cell: str) -> None:
    with pytest.raises(InvalidInput):
        hexes.cell(cell)


def test_an_unknown_block_is_outside(blocks: Snapshot) -> None:
    assert blocks.cell("009").status == "outside"
