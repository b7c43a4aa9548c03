"""Moves marked in a workbook: what goes out, what comes back, and a verdict on each row."""

from __future__ import annotations

import csv
from collections.abc import Mapping
from pathlib import Path

import pytest
from openpyxl import load_workbook

from gridsvc.errors import Conflict, InvalidInput, NotFound, TooLarge, UnknownColumn
from gridsvc.services import move_sheets, moves
from gridsvc.store import Database
from tests.services.board import ANNA, BO, cells_of, hand_over, small


def _file(folder: Path, content: bytes) -> Path:
    path = folder / "sheet.xlsx"
    path.write_bytes(content)
    return path


def _marked(folder: Path, content: bytes, marks: Mapping[str, str]) -> Path:
    """The workbook with codes in the last column of some cells, as a planner writes them."""
    path = _file(folder, content)
    book = load_workbook(path)
    sheet = book.worksheets[0]
    for row in sheet.iter_rows(min_row=2):
        if (to := marks.get(str(row[0].value))) is not None:
            row[-1].value = to
    book.save(path)
    return path


def _table(folder: Path, *rows: tuple[str, str, str]) -> Path:
    path = folder / "sheet.csv"
    with path.open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows([("cell", "grid", "move to"), *rows])
    return path


def test_a_sheet_has_each_cell_with_its_grid_and_the_grids_beside_it(
    database: Database, tmp_path: Path
) -> None:
    plan = small(database)
    revision, content = move_sheets.sheet(database, ANNA, plan, grids=["02"])
    book = load_workbook(_file(tmp_path, content))
    head, *rows = book.worksheets[0].iter_rows(values_only=True)
    assert revision == 2
    assert head == ("cell", "lon", "lat", "grid", "next to", "customers", "move to")
    assert len(rows) == 8
    told = {row[0]: row[3:] for row in rows}
    assert told["x002y000"] == ("02", "01", 1, None)
    assert told["x003y001"] == ("02", "03", 1, None)
    assert [row[0] for row in book.worksheets[1].iter_rows(values_only=True)][:4] == [
        "grid",
        "01",
        "02",
        "03",
    ]
    (choice,) = book.worksheets[0].data_validations.dataValidation
    assert "$A$2:$A$4" in str(choice.formula1)


def test_a_sheet_speaks_chinese_and_is_read_again(database: Database, tmp_path: Path) -> None:
    plan = small(database)
    _, content = move_sheets.sheet(database, ANNA, plan, lang="zh")
    path = _marked(tmp_path, content, {"x001y000": "02", "x001y001": "02"})
    done = move_sheets.take_back(database, ANNA, plan, path, path.name, reason="by the river")
    assert (done.revision, done.moved and done.moved["moved"]) == (3, 2)
    now = cells_of(database, plan)
    assert (now["x001y000"], now["x001y001"], now["x001y002"]) == ("02", "02", "01")
    (line,) = moves.history(database, ANNA, plan)
    assert (line.reason, line.n_cells) == ("by the river", 2)


def test_each_marked_row_gets_a_verdict(database: Database, tmp_path: Path) -> None:
    plan = small(database)
    hand_over(database, plan, 2, "x001y002", "03", who=BO)
    path = _table(
        tmp_path,
        ("x001y000", "01", "02"),
        ("x001y001", "01", ""),
        ("x001y002", "01", "02"),
        ("x001y003", "01", "01"),
        ("x000y000", "01", "09"),
        ("nowhere", "01", "02"),
        ("x001y000", "01", "03"),
    )
    told = move_sheets.take_back(database, ANNA, plan, path, "sheet.csv", dry_run=True)
    assert [(one.mark.row, one.verdict.slug) for one in told.judged] == [
        (1, "move"),
        (3, "changed"),
        (4, "same"),
        (5, "unknown-grid"),
        (6, "unknown-cell"),
        (7, "twice"),
    ]
    assert told.moved is None
    assert cells_of(database, plan)["x001y000"] == "01"
    document = told.as_dict(plan)
    assert document["rows"]["move"] == 1
    assert document["moves"] == [{"cell": "x001y000", "to": "02"}]
    assert all(one["cure"] and one["cure_zh"] for one in document["verdicts"] if not one["taken"])


def test_a_refused_row_refuses_all_unless_it_may_be_left_out(database: Database, tmp_path: Path) -> None:
    plan = small(database)
    path = _table(tmp_path, ("x001y000", "01", "02"), ("nowhere", "01", "02"))
    with pytest.raises(InvalidInput, match="names no cell") as refused:
        move_sheets.take_back(database, ANNA, plan, path, "sheet.csv")
    assert refused.value.as_dict()["row"] == 2
    assert cells_of(database, plan)["x001y000"] == "01"
    done = move_sheets.take_back(database, ANNA, plan, path, "sheet.csv", skip_refused=True)
    assert done.moved is not None and done.moved["moved"] == 1
    assert cells_of(database, plan)["x001y000"] == "02"


def test_what_is_no_sheet_is_told(database: Database, tmp_path: Path) -> None:
    plan = small(database)
    with pytest.raises(InvalidInput, match="no move is marked"):
        move_sheets.take_back(database, ANNA, plan, _table(tmp_path, ("x001y000", "01", "")), "sheet.csv")
    (tmp_path / "other.csv").write_text("cell,grid\nx001y000,01\n")
    with pytest.raises(UnknownColumn, match="move to"):
        move_sheets.take_back(database, ANNA, plan, tmp_path / "other.csv", "other.csv")


def test_grids_and_branches_which_are_not_there_are_told(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    plan = small(database)
    with pytest.raises(NotFound, match="no grid '09'"):
        move_sheets.sheet(database, ANNA, plan, grids=["09"])
    with pytest.raises(NotFound, match="branch 'north'"):
        move_sheets.sheet(database, ANNA, plan, branch="north")
    monkeypatch.setattr(move_sheets, "MOST_ROWS", 7)
    with pytest.raises(TooLarge, match="8 cells"):
        move_sheets.sheet(database, ANNA, plan, grids=["02"])


def test_only_a_draft_takes_a_sheet(database: Database, tmp_path: Path) -> None:
    plan = small(database)
    with database.write(ANNA, "test") as uow:
        uow.plans.set_status(plan, "submitted", 2)
    with pytest.raises(Conflict):
        move_sheets.take_back(
            database, ANNA, plan, _table(tmp_path, ("x001y000", "01", "02")), "sheet.csv", dry_run=True
        )
