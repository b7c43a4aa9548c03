"""What is published: one branch, another line, an earlier one again, a transition, waived rules."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import numpy as np
import pytest

from gridsvc.errors import (
    Conflict,
    GateClosed,
    InvalidInput,
    NotFound,
    StaleBase,
    StaleRevision,
)
from gridsvc.services import (
    branches,
    gates,
    moves,
    ownership,
    publishing,
    waivers,
)
from gridsvc.services.desk import Asked, Desk
from gridsvc.services.moves import Part
from gridsvc.services.publishing import Wanted
from gridsvc.store import Database
from gridsvc.store.records import Idempotency
from tests.services.board import ANNA
from tests.services.series import draft, ground, out, owner, people, publish, soon

# --- one branch, another line, again


def test_a_branch_publishes_its_own_grids_and_nothing_else(database: Database) -> None:
    tiling = ground(database, 8)
    publish(database, draft(database, tiling, "aabbccdd", "cd"))
    plan = draft(database, tiling, "aaabcccd", "cd")
    with pytest.raises(InvalidInput, match=r"no grid is nested in 'N'.*E, W"):
        publish(database, plan, scope="N")
    record = publish(database, plan, scope="E")
    assert (out(database, record.n), record.scope) == ("aabbcccd", "E")
    assert record.meta["ignored"] == {"cells": 1}
    rest = branches.branch(database, ANNA, plan, "the west")
    assert out(database, publish(database, rest.id, 1, scope="W").n) == "aaabcccd"


def test_conflicts_outside_the_branch_do_not_stop_it(database: Database) -> None:
    tiling = ground(database, 8)
    publish(database, draft(database, tiling, "aabbccdd", "cd"))
    plan, stale = draft(database, tiling, "aaabcccd", "cd"), draft(database, tiling, "aabbcced", "cde")
    publish(database, draft(database, tiling, "abbbccdd", "cd"))
    record = publish(database, plan, scope="E")
    assert out(database, record.n) == "abbbcccd"
    with pytest.raises(StaleBase, match="changed 1 cells"):
        publish(database, stale, scope="E")


def test_a_scope_needs_something_published_and_codes_of_its_own(database: Database) -> None:
    tiling = ground(database)
    plan = draft(database, tiling, "aabbcc", "c")
    with pytest.raises(InvalidInput, match="nothing is published yet"):
        publish(database, plan, scope="E")
    publish(database, plan)
    swapped = draft(database, tiling, "aabbcc", "ab")
    with pytest.raises(Conflict, match="belongs to another branch"):
        publish(database, swapped, scope="E")


def test_another_line_lies_over_the_base_and_need_not_cover(database: Database) -> None:
    tiling = ground(database)
    publish(database, draft(database, tiling, "aabbcc"))
    with pytest.raises(GateClosed, match="2 of 6 cells have no grid"):
        publish(database, draft(database, tiling, "..bbcc"))
    plan = draft(database, tiling, "..dd..", line="special")
    coverage = gates.gates_of(database, ANNA, plan)[0]
    assert (coverage.passed, coverage.blocking) == (True, False)
    record = publish(database, plan)
    assert (record.n, record.line) == (1, "special")
    assert owner(database, "x002y000", line="special")["grid"]["code"] == "d"
    bare = owner(database, "x000y000", line="special")
    assert (bare["status"], bare["team"]["id"], bare["cell"]) == ("fallback", "a", "x000y000")
    degree = 100 / 111_320
    many = ownership.batch(
        Desk(database),
        ANNA,
        np.array([0.5, 2.5]) * degree,
        np.full(2, 0.5 * degree),
        asked=Asked("board", "special"),
    )[1]
    assert (many.status.tolist(), many.grid.tolist(), many.team.tolist()) == (
        ["fallback", "owned"],
        [None, "d"],
        ["a", "d"],
    )
    assert owner(database, "x002y000")["grid"]["code"] == "b"


def test_an_earlier_publication_comes_back_under_a_new_number(database: Database) -> None:
    tiling = ground(database)
    first = publish(database, draft(database, tiling, "aabbcc"))
    publish(database, draft(database, tiling, "aaabcc"))
    key = Idempotency("again", "d", "r")
    record = publishing.republish(database, ANNA, "board", 1, Wanted(reason="wrong"), idempotency=key)
    assert (record.n, record.republishes, record.checksum) == (3, 1, first.checksum)
    assert owner(database, "x002y000")["grid"]["code"] == "b"
    assert publishing.republish(database, ANNA, "board", 1, idempotency=key).n == 3
    with pytest.raises(NotFound, match="no publication 9"):
        publishing.republish(database, ANNA, "board", 9)


def test_what_comes_back_is_judged_by_the_people_there_are_now(database: Database) -> None:
    tiling = ground(database)
    publish(database, draft(database, tiling, "aabbcc"))
    publish(database, draft(database, tiling, "aabbbb"))
    left = people()
    members = tuple(member for member in left.members if member.team != "c")
    with database.write(ANNA, "test") as uow:  # as a roster of a time when teams could be without a lead
        uow.rosters.append("board", replace(left, members=members), valid_from=datetime.now(UTC), reason="x")
    with pytest.raises(GateClosed, match="grids without a team with a lead: 1"):
        publishing.republish(database, ANNA, "board", 1)


# --- transition


def test_who_changed_owner_may_stay_until_a_date(database: Database) -> None:
    tiling = ground(database)
    publish(database, draft(database, tiling, "aabbcc"))
    plan = draft(database, tiling, "aaabcc")
    with pytest.raises(InvalidInput, match="ends before the publication takes effect"):
        publish(database, plan, effective_at=soon(2), transition_until=soon(1))
    record = publish(database, plan, transition_until=soon(30))
    assert record.transition_until is not None
    moved, stayed = owner(database, "x002y000"), owner(database, "x003y000")
    assert (moved["grid"]["code"], moved["valid_to"], stayed.get("transition")) == ("a", None, None)
    assert moved["transition"] == {
        "until": record.transition_until.isoformat(),
        "from_grid": {"code": "b", "name": "Grid b", "line": "base"},
        "from_team": {"id": "b", "name": "Team B"},
    }
    assert "may stay with Grid b of Team B" in moved["why"]
    assert owner(database, "x002y000", as_of=soon(31)).get("transition") is None


def test_the_first_publication_of_all_moves_nobody(database: Database) -> None:
    tiling = ground(database)
    record = publish(database, draft(database, tiling, "aabbcc"), transition_until=soon(9))
    assert (record.meta["follows"], record.meta["moved"]) == (None, None)
    assert owner(database, "x000y000").get("transition") is None


# --- waivers


def test_a_waived_grid_may_be_in_pieces(database: Database) -> None:
    tiling = ground(database)
    plan = draft(database, tiling, "abbacc")
    with pytest.raises(GateClosed, match="grids in several pieces: 1") as refused:
        publish(database, plan)
    (closed,) = refused.value.details["gates"]
    shown = {gate.name: gate for gate in gates.gates_of(database, ANNA, plan)}["contiguity"]
    assert closed["offenders"] == shown.offenders and closed["offenders"][0]["grid"] == "a"
    assert {"at", "bbox"} <= closed["offenders"][0].keys()
    record = waivers.waive(database, ANNA, plan, "contiguity", "a", " a river ", 2)
    assert (record.revision, record.waivers[0]["reason"], record.waivers[0]["actor"]) == (
        3,
        "a river",
        "anna",
    )
    shown = {gate.name: gate for gate in gates.gates_of(database, ANNA, plan)}["contiguity"]
    assert shown.passed and [entry["grid"] for entry in shown.waived] == ["a"]
    waivers.drop(database, ANNA, plan, "contiguity", "a")
    with pytest.raises(NotFound, match="is not waived"):
        waivers.drop(database, ANNA, plan, "contiguity", "a")
    waivers.waive(database, ANNA, plan, "contiguity", "a", "a river")
    assert publish(database, plan, 5).n == 1


@pytest.mark.parametrize(
    ("gate", "grid", "reason", "field"),
    [("coverage", "a", "x", "gate"), ("contiguity", "zz", "x", "grid"), ("contiguity", "a", "  ", "reason")],
)
def test_a_waiver_names_a_grid_and_a_reason(
    database: Database, gate: str, grid: str, reason: str, field: str
) -> None:
    plan = draft(database, ground(database), "aabbcc")
    with pytest.raises(InvalidInput) as refused:
        waivers.waive(database, ANNA, plan, gate, grid, reason)
    assert refused.value.field == field
    with pytest.raises(StaleRevision):
        waivers.waive(database, ANNA, plan, "contiguity", "a", "x", 1)


def test_gates_judge_the_plan_as_it_is_now(database: Database) -> None:
    tiling = ground(database)
    plan = draft(database, tiling, "aabbcc")
    moves.move(database, ANNA, plan, 2, [Part(["x000y000"], "c"), Part(["x002y000", "x003y000"], "a")])
    found = {gate.name: gate for gate in gates.gates_of(database, ANNA, plan)}
    assert [entry["grid"] for entry in found["contiguity"].offenders] == ["c"]
    assert [entry["grid"] for entry in found["coverage"].offenders] == ["b"]
    off = {entry["grid"]: entry["deviation"] for entry in found["tolerance"].offenders}
    assert off == {"b": pytest.approx(-1.0)}
