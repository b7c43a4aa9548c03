"""What planners list about cells: seeds, locks, targets and the plan in force, read row by row."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import numpy as np
import pytest
import shapely

from gridsvc.errors import GridsvcError
from gridsvc.plans.goals import goals_of
from gridsvc.plans.locks import locks_of
from gridsvc.plans.old import read_old
from gridsvc.plans.seeds import seeds_of
from gridsvc.tiling.polytiles import tile_polygons
from gridsvc.tiling.read import PolygonLayer
from gridsvc.tiling.table import read_table, table_of
from gridsvc.tiling.tiling import Tiling


@pytest.fixture
def tiling() -> Tiling:
    """Four unit squares of degrees in a row: a, b, c, d."""
    boxes = np.array([shapely.box(x, 0, x + 1, 1) for x in range(4)], object)
    return tile_polygons(PolygonLayer(np.array(list("abcd"), object), boxes, {}))


def _table(folder: Path, text: str):
    (folder / "given.csv").write_text(text, encoding="utf-8-sig")
    return read_table(folder / "given.csv")


def test_a_table_survives_its_records(tmp_path: Path) -> None:
    table = _table(tmp_path, 'cell, name ,radius\na,"x, y",\n\nb\n')
    assert table.columns == {"cell": ["a", "b"], "name": ["x, y", ""], "radius": ["", ""]}
    assert table_of(table.records(), "given.csv") == table


def test_seeds_by_point_or_cell(tmp_path: Path, tiling: Tiling) -> None:
    by_cell = seeds_of(
        _table(tmp_path, "cell,kind,radius,grid,name\nc,Candidate,500,07,Shop\na,,,,\n"), tiling
    )
    told = [(s.row, s.cell, s.grid, s.required, s.radius, s.name) for s in by_cell]
    assert told == [(1, 2, "07", False, 500.0, "Shop"), (2, 0, "", True, np.inf, "")]
    by_point = seeds_of(_table(tmp_path, "lon,lat\n2.5,0.5\n0.5,0.5\n"), tiling)
    assert [seed.cell for seed in by_point] == [2, 0]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("lon,lat\n0.5,0.5\n9,0.5\n", "row 2, lon: the point lies in no cell"),
        ("lon,lat\n0.5,91\n", "row 1, lat: 91 is not a lat"),
        ("lon,lat\n,0.5\n", "row 1, lon: nothing is not a lon"),
        ("cell\na\n\nb,c\n", "row 2: has 2 fields"),
    ],
)
def test_points_that_are_none_are_named(tmp_path: Path, tiling: Tiling, text: str, said: str) -> None:
    with pytest.raises(GridsvcError, match=said):
        seeds_of(_table(tmp_path, text), tiling)


def test_a_lock_holds_to_the_end_of_its_last_day(tmp_path: Path, tiling: Tiling) -> None:
    table = _table(tmp_path, "cell,grid,reason,until\na,P,depot,2026-03-01\nb,P,,2026-02-28\na,P,twice,\n")
    locks, expired = locks_of(table, tiling, date(2026, 3, 1))
    assert [(lock.row, lock.cell, lock.grid, lock.reason) for lock in locks] == [(1, 0, "P", "depot")]
    assert expired == [{"row": 2, "cell": "b", "until": "2026-02-28"}]


def test_targets_may_leave_measures_and_limits_open(tmp_path: Path) -> None:
    goals = goals_of(_table(tmp_path, "grid,n,n_max\nP,5,6\nQ,7,\n"), ["n", "kwh"])
    assert goals.grids == ("P", "Q")
    assert goals.targets[:, 0].tolist() == [5, 7]
    assert np.isnan(goals.targets[:, 1]).all()
    assert goals.high[0, 0] == 6
    assert np.isnan(goals.high[1, 0])
    assert np.isnan(goals.low).all()


def test_an_old_plan_is_laid_over_the_cells_there_are(tmp_path: Path, tiling: Tiling) -> None:
    (tmp_path / "old.csv").write_text("cell,grid\nz,R\nb,Q\na,P\nc,\n")
    old = read_old(tmp_path / "old.csv", tiling)
    assert [grid.code for grid in old.plan.grids] == ["P", "Q"]
    assert old.plan.labels.tolist() == [0, 1, -1, -1]
    assert old.gone == ("z",)
