"""Each request leaves a line which names the route and no more, and an id by which it is found again."""

from __future__ import annotations

import json
import logging
import re
from pathlib import Path

import pytest
from fastapi.testclient import TestClient

from api.app import create_app
from gridsvc import logs
from gridsvc.config import Settings
from tests.operations.test_metrics import service

__all__ = ["service"]

Service = tuple[TestClient, Settings]


def lines(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [r.getMessage() for r in caplog.records if r.name == "gridsvc.requests"]


def test_a_line_names_template_status_time_and_id(service: Service, caplog: pytest.LogCaptureFixture) -> None:
    client, _ = service
    with caplog.at_level(logging.INFO, "gridsvc.requests"):
        answer = client.get("/v1/jobs/job_secret?also=secret", headers={"X-Request-Id": "trace-7"})
    (line,) = lines(caplog)
    assert re.fullmatch(r"GET /v1/jobs/\{job\} 404 \d+\.\d ms \S+ trace-7", line)
    assert answer.headers["x-request-id"] == "trace-7"
    assert answer.json()["request_id"] == "trace-7"


@pytest.mark.parametrize("given", ["", "a b", "x" * 65, "line\tbreak", "{json}", "é"])
def test_an_id_which_is_none_is_replaced(service: Service, given: str) -> None:
    client, _ = service
    first, second = (
        client.get("/v1/territories", headers={"X-Request-Id": given.encode()}).headers["x-request-id"]
        for _ in range(2)
    )
    assert re.fullmatch(r"[0-9a-f]{12}-[0-9a-f]+", first)
    assert first != second != given


def test_probes_are_left_out_and_all_is_not(
    service: Service, caplog: pytest.LogCaptureFixture, tmp_path: Path
) -> None:
    client, settings = service
    with caplog.at_level(logging.INFO, "gridsvc.requests"):
        for path in ("/healthz", "/readyz", "/metrics"):
            client.get(path)
        assert lines(caplog) == []
        every = settings.model_copy(update={"log_requests": "all"})
        with TestClient(create_app(every)) as other:
            other.get("/healthz")
        assert len(lines(caplog)) == 1
        none = settings.model_copy(update={"log_requests": "none"})
        with TestClient(create_app(none)) as other:
            other.get("/v1/territories")
        assert len(lines(caplog)) == 1


def test_a_bug_has_an_id_and_headers_too(
    service: Service, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    from gridsvc.store.database import Database

    client, _ = service
    monkeypatch.setattr(Database, "read", lambda *_: 1 / 0)
    with caplog.at_level(logging.INFO, "gridsvc.requests"):
        answer = client.get("/v1/territories", headers={"X-Request-Id": "bug-1"})
    assert answer.status_code == 500
    assert (answer.headers["x-request-id"], answer.json()["request_id"]) == ("bug-1", "bug-1")
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert " 500 " in lines(caplog)[0]


def test_as_json_a_line_is_an_object_with_the_same_values(capsys: pytest.CaptureFixture[str]) -> None:
    root = logging.getLogger()
    before = root.handlers[:], root.level, logging.getLogger("gridsvc").level
    try:
        logs.configure("json")
        logging.getLogger("gridsvc.requests").info("%s", "told\n", extra={logs.FIELDS: {"route": "/x"}})
        try:
            raise ValueError("why")
        except ValueError:
            logging.getLogger("other").exception("failed")
        logging.getLogger("other").info("not told")
        first, second = (json.loads(line) for line in capsys.readouterr().err.splitlines())
    finally:
        root.handlers[:] = before[0]
        root.setLevel(before[1])
        logging.getLogger("gridsvc").setLevel(before[2])
    assert (first["message"], first["route"], first["level"]) == ("told\n", "/x", "info")
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}\+00:00", first["time"])
    assert "ValueError: why" in second["exception"]
