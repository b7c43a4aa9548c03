"""Webhooks and their deliveries as use cases, on both databases; nothing is sent here."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from gridsvc.errors import Conflict, Forbidden, InvalidInput, NotFound
from gridsvc.exchange.posting import Outcome
from gridsvc.exchange.receivers import Receivers
from gridsvc.principal import SCOPES, SYSTEM, Principal
from gridsvc.services import deliveries, rosters, webhooks
from gridsvc.services.webhooks import Change
from gridsvc.store import Database
from gridsvc.store.records import Event, Idempotency
from gridsvc.store.webhooks import WebhookRecord
from tests.databases import Opener
from tests.services.board import ANNA
from tests.services.series import draft, ground, people, publish
from tests.store.builders import DAY_1, Clock, territory

LIST = Receivers.parse("hooks.example.com, 10.0.0.0/8")
URL = "https://hooks.example.com/t0ken"


def create(database: Database, *kinds: str, **more: Any) -> WebhookRecord:
    return webhooks.create(database, ANNA, LIST, URL, kinds, **more)


def emit(database: Database, kind: str, **payload: Any) -> int:
    with database.write(ANNA, "test") as uow:
        uow.emit(kind, payload)
    with database.read(SYSTEM) as reader:
        return reader.outbox_head()


def noted(database: Database, webhook: WebhookRecord) -> list[int]:
    """Numbers of the events which are to be sent, in the order in which they are."""
    deliveries.fan_out(database)
    with database.read(SYSTEM) as reader:
        return [part.event for part in reader.deliveries.due(webhook.id, 1000)]


def settle(database: Database, outcome: Outcome) -> None:
    for batch in deliveries.due(database):
        for part, _ in batch.parts:
            deliveries.record(database, part, outcome)


# --- webhooks


def test_a_webhook_is_made_shown_changed_and_deleted(database: Database) -> None:
    with database.write(ANNA, "test") as uow:
        uow.territories.create(territory())
    made = create(database, "publication")
    assert (made.url, made.kinds, made.territory, made.status) == (URL, ["publication"], None, "active")
    assert webhooks.get(database, ANNA, made.id) == made
    change = Change(kinds=["roster.appended"], territory="elbe", status="paused")
    changed = webhooks.update(database, ANNA, LIST, made.id, change)
    assert (changed.kinds, changed.territory, changed.status) == (["roster.appended"], "elbe", "paused")
    assert changed.secret == made.secret
    webhooks.remove(database, ANNA, made.id)
    with pytest.raises(NotFound):
        webhooks.get(database, ANNA, made.id)


def test_the_audit_knows_neither_secrets_nor_paths(database: Database) -> None:
    made = create(database)
    webhooks.update(database, ANNA, LIST, made.id, Change(rotate_secret=True))
    webhooks.remove(database, ANNA, made.id)
    with database.read(SYSTEM) as reader:
        audit = reader.audit_log()
    assert [row.action for row in audit] == ["webhook.delete", "webhook.update", "webhook.create"]
    assert "whsec_" not in str(audit)
    assert "t0ken" not in str(audit)
    assert "whsec_" not in repr(made)


def test_a_repeated_request_makes_no_second_webhook(database: Database) -> None:
    once = Idempotency("k", "d", "r")
    first, second = (create(database, idempotency=once) for _ in range(2))
    assert first == second
    assert webhooks.listing(database, ANNA, None, 10) == [first]


@pytest.mark.parametrize(
    ("change", "field"),
    [
        (Change(url="https://169.254.169.254/latest"), "url"),
        (Change(url="https://other.example/"), "url"),
        (Change(kinds=["publication.published", "weather"]), "kinds"),
        (Change(kinds=["publication.publ ished"]), "kinds"),
    ],
)
def test_what_may_not_be_is_refused_when_made_and_when_changed(
    database: Database, change: Change, field: str
) -> None:
    def nowhere(_host: str, _port: int) -> list[str]:
        raise OSError

    made = create(database)
    kinds = change.kinds or ()
    for make in (
        lambda: webhooks.create(database, ANNA, LIST, change.url or URL, kinds, resolved=nowhere),
        lambda: webhooks.update(database, ANNA, LIST, made.id, change, resolved=nowhere),
    ):
        with pytest.raises(InvalidInput) as refused:
            make()
        assert refused.value.field == field
        assert refused.value.cure
    assert webhooks.listing(database, ANNA, None, 10) == [made]


def test_a_territory_must_be_there(database: Database) -> None:
    with pytest.raises(NotFound, match="nowhere"):
        create(database, territory="nowhere")


@pytest.mark.parametrize("scope", ["webhooks:read", "webhooks:write"])
def test_each_use_needs_its_scope(database: Database, scope: str) -> None:
    made, who = create(database), Principal("crm", SCOPES - {scope})
    reads = [
        lambda: webhooks.get(database, who, made.id),
        lambda: webhooks.listing(database, who, None, 1),
        lambda: webhooks.deliveries(database, who, made.id, None, 1),
    ]
    writes = [
        lambda: webhooks.create(database, who, LIST, URL),
        lambda: webhooks.update(database, who, LIST, made.id, Change()),
        lambda: webhooks.remove(database, who, made.id),
        lambda: webhooks.test(database, who, made.id),
        lambda: webhooks.replay(database, who, made.id, 1),
    ]
    for use in reads if scope == "webhooks:read" else writes:
        with pytest.raises(Forbidden):
            use()


# --- which events


def test_a_webhook_is_told_of_what_happens_after_it_was_made_and_once(database: Database) -> None:
    emit(database, "job.done", job="j1")
    made = create(database)
    first, second = (
        emit(database, "job.done", job="j2"),
        emit(database, "roster.appended", territory="x", roster=1),
    )
    assert noted(database, made) == [first, second]
    assert noted(database, made) == [first, second]
    settle(database, Outcome(204))
    assert noted(database, made) == []


@pytest.mark.parametrize(
    ("kinds", "told"),
    [
        ([], "abcd"),
        (["publication"], "a"),
        (["plan.*"], "bc"),
        (["plan.moved", "job"], "bd"),
        (["roster"], ""),
    ],
)
def test_kinds_choose_events(database: Database, kinds: list[str], told: str) -> None:
    made = create(database, *kinds)
    names = {"a": "publication.published", "b": "plan.moved", "c": "plan.solved", "d": "job.done"}
    numbers = {emit(database, kind): letter for letter, kind in names.items()}
    assert "".join(numbers[event] for event in noted(database, made)) == told


def test_a_territory_chooses_events_also_those_of_its_plans(database: Database) -> None:
    tiling = ground(database)
    with database.write(ANNA, "test") as uow:
        uow.territories.create(territory())
    here, there = create(database, "plan", territory="board"), create(database, territory="elbe")
    moved = emit(database, "plan.moved", plan=draft(database, tiling, "aabbcc"))
    other = emit(database, "roster.appended", territory="elbe", roster=1)
    assert noted(database, here) == [moved]
    assert noted(database, there) == [other]


def test_a_test_goes_to_its_webhook_alone_whatever_its_kinds(database: Database) -> None:
    one, two = create(database, "publication"), create(database)
    webhooks.test(database, ANNA, one.id)
    assert (len(noted(database, one)), noted(database, two)) == (1, [])


def test_a_paused_webhook_goes_on_where_it_stopped(database: Database) -> None:
    made = create(database)
    webhooks.update(database, ANNA, LIST, made.id, Change(status="paused"))
    missed = emit(database, "job.done")
    deliveries.fan_out(database)
    assert (deliveries.due(database), deliveries.waiting(database)) == ([], False)
    with pytest.raises(Conflict, match="paused"):
        webhooks.test(database, ANNA, made.id)
    webhooks.update(database, ANNA, LIST, made.id, Change(status="active"))
    assert noted(database, made) == [missed]


def test_a_replay_sends_again_from_a_number_on_also_what_was_before_the_webhook(database: Database) -> None:
    early = [emit(database, "job.done") for _ in range(2)]
    made = create(database)
    late = [emit(database, "job.done") for _ in range(2)]
    assert noted(database, made) == late
    settle(database, Outcome(200))
    assert webhooks.replay(database, ANNA, made.id, early[1]) == late[-1]
    assert noted(database, made) == [early[1], *late]
    with pytest.raises(InvalidInput, match="no event") as refused:
        webhooks.replay(database, ANNA, made.id, late[-1] + 1)
    assert refused.value.field == "from_seq"


def test_what_is_replayed_while_it_is_being_sent_is_sent_again(database: Database) -> None:
    made = create(database)
    event = emit(database, "job.done")
    deliveries.fan_out(database)
    ((part, _),) = deliveries.due(database)[0].parts
    webhooks.replay(database, ANNA, made.id, event)
    deliveries.record(database, part, Outcome(200))
    assert noted(database, made) == [event]


# --- what is told


def test_a_message_has_ids_counts_and_a_link_but_no_names(database: Database) -> None:
    tiling = ground(database)
    create(database)
    for letters in ("aabbcc", "aaabcc"):
        publish(database, draft(database, tiling, letters))
    rosters.put(database, ANNA, "board", people(), valid_from=DAY_1, reason="from the start")
    with database.read(SYSTEM) as reader:
        events = {event.kind: event for event in reader.outbox(0, 1000)}
    number, body = deliveries.message(events["publication.published"])
    told = json.loads(body)
    assert (number, told["seq"]) == (
        f"evt_{events['publication.published'].id}",
        events["publication.published"].id,
    )
    assert told["type"] == "publication.published"
    assert {k: told["data"][k] for k in ("territory", "line", "n")} == {
        "territory": "board",
        "line": "base",
        "n": 2,
    }
    assert told["data"]["changes"] == "/v1/changes?territory=board&line=base&from=1&to=2"
    roster = json.loads(deliveries.message(events["roster.appended"])[1])["data"]
    assert roster["changes"] == "/v1/changes?territory=board&kind=roster&from=1&to=2"
    assert "anna" not in str([deliveries.message(event)[1] for event in events.values()])


@pytest.mark.parametrize(
    "payload",
    [
        {"customer": "secret"},
        {"customers": "secret"},
        {"customers": ["secret"]},
        {"cells": {"x": "secret"}},
        {"actor": "secret"},
        {"territory": {"name": "secret"}},
        {"read": "secret"},
        {"anything": "secret"},
    ],
)
def test_what_nobody_looked_at_is_not_told(payload: dict[str, Any]) -> None:
    event = Event(1, datetime.now(UTC), "customers.changed", payload)
    assert b"secret" not in deliveries.message(event)[1]


# --- how it goes on


@pytest.fixture
def clocked(open_database: Opener) -> tuple[Database, Clock]:
    clock = Clock(datetime.now(UTC))
    return open_database(clock=clock), clock


def delivery(database: Database, made: WebhookRecord) -> Any:
    return webhooks.deliveries(database, ANNA, made.id, None, 1)[0]


def test_what_fails_is_tried_again_ever_later(clocked: tuple[Database, Clock]) -> None:
    database, clock = clocked
    made = create(database)
    emit(database, "job.done")
    deliveries.fan_out(database)
    waits = []
    for attempt in range(1, 13):
        settle(database, Outcome(503))
        now = delivery(database, made)
        assert (now.status, now.attempts, now.answer) == ("waiting", attempt, 503)
        waits.append((now.next_at - clock.now).total_seconds())
        assert deliveries.due(database) == []
        clock.now = now.next_at
        assert len(deliveries.due(database)) == 1
    for attempt, wait in enumerate(waits):
        middle = min(5 * 3**attempt, 36_000)
        assert 0.5 * middle <= wait <= 1.5 * middle
    settle(database, Outcome(200))
    assert (delivery(database, made).status, delivery(database, made).next_at) == ("delivered", None)


def test_after_five_days_it_is_given_up(clocked: tuple[Database, Clock]) -> None:
    database, clock = clocked
    made = create(database)
    clock.now = datetime.now(UTC) - timedelta(days=5, minutes=1)
    emit(database, "job.done")
    deliveries.fan_out(database)
    settle(database, Outcome(None, "no answer in time"))
    now = delivery(database, made)
    assert (now.status, now.fault) == ("failed", "no answer in time")


def test_410_disables_the_webhook_until_it_is_taken_up_again(database: Database) -> None:
    made = create(database)
    event = emit(database, "job.done")
    deliveries.fan_out(database)
    settle(database, Outcome(410))
    now = webhooks.get(database, ANNA, made.id)
    assert (now.status, now.reason) == ("disabled", "the receiver answered 410: it wants nothing more")
    assert deliveries.due(database) == []
    with pytest.raises(Conflict, match="disabled"):
        webhooks.replay(database, ANNA, made.id, event)
    again = webhooks.update(database, ANNA, LIST, made.id, Change(status="active"))
    assert (again.status, again.reason) == ("active", None)
    webhooks.replay(database, ANNA, made.id, event)
    assert noted(database, made) == [event]


def test_what_was_settled_a_month_ago_is_forgotten(clocked: tuple[Database, Clock]) -> None:
    database, clock = clocked
    made = create(database)
    emit(database, "job.done")
    deliveries.fan_out(database)
    clock.now = datetime.now(UTC) - timedelta(days=31)
    with database.read(SYSTEM) as reader:
        (part,) = reader.deliveries.list(made.id)
    deliveries.record(database, part, Outcome(200))
    clock.now = datetime.now(UTC)
    kept = emit(database, "job.done")
    deliveries.fan_out(database)
    deliveries.forget_old(database)
    assert [d.event for d in webhooks.deliveries(database, ANNA, made.id, None, 10)] == [kept]


# --- who sends


def test_one_sends_at_a_time_until_it_lets_go_dies_or_falls_silent(clocked: tuple[Database, Clock]) -> None:
    database, clock = clocked

    def alive(_name: str) -> bool:
        return False

    assert deliveries.hold(database, "one", alive)
    assert deliveries.hold(database, "one", alive)
    assert not deliveries.hold(database, "two", alive)
    deliveries.let_go(database, "two")  # what it does not hold
    assert not deliveries.hold(database, "two", alive)
    deliveries.let_go(database, "one")
    assert deliveries.hold(database, "two", alive)
    assert deliveries.hold(database, "three", lambda name: name == "two")
    assert not deliveries.hold(database, "four", alive)
    clock.now += timedelta(seconds=31)
    assert deliveries.hold(database, "four", alive)


def test_of_many_who_begin_at_once_one_sends(database: Database) -> None:
    def alive(_name: str) -> bool:
        return False

    assert deliveries.hold(database, "one", alive)
    # Whoever looked before that writes now, and looks again.
    with database.write(ANNA, "test") as uow:
        assert not uow.deliveries.lease("two", alive, 30)
    assert deliveries.hold(database, "one", alive)


def test_a_sender_of_a_quiet_database_has_nothing_to_do(database: Database) -> None:
    assert not deliveries.waiting(database)
    emit(database, "job.done")
    assert not deliveries.waiting(database)
    create(database)
    assert not deliveries.waiting(database)
    emit(database, "job.done")
    assert deliveries.waiting(database)
    deliveries.fan_out(database)
    assert deliveries.waiting(database)
    settle(database, Outcome(200))
    assert not deliveries.waiting(database)
