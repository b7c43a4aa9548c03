"""Connections, set up so that both databases keep the same promises."""

from __future__ import annotations

import json
import sqlite3
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import quote

from sqlalchemy import URL, Connection, Engine, create_engine, event, make_url
from sqlalchemy.exc import ArgumentError, DBAPIError, DisconnectionError
from sqlalchemy.pool import ConnectionPoolEntry, NullPool

from gridsvc.errors import InvalidInput

__all__ = ["READING", "WRITING", "embedded_file", "make_engine", "make_probe"]

READING: dict[str, dict[str, Any]] = {
    "sqlite": {},
    "postgresql": {"isolation_level": "REPEATABLE READ", "postgresql_readonly": True},
}
"""Execution options of a connection which sees one state of the database and changes nothing."""

WRITING: dict[str, dict[str, Any]] = {"sqlite": {"gridsvc_writes": True}, "postgresql": {}}
"""Execution options of a connection which writes."""

_BUSY_SECONDS, _PROBE_SECONDS = 30.0, 2.0
"""Patience with others who write: of whoever works, and of whoever only wants to know."""

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


def make_engine(url: str, *, new: bool = True) -> Engine:
    """Return an engine for `url`, having connected once: from then on an embedded file must be there.

    Parameters
    ----------
    new : bool
        An embedded file which is not there is made.

    Raises
    ------
    InvalidInput
        The address is not one of ours, or the database behind it cannot be opened.
    """
    parsed = _parse(url)
    engine = _sqlite(parsed, new=new) if parsed.get_backend_name() == "sqlite" else _postgresql(parsed)
    try:
        with engine.connect():
            pass
    except DBAPIError as error:
        engine.dispose()
        cure = "check the address, that it is there, and that you may use it"
        if not new and parsed.get_backend_name() == "sqlite":
            cure += "; gridsvc db upgrade makes one where there was none"
        name = Path(parsed.database or "").name
        raise InvalidInput(f"the database {name!r} cannot be opened", field="database", cure=cure) from error
    return engine


def make_probe(engine: Engine) -> Engine:
    """An engine for the same database which keeps no connection and soon loses its patience."""
    url = engine.url
    if url.get_backend_name() == "sqlite":
        return _embedded(url, _PROBE_SECONDS, poolclass=NullPool)
    patience = _PATIENCE | {"connect_timeout": int(_PROBE_SECONDS)}
    return create_engine(url, connect_args=patience, poolclass=NullPool, **_COMMON)


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


def _sqlite(url: URL, *, new: bool) -> Engine:
    path = Path(url.database or "")
    engine = _embedded(url, _BUSY_SECONDS, new=new)
    event.listen(engine, "checkout", partial(_require_same, path))
    return engine


def _embedded(url: URL, patience: float, *, new: bool = False, **options: Any) -> Engine:
    """Connects to the file as it is; only a database which is `new` may be made by its first connection."""
    path, missing = Path(url.database or "").absolute(), [True] if new else []

    def connect() -> sqlite3.Connection:
        mode = "rwc" if missing else "rw"
        # The driver's own idea of when a transaction starts is switched off: ours start where we say so.
        made = sqlite3.connect(
            f"file:{quote(str(path))}?mode={mode}",
            uri=True,
            timeout=patience,
            isolation_level=None,
            check_same_thread=False,
        )
        missing.clear()
        return made

    engine = create_engine(url, creator=connect, **_COMMON, **options)
    event.listen(engine, "connect", _set_pragmas)
    event.listen(engine, "connect", partial(_note_file, path))
    event.listen(engine, "begin", _begin)
    return engine


def _note_file(path: Path, _connection: Any, record: ConnectionPoolEntry) -> None:
    record.info["file"] = _file_at(path)


def _require_same(path: Path, _connection: Any, record: ConnectionPoolEntry, _proxy: Any) -> None:
    """Let nobody read or write a file which has lost its name: what went into it would be seen by nobody."""
    if record.info.get("file") != _file_at(path):
        raise DisconnectionError("the file of the database is gone, or is another one")


def _file_at(path: Path) -> tuple[int, int] | None:
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_dev, found.st_ino


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
