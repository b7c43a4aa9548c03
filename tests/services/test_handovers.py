"""A leaver or a moved grid in one operation: shown, proved, written once, seen by lookups at each date."""

from __future__ import annotations

import itertools
import os
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gridsvc.customers.arrivals import Arrival
from gridsvc.errors import Conflict, Forbidden, InvalidInput
from gridsvc.principal import SYSTEM, Principal
from gridsvc.services import grid_handovers, handovers, orders, ownership, rosters, team_rules
from gridsvc.services.desk import Asked, Desk
from gridsvc.services.grid_handovers import MovedGrid
from gridsvc.services.handovers import Heir, Leaver
from gridsvc.store import Database
from gridsvc.store.database import Reader
from gridsvc.store.records import Idempotency
from gridsvc.teams.model import Department, Named
from tests.services.board import ANNA
from tests.services.boards import BOTH, copied, laid_once
from tests.services.series import DAY, TEAMS, draft, ground, out, owner, publish, soon
from tests.store.builders import DAY_1

SIZE = int(os.environ.get("GRIDSVC_PROOF_HANDOVERS", "3"))


def lay(database: Database) -> None:
    publish(database, draft(database, ground(database), "aabbcc"))


@pytest.fixture(scope="module")
def laid(migrated_file: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return laid_once(migrated_file, tmp_path_factory.mktemp("board") / "laid.db", lay)


@pytest.fixture
def board(request: pytest.FixtureRequest, laid: Path, tmp_path: Path) -> Iterator[Database]:
    yield from copied(request, laid, tmp_path, lay)


def lead(database: Database, cell: str, days: float = 0.0) -> tuple[Any, ...]:
    asked = {"as_of": soon(days)} if days else {}
    found = owner(database, cell, **asked)["lead"]
    return found["id"], found["acting"]


def leave(database: Database, person: str, *heirs: Heir, days: float = 10, **more: Any) -> Any:
    options = {name: more.pop(name) for name in ("dry_run", "idempotency") if name in more}
    wanted = Leaver(person, heirs, "retires", soon(days), **more)
    return handovers.leave(database, ANNA, "board", wanted, **options)


def number(database: Database) -> int:
    return rosters.get(database, ANNA, "board")[0]


@BOTH
def test_a_leaver_is_followed_by_who_stands_in_and_then_by_the_successor(board: Database) -> None:
    made = leave(board, "p-a", Heir("p-d", start=soon(20), acting="p-b"))
    assert made.roster == 2 == number(board)
    assert [lead(board, "x000y000", days) for days in (0, 9, 11, 21)] == [
        ("p-a", False),
        ("p-a", False),
        ("p-b", True),
        ("p-d", False),
    ]
    assert made.told["proof"]["after"]["orphans"] == []
    assert made.told["teams"] == [
        {
            "team": "a",
            "grids": ["a"],
            "lead_before": "p-a",
            "lead_from": "p-b",
            "lead_after": "p-d",
            "named": 0,
        }
    ]
    assert handovers.get(board, ANNA, "board", made.id) == (made, "scheduled")


def test_a_trial_shows_the_same_and_writes_nothing(board: Database) -> None:
    heir = Heir("p-d")
    shown = leave(board, "p-a", heir, dry_run=True)
    assert (shown.id, shown.roster, number(board)) == ("", None, 1)
    assert handovers.listing(board, ANNA, "board") == []
    made = leave(board, "p-a", heir)
    assert [p["to"] for p in made.told["passed"]] == [p["to"] for p in shown.told["passed"]] == ["p-d"]


def test_nothing_may_be_nobodys_at_any_moment(board: Database) -> None:
    for heirs in ((), (Heir("p-d", start=soon(11)),)):  # nobody, or a day late
        with pytest.raises(
            InvalidInput, match=r"grid a would be nobody's from .* team 'a' has no lead"
        ) as found:
            leave(board, "p-a", *heirs)
        assert found.value.details["orphans"][0]["grids"] == ["a"]
    assert number(board) == 1


@BOTH
def test_the_note_tells_who_and_why_and_others_are_told_of_it(board: Database) -> None:
    made = leave(board, "p-a", Heir("p-d"))
    with board.read(SYSTEM) as reader:
        event = reader.outbox()[-1]
        audited = reader.audit_log(2)
    assert (made.recorded_by, made.reason) == ("anna", "retires")
    assert event.kind == "handover.made"
    assert {event.payload["handover"], event.payload["roster"]} == {made.id, made.roster}
    assert {row.reason for row in audited} == {"retires"}
    assert "Person" not in str([row.after for row in audited])


@BOTH
def test_a_repeated_request_counts_once(board: Database) -> None:
    once = Idempotency("k", "digest")
    first = leave(board, "p-a", Heir("p-d"), idempotency=once)
    assert leave(board, "p-a", Heir("p-d"), idempotency=once).id == first.id
    assert number(board) == 2


@BOTH
def test_a_roster_which_is_scheduled_gets_the_same_change(board: Database) -> None:
    base = rosters.get(board, ANNA, "board")[1]
    rosters.put(board, ANNA, "board", base, valid_from=soon(30))
    leave(board, "p-a", Heir("p-d"))
    assert [lead(board, "x000y000", days)[0] for days in (0, 11, 31)] == ["p-a", "p-d", "p-d"]


def test_who_left_takes_over_from_nobody_until_taken_in_again(board: Database) -> None:
    leave(board, "p-a", Heir("p-d"), days=1)
    with pytest.raises(InvalidInput, match="'p-a' left on") as found:
        leave(board, "p-b", Heir("p-a"), days=2)
    assert (found.value.row, found.value.field) == (1, "person")


def test_a_place_does_not_come_back_at_the_moment_it_was_given_up(board: Database) -> None:
    at = soon(5)
    handovers.leave(board, ANNA, "board", Leaver("p-a", (Heir("p-d"),), "retires", at))
    with pytest.raises(InvalidInput, match="'p-a' left on"):
        handovers.leave(board, ANNA, "board", Leaver("p-d", (Heir("p-a"),), "retires", at))


@BOTH
def test_a_head_who_leaves_is_followed_by_who_stands_in_or_by_the_head_above(board: Database) -> None:
    base = rosters.get(board, ANNA, "board")[1]
    chart = (Department("m", "Marketing", "c", "p-a"), Department("c", "Company", head="p-h"))
    rosters.put(board, ANNA, "board", replace(base, departments=chart))
    shown = leave(board, "p-a", Heir("p-d"), dry_run=True).told["answering"]
    assert shown == [{"department": "m", "person": "p-h", "of": "c", "acting": False}]
    made = leave(board, "p-a", Heir("p-d"), heads=(("m", "p-e"),))
    assert made.told["answering"] == [{"department": "m", "person": "p-e", "of": "m", "acting": True}]
    before, after = (orders.orders(board, ANNA, "board", "p-b", "other", at=soon(d)) for d in (9, 11))
    assert [(g["person"]["id"], g["acting"]) for g in before["by"]] == [("p-a", False)]
    assert [(g["person"]["id"], g["acting"]) for g in after["by"]] == [("p-e", True)]
    assert after["why"].endswith("Person a, head of Marketing, has left: Person e stands in.")
    told = team_rules.violations(board, ANNA, "board", at=soon(11)).violations
    assert "department_head" not in {violation.rule for violation in told}
    roster = rosters.get(board, ANNA, "board")[1]
    nobody = tuple(replace(d, acting_head=None) for d in roster.departments)
    rosters.put(board, ANNA, "board", replace(roster, departments=nobody))
    late = orders.orders(board, ANNA, "board", "p-b", "other", at=soon(11), lang="zh")
    assert [(g["person"]["id"], g["department"]) for g in late["by"]] == [("p-h", "c")]
    assert late["why"].endswith("Marketing 负责人 Person a 已离开，改由上级部门负责。")
    told = team_rules.violations(board, ANNA, "board", at=soon(11)).violations
    (found,) = [violation for violation in told if violation.rule == "department_head"]
    assert found.sentence[0].startswith("p-a, head of m, has left: p-h, head of c, gives its")


def test_the_roster_of_before_put_back_undoes_it_and_the_note_says_so(board: Database) -> None:
    before = rosters.get(board, ANNA, "board")[1]
    made = leave(board, "p-a", Heir("p-d"))
    rosters.put(board, ANNA, "board", before, reason="stays after all")
    assert [lead(board, "x000y000", days)[0] for days in (0, 11)] == ["p-a", "p-a"]
    assert handovers.get(board, ANNA, "board", made.id)[1] == "undone"
    assert leave(board, "p-a", Heir("p-d")).id  # and may be made again


def test_a_wrong_date_or_base_is_refused(board: Database) -> None:
    with pytest.raises(InvalidInput, match="roster 1 counts since") as early:
        leave(board, "p-a", Heir("p-d"), days=-40_000)
    with pytest.raises(Conflict, match="roster 1 is in force, not 7") as stale:
        leave(board, "p-a", Heir("p-d"), base_roster=7)
    assert (early.value.field, stale.value.field) == ("effective_at", "base_roster")
    assert number(board) == 1


def test_what_is_wrong_with_a_successor_names_the_row(board: Database) -> None:
    for heir, field in ((Heir("p-d", start="soon"), "from"), (Heir("p-d", time_share=1.5), "time_share")):
        with pytest.raises(InvalidInput) as found:
            leave(board, "p-a", heir)
        assert (found.value.source, found.value.row, found.value.field) == ("successors", 1, field)
        assert found.value.cure


def test_a_reason_is_needed_and_the_scope(board: Database) -> None:
    with pytest.raises(InvalidInput, match="needs a reason"):
        handovers.leave(board, ANNA, "board", Leaver("p-a", (Heir("p-d"),), " "))
    reads = Principal("eve", frozenset({"roster:read"}))
    with pytest.raises(Forbidden):
        handovers.leave(board, reads, "board", Leaver("p-a", (Heir("p-d"),), "why"))


# --- grids


@BOTH
def test_a_grid_goes_to_another_team_by_a_draft_which_is_published(board: Database) -> None:
    wanted = MovedGrid("b", "d", "nearer", soon(10))
    made, refused = grid_handovers.move_grid(board, ANNA, "board", wanted, and_publish=True)
    assert refused is None
    assert [owner(board, "x002y000", as_of=soon(d))["team"]["id"] for d in (1, 9, 11)] == ["b", "b", "d"]
    assert owner(board, "x000y000", as_of=soon(11))["team"]["id"] == "a"
    assert out(board, 2) == "aabbcc"
    assert handovers.get(board, ANNA, "board", made.id)[1] == "scheduled"


@BOTH
def test_without_publishing_it_says_which_draft(board: Database) -> None:
    wanted = MovedGrid("b", "d", "nearer", soon(10))
    made, _ = grid_handovers.move_grid(board, ANNA, "board", wanted)
    assert made.plan is not None
    assert handovers.get(board, ANNA, "board", made.id)[1] == "draft"
    assert owner(board, "x002y000", as_of=soon(11))["team"]["id"] == "b"
    publish(board, made.plan, 1)
    assert handovers.get(board, ANNA, "board", made.id)[1] == "done"
    assert owner(board, "x002y000")["team"]["id"] == "d"


def test_a_wrong_grid_or_team_is_refused(board: Database) -> None:
    for grid, team, field in (("z", "d", "grid"), ("b", "z", "team"), ("b", "b", "team")):
        with pytest.raises(InvalidInput) as found:
            grid_handovers.move_grid(board, ANNA, "board", MovedGrid(grid, team, "nearer"))
        assert found.value.field == field
        assert found.value.cure


def test_a_grid_does_not_go_to_a_team_before_something_scheduled(board: Database) -> None:
    with board.read(SYSTEM) as reader:
        tiling = _tiling(reader)
    later = draft(board, tiling, "aaabbb")
    publish(board, later, effective_at=soon(20))
    with pytest.raises(Conflict, match="scheduled"):
        grid_handovers.move_grid(board, ANNA, "board", MovedGrid("b", "d", "nearer", soon(10)))


def _tiling(reader: Reader) -> str:
    return reader.publications.newest("board", "base").tiling  # type: ignore[union-attr]


# --- any handovers

Step = tuple[str, str, str, int, int, str | None]
_rounds = itertools.count(1)


@st.composite
def said(draw: st.DrawFn) -> list[Step]:
    person = st.sampled_from([f"p-{team}" for team in TEAMS[:5]])
    kind = st.sampled_from(["leaver", "leaver", "grid"])
    one = st.tuples(kind, person, person, st.integers(0, 9), st.integers(0, 4), st.none() | person)
    return draw(st.lists(one, min_size=1, max_size=5))


def take(database: Database, step: Step, start: datetime) -> bool:
    kind, one, other, day, later, acting = step
    at = start + day * DAY
    try:
        if kind == "grid":
            wanted = MovedGrid("abc"[day % 3], other[-1], "any", at)
            return grid_handovers.move_grid(database, ANNA, "board", wanted, and_publish=True)[1] is None
        heir = Heir(other, start=at + later * DAY, acting=acting)
        handovers.leave(database, ANNA, "board", Leaver(one, (heir,), "any", at))
    except (InvalidInput, Conflict) as error:
        assert error.cure
        return False
    return True


@BOTH
@settings(max_examples=SIZE, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(said=said())
def test_no_grid_and_no_customer_is_without_owner_at_any_date(peopled: Database, said: list[Step]) -> None:
    at_first = rosters.get(peopled, ANNA, "board")[1]
    start = datetime.now(UTC) + 30 * next(_rounds) * DAY  # behind what is scheduled by rounds before
    for step in said:
        take(peopled, step, start)
    desk = Desk(peopled)
    for day in [d + shift for d in range(0, 15, 2) for shift in (-0.01, 0.01)]:
        asked = Asked("board", as_of=start + day * DAY)
        owners = [ownership.cell(desk, ANNA, f"x00{x}y000", asked=asked) for x in (0, 2, 5)]
        owners += [ownership.customer(desk, ANNA, name, asked=asked) for name in ("k", "named")]
        for found in owners:
            assert found.status == "owned" and found.team is not None
            assert found.lead is not None, (day, found)
    with peopled.write(ANNA, "test") as uow:  # people are put back for the next round
        rosters.append(uow, "board", at_first, datetime.now(UTC), "again")


@pytest.fixture
def peopled(board: Database) -> Database:
    """The board with a customer in a cell, and one on the name list."""
    with board.write(ANNA, "test") as uow:
        uow.changes.begin()
        told = [Arrival(name, DAY_1, DAY_1, None, 2, 0, 0.0, 0.0) for name in ("k", "named")]
        uow.changes.append("board", _tiling(uow), told)
        roster = uow.rosters.get("board", 1)
        rosters.append(uow, "board", replace(roster, named=(Named("named", "e", "bank"),)), now(), "list")
    return board


def now() -> datetime:
    return datetime.now(UTC)
