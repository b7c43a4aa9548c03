"""`GET /v1/events` as pages use it: a real server, real streams, and events written by another process."""

from __future__ import annotations

import asyncio
import http.client
import json
import os
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from fastapi.testclient import TestClient

from api import feed as feed_
from api.feed import Feed
from gridsvc.errors import Forbidden
from gridsvc.principal import SYSTEM, Principal
from gridsvc.services.events import TOPICS, Log, Told, Wanted, wanted
from gridsvc.store import Database
from tests.journey.served import served, serving
from tests.store.builders import ANNA, draft, ground

Event = dict[str, Any]


class Stream:
    """What a browser's EventSource does."""

    def __init__(self, base_url: str, query: str = "", last: int | None = None) -> None:
        parts = urlsplit(base_url)
        self._connection = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=10)
        headers = {} if last is None else {"Last-Event-ID": str(last)}
        self._connection.request("GET", f"/v1/events{query}", headers=headers)
        self.answer = self._connection.getresponse()
        assert self.answer.status == 200, self.answer.read()
        self.first = self.next()

    def next(self) -> Event:
        """The next event; empty at the end of the stream."""
        found: Event = {}
        for raw in self.answer:
            line = raw.decode().rstrip("\n")
            if line == "" and "event" in found:
                return found
            name, _, value = line.partition(": ")
            if name in {"id", "event", "data"}:
                found[name] = json.loads(value) if name != "event" else value
        return {}

    def take(self, number: int) -> list[Event]:
        return [self.next() for _ in range(number)]

    def close(self) -> None:
        self.answer.close()
        self._connection.close()


@contextmanager
def listening(base_url: str, query: str = "", last: int | None = None) -> Iterator[Stream]:
    stream = Stream(base_url, query, last)
    try:
        yield stream
    finally:
        stream.close()


def emit(database: Database, kind: str = "plan.moved", **payload: Any) -> None:
    with database.write(ANNA, "test") as uow:
        uow.emit(kind, payload)


@pytest.fixture
def base_url(database_url: str, tmp_path: Path) -> Iterator[str]:
    with serving(database_url, tmp_path) as found:
        yield found


def test_what_another_process_did_arrives_within_a_second(base_url: str, database: Database) -> None:
    with listening(base_url) as stream:
        assert stream.answer.headers["Content-Type"].startswith("text/event-stream")
        assert stream.answer.headers["Cache-Control"] == "no-cache"
        assert stream.answer.headers["X-Accel-Buffering"] == "no"
        assert stream.first["event"] == "ready"
        for revision in range(3):
            began = time.monotonic()
            emit(database, territory="elbe", revision=revision)
            event = stream.next()
            assert time.monotonic() - began < 1.0
            assert (event["event"], event["data"]) == (
                "plan.moved",
                {"territory": "elbe", "revision": revision},
            )
            assert event["id"] > stream.first["id"]


def test_a_stream_that_breaks_off_goes_on_without_gap_or_double(base_url: str, database: Database) -> None:
    total, seen, last = 1300, [], 0
    for n in range(700):
        emit(database, n=n)
    for turn in range(5):
        header, query = (last, "?last_event_id=0") if turn else (None, "?last_event_id=0")
        with listening(base_url, query, header) as stream:
            for n in range(700 + turn * 120, 700 + (turn + 1) * 120):
                emit(database, n=n)
            events = stream.take(260)  # breaks off in the middle of what there is
        seen += [event["data"]["n"] for event in events]
        last = events[-1]["id"]
    assert seen == list(range(total))


def test_streams_tell_what_is_asked_for_and_never_of_customers(base_url: str, database: Database) -> None:
    plan = draft(database, ground(database))
    with (
        listening(base_url) as everything,
        listening(base_url, "?topics=moves,publications") as two,
        listening(base_url, f"?plan={plan}") as one_plan,
        listening(base_url, "?territory=elbe&topics=plans,moves") as one_territory,
    ):
        emit(database, "customers.imported", territory="elbe")
        emit(database, "plan.solved", plan=plan)
        emit(database, "plan.moved", plan=plan)
        emit(database, "publication.published", territory="oder", n=3)
        emit(database, "job.done", plan=plan)
        emit(database, "job.queued", territory="elbe")
        kinds = ["plan.solved", "plan.moved", "publication.published", "job.done", "job.queued"]
        assert [event["event"] for event in everything.take(5)] == kinds
        assert [event["event"] for event in two.take(2)] == ["plan.moved", "publication.published"]
        assert [event["event"] for event in one_plan.take(3)] == ["plan.solved", "plan.moved", "job.done"]
        placed = one_territory.take(2)
        assert [event["event"] for event in placed] == ["plan.solved", "plan.moved"]
        assert placed[0]["data"] == {"plan": plan, "territory": "elbe"}


def test_requests_and_rosters_are_told_to_whom_may_read_them(base_url: str, database: Database) -> None:
    ground(database)
    with listening(base_url, "?topics=requests,rosters") as stream:
        emit(database, "request.opened", request="req_1", territory="elbe")
        emit(database, "customers.changed", territory="elbe")
        emit(database, "roster.appended", territory="elbe", roster=2)
        assert [event["event"] for event in stream.take(2)] == ["request.opened", "roster.appended"]
    planner = Principal("anna", frozenset({"plans:read", "roster:read"}))
    assert wanted(database, planner, None, None, None).topics == frozenset(TOPICS) - {"requests"}
    with pytest.raises(Forbidden, match="requests:read"):
        wanted(database, planner, frozenset({"requests"}), None, None)


def test_progress_of_jobs_is_told_and_not_kept_on_record(base_url: str, database: Database) -> None:
    ground(database)
    with database.write(ANNA, "test") as uow:
        job = uow.jobs.create("none-of-the-server's", {"plan": "pln_1"}, "elbe")
        uow.jobs.claim(job, "elsewhere/1/1/x")
    with listening(base_url, "?topics=jobs&territory=elbe") as stream:
        first = stream.next()
        assert (first["event"], first["data"]["share"], "id" in first) == ("job.progress", 0.0, False)
        with database.write(ANNA, "test") as uow:
            uow.jobs.progress(job, "elsewhere/1/1/x", 0.5, "half")
        data = stream.next()["data"]
        assert (data["job"], data["share"], data["message"], data["plan"]) == (job, 0.5, "half", "pln_1")
    with database.read(SYSTEM) as view:
        assert [event for event in view.outbox() if event.kind == "job.progress"] == []


def test_fifty_streams_leave_the_server_free_to_answer(base_url: str, database: Database) -> None:
    streams = [Stream(base_url, "?topics=moves") for _ in range(50)]
    deaf = streams.pop()  # one that never reads holds nobody up
    began = time.monotonic()
    with_streams = _asked(base_url, 100)
    assert with_streams < 5.0, with_streams
    for n in range(30):
        emit(database, n=n, filler="x" * 10_000)
    for stream in streams:
        assert [event["data"]["n"] for event in stream.take(30)] == list(range(30))
    assert time.monotonic() - began < 15.0
    for stream in (*streams, deaf):
        stream.close()
    assert _asked(base_url, 10) < 2.0


def _asked(base_url: str, times: int) -> float:
    began = time.monotonic()
    connection = http.client.HTTPConnection(urlsplit(base_url).netloc, timeout=10)
    for _ in range(times):
        connection.request("GET", "/v1/territories")
        answer = connection.getresponse()
        assert (answer.status, answer.read() != b"") == (200, True)
    connection.close()
    return time.monotonic() - began


@pytest.mark.parametrize("workers", [1, 2])
@pytest.mark.parametrize("by", [signal.SIGTERM, signal.SIGINT])
def test_a_server_with_open_streams_stops_at_once(
    migrated_file: Path, tmp_path: Path, workers: int, by: signal.Signals
) -> None:
    url = f"sqlite:///{tmp_path / 'stop.db'}"
    (tmp_path / "stop.db").write_bytes(migrated_file.read_bytes())
    with served(url, tmp_path, workers) as (base_url, process):
        streams = [Stream(base_url) for _ in range(5)]
        began = time.monotonic()
        os.kill(process.pid, by)
        assert streams[0].next() == {}
        process.wait(3)
        assert time.monotonic() - began < 3.0
        for stream in streams:
            stream.close()
    assert "Traceback" not in (tmp_path / "serve.log").read_text()


def test_an_event_of_the_future_tells_the_page_to_start_afresh(base_url: str, database: Database) -> None:
    emit(database, n=0)
    with listening(base_url, last=10**15) as stream:
        assert stream.first["event"] == "reset"
        emit(database, n=1)
        assert stream.next()["data"] == {"n": 1}


@pytest.mark.parametrize(
    ("query", "status", "field"),
    [
        ("?topics=moves,weather", 422, "topics"),
        ("?topics=,", 422, "topics"),
        ("?plan=pln_none", 404, "plan"),
        ("?territory=nowhere", 404, "territory"),
        ("?territory=No!", 422, "territory"),
        ("?last_event_id=-1", 422, "last_event_id"),
        ("?last_event_id=x", 422, "last_event_id"),
    ],
)
def test_a_wrong_wish_is_refused_before_the_stream(
    client: TestClient, query: str, status: int, field: str
) -> None:
    answer = client.get(f"/v1/events{query}")
    assert (answer.status_code, answer.json()["field"]) == (status, field)
    assert answer.json()["cure"]


def test_a_quiet_stream_gives_a_sign_of_life(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(feed_, "HEARTBEAT", 0.05)

    async def listen() -> list[Told | None]:
        feed = Feed(Log(database))
        told = feed.stream(Wanted(frozenset(TOPICS)), None)
        found = [await anext(told) for _ in range(3)]
        feed.close()
        with pytest.raises(StopAsyncIteration):
            await anext(told)
        feed.end()
        return found

    assert asyncio.run(listen()) == [Told(0, "ready", {}), None, None]
