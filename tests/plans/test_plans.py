"""Grids get codes one can read off a map."""

from __future__ import annotations

import numpy as np
import pytest

from gridsvc.errors import InvalidInput
from gridsvc.plans.codes import build_plan, number_grids
from gridsvc.plans.plan import Grid, Plan
from gridsvc.plans.summary import grid_centres, grid_totals


def cells(text: str):
    """Positions and letters of the cells of a map drawn in text; the first line is the north."""
    lines = [line.strip() for line in text.strip().splitlines()]
    at = [(x, -y, c) for y, line in enumerate(lines) for x, c in enumerate(line)]
    x, y, letter = zip(*at, strict=True)
    return np.array(x, float), np.array(y, float), "".join(letter)


def labels_of(letters: str, order: str) -> np.ndarray:
    return np.array([order.find(c) for c in letters], np.int32)


def test_codes_run_as_one_reads_west_to_east_then_north_to_south():
    x, y, letters = cells("ab\ncd")
    assert number_grids(x, y, labels_of(letters, "dbca"), 4) == ["04", "02", "03", "01"]


def test_nine_blocks_are_numbered_in_three_bands():
    x, y, letters = cells("abc\ndef\nghi")
    assert number_grids(x, y, labels_of(letters, "abcdefghi"), 9) == [f"0{n}" for n in range(1, 10)]


def test_grids_in_a_column_are_numbered_from_the_north():
    assert number_grids(np.zeros(3), np.array([0.0, 9, 5]), np.arange(3, dtype=np.int32), 3) == [
        "03",
        "01",
        "02",
    ]


def test_one_grid_is_number_one():
    assert number_grids(np.zeros(3), np.zeros(3), np.zeros(3, np.int32), 1) == ["01"]


def test_carve_outs_have_numbers_of_their_own():
    x, y, letters = cells("apqb")
    assert number_grids(x, y, labels_of(letters, "abqp"), 4, n_balanced=2) == ["01", "02", "C02", "C01"]


def test_codes_have_as_many_digits_as_the_largest_needs():
    x = np.arange(120.0)
    codes = number_grids(x, np.zeros(120), np.arange(120, dtype=np.int32), 120)
    assert sorted(codes) == [f"{n:03d}" for n in range(1, 121)]


def test_a_grid_without_cells_cannot_be_numbered():
    with pytest.raises(InvalidInput, match="3 grids were announced but 2 have cells"):
        number_grids(np.zeros(2), np.zeros(2), np.array([0, 2], np.int32), 3)


def test_the_plan_holds_grids_in_the_order_of_their_codes():
    x, y, letters = cells("bbapc")
    plan = build_plan(labels_of(letters, "cabp"), 3, x, y, word="网格")
    assert [grid.code for grid in plan.grids] == ["01", "02", "03", "C01"]
    assert [grid.name for grid in plan.grids][:1] == ["网格 01"]
    assert [grid.carve_out for grid in plan.grids] == [False, False, False, True]
    assert [plan.grids[g].code for g in plan.labels] == ["01", "01", "02", "C01", "03"]
    assert plan.labels.dtype == np.int32


def test_nested_grids_name_their_parent_and_cells_without_grid_stay_so():
    x, y = np.array([0.0, 1, 2]), np.zeros(3)
    labels, parents = np.array([-1, 1, 0], np.int32), np.array([0, 0, 1], np.int32)
    plan = build_plan(labels, 2, x, y, parents=parents, parent_names=["west", "east"])
    assert plan.labels[0] == -1
    assert [plan.grids[plan.labels[i]].parent for i in (1, 2)] == ["west", "east"]


def test_known_grids_keep_code_name_and_team_and_new_ones_get_free_numbers():
    x, y, letters = cells("aabbccddqr")
    known = [Grid("02", "Harbour", "T7"), None, Grid("X", ""), None, Grid("C01", "Mill"), None]
    plan = build_plan(labels_of(letters, "abcdqr"), 4, x, y, known=known)
    assert [(g.code, g.name, g.team, g.carve_out) for g in plan.grids] == [
        ("01", "Grid 01", None, False),
        ("02", "Harbour", "T7", False),
        ("03", "Grid 03", None, False),
        ("X", "Grid X", None, False),
        ("C01", "Mill", None, True),
        ("C02", "Grid C02", None, True),
    ]
    codes = [plan.grids[label].code for label in plan.labels]
    assert codes == ["02", "02", "01", "01", "X", "X", "03", "03", "C01", "C02"]


def test_totals_and_centres_of_grids():
    plan = Plan(np.array([0, 0, 1, -1], np.int32), (Grid("01", "a"), Grid("02", "b"), Grid("03", "c")))
    assert grid_totals(plan, {"m": np.array([1.0, 2, 3, 4])})["m"].tolist() == [3.0, 3.0, 0.0]
    x, y = grid_centres(plan, np.array([0.0, 4, 7, 9]), np.zeros(4), np.array([1.0, 3, 0, 5]))
    assert x[:2].tolist() == [3.0, 7.0] and np.isnan(x[2]) and y[0] == 0.0
