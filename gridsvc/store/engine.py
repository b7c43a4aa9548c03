"""Connections, set up so that both databases keep the same promises."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from sqlalchemy import URL, Connection, Engine, create_engine, event, make_url
from sqlalchemy.exc import ArgumentError, DBAPIError

from gridsvc.errors import InvalidInput

__all__ = ["READING", "WRITING", "embedded_file", "make_engine"]

READING: dict[str, dict[str, Any]] = {
    "sqlite": {},
    "postgresql": {"isolation_level": "REPEATABLE READ", "postgresql_readonly": True},
}
"""Execution options of a connection which sees one state of the database and changes nothing."""

WRITING: dict[str, dict[str, Any]] = {"sqlite": {"gridsvc_writes": True}, "postgresql": {}}
"""Execution options of a connection which writes."""

_BUSY_SECONDS = 30.0
_PATIENCE = {"connect_timeout": 5, "tcp_user_timeout": 10_000}
_PRAGMAS = (
    "foreign_keys = ON",
    "journal_mode = WAL",
    "synchronous = FULL",
    "analysis_limit = 1000",
    "secure_delete = ON",  # what is deleted is overwritten: customers and people may ask to be forgotten
)


def _to_json(value: Any) -> str:
    """JSON as PostgreSQL takes it too: no NaN."""
    return json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":"))


# What was to be written may be a customer's: it stays out of the errors that are logged.
_COMMON: dict[str, Any] = {"json_serializer": _to_json, "hide_parameters": True}


def make_engine(url: str) -> Engine:
    """Return an engine for `url`, having connected once.

    Raises
    ------
    InvalidInput
        The address is not one of ours, or the database behind it cannot be opened.
    """
    parsed = _parse(url)
    engine = _sqlite(parsed) if parsed.get_backend_name() == "sqlite" else _postgresql(parsed)
    try:
        with engine.connect():
            pass
    except DBAPIError as error:
        engine.dispose()
        raise InvalidInput(
            f"the database {Path(parsed.database or '').name!r} cannot be opened",
            field="database",
            cure="check the address, that it is there, and that you may use it",
        ) from error
    return engine


def embedded_file(url: str) -> Path | None:
    """The file of an embedded database; None for PostgreSQL."""
    parsed = _parse(url)
    return Path(parsed.database or "") if parsed.get_backend_name() == "sqlite" else None


def _parse(url: str) -> URL:
    cure = "give sqlite:///file.db or postgresql://user@host/name"
    try:
        parsed = make_url(url)
    except (ArgumentError, ValueError) as error:
        raise InvalidInput("not the address of a database", field="database", cure=cure) from error
    if parsed.drivername in {"postgresql", "postgres"}:
        parsed = parsed.set(drivername="postgresql+psycopg")
    if parsed.drivername not in {"sqlite", "postgresql+psycopg"}:
        raise InvalidInput(f"{parsed.drivername!r} is not a database we know", field="database", cure=cure)
    if parsed.drivername == "sqlite" and (parsed.database or ":memory:") == ":memory:":
        raise InvalidInput("a database in memory is not kept", field="database", cure=cure)
    return parsed


def _postgresql(url: URL) -> Engine:
    # A server which is away is noticed within seconds, and not when the system gives up.
    patience = {name: value for name, value in _PATIENCE.items() if name not in url.query}
    return create_engine(url, pool_pre_ping=True, connect_args=patience, **_COMMON)


def _sqlite(url: URL) -> Engine:
    # The driver's own idea of when a transaction starts is switched off: ours start where we say so.
    arguments = {"timeout": _BUSY_SECONDS, "isolation_level": None}
    engine = create_engine(url, connect_args=arguments, **_COMMON)
    event.listen(engine, "connect", _set_pragmas)
    event.listen(engine, "begin", _begin)
    return engine


def _set_pragmas(connection: Any, _record: Any) -> None:
    cursor = connection.cursor()
    try:
        for pragma in _PRAGMAS:
            cursor.execute(f"PRAGMA {pragma}")
    finally:
        cursor.close()


def _begin(connection: Connection) -> None:
    """Let writers lock at once: who reads first and locks later fails if another commits in between."""
    if connection.get_execution_options().get("gridsvc_bare"):
        return  # what is asked stands in no transaction
    writes = connection.get_execution_options().get("gridsvc_writes")
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")
