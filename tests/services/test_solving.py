"""Plans from tilings: what the command line and the service have in common."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import shapely

from gridsvc.errors import InvalidInput
from gridsvc.services.request import SolveRequest
from gridsvc.services.solving import solve_tiling
from gridsvc.tiling.polytiles import tile_polygons
from gridsvc.tiling.read import PolygonLayer
from gridsvc.tiling.tiling import Tiling

WANTED = SolveRequest(grids=4, measures=(("n", 0.1),))


@pytest.fixture
def board() -> Tiling:
    """8 x 4 squares; the western half is district 110101, the eastern 110102, as numbers."""
    ids = [f"{y}{x}" for y in range(4) for x in range(8)]
    boxes = [shapely.box(x, y, x + 1, y + 1) for y in range(4) for x in range(8)]
    district = np.array([110101.0 if x < 4 else 110102.0 for _ in range(4) for x in range(8)])
    return tile_polygons(PolygonLayer(np.array(ids, object), np.array(boxes, object), {"district": district}))


ONES = {"n": np.ones(32)}


def test_grids_have_codes_targets_and_totals(board: Tiling) -> None:
    solved = solve_tiling(board, ONES, WANTED)
    assert [grid.code for grid in solved.plan.grids] == ["01", "02", "03", "04"]
    for entry, code in zip(solved.report["grids"], ["01", "02", "03", "04"], strict=True):
        cells = solved.plan.labels == int(code) - 1
        assert entry["code"] == code
        assert entry["cells"] == entry["totals"]["n"] == cells.sum()
        assert entry["targets"] == {"n": 8.0}


def test_nested_grids_keep_to_their_district_and_name_it(board: Tiling) -> None:
    solved = solve_tiling(board, ONES, replace(WANTED, nest_in="district"))
    for position, grid in enumerate(solved.plan.grids):
        districts = set(board.columns["district"][solved.plan.labels == position])
        assert districts == {float(grid.parent or 0)}
        assert grid.parent in {"110101", "110102"}


def test_as_many_grids_as_districts(board: Tiling) -> None:
    solved = solve_tiling(board, ONES, replace(WANTED, grids=None, nest_in="district"))
    assert len(solved.plan.grids) == 2
    assert solved.report["parameters"]["arithmetic"]["districts"] == 2


def test_large_cells_are_listed_and_carved_out_if_wanted(board: Tiling) -> None:
    weights = {"n": np.where(np.arange(32) == 9, 20.0, 1.0)}
    listed = solve_tiling(board, weights, WANTED).report["oversize"]
    assert [(e["cell"], e["kind"], e["carved_out"]) for e in listed] == [("11", "cell", False)]

    carved = solve_tiling(board, weights, replace(WANTED, carve_out="large"))
    assert [grid.code for grid in carved.plan.grids if grid.carve_out] == ["C01"]
    assert carved.plan.grids[carved.plan.labels[9]].code == "C01"
    assert max(e["totals"]["n"] for e in carved.report["grids"] if not e["carve_out"]) <= 9


def test_a_large_account_is_told_from_its_cell(board: Tiling) -> None:
    weights = {"n": np.where(np.arange(32) == 9, 20.0, 1.0)}
    largest = {"n": np.where(np.arange(32) == 9, 18.0, 1.0)}
    listed = solve_tiling(board, weights, WANTED, largest=largest).report["oversize"]
    assert {e["kind"] for e in listed} == {"cell", "account"}


@pytest.mark.parametrize(
    ("change", "word"),
    [
        ({"measures": (("m", 0.1),)}, "'m'"),
        ({"nest_in": "county"}, "'county'"),
        ({"carve_out": ("99",)}, "'99'"),
        ({"grids": None}, "nest-in"),
        ({"grids": 33}, "32 cells"),
        ({"grids": 1, "nest_in": "district"}, "1 grids"),
    ],
)
def test_wrong_wishes_name_the_cure(board: Tiling, change: dict[str, object], word: str) -> None:
    with pytest.raises(InvalidInput, match=word):
        solve_tiling(board, ONES, replace(WANTED, **change))  # type: ignore[arg-type]


def test_a_cell_without_district_is_named(board: Tiling) -> None:
    district = board.columns["district"].copy()
    district[5] = np.nan
    holed = replace(board, columns={"district": district})
    with pytest.raises(InvalidInput, match="cell 05 has no district"):
        solve_tiling(holed, ONES, replace(WANTED, nest_in="district"))
