"""Planners at work on one draft: what they move, what stands against it, what they take back."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import numpy as np
import pytest

from gridsvc.errors import Conflict, Forbidden, InvalidInput, NotFound
from gridsvc.plans.plan import Grid
from gridsvc.principal import SYSTEM, Principal
from gridsvc.services import branches, drafts, live, moves, plans
from gridsvc.services.handing import NewGrid, Part
from gridsvc.store import Database
from gridsvc.store.records import Idempotency, MeasureRecord
from gridsvc.tiling.table import table_of
from tests.databases import Opener
from tests.services.board import ANNA, BO, cells_of, fresh_report, hand_over, small
from tests.services.planners import replay, work_at_once, wrong_rejections
from tests.store.builders import DAY_1


def test_a_move_changes_its_cells_and_tells_the_grids_it_touched(database: Database) -> None:
    plan = small(database)
    done = hand_over(database, plan, 2, "x001y000 x001y001 x005y000", "02", reason="the river")
    assert (done["revision"], done["moved"]) == (3, 3)
    told = {entry["code"]: entry for entry in done["report"]["grids"]}
    assert {code: (e["cells"], e["pieces"], e["totals"]["customers"]) for code, e in told.items()} == {
        "01": (6, 1, 6.0),
        "02": (11, 2, 11.0),
        "03": (7, 1, 7.0),
    }
    assert told["02"]["deviation"] == {"customers": pytest.approx(3 / 8)}
    assert (told["02"]["inside"], told["03"]["inside"]) == (False, True)
    assert done["report"]["overall"]["inside_share"] == pytest.approx(1 / 3)
    now = cells_of(database, plan)
    assert [now[cell] for cell in ("x001y000", "x001y001", "x005y000", "x001y002")] == ["02"] * 3 + ["01"]
    (line,) = moves.history(database, ANNA, plan)
    assert (line.actor, line.reason, line.n_cells, line.kind) == ("anna", "the river", 3, "move")
    assert line.grids == [{"from": "01", "to": "02", "cells": 2}, {"from": "03", "to": "02", "cells": 1}]
    _, cells = moves.cells_of(database, ANNA, plan, 3)
    assert cells[-1] == ("x005y000", "03", "02")


def test_a_move_is_audited_and_told_to_others(database: Database) -> None:
    plan = small(database)
    hand_over(database, plan, 2, "x001y000", "02", reason="why")
    with database.read(SYSTEM) as reader:
        note, event = reader.audit_log(1)[0], reader.outbox()[-1]
    assert (note.action, note.subject, note.actor, note.reason) == (
        "plan.move",
        f"plan/{plan}",
        "anna",
        "why",
    )
    assert event.kind == "plan.moved"
    assert event.payload == {
        "plan": plan, "revision": 3, "actor": "anna", "kind": "move", "cells": 1, "grids": ["01", "02"],
    }  # fmt: skip


def test_several_hand_overs_are_one_move(database: Database) -> None:
    plan = small(database)
    parts = [Part(["x000y000"], "03"), Part(["x005y003", "x004y003"], "01"), Part(["x002y000"], "02")]
    done = moves.move(database, ANNA, plan, 2, parts)
    assert (done["revision"], done["moved"]) == (3, 3)  # the last was there already
    now = cells_of(database, plan)
    assert (now["x000y000"], now["x005y003"], now["x004y003"]) == ("03", "01", "01")


def test_a_move_to_where_the_cells_are_changes_nothing(database: Database) -> None:
    plan = small(database)
    done = hand_over(database, plan, 2, "x000y000", "01")
    assert (done["revision"], done["moved"], done["report"]["grids"]) == (2, 0, [])
    assert moves.history(database, ANNA, plan) == []


def test_moves_on_other_cells_stand_and_moves_on_changed_cells_do_not(database: Database) -> None:
    plan = small(database)
    hand_over(database, plan, 2, "x000y000 x000y001", "02", who=BO)
    assert hand_over(database, plan, 2, "x001y000", "02")["revision"] == 4
    with pytest.raises(Conflict) as refused:
        hand_over(database, plan, 2, "x005y000 x000y001 x001y000", "03")
    error = refused.value
    assert error.details["total"] == 2
    assert error.details["revision"] == 4
    told = {entry["cell"]: entry for entry in error.details["cells"]}
    assert {c: (e["grid"], e["actor"], e["revision"]) for c, e in told.items()} == {
        "x000y001": ("02", "bo", 3),
        "x001y000": ("02", "anna", 4),
    }
    assert datetime.fromisoformat(told["x000y001"]["recorded_at"]) <= datetime.now(UTC)
    assert "x000y001 is in grid 02 now, moved by bo" in str(error)
    assert cells_of(database, plan)["x005y000"] == "03"
    assert len(moves.history(database, ANNA, plan)) == 2
    assert hand_over(database, plan, 4, "x000y001 x001y000", "03")["moved"] == 2  # having looked again


def test_only_a_hundred_cells_are_listed(database: Database) -> None:
    plan = small(database, 30, 8)
    column = " ".join(f"x{x:03d}y{y:03d}" for x in range(20) for y in range(8))
    hand_over(database, plan, 2, column, "03", who=BO)
    with pytest.raises(Conflict) as refused:
        hand_over(database, plan, 2, column, "01")
    assert (refused.value.details["total"], len(refused.value.details["cells"])) == (160, 100)


def test_other_processes_see_each_others_moves(open_database: Opener) -> None:
    """Each keeps the draft open by itself, and follows what the other did."""
    one, other = open_database(), open_database()
    plan = small(one)
    for turn, database in enumerate([one, other] * 4):
        to = "02" if turn % 4 < 2 else "01"
        hand_over(database, plan, turn + 2, f"x00{turn % 2}y000", to)
    with pytest.raises(Conflict, match="1 of 1"):
        hand_over(one, plan, 8, "x001y000", "03")
    for database in (one, other):
        assert plans.report(database, ANNA, plan)[0]["grids"] == fresh_report(database, plan)["grids"]


def test_a_process_which_opens_late_knows_what_changed_before(
    open_database: Opener, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("gridsvc.store.moves._EVERY", 3)
    one = open_database()
    plan = small(one)
    for row in range(4):
        hand_over(one, plan, 2, f"x000y00{row}", "02")
    late = open_database()
    with pytest.raises(Conflict) as refused:
        hand_over(late, plan, 4, "x000y001 x000y002", "03", who=BO)
    assert [e["revision"] for e in refused.value.details["cells"]] == [5]
    assert moves.undo(late, ANNA, plan, 6)["revision"] == 7


def test_undo_takes_back_ones_own_moves_to_the_start(database: Database) -> None:
    plan = small(database)
    start = cells_of(database, plan)
    hand_over(database, plan, 2, "x000y000", "02")
    hand_over(database, plan, 3, "x005y000", "01", who=BO)
    hand_over(database, plan, 4, "x000y000 x001y000", "03")
    assert moves.undo(database, ANNA, plan, 5, reason="no")["revision"] == 6
    assert cells_of(database, plan)["x000y000"] == "02"
    assert moves.undo(database, ANNA, plan, 6)["revision"] == 7
    assert cells_of(database, plan) == start | {"x005y000": "01"}
    with pytest.raises(Conflict, match="no move of yours"):
        moves.undo(database, ANNA, plan, 7)
    assert moves.redo(database, ANNA, plan, 7)["revision"] == 8
    assert moves.redo(database, ANNA, plan, 8)["revision"] == 9
    with pytest.raises(Conflict, match="nothing of yours"):
        moves.redo(database, ANNA, plan, 9)
    now = cells_of(database, plan)
    assert (now["x000y000"], now["x001y000"], now["x005y000"]) == ("03", "03", "01")
    lines = [(m.kind, m.reverts, m.actor) for m in moves.history(database, ANNA, plan)]
    assert lines[3:] == [
        ("undo", 5, "anna"), ("undo", 3, "anna"), ("redo", 7, "anna"), ("redo", 6, "anna"),
    ]  # fmt: skip
    assert fresh_report(database, plan)["grids"] == plans.report(database, ANNA, plan)[0]["grids"]


def test_undo_does_not_take_back_what_others_changed_since(database: Database) -> None:
    plan = small(database)
    hand_over(database, plan, 2, "x000y000 x001y000", "02")
    hand_over(database, plan, 3, "x001y000", "03", who=BO)
    with pytest.raises(Conflict) as refused:
        moves.undo(database, ANNA, plan, 4)
    assert [(e["cell"], e["actor"]) for e in refused.value.details["cells"]] == [("x001y000", "bo")]
    hand_over(database, plan, 4, "x001y000", "02", who=BO)  # back again, but it is Bo's now
    with pytest.raises(Conflict):
        moves.undo(database, ANNA, plan, 5)
    assert len(moves.history(database, ANNA, plan)) == 3
    assert moves.undo(database, BO, plan, 5)["moved"] == 1


def test_a_new_move_leaves_nothing_to_redo(database: Database) -> None:
    plan = small(database)
    hand_over(database, plan, 2, "x000y000", "02")
    moves.undo(database, ANNA, plan, 3)
    hand_over(database, plan, 4, "x005y000", "02")
    with pytest.raises(Conflict, match="nothing of yours"):
        moves.redo(database, ANNA, plan, 5)


def test_a_grid_is_split_and_the_split_taken_back(database: Database) -> None:
    plan = small(database)
    done = hand_over(database, plan, 2, "x000y000 x000y001", NewGrid(name="Harbour"))
    told = {e["code"]: e for e in done["report"]["grids"]}
    assert (told["04"]["name"], told["04"]["cells"]) == ("Harbour", 2)
    assert told["04"]["targets"] == told["01"]["targets"] == {"customers": pytest.approx(6)}
    done = hand_over(database, plan, 3, "x005y000", NewGrid())
    assert done["report"]["grids"][-1]["name"] == "Grid 05"
    assert len(plans.get(database, ANNA, plan).grids) == 5
    moves.undo(database, ANNA, plan, 4)
    moves.undo(database, ANNA, plan, 5)
    assert [g.code for g in plans.get(database, ANNA, plan).grids] == ["01", "02", "03"]
    assert moves.redo(database, ANNA, plan, 6)["report"]["overall"]["grids"] == 4
    with pytest.raises(InvalidInput, match="there is a grid '04' already"):
        hand_over(database, plan, 7, "x005y000", NewGrid("04"))
    with pytest.raises(InvalidInput, match="no longer has the grid '05'"):
        hand_over(database, plan, 7, "x005y000", "05")
    assert hand_over(database, plan, 7, "x005y000", NewGrid("05", "Five"))["moved"] == 1


def test_a_grid_is_merged_into_another_and_left_out(database: Database) -> None:
    plan = small(database)
    west = " ".join(cell for cell, grid in cells_of(database, plan).items() if grid == "01")
    done = hand_over(database, plan, 2, west, "02")
    assert done["report"]["emptied"] == ["01"]
    assert done["report"]["overall"]["empty"] == 1
    assert len(plans.get(database, ANNA, plan).grids) == 3  # the gate will name it
    moves.undo(database, ANNA, plan, 3)
    done = hand_over(database, plan, 4, west, "02", drop_empty=True)
    assert [e["code"] for e in done["report"]["grids"]] == ["02"]
    assert done["report"]["emptied"] == ["01"]
    record = plans.get(database, ANNA, plan)
    assert [g.code for g in record.grids] == ["02", "03"]
    assert record.labels is not None
    assert sorted(set(record.labels.tolist())) == [0, 1]
    report = plans.report(database, ANNA, plan)[0]
    assert [e["targets"]["customers"] for e in report["grids"]] == [pytest.approx(12)] * 2
    moves.undo(database, ANNA, plan, 5)
    assert [g.code for g in plans.get(database, ANNA, plan).grids] == ["01", "02", "03"]


def test_the_report_is_that_of_the_solve_until_something_moves(database: Database) -> None:
    plan = small(database)
    stored = plans.report(database, ANNA, plan)[0]
    assert "explanation" in stored
    hand_over(database, plan, 2, "x001y000", "02")
    now = plans.report(database, ANNA, plan)[0]
    assert "explanation" not in now
    assert now["parameters"] == stored["parameters"]
    assert now == drafts.with_freshness(fresh_report(database, plan), _present(now))
    assert now["freshness"] == stored["freshness"]
    assert [e["cells"] for e in now["grids"]] == [7, 9, 8]


def _present(report: dict[str, Any]) -> dict[str, datetime]:
    return {name: entry["now"] for name, entry in report["freshness"].items()}


def test_figures_follow_new_measures(database: Database) -> None:
    plan = small(database)
    assert plans.figures(database, ANNA, plan).figures.entry(0, Grid("01", ""))["totals"] == {
        "customers": 8.0
    }
    tiling = plans.get(database, ANNA, plan).tiling
    with database.write(ANNA, "test") as uow:
        uow.tilings.put_measures(tiling, None, [MeasureRecord("customers", "", "", np.full(24, 2.0), DAY_1)])
    done = hand_over(database, plan, 2, "x001y000", "02")
    assert [e["totals"]["customers"] for e in done["report"]["grids"]] == [14.0, 18.0]


def test_a_repeated_request_gets_the_first_answer(database: Database) -> None:
    plan = small(database)
    key = Idempotency("k1", "digest")
    first = hand_over(database, plan, 2, "x001y000", "02", idempotency=key)
    hand_over(database, plan, 3, "x001y000", "03", who=BO)
    assert hand_over(database, plan, 2, "x001y000", "02", idempotency=key) == first
    assert len(moves.history(database, ANNA, plan)) == 2
    again = Idempotency("k2", "digest")
    undone = moves.undo(database, BO, plan, 4, idempotency=again)
    assert moves.undo(database, BO, plan, 4, idempotency=again) == undone


LOCKS = [
    {"cell": "x000y000", "grid": "", "reason": "pump house", "until": ""},
    {"cell": "x001y000", "grid": "02", "reason": "", "until": ""},
    {"cell": "x001y001", "grid": "", "reason": "fair", "until": "2020-01-01"},
]


def test_a_locked_cell_stays_and_the_lock_is_named(database: Database) -> None:
    plan = small(database, locks=table_of(LOCKS, "locks"), report=False)
    with pytest.raises(InvalidInput, match="x000y000 is locked by row 1 of the plan's locks: pump house"):
        hand_over(database, plan, 2, "x001y002 x000y000", "02")
    with pytest.raises(InvalidInput, match="row 2"):
        hand_over(database, plan, 2, "x001y000", "03")
    assert moves.history(database, ANNA, plan) == []
    assert (
        hand_over(database, plan, 2, "x001y000 x001y001", "02")["moved"] == 2
    )  # where it belongs; an ended lock


@pytest.mark.parametrize(
    ("base", "parts", "words"),
    [
        (2, [Part(["x000y000"], "99")], ["'99'", "x000y000", "01, 02, 03"]),
        (2, [Part(["x000y000", "89283082803ffff"], "02")], ["row 2", "89283082803ffff", "x000y000"]),
        (2, [Part(["x000y000", "x000y001", "x000y000"], "02")], ["row 3", "x000y000", "place 1", "once"]),
        (2, [Part(["x000y000"], "02"), Part(["x000y000"], "03")], ["x000y000", "place 1"]),
        (2, [Part([], "02")], ["no cell", "at least one"]),
        (2, [Part(["x000y000"], "02"), Part([], "03")], ["no cell"]),
        (2, [], ["no cell"]),
        (2, [Part(["x000y000"] * 100_001, "02")], ["100,001", "100,000"]),
        (3, [Part(["x000y000"], "02")], ["revision 2", "3"]),
        (0, [Part(["x000y000"], "02")], ["base_revision"]),
        (2, [Part(["x000y000"], NewGrid("02"))], ["'02'", "already"]),
        (2, [Part(["x000y000"], NewGrid("N")), Part(["x001y000"], "98")], ["'98'"]),
    ],
)
def test_wrong_moves_name_the_cure_and_change_nothing(
    database: Database, base: int, parts: list[Part], words: list[str]
) -> None:
    plan = small(database)
    before = plans.get(database, ANNA, plan)
    with pytest.raises(InvalidInput) as refused:
        moves.move(database, ANNA, plan, base, parts)
    for word in words:
        assert word in str(refused.value)
    after = plans.get(database, ANNA, plan)
    assert (after.revision, after.grids) == (2, before.grids)
    with database.read(SYSTEM) as reader:
        assert len(reader.moves.grids(plan)[0]) == 3


def test_a_plan_which_is_published_or_not_solved_is_not_moved(database: Database) -> None:
    plan = small(database)
    tiling = plans.get(database, ANNA, plan).tiling
    with database.write(ANNA, "test") as uow:
        uow.plans.set_status(plan, "published", 2)
    for change in (
        lambda: hand_over(database, plan, 2, "x000y000", "02"),
        lambda: hand_over(database, plan, 2, "nowhere", "02"),
        lambda: moves.undo(database, ANNA, plan, 2),
        lambda: branches.describe(database, ANNA, plan, 3, name="x"),
    ):
        with pytest.raises(Conflict, match="published"):
            change()
    empty = plans.create(database, ANNA, tiling, plans.request_of(plans.get(database, ANNA, plan))).id
    for ask in (
        lambda: hand_over(database, empty, 1, "x000y000", "02"),
        lambda: plans.figures(database, ANNA, empty),
        lambda: branches.branch(database, ANNA, empty, "b"),
    ):
        with pytest.raises(Conflict, match="not solved yet"):
            ask()
    with pytest.raises(NotFound):
        hand_over(database, "pln_none", 1, "x000y000", "02")


def test_moving_needs_its_scope(database: Database) -> None:
    plan = small(database)
    reader = Principal("r", frozenset({"plans:read"}))
    with pytest.raises(Forbidden):
        hand_over(database, plan, 2, "x000y000", "02", who=reader)
    with pytest.raises(Forbidden):
        moves.undo(database, reader, plan, 2)
    with pytest.raises(Forbidden):
        branches.merge(database, reader, plan, 2, plan)
    assert moves.history(database, reader, plan) == []


def test_a_move_made_before_a_new_solve_meets_it(database: Database) -> None:
    plan = small(database)
    hand_over(database, plan, 2, "x000y000", "02")
    record = plans.get(database, ANNA, plan)
    with database.write(ANNA, "test") as uow:
        uow.plans.save_solution(plan, plans.solved(record), record.report, 3)
    with pytest.raises(Conflict) as refused:
        hand_over(database, plan, 3, "x001y000", "02")
    assert refused.value.details["cells"][0]["kind"] == "solve"
    with pytest.raises(Conflict, match="no move of yours"):
        moves.undo(database, ANNA, plan, 4)
    assert hand_over(database, plan, 4, "x001y000", "02")["moved"] == 1


def test_what_is_kept_open_is_bounded(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(live, "_MOST_CELLS", 60)
    plan = small(database)
    made = [branches.branch(database, ANNA, plan, str(n)).id for n in range(4)]
    for other in made:
        hand_over(database, other, 1, "x000y000", "02")
    kept = live.kept_of(database)
    assert [p for p in (plan, *made) if kept.draft(p)] == made[-2:]
    assert hand_over(database, made[0], 2, "x000y001", "02")["revision"] == 3


# --- several at once


@pytest.mark.parametrize("edits", [40, pytest.param(500, marks=pytest.mark.proof)])
def test_eight_planners_at_once_lose_nothing(
    database: Database, database_url: str, edits: int, record_property: Any
) -> None:
    plan = small(database)
    start = cells_of(database, plan)
    log = work_at_once(database_url, plan, 8, edits, list(start), ["01", "02", "03"])
    assert len(log) == 8 * edits
    states = replay(start, log)
    record = plans.get(database, ANNA, plan)
    assert record.revision == max(states)
    assert cells_of(database, plan) == states[record.revision]
    lines = moves.history(database, ANNA, plan, limit=10_000)
    assert [line.revision for line in lines] == list(range(3, record.revision + 1))
    assert wrong_rejections(states, log) == []
    refused = [edit for edit in log if edit.revision is None]
    assert len([edit for edit in refused if edit.kind == "move"]) > edits // 4  # they did meet
    assert plans.report(database, ANNA, plan)[0]["grids"] == fresh_report(database, plan)["grids"]
    record_property("acknowledged", len(log) - len(refused))
    record_property("refused", len(refused))
