"""Hearing of commits: a connection of its own, by the drivers alone, so that a start need not wait for more.

The embedded database is asked every 20 ms whether another connection has committed (microseconds); PostgreSQL
tells by NOTIFY. News can be lost, so whoever waits should look again every now and then.
"""

from __future__ import annotations

import sqlite3
import time
from typing import Any, Protocol

from gridsvc.errors import InvalidInput
from gridsvc.store.chain import protections
from gridsvc.store.drivers import UnreachableError, to_embedded, to_postgres

__all__ = ["CHANNEL", "Pulse", "UnreachableError", "open_pulse"]

CHANNEL = "gridsvc_seq"

_TICK = 0.02
_VERSION = "SELECT version_num FROM alembic_version"
_SEQ = "SELECT value FROM seq"
_TRIGGERS = "SELECT tgname FROM pg_trigger WHERE NOT tgisinternal AND tgenabled = 'O'"


class Pulse(Protocol):
    """Feels whether the database changes. Any fault of the database is an `UnreachableError`."""

    def version(self) -> str | None:
        """The version of the tables; None if there are none, or what protects them is missing."""

    def seq(self) -> int:
        """How many commits changed what lookups answer."""

    def wait(self, seconds: float) -> None:
        """Wait for a commit, or so long."""

    def close(self) -> None:
        """Close the connection."""


def open_pulse(url: str) -> Pulse:
    """Connect to the database at `url`.

    Raises
    ------
    UnreachableError
        It cannot be reached.
    InvalidInput
        The address is not one of ours.
    """
    if url.startswith("sqlite:///"):
        return _Embedded(url.removeprefix("sqlite:///"))
    scheme, rest = url.split("://", 1) if "://" in url else ("", "")
    if scheme.split("+")[0] not in {"postgresql", "postgres"}:
        raise InvalidInput(
            "not the address of a database", field="database", cure="give sqlite or postgresql"
        )
    return _Postgres(f"postgresql://{rest}")


class _Embedded:
    def __init__(self, path: str) -> None:
        try:
            self._connection = to_embedded(path)
            self._seen = self._one("PRAGMA data_version")
        except sqlite3.Error as error:
            raise UnreachableError("the embedded database cannot be opened") from error

    def version(self) -> str | None:
        try:
            found = self._one(_VERSION)
            names = {name for (name,) in self._connection.execute("SELECT name FROM sqlite_master")}
        except sqlite3.Error:
            return None
        return str(found) if found is not None and protections("sqlite") <= names else None

    def seq(self) -> int:
        try:
            return int(self._one(_SEQ))
        except sqlite3.Error as error:
            raise UnreachableError("the embedded database cannot be read") from error

    def wait(self, seconds: float) -> None:
        end = time.monotonic() + seconds
        try:
            while (now := self._one("PRAGMA data_version")) == self._seen:
                left = end - time.monotonic()
                if left <= 0:
                    return
                time.sleep(min(_TICK, left))
        except sqlite3.Error as error:
            raise UnreachableError("the embedded database cannot be read") from error
        self._seen = now

    def _one(self, text: str) -> Any:
        found = self._connection.execute(text).fetchone()
        return None if found is None else found[0]

    def close(self) -> None:
        self._connection.close()


class _Postgres:
    def __init__(self, address: str) -> None:
        import psycopg

        self._psycopg = psycopg
        try:
            self._connection = to_postgres(address)
            self._connection.execute(f"LISTEN {CHANNEL}")
        except psycopg.Error as error:
            raise UnreachableError("the database cannot be reached") from error

    def version(self) -> str | None:
        try:
            found = self._connection.execute(_VERSION).fetchone()
            names = {name for (name,) in self._connection.execute(_TRIGGERS)}
        except self._psycopg.Error:
            return None
        return str(found[0]) if found is not None and protections("postgresql") <= names else None

    def seq(self) -> int:
        try:
            found = self._connection.execute(_SEQ).fetchone()
        except self._psycopg.Error as error:
            raise UnreachableError("the database cannot be read") from error
        return 0 if found is None else int(found[0])

    def wait(self, seconds: float) -> None:
        try:
            list(self._connection.notifies(timeout=seconds, stop_after=1))
        except self._psycopg.Error as error:
            raise UnreachableError("the database cannot be reached") from error

    def close(self) -> None:
        self._connection.close()
