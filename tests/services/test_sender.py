"""Events on their way: receivers fail and die, senders die, and each event arrives all the same."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import threading
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from standardwebhooks.webhooks import Webhook

from gridsvc import sender
from gridsvc.exchange.receivers import Receivers
from gridsvc.sender import Sender
from gridsvc.services import deliveries, webhooks
from gridsvc.services.webhooks import Change
from gridsvc.store import Database
from tests.exchange.listener import Received, listening
from tests.services.board import ANNA


def emit(database: Database, *numbers: int) -> None:
    """What a publication says in its own transaction."""
    for n in numbers:
        with database.write(ANNA, "test") as uow:
            uow.emit("publication.published", {"territory": "board", "line": "base", "n": n, "actor": "anna"})


def allowed(port: int) -> Receivers:
    return Receivers.parse(f"http://127.0.0.1:{port}")


@contextmanager
def sending(url: str, receivers: Receivers) -> Iterator[Sender]:
    found = Sender(url, receivers, poll=0.02)
    found.start()
    try:
        yield found
    finally:
        found.stop()


def until(ready: Callable[[], bool], seconds: float = 60.0) -> None:
    end = time.monotonic() + seconds
    while not ready():
        assert time.monotonic() < end, "it did not come to that"
        time.sleep(0.02)


def all_settled(database: Database, webhook: str, events: int) -> Callable[[], bool]:
    def settled() -> bool:
        found = webhooks.deliveries(database, ANNA, webhook, None, 1000)
        return len(found) == events and all(d.status == "delivered" for d in found)

    return settled


@pytest.fixture(autouse=True)
def hasty(monkeypatch: pytest.MonkeyPatch) -> None:
    """Seconds instead of days."""
    monkeypatch.setattr(deliveries, "_FIRST", 0.02)
    monkeypatch.setattr(deliveries, "_LONGEST", 0.2)


class Moody:
    """Fails three times of ten: by a status, or breaking off before or after it has taken the message."""

    def __init__(self, seed: int) -> None:
        self._random, self.taken = random.Random(seed), list[Received]()

    def __call__(self, message: Received, _handler: Any) -> int | None:
        mood = self._random.random()
        if mood < 0.1:
            return 503
        if mood < 0.2:
            return None
        self.taken.append(message)
        return None if mood < 0.3 else 200


def test_each_event_arrives_though_the_receiver_fails_and_dies_twice(
    database: Database, database_url: str
) -> None:
    moody, events = Moody(7), 60
    with listening(moody) as listener:
        port = listener.port
        made = webhooks.create(
            database, ANNA, allowed(port), f"http://127.0.0.1:{port}/hook", ["publication"]
        )
        with sending(database_url, allowed(port)):
            emit(database, *range(1, 21))
            until(lambda: len(moody.taken) > 10)
    # It is dead now, and events go on.
    with sending(database_url, allowed(port)):
        emit(database, *range(21, 41))
        until(lambda: tried_in_vain(database, made.id))
        with listening(moody, port=port):
            until(lambda: len(moody.taken) > 40)
        emit(database, *range(41, 61))
        time.sleep(0.3)
        with listening(moody, port=port):
            until(all_settled(database, made.id, events))
    check(moody.taken, made.secret, range(1, 61))


def tried_in_vain(database: Database, webhook: str) -> bool:
    found = webhooks.deliveries(database, ANNA, webhook, None, 1000)
    return any(d.fault == "the connection failed" for d in found)


def check(taken: list[Received], secret: str, expected: range) -> None:
    """As a receiver does: verify, drop what it knows by its id, and order by seq."""
    bodies, verifier = defaultdict(set), Webhook(secret)
    for message in taken:
        verifier.verify(message.body, message.headers)
        bodies[message.headers["webhook-id"]].add(message.body)
    assert all(len(same) == 1 for same in bodies.values())
    told = sorted((json.loads(body) for (body,) in bodies.values()), key=lambda event: event["seq"])
    assert [event["data"]["n"] for event in told] == list(expected)
    assert {name: json.loads(body)["seq"] for name, (body,) in bodies.items()} == {
        f"evt_{event['seq']}": event["seq"] for event in told
    }


KILLED = """
import sys, time
from gridsvc.exchange.receivers import Receivers
from gridsvc.sender import Sender
from gridsvc.services import deliveries
deliveries._FIRST = 0.02
Sender(sys.argv[1], Receivers.parse(sys.argv[2]), poll=0.02).start()
time.sleep(60)
"""


def test_each_event_arrives_though_senders_are_killed(database: Database, database_url: str) -> None:
    arrived = threading.Event()
    taken: list[Received] = []

    def take(message: Received, _handler: Any) -> int:
        taken.append(message)
        arrived.set()
        time.sleep(0.02)  # so that the sender dies between the answer and its note
        return 200

    with listening(take) as listener:
        list_ = f"http://127.0.0.1:{listener.port}"
        made = webhooks.create(database, ANNA, Receivers.parse(list_), f"{list_}/hook")
        emit(database, *range(1, 41))
        for _ in range(2):
            arrived.clear()
            child = subprocess.Popen([sys.executable, "-c", KILLED, database_url, list_])
            assert arrived.wait(30)
            os.kill(child.pid, signal.SIGKILL)
            child.wait()
        with sending(database_url, Receivers.parse(list_)):
            until(all_settled(database, made.id, 40))
    check(taken, made.secret, range(1, 41))


def test_two_senders_do_not_send_twice(database: Database, database_url: str) -> None:
    taken: list[Received] = []

    def take(message: Received, _handler: Any) -> int:
        taken.append(message)
        return 200

    with listening(take) as listener:
        made = webhooks.create(database, ANNA, allowed(listener.port), f"http://127.0.0.1:{listener.port}/")
        with sending(database_url, allowed(listener.port)), sending(database_url, allowed(listener.port)):
            emit(database, *range(1, 31))
            until(all_settled(database, made.id, 30))
    assert [json.loads(message.body)["data"]["n"] for message in taken] == list(range(1, 31))


def test_a_slow_receiver_keeps_no_other_waiting(
    database: Database, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(deliveries, "SECONDS", 5.0)
    released = threading.Event()

    def slow(_message: Received, _handler: Any) -> int:
        released.wait(5)
        return 200

    with listening(slow) as one, listening(lambda *_: 200) as two:
        receivers = Receivers.parse(f"http://127.0.0.1:{one.port}, http://127.0.0.1:{two.port}")
        slow_one, quick_one = (
            webhooks.create(database, ANNA, receivers, f"http://127.0.0.1:{listener.port}/")
            for listener in (one, two)
        )
        with sending(database_url, receivers):
            emit(database, 1, 2, 3)
            until(all_settled(database, quick_one.id, 3), 4)
            assert not all_settled(database, slow_one.id, 3)()
            released.set()
            until(all_settled(database, slow_one.id, 3))


def test_stopping_does_not_wait_for_a_slow_receiver(
    database: Database, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sender, "_PATIENCE", 0.2)
    with listening(lambda *_: time.sleep(3)) as listener:
        made = webhooks.create(database, ANNA, allowed(listener.port), f"http://127.0.0.1:{listener.port}/")
        with sending(database_url, allowed(listener.port)):
            emit(database, 1)
            until(lambda: bool(listener.messages))
            start = time.monotonic()
        assert time.monotonic() - start < 2.0
    assert webhooks.deliveries(database, ANNA, made.id, None, 1)[0].status == "waiting"


def test_410_ends_it(database: Database, database_url: str) -> None:
    with listening(lambda *_: 410) as listener:
        made = webhooks.create(database, ANNA, allowed(listener.port), f"http://127.0.0.1:{listener.port}/")
        with sending(database_url, allowed(listener.port)):
            emit(database, 1)
            until(lambda: webhooks.get(database, ANNA, made.id).status == "disabled")
            emit(database, 2)
            time.sleep(0.3)
    assert len(listener.messages) == 1


def test_redirects_are_not_followed_to_where_nobody_may_be_sent(
    database: Database, database_url: str
) -> None:
    with listening(lambda *_: 302) as listener:
        made = webhooks.create(database, ANNA, allowed(listener.port), f"http://127.0.0.1:{listener.port}/")
        with sending(database_url, allowed(listener.port)):
            emit(database, 1)
            until(lambda: len(listener.messages) > 1)
    assert {message.path for message in listener.messages} == {"/"}
    assert webhooks.deliveries(database, ANNA, made.id, None, 1)[0].answer == 302


def test_what_is_taken_off_the_list_is_not_sent_to_any_more(database: Database, database_url: str) -> None:
    with listening(lambda *_: 200) as listener:
        made = webhooks.create(database, ANNA, allowed(listener.port), f"http://127.0.0.1:{listener.port}/")
        with sending(database_url, Receivers.parse("hooks.example.com")):
            emit(database, 1)
            until(lambda: bool(faults(database, made.id)))
    assert faults(database, made.id) == ["the host 127.0.0.1 is not on the list of receivers"]
    assert listener.messages == []


def faults(database: Database, webhook: str) -> list[str]:
    return [d.fault for d in webhooks.deliveries(database, ANNA, webhook, None, 10) if d.fault]


def test_a_name_which_changes_where_it_leads_is_not_followed(database: Database, database_url: str) -> None:
    """The name leads to the listed address when it is given, and elsewhere when it is asked again."""
    answers = iter([["127.0.0.1"], ["169.254.169.254"], ["192.168.0.1"]])

    def resolved(_host: str, _port: int) -> list[str]:
        return next(answers)

    receivers = Receivers.parse("127.0.0.0/8")
    with listening(lambda *_: 200) as listener:
        url = f"https://rebinding.example:{listener.port}/"
        made = webhooks.create(database, ANNA, receivers, url, resolved=resolved)
        emit(database, 1)
        deliveries.fan_out(database)
        ((_, event),) = deliveries.due(database)[0].parts
        assert deliveries.send(receivers, made, event, resolved=resolved).fault == (
            "the address is one which is never sent to"
        )
        assert deliveries.send(receivers, made, event, resolved=resolved).fault == (
            "the host rebinding.example is not on the list of receivers"
        )
    assert listener.messages == []


def test_while_a_secret_is_replaced_receivers_with_either_verify(
    database: Database, database_url: str
) -> None:
    with listening(lambda *_: 200) as listener:
        receivers = allowed(listener.port)
        made = webhooks.create(database, ANNA, receivers, f"http://127.0.0.1:{listener.port}/")
        new = webhooks.update(database, ANNA, receivers, made.id, Change(rotate_secret=True))
        with sending(database_url, receivers):
            emit(database, 1)
            until(lambda: bool(listener.messages))
        past = webhooks.OVERLAP * 2
        with database.write(ANNA, "test") as uow:
            assert new.former_until is not None
            uow.webhooks.change(made.id, former_until=new.former_until - past)
        with sending(database_url, receivers):
            emit(database, 2)
            until(lambda: len(listener.messages) > 1)
    assert new.secret != made.secret
    first, second = listener.messages[0], listener.messages[-1]
    for secret in (made.secret, new.secret):
        Webhook(secret).verify(first.body, first.headers)
    Webhook(new.secret).verify(second.body, second.headers)
    assert len(second.headers["webhook-signature"].split()) == 1
