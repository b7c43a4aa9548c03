"""What /metrics tells, and that it tells of no customer."""

from __future__ import annotations

import asyncio
import re
import shutil
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient

from api.app import create_app
from api.counting import Front
from api.door import Door
from api.lookup import Lookup
from gridsvc.config import Settings
from gridsvc.ownership.live import Live
from tests.api.asgi import ask
from tests.api.strip import make_territory, make_tiling, publish

SAMPLE = re.compile(
    r'(?P<name>[a-z_]+)(?:\{(?P<labels>(?:[a-z]+="(?:[^"\\\n]|\\["\\n])*",?)+)\})? (?P<value>\S+)'
)


def measured(text: str) -> dict[str, dict[tuple[str, ...], float]]:
    """Value by name and values of labels; fails on a line which is not of the form."""
    found: dict[str, dict[tuple[str, ...], float]] = {}
    for line in text.splitlines():
        if re.fullmatch(r"# (HELP [a-z_]+ \S.*|TYPE [a-z_]+ (counter|gauge|histogram|summary))", line):
            continue
        sample = SAMPLE.fullmatch(line)
        assert sample is not None, line
        values = tuple(re.findall(r'="((?:[^"\\]|\\.)*)"', sample["labels"] or ""))
        of_name = found.setdefault(sample["name"], {})
        assert values not in of_name, f"told twice: {line}"
        of_name[values] = float(sample["value"])
    return found


@pytest.fixture
def service(tmp_path: Path, migrated_file: Path) -> Iterator[tuple[TestClient, Settings]]:
    shutil.copy(migrated_file, tmp_path / "api.db")
    settings = Settings(data_dir=tmp_path, database_url=f"sqlite:///{tmp_path / 'api.db'}")
    with TestClient(create_app(settings), raise_server_exceptions=False) as client:
        yield client, settings


def ask_metrics(client: TestClient) -> dict[str, dict[tuple[str, ...], float]]:
    answer = client.get("/metrics")
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "text/plain; version=0.0.4; charset=utf-8"
    return measured(answer.text)


def test_requests_are_counted_by_template_and_status(service: tuple[TestClient, Settings]) -> None:
    client, _ = service
    for _ in range(3):
        client.get("/v1/jobs/job_which_is_secret")
    client.get("/v1/territories")
    client.get("/nowhere/at/all")
    client.put("/v1/territories")
    told = ask_metrics(client)
    requests = told["gridsvc_requests_total"]
    assert requests["GET", "/v1/jobs/{job}", "404"] == 3
    assert requests["GET", "/v1/territories", "200"] == 1
    assert requests["(none)", "(none)", "404"] == 1
    assert sum(count for (_, path, _), count in requests.items() if path == "(none)") == 2
    assert told["gridsvc_request_seconds_count"]["GET", "/v1/jobs/{job}"] == 3
    assert told["gridsvc_request_seconds_sum"]["GET", "/v1/jobs/{job}"] > 0
    assert "secret" not in client.get("/metrics").text


def test_jobs_publications_and_what_is_to_be_told(service: tuple[TestClient, Settings]) -> None:
    client, _ = service
    make_territory(client)
    territory = publish(client, make_tiling(client))["territory"]
    told = ask_metrics(client)
    assert told["gridsvc_publication"][territory, "base"] == 1
    assert 0 <= told["gridsvc_publication_age_seconds"][territory, "base"] < 600
    assert told["gridsvc_publication_customers_changed"][territory, "base"] == 0
    assert told["gridsvc_publication_drifted"][territory, "base"] == 0
    assert told["gridsvc_jobs_ended_day"]["tile", "done"] == 1
    assert told["gridsvc_job_seconds_day"]["tile", "done"] > 0
    assert told["gridsvc_outbox_waiting"]["event",] == 0
    assert told["gridsvc_seq"][()] >= 1
    assert told["gridsvc_database_up"][()] == 1
    assert told["gridsvc_resident_bytes"]["api",] > 1e7
    assert told["gridsvc_cpu_seconds_total"][()] > 0


def test_lookups_are_timed_whichever_way_they_are_answered(service: tuple[TestClient, Settings]) -> None:
    client, settings = service
    make_territory(client)
    publish(client, make_tiling(client))
    front, live = Front(settings.mapped), Live(settings.mapped)
    state = _state(live)
    (line,) = state.lines.values()
    cell = line.snapshot.places.name(0)
    door = Door("open")
    asyncio.run(door.caller({"type": "http", "method": "GET", "headers": [(b"host", b"localhost")]}))
    hot = Lookup(_nothing, live, door, front)
    for _ in range(4):
        sent = ask(hot, f"/v1/owner/cells/{cell}")
        assert sent.status == 200
    tag = sent.headers[b"etag"][0]
    assert ask(hot, f"/v1/owner/cells/{cell}", [(b"if-none-match", tag)]).status == 304
    assert client.get(f"/v1/owner/cells/{cell}?as_of=2999-01-01T00:00:00Z").status_code == 200
    told = ask_metrics(client)
    counts = told["gridsvc_lookup_seconds_count"]
    assert counts["files",] == 5
    assert counts["routes",] >= 1
    buckets = told["gridsvc_lookup_seconds_bucket"]
    assert buckets["files", "+Inf"] == 5
    in_order = [value for (by, _), value in buckets.items() if by == "files"]
    assert in_order == sorted(in_order)
    assert told["gridsvc_requests_total"]["GET", "/v1/owner/cells/{cell}", "304"] == 1
    assert told["gridsvc_requests_total"]["GET", "/v1/owner/cells/{cell}", "200"] >= 5
    assert cell not in client.get("/metrics").text


def _state(live: Live) -> Any:
    end = time.monotonic() + 30
    while time.monotonic() < end:
        state = live.state()
        if state is not None and state.lines:
            return state
        time.sleep(0.02)
    raise TimeoutError


async def _nothing(scope: Any, receive: Any, send: Any) -> None:
    raise AssertionError(scope["path"])


def test_without_the_database_the_rest_is_told(
    service: tuple[TestClient, Settings], monkeypatch: pytest.MonkeyPatch
) -> None:
    from gridsvc.errors import OutOfService
    from gridsvc.store.database import Database

    def away(*_: Any, **__: Any) -> Any:
        raise OutOfService("the database is away", reason="database-away", retry_after=5)

    client, _ = service
    client.get("/v1/territories")
    monkeypatch.setattr(Database, "read", away)
    told = ask_metrics(client)
    assert told["gridsvc_database_up"][()] == 0
    assert told["gridsvc_requests_total"]["GET", "/v1/territories", "200"] == 1
