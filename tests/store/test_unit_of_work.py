"""All of a change, or none of it."""

from __future__ import annotations

import threading
import time

import pytest
import sqlalchemy as sa

from gridsvc.errors import Conflict, InvalidInput, NotFound
from gridsvc.principal import SYSTEM
from gridsvc.store import Database, Idempotency
from gridsvc.store.records import StoredResponse
from tests.databases import Opener
from tests.store.builders import ANNA, DAY_1, Clock, territory

ONCE = Idempotency("key-1", "digest-a", route="POST /v1/territories")


def create(database: Database, slug: str, request: Idempotency | None = None) -> None:
    with database.write(
        ANNA, "territories.create", idempotency=request, reason="new", request_id="r1"
    ) as work:
        work.territories.create(territory(slug))
        work.audit(f"territory:{slug}", None, {"b": 1, "a": [None, "地"]})
        work.emit("territory.created", {"id": slug})
        work.respond(201, {"id": slug, "an": 1})


def test_a_change_leaves_its_audit_its_event_and_its_answer(open_database: Opener) -> None:
    database = open_database(clock=Clock())
    create(database, "elbe", ONCE)
    with database.read(SYSTEM) as view:
        (entry,) = view.audit_log(10)
        (event,) = view.outbox(0, 10)
        assert view.replay("anna", ONCE) == StoredResponse(201, {"id": "elbe", "an": 1}, DAY_1)
    assert (entry.actor, entry.action, entry.subject) == ("anna", "territories.create", "territory:elbe")
    assert (entry.before, entry.after) == (None, {"b": 1, "a": [None, "地"]})
    assert list(entry.after) == ["b", "a"]
    assert (entry.reason, entry.request_id, entry.recorded_at) == ("new", "r1", DAY_1)
    assert (event.kind, event.payload, event.recorded_at) == ("territory.created", {"id": "elbe"}, DAY_1)


def test_an_error_inside_leaves_nothing(database: Database) -> None:
    with pytest.raises(ZeroDivisionError), database.write(ANNA, "test", idempotency=ONCE) as work:
        work.territories.create(territory())
        work.audit("territory:elbe", None, {})
        work.emit("territory.created", {})
        work.respond(201, {})
        raise ZeroDivisionError
    with database.read(SYSTEM) as view:
        assert view.territories.list() == []
        assert view.audit_log() == []
        assert view.outbox() == []
        assert view.replay("anna", ONCE) is None


def test_an_error_on_the_last_step_leaves_nothing(database: Database) -> None:
    with (
        pytest.raises(RuntimeError, match="must respond"),
        database.write(ANNA, "t", idempotency=ONCE) as work,
    ):
        work.territories.create(territory())
        work.audit("territory:elbe", None, {})
    with database.read(SYSTEM) as view:
        assert view.territories.list() == []
        assert view.audit_log() == []


def test_the_same_request_counts_once(database: Database) -> None:
    create(database, "elbe", ONCE)
    with pytest.raises(Conflict, match="already answered"):
        create(database, "oder", ONCE)
    with database.read(SYSTEM) as view:
        assert [t.id for t in view.territories.list()] == ["elbe"]


@pytest.mark.parametrize(
    "database_url", [pytest.param("postgis", marks=pytest.mark.postgis)], indirect=True
)  # embedded, one writer waits until the other has ended
def test_a_request_which_meets_its_own_change_is_told_so(database: Database) -> None:
    with (
        pytest.raises(Conflict, match="already answered"),
        database.write(ANNA, "t", idempotency=ONCE),
    ):
        create(database, "elbe", ONCE)
        raise Conflict("there is an elbe")


def test_a_key_used_with_another_body_is_refused(database: Database) -> None:
    create(database, "elbe", ONCE)
    other = Idempotency(ONCE.key, "digest-b", ONCE.route)
    with pytest.raises(InvalidInput, match="another body"):
        create(database, "oder", other)
    with database.read(SYSTEM) as view, pytest.raises(InvalidInput, match="another body"):
        view.replay("anna", other)


def test_keys_of_other_actors_and_routes_do_not_meet(database: Database) -> None:
    create(database, "elbe", ONCE)
    create(database, "oder", Idempotency(ONCE.key, "digest-b", "POST /v1/plans"))
    with database.read(SYSTEM) as view:
        assert view.replay("bert", ONCE) is None


def test_two_at_once_with_one_key_count_once(database: Database) -> None:
    outcomes: list[str] = []
    start = threading.Barrier(2)

    def attempt(slug: str) -> None:
        start.wait()
        try:
            create(database, slug, ONCE)
            outcomes.append("written")
        except Conflict:
            outcomes.append("refused")

    threads = [threading.Thread(target=attempt, args=(slug,)) for slug in ("elbe", "oder")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(outcomes) == ["refused", "written"]
    with database.read(SYSTEM) as view:
        assert len(view.territories.list()) == 1


def test_events_of_writers_at_once_become_visible_in_the_order_of_their_ids(database: Database) -> None:
    """A reader that goes on behind the last id it saw must miss nothing."""
    writers, each = 4, 15

    def emit(number: int) -> None:
        for i in range(each):
            with database.write(ANNA, "test") as work:
                work.emit("tick", [number, i])

    threads = [threading.Thread(target=emit, args=(number,)) for number in range(writers)]
    for thread in threads:
        thread.start()
    seen: list[list[int]] = []
    last = 0
    while True:
        finished = not any(thread.is_alive() for thread in threads)
        with database.read(SYSTEM) as view:
            events = view.outbox(last, 1000)
        seen += [event.payload for event in events]
        last = events[-1].id if events else last
        if finished:
            break
    for thread in threads:
        thread.join()
    assert sorted(seen) == [[number, i] for number in range(writers) for i in range(each)]


def test_audit_comes_newest_first_and_the_outbox_in_pages(database: Database) -> None:
    for i in range(3):
        with database.write(ANNA, "test") as work:
            work.audit(f"s{i}", None, i)
            work.emit("tick", i)
    with database.read(SYSTEM) as view:
        assert [entry.subject for entry in view.audit_log(2)] == ["s2", "s1"]
        first = view.outbox(0, 2)
        assert [event.payload for event in first] == [0, 1]
        assert [event.payload for event in view.outbox(first[-1].id, 2)] == [2]


@pytest.mark.parametrize("statement", ["UPDATE {} SET recorded_at = recorded_at", "DELETE FROM {}"])
@pytest.mark.parametrize("table", ["audit", "outbox"])
def test_what_was_noted_cannot_be_changed(database: Database, table: str, statement: str) -> None:
    with database.write(ANNA, "test") as work:
        work.audit("s", None, 1)
        work.emit("tick", 1)
    with pytest.raises(Conflict, match="never changed"), database._transaction(writes=True) as connection:
        connection.execute(sa.text(statement.format(table)))


def test_a_reference_to_nothing_is_named_as_such(database: Database) -> None:
    with pytest.raises(NotFound, match="not there"), database.write(ANNA, "test") as work:
        work.territories.create(territory(parent="nowhere"))


def test_writers_which_read_first_wait_for_each_other_instead_of_failing(database: Database) -> None:
    faults: list[BaseException] = []
    start = threading.Barrier(4)

    def run(slug: str) -> None:
        start.wait()
        try:
            with database.write(ANNA, "test") as work:
                work.territories.list()
                time.sleep(0.02)
                work.territories.create(territory(slug))
        except Conflict as fault:
            faults.append(fault)

    threads = [threading.Thread(target=run, args=(slug,)) for slug in "abcd"]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert faults == []
    with database.read(SYSTEM) as view:
        assert len(view.territories.list()) == 4
