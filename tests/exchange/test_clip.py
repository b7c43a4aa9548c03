"""Cut off at the border: together the territory, no overlap, and the same vertices on both sides."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.spatial import cKDTree

from gridsvc.exchange.clip import clipped
from gridsvc.exchange.dissolve import joined
from gridsvc.tiling.check import union
from gridsvc.tiling.h3tiles import tile_h3
from gridsvc.tiling.read import read_polygons

EXAMPLES = int(os.environ.get("GRIDSVC_PROOF_CLIPS", "25"))
FILES = {"london": "london_msoa_electricity_2019", "beijing": "beijing_core6_simplified"}


def patches(geometry: np.ndarray, k: int) -> np.ndarray:
    """Each cell to the nearest of k of them."""
    xy = shapely.get_coordinates(shapely.centroid(geometry))
    chosen = np.random.default_rng(3).choice(len(xy), k, replace=False)
    return cKDTree(xy[chosen]).query(xy)[1].astype(np.int32)


def apart(grids: np.ndarray, territory: shapely.Geometry) -> float:
    """Square metres by which grids together differ from a territory, in the territory's own system."""
    degree = 111_320.0
    difference = shapely.symmetric_difference(shapely.union_all(grids), territory)
    return float(difference.area * degree**2 * np.cos(np.radians(territory.centroid.y)))


@pytest.mark.parametrize("place", FILES)
@pytest.mark.parametrize("kind", ["h3", "polygons"])
def test_grids_together_are_the_territory(shared_data: Path, place: str, kind: str) -> None:
    areas = read_polygons(shared_data / f"{FILES[place]}.geojson", "code", None).geometry
    territory = union(areas)
    cells = tile_h3(territory, 9 if place == "london" else 8).geometry if kind == "h3" else areas
    cut = clipped(cells, territory, overlaps="none" if kind == "h3" else "lowest")
    grids = joined(cut, patches(cells, 40), 40)
    assert apart(grids, territory) <= 1.0
    assert shapely.is_valid(grids).all()
    assert shapely.coverage_is_valid(grids)  # no overlap, and shared borders have the same vertices
    assert shapely.coverage_is_valid(cut[~shapely.is_empty(cut)])


@settings(max_examples=EXAMPLES, deadline=None)
@given(
    st.lists(st.integers(0, 2), min_size=25, max_size=25),
    st.lists(st.tuples(st.floats(0.05, 0.45), st.floats(0, 2 * np.pi)), min_size=5, max_size=9),
)
def test_any_outline_cuts_any_grids_alike(labels: list[int], rays: list[tuple[float, float]]) -> None:
    cells = np.array(
        [shapely.box(i % 5 / 5, i // 5 / 5, (i % 5 + 1) / 5, (i // 5 + 1) / 5) for i in range(25)]
    )
    angles = np.sort([angle for _, angle in rays])
    reach = np.array([radius for radius, _ in rays])
    ring = 0.5 + np.column_stack([reach * np.cos(angles), reach * np.sin(angles)])
    territory = shapely.MultiPolygon(
        [
            part
            for part in shapely.get_parts(shapely.make_valid(shapely.Polygon(ring)))
            if part.geom_type == "Polygon"
        ]
    )
    cut = clipped(cells, territory, overlaps="none")
    grids = joined(cut, np.array(labels, np.int32), 3)
    assert shapely.symmetric_difference(shapely.union_all(grids), territory).area <= 1e-12
    assert shapely.coverage_is_valid(grids)
    alone = [shapely.intersection(cell, territory).area for cell in cells]
    assert shapely.area(cut) == pytest.approx(alone, abs=1e-12)


def test_what_two_cells_hold_goes_to_the_lower() -> None:
    cells = np.array([shapely.box(0, 0, 2, 1), shapely.box(1, 0, 3, 1)], object)
    territory = shapely.MultiPolygon([shapely.box(0, 0, 2.5, 1)])
    assert shapely.area(clipped(cells, territory, overlaps="lowest")).tolist() == [2.0, 0.5]


def test_a_cell_outside_is_empty_and_adds_nothing() -> None:
    cells = np.array([shapely.box(0, 0, 1, 1), shapely.box(1, 0, 2, 1)], object)
    cut = clipped(cells, shapely.MultiPolygon([shapely.box(0.2, 0.2, 0.8, 0.8)]), overlaps="none")
    assert shapely.area(cut) == pytest.approx([0.36, 0.0])
    assert joined(cut, np.array([0, 1], np.int32), 2)[1].is_empty


@pytest.mark.parametrize("turn", [0.0, 0.7])
def test_neighbours_have_the_same_vertices_where_three_meet(turn: float) -> None:
    """A long edge of one cell has the corner which its two neighbours share there."""
    wall = np.array(
        [
            shapely.Polygon([(0, 0), (1, 0), (2, 0), (2, 1), (1, 1), (0, 1)]),
            shapely.box(0, 1, 1, 2),
            shapely.box(1, 1, 2, 2),
        ],
        object,
    )
    rotation = np.array([[np.cos(turn), np.sin(turn)], [-np.sin(turn), np.cos(turn)]])
    cells = shapely.transform(wall, lambda xy: xy @ rotation)
    grids = joined(cells, np.array([0, 1, 2], np.int32), 3)
    corner = tuple(cells[1].intersection(cells[2]).coords[0])
    shared = [{tuple(xy) for xy in shapely.get_coordinates(grid).tolist()} for grid in grids]
    points = [points for points in shared if tuple(shapely.get_coordinates(cells[0])[4].tolist()) in points]
    assert len(points) == 3, corner
    assert shapely.coverage_is_valid(grids)
