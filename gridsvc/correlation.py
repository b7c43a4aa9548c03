"""On whose behalf something is written: the request or the job which is being served, for the audit."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

__all__ = ["current", "serving"]

_SERVED: ContextVar[str | None] = ContextVar("gridsvc_served", default=None)


def current() -> str | None:
    """The id of what is being served; None outside of requests and jobs."""
    return _SERVED.get()


@contextmanager
def serving(request_id: str) -> Iterator[None]:
    """Serve a request or a job inside the block."""
    token = _SERVED.set(request_id)
    try:
        yield
    finally:
        _SERVED.reset(token)
