"""Leads who change by the clock: told once, in order, whoever looks and however late; on both databases."""

from __future__ import annotations

import threading
import time
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from gridsvc.errors import InvalidInput
from gridsvc.principal import SYSTEM
from gridsvc.services import changes, deliveries, lead_turns, roster_changes, rosters
from gridsvc.services.changes import Wanted
from gridsvc.services.desk import Desk
from gridsvc.store import Database
from gridsvc.store.records import Event
from gridsvc.store.turns import TurnsTold
from gridsvc.supervisor import Supervisor
from gridsvc.teams.model import Member, Roster
from tests.services.board import ANNA
from tests.services.series import DAY, ground, people

KIND = "roster.lead-changed"


def told(database: Database) -> list[Event]:
    with database.read(SYSTEM) as reader:
        return [event for event in reader.outbox(0, 1000) if event.kind == KIND]


def leads(database: Database, **asked: Any) -> list[tuple[str, str, str]]:
    """Team with the lead before and after, of each row about a lead."""
    found = changes.find(Desk(database), ANNA, Wanted("board", "roster", **asked))
    rows = [dict(zip(found.columns, row, strict=True)) for row in found.rows(0, found.size)]
    return [(r["team"], r["before"]["person"], r["after"]["person"]) for r in rows if r["what"] == "lead"]


def by_the_link(database: Database, event: Event) -> list[tuple[str, str, str]]:
    """What the link in a webhook's message leads to."""
    link = deliveries._link(event)
    assert link is not None
    asked = {name: values[0] for name, values in parse_qs(urlsplit(link).query).items()}
    assert (asked["territory"], asked["kind"]) == ("board", "roster")
    numbers = {"before": int(asked["from"]), "after": int(asked["to"])}
    return leads(database, **numbers, before_at=asked["from_at"], after_at=asked["to_at"])


def succession(roster: Roster, team: str, heir: str, at: datetime) -> Roster:
    """`heir` leads a team from a moment on, beside what else they do, and who led it ends."""
    members = [replace(m, valid_until=at) if m.team == team else m for m in roster.members]
    return replace(roster, members=(*members, Member(team, heir, "lead", 0.0, 0.0, valid_from=at)))


@pytest.fixture
def board(database: Database) -> Database:
    """Roster 2: p-b succeeds in team a in 2 days, and p-c in team d in 5."""
    ground(database)
    now = datetime.now(UTC)
    made = succession(succession(people(), "a", "p-b", now + 2 * DAY), "d", "p-c", now + 5 * DAY)
    assert rosters.put(database, ANNA, "board", made) == 2
    return database


def days(number: float) -> datetime:
    return datetime.now(UTC) + number * DAY


def test_each_turn_is_one_event_once_it_has_come(board: Database) -> None:
    lead_turns.tell_due(board)
    assert told(board) == []
    for _ in range(2):  # the second time there is nothing new
        lead_turns.tell_due(board, days(3))
        (event,) = told(board)
    payload = event.payload
    assert (payload["territory"], payload["roster"], payload["teams"]) == ("board", 2, ["a"])
    lead_turns.tell_due(board, days(9))
    assert [e.payload["teams"] for e in told(board)] == [["a"], ["d"]]
    lead_turns.tell_due(board, days(99))
    assert len(told(board)) == 2


def test_a_message_has_no_people_and_its_link_leads_to_the_leads_before_and_after(board: Database) -> None:
    lead_turns.tell_due(board, days(9))
    first, second = told(board)
    assert by_the_link(board, first) == [("a", "p-a", "p-b")]
    assert by_the_link(board, second) == [("d", "p-d", "p-c")]
    body = deliveries.message(first)[1].decode()
    assert '"leads":1' in body
    assert "p-a" not in body
    assert "p-b" not in body


def test_after_a_restart_what_came_meanwhile_is_told_once(board: Database, database_url: str) -> None:
    lead_turns.tell_due(board, days(3))
    again = Database.open(database_url)
    try:
        lead_turns.tell_due(again, days(3))
        assert len(told(again)) == 1
        lead_turns.tell_due(again, days(30))
        assert [e.payload["teams"] for e in told(again)] == [["a"], ["d"]]
    finally:
        again.close()


def test_of_many_who_look_one_tells(board: Database, database_url: str) -> None:
    at, ready = days(9), threading.Barrier(4)

    def look() -> None:
        database = Database.open(database_url)
        ready.wait()
        lead_turns.tell_due(database, at)
        database.close()

    threads = [threading.Thread(target=look) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(told(board)) == 2


def test_a_roster_which_takes_a_turn_back_leaves_nothing_to_tell(board: Database) -> None:
    rosters.put(board, ANNA, "board", people())
    lead_turns.tell_due(board, days(99))
    assert told(board) == []


def test_a_scheduled_roster_is_a_turn_when_it_begins(board: Database) -> None:
    swap = {"a": "p-c", "c": "p-a"}
    members = tuple(Member(t.id, swap.get(t.id, f"p-{t.id}"), "lead") for t in people().teams)
    scheduled = replace(people(), members=members)
    rosters.put(board, ANNA, "board", scheduled, valid_from=days(1))
    lead_turns.tell_due(board, days(99))
    (event,) = told(board)
    assert (event.payload["former_roster"], event.payload["roster"]) == (2, 3)
    assert event.payload["teams"] == ["a", "c"]
    assert by_the_link(board, event) == [("a", "p-a", "p-c"), ("c", "p-c", "p-a")]


def test_a_turn_is_told_before_the_roster_which_is_appended_behind_it(database: Database) -> None:
    """The service was away: a turn came and nobody looked, then somebody appends a roster from the shell."""
    ground(database)
    turn = datetime.now(UTC) - timedelta(hours=1)
    rosters.put(
        database,
        ANNA,
        "board",
        succession(people(), "a", "p-b", turn),
        valid_from=turn - DAY,
        reason="late",
    )
    lead_turns.tell_due(database)
    assert told(database) == []  # told late, by the roster itself
    back = turn - timedelta(minutes=1)
    with database.write(ANNA, "test") as uow:
        uow.turns.note("board", TurnsTold(back, back))
    rosters.put(database, ANNA, "board", people())
    with database.read(SYSTEM) as reader:
        kinds = [e.kind for e in reader.outbox(0, 1000) if e.kind.startswith("roster.")]
    assert kinds[-2:] == [KIND, "roster.appended"]
    assert by_the_link(database, told(database)[0]) == [("a", "p-a", "p-b")]


def test_what_a_roster_changes_at_once_is_no_turn(board: Database) -> None:
    operations = [
        {"op": "change", "what": "member", "entry": {"team": "e", "person": "p-e", "role": "member"}},
        {"op": "add", "what": "member", "entry": {"team": "e", "person": "p-f", "role": "lead",
         "time_share": 0, "kpi_share": 0}},
    ]  # fmt: skip
    roster_changes.change(board, ANNA, "board", operations, base_roster=2)
    lead_turns.tell_due(board, days(1))
    assert told(board) == []


# --- who asks instead of being told


def test_who_says_up_to_when_they_know_learns_of_turns_since(board: Database) -> None:
    asked = {"before": 2, "after": 2}
    assert leads(board, **asked) == []
    assert leads(board, **asked, before_at=days(1), after_at=days(3)) == [("a", "p-a", "p-b")]
    assert leads(board, **asked, before_at=days(3), after_at=days(6)) == [("d", "p-d", "p-c")]
    assert leads(board, **asked, before_at=days(6), after_at=days(9)) == []


def test_pages_hold_on_to_their_moments(board: Database) -> None:
    wanted = Wanted("board", "roster", before=2, after=2, before_at=days(1), after_at=days(9))
    first = changes.page(Desk(board), ANNA, wanted, None, 1)
    assert first.next is not None
    rest = changes.page(Desk(board), ANNA, Wanted("board", "roster"), first.next, 5)
    assert [row[2] for row in (*first.rows, *rest.rows)] == ["a", "d"]
    assert (rest.found.before_at, rest.found.after_at) == (first.found.before_at, first.found.after_at)


@pytest.mark.parametrize(
    ("more", "field"),
    [
        ({"kind": "cell", "before_at": "2026-01-01"}, "from_at"),
        ({"kind": "roster", "before_at": "2026-01-02", "after_at": "2026-01-01"}, "to_at"),
        ({"kind": "roster", "before_at": "yesterday"}, "from_at"),
    ],
)
def test_moments_which_make_no_sense_are_refused(board: Database, more: Any, field: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        changes.find(Desk(board), ANNA, Wanted("board", before=1, **more))
    assert caught.value.field == field


def test_the_service_tells_by_itself(database: Database, database_url: str) -> None:
    ground(database)
    rosters.put(database, ANNA, "board", succession(people(), "a", "p-b", days(1 / 86_400)))
    supervisor = Supervisor(database_url)
    supervisor.start()
    try:
        end = time.monotonic() + 60
        while not told(database) and time.monotonic() < end:
            time.sleep(0.1)
    finally:
        supervisor.stop()
    assert [event.payload["teams"] for event in told(database)] == [["a"]]
