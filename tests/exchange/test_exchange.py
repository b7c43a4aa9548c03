"""Layers out: outlines of grids, and GeoJSON as RFC 7946 wants it."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import pytest
import shapely
from shapely.geometry import shape

from gridsvc.exchange.dissolve import dissolve
from gridsvc.exchange.files import FORMATS, replace_whole, write_layer
from gridsvc.exchange.geojson import feature_collection, geojson_pieces, geometry_dict
from gridsvc.exchange.layer import flow_of
from gridsvc.exchange.layers import Layer, carve_outs_layer, cells_layer, grids_layer
from gridsvc.exchange.outgoing import Outgoing
from gridsvc.plans.carveouts import CarveOut, carve_outs_from_geojson
from gridsvc.plans.plan import Grid, Plan
from gridsvc.tiling.h3tiles import tile_h3
from gridsvc.tiling.polytiles import tile_polygons
from gridsvc.tiling.read import PolygonLayer
from gridsvc.tiling.tiling import Tiling

BOX = shapely.MultiPolygon([shapely.box(112.9, 28.6, 113.0, 28.7)])


def _document(layer: Layer, **options: Any) -> dict[str, Any]:
    return dict(json.loads(b"".join(feature_collection(layer.geometry, layer.rows(), **options))))


@pytest.fixture(scope="module")
def hexes() -> Tiling:
    return tile_h3(BOX, 9)


def _ring(tiling: Tiling) -> np.ndarray[Any, np.dtype[np.int32]]:
    """Three grids: a core, a ring round it (so that it has a hole), and the rest."""
    far = np.hypot(tiling.x, tiling.y)
    return np.select([far < 1500, far < 3500], [0, 1], 2).astype(np.int32)


def test_outlines_of_hexes_keep_area_and_holes(hexes: Tiling) -> None:
    labels = _ring(hexes)
    outlines = dissolve(hexes, labels, 3)
    assert all(shapely.is_valid(outlines))
    assert len(outlines[1].geoms[0].interiors) == 1
    for grid in range(3):
        cells = shapely.union_all(hexes.geometry[labels == grid])
        assert shapely.area(shapely.symmetric_difference(outlines[grid], cells)) < 1e-12


def test_neighbours_share_their_border_vertex_by_vertex(hexes: Tiling) -> None:
    outlines = dissolve(hexes, _ring(hexes), 3)
    assert shapely.area(shapely.intersection(outlines[0], outlines[1])) == 0
    hole = set(outlines[1].geoms[0].interiors[0].coords)
    assert hole == set(outlines[0].geoms[0].exterior.coords)


def test_outlines_of_polygons_also_where_they_do_not_match() -> None:
    matching = np.array([shapely.box(i, 0, i + 1, 1) for i in range(4)], object)
    sloppy = matching.copy()
    sloppy[1] = shapely.box(0.999, 0, 2, 1)  # overlaps its western neighbour
    for geometry in (matching, sloppy):
        tiling = tile_polygons(PolygonLayer(np.array(list("abcd"), object), geometry))
        west, east = dissolve(tiling, np.array([0, 0, 1, 1], np.int32), 2)
        assert west.area == pytest.approx(2)
        assert east.equals(shapely.box(2, 0, 4, 1))


def test_carve_outs_lie_over_the_grids_as_features_of_their_own(hexes: Tiling) -> None:
    polygon = shapely.box(112.95, 28.65, 112.96, 28.66)
    carved = CarveOut("K1", "Works", "t1", "key enterprise", polygon)
    plan = Plan(_ring(hexes), tuple(Grid(f"0{g}", f"Grid 0{g}") for g in range(3)), (carved,))
    layer = grids_layer(plan, hexes, {"customers": np.ones(len(hexes))}, {}, None)
    *grids, over = layer.rows()
    assert [row["carve_out"] for row in grids] == [False] * 3
    assert sum(row["cells"] for row in grids) == len(hexes)
    assert layer.geometry[3] == polygon
    expected = {"code": "K1", "name": "Works", "team": "t1", "carve_out": True, "cells": 0, "customers": None}
    assert over | expected == over
    assert over["area_km2"] == pytest.approx(1.085, abs=0.01)  # 977 m by 1,109 m
    again = carve_outs_from_geojson(_document(carve_outs_layer([carved])))
    assert again == (carved,)


def test_a_grid_without_cells_is_empty(hexes: Tiling) -> None:
    outlines = dissolve(hexes, np.zeros(len(hexes), np.int32), 2)
    assert outlines[1].is_empty


def test_geojson_is_oriented_and_says_its_system(hexes: Tiling) -> None:
    plan = Plan(_ring(hexes), tuple(Grid(f"0{i}", f"网格 0{i}", None) for i in range(3)))
    layer = grids_layer(plan, hexes, {"n": np.ones(len(hexes))}, {"00": {"n": 10.0}}, None)
    document = _document(layer, members={"gridsvc:manifest": {"publication": 1}})
    assert (document["type"], document["gridsvc:manifest"]) == ("FeatureCollection", {"publication": 1})
    assert "gridsvc:crs" not in document
    for feature in document["features"]:
        for part in shape(feature["geometry"]).geoms:
            assert part.exterior.is_ccw
            assert not any(hole.is_ccw for hole in part.interiors)
    first = document["features"][0]["properties"]
    assert first["name"] == "网格 00"
    assert first["n_deviation"] == pytest.approx(first["n"] / 10 - 1)
    assert document["features"][1]["properties"]["n_deviation"] is None
    assert sum(f["properties"]["n"] for f in document["features"]) == len(hexes)

    moved = _document(layer, crs="gcj02")
    assert moved["gridsvc:crs"] == "gcj02"
    here, there = (shape(d["features"][0]["geometry"]).centroid for d in (document, moved))
    assert 0.001 < here.distance(there) < 0.01


def test_an_empty_layer_is_still_a_collection() -> None:
    assert _document(Layer("x", np.zeros(0, object), {"a": []}))["features"] == []


def test_many_cells_come_in_pieces_but_whole(hexes: Tiling) -> None:
    plan = Plan(_ring(hexes), tuple(Grid(f"0{i}", "", f"t{i}") for i in range(3)))
    layer = cells_layer(plan, hexes, {"n": np.arange(len(hexes), dtype=float)})
    features = _document(layer)["features"]
    assert [f["properties"]["cell"] for f in features] == hexes.names()
    assert [f["properties"]["n"] for f in features] == list(range(len(hexes)))


def test_numbers_that_json_lacks_become_null() -> None:
    layer = Layer("x", np.array([shapely.Point(0, 0)], object), {"a": [float("nan")]})
    assert _document(layer)["features"][0]["properties"] == {"a": None}


def test_geometry_alone() -> None:
    found = geometry_dict(shapely.box(0, 0, 1, 1))
    assert (found["type"], len(found["coordinates"][0])) == ("Polygon", 5)


@pytest.mark.parametrize("fmt", sorted(FORMATS))
def test_a_failed_write_leaves_the_old_file(tmp_path: Path, fmt: str) -> None:
    path = tmp_path / f"out.{fmt}"
    path.write_text("old")
    broken = Layer("x", np.array(["no geometry"], object), {"a": [1]})
    with pytest.raises(TypeError):
        write_layer(path, broken, fmt)
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


def test_texts_are_texts_whatever_stands_among_them(tmp_path: Path) -> None:
    mixed = Layer("x", shapely.points([[0, 0], [1, 1], [2, 2]]), {"code": ["007", 7, None]})
    write_layer(tmp_path / "out.parquet", mixed, "parquet")
    assert pq.read_table(tmp_path / "out.parquet").column("code").to_pylist() == ["007", "7", None]


def test_a_stopped_write_leaves_nothing(tmp_path: Path) -> None:
    def stopped(draft: Path) -> None:
        draft.write_text("half")
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        replace_whole(tmp_path / "out.txt", stopped)
    assert list(tmp_path.iterdir()) == []


def test_rings_are_turned_the_right_way_whichever_way_they_came() -> None:
    square, hole = shapely.box(0, 0, 4, 4, ccw=False).exterior, shapely.box(1, 1, 2, 2, ccw=True).exterior
    found = shape(geometry_dict(shapely.Polygon(square, [hole])))
    assert found.exterior.is_ccw
    assert not found.interiors[0].is_ccw


def test_parts_which_hold_nothing_leave_no_trace() -> None:
    """Customers may all be gone again from a part of a layer by the time it is written."""
    flow = flow_of(Layer("x", shapely.points(np.zeros((2, 2))), {"name": ["a", "b"]}))
    ((shapes, columns),) = flow.parts
    whole, nothing = (shapes, columns), (shapes[:0], [column[:0] for column in columns])
    parts = iter([nothing, whole, nothing, whole, nothing])
    told = json.loads(b"".join(geojson_pieces(Outgoing(replace(flow, parts=parts)))))
    assert [feature["properties"]["name"] for feature in told["features"]] == ["a", "b", "a", "b"]
