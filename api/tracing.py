"""Spans of requests for OpenTelemetry, where an endpoint is named: by templates, never by what is asked for.

The framework would trace by itself, with paths and queries, and so with customers' ids; that is switched off.
Everything is set by the variables of OpenTelemetry's own, as ``OTEL_EXPORTER_OTLP_ENDPOINT``.
"""

from __future__ import annotations

import logging
import os
import time
from collections.abc import Callable
from typing import TYPE_CHECKING

from starlette.types import Scope

if TYPE_CHECKING:
    from fastapi.telemetry import TelemetryConfig
    from opentelemetry.trace import Tracer

__all__ = ["SILENT", "Tell", "spans"]

SILENT: TelemetryConfig = {
    "tracing": False,
    "metrics": False,
    "logs": False,
    "operation_spans": False,
    "auto_configure": False,
}
"""What the framework must not tell."""

Tell = Callable[[Scope, str, int, float, str], None]
"""Told of a request: its scope, template, status, seconds, and id."""

_ENDPOINTS = ("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "OTEL_EXPORTER_OTLP_ENDPOINT")
_PARENT = {b"traceparent", b"tracestate"}

_log = logging.getLogger("gridsvc.tracing")


def spans() -> Tell | None:
    """What sends spans; None where nobody named an endpoint, or what sends them is not installed."""
    if os.environ.get("OTEL_SDK_DISABLED", "").lower() == "true" or not any(map(os.environ.get, _ENDPOINTS)):
        return None
    try:
        from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
        from opentelemetry.sdk.resources import Resource
        from opentelemetry.sdk.trace import TracerProvider
        from opentelemetry.sdk.trace.export import BatchSpanProcessor
    except ImportError:
        _log.warning("no traces are sent: pip install 'gridsvc[telemetry]' brings what sends them")
        return None
    name = os.environ.get("OTEL_SERVICE_NAME", "gridsvc")
    provider = TracerProvider(resource=Resource.create({"service.name": name}))
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
    return told_to(provider.get_tracer("gridsvc"))


def told_to(tracer: Tracer) -> Tell:
    """What gives each request to a tracer, below the caller's own span where it names one."""
    from opentelemetry.trace import SpanKind, StatusCode
    from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

    reader = TraceContextTextMapPropagator()

    def tell(scope: Scope, template: str, status: int, seconds: float, request: str) -> None:
        carrier = {
            name.decode(): value.decode("latin-1") for name, value in scope["headers"] if name in _PARENT
        }
        end = time.time_ns()
        span = tracer.start_span(
            f"{scope['method']} {template}",
            context=reader.extract(carrier),
            kind=SpanKind.SERVER,
            start_time=end - round(seconds * 1e9),
            attributes={
                "http.request.method": scope["method"],
                "http.route": template,
                "http.response.status_code": status,
                "gridsvc.request_id": request,
            },
        )
        if status >= 500:
            span.set_status(StatusCode.ERROR)
        span.end(end)

    return tell
