"""Moves on record: appended behind the base assignment, never altered, and folded into what a plan is now."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from gridsvc.errors import Conflict, InvalidInput, NotFound, StaleRevision
from gridsvc.plans.draft import Change, Entry
from gridsvc.plans.plan import Grid, Plan
from gridsvc.principal import SYSTEM
from gridsvc.store import Database, schema
from gridsvc.store.records import PlanHead
from tests.databases import Opener
from tests.store.builders import ANNA, DAY, DAY_1, GRIDS, Clock, draft, ground, publication

LABELS = np.array([0, 1, -1], np.int32)


def _solved(database: Database) -> str:
    made = draft(database, ground(database))
    with database.write(ANNA, "test") as uow:
        uow.plans.save_solution(made, Plan(LABELS, GRIDS), {"worst": 0.1}, 1)
    return made


def _move(database: Database, plan: str, row: int, to: int, kind: str = "move", **more: object) -> int:
    with database.write(ANNA, "test") as uow:
        head, labels = uow.moves.lock(plan), uow.moves.labels(plan)
        assert labels is not None
        change = Change.of(labels, np.array([row], np.int32), np.array([to], np.int32))
        return uow.moves.append(plan, kind, change, head.revision, **more)  # type: ignore[arg-type]


def test_a_plan_is_its_base_with_all_moves_made(open_database: Opener) -> None:
    clock = Clock()
    database = open_database(clock=clock)
    plan = _solved(database)
    clock.now += DAY
    assert _move(database, plan, 2, 0, reason="river") == 3
    assert _move(database, plan, 0, 1, "merge", source={"plan": "q", "revision": 7}) == 4
    with database.read(SYSTEM) as view:
        record = view.plans.get(plan)
        assert record.labels is not None
        assert (record.revision, record.labels.tolist()) == (4, [1, 1, 0])
        assert record.report == {"worst": 0.1}
        assert [view.plans.at(plan, n).labels.tolist() for n in (2, 3)] == [[0, 1, -1], [0, 1, 0]]  # type: ignore[union-attr]
        first, second = view.moves.history(plan)
        assert (first.kind, first.actor, first.reason, first.n_cells) == ("move", "anna", "river", 1)
        assert first.recorded_at == DAY_1 + DAY
        assert first.grids == [{"from": None, "to": "G1", "cells": 1}]
        assert second.source == {"plan": "q", "revision": 7}
        assert view.moves.merged_from(plan, "q") == second
        assert view.moves.merged_from(plan, "p") is None
        record_3, change = view.moves.get(plan, 3)
        assert (record_3, change.rows.tolist(), change.before.tolist()) == (first, [2], [-1])
        assert view.moves.head(plan) == PlanHead(plan, "elbe", record.tiling, "draft", 4, 2, True)
        assert view.moves.any(plan)


def test_history_comes_in_pages_from_either_end(database: Database) -> None:
    plan = _solved(database)
    for n in range(5):
        _move(database, plan, 0, n % 2 ^ 1, reason=str(n))
    with database.read(SYSTEM) as view:
        assert [m.revision for m in view.moves.history(plan, None, 2)] == [3, 4]
        assert [m.revision for m in view.moves.history(plan, 4, 2)] == [5, 6]
        assert [m.revision for m in view.moves.history(plan, None, 2, newest=True)] == [7, 6]
        assert [m.revision for m in view.moves.history(plan, 6, 9, newest=True)] == [5, 4, 3]
        assert set(view.moves.told(plan, [4, 6, 99])) == {4, 6}
        assert view.moves.done_by(plan, "anna")[:2] == [Entry(3, "move"), Entry(4, "move")]
        assert view.moves.done_by(plan, "bo") == []
        with pytest.raises(NotFound, match="revision 2"):
            view.moves.get(plan, 2)


def test_many_moves_are_read_from_a_checkpoint(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gridsvc.store.moves._EVERY", 4)
    plan, expected = _solved(database), {2: [0, 1, -1]}
    for n in range(11):
        row, to = n % 3, (n // 3) % 2
        revision = _move(database, plan, row, to)
        expected[revision] = [to if i == row else v for i, v in enumerate(expected[revision - 1])]
    with database.read(SYSTEM) as view:
        found = {n: view.moves.labels(plan, n).tolist() for n in expected}  # type: ignore[union-attr]
        assert view.moves.labels(plan).tolist() == expected[13]  # type: ignore[union-attr]
    assert found == expected


def test_a_new_solution_is_a_new_base(database: Database) -> None:
    plan = _solved(database)
    _move(database, plan, 0, 1)
    with database.write(ANNA, "test") as uow:
        assert uow.plans.save_solution(plan, Plan(LABELS, GRIDS[::-1]), None, 3) == 4
    with database.read(SYSTEM) as view:
        assert view.plans.get(plan).labels.tolist() == [0, 1, -1]  # type: ignore[union-attr]
        assert not view.moves.any(plan)
        assert view.moves.done_by(plan, "anna") == []
        assert view.moves.history(plan)[0].grids == [{"from": "G1", "to": "G2", "cells": 1}]
        with pytest.raises(Conflict, match="solved anew at revision 4"):
            view.plans.at(plan, 3)
        for wrong in (0, 5):
            with pytest.raises(InvalidInput, match="revisions 1 to 4"):
                view.plans.at(plan, wrong)


def test_a_move_on_an_older_revision_is_refused(database: Database) -> None:
    plan = _solved(database)
    _move(database, plan, 0, 1)
    change = Change.of(LABELS, np.array([1], np.int32), np.array([0], np.int32))
    with pytest.raises(StaleRevision), database.write(ANNA, "test") as uow:
        uow.moves.append(plan, "move", change, 2)
    with database.read(SYSTEM) as view:
        assert (view.moves.head(plan).revision, len(view.moves.history(plan))) == (3, 1)


def test_a_published_plan_is_not_moved(database: Database) -> None:
    plan = _solved(database)
    with database.write(ANNA, "test") as uow:
        uow.plans.set_status(plan, "published", 2)
        with pytest.raises(Conflict, match="published plan is never changed"):
            uow.moves.lock(plan)
    with pytest.raises(StaleRevision), database.write(ANNA, "test") as uow:
        change = Change.of(LABELS, np.array([1], np.int32), np.array([0], np.int32))
        uow.moves.append(plan, "move", change, 3)


@pytest.mark.parametrize("statement", ["UPDATE plan_moves SET actor = 'x'", "DELETE FROM plan_moves"])
def test_what_was_moved_stays_on_record(database: Database, statement: str) -> None:
    plan = _solved(database)
    _move(database, plan, 0, 1)
    with pytest.raises(Conflict, match="never changed"), database._transaction(writes=True) as connection:
        connection.exec_driver_sql(statement)


def test_a_grid_without_cells_is_left_out_where_that_was_said(database: Database) -> None:
    plan = _solved(database)
    with database.write(ANNA, "test") as uow:
        assert uow.moves.add_grid(plan, Grid("G3", "New")) == 2
        assert uow.plans.get(plan).grids == GRIDS  # a new grid counts once it has cells
        uow.moves.leave_out(plan, [0])
    _move(database, plan, 2, 2)
    with database.read(SYSTEM) as view:
        assert [grid.code for grid in view.plans.get(plan).grids] == ["G1", "G2", "G3"]
    _move(database, plan, 0, 2)
    with database.read(SYSTEM) as view:
        record = view.plans.get(plan)
        assert [grid.code for grid in record.grids] == ["G2", "G3"]
        assert record.labels.tolist() == [1, 0, 1]  # type: ignore[union-attr]
        assert view.plans.at(plan, 2).grids == GRIDS
        assert [grid.code for grid in view.moves.grids(plan)[0]] == ["G1", "G2", "G3"]
    with database.write(ANNA, "test") as uow:
        staffed = tuple(replace(grid, team="t9") for grid in record.grids)
        uow.plans.save_teams(plan, staffed, None, record.revision)
        assert uow.plans.get(plan).grids == staffed
        assert [grid.team for grid in uow.moves.grids(plan)[0]] == ["t1", "t9", "t9"]
        assert uow.moves.add_grid(plan, Grid("G1", "North again")) == 0
    _move(database, plan, 0, 0)
    with database.read(SYSTEM) as view:
        assert view.plans.get(plan).grids[0] == Grid("G1", "North again")
    with pytest.raises(Conflict, match="one code"), database.write(ANNA, "test") as uow:
        uow.moves.leave_out(plan, [])
        uow.plans.save_solution(plan, Plan(LABELS, GRIDS), None, record.revision + 2)
        uow.moves.add_grid(plan, Grid("G1", "Twice"))


def test_a_draft_gets_another_name_and_comment(database: Database) -> None:
    plan = _solved(database)
    with database.write(ANNA, "test") as uow:
        assert uow.plans.describe(plan, 2, comment="for May") == 3
        with pytest.raises(StaleRevision):
            uow.plans.describe(plan, 2, name="x")
    with database.read(SYSTEM) as view:
        assert (view.plans.get(plan).name, view.plans.get(plan).comment) == ("first", "for May")


def test_an_unknown_plan_is_not_found(database: Database) -> None:
    with database.read(SYSTEM) as view:
        for ask in (view.moves.head, view.plans.bare):
            with pytest.raises(NotFound):
                ask("pln_none")


def test_a_step_back_of_the_schema_keeps_what_planners_drew(database: Database) -> None:
    """Down to a schema without moves and up again: plan and publication stand, the history is gone."""
    plan = _solved(database)
    _move(database, plan, 2, 0)
    with database.write(ANNA, "test") as uow:
        tiling = uow.plans.get(plan).tiling
        n = uow.publications.publish(publication(plan, tiling), GRIDS, [None] * len(GRIDS))
    with database.read(SYSTEM) as view:
        before, published = view.plans.get(plan), view.publications.get("elbe", "base", n)
    with database._transaction(writes=True) as connection:
        schema.downgrade(connection, "0001")
    database.upgrade()
    database.check()
    with database.read(SYSTEM) as view:
        after = view.plans.get(plan)
        assert after.labels is not None
        assert (after.revision, after.labels.tolist(), after.grids) == (3, [0, 1, 0], before.grids)
        assert view.publications.get("elbe", "base", n) == published
        assert view.moves.history(plan) == []
