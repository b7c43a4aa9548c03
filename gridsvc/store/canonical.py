"""Rows as lines of text which are the same from both databases."""

from __future__ import annotations

import json
from base64 import b64decode, b64encode
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any

import shapely
from sqlalchemy import JSON, Boolean, Connection, Dialect, Double, LargeBinary, Table, Text, select

from gridsvc.store.types import Geometry, UtcDateTime, to_wkb

__all__ = ["decoder", "encoded", "rows_at_once"]


def _from_json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


_ENCODERS: tuple[tuple[type, Callable[[Any], Any]], ...] = (
    (Geometry, lambda value: shapely.to_wkb(value, hex=True, byte_order=1)),
    (UtcDateTime, lambda value: value.astimezone(UTC).isoformat(timespec="microseconds")),
    (LargeBinary, lambda value: b64encode(value).decode()),
    (Double, lambda value: float(value) + 0.0),  # SQLite keeps no minus before a zero
    (Boolean, bool),
    (JSON, _from_json),
)


def _encoder(kind: Any) -> Callable[[Any], Any]:
    return next((step for of, step in _ENCODERS if isinstance(kind, of)), lambda value: value)


def _decoder(kind: Any, dialect: Dialect) -> Callable[[Any], Any]:
    if isinstance(kind, Geometry):
        return lambda value: to_wkb(shapely.from_wkb(value), dialect)
    if isinstance(kind, UtcDateTime):
        return lambda value: kind.process_bind_param(datetime.fromisoformat(value), dialect)
    if isinstance(kind, LargeBinary):
        return b64decode
    return lambda value: value


def rows_at_once(table: Table) -> int:
    """Rows of `table` which may be in memory together; one with arrays in it may have many megabytes."""
    return 2 if any(isinstance(column.type, LargeBinary) for column in table.c) else 500


def encoded(connection: Connection, table: Table) -> Iterator[bytes]:
    """Rows of `table` by its key, a line each; few are in memory at a time."""
    postgres = connection.dialect.name == "postgresql"
    order = [
        # The order of texts must not depend on the language of the database.
        key.collate("C") if postgres and isinstance(key.type, Text) else key
        for key in table.primary_key.columns
    ]
    steps = [_encoder(column.type) for column in table.c]
    options = {"yield_per": rows_at_once(table)}
    found = connection.execute(select(table).order_by(*order), execution_options=options)
    for row in found:
        values = [None if value is None else step(value) for step, value in zip(steps, row, strict=True)]
        yield _from_json(values).encode() + b"\n"


def decoder(table: Table, dialect: Dialect) -> Callable[[bytes], tuple[Any, ...]]:
    """Return what makes of a line a row as the driver takes it."""
    steps = [_decoder(column.type, dialect) for column in table.c]

    def decode(line: bytes) -> tuple[Any, ...]:
        values = json.loads(line)
        return tuple(None if v is None else step(v) for step, v in zip(steps, values, strict=True))

    return decode
