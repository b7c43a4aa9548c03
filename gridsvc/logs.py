"""Logs to the standard error: lines for people, or JSON for programs which gather them."""

from __future__ import annotations

import logging
import os
import sys
from datetime import UTC, datetime
from typing import Literal

import orjson

__all__ = ["FIELDS", "LogFormat", "configure", "inherited"]

LogFormat = Literal["plain", "json"]

FIELDS = "fields"
"""Name of the extra of a record which holds its named values; JSON has them as members."""


def configure(form: LogFormat, level: int = logging.INFO) -> None:
    """Send all of the product's logs from `level` on, and warnings of others, to the standard error."""
    handler = logging.StreamHandler(sys.stderr)
    plain = logging.Formatter("%(levelname)s %(name)s %(message)s")
    handler.setFormatter(_Json() if form == "json" else plain)
    logging.basicConfig(level=logging.WARNING, handlers=[handler], force=True)
    logging.getLogger("gridsvc").setLevel(level)


def inherited() -> LogFormat:
    """The form in which whoever started this process has it log."""
    return "json" if os.environ.get("GRIDSVC_LOG_FORMAT") == "json" else "plain"


class _Json(logging.Formatter):
    """One JSON object a line."""

    def format(self, record: logging.LogRecord) -> str:
        told = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
            **getattr(record, FIELDS, {}),
        }
        if record.exc_info:
            told["exception"] = self.formatException(record.exc_info)
        return orjson.dumps(told, default=str).decode()
