"""Where somebody gathers traces each request is a span, which names the route and no more."""

from __future__ import annotations

import logging
import sys
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient
from opentelemetry import trace
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from api import tracing
from api.app import create_app
from gridsvc.config import Settings
from gridsvc.store import Database

PARENT = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"


@pytest.fixture
def collector() -> Iterator[tuple[str, list[bytes]]]:
    """Takes traces; gives its address, and what came."""
    bodies: list[bytes] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            assert self.path == "/v1/traces"
            bodies.append(self.rfile.read(int(self.headers["content-length"])))
            self.send_response(200)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    server = HTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}", bodies
    server.shutdown()
    server.server_close()


def service(folder: Path) -> TestClient:
    settings = Settings(data_dir=folder)
    database = Database.open(settings.url)
    database.upgrade()
    database.close()
    return TestClient(create_app(settings), base_url="http://localhost")


def spans(bodies: list[bytes], number: int) -> list[Any]:
    """So many spans, once they are there."""
    end = time.monotonic() + 10
    while time.monotonic() < end:
        found = [
            span
            for body in bodies
            for resource in ExportTraceServiceRequest.FromString(body).resource_spans
            for scope in resource.scope_spans
            for span in scope.spans
        ]
        if len(found) >= number:
            return found
        time.sleep(0.02)
    raise TimeoutError


def test_a_request_is_a_span_which_tells_nothing_of_what_is_asked(
    collector: tuple[str, list[bytes]], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    url, bodies = collector
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", url)
    monkeypatch.setenv("OTEL_BSP_SCHEDULE_DELAY", "50")
    with service(tmp_path) as client:
        client.get("/readyz")
        client.get(
            "/v1/owner/customers/secret?lang=secret",
            headers={"traceparent": PARENT, "X-Request-Id": "r-7", "User-Agent": "secret"},
        )
        client.post("/v1/territories", json={"id": "secret"})
        first, second = spans(bodies, 2)
    assert not any(b"secret" in body for body in bodies)
    assert (first.name, second.name) == (
        "GET /v1/owner/customers/{customer}",
        "POST /v1/territories",
    )
    assert (first.trace_id.hex(), first.parent_span_id.hex()) == tuple(PARENT.split("-")[1:3])
    told = {each.key: each.value for each in first.attributes}
    assert told["http.route"].string_value == "/v1/owner/customers/{customer}"
    assert told["http.response.status_code"].int_value in {404, 422}
    assert told["gridsvc.request_id"].string_value == "r-7"
    assert 0 < first.end_time_unix_nano - first.start_time_unix_nano < 60e9


def test_nothing_is_sent_unless_somebody_asks_for_it(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT"):
        monkeypatch.delenv(name, raising=False)
    assert tracing.spans() is None
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", "http://127.0.0.1:1")
    monkeypatch.setenv("OTEL_SDK_DISABLED", "true")
    assert tracing.spans() is None


def test_who_has_not_installed_it_is_told(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", "http://127.0.0.1:1")
    monkeypatch.setitem(sys.modules, "opentelemetry.sdk.trace", None)
    with caplog.at_level(logging.WARNING, "gridsvc.tracing"):
        assert tracing.spans() is None
    assert "gridsvc[telemetry]" in caplog.text


def test_the_framework_tells_nothing_by_itself(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """It would send paths and queries to whatever a program around ours has set up."""
    exporter = InMemorySpanExporter()
    provider = TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    monkeypatch.setattr(trace, "_TRACER_PROVIDER", provider)
    with service(tmp_path) as client:
        client.get("/v1/owner/customers/secret")
    assert exporter.get_finished_spans() == ()
