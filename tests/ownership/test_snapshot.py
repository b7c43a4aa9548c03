"""Who owns what, from one publication value, without any database."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import h3
import numpy as np
import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from gridsvc.errors import InvalidCoordinate, InvalidInput
from gridsvc.ownership.cells import owner_of_cell
from gridsvc.ownership.holdings import Holdings
from gridsvc.ownership.nearest import nearest_grid
from gridsvc.ownership.publication import Overlay, Publication, checksum, pack, unpack
from gridsvc.ownership.snapshot import Moment, Snapshot
from gridsvc.plans.plan import Grid
from gridsvc.teams.model import Department, Member, Named, Person, Roster, Team
from gridsvc.tiling.h3tiles import tile_cells, tile_h3
from gridsvc.tiling.places import Places
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
    held = Holdings.of(unpack(pack(publication)))
    places = Places.of(tiling.kind, tiling.resolution, tiling.ids, tiling.geometry, BOX)
    return Snapshot(held, places, "til", ROSTER, Moment(3, 2, 9, SINCE))


def _published(snapshot: Snapshot) -> Publication:
    ids = _ids(snapshot)
    return Publication("t", "base", "h3", 8, ids, snapshot.holdings.labels.astype(np.int32), GRIDS)


def _ids(snapshot: Snapshot) -> NDArray[np.uint64]:
    return np.array([int(snapshot.places.name(row), 16) for row in range(len(snapshot.places))], np.uint64)


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
    publication = _published(hexes)
    again = unpack(pack(publication))
    assert (again.territory, again.line, again.kind, again.resolution) == ("t", "base", "h3", 8)
    assert again.grids == GRIDS
    np.testing.assert_array_equal(again.ids, publication.ids)
    np.testing.assert_array_equal(again.labels, publication.labels)
    assert checksum(pack(again)) == checksum(pack(publication))


def test_a_changed_owner_changes_the_checksum(hexes: Snapshot) -> None:
    publication = _published(hexes)
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
    rows = {h3.int_to_str(int(cell)): row for row, cell in enumerate(_ids(hexes))}
    for i, (x, y) in enumerate(asked):
        one = hexes.point(x, y)
        row = rows.get(h3.latlng_to_cell(y, x, 8))
        assert one.status == many.status[i] == ("outside" if row is None else "owned")
        assert one.cell == many.cell[i]
        assert (one.grid or {}).get("code") == many.grid[i]
        assert (one.team or {}).get("id") == many.team[i]
        assert one.rule == many.rule[i]
        if row is not None:
            assert many.grid[i] == GRIDS[hexes.holdings.labels[row]].code


def test_ownership_follows_the_cell_beyond_the_border(hexes: Snapshot) -> None:
    tiling = tile_cells(_ids(hexes))
    over = next(i for i, g in enumerate(tiling.geometry) if not BOX.contains(g.centroid))
    centre = tiling.geometry[over].centroid
    answer = hexes.point(centre.x, centre.y)
    assert answer.status == "owned"
    assert answer.inside_territory is False


def test_a_carve_out_says_so(hexes: Snapshot) -> None:
    answer = owner_of_cell(hexes, hexes.places.name(0))
    assert (answer.rule, (answer.grid or {})["code"]) == ("carve_out", "C01")


def test_the_answer_names_people_and_times(hexes: Snapshot) -> None:
    cell = hexes.places.name(int(np.flatnonzero(hexes.holdings.labels == 0)[0]))
    answer = owner_of_cell(hexes, cell, "zh").as_dict()
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
    assert (blocks.customer("c", 1).grid or {})["code"] == "02"
    assert (blocks.customer("c", None, 112.91, 28.65).grid or {})["code"] == "01"
    unplaced = blocks.customer("c", -1, 112.91, 28.65)
    assert (unplaced.status, unplaced.rule, (unplaced.team or {})["id"]) == ("unplaced", "fallback", "t0")
    assert blocks.customer("c", None, known=False).status == "unknown_customer"


@pytest.mark.parametrize(
    ("lon", "lat"), [(0, 91), (181, 0), (float("nan"), 0), (0, float("inf")), (0, 1e300)]
)
def test_no_place(hexes: Snapshot, lon: float, lat: float) -> None:
    with pytest.raises(InvalidCoordinate):
        hexes.point(lon, lat)
    assert hexes.batch(np.array([lon], float), np.array([lat], float)).status.tolist() == ["invalid"]


@pytest.mark.parametrize("cell", ["", "zzz", "89", "8a4189614d07fffff", "八"])
def test_no_cell(hexes: Snapshot, cell: str) -> None:
    with pytest.raises(InvalidInput):
        owner_of_cell(hexes, cell)


def test_an_unknown_block_is_outside(blocks: Snapshot) -> None:
    assert owner_of_cell(blocks, "009").status == "outside"


# --- what goes before the cell


ESTATE = shapely.box(112.93, 28.62, 112.96, 28.65)


@pytest.fixture(scope="module")
def overlaid(blocks: Snapshot) -> Snapshot:
    """The blocks with an estate across their border, and two customers owned by name."""
    overlays = (Overlay("E1", "Estate", "t2", ESTATE), Overlay("E2", "Nobody's", None, _moved(ESTATE, 0.05)))
    held = replace(blocks.holdings, overlays=overlays)
    named = (Named("big", "t2", "head office"), Named("late", "t2", "trial", SINCE))
    return replace(blocks, holdings=held, roster=replace(ROSTER, named=named))


def _moved(shape: shapely.Polygon, east: float) -> shapely.Polygon:
    return shapely.transform(shape, lambda xy: xy + np.array([east, 0.0]))


def test_a_carve_out_polygon_goes_before_the_cell(overlaid: Snapshot) -> None:
    for lon, lat, code, team in [
        (112.935, 28.63, "E1", "t2"),
        (112.93, 28.62, "E1", "t2"),  # its corner
        (112.929999, 28.63, "01", "t1"),
        (112.999, 28.63, "E2", "t0"),  # in no cell, and nobody's: the fallback's
    ]:
        answer = overlaid.point(lon, lat)
        assert ((answer.grid or {})["code"], (answer.team or {})["id"]) == (code, team)
        assert answer.rule == ("carve_out" if code[0] == "E" else "cell")
        many = overlaid.batch(np.array([lon]), np.array([lat]))
        assert (many.grid[0], many.team[0], many.rule[0]) == (code, team, answer.rule)
        assert many.cell[0] == answer.cell
    assert "carved out as Estate" in overlaid.point(112.935, 28.63).why


def test_a_customer_in_a_carve_out_belongs_to_it(overlaid: Snapshot) -> None:
    assert (overlaid.customer("c", 0, 112.935, 28.63).grid or {})["code"] == "E1"
    assert (overlaid.customer("c", -1, 112.999, 28.63).grid or {})["code"] == "E2"


def test_the_name_list_goes_before_all(overlaid: Snapshot) -> None:
    answer = overlaid.customer("big", 0, 112.935, 28.63)
    assert (answer.rule, (answer.team or {})["id"]) == ("name_list", "t2")
    assert (answer.cell, (answer.grid or {})["code"]) == ("007", "01")
    assert "named account" in answer.why
    assert "head office" not in answer.why
    nowhere = overlaid.customer("big", None, known=False)
    assert (nowhere.status, nowhere.rule, nowhere.cell) == ("owned", "name_list", None)
    assert overlaid.customer("late", 0).rule == "cell"  # ended


# --- other cells than the tiling's


def test_a_finer_cell_goes_by_its_centre(hexes: Snapshot) -> None:
    differs = 0
    for name in hexes.places.names(np.arange(len(hexes.places))):
        for child in h3.cell_to_children(name, 10):
            lat, lon = h3.cell_to_latlng(child)
            found, point = owner_of_cell(hexes, child), hexes.point(lon, lat)
            assert (found.status, found.cell, found.grid, found.via) == (
                point.status,
                point.cell,
                point.grid,
                "centre",
            )
            differs += found.cell != name
    assert differs  # children do not lie inside their parents


def test_a_coarser_cell_names_those_whose_centres_index_into_it(hexes: Snapshot) -> None:
    names = hexes.places.names(np.arange(len(hexes.places))).tolist()
    for resolution in (4, 6, 7):
        seen: list[str] = []
        for coarse in {h3.latlng_to_cell(*h3.cell_to_latlng(name), resolution) for name in names}:
            answer = owner_of_cell(hexes, coarse)
            assert (answer.via, answer.cell) == ("centre" if resolution > 8 else "cells", coarse)
            inner = [entry["cell"] for entry in answer.cells or ()]
            assert inner == sorted(
                n for n in names if h3.latlng_to_cell(*h3.cell_to_latlng(n), resolution) == coarse
            )
            codes = {entry["grid"]["code"] for entry in answer.cells or ()}
            assert (answer.grid or {}).get("code") == (codes.pop() if len(codes) == 1 else None)
            seen += inner
        assert sorted(seen) == names
    assert owner_of_cell(hexes, h3.latlng_to_cell(0.0, 0.0, 5)).status == "outside"


# --- outside


def test_the_nearest_grid_is_named(hexes: Snapshot, blocks: Snapshot) -> None:
    assert nearest_grid(blocks, 112.89, 28.65) == ("01", pytest.approx(976, rel=0.01))
    assert nearest_grid(blocks, 113.98, 28.65) == ("02", pytest.approx(97_600, rel=0.01))
    rng = np.random.default_rng(5)
    shapes = tile_cells(_ids(hexes)).geometry
    for lon, lat in zip(rng.uniform(112.5, 113.4, 60), rng.uniform(28.2, 29.0, 60), strict=True):
        if hexes.point(lon, lat).status != "outside":
            continue
        flat = shapely.transform(shapes, lambda xy, lat=lat: xy * [np.cos(np.radians(lat)), 1.0])
        away = shapely.distance(flat, shapely.Point(lon * np.cos(np.radians(lat)), lat)) * 111_195
        found = nearest_grid(hexes, lon, lat)
        assert found is not None
        assert found[1] == pytest.approx(away.min(), rel=0.02, abs=200)
        near = np.flatnonzero(away < found[1] + 1)
        assert found[0] in {GRIDS[hexes.holdings.labels[row]].code for row in near}
