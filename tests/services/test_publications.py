"""The series of publications: dates, what stands in front, what others published, branches, the file."""

from __future__ import annotations

import sqlite3
import threading
import time
import xml.etree.ElementTree as ET
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import sqlalchemy as sa

from gridsvc.errors import (
    Conflict,
    GateClosed,
    GridsvcError,
    InvalidInput,
    NotFound,
    StaleBase,
    StaleRevision,
)
from gridsvc.services import (
    branches,
    current,
    gates,
    moves,
    ownership,
    publications,
    publishing,
    rebasing,
    rosters,
    waivers,
)
from gridsvc.services.moves import Part
from gridsvc.services.ownership import Asked
from gridsvc.services.publishing import Wanted
from gridsvc.services.series import instant, published_plan
from gridsvc.store import Database
from gridsvc.store.records import Idempotency
from tests.services.board import ANNA
from tests.services.series import draft, ground, letters, people, publish

Record = Any
DAY = timedelta(days=1)


def out(database: Database, n: int, line: str = "base") -> str:
    """A publication, drawn."""
    with database.read() as reader:
        return letters(published_plan(reader, "board", line, n))


def soon(days: float) -> datetime:
    return datetime.now(UTC) + days * DAY


def owner(database: Database, cell: str, **asked: Any) -> dict[str, Any]:
    return ownership.cell(database, ANNA, cell, asked=Asked("board", **asked)).as_dict()


# --- dates


def test_a_date_is_midnight_where_the_territory_is(database: Database) -> None:
    tiling = ground(database)
    record = publish(database, draft(database, tiling, "aabbcc"), effective_at="2126-12-01")
    assert record.effective_at == datetime(2126, 11, 30, 16, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "utc"),
    [
        ("2026-12-01", "2026-11-30T16:00:00+00:00"),
        ("2026-12-01T08:00:00+08:00", "2026-12-01T00:00:00+00:00"),
        ("2026-12-01T08:00:00Z", "2026-12-01T08:00:00+00:00"),
    ],
)
def test_instants(text: str, utc: str) -> None:
    assert instant(text, "Asia/Shanghai", "effective_at").isoformat() == utc


@pytest.mark.parametrize(
    "text",
    [
        "",
        "soon",
        "2026-13-01",
        "2026-02-30",
        "2026-12-01T08:00",
        "12/01/2026",
        "0001-01-01T00:00:00+08:00",
        "1",
    ],
)
def test_no_instants(text: str) -> None:
    with pytest.raises(InvalidInput, match=r"effective_at.*write it as"):
        instant(text, "Asia/Shanghai", "effective_at")


def test_nothing_is_dated_before_the_publication_in_force(database: Database) -> None:
    tiling = ground(database)
    first = publish(database, draft(database, tiling, "aabbcc"), effective_at=soon(-3))
    plan = draft(database, tiling, "aaabcc")
    with pytest.raises(InvalidInput, match="publication 1 is in force since") as refused:
        publish(database, plan, effective_at=soon(-4))
    assert refused.value.field == "effective_at"
    assert first.effective_at.isoformat() in (refused.value.cure or "")
    assert publish(database, plan, effective_at=soon(-2)).n == 2
    assert owner(database, "x002y000", as_of=soon(-2.5))["publication"] == 1
    assert owner(database, "x002y000", as_of=soon(-1))["publication"] == 2


# --- in front of what is scheduled


def test_publishing_in_front_of_a_scheduled_one_needs_its_number(database: Database) -> None:
    tiling = ground(database)
    publish(database, draft(database, tiling, "aabbcc"))
    publish(database, draft(database, tiling, "aabbbc"), effective_at=soon(9))
    plan = draft(database, tiling, "aaabcc")
    with pytest.raises(Conflict, match="publication 2 is scheduled") as refused:
        publish(database, plan)
    assert refused.value.field == "supersedes"
    assert [entry["n"] for entry in refused.value.details["scheduled"]] == [2]
    with pytest.raises(InvalidInput, match=r"there is no publication 7.*name 2"):
        publish(database, plan, supersedes=7)
    with pytest.raises(InvalidInput, match="publication 1 took effect"):
        publish(database, plan, supersedes=1)
    record = publish(database, plan, supersedes=2)
    assert (record.n, record.supersedes) == (3, 2)
    assert [
        publications.standing(database, ANNA, publications.get(database, ANNA, "board", n)).state
        for n in (1, 2, 3)
    ] == ["past", "set-aside", "in-force"]
    assert owner(database, "x003y000", as_of=soon(10))["publication"] == 3
    assert owner(database, "x003y000")["valid_to"] is None
    assert (
        owner(database, "x003y000", as_of=soon(10), as_known=record.effective_at - timedelta(microseconds=1))[
            "publication"
        ]
        == 2
    )


def test_the_same_time_as_a_scheduled_one_is_in_front_of_it(database: Database) -> None:
    tiling = ground(database)
    publish(database, draft(database, tiling, "aabbcc"), effective_at="2126-12-01")
    plan = draft(database, tiling, "aaabcc")
    with pytest.raises(Conflict, match="publication 1 is scheduled"):
        publish(database, plan, effective_at="2126-12-01")
    assert publish(database, plan, effective_at="2126-12-01", supersedes=1).n == 2
    assert owner(database, "x002y000", as_of=datetime(2127, 1, 1, tzinfo=UTC))["publication"] == 2


def test_behind_a_scheduled_one_nothing_need_be_named(database: Database) -> None:
    tiling = ground(database)
    publish(database, draft(database, tiling, "aabbcc"))
    publish(database, draft(database, tiling, "aabbbc"), effective_at=soon(2))
    plan = draft(database, tiling, "aaabbc")
    with pytest.raises(InvalidInput, match="takes effect before"):
        publish(database, plan, effective_at=soon(5), supersedes=2)
    assert publish(database, plan, effective_at=soon(5)).n == 3
    assert owner(database, "x002y000")["valid_to"] is not None
    assert [owner(database, "x002y000", as_of=soon(d))["publication"] for d in (1, 3, 6)] == [1, 2, 3]


def test_several_scheduled_ones_are_set_aside_by_naming_the_last(database: Database) -> None:
    tiling = ground(database)
    publish(database, draft(database, tiling, "aabbcc"))
    for days in (2, 4, 6):
        publish(database, draft(database, tiling, "aabbcc"), effective_at=soon(days))
    plan = draft(database, tiling, "aabbcc")
    with pytest.raises(Conflict, match="publications 3, 4 are") as refused:
        publish(database, plan, effective_at=soon(3), supersedes=3)
    assert "supersedes=4" in (refused.value.cure or "")
    publish(database, plan, effective_at=soon(3), supersedes=4)
    with pytest.raises(InvalidInput, match="publication 4 is set aside already"):
        publish(database, draft(database, tiling, "aabbcc"), effective_at=soon(2.5), supersedes=4)
    assert [owner(database, "x000y000", as_of=soon(d))["publication"] for d in (1, 2.5, 3.5, 9)] == [
        1,
        2,
        5,
        5,
    ]


# --- what others published meanwhile


def test_others_changes_to_other_cells_are_carried_in(database: Database) -> None:
    tiling = ground(database)
    publish(database, draft(database, tiling, "aabbcc"))
    mine, theirs = draft(database, tiling, "aaabcc"), draft(database, tiling, "aabbbc")
    publish(database, theirs)
    record = publish(database, mine)
    assert out(database, record.n) == "aaabbc"
    assert record.meta["carried"] == {"cells": 1}
    assert record.meta["moved"]["cells"] == 1
    assert letters(_plan(database, mine)) == "aaabbc"  # the plan is what was published
    again = branches.branch(database, ANNA, mine, "next")
    assert again.base_publication == 3
    kinds = [move.kind for move in moves.history(database, ANNA, mine)]
    assert kinds == ["rebase"]


def _plan(database: Database, plan: str) -> Any:
    with database.read() as reader:
        return reader.plans.get(plan)


def test_others_changes_to_the_same_cells_are_a_stale_base(database: Database) -> None:
    tiling = ground(database)
    publish(database, draft(database, tiling, "aabbcc"))
    mine = draft(database, tiling, "aaabcc")
    publish(database, draft(database, tiling, "aacccc"))
    with pytest.raises(StaleBase, match="publication 2 changed 1 cells") as refused:
        publish(database, mine)
    told = refused.value.details
    assert (told["base"], told["publication"], told["total"]) == (1, 2, 1)
    assert told["cells"] == [{"cell": "x002y000", "grid": "c", "team": "c", "mine": "a", "publication": 2}]
    assert _plan(database, mine).status == "draft"


def test_teams_are_guarded_like_cells(database: Database) -> None:
    tiling = ground(database)
    publish(database, draft(database, tiling, "aabbcc"))
    mine = draft(database, tiling, "aabbcc")
    theirs = draft(database, tiling, "aabbcc")
    _teams(database, theirs, {"b": "h"})
    publish(database, theirs, 3)
    _teams(database, mine, {"b": "g"})
    with pytest.raises(StaleBase, match="the names or teams of 1 grids") as refused:
        publish(database, mine, 3)
    assert refused.value.details["grids"] == ["b"]
    _teams(database, mine, {"b": "b", "c": "g"}, 3)
    record = publish(database, mine, 4)
    with database.read() as reader:
        assert [grid.team for grid in published_plan(reader, "board", "base", record.n).grids] == [
            "a",
            "h",
            "g",
        ]


def _teams(database: Database, plan: str, teams: dict[str, str], revision: int = 2) -> None:
    from dataclasses import replace

    found = _plan(database, plan)
    grids = [replace(grid, team=teams.get(grid.code, grid.team)) for grid in found.grids]
    with database.write(ANNA, "test") as uow:
        uow.plans.save_teams(plan, grids, found.report, revision)


def test_two_plans_for_an_empty_series_collide_where_they_differ(database: Database) -> None:
    tiling = ground(database)
    one, two, same = (draft(database, tiling, text) for text in ("aabbcc", "abbbcc", "aabbcc"))
    publish(database, one)
    with pytest.raises(StaleBase, match="made on publication none") as refused:
        publish(database, two)
    assert [entry["cell"] for entry in refused.value.details["cells"]] == ["x001y000"]
    assert publish(database, same).n == 2


def test_a_plan_of_an_older_version_stands_on_what_was_newest_when_it_was_made(database: Database) -> None:
    tiling = ground(database)
    publish(database, draft(database, tiling, "aabbcc"))
    plan = draft(database, tiling, "aaabcc")
    with database._transaction(writes=True) as connection:
        connection.execute(sa.text("UPDATE plans SET base_publication = NULL"))
    publish(database, draft(database, tiling, "aabbbc"))
    assert out(database, publish(database, plan).n) == "aaabbc"


def test_a_plan_made_on_a_scheduled_publication_is_not_stale_before_it(database: Database) -> None:
    tiling = ground(database)
    publish(database, draft(database, tiling, "aabbcc"))
    publish(database, draft(database, tiling, "aabbbc"), effective_at=soon(5))
    plan = draft(database, tiling, "abbbbc")
    assert out(database, publish(database, plan, supersedes=2).n) == "abbbbc"


def test_rebase_replays_and_lists_what_both_changed(database: Database) -> None:
    tiling = ground(database)
    publish(database, draft(database, tiling, "aabbcc"))
    plan = draft(database, tiling, "aaaccc")
    publish(database, draft(database, tiling, "aadbbc"))
    with pytest.raises(StaleBase) as refused:
        rebasing.rebase(database, ANNA, plan, 2)
    assert [entry["cell"] for entry in refused.value.details["cells"]] == ["x002y000"]
    assert _plan(database, plan).revision == 2
    with pytest.raises(StaleRevision):
        rebasing.rebase(database, ANNA, plan, 1, prefer="mine")
    told = rebasing.rebase(database, ANNA, plan, 2, prefer="theirs", reason="agreed")
    assert (told["base_publication"], told["carried"], told["conflicts"]) == (2, 2, 1)
    found = _plan(database, plan)
    assert (letters(found), found.revision, found.base_publication) == ("aadcbc", told["revision"], 2)
    assert rebasing.rebase(database, ANNA, plan, found.revision)["carried"] == 0
    record = publish(database, plan, _mend(database, plan, found.revision))
    assert out(database, record.n) == "aaddbb"


def _mend(database: Database, plan: str, revision: int) -> int:
    parts = [Part(["x003y000"], "d"), Part(["x005y000"], "b")]
    return int(moves.move(database, ANNA, plan, revision, parts, drop_empty=True)["revision"])


def test_rebase_with_mine_keeps_the_plan(database: Database) -> None:
    tiling = ground(database)
    publish(database, draft(database, tiling, "aabbcc"))
    plan = draft(database, tiling, "aaabcc")
    publish(database, draft(database, tiling, "aacccc"))
    told = rebasing.rebase(database, ANNA, plan, 2, prefer="mine")
    assert told["conflicts"] == 1
    assert letters(_plan(database, plan)) == "aaaccc"  # 'b' lost its last cell to the others
    assert out(database, publish(database, plan, told["revision"]).n) == "aaaccc"


def test_rebase_is_refused_without_publication_and_on_what_is_published(database: Database) -> None:
    tiling = ground(database)
    plan = draft(database, tiling, "aabbcc")
    with pytest.raises(Conflict, match="nothing is published yet"):
        rebasing.rebase(database, ANNA, plan, 2)
    publish(database, plan)
    with pytest.raises(Conflict, match="published already"):
        rebasing.rebase(database, ANNA, plan, 3)


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
        database,
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
    rosters.put(database, ANNA, "board", replace(left, members=members))
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


# --- never changed


def test_a_changed_block_is_found_out(database: Database) -> None:
    tiling = ground(database)
    publish(database, draft(database, tiling, "aabbcc"))
    assert publications.verify(database, ANNA) == 1
    with database.read() as reader:
        record = reader.publications.get("board", "base", 1)
    with database.write(ANNA, "test") as uow:
        uow.publications.publish(replace(record, checksum="0" * 64))
        uow.publications.publish(replace(record, payload=b"torn"))
    with pytest.raises(
        Conflict, match="2 publications are not what their checksum says: 2 of board"
    ) as refused:
        publications.verify(database, ANNA)
    assert [entry["n"] for entry in refused.value.details["publications"]] == [2, 3]


def _readers(database: Database, stop: threading.Event, faults: list[str], counts: list[int]) -> list[Any]:
    degree = 100 / 111_320
    lon, lat = (np.arange(6) + 0.5) * degree, np.full(6, 0.5 * degree)

    def read() -> None:
        last = 0
        while not stop.is_set():
            try:
                found, many = ownership.batch(database, ANNA, lon, lat, asked=Asked("board"))
            except GridsvcError as error:
                faults.append(repr(error))
                return
            n, teams = found.moment.publication, set(many.team.tolist())
            if n < last:
                faults.append(f"number {last} went back to {n}")
            if teams != {"abcdefgh"[n % 8]}:
                faults.append(f"publication {n} answered {teams}")
            last = n
            counts.append(n)

    return [threading.Thread(target=read) for _ in range(3)]


def _publish_under_readers(database: Database, number: int) -> int:
    """Each publication gives all cells to one team; gives how many batches were answered meanwhile."""
    tiling = ground(database)
    stop, faults, counts = threading.Event(), list[str](), list[int]()
    publish(database, draft(database, tiling, "bbbbbb"))
    sums = [publications.get(database, ANNA, "board", 1).checksum]
    readers = _readers(database, stop, faults, counts)
    for reader in readers:
        reader.start()
    try:
        for n in range(2, number + 1):
            record = publish(database, draft(database, tiling, "abcdefgh"[n % 8] * 6))
            assert record.n == n
            sums.append(record.checksum)
    finally:
        stop.set()
        for reader in readers:
            reader.join()
    assert faults == []
    assert [publications.get(database, ANNA, "board", n + 1).checksum for n in range(number)] == sums
    assert publications.verify(database, ANNA) == number
    return len(counts)


def test_readers_never_see_a_mix_nor_a_number_going_back(database: Database) -> None:
    assert _publish_under_readers(database, 20) > 20


@pytest.mark.proof
def test_200_publications_under_constant_readers(database: Database, record_property: Record) -> None:
    record_property("batches read meanwhile", _publish_under_readers(database, 200))


def test_publishers_at_once_lose_nothing(database: Database) -> None:
    tiling = ground(database)
    publish(database, draft(database, tiling, "aabbcc"))
    drafts = [draft(database, tiling, text) for text in ("abbbcc", "aaabcc", "aabbbc", "aabccc", "aabbcc")]
    told: list[Any] = []

    def run(plan: str) -> None:
        try:
            told.append(publish(database, plan).n)
        except GridsvcError as error:
            told.append(type(error).__name__)

    running = [threading.Thread(target=run, args=(plan,)) for plan in drafts]
    for thread in running:
        thread.start()
    for thread in running:
        thread.join()
    numbers = sorted(n for n in told if isinstance(n, int))
    assert numbers == list(range(2, 2 + len(numbers)))
    assert set(told) - set(numbers) <= {"GateClosed"}  # b may lose all its cells to the others
    with database.read() as reader:
        assert reader.publications.newest("board", "base").n == 1 + len(numbers)  # type: ignore[union-attr]


# --- the file for GIS programs


def test_the_file_has_a_styled_layer_for_each_line_and_no_customer(
    database: Database, tmp_path: Path
) -> None:
    import pyogrio

    tiling = ground(database)
    folder = tmp_path / "made" / "published"
    publish(database, draft(database, tiling, "aabbcc"))
    publish(database, draft(database, tiling, "..dd..", line="special"))
    told = current.write(database, ANNA, folder)
    assert told["publications"] == [["board", "base", 1], ["board", "special", 1]]
    path = folder / "current.gpkg"
    names = {name for name, kind in pyogrio.list_layers(path).tolist() if kind is not None}
    assert names == {f"board_{line}_{layer}" for line in ("base", "special") for layer in ("grids", "cells")}
    grids = pyogrio.read_dataframe(path, layer="board_base_grids").set_index("code")
    assert grids.crs.to_epsg() == 4326
    assert grids["team_name"].to_dict() == {"a": "Team A", "b": "Team B", "c": "Team C"}
    assert (grids["customers"].to_dict(), set(grids["publication"])) == ({"a": 2.0, "b": 2.0, "c": 2.0}, {1})
    assert grids.geometry.is_valid.all()
    cells = pyogrio.read_dataframe(path, layer="board_special_cells")
    assert cells.set_index("cell")["grid"].dropna().to_dict() == {"x002y000": "d", "x003y000": "d"}
    names_and_measures = {"grid_name", "team_name", "area_km2", "customers", "publication"}
    assert set(cells) == {"cell", "grid", "team", "geometry"} | names_and_measures
    with closing(sqlite3.connect(path)) as file:
        columns = [row for name in names for row in file.execute(f'PRAGMA table_info("{name}")')]
        assert {row[2] for row in columns if row[1] in {"code", "name", "team", "cell", "grid"}} == {"TEXT"}
        styles = file.execute("SELECT f_table_name, styleQML, useAsDefault FROM layer_styles").fetchall()
        assert file.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    assert {name for name, _, default in styles if default} == names
    for _, style, _ in styles:
        assert ET.fromstring(style).tag == "qgis"
    assert [entry.name for entry in folder.iterdir()] == ["current.gpkg"]


def test_the_file_is_renewed_by_a_job_and_again_when_a_scheduled_one_takes_effect(
    database: Database, tmp_path: Path
) -> None:
    tiling = ground(database)
    plan = draft(database, tiling, "aabbcc")
    publishing.publish(database, ANNA, plan, 2, Wanted(), folder=tmp_path)
    assert _run_queued(database)["publications"] == [["board", "base", 1]]
    current.renew_due(database)
    assert _queued(database) == []
    plan = draft(database, tiling, "aaabcc")
    publishing.publish(
        database,
        ANNA,
        plan,
        2,
        Wanted(effective_at=datetime.now(UTC) + timedelta(seconds=1)),
        folder=tmp_path,
    )
    assert _run_queued(database)["publications"] == [["board", "base", 1]]
    time.sleep(1.1)
    current.renew_due(database)
    assert _run_queued(database)["publications"] == [["board", "base", 2]]
    current.renew_due(database)
    assert _queued(database) == []


def test_before_anything_is_in_force_there_is_no_file(database: Database, tmp_path: Path) -> None:
    tiling = ground(database)
    publish(database, draft(database, tiling, "aabbcc"), effective_at=soon(3))
    assert current.write(database, ANNA, tmp_path / "published")["publications"] == []
    assert list((tmp_path / "published").iterdir()) == []
    (tmp_path / "file").touch()
    with pytest.raises(InvalidInput, match="GRIDSVC_PUBLISHED_DIR"):
        current.write(database, ANNA, tmp_path / "file" / "published")


def _queued(database: Database) -> list[str]:
    with database.read() as reader:
        return [job.id for job in reader.jobs.list() if job.status == "queued"]


def _run_queued(database: Database) -> dict[str, Any]:
    from gridsvc import jobs as runner
    from gridsvc.services import jobs

    job = jobs.claim(database, "w", (current.KIND,))
    assert job is not None
    runner.run(database, job, "w")
    found = jobs.get(database, ANNA, job)
    assert found.status == "done", found.problem
    return dict(found.result)
