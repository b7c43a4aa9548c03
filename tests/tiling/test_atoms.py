"""Unsplittable polygons become cells of their own, and what they leave of other cells stays one cell each."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import h3
import numpy as np
import pytest
import shapely

from gridsvc.crs import LocalPlane
from gridsvc.errors import InvalidGeometry, InvalidInput
from gridsvc.ownership.cells import owner_of_cell, rows_in
from gridsvc.ownership.holdings import Holdings
from gridsvc.ownership.nearest import nearest_grid
from gridsvc.ownership.publication import Publication
from gridsvc.ownership.snapshot import Moment, Snapshot
from gridsvc.tiling.atoms import with_atoms
from gridsvc.tiling.coverage import coverage_report
from gridsvc.tiling.h3tiles import tile_cells
from gridsvc.tiling.locate import Locator
from gridsvc.tiling.places import Places
from gridsvc.tiling.plane import flatten
from gridsvc.tiling.polytiles import tile_polygons
from gridsvc.tiling.read import PolygonLayer
from gridsvc.tiling.tiling import Tiling
from tests.ownership import oracle
from tests.ownership.worlds import ROSTER, World, disk, worlds

LON, LAT = 116.4, 39.9


def layer(*shapes, ids=None) -> PolygonLayer:
    names = [f"E{i}" for i in range(len(shapes))] if ids is None else ids
    return PolygonLayer(np.array(names, object), np.array(shapes, object), source="estates")


def box(x, y, w, h) -> shapely.Polygon:
    return shapely.box(LON + x, LAT + y, LON + x + w, LAT + y + h)


@pytest.fixture(scope="module")
def hexes():
    return tile_cells(disk(LON, LAT, 9, 8))


def test_all_ground_is_kept_and_each_piece_has_one_cell(hexes):
    made, report = with_atoms(hexes, layer(box(0, 0, 0.004, 0.003), box(0.004, 0.001, 0.003, 0.004)))
    assert made.kind == "mixed"
    assert made.resolution == 9
    assert made.area.sum() == pytest.approx(hexes.area.sum(), abs=0.01)
    assert shapely.coverage_is_valid(made.geometry)
    assert report["atoms"] == 2 == made.atoms.sum()
    assert report["cut"] > 4
    assert list(made.ids) == sorted(made.ids)
    assert set(made.names()) - set(hexes.names()) == {"E0", "E1"}


def test_a_polygon_stays_as_it_was_drawn(hexes):
    drawn = box(0.001, 0.001, 0.005, 0.004)
    made, _ = with_atoms(hexes, layer(drawn))
    cell = made.geometry[made.names().index("E0")]
    assert shapely.symmetric_difference(cell, drawn).area < 1e-15


def test_hexagons_taken_whole_are_dropped_and_a_sliver_goes_to_the_polygon_beside_it(hexes):
    target = hexes.geometry[len(hexes) // 2]
    inner = target.buffer(-2e-7)
    made, report = with_atoms(hexes, layer(hexes.geometry[3].centroid.buffer(1e-4), inner))
    name = hexes.names()[len(hexes) // 2]
    assert name not in made.names()
    taken = made.geometry[made.names().index("E1")]
    assert shapely.symmetric_difference(taken, target).area < 1e-12
    assert report["dropped"] == {"count": 1, "ids": [name], "slivers": 1}
    assert report["slivers_m2"] == pytest.approx(
        hexes.area[len(hexes) // 2] - made_area(made, inner), abs=0.2
    )
    assert made.area.sum() == pytest.approx(hexes.area.sum(), abs=0.01)


def made_area(made, shape) -> float:
    return float(shapely.area(flatten(LocalPlane(*made.origin), np.array([shape]))[0]))


def test_neighbours_are_those_which_share_a_border(hexes):
    made, _ = with_atoms(hexes, layer(box(0, 0, 0.006, 0.004), box(0.006, 0.0, 0.002, 0.004)))
    flat = LocalPlane(*made.origin).geometry(made.geometry)
    a, b, length = made.adjacency.pairs()
    left, right = shapely.STRtree(flat).query(flat, predicate="intersects")
    border = shapely.length(shapely.intersection(shapely.boundary(flat[left]), shapely.boundary(flat[right])))
    long = (left < right) & (border > 1e-3)
    due = dict(zip(zip(left[long].tolist(), right[long].tolist(), strict=True), border[long], strict=True))
    found = dict(zip(zip(a.tolist(), b.tolist(), strict=True), length, strict=True))
    assert found.keys() == due.keys()
    assert all(found[pair] == pytest.approx(due[pair], abs=0.01) for pair in due)
    atoms = np.flatnonzero(made.atoms).tolist()
    assert tuple(atoms) in found


def test_points_of_cells_lie_in_them(hexes):
    made, _ = with_atoms(hexes, layer(box(0, 0, 0.006, 0.004)))
    lon, lat = LocalPlane(*made.origin).unproject(made.x, made.y)
    assert shapely.intersects_xy(made.geometry, lon, lat).all()


def test_a_polygon_tiling_keeps_its_columns():
    shapes = np.array([shapely.box(i, 0, i + 1, 1) for i in range(3)], object)
    columns = {"code": np.array(["a", "b", "c"], object), "people": np.array([1.0, 2.0, 3.0])}
    base = tile_polygons(PolygonLayer(np.array(["1", "2", "3"], object), shapes, columns))
    campus = PolygonLayer(
        np.array(["2c"], object), np.array([shapely.box(0.5, 0.2, 1.5, 0.8)]), {"people": np.array([7.0])}
    )
    made, _ = with_atoms(base, campus)
    assert made.kind == "polygons"
    assert list(made.ids) == ["1", "2", "2c", "3"]
    assert made.columns["people"].tolist() == [1.0, 2.0, 7.0, 3.0]
    assert list(made.columns["code"]) == ["a", "b", "", "c"]
    boundary = shapely.MultiPolygon([shapely.box(0, 0, 3, 1)])
    report = coverage_report(made, boundary, np.array([1.0]), np.array([0.5]))
    assert report["gap"]["km2"] <= 1e-6
    assert report["overlap"]["pairs"] == 0


def test_polygons_elsewhere_are_left_out_and_told(hexes):
    made, report = with_atoms(hexes, layer(box(0, 0, 0.002, 0.002), shapely.box(0, 0, 1, 1)))
    assert report["left_out"] == {"count": 1, "ids": ["E1"]}
    assert made.atoms.sum() == 1


def test_an_id_must_not_be_a_cells(hexes):
    for taken in (hexes.names()[3], "8928308280fffff"):
        with pytest.raises(InvalidInput, match=taken) as refused:
            with_atoms(hexes, layer(box(0, 0, 0.1, 0.1), ids=[taken]))
        assert refused.value.row == 1


def test_polygons_which_share_ground_are_refused(hexes):
    with pytest.raises(InvalidGeometry, match=r"'E1' and 'E0' \(row 1\) share") as refused:
        with_atoms(hexes, layer(box(0, 0, 0.004, 0.004), box(0.003, 0.003, 0.004, 0.004)))
    assert refused.value.row == 2


# --- lookups by point


@pytest.mark.parametrize("name", ["hexes-with-estates", "areas-with-estates"])
def test_points_are_found_as_by_shapely_and_h3(name: str):
    found = next(world for world in worlds() if world.name == name)
    made = found.tiling
    lon, lat = oracle.points(found, 2_000)
    due = oracle.expected(found, lon, lat).cell.tolist()
    places = Places.of(made.kind, made.resolution, made.ids, made.geometry, found.boundary, made.atoms)
    again = Places.of_arrays(places.meta(), places.arrays())
    for ways in (places, again, Locator(made)):
        rows = ways.rows(lon, lat)
        assert places.names(rows).tolist() == due
        assert [ways.row(x, y) for x, y in zip(lon.tolist(), lat.tolist(), strict=True)] == rows.tolist()


def test_no_point_falls_between_an_estate_and_h3s_curved_edges():
    base = tile_cells(disk(LON, LAT, 4, 3))
    inner = set(h3.grid_disk(h3.latlng_to_cell(LAT, LON, 4), 1))
    names = np.array(base.names())
    estate = shapely.union_all(base.geometry[np.isin(names, list(inner))])
    made, _ = with_atoms(base, layer(estate))
    assert not inner & set(made.names())
    edge = shapely.segmentize(estate.exterior, 0.01)
    lon, lat = (shapely.get_coordinates(edge) + np.random.default_rng(1).normal(0, 3e-4, (1, 2))).T
    cells = [h3.latlng_to_cell(y, x, 4) for x, y in zip(lon, lat, strict=True)]
    beside = np.array([c in inner for c in cells]) & ~shapely.intersects_xy(estate, lon, lat)
    assert beside.any()
    rows = Locator(made).rows(lon, lat)[beside]
    assert set(rows.tolist()) == {made.names().index("E0")}


# --- lookups by cell


@pytest.fixture(scope="module")
def world() -> World:
    return next(world for world in worlds() if world.name == "hexes-with-estates")


def opened(made: Tiling, publication: Publication, boundary: shapely.MultiPolygon) -> Snapshot:
    places = Places.of(made.kind, made.resolution, made.ids, made.geometry, boundary, made.atoms)
    moment = Moment(1, 1, 1, datetime(2026, 1, 1, tzinfo=UTC))
    return Snapshot(Holdings.of(publication), places, "til", ROSTER, moment)


@pytest.fixture(scope="module")
def snapshot(world: World) -> Snapshot:
    return opened(world.tiling, world.publication, world.boundary)


def test_cells_are_found_by_their_ids(world: World, snapshot: Snapshot):
    for row, name in enumerate(world.tiling.names()):
        assert snapshot.places.find(name) == row
        assert snapshot.places.name(row) == name
        assert rows_in(snapshot, name) == [row]
        assert (
            owner_of_cell(snapshot, name.upper() if name[0] == "8" and len(name) == 15 else name).cell == name
        )


def test_a_hexagon_taken_whole_is_answered_by_its_centre(world: World, snapshot: Snapshot):
    assert world.taken
    for cell, estate in world.taken.items():
        lat, lon = h3.cell_to_latlng(cell)
        answer = owner_of_cell(snapshot, cell)
        assert (answer.via, answer.cell) == ("centre", snapshot.found_at(lon, lat, "en").cell)
        assert answer.cell == estate


def test_finer_cells_are_answered_by_their_centre_and_coarser_ones_by_those_in_them(
    world: World, snapshot: Snapshot
):
    for name in list(world.taken)[:3] + world.tiling.names()[:40:5]:
        for child in sorted(h3.cell_to_children(name, 11))[::9]:
            lat, lon = h3.cell_to_latlng(child)
            assert owner_of_cell(snapshot, child).cell == snapshot.found_at(lon, lat, "en").cell
    parent = h3.latlng_to_cell(LAT, LON, 7)
    made = world.tiling
    due = set()
    for name, atom, shape in zip(made.names(), made.atoms, made.geometry, strict=True):
        lat, lon = shape.point_on_surface().coords[0][::-1] if atom else h3.cell_to_latlng(name)
        if h3.latlng_to_cell(lat, lon, 7) == parent:
            due.add(name)
    assert {cell["cell"] for cell in owner_of_cell(snapshot, parent).cells} == due
    assert any(name in due for name in np.array(made.names())[made.atoms])


def test_what_is_no_cell_belongs_to_nobody(snapshot: Snapshot):
    assert owner_of_cell(snapshot, "no such").status == "outside"
    assert owner_of_cell(snapshot, h3.latlng_to_cell(0, 0, 9)).status == "outside"
    assert rows_in(snapshot, "no such") == []


def test_the_nearest_grid_may_be_a_polygons(hexes, world: World):
    made, _ = with_atoms(hexes, layer(box(-0.06, 0, 0.06, 0.004)))
    labels = np.where(made.atoms, 3, 1).astype(np.int32)
    publication = replace(world.publication, ids=made.ids, labels=labels, overlays=())
    territory = shapely.MultiPolygon([shapely.Point(LON, LAT).buffer(0.02)])
    code, metres = nearest_grid(opened(made, publication, territory), LON - 0.07, LAT + 0.002)
    assert code == publication.grids[3].code
    assert metres == pytest.approx(0.01 * np.cos(np.radians(LAT)) * 111_195, rel=0.01)
