"""Plans from tilings: what the command line and the service have in common."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest
import shapely

from gridsvc.balance.score import Score
from gridsvc.errors import InvalidInput
from gridsvc.plans.old import Old
from gridsvc.plans.plan import Grid, Plan
from gridsvc.services.request import Former, SolveRequest, params_of, request_from
from gridsvc.services.solving import solve_tiling
from gridsvc.services.telling import in_words_of
from gridsvc.services.wishes import Wish, wish_of
from gridsvc.tiling.polytiles import tile_polygons
from gridsvc.tiling.read import PolygonLayer
from gridsvc.tiling.table import table_of
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


def _wish(board: Tiling, **change: object) -> Wish:
    return wish_of(board, {**ONES, "kwh": np.arange(32.0)}, replace(WANTED, **change))  # type: ignore[arg-type]


def test_targets_seeds_and_locks_meet_by_name(board: Tiling) -> None:
    wish = _wish(
        board,
        grids=None,
        targets=table_of([{"grid": code, "n": n} for code, n in (("P", 4), ("Q", 8), ("R", 20))], "targets"),
        seeds=table_of([{"cell": "37", "grid": "R", "radius": 3}], "seeds"),
        locks=table_of([{"cell": "00", "grid": "Q"}], "locks"),
        seed_pull=0.5,
    )
    assert [grid.code for grid in wish.known] == ["P", "Q", "R"]
    assert wish.problem.targets[:, 0].tolist() == [4, 8, 20]
    pins, anchor = wish.problem.pins, wish.problem.anchor
    assert pins is not None
    assert anchor is not None
    assert (pins.cell.tolist(), pins.radius.tolist(), pins.pull) == ([-1, -1, 31], [np.inf, np.inf, 3], 0.5)
    assert (anchor[0], (anchor >= 0).sum()) == (1, 1)


def test_limits_shrink_with_carve_outs_only_where_they_follow_from_targets(board: Tiling) -> None:
    wish = _wish(
        board,
        measures=(("n", 0.1), ("kwh", 0.2)),
        limits={"n": (5, None)},
        carve_out=("00", "37"),
    )
    low, high = wish.problem.band()
    assert low[:, 0].tolist() == [5] * 4
    assert high[:, 0].tolist() == [np.inf] * 4
    left = (np.arange(32).sum() - 31) / 4
    assert low[:, 1] == pytest.approx(0.8 * left)
    assert high[:, 1] == pytest.approx(1.2 * left)


def test_a_capacity_is_one_sided(board: Tiling) -> None:
    wish = _wish(board, grids=None, capacity={"n": 9})
    low, high = wish.problem.band()
    assert (wish.problem.k, low.max(), high.max()) == (4, -np.inf, 9)
    assert wish.told["arithmetic"]["by_capacity"]["n"]["grids"] == 4


def test_the_past_counts_the_first_measure(board: Tiling) -> None:
    plan = Plan(
        np.where(np.arange(32) < 2, -1, np.arange(32) % 8 // 4).astype(np.int32),
        (Grid("A", ""), Grid("B", "")),
    )
    wish = _wish(
        board,
        grids=None,
        measures=(("kwh", 0.1), ("n", 0.1)),
        former=Former(Old(plan), 0.25, "n"),
        carve_out=("37",),
    )
    past = wish.problem.past
    assert past is not None
    assert past.home.tolist() == [-1, -1, *plan.labels[2:31], -1]
    assert past.load.tolist() == list(range(32))
    assert past.cost.tolist() == [1] * 32
    assert past.most == 0.25 * (sum(range(32)) - 31)


def test_old_parameters_are_still_read() -> None:
    old = {
        "grids": 4, "measures": [["n", 0.1]], "nest_in": None, "carve_out": ["00"], "islands": "keep",
        "barriers": None,
    }  # fmt: skip
    assert request_from(old, 7) == SolveRequest(4, (("n", 0.1),), carve_out=("00",), seed=7)


def test_a_request_survives_its_parameters() -> None:
    request = SolveRequest(
        grids=None,
        measures=(("n", 0.1), ("p", 0.2)),
        nest_in="district",
        carve_out="large",
        islands="attach",
        seed=3,
        objective="cut",
        compactness=20,
        sweeps=9,
        time_limit=2.5,
        limits={"n": (None, 5.0)},
        importance={"n": 2.0},
        capacity={"n": 3.0},
        scores=(Score("p", (("kwh", 0.6), ("n", 0.4))),),
        seeds=table_of([{"cell": "00", "radius": 2.5}, {"cell": "01"}], "seeds"),
        locks=table_of([{"cell": "00", "until": "2030-01-01"}], "locks"),
        targets=table_of([{"grid": "A", "n": 3.5}], "targets"),
        seed_pull=0.0,
    )
    stored = json.loads(json.dumps(params_of(request, None, None)))
    assert request_from(stored, 3) == request


def test_the_engines_rows_and_numbers_get_their_names() -> None:
    error = InvalidInput(
        "locks hold grid 2 in 2 parts: rows 1 and 3, and row 2 of parent 0", field="locks", row=1
    )
    said = in_words_of(error, ["a", "b", "c"], ["P", "Q"], ["west"])
    assert said.message == "locks hold grid Q in 2 parts: cells a and c, and cell b of district west"
    assert said.row is None
    smallest = InvalidInput("parts (smallest: 1 cell(s) round row 3, 2 cell(s) round row 1)")
    said = in_words_of(smallest, ["a", "b", "c"], [], [])
    assert said.message == "parts (smallest: 1 cell(s) round cell c, 2 cell(s) round cell a)"
    walls = InvalidInput("locks of grid(s) 1, 2 and 4 stand between two parents", row=1, field="low")
    said = in_words_of(walls, ["a"], ["P", "Q"], [])
    assert (said.message, said.field) == ("locks of grid(s) P, Q and 4 stand between two districts", "limit")
    plain = in_words_of(InvalidInput("the cell has no place", row=2), ["a", "b"], [], [])
    assert plain.message == "the cell has no place (cell b)"
    said = in_words_of(InvalidInput("3 grids asked for", field="grids"), ["a"], ["P"], [])
    assert said.message == "3 grids asked for"
