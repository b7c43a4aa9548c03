"""Scenarios: branches of a draft, and merging what they changed."""

from __future__ import annotations

import numpy as np
import pytest

from gridsvc.errors import Conflict, InvalidInput, StaleRevision
from gridsvc.plans.plan import Grid
from gridsvc.services import branches, moves, plans
from gridsvc.services.handing import NewGrid
from gridsvc.store import Database
from gridsvc.store.records import Idempotency
from tests.services.board import ANNA, BO, blocks, board, cells_of, hand_over, lay, put, small


def _branched(database: Database) -> tuple[str, str]:
    plan = small(database)
    return plan, branches.branch(database, ANNA, plan, "what if", "wider north").id


def test_a_branch_is_a_plan_of_its_own(database: Database) -> None:
    plan = small(database)
    hand_over(database, plan, 2, "x000y000", "02")
    made = branches.branch(database, BO, plan, "what if", "wider north", idempotency=Idempotency("k", "d"))
    again = branches.branch(database, BO, plan, "what if", "wider north", idempotency=Idempotency("k", "d"))
    assert again.id == made.id
    assert (made.name, made.comment, made.branched_from, made.branched_at) == (
        "what if",
        "wider north",
        plan,
        3,
    )
    assert (made.revision, made.status, made.created_by) == (1, "draft", "bo")
    assert cells_of(database, made.id) == cells_of(database, plan)
    assert plans.report(database, ANNA, made.id)[0]["grids"] == plans.report(database, ANNA, plan)[0]["grids"]
    hand_over(database, made.id, 1, "x000y001", "02")
    assert cells_of(database, plan)["x000y001"] == "01"
    named = branches.describe(database, BO, made.id, 2, comment=None, name="B")
    assert (named.name, named.comment, named.revision) == ("B", None, 3)


def test_a_merge_brings_what_only_the_branch_changed(database: Database) -> None:
    plan, other = _branched(database)
    hand_over(database, other, 1, "x000y000 x001y000", "02")
    hand_over(database, other, 2, "x005y000", NewGrid("N", "New"))
    hand_over(database, plan, 2, "x003y000 x001y000", "03", who=BO)
    hand_over(database, plan, 3, "x001y000", "02", who=BO)
    done = branches.merge(database, ANNA, plan, 4, other, reason="agreed")
    assert (done["revision"], done["moved"], done["conflicts"]) == (5, 2, 0)
    now = cells_of(database, plan)
    assert [now[c] for c in ("x000y000", "x001y000", "x003y000", "x005y000")] == ["02", "02", "03", "N"]
    assert plans.get(database, ANNA, plan).grids[-1] == Grid("N", "New")
    line = moves.history(database, ANNA, plan)[-1]
    assert (line.kind, line.reason, line.source) == ("merge", "agreed", {"plan": other, "revision": 3})
    assert moves.undo(database, ANNA, plan, 5)["moved"] == 2
    assert "N" not in [g.code for g in plans.get(database, ANNA, plan).grids]


def test_what_both_changed_is_a_conflict_unless_said(database: Database) -> None:
    plan, other = _branched(database)
    hand_over(database, other, 1, "x000y000 x000y001", "02")
    hand_over(database, plan, 2, "x000y000", "03", who=BO)
    with pytest.raises(Conflict) as refused:
        branches.merge(database, ANNA, plan, 3, other)
    (entry,) = refused.value.details["cells"]
    assert (entry["cell"], entry["grid"], entry["theirs"], entry["actor"]) == ("x000y000", "03", "02", "bo")
    assert "prefer" in str(refused.value)
    assert plans.get(database, ANNA, plan).revision == 3
    mine = branches.merge(database, ANNA, plan, 3, other, prefer="mine")
    assert (mine["moved"], mine["conflicts"]) == (1, 1)
    moves.undo(database, ANNA, plan, 4)
    both = branches.branch(database, ANNA, plan, "copy").id
    theirs = branches.merge(database, ANNA, both, 1, other, prefer="theirs")
    assert (theirs["moved"], cells_of(database, both)["x000y000"]) == (2, "02")


def test_a_second_merge_brings_only_what_is_new(database: Database) -> None:
    """What was merged and then changed here is not brought back."""
    plan, other = _branched(database)
    hand_over(database, other, 1, "x000y000", "02")
    branches.merge(database, ANNA, plan, 2, other)
    hand_over(database, plan, 3, "x000y000", "03")
    hand_over(database, other, 2, "x005y000", "02")
    done = branches.merge(database, ANNA, plan, 4, other)
    assert (done["moved"], cells_of(database, plan)["x000y000"]) == (1, "03")
    assert branches.merge(database, ANNA, plan, 5, other)["moved"] == 0
    back = branches.merge(database, ANNA, other, 3, plan)
    assert (back["moved"], cells_of(database, other)) == (1, cells_of(database, plan))


def test_branches_of_one_plan_meet_where_they_parted(database: Database) -> None:
    plan, one = _branched(database)
    hand_over(database, plan, 2, "x000y003", "02")
    two = branches.branch(database, ANNA, plan, "two").id
    deep = branches.branch(database, ANNA, two, "deep").id
    hand_over(database, deep, 1, "x005y000", "02")
    hand_over(database, one, 1, "x000y000", "02")
    done = branches.merge(database, ANNA, one, 2, deep)
    now = cells_of(database, one)
    assert (done["moved"], now["x000y003"], now["x005y000"], now["x000y000"]) == (2, "02", "02", "02")


def test_grids_the_branch_gave_up_are_left_out(database: Database) -> None:
    plan, other = _branched(database)
    west = " ".join(cell for cell, grid in cells_of(database, plan).items() if grid == "01")
    hand_over(database, other, 1, west, "02", drop_empty=True)
    branches.merge(database, ANNA, plan, 2, other)
    assert [g.code for g in plans.get(database, ANNA, plan).grids] == ["02", "03"]


def test_plans_without_a_common_origin_are_not_merged(database: Database) -> None:
    plan = small(database)
    record = plans.get(database, ANNA, plan)
    request = plans.request_of(record)
    tiling, ones = board(6, 4), {"customers": np.ones(24)}
    stranger = put(database, record.tiling, tiling, blocks(6, 4, 3, 1), ones)
    elsewhere = put(database, lay(database, tiling, ones, "other"), tiling, blocks(6, 4, 3, 1), ones)
    unsolved = plans.create(database, ANNA, record.tiling, request).id
    for other, kind, word in (
        (stranger, InvalidInput, "no common origin"),
        (elsewhere, InvalidInput, "tiling"),
        (plan, InvalidInput, "itself"),
        ("pln_none", InvalidInput, "pln_none"),
        (unsolved, Conflict, "not solved"),
    ):
        with pytest.raises(kind, match=word) as refused:
            branches.merge(database, ANNA, plan, 2, other)
        assert refused.value.cure
    assert plans.get(database, ANNA, plan).revision == 2


def test_a_merge_into_a_plan_which_moved_on_is_refused(database: Database) -> None:
    plan, other = _branched(database)
    hand_over(database, other, 1, "x000y000", "02")
    hand_over(database, plan, 2, "x005y000", "02")
    with pytest.raises(StaleRevision):
        branches.merge(database, ANNA, plan, 2, other)
    key = Idempotency("k", "d")
    done = branches.merge(database, ANNA, plan, 3, other, idempotency=key)
    assert branches.merge(database, ANNA, plan, 3, other, idempotency=key) == done
