"""Dirty polygons: every fault is told with its feature, and repaired only when asked."""

from __future__ import annotations

import time
from pathlib import Path

import numpy as np
import pytest
import shapely

from gridsvc.errors import InvalidGeometry, InvalidInput, UnknownColumn
from gridsvc.tiling import mending
from gridsvc.tiling.check import union
from gridsvc.tiling.coverage import coverage_report
from gridsvc.tiling.faults import inspect
from gridsvc.tiling.load import Rows
from gridsvc.tiling.mending import Repair, faulty_layer, repaired
from gridsvc.tiling.polytiles import tile_polygons

X, Y = 116.0, 40.0
BOWTIE = shapely.Polygon([(X, Y), (X + 0.01, Y + 0.01), (X + 0.01, Y), (X, Y + 0.01)])


def box(x, y, w=1.0, h=1.0):
    """In hundredths of a degree."""
    return shapely.box(X + x / 100, Y + y / 100, X + (x + w) / 100, Y + (y + h) / 100)


def layer(*shapes, ids=None) -> Rows:
    names = [f"p{i}" for i in range(len(shapes))] if ids is None else list(ids)
    return Rows(np.array(shapes, object), {"code": names, "n": [1] * len(shapes)}, None, "layer")


def found(*shapes, ids=None):
    return inspect(layer(*shapes, ids=ids), "code", None)


def kinds(*shapes, ids=None):
    return {(fault.row, fault.kind) for fault in found(*shapes, ids=ids).faults}


def test_a_clean_layer_has_no_faults():
    assert found(box(0, 0), box(1, 0), box(0, 1), box(1, 1)).report() == {
        "features": 4,
        "counts": {},
        "total": 0,
        "faults": [],
    }


@pytest.mark.parametrize(
    ("shape", "kind"),
    [
        (None, "empty"),
        (shapely.Polygon(), "empty"),
        (shapely.Point(X, Y), "not_polygon"),
        (BOWTIE, "invalid"),
        (shapely.Polygon([(X, Y), (X + 0.01, Y), (X, Y)]), "invalid"),
        (shapely.transform(box(0, 0), lambda xy: xy * (1, 5)), "coordinates"),
        (shapely.MultiPolygon([box(0, 0), box(2, 2)]), "multipart"),
        (shapely.force_3d(box(0, 0), 5.0), "3d"),
        (shapely.segmentize(box(0, 0), 4.0 / 100 / 250_000), "huge"),
    ],
)
def test_faults_of_one_feature(shape, kind):
    assert kinds(box(5, 5), shape) == {(2, kind)}


def test_faults_of_ids_and_all_faults_at_once():
    shapes = box(0, 0), box(1, 0), BOWTIE, None
    assert kinds(*shapes, ids=["a", "a", None, " "]) >= {
        (2, "duplicate_id"),
        (3, "missing_id"),
        (3, "invalid"),
        (4, "missing_id"),
        (4, "empty"),
    }


def test_overlaps_and_gaps_have_their_size_their_neighbour_and_their_place():
    ring = box(0, 0, 3, 3).difference(box(1, 1))
    report = found(ring, box(2.5, 0, 1, 1)).report()
    overlap, gap = report["faults"]
    assert (overlap["row"], overlap["kind"], overlap["neighbour"]) == (2, "overlap", "p0")
    square = 1_110_000 * 854_000 / 1e6  # square metres in a hundredth of a degree squared, about
    assert overlap["area_m2"] == pytest.approx(square / 2, rel=0.01)
    assert gap["kind"] == "gap"
    assert gap["area_m2"] == pytest.approx(square, rel=0.01)
    assert gap["neighbour"] == "p0"
    lon, lat = gap["place"]
    assert shapely.intersects_xy(box(1, 1), lon, lat)


def test_slivers_and_copies_are_called_so():
    assert kinds(box(0, 0), box(0.999, 0)) == {(2, "sliver")}
    assert kinds(box(0, 0), box(0, 0)) == {(2, "duplicate_geometry")}


def test_faults_as_geojson_show_the_ground_of_each():
    drawn = found(box(0, 0), box(0.5, 0), BOWTIE).geojson()
    shapes = [shapely.geometry.shape(feature["geometry"]) for feature in drawn["features"]]
    assert {feature["properties"]["kind"] for feature in drawn["features"]} == {"overlap", "invalid"}
    assert any(shapely.symmetric_difference(shape, box(0.5, 0, 0.5, 1)).area < 1e-8 for shape in shapes)


def test_there_must_be_a_column_of_ids():
    with pytest.raises(UnknownColumn):
        inspect(layer(box(0, 0)), "nope", None)


def test_the_error_of_a_layer_names_its_first_fault():
    error = faulty_layer(found(box(0, 0), BOWTIE, None))
    assert isinstance(error, InvalidGeometry)
    assert (error.row, error.field) == (2, "geometry")
    assert "and 1 more" in str(error)
    assert isinstance(faulty_layer(found(box(0, 0), box(1, 0), ids=["a", "a"])), InvalidInput)


# --- repair


def mend(*shapes, ids=None, **how):
    rows = layer(*shapes, ids=ids)
    return repaired(rows, inspect(rows, "code", None), "code", Repair(**how))


def test_overlaps_go_to_whom_the_policy_says_and_the_difference_is_told():
    shapes = box(0, 0), box(0.8, 0, 3, 1)
    for policy, winner in (("lowest_id", 1), ("largest", 1), ("lowest_id", 0)):
        ids = ["b", "a"] if winner else ["a", "b"]
        fixed, report = mend(*shapes, ids=ids, overlaps=policy)
        won = fixed.geometry[winner]
        assert shapely.equals_exact(won.normalize(), shapes[winner].normalize(), 1e-9) or won.equals(
            shapes[winner]
        )
        assert shapely.coverage_is_valid(fixed.geometry)
        (row,) = report["changed"]
        assert (row["id"], report["policy"]) == (ids[1 - winner], policy)
        assert row["before_m2"] - row["lost_m2"] + row["gained_m2"] == pytest.approx(row["after_m2"], abs=0.3)
        assert row["lost_m2"] > 100_000


def test_narrow_gaps_go_to_the_longest_border_and_wide_ones_stay():
    ring = box(0, 0, 3, 3).difference(box(1, 1, 1, 0.005))
    fixed, report = mend(ring, box(3, 0))
    assert shapely.get_num_interior_rings(fixed.geometry[0]) == 0
    assert report["changed"][0]["gained_m2"] > 1000
    wide = box(0, 0, 3, 3).difference(box(1, 1))
    assert shapely.get_num_interior_rings(mend(wide, box(3, 0))[0].geometry[0]) == 1


def test_crossings_are_undone_and_told():
    fixed, report = mend(BOWTIE, box(2, 2))
    assert report["made_valid"] == 1
    assert report["changed"][0]["before_m2"] is None
    assert shapely.is_valid(fixed.geometry).all()
    assert fixed.columns["n"].tolist() == [1.0, 1.0]


def test_repair_stops_at_its_limit_of_time(monkeypatch):
    monkeypatch.setattr(mending, "_SECONDS", 0.05)
    tangle = np.random.default_rng(1).uniform((X, Y), (X + 0.1, Y + 0.1), (1000, 2))
    with pytest.raises(InvalidGeometry, match="cannot be repaired within") as refused:
        mend(box(20, 2), shapely.Polygon(tangle))
    assert refused.value.row == 2


def test_what_only_people_can_decide_is_refused():
    with pytest.raises(InvalidInput, match="row 1 already"):
        mend(box(0, 0), box(1, 0), ids=["a", "a"])
    with pytest.raises(InvalidGeometry, match="all ground of 'p1'"):
        mend(box(0, 0), box(0, 0))
    with pytest.raises(InvalidGeometry, match="missing or empty"):
        mend(box(0, 0), None)


BEIJING = Path(__file__).parents[3] / "shared/data/beijing_core6_simplified.geojson"


@pytest.mark.skipif(not BEIJING.exists(), reason="the layer of sub-districts is not here")
def test_beijings_sub_districts_are_told_and_repaired():
    from gridsvc.tiling.load import rows_from_file

    rows = rows_from_file(BEIJING)
    seen = inspect(rows, "code", None)
    assert seen.report()["counts"]["sliver"] > 50
    assert not seen.fatal
    fixed, report = repaired(rows, seen, "code", Repair())
    assert shapely.coverage_is_valid(fixed.geometry)
    assert 0 < len(report["changed"]) < 139
    tiling = tile_polygons(fixed)
    alone = np.flatnonzero(np.diff(tiling.adjacency.indptr) == 0)
    assert tiling.columns["name"][alone].tolist() == ["首都机场街道"]  # an enclave in another district
    whole = coverage_report(tiling, union(fixed.geometry))
    assert whole["components"]["sizes"] == [138, 1]
    assert whole["overlap"]["pairs"] == 0


def test_a_heap_of_features_is_refused_at_once() -> None:
    heap = np.array([shapely.box(116, 39, 116.1 + i / 1e4, 39.1) for i in range(200)], object)
    rows = Rows(heap, {"code": [f"{i}" for i in range(len(heap))]}, None, "heap")
    began = time.process_time()
    with pytest.raises(InvalidGeometry, match=r"row 1, geometry: lies on 199 other features"):
        inspect(rows, "code", None)
    assert time.process_time() - began < 2.0
