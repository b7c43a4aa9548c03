"""Existing grids on cells: judged against brute force with shapely on small random drawings."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import geopandas
import numpy as np
import openpyxl
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from gridsvc.errors import InvalidGeometry, InvalidInput, UnknownColumn, UnreadableFile
from gridsvc.plans.adopt import adopt_drawn, adopt_listed
from gridsvc.plans.claims import AREA, CUSTOMERS, NEIGHBOUR, NOBODY, Claims, allot, fill
from gridsvc.plans.drawn import Drawn, DrawnGrid, Fields, Listed, read_drawn
from gridsvc.plans.findings import findings
from gridsvc.plans.roll import Roll
from gridsvc.plans.survey import People, Sketch, survey
from gridsvc.tiling.tiling import Adjacency, Tiling

SIDE = 6  # cells a side, of 10 by 10 metres
GROUND = shapely.box(0, 0, 10 * SIDE, 10 * SIDE)


def board(side: int = SIDE) -> Tiling:
    """Square cells, row by row from the south-west: a chessboard."""
    n = side * side
    col, row = np.arange(n) % side, np.arange(n) // side
    cells = shapely.box(10.0 * col, 10.0 * row, 10.0 * col + 10, 10.0 * row + 10)
    right, up = np.flatnonzero(col < side - 1), np.flatnonzero(row < side - 1)
    a, b = np.concatenate([right, up]), np.concatenate([right + 1, up + side])
    return Tiling(
        kind="polygons",
        resolution=None,
        ids=np.array([f"c{i:02d}" for i in range(n)], object),
        geometry=cells,
        x=10.0 * col + 5,
        y=10.0 * row + 5,
        area=np.full(n, 100.0),
        perimeter=np.full(n, 40.0),
        adjacency=Adjacency.from_pairs(n, a, b, np.full(len(a), 10.0)),
        origin=(10.0, 10.0),
    )


BOARD = board()


def drawn(shapes: Any) -> Drawn:
    grids = tuple(DrawnGrid(f"G{i}", f"grid {i}", "") for i in range(len(shapes)))
    return Drawn(grids, np.array(shapes, object), len(shapes), Fields("code"), "drawn", "wgs84")


@st.composite
def drawings(draw: st.DrawFn) -> tuple[list[Any], np.ndarray]:
    """One to four boxes, triangles or pairs of boxes, and customers off the lattice."""
    step = st.integers(0, 4 * SIDE - 1).map(lambda v: v * 2.5 + 0.5)  # gaps are 0.5 metres wide or more
    shapes = []
    for _ in range(draw(st.integers(1, 4))):
        x, y, w, h = draw(step), draw(step), draw(st.integers(3, 40)), draw(st.integers(3, 40))
        box = shapely.box(x, y, x + w, y + h)
        kind = draw(st.sampled_from(["box", "triangle", "two"]))
        if kind == "triangle":
            box = shapely.Polygon([(x, y), (x + w, y), (x, y + h)])
        if kind == "two":
            box = shapely.union(box, shapely.box(x + w + 3, y, x + w + 9, y + 5))
        shapes.append(box)
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    return shapes, rng.uniform(0, 10 * SIDE, (draw(st.integers(0, 40)), 2))


def people_at(points: np.ndarray) -> People:
    cell = (points[:, 1] // 10).astype(np.int64) * SIDE + (points[:, 0] // 10).astype(np.int64)
    return People(points[:, 0], points[:, 1], cell)


@settings(max_examples=150, deadline=None)
@given(drawings())
def test_gaps_overlaps_and_parts_are_those_which_overlay_finds(drawing) -> None:
    shapes, points = drawing
    found = survey(Sketch(np.array(shapes, object), BOARD.geometry, GROUND), people_at(points))
    bare = GROUND.difference(shapely.union_all(shapes))
    twice = shapely.union_all([a & b for i, a in enumerate(shapes) for b in shapes[:i]])
    inside = np.array([[shape.contains(shapely.Point(p)) for shape in shapes] for p in points])
    inside = inside.reshape(len(points), len(shapes))
    assert sum(s.area for s in found.gaps) == pytest.approx(bare.area, abs=2)
    assert sum(s.area for s in found.overlaps) == pytest.approx(twice.area, abs=2)
    assert found.gap_customers == int((inside.sum(axis=1) == 0).sum())
    assert found.overlap_customers == int((inside.sum(axis=1) > 1).sum())
    assert sum(s.customers for s in found.gaps) == found.gap_customers
    assert sum(s.customers for s in found.overlaps) == found.overlap_customers
    assert len(found.apart) == sum(shapely.get_num_geometries(shape) - 1 for shape in shapes)
    for spot in found.gaps:
        assert spot.outline.contains(shapely.Point(spot.point))
        assert spot.bounds == pytest.approx(spot.outline.bounds, abs=0.3)
    for spot in found.overlaps:
        holders = [i for i, s in enumerate(shapes) if s.intersection(spot.outline).area > 0.01 * spot.area]
        assert set(holders) <= set(spot.grids)
        assert len(spot.grids) >= 2


@settings(max_examples=150, deadline=None)
@given(drawings())
def test_each_cell_goes_to_the_grid_with_most_of_its_customers_then_area(drawing) -> None:
    shapes, points = drawing
    claims = survey(Sketch(np.array(shapes, object), BOARD.geometry, GROUND), people_at(points)).claims
    result = allot(claims)
    for row, cell in enumerate(BOARD.geometry):
        live = [shapely.Point(p) for p in points if cell.contains(shapely.Point(p))]
        heads = [sum(shape.contains(p) for p in live) for shape in shapes]
        area = [shape.intersection(cell).area for shape in shapes]
        if max(heads) == 0 and max(area) <= 1:
            assert (result.labels[row], result.by[row]) == (-1, NOBODY)
            continue
        if sorted(area)[-2:] != sorted(set(area))[-2:] and not max(heads):
            continue  # which of two equal areas is larger, rounding says
        best = max(range(len(shapes)), key=lambda g: (heads[g], round(area[g], 6), -g))
        assert result.labels[row] == best
        lost = sum(not any(shape.contains(p) for shape in shapes) for p in live)
        open_area = cell.difference(shapely.union_all(shapes)).area
        assert result.by[row] == (CUSTOMERS if max(heads) else AREA)
        if live:
            assert result.share[row] == pytest.approx(heads[best] / (sum(heads) + lost))
        else:
            assert result.share[row] == pytest.approx(area[best] / (sum(area) + open_area), abs=0.05)


@settings(max_examples=60, deadline=None)
@given(drawings())
def test_filling_leaves_no_cell_out_and_changes_no_other(drawing) -> None:
    shapes, points = drawing
    kept = allot(survey(Sketch(np.array(shapes, object), BOARD.geometry, GROUND), people_at(points)).claims)
    filled = fill(kept, BOARD)
    there = kept.labels >= 0
    assert (filled.labels[there] == kept.labels[there]).all()
    if there.any():
        assert (filled.labels >= 0).all()
        assert (filled.by[~there] == NEIGHBOUR).all()


def test_a_gap_goes_to_the_neighbour_with_the_longest_border() -> None:
    tiling = board(3)
    #  1 1 1
    #  0 . 1      the middle has one border with 0 below, one with 0 left, and two with 1
    #  0 0 0  ->  tie: the first grid
    labels = np.array([0, 0, 0, 0, -1, 1, 1, 1, 1], np.int32)
    found = allot(claims_of(labels))
    assert fill(found, tiling).labels[4] == 0
    longer = tiling.adjacency.length.copy()
    tail = np.repeat(np.arange(9), np.diff(tiling.adjacency.indptr))
    longer[(tail == 4) & (tiling.adjacency.indices == 5)] = 11.0
    graph = Adjacency(tiling.adjacency.indptr, tiling.adjacency.indices, longer)
    from dataclasses import replace

    assert fill(found, replace(tiling, adjacency=graph)).labels[4] == 1


def test_a_cell_no_neighbour_leads_to_goes_to_the_nearest() -> None:
    from dataclasses import replace

    tiling = board(3)
    empty = np.zeros(0, np.int64)
    alone = replace(tiling, adjacency=Adjacency.from_pairs(9, empty, empty, np.zeros(0)))
    labels = np.array([0, 0, 0, 0, 0, 0, 1, 1, -1], np.int32)
    assert fill(allot(claims_of(labels)), alone).labels[8] in (0, 1)


def claims_of(labels: np.ndarray) -> Claims:
    cell = np.flatnonzero(labels >= 0)
    n = len(labels)
    return Claims(
        cell, labels[cell], np.zeros(len(cell)), np.full(len(cell), 100.0), np.zeros(n), np.zeros(n)
    )


# --- what the planner reads


def west_and_east() -> list[Any]:
    """Two grids with a strip of 4 metres between them, and an overlap of 20 by 10 metres over it."""
    return [
        shapely.box(0, 0, 28, 60),
        shapely.union(shapely.box(32, 0, 60, 60), shapely.box(8, 50, 32, 60)),
    ]


def test_defects_are_listed_with_size_customers_grids_and_place() -> None:
    points = np.array([[30.0, 5.0], [30.0, 7.0], [10.0, 55.0], [50.0, 50.0], [9.0, 9.0]])
    sketch = Sketch(np.array(west_and_east(), object), BOARD.geometry, GROUND)
    found = findings(adopt_drawn(drawn(west_and_east()), sketch, BOARD, people_at(points)), BOARD, sliver=50)
    assert (found["gap_km2"], found["gap_customers"]) == (pytest.approx(200e-6), 2)
    assert (found["overlap_km2"], found["overlap_customers"]) == (pytest.approx(200e-6), 1)
    (gap,), (overlap,) = found["gaps"], found["overlaps"]
    assert (gap["id"], gap["customers"], gap["grids"]) == ("gap-1", 2, ["G0", "G1"])
    assert (overlap["id"], overlap["customers"], overlap["grids"]) == ("overlap-1", 1, ["G0", "G1"])
    west, south, east, north = gap["bbox"]
    assert west < gap["lon"] < east
    assert south < gap["lat"] < north
    assert found["by"] == {"nobody": 0, "customers": 3, "area": 33, "neighbour": 0}


def test_cells_without_a_clear_majority_are_listed_those_with_customers_first() -> None:
    points = np.array([[22.0, 35.0], [23.0, 35.0], [29.0, 35.0]])
    sketch = Sketch(np.array([shapely.box(0, 0, 27, 60), shapely.box(27, 0, 60, 60)]), BOARD.geometry, GROUND)
    found = findings(adopt_drawn(drawn(sketch.shapes), sketch, BOARD, people_at(points)), BOARD)
    assert found["minority_cells"] == 6
    first = found["minority"][0]
    assert (first["cell"], first["grid"], first["share"], first["by"]) == ("c20", "G0", 0.6667, "customers")
    assert first["shares"] == {"G0": 0.6667, "G1": 0.3333}
    assert {entry["cell"] for entry in found["minority"]} == {f"c{row * 6 + 2:02d}" for row in range(6)}


def test_small_defects_without_customers_are_only_counted() -> None:
    shapes = [shapely.box(0, 0, 30, 60), shapely.box(30, 0, 59, 60), shapely.box(59, 0, 60, 58)]
    sketch = Sketch(np.array(shapes, object), BOARD.geometry, GROUND)
    found = findings(adopt_drawn(drawn(shapes), sketch, BOARD), BOARD, sliver=10)
    assert found["gaps"] == []
    assert found["slivers"]["gap"] == {"count": 1, "km2": 2e-6}
    assert found["gap_customers"] is None
    somebody = people_at(np.array([[59.5, 59.0]]))
    found = findings(adopt_drawn(drawn(shapes), sketch, BOARD, somebody), BOARD, sliver=10)
    assert [gap["customers"] for gap in found["gaps"]] == [1]


def test_a_grid_too_small_to_win_a_cell_is_named_and_left_out() -> None:
    shapes = [GROUND, shapely.box(1, 1, 4, 4)]
    adopted = adopt_drawn(drawn(shapes), Sketch(np.array(shapes, object), BOARD.geometry, GROUND), BOARD)
    assert [grid.code for grid in adopted.plan.grids] == ["G0"]
    assert findings(adopted, BOARD)["without_cells"] == ["G1"]


def test_untouched_cells_stay_without_a_grid_if_asked() -> None:
    shapes = [shapely.box(0, 0, 60, 30)]
    sketch = Sketch(np.array(shapes, object), BOARD.geometry, GROUND)
    found = findings(adopt_drawn(drawn(shapes), sketch, BOARD, gaps="keep"), BOARD)
    assert len(found["without_grid"]) == found["by"]["nobody"] == 18
    filled = findings(adopt_drawn(drawn(shapes), sketch, BOARD), BOARD)
    assert (filled["without_grid"], len(filled["filled"])) == ([], 18)


def test_two_tracings_of_one_line_join_no_gaps() -> None:
    """A gap of 10 metres in the west and one in the east, with 5 millimetres between them all along."""
    shapes = [shapely.box(0, 0, 60, 30), shapely.box(10, 30.005, 50, 60)]
    found = survey(Sketch(np.array(shapes, object), BOARD.geometry, GROUND))
    assert [spot.area for spot in found.gaps] == pytest.approx([300, 300], abs=2)
    assert sorted(spot.bounds[0] for spot in found.gaps) == pytest.approx([0, 50], abs=0.3)


def test_a_customer_on_a_shared_border_is_in_no_overlap() -> None:
    shapes = np.array([shapely.box(0, 0, 30, 60), shapely.box(30, 0, 60, 60)], object)
    found = survey(Sketch(shapes, BOARD.geometry, GROUND), people_at(np.array([[30.0, 15.0]])))
    assert (found.gap_customers, found.overlap_customers) == (0, 0)
    assert found.claims.customers.sum() == 1


def test_ground_of_cells_at_the_rim_is_no_gap_unless_somebody_lives_there() -> None:
    shapes = np.array([shapely.box(5, 5, 55, 55)], object)
    x, y = BOARD.x, BOARD.y
    rim = (x < 10) | (x > 50) | (y < 10) | (y > 50)
    found = survey(Sketch(shapes, BOARD.geometry, GROUND, rim), people_at(np.zeros((0, 2))))
    assert (found.gaps, found.edge) == ((), pytest.approx(1100))
    found = survey(Sketch(shapes, BOARD.geometry, GROUND, rim), people_at(np.array([[2.0, 2.0]])))
    assert [spot.customers for spot in found.gaps] == [1]
    assert allot(found.claims).contested().tolist() == [0]


def test_a_file_of_another_place_is_refused() -> None:
    shapes = [shapely.box(1000, 1000, 1010, 1010)]
    with pytest.raises(InvalidInput, match="lie nowhere on these cells"):
        adopt_drawn(drawn(shapes), Sketch(np.array(shapes, object), BOARD.geometry, GROUND), BOARD)


# --- lists


def listed(by: Any, *rows: tuple[str, str]) -> Listed:
    codes = sorted({grid for _, grid in rows})
    grids = tuple(DrawnGrid(code, "", "") for code in codes)
    owner = np.array([codes.index(grid) for _, grid in rows], np.int32)
    return Listed(grids, by, by, tuple(key for key, _ in rows), owner, Fields("grid"), "list")


def test_a_list_of_cells_shows_gaps_and_overlaps_as_groups_of_cells() -> None:
    rows = [(f"c{i:02d}", "A" if i < 18 else "B") for i in range(36) if i not in (0, 1, 35)]
    rows += [("c10", "B"), ("c11", "B")]
    heads = np.ones(36)
    found = findings(adopt_listed(listed("cell", *rows), BOARD, None, heads), BOARD, sliver=0)
    assert [(gap["cells"], gap["customers"], gap["grids"]) for gap in found["gaps"]] == [
        (2, 2, ["A"]),
        (1, 1, ["B"]),
    ]
    (overlap,) = found["overlaps"]
    assert (overlap["cells"], overlap["customers"], overlap["grids"]) == (2, 2, ["A", "B"])
    assert {e["cell"]: e["share"] for e in found["minority"]} == {
        **dict.fromkeys(("c10", "c11"), 0.5),
        **dict.fromkeys(("c00", "c01", "c35"), 0.0),
    }
    assert {entry["cell"]: entry["grid"] for entry in found["filled"]} == {"c00": "A", "c01": "A", "c35": "B"}


def test_a_list_of_cells_names_the_first_it_does_not_know() -> None:
    with pytest.raises(InvalidInput, match=r"there is no cell 'zz' \(1 of 2 rows name none\)") as caught:
        adopt_listed(listed("cell", ("c00", "A"), ("zz", "A")), BOARD)
    assert caught.value.row == 2


def roll() -> Roll:
    """Two customers in each of the first three cells."""
    return Roll(np.array([f"k{i}" for i in range(6)], object), np.array([0, 0, 1, 1, 2, 2]))


def test_a_list_of_customers_gives_cells_by_the_majority_of_customers() -> None:
    rows = [("k0", "A"), ("k1", "A"), ("k2", "A"), ("k3", "B"), ("k4", "B"), ("k4", "A"), ("gone", "A")]
    adopted = adopt_listed(listed("customer", *rows), BOARD, roll(), np.bincount(roll().cell, minlength=36))
    found = findings(adopted, BOARD, sliver=0)
    assert adopted.plan.labels[:3].tolist() == [0, 0, 0]
    assert (adopted.plan.labels >= 0).all()
    assert {entry["cell"] for entry in found["minority"]} == {"c01", "c02"}
    assert (found["gap_customers"], found["overlap_customers"]) == (1, 1)
    assert found["unknown_customers"] == {"count": 1, "rows": [7]}


def test_a_list_of_customers_needs_the_customers() -> None:
    with pytest.raises(InvalidInput, match="where they live"):
        adopt_listed(listed("customer", ("k0", "A")), BOARD)
    with pytest.raises(InvalidInput, match="none of its customers is known"):
        adopt_listed(listed("customer", ("x", "A")), BOARD, roll())


# --- files


def layer(path: Path, *rows: dict[str, Any]) -> Path:
    squares = [shapely.box(i, 0, i + 1, 1) for i in range(len(rows))]
    geopandas.GeoDataFrame(list(rows), geometry=squares, crs=4326).to_file(path)
    return path


def book(path: Path, *rows: tuple[object, ...]) -> Path:
    made = openpyxl.Workbook()
    for row in rows:
        made.active.append(row)
    made.save(path)
    return path


def test_names_codes_and_leads_are_found_by_their_usual_names(tmp_path: Path) -> None:
    path = layer(tmp_path / "old.gpkg", {"网格编号": 7, "网格名称": "城东", "网格长": "王芳"})
    for field in ("网格编号", "网格名称"):
        assert read_drawn(path, Fields(field)).grids == (DrawnGrid("7", "城东", "王芳"),)


def test_rows_of_one_grid_are_its_parts(tmp_path: Path) -> None:
    path = layer(tmp_path / "old.geojson", {"g": "A", "name": "a"}, {"g": "B"}, {"g": "A", "name": None})
    found = read_drawn(path, Fields("g"))
    assert [(grid.code, grid.name) for grid in found.grids] == [("A", "a"), ("B", "")]
    assert shapely.area(found.shapes).tolist() == [2.0, 1.0]
    assert found.rows == 3


def test_a_code_of_several_grids_is_no_code_of_grids(tmp_path: Path) -> None:
    path = layer(tmp_path / "old.geojson", {"g": "A", "code": "110101"}, {"g": "B", "code": "110101"})
    assert [grid.code for grid in read_drawn(path, Fields("g")).grids] == ["A", "B"]
    with pytest.raises(InvalidInput, match="have one code, '110101'"):
        read_drawn(path, Fields("g", code="code"))


def test_workbooks_keep_whole_numbers_and_ignore_customers_names(tmp_path: Path) -> None:
    path = book(tmp_path / "old.xlsx", ("客户编号", "name", "grid"), ("k1", "Ann", 101), ("k2", "Bo", 101.0))
    found = read_drawn(path, Fields("grid"))
    assert isinstance(found, Listed)
    assert (found.by, found.keys, found.grids) == ("customer", ("k1", "k2"), (DrawnGrid("101", "", ""),))


@pytest.mark.parametrize(
    ("rows", "error", "message", "row"),
    [
        ([{"g": "A", "name": "a"}, {"g": "A", "name": "b"}], InvalidInput, "is 'b' here and 'a' in row 1", 2),
        ([{"g": "A"}, {"g": None}], InvalidInput, "no grid is named", 2),
        ([{"h": "A"}], UnknownColumn, "there is no column 'g'", None),
    ],
)
def test_faults_of_a_layer_name_the_row(
    tmp_path: Path, rows: list[dict[str, Any]], error: type[InvalidInput], message: str, row: int | None
) -> None:
    with pytest.raises(error, match=message) as caught:
        read_drawn(layer(tmp_path / "old.geojson", *rows), Fields("g"))
    assert caught.value.row == row
    assert caught.value.cure


def test_points_are_no_grids(tmp_path: Path) -> None:
    geopandas.GeoDataFrame({"g": ["A"]}, geometry=[shapely.Point(0, 0)], crs=4326).to_file(
        tmp_path / "p.gpkg"
    )
    with pytest.raises(InvalidGeometry, match="holds no polygons"):
        read_drawn(tmp_path / "p.gpkg", Fields("g"))


def test_an_empty_layer_is_refused(tmp_path: Path) -> None:
    (tmp_path / "e.geojson").write_text('{"type": "FeatureCollection", "features": []}')
    with pytest.raises(InvalidGeometry, match="holds no rows"):
        read_drawn(tmp_path / "e.geojson", Fields("g"))


def test_a_formula_counts_by_its_stored_value_only(tmp_path: Path) -> None:
    path = book(tmp_path / "f.xlsx", ("cell", "grid"), ("c1", "A"), ("c2", "=A2"))
    with pytest.raises(InvalidInput, match="formula without a stored value") as caught:
        read_drawn(path, Fields("grid"))
    assert (caught.value.row, caught.value.field) == (2, "cell B3")


@pytest.mark.parametrize("content", [b"", b"junk", b"PK\x03\x04junk", b"\xd0\xcf\x11\xe0 old or encrypted"])
def test_a_broken_workbook_is_refused(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "b.xlsx").write_bytes(content)
    with pytest.raises(UnreadableFile, match=r"\.xlsx"):
        read_drawn(tmp_path / "b.xlsx", Fields("grid"))


def test_a_list_without_cells_or_customers_is_refused(tmp_path: Path) -> None:
    (tmp_path / "l.csv").write_text("grid,colour\nA,red\n")
    with pytest.raises(UnknownColumn, match="no column tells cells or customers"):
        read_drawn(tmp_path / "l.csv", Fields("grid"))
